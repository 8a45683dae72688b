"""Making a backup: the books of one moment, then the pictures they name, then what is small."""

import asyncio
import hashlib
import os
import shutil
import tarfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import msgspec

from ordu import __version__
from ordu.backups import PlaceError, books, drafts, in_a_line, keeping
from ordu.backups import manifest as about
from ordu.backups import pictures as copying
from ordu.engine.belonging import is_promised
from ordu.images.pinned import PinnedSegments, Unpinned
from ordu.images.store import open_store
from ordu.server.secret import FINGERPRINT
from ordu.settings import ServerSettings
from ordu.store import facts
from ordu.store.database import Transaction
from ordu.store.migrations import NEWEST
from ordu.store.moving import Tell

FAILED = "The backup cannot be written"
SPARE = 1.05  # what is written while the space is looked at
TAR = ".tar"


@dataclass(frozen=True)
class Plan:
    """What is to be backed up, and where it is to go."""

    settings: ServerSettings
    to: Path
    secret: str | None  # None: it stays out, and so does the key of the horde's own worker
    with_pictures: bool
    keep: int | None = None  # so many of the backups in the folder `to`; None: `to` is the backup


@dataclass
class Made:
    """What was made."""

    path: Path
    manifest: about.Manifest
    missing: Sequence[str] = ()  # pictures that the books name and that are nowhere
    removed: Sequence[Path] = field(default=())  # older backups


async def make(plan: Plan, tell: Tell) -> Made:
    """Make a backup while the horde goes on, and let go of the oldest where that was asked for.

    Raises:
        BackupError: it cannot be made; nothing has the name of a backup then.
    """
    path = keeping.place_for(plan.to, plan.keep)
    if path.exists() or path.is_symlink():
        raise PlaceError(f"{path} is there already. Name a new place.")
    with in_a_line(FAILED), drafts.alone_in(path.parent), drafts.draft_in(path.parent) as draft:
        made = await write(plan, draft, tell)
        if path.suffix == TAR:
            packed = draft / f"packed{TAR}"
            await asyncio.to_thread(pack, draft, packed)
            drafts.put_in_place(packed, path)
        else:
            drafts.put_in_place(draft, path)
        made.path = path
        if plan.keep is not None:
            made.removed = keeping.let_go(plan.to, made.manifest.horde, plan.keep)
    return made


async def write(plan: Plan, draft: Path, tell: Tell) -> Made:
    """Write all files of a backup into a folder, and flush them."""
    began, begun_at = time.monotonic(), time.time_ns() // 1_000_000
    check_space(plan, draft)
    copied = await copy_books_and_pictures(plan, draft, tell)
    copy_small_files(plan, draft)
    file = draft / about.BOOKS
    lost = copied.missing if copied else ()
    missing = await still_promised(plan.settings, lost)
    manifest = about.Manifest(
        format=about.FORMAT,
        ordu=__version__,
        schema=NEWEST,
        horde=books.read(file, horde_of),
        made_at=begun_at,
        took_ms=round((time.monotonic() - began) * 1000),
        database="postgresql" if plan.settings.is_postgres else "sqlite",
        rows=books.read(file, books.rows_of),
        has_secret=plan.secret is not None,
        pictures=None if copied is None else told(copied, len(missing)),
        pictures_at="" if copied else plan.settings.images,
        files={name: (draft / name).stat().st_size for name in names_in(draft)},
    )
    await asyncio.to_thread(finish, draft, manifest)
    return Made(draft, manifest, missing)


def told(copied: copying.Copied, missing: int) -> about.Pictures:
    """What the manifest says of the pictures."""
    return about.Pictures(
        count=copied.count,
        bytes=copied.bytes,
        ended=len(copied.missing) - missing,
        missing=missing,
    )


def finish(draft: Path, manifest: about.Manifest) -> None:
    """Write what the backup says of itself, then the checksums, and flush everything."""
    content = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
    (draft / about.MANIFEST).write_bytes(content + b"\n")
    lines = [f"{about.sum_of_path(draft / name)}  {name}\n" for name in names_in(draft)]
    (draft / about.SUMS).write_text("".join(lines), encoding="utf-8")
    drafts.flush_tree(draft)


