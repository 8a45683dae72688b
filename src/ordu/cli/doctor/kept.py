"""Looks at what the horde keeps: secret, database, books, pictures, backups; and at its clock."""

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from ordu.cli.doctor.finding import Grade, better, fine, note, wrong
from ordu.cli.doctor.folder import others_may_read
from ordu.cli.here import horde_here
from ordu.engine.auditing import ENTRIES_MAX
from ordu.engine.auditing import found as books_found
from ordu.images.bucket import bucket_of
from ordu.server.secret import FILE_NAME, FINGERPRINT, Secret
from ordu.settings import ServerSettings
from ordu.store import facts, ledger
from ordu.store.database import Transaction

DAY_S = 86_400
BACKUP_DAYS_MAX = 2
LATE_S = 600  # so long after its time a request is gone in any case
CLOCK_S = 60
CHECKED_BYTES_MAX = 2 * 2**30  # a larger file takes minutes to read; `ordu audit` may be told to
Told = Iterator[tuple[Grade, str, str]]


def secret(settings: ServerSettings) -> Told:
    """Whether the installation's secret is there, and for nobody else to read."""
    path = Path(settings.data) / FILE_NAME
    if settings.secret:
        yield fine("It is set (ORDU_SECRET, or the settings file).")
        return
    if not path.is_file():
        yield wrong(
            f"{path} does not exist, and ORDU_SECRET is not set: no key is known without it.",
            "Bring it back from a backup. A new horde makes one at its first start.",
        )
        return
    if path.stat().st_mode & 0o077:
        yield wrong(f"Others may read {path}.", f"chmod 600 {path}")
    if path.read_text(encoding="utf-8").strip():
        yield fine("It is there.")
    else:
        yield wrong(f"{path} is empty.", "Bring it back from a backup.")


def fingerprint(settings: ServerSettings) -> Told:
    """Whether the secret is this database's own."""
    path = Path(settings.data) / FILE_NAME
    text = settings.secret
    if not text and path.is_file():
        text = path.read_text(encoding="utf-8").strip()
    if not text:
        return  # said already
    known = horde_here(settings).read(lambda tx: facts.get(tx, FINGERPRINT))
    if known not in {None, Secret(text).fingerprint()}:
        yield wrong(
            "The secret is not the one this database was made with: no key would be known.",
            "Use the secret and the database of the same horde, or bring both back from a backup.",
        )
        return
    yield fine("The secret belongs to this database.")


def database(settings: ServerSettings, *, quick: bool) -> Told:
    """Whether the database can be used, and is whole."""
    here = horde_here(settings)  # says what is missing, and whether the schema fits
    if settings.is_postgres:
        version = here.read(lambda tx: one(tx, "SELECT version() AS it"))
        room = here.read(lambda tx: one(tx, "SELECT current_setting('max_connections') AS it"))
        wanted = settings.processes * (settings.database_connections + 1)
        if int(str(room)) < wanted + 3:
            yield wrong(
                f"The processes of this machine may use {wanted} connections, and the server has"
                f" {room} for all.",
                "Raise its max_connections, or lower database_connections.",
            )
        yield fine(f"{str(version).partition(' on ')[0]} answers, and its schema is the newest.")
        return
    path = settings.database_path()
    log = Path(f"{path}-wal")
    if log.exists() and log.stat().st_size > 512 * 2**20:
        yield better(
            f"{log} has {log.stat().st_size / 2**20:,.0f} MiB: something reads without an end.",
            "Restart the server; look for programs that hold the database open.",
        )
    if quick or path.stat().st_size > CHECKED_BYTES_MAX:
        yield note(f"{path} can be read; that all of it is whole was not looked at.")
        return
    said = here.read(lambda tx: [str(next(iter(row))) for row in tx.all("PRAGMA quick_check(5)")])
    if said != ["ok"]:
        yield wrong(
            f"{path} is damaged: {said[0].splitlines()[0]}.",
            "Stop the server, keep the file, and bring the newest backup back (`ordu restore`).",
        )
        return
    yield fine(f"{path} is whole, and its schema is the newest.")


def one(tx: Transaction, sql: str, **values: object) -> object:
    """The one value that a query gives."""
    row = tx.one(sql, **values)
    return None if row is None else row["it"]


