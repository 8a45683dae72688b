"""The Python client: one method for each operation, sync and async."""