async def copy_books_and_pictures(plan: Plan, draft: Path, tell: Tell) -> copying.Copied | None:
    """Copy the books of one moment, then the pictures they name, if those are asked for."""
    file = draft / about.BOOKS
    if not plan.with_pictures:
        await copy_books(plan.settings, file, tell)
        return None
    shelf = await shelf_of(plan.settings)
    try:
        shelf.pin()
        await copy_books(plan.settings, file, tell)
        shelf.pin()
        with books.opened(file) as tx:
            return await copying.copy_named(tx, shelf, draft / about.PICTURES)
    finally:
        shelf.close()


async def copy_books(settings: ServerSettings, file: Path, tell: Tell) -> None:
    """Copy the books into a file."""
    if settings.is_postgres:
        await books.copy_postgres(settings.database_direct or settings.database, file, tell)
    else:
        await books.copy_sqlite(settings.database_path(), file)
    books.at_rest(file)


async def shelf_of(settings: ServerSettings) -> PinnedSegments | Unpinned:
    """Where the pictures are read from.

    Raises:
        PlaceError: they cannot be.
    """
    folder = copying.local_folder(settings)
    if folder is not None and not settings.is_postgres:
        return PinnedSegments(folder)
    try:
        store = open_store(settings.pictures_url(), lambda: 0, is_shared=True)
        await store.check()
    except ValueError as error:
        raise PlaceError(f"Setting images: {error}") from error
    return Unpinned(store)


async def still_promised(settings: ServerSettings, names: Sequence[str]) -> list[str]:
    """Which of these pictures the horde still has jobs for, now."""

    def look(tx: Transaction) -> list[str]:
        return [name for name in names if is_promised(tx, name)]

    if not names:
        return []
    if not settings.is_postgres:
        return books.read(settings.database_path(), look)
    return await books.read_postgres(settings.database_direct or settings.database, look)


def copy_small_files(plan: Plan, draft: Path) -> None:
    """Copy what the operator wrote, and the secrets."""
    data = Path(plan.settings.data)
    small = {about.MODELS: plan.settings.models_path()}
    small |= {name: data / name for name in about.TEXTS}
    if plan.secret is not None:
        small[about.WORKER_KEY] = data / about.WORKER_KEY
        with private(draft / about.SECRET) as file:
            file.write(plan.secret + "\n")
    for name, path in small.items():
        if path.is_file():
            shutil.copyfile(path, draft / name)


@contextmanager
def private(path: Path) -> Iterator[TextIO]:
    """A new file for its owner's eyes only, from its first byte on."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        yield file


def horde_of(tx: Transaction) -> str:
    """Which horde these books are of: the same for all its backups, and nothing that is secret."""
    fingerprint = facts.get(tx, FINGERPRINT) or ""
    return hashlib.sha256(f"ordu backup {fingerprint}".encode()).hexdigest()[:16]


def names_in(draft: Path) -> list[str]:
    """The files of a backup that is being made."""
    return sorted(path.relative_to(draft).as_posix() for path in draft.rglob("*") if path.is_file())


def check_space(plan: Plan, draft: Path) -> None:
    """Refuse before anything is written where there is clearly not enough space.

    What is in PostgreSQL and on S3 is not looked at.
    """
    needed = 0
    if not plan.settings.is_postgres:
        needed += plan.settings.database_path().stat().st_size
    folder = copying.local_folder(plan.settings)
    if plan.with_pictures and folder is not None:
        needed += copying.size_of(folder)
    drafts.check_space(draft.parent, round(needed * SPARE), "The backup")


def pack(draft: Path, packed: Path) -> None:
    """Put the files of a backup into one tar, which is whole when the checksums are in it.

    Each file goes when it is in, so that there is never space needed for all of it twice.
    """
    names = sorted(names_in(draft), key=lambda each: (each == about.SUMS, each))
    with packed.open("xb") as file:
        packed.chmod(0o600)
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for name in names:
                with (draft / name).open("rb") as content:
                    entry = tarfile.TarInfo(name)
                    entry.size = (draft / name).stat().st_size
                    entry.mode, entry.mtime = 0o600, int(time.time())
                    tar.addfile(entry, content)
                (draft / name).unlink()
        file.flush()
        os.fsync(file.fileno())
