"""A server whose database loses a commit that it has answered: `forgetful.py WRITE ARGUMENTS`.

On SQLite a test cuts the end off a file. PostgreSQL lives on when our process dies, and keeps what
it has said is committed; so here the process itself is told of a commit that was rolled back.
"""

import runpy
import sys
from typing import Any

from ordu.failpoints import name_of
from ordu.store.postgres import PostgresDatabase


class Forgetful:
    """A connection that rolls back instead of committing, and says that it has committed."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connection, name)

    async def execute(self, sql: str, *values: Any) -> str:
        """Run a statement, or lie about it."""
        is_lie = sql == "COMMIT"
        status = await self.connection.execute("ROLLBACK" if is_lie else sql, *values)
        return sql if is_lie else str(status)


def main(forgotten: str, *arguments: str) -> None:
    """Run a command of which the writes of this name are lost."""
    attempt = PostgresDatabase.attempt

    async def attempt_and_forget(database: PostgresDatabase, connection: Any, item: Any) -> None:
        is_lost = name_of(item.operation) == forgotten
        await attempt(database, Forgetful(connection) if is_lost else connection, item)

    PostgresDatabase.attempt = attempt_and_forget  # type: ignore[method-assign] # sabotage
    sys.argv = ["ordu", *arguments]
    runpy.run_module("ordu.cli", run_name="__main__")


if __name__ == "__main__":
    main(*sys.argv[1:])
