"""A server that breaks a promise, for the tests of those that look for broken ones.

    lying_server.py HOW serve …

`early` answers before the commit, who places a request and who brings a picture; `twice` pays for
each job two times.
"""

import asyncio
import sys
from typing import Any

from ordu.cli.main import main
from ordu.engine import settle
from ordu.failpoints import name_of
from ordu.rules.money import Entry
from ordu.store import ledger
from ordu.store.bridge import bridged
from ordu.store.postgres import Connection, PostgresDatabase, PostgresTransaction, undo

EARLY_S = 0.3  # from the answer to the commit


honest_attempt = PostgresDatabase.attempt


async def attempt_early(self: PostgresDatabase, connection: Connection, item: Any) -> None:
    """Answer first, and commit a little later."""
    if name_of(item.operation) not in {"accept", "deliver"}:
        await honest_attempt(self, connection, item)
        return
    tx = PostgresTransaction(connection)
    await connection.execute("BEGIN")
    try:
        result = await bridged(lambda: item.operation(tx))
    except BaseException:
        await undo(connection)
        raise
    if not item.future.done():
        item.future.set_result(result)
    await asyncio.sleep(EARLY_S)
    await connection.execute("COMMIT")
    item.result, item.touched = result, tx.take_touched()


class GenerousLedger:
    """The ledger, that books everything a second time."""

    @staticmethod
    def post(tx: Any, entry: Entry, entry_id: str, now: int) -> Any:
        """Book it twice."""
        parts = ledger.post(tx, entry, entry_id, now)
        again = Entry(f"{entry.event} again", entry.lines)
        ledger.post(tx, again, f"{entry_id} again", now)
        return parts


match sys.argv.pop(1):
    case "early":
        PostgresDatabase.attempt = attempt_early  # type: ignore[method-assign]
    case "twice":
        settle.ledger = GenerousLedger  # type: ignore[assignment]
main()
