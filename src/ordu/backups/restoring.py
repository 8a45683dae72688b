"""Bringing a backup back, into an empty place only: proved first, and the books last.

Everything is made in a folder of its own within the new data folder and moved to where it belongs
at the end. While that folder is there no server starts (`server.run`), so a restore that was killed
is never mistaken for a horde.
"""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ordu.backups import BackupError, PlaceError, books, drafts, in_a_line
from ordu.backups import manifest as about
from ordu.backups import pictures as copying
from ordu.backups.reading import Backup
from ordu.engine.clock import SystemClock
from ordu.images.pinned import PinnedSegments
from ordu.images.store import open_store
from ordu.server.run import UNFINISHED
from ordu.server.secret import FINGERPRINT, Secret
from ordu.settings import ServerSettings
from ordu.store import facts
from ordu.store.moving import MoveError, Tell, make_ready, move
from ordu.store.moving import sqlite as files
from ordu.store.moving.catalog import tables_of_the_schema

if TYPE_CHECKING:
    from ordu.store.moving.postgres import PostgresEnd

EMPTY = frozenset({"lost+found", UNFINISHED})  # may be in a place that is empty all the same
SPARE = 2.2  # the books are brought up to date, which writes them again
LOGS = ("", "-wal", "-shm", "-journal")  # what of an older file must not be there


@dataclass(frozen=True)
class Restored:
    """What was brought back."""

    manifest: about.Manifest
    entries: int  # of the books, which are in order
    pictures: int | None  # None: they are not in the backup
    has_secret: bool  # in the data folder, or as it was given


async def restore(backup: Backup, settings: ServerSettings, tell: Tell) -> Restored:
    """Bring a backup back to where these settings say.

    Raises:
        BackupError: it cannot be brought back; the place is as it was.
    """
    manifest = backup.manifest()
    check_empty(settings)
    with in_a_line("The backup cannot be brought back"), unfinished(settings) as draft:
        check_space(settings, manifest)
        async with books_to_be(settings) as target:
            await asyncio.to_thread(backup.extract, draft)
            entries = await asyncio.to_thread(books.prove, draft / about.BOOKS, manifest.rows)
            has_secret = check_secret(settings, draft)
            await asyncio.to_thread(drafts.flush_tree, draft)
            with undone_on_failure(settings):
                pictures = await put_pictures(settings, manifest, draft)
                await asyncio.to_thread(put_files, settings, draft)
                await put_books(settings, draft / about.BOOKS, target, tell)
    return Restored(manifest, entries, pictures, has_secret)


def check_empty(settings: ServerSettings) -> None:
    """Refuse a place in which there is something.

    Raises:
        PlaceError: there is.
    """
    data, todo = Path(settings.data), "Name a new one; nothing that is there is overwritten."
    if data.exists() and not data.is_dir():
        raise PlaceError(f"{data} is no folder. {todo}")
    if data.exists() and (there := sorted({each.name for each in data.iterdir()} - EMPTY)):
        raise PlaceError(f"{data} is not empty: it has {', '.join(there[:5])}. {todo}")
    if not settings.is_postgres:
        path = settings.database_path()
        for each in (path.with_name(path.name + log) for log in LOGS):
            if each.exists():
                raise PlaceError(f"{each} is there already. {todo}")
    folder = copying.local_folder(settings)
    if folder is not None and folder.exists() and any(folder.iterdir()):
        raise PlaceError(f"{folder}, for the pictures, is not empty. {todo}")


@contextmanager
def unfinished(settings: ServerSettings) -> Iterator[Path]:
    """The folder in which everything is made; a horde with it does not start."""
    data = Path(settings.data)
    was_there = data.exists()
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = data / UNFINISHED
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        if not was_there and not any(data.iterdir()):
            data.rmdir()


def check_space(settings: ServerSettings, manifest: about.Manifest) -> None:
    """Refuse before anything is written where there is clearly not enough space."""
    needed = sum(manifest.files.values()) + SPARE * manifest.files[about.BOOKS]
    drafts.check_space(Path(settings.data), round(needed), "Bringing it back")


