"""HTTP: rows become routes, calls become replies."""
