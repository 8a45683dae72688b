"""One file for each first path segment; functions are named as the operations."""
