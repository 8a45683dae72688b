"""The database as the engine sees it: operations that read, and operations that write.

An operation is a function of a transaction; whatever else it needs it is handed when it is made, so
it can be run again. A write is answered once it is durable, and then the event loop *publishes* its
result, so that what memory says never runs ahead of what the database knows.

SQLite has one writer, and writes share its commits (`store.groups`). PostgreSQL has many
(`store.postgres`). Neither is known to those who write operations.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from ordu.protocol.errors import Refused

T = TypeVar("T")

PENDING_MAX = 10_000
STOP_MAX_S = 10.0  # how long a stop waits for what is pending
RETRY_AFTER_S = 5
TOO_MUCH = "The horde has more to write than it can; try again soon."


class Row(Protocol):
    """A row: its values by name, or one after the other in the order of the columns."""

    def __getitem__(self, name: str) -> Any:
        """The value of this column."""
        ...

    def __iter__(self) -> Iterator[Any]:
        """All values."""
        ...

    def keys(self) -> Sequence[str]:
        """The names of the columns."""
        ...


class Transaction(Protocol):
    """What an operation may do: run SQL with `:name` parameters.

    Where several processes write at once, rows are locked before they are read to be changed. The
    words for that are empty where there is one writer. Whoever locks several kinds of rows does so
    in this order, so that nobody waits in a circle: the key of a call that has its effect once,
    requests, jobs, users by their number, workers by their id, all else.
    """

    for_update: str  # at the end of a SELECT: nobody else changes these rows meanwhile
    skip_locked: str  # the same, and rows that somebody has locked are as if they were not there
    for_share: str  # nobody removes these rows meanwhile

    def run(self, sql: str, **values: Any) -> int:
        """Run a statement and return how many rows it changed."""
        ...

    def run_many(self, sql: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run one statement for each of the rows."""
        ...

    def one(self, sql: str, **values: Any) -> Row | None:
        """The first row, or None."""
        ...

    def all(self, sql: str, **values: Any) -> list[Row]:
        """All rows."""
        ...

    def touch(self, user_id: int) -> None:
        """Note that something of this user was changed, for those who remember users."""
        ...

    def count(self, what: str, amount: int) -> None:
        """Count something for metrics, should this be committed."""
        ...

    def take_counts(self) -> Mapping[str, int]:
        """What was counted since this was last asked."""
        ...

    def take_touched(self) -> frozenset[int]:
        """The users that were changed since this was last asked."""
        ...


class Database(Protocol):
    """Where the truth is. Belongs to one event loop."""

    on_users_changed: Callable[[frozenset[int]], None] | None
    on_counted: Callable[[Mapping[str, int]], None] | None
    on_commit: Callable[[int, float], None] | None  # told of how many operations, and the seconds
    waiting: int  # writes that are not answered yet

    def connections(self) -> tuple[int, int]:
        """How many connections there are, and how many of them are at work."""
        ...

    async def read(self, operation: Callable[[Transaction], T]) -> T:
        """Run a read on one snapshot; it sees every write that was answered."""
        ...

    async def read_beside(self, operation: Callable[[Transaction], T]) -> T:
        """Run a read that takes long, on one snapshot, with nobody waiting for it meanwhile.

        It has a connection of its own. Cancelled, it is given up.
        """
        ...

    async def write(
        self,
        operation: Callable[[Transaction], T],
        publish: Callable[[T], None] | None = None,
        abandon: Callable[[], None] | None = None,
    ) -> T:
        """Run a write and return its result once it is durable.

        Exactly one of `publish(result)` and `abandon()` is called in the event loop, also when the
        caller has gone: `publish` after the commit, `abandon` when nothing was written or when
        nobody knows.

        Raises:
            Refused: by the operation itself, or `Unavailable` (503) when nothing can be written.
        """
        ...

    async def stop(self) -> None:
        """Finish what is pending, then close."""
        ...


def unavailable(message: str) -> Refused:
    """The refusal when nothing can be written."""
    return Refused("Unavailable", message, retry_after_s=RETRY_AFTER_S)