def clock(settings: ServerSettings) -> Told:
    """Whether the clock is later than everything that was written by it."""
    here = horde_here(settings)
    now_ms = int(time.time() * 1000)
    newest = here.read(lambda tx: one(tx, "SELECT MAX(created_at) AS it FROM requests"))
    moved = here.read(lambda tx: one(tx, "SELECT MAX(id) AS it FROM entries"))
    # The id of an entry begins with its time.
    moved_ms = int(str(moved)[:13].replace("-", ""), 16) if moved else 0
    latest = max(int(str(newest or 0)), moved_ms)
    if latest > now_ms + CLOCK_S * 1000:
        yield wrong(
            f"Something was written {(latest - now_ms) / 1000:,.0f} s from now: the clock of this"
            " machine is behind, or was ahead.",
            "Set it (systemd-timesyncd, chrony), before requests and jobs end at the wrong time.",
        )
        return
    if settings.is_postgres:
        theirs = here.read(lambda tx: one(tx, "SELECT EXTRACT(EPOCH FROM now()) AS it"))
        apart_s = abs(float(str(theirs)) - time.time())
        if apart_s > CLOCK_S:
            yield better(
                f"The clocks of the database and of this machine are {apart_s:,.0f} s apart.",
                "Set both by the same time servers.",
            )
            return
    yield fine("It is later than everything that was written.")


def chores(settings: ServerSettings) -> Told:
    """Whether what time ends is ended: else no server runs, or it cannot write."""
    before = int((time.time() - LATE_S) * 1000)
    late = horde_here(settings).read(
        lambda tx: one(
            tx, "SELECT COUNT(*) AS it FROM requests WHERE expires_at < :before", before=before
        )
    )
    if late:
        yield wrong(
            f"{late} requests with their prompts and pictures are still there whose time is over.",
            "Start the server: it removes them. If it runs, its log says why it cannot.",
        )
        return
    yield fine("Nothing is kept whose time is over.")


def books(settings: ServerSettings, *, quick: bool) -> Told:
    """Whether the kudos books are in order."""
    here = horde_here(settings)
    last = here.read(books_found)
    entries = here.read(ledger.entry_count)
    if last is not None and last.wrong:
        yield wrong(f"When they were last proved, {last.wrong} things were wrong.", "ordu audit")
    if quick or entries > ENTRIES_MAX:
        yield note(f"They have {entries:,} entries and were not proved now.", "ordu audit")
        return
    found = here.read(ledger.audit)
    if found:
        yield wrong(
            f"{len(found)} things are wrong, such as: {found[0]}",
            "Make a backup as it is, run `ordu audit`, and report what it says.",
        )
        return
    yield fine(f"All {entries:,} entries sum to zero, and every balance is the sum of its lines.")


def pictures(settings: ServerSettings) -> Told:
    """Whether pictures can be kept where they are to be."""
    url = settings.pictures_url()
    if url.startswith("s3:"):
        bucket_of(url, os.environ)  # says what is missing of address and keys
        yield from reached(settings)
        return
    folder = Path(url.removeprefix("file://"))
    if not folder.is_dir():
        yield note(f"{folder} does not exist.", "The first start of a server makes it.")
        return
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"x")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        yield wrong(
            f"Nothing can be written into {folder}: {error.strerror}.",
            "Make room on the disk, and let the server's user write there.",
        )
        return
    if others_may_read(folder):
        yield better(f"Everybody on this machine may look into {folder}.", f"chmod 700 {folder}")
        return
    yield fine(f"They can be written into {folder}.")


def reached(settings: ServerSettings) -> Told:
    """Whether S3 can be used."""
    import asyncio

    from ordu.images.store import open_store

    store = open_store(settings.pictures_url(), lambda: int(time.time() * 1000))
    try:
        asyncio.run(asyncio.wait_for(store.check(), 20.0))
    except ValueError as error:
        yield wrong(str(error), "See docs/how-to/s3.md.")
        return
    finally:
        store.close()
    yield fine("The bucket can be written and read.")


def backups(settings: ServerSettings) -> Told:
    """How old the newest backup is."""
    made = horde_here(settings).read(lambda tx: facts.get(tx, facts.BACKUP))
    mend = "ordu backup FOLDER --keep 14, by a timer: docs/how-to/back-up-and-restore.md."
    if made is None:
        yield better("`ordu backup` has made none of this horde yet.", mend)
        return
    days = (time.time() - int(made) / 1000) / DAY_S
    if days > BACKUP_DAYS_MAX:
        yield better(f"The newest is {days:,.0f} days old.", mend)
    else:
        yield fine(f"The newest is {max(0.0, days * 24):,.0f} hours old.")
