"""What all ways of keeping pictures share: plain names, and the answer when a store cannot."""

import logging
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from ordu.protocol.errors import Refused

RETRY_AFTER_S = 30

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}", re.ASCII)

log = logging.getLogger(__name__)


class Upload(NamedTuple):
    """What was put to an upload link: how large it is, and how it begins."""

    size_bytes: int
    head: bytes


class Room(NamedTuple):
    """How much room there is on the disk where pictures lie, in bytes."""

    total: int
    free: int
    pictures: int | None  # of it for pictures, where that is known without looking at each


def room_at(folder: Path, pictures: int | None = None) -> Room | None:
    """The room on the disk of a folder; None where it cannot be asked."""
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return None
    return Room(usage.total, usage.free, pictures)


def check_name(name: str) -> str:
    """A name, if it is a plain one."""
    if not _NAME.fullmatch(name):
        raise Refused(
            "PictureNotFound", "No picture has such a name. Use the link as it was given."
        )
    return name


def is_name(text: str) -> bool:
    """Whether something found in a store has a name that we could have given."""
    return _NAME.fullmatch(text) is not None


def failpoint_of(name: str) -> str:
    """The failpoint at which a picture of this name is stored."""
    return "put_source" if "_" in name else "put_picture"


@contextmanager
def unavailable_when_broken(done: str, *broken: type[Exception]) -> Iterator[None]:
    """Turn a full or broken disk into the answer that people and programs understand.

    `broken` are the errors of a store that is no disk; they are logged, because nobody else says
    what is wrong with one far away.
    """
    errors: tuple[type[Exception], ...] = (OSError, *broken)
    try:
        yield
    except errors as error:
        if broken:
            log.warning("Pictures cannot be %s: %s", done, in_words(error))
        raise Refused(
            "Unavailable",
            f"Pictures cannot be {done} at the moment. Try again in {RETRY_AFTER_S} seconds; "
            "if it stays so, tell who runs this horde.",
            503,
            retry_after_s=RETRY_AFTER_S,
        ) from error


def in_words(error: Exception) -> str:
    """What an error says, in a line: the code of S3 where it has one, else its first line.

    The library adds the whole answer, and lines for those who write it.
    """
    text = str(error)
    if code := re.search(r"<Code>(\w+)</Code>", text):
        return f"S3 says {code[1]}"
    return text.partition("\n")[0].strip()
