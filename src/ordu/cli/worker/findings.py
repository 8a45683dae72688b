"""What a check finds: a mark, one line what is, and one how to mend it."""

from enum import StrEnum

import msgspec


class Mark(StrEnum):
    """How it stands."""

    GOOD = "✓"
    WARNING = "!"  # it works, but should be looked at
    BAD = "✗"
    UNKNOWN = "?"  # this horde does not tell


class Finding(msgspec.Struct, frozen=True):
    """What a check found: one line, and one how to mend it."""

    mark: Mark
    about: str
    words: str
    mend: str = ""


def good(about: str, words: str) -> Finding:
    """It is well."""
    return Finding(Mark.GOOD, about, words)


def warning(about: str, words: str, mend: str = "") -> Finding:
    """It works, but should be looked at."""
    return Finding(Mark.WARNING, about, words, mend)


def bad(about: str, words: str, mend: str = "") -> Finding:
    """It keeps the worker from working."""
    return Finding(Mark.BAD, about, words, mend)


def unknown(about: str, words: str) -> Finding:
    """It cannot be told."""
    return Finding(Mark.UNKNOWN, about, words)