@asynccontextmanager
async def books_to_be(settings: ServerSettings) -> "AsyncIterator[PostgresEnd | None]":
    """The empty PostgreSQL database for the books, if any; what is put in counts at the end."""
    if not settings.is_postgres:
        yield None
        return
    from ordu.store import reaching  # noqa: PLC0415 - most hordes have no use for it
    from ordu.store.bridge import bridged  # noqa: PLC0415 - the same
    from ordu.store.moving import postgres  # noqa: PLC0415 - the same

    url = settings.database_direct or settings.database
    async with AsyncExitStack() as stack:
        try:
            target = await stack.enter_async_context(postgres.target(url))
            await bridged(lambda: make_ready(target, tables_of_the_schema()))
        except MoveError as error:
            raise PlaceError(str(error)) from error
        except reaching.CANNOT_BE_USED as error:
            raise PlaceError(reaching.why_not(url, error)) from error
        yield target


def check_secret(settings: ServerSettings, draft: Path) -> bool:
    """Refuse a secret that is not that of the books; whether there is one at all."""
    file = draft / about.SECRET
    text = settings.secret or (file.read_text(encoding="utf-8").strip() if file.exists() else "")
    known = books.read(draft / about.BOOKS, lambda tx: facts.get(tx, FINGERPRINT))
    if text and known not in {None, Secret(text).fingerprint()}:
        where = "ORDU_SECRET" if settings.secret else f"The file {about.SECRET} of the backup"
        raise PlaceError(f"{where} is not the secret that these books were made with.")
    return bool(text)


@contextmanager
def undone_on_failure(settings: ServerSettings) -> Iterator[None]:
    """Remove what was put into a place that was empty, should it not become a horde."""
    data = Path(settings.data)
    before = {each.name for each in data.iterdir()}
    try:
        yield
    except BaseException:
        for path in [each for each in data.iterdir() if each.name not in before]:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        raise


async def put_pictures(
    settings: ServerSettings, manifest: about.Manifest, draft: Path
) -> int | None:
    """Put the pictures where the horde will look for them; how many there are."""
    if manifest.pictures is None:
        return None
    folder = draft / about.PICTURES
    folder.mkdir(mode=0o700, exist_ok=True)  # there is none in a backup without a picture
    shelf = PinnedSegments(folder)
    shelf.pin()
    try:
        if settings.images or settings.is_postgres:
            return await put_into_store(settings, shelf)
        folder.rename(Path(settings.data) / about.PICTURES)
        return len(shelf.places)
    finally:
        shelf.close()


async def put_into_store(settings: ServerSettings, shelf: PinnedSegments) -> int:
    """Put the pictures into another place than the usual one; how many there are.

    Raises:
        PlaceError: it cannot be used.
    """
    try:
        store = open_store(
            settings.pictures_url(), SystemClock().now, is_shared=settings.is_postgres
        )
        try:
            await store.check()
            return await copying.put_all(shelf, store)
        finally:
            store.close()
    except ValueError as error:
        raise PlaceError(f"Setting images: {error}") from error


def put_files(settings: ServerSettings, draft: Path) -> None:
    """Put the small files into the data folder."""
    for name in (about.SECRET, about.WORKER_KEY, about.MODELS, *about.TEXTS):
        is_wanted = name != about.SECRET or not settings.secret
        if is_wanted and (draft / name).exists():
            (draft / name).rename(Path(settings.data) / name)
    drafts.flush_folder(Path(settings.data))


async def put_books(
    settings: ServerSettings, file: Path, target: "PostgresEnd | None", tell: Tell
) -> None:
    """Put the books in their place; from then on there is a horde."""
    if target is None:
        await asyncio.to_thread(put_file_of_books, file, settings.database_path())
        return
    from ordu.store import reaching  # noqa: PLC0415 - most hordes have no use for it
    from ordu.store.bridge import bridged  # noqa: PLC0415 - the same

    try:
        with files.source(file) as source:
            await bridged(lambda: move(source, target, tell))
    except MoveError as error:
        raise BackupError(str(error)) from error
    except reaching.GIVEN_UP as error:
        raise BackupError(reaching.why_not(target.name, error)) from error


def put_file_of_books(file: Path, path: Path) -> None:
    """Put the file of the books in its place, which may be on another disk."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.restoring")
    try:
        try:
            file.rename(beside)
        except OSError:  # another disk
            shutil.copyfile(file, beside)
            beside.chmod(0o600)
            drafts.flush_file(beside)
        os.link(beside, path)  # unlike a rename it never takes the place of anything
    finally:
        beside.unlink(missing_ok=True)
    drafts.flush_folder(path.parent)
