"""Paths with parameters, as the framework's router reads them.

An id is one segment of its path. A name (`{…_name}`) is all that is left of it and may have
anything in it: a model's often has a slash, and a line end is no reason to find nothing there.
"""

from starlette.convertors import Convertor, register_url_convertor


class Anything(Convertor[str]):
    """Any text; the framework's own `path` ends with the line."""

    regex = "(?s:.*)"

    def convert(self, value: str) -> str:
        """As it stands."""
        return value

    def to_string(self, value: str) -> str:
        """The same."""
        return value


def pattern_of(path: str) -> str:
    """The pattern for the framework of a path in the table."""
    register_url_convertor("anything", Anything())
    return path.replace("_name}", "_name:anything}")
