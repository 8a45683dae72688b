"""Proving a backup: it is brought back in a temporary place, opened as a horde, and asked.

Nothing of the backup or of a horde that runs is touched. The temporary horde has no chores and no
courier: it ends no request and sends nothing to anybody.
"""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from ordu.backups import BackupError, books
from ordu.backups.reading import Backup
from ordu.backups.restoring import Restored, restore
from ordu.engine.belonging import promised
from ordu.server.app import make_app
from ordu.server.run import Opened, open_horde
from ordu.server.secret import FINGERPRINT
from ordu.settings import ServerSettings
from ordu.store.moving import Tell

CALLS = ("/api/v2/status/heartbeat", "/api/v2/status/performance", "/api/v2/users/1")


@dataclass(frozen=True)
class Checked:
    """What was proved."""

    restored: Restored
    answered: int  # calls
    took_s: float


async def check(backup: Backup, secret: str, tell: Tell) -> Checked:
    """Prove that a backup can be brought back; `secret` is the horde's where it is known otherwise.

    Raises:
        BackupError: it cannot.
    """
    began = time.monotonic()
    with a_temporary_folder() as folder:
        settings = ServerSettings(data=str(folder / "horde"), secret=secret, migrate=False)
        restored = await restore(backup, settings, tell)
        if not restored.has_secret:
            forget_the_secret(settings)
        async with open_horde(settings, "http://localhost") as opened:
            await look_for_pictures(opened, restored)
            await ask(opened)
    return Checked(restored, len(CALLS), time.monotonic() - began)


@contextmanager
def a_temporary_folder() -> Iterator[Path]:
    """A folder that is gone afterwards; `TMPDIR` says where."""
    folder = Path(tempfile.mkdtemp(prefix="ordu-check-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def forget_the_secret(settings: ServerSettings) -> None:
    """Let a temporary horde be opened whose secret is kept elsewhere."""
    with books.opened(settings.database_path()) as tx:
        tx.run("DELETE FROM facts WHERE name = :name", name=FINGERPRINT)


async def look_for_pictures(opened: Opened, restored: Restored) -> None:
    """Refuse when more pictures are missing than the backup says."""
    horde, pictures = opened.horde, restored.manifest.pictures
    if pictures is None:
        return
    names = await horde.read(lambda tx: list(promised(tx)))
    missing = [name for name in names if await horde.pictures.size(name) is None]
    if len(missing) != pictures.ended + pictures.missing:
        raise BackupError(
            f"{len(missing)} pictures of settled jobs are not in it, such as {missing[:1]}, and it"
            f" knows of {pictures.ended + pictures.missing}."
        )


async def ask(opened: Opened) -> None:
    """Have the horde answer calls."""
    transport = httpx.ASGITransport(make_app(opened.horde, opened.secret))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        for path in CALLS:
            answer = await client.get(path)
            if answer.status_code != httpx.codes.OK:
                raise BackupError(f"The horde in it answers {path} with {answer.status_code}.")
