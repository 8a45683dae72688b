"""Names and keys: what may be called what, and how an alias is written and read.

A user's *alias* is `username#id`; on input only the number after the last `#` counts.
"""

import re
import unicodedata
from functools import lru_cache

from ordu.protocol.errors import Refused
from ordu.rules.money import UserId

USERNAME_LENGTH_MAX = 30
WORKER_NAME_LENGTH_MAX = 100
WORKER_NAMES_KEPT = 2_000  # as they are stored; a worker says its own with every pop
ID_MAX = 2**31 - 1
ANONYMOUS_KEY = "0000000000"

KEY_PATTERN = re.compile(r"[A-Za-z0-9_-]{22}")


def alias(username: str, user_id: UserId) -> str:
    """How a user is named on the wire."""
    return f"{username}#{user_id}"


def user_id_of(text: str) -> UserId | None:
    """The id in `name#17`, `#17` or `17`; None when there is none that can exist."""
    digits = text.rsplit("#", 1)[-1].strip()
    if not (digits.isascii() and digits.isdigit()) or len(digits) > len(str(ID_MAX)):
        return None
    number = int(digits)
    return UserId(number) if number <= ID_MAX else None


def is_key(text: str) -> bool:
    """Whether a text has the form of an API key: exactly 22 URL-safe characters."""
    return KEY_PATTERN.fullmatch(text) is not None


def username(text: str) -> str:
    """A username as it is stored: trimmed, printable, 1 to 30 characters."""
    name = printable(text)
    if not name:
        raise Refused("BadRequest", "A username needs at least one visible character.")
    if len(name) > USERNAME_LENGTH_MAX:
        raise Refused(
            "TooLongUserName",
            f"The username has {len(name)} characters; at most {USERNAME_LENGTH_MAX} fit.",
        )
    return name


@lru_cache(maxsize=WORKER_NAMES_KEPT)
def worker_name(text: str) -> str:
    """A worker's name as it is stored: trimmed, printable, cut to 100 characters."""
    name = printable(text)[:WORKER_NAME_LENGTH_MAX].rstrip()
    if not name:
        raise Refused("BadRequest", "A worker's name needs at least one visible character.")
    return name


def printable(text: str) -> str:
    """The text without control characters, with every run of blanks made one blank."""
    kept = (" " if character.isspace() else character for character in text)
    shown = "".join(c for c in kept if not unicodedata.category(c).startswith("C"))
    return " ".join(shown.split())
