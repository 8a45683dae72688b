"""What the state machines share: a real horde in a folder of its own, and a clock moved by hand.

A machine does what Hypothesis tells it to, to the real verbs on a real database, and does the same
in plain dictionaries. After each step both must agree. The same machines run on SQLite and on
PostgreSQL, where each example has a database of its own.
"""

import asyncio
import os
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import msgspec
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test
from tests.builders import NOON, HandClock
from tests.conftest import ADMIN_KEY
from tests.postgres import PostgresServer

from ordu.engine.fresh import Fresh
from ordu.engine.horde import Horde
from ordu.protocol.errors import Refused
from ordu.server.run import Opened, open_horde
from ordu.settings import ServerSettings
from ordu.simulation import invariants
from ordu.store import users
from ordu.store.database import Transaction
from ordu.store.users import User

T = TypeVar("T")

URL = "http://horde.test"
# A mistake made on purpose is to be found, and need not be told in its shortest form.
FOUND_AT_ONCE = (Phase.generate,)
QUICK = settings(
    max_examples=60,
    stateful_step_count=50,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=FOUND_AT_ONCE if "MUTANT" in os.environ else tuple(Phase),  # see scripts/mutate.py
)
# On PostgreSQL a step takes several times as long, and what it may find beyond SQLite is in SQL.
QUICK_ON_POSTGRES = settings(QUICK, max_examples=10, stateful_step_count=30)
LONG_ON_POSTGRES = settings(QUICK, max_examples=150, derandomize=False, print_blob=True)
MORE = settings(QUICK, max_examples=200, derandomize=False, print_blob=True)
LONG = settings(QUICK, max_examples=1_000, derandomize=False, print_blob=True)
SABOTAGED = settings(QUICK, phases=FOUND_AT_ONCE)


@cache
def template() -> Path:
    """A data folder with the first users, which each example begins with."""
    folder = Path(tempfile.mkdtemp(prefix="ordu-machine-template-"))
    asyncio.run(open_and_close(folder))
    return folder


async def open_and_close(folder: Path) -> None:
    given = ServerSettings(data=str(folder), admin_key=ADMIN_KEY)
    async with open_horde(given, URL, clock=HandClock(NOON)):
        pass


class HordeMachine(RuleBasedStateMachine):
    """A horde that rules act upon."""

    terms: ClassVar[dict[str, Any]] = {}  # settings of the horde that are not the usual ones
    postgres: ClassVar[PostgresServer | None] = None  # None: on SQLite
    reached: ClassVar[Counter[tuple[str, str | None]]] = Counter()  # what came of which rule

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="ordu-machine-"))
        shutil.copytree(template(), self.folder, dirs_exist_ok=True)
        self.database = "" if self.postgres is None else self.postgres.new()
        self.clock = HandClock(NOON)
        self.fresh = Fresh(random.Random(7))
        self.runner = asyncio.Runner()
        self.context: AbstractAsyncContextManager[Opened] | None = None
        self.horde = self.open()

    def open(self) -> Horde:
        """Open the horde, as a start does."""
        given = ServerSettings(
            data=str(self.folder),
            admin_key=ADMIN_KEY,
            rate_limits=False,
            database=self.database,
            database_connections=2,
        )
        self.context = open_horde(
            msgspec.structs.replace(given, **self.terms), URL, clock=self.clock, fresh=self.fresh
        )
        return self.run(self.context.__aenter__()).horde

    def close(self) -> None:
        """Close the horde, as a stop does."""
        assert self.context is not None
        self.run(self.context.__aexit__(None, None, None))

    def teardown(self) -> None:
        self.close()
        self.runner.close()
        shutil.rmtree(self.folder)
        if self.postgres is not None:
            self.postgres.drop(self.database)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """The result of a coroutine."""
        return self.runner.run(coroutine)

    def refusal(self, coroutine: Coroutine[Any, Any, Any]) -> str | None:
        """The code that a call is refused with; None when it is not."""
        try:
            self.run(coroutine)
        except Refused as refused:
            return refused.rc
        return None

    def note(self, what: str, outcome: str | None) -> None:
        """Remember that this was reached: what never is was not tested."""
        self.reached[what, outcome] += 1

    def look(self, look: Callable[[Transaction], T]) -> T:
        """What SQL says."""
        return self.run(self.horde.read(look))

    def user(self, user_id: int) -> User:
        found = self.look(lambda tx: users.by_id(tx, user_id))
        assert found is not None
        return found

    def demand_order(self) -> None:
        """Everything that must be true of a horde at every moment."""
        tax = self.horde.settings.tax

        def wrong(tx: Transaction) -> list[str]:
            return [*invariants.wrong_in(tx, tax), *invariants.the_map(self.horde, tx)]

        found = self.look(wrong)
        assert not found, "\n".join(found)


def finds_nothing(
    machine: type[HordeMachine], how: settings = QUICK, postgres: PostgresServer | None = None
) -> None:
    """Run a machine; it fails where the horde and the dictionaries differ."""
    there = type(machine.__name__, (machine,), {"postgres": postgres})
    run_state_machine_as_test(there, settings=how)
