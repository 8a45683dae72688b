"""How a backup comes to its place: whole or not at all, and alone.

It is written under a name that nobody takes for a backup, and renamed when it is whole and on the
disk. Of one that was killed such a draft is left; the next one into the same folder removes it, and
knows that nobody works on it any more, because a lock lets one in at a time.
"""

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ordu.backups import BackupError, PlaceError

DRAFT = ".ordu-backup-"
LOCK = ".ordu-backup.lock"


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Be the only one who makes backups in this folder; what is left of others is removed.

    Raises:
        BackupError: another one is at it.
        PlaceError: the folder is not there.
    """
    if not folder.is_dir():
        raise PlaceError(f"{folder} is no folder. Make it, or mount what belongs there, first.")
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BackupError(f"Another backup into {folder} is under way.") from error
        remove_drafts(folder)
        yield
    finally:
        os.close(descriptor)


def remove_drafts(folder: Path) -> None:
    """Remove what backups that were killed have left."""
    for path in folder.glob(f"{DRAFT}*"):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


@contextmanager
def draft_in(folder: Path) -> Iterator[Path]:
    """A new folder for a backup; gone at the end, unless it was renamed."""
    path = folder / f"{DRAFT}{secrets.token_hex(4)}"
    path.mkdir(mode=0o700)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def remove(path: Path) -> None:
    """Remove a whole backup, so that a part of it never has the name of one."""
    gone = path.with_name(f"{DRAFT}gone-{secrets.token_hex(4)}")
    path.rename(gone)
    flush_folder(path.parent)
    if gone.is_dir():
        shutil.rmtree(gone)
    else:
        gone.unlink()


def put_in_place(draft: Path, path: Path) -> None:
    """Give a draft that is whole its name, to stay."""
    if os.path.lexists(path):
        raise PlaceError(f"{path} is there already.")
    draft.rename(path)
    flush_folder(path.parent)


def flush_tree(folder: Path) -> None:
    """Have everything in a folder outlive a power cut, for its owner's eyes only."""
    for path in folder.rglob("*"):
        if path.is_dir():
            path.chmod(0o700)
        else:
            path.chmod(0o600)
            flush_file(path)
    for path in (*(each for each in folder.rglob("*") if each.is_dir()), folder):
        flush_folder(path)


def flush_file(path: Path) -> None:
    """Have the bytes of a file on the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def flush_folder(path: Path) -> None:
    """Have the names in a folder on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def check_space(folder: Path, bytes_needed: int, what: str) -> None:
    """Refuse where there is clearly not enough space.

    Raises:
        BackupError: there is not.
    """
    free = shutil.disk_usage(folder).free
    if free < bytes_needed:
        raise BackupError(
            f"{what} needs about {in_words(bytes_needed)} in {folder}, and"
            f" {in_words(free)} are free."
        )


def in_words(count: int) -> str:
    """How much so many bytes are: `734 kB`, `1.2 GB`."""
    amount = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit in {"bytes", "kB"} else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"
