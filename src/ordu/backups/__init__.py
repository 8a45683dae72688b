"""Backups: a whole horde of one moment, copied while it works, proved, and brought back.

A backup is a folder, or the same files in one tar:

| file | what it is |
|---|---|
| `manifest.json` | what this is: version, schema, time, counts (`manifest`) |
| `horde.sqlite3` | the books, of SQLite and of PostgreSQL alike (`books`) |
| `pictures/*.segment` | the pictures that these books name (`pictures`) |
| `secret`, `worker-key` | the installation's secret, the key of its own worker, unless left out |
| `models.toml`, `terms.md`, … | what the operator wrote |
| `SHA256SUMS` | checksums of all of these, written last |

It is made beside its place under another name, flushed, and renamed (`making`, `drafts`), so what
has the name of a backup is whole. It is brought back into an empty place only (`restoring`), and
proved by doing just that in a temporary one and asking the horde something (`checking`). Why so:
docs/adr/0033.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager


class BackupError(Exception):
    """A backup that cannot be made or brought back; a line for each thing that is wrong."""


class PlaceError(BackupError):
    """Where it is to go, or to come from, is not what it must be: called wrongly."""


@contextmanager
def in_a_line(what: str) -> Iterator[None]:
    """Say in a line that a disk is full or broken."""
    try:
        yield
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        raise BackupError(f"{what}: {error.strerror or error}{where}.") from error
    except sqlite3.Error as error:
        raise BackupError(f"{what}: {error}.") from error
