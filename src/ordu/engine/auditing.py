"""Auditing: the books are proved once a day while the horde runs, and the outcome is remembered.

It reads all of them, beside everything else (`Database.read_beside`). Books too large for that are
proved by `ordu audit`; that is said in the outcome.
"""

import asyncio
import logging

import msgspec

from ordu.engine.horde import Horde
from ordu.rules.lifecycle import Millis
from ordu.rules.trust import DAY_MS
from ordu.store import facts, ledger
from ordu.store.database import Transaction

log = logging.getLogger(__name__)

PAUSE_S = 60.0  # between looks whether it is time
ENTRIES_MAX = 5_000_000  # a million took 15 s on two busy cores, with SQLite
FACT = "books"  # the name under which the outcome is kept, for every process of the horde


class Books(msgspec.Struct, frozen=True):
    """How the books were found; `wrong` is None where there was too much to read."""

    checked_at: Millis
    entries: int
    wrong: int | None
    took_ms: int = 0


class Auditor:
    """Proves the books when it is time, until it is cancelled."""

    def __init__(self, horde: Horde) -> None:
        self.horde = horde

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await asyncio.sleep(PAUSE_S)
            try:
                await self.look()
            except Exception:
                log.exception("the books could not be read")

    async def look(self) -> None:
        """Prove the books if that was not done for a day; of several processes one does it."""
        last = await self.horde.read(found)
        if self.horde.is_keeper and (last is None or last.checked_at + DAY_MS <= self.horde.now()):
            await check(self.horde)


def found(tx: Transaction) -> Books | None:
    """How the books were found the last time."""
    text = facts.get(tx, FACT)
    return None if text is None else msgspec.json.decode(text, type=Books)


async def check(horde: Horde) -> Books:
    """Prove the books now, and remember the outcome."""
    now = horde.now()
    entries, wrong = await horde.database.read_beside(examined)
    if wrong is not None and wrong:
        log.error("the books are not in order, %d things are wrong: see `ordu audit`", wrong)
    books = Books(now, entries, wrong, horde.now() - now)
    text = msgspec.json.encode(books).decode()
    await horde.write(lambda tx: facts.put(tx, FACT, text))
    return books


def examined(tx: Transaction) -> tuple[int, int | None]:
    """How many entries there are, and how many things are wrong with them."""
    entries = ledger.entry_count(tx)
    return entries, None if entries > ENTRIES_MAX else len(ledger.audit(tx))
