"""The handlers: one file for each first path segment, functions named as the operations."""

from importlib import import_module
from pkgutil import iter_modules


def load() -> None:
    """Import every handler, so that each binds itself to its row."""
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
