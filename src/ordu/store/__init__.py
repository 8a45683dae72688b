"""SQL: the truth. Synchronous, small, named functions over SQL text."""
