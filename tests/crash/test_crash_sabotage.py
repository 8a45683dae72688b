"""The checks of crashes can fail: here a commit is undone on purpose, and they notice it."""

import struct
import sys
from pathlib import Path

import pytest
from tests.builders import HandClock
from tests.crash.cases import CASES
from tests.crash.crashing import demand_all_or_nothing, demand_kept, strike
from tests.crash.stage import Stage

from ordu.engine.horde import Horde

LOG_HEADER_BYTES = 32
FRAME_HEADER_BYTES = 24
FORGETFUL = Path(__file__).parent / "forgetful.py"


def forget_last_commit(database: Path) -> None:
    """Cut the last commit off SQLite's log, as a disk does that lied about a flush.

    A frame is a page; where its header tells a size of the database, a commit ends.
    """
    log = database.with_name(f"{database.name}-wal")
    data = log.read_bytes()
    (page_bytes,) = struct.unpack_from(">I", data, 8)
    starts = range(LOG_HEADER_BYTES, len(data), FRAME_HEADER_BYTES + page_bytes)
    commits = [start for start in starts if struct.unpack_from(">I", data, start + 4)[0]]
    keep = commits[-2] + FRAME_HEADER_BYTES + page_bytes
    log.write_bytes(data[:keep])


def test_an_effect_that_the_disk_forgot_is_noticed(stage: Stage) -> None:
    case = CASES["transfer"]
    stage.facts = stage.inside(case.prepare)
    strike(stage, case, "transfer", "after")
    forget_last_commit(stage.settings.database_path())
    with pytest.raises(AssertionError, match="the effect is whole"):
        demand_all_or_nothing(stage, case, case.done)


def test_an_answered_call_that_the_disk_forgot_is_noticed(stage: Stage) -> None:
    case = CASES["transfer"]
    stage.facts = stage.inside(case.prepare)
    witnessed = strike(stage, case, "transfer", "before")
    forget_last_commit(stage.settings.database_path())
    with pytest.raises(AssertionError, match="what was answered is there"):
        demand_kept(stage, {}, witnessed)


def test_an_effect_that_postgresql_forgot_is_noticed(postgres_stage: Stage) -> None:
    case = CASES["transfer"]
    postgres_stage.facts = postgres_stage.inside(case.prepare)
    forget(postgres_stage, "transfer")
    strike(postgres_stage, case, "transfer", "after")
    with pytest.raises(AssertionError, match="the effect is whole"):
        demand_all_or_nothing(postgres_stage, case, case.done)


def test_an_answered_call_that_postgresql_forgot_is_noticed(postgres_stage: Stage) -> None:
    case = CASES["transfer"]
    postgres_stage.facts = postgres_stage.inside(case.prepare)
    forget(postgres_stage, "register")
    witnessed = strike(postgres_stage, case, "transfer", "before")
    with pytest.raises(AssertionError, match="what was answered is there"):
        demand_kept(postgres_stage, {}, witnessed)


def forget(stage: Stage, write: str) -> None:
    """Have the servers of this stage lose the commits of a write that they answer."""
    stage.ordu.command = (sys.executable, str(FORGETFUL), write)


def test_half_an_effect_is_noticed(stage: Stage) -> None:
    case = CASES["deliver"]
    stage.facts = stage.inside(case.prepare)
    strike(stage, case, "deliver", "after")

    async def take_back(horde: Horde, _: HandClock) -> None:
        await horde.write(lambda tx: tx.run("UPDATE jobs SET state = 'running'"))

    stage.inside(take_back)
    with pytest.raises(AssertionError, match="was settled 1 times"):
        stage.demand_order()


def test_lost_books_are_noticed(stage: Stage) -> None:
    case = CASES["transfer"]
    stage.facts = stage.inside(case.prepare)
    kept = stage.rows()

    async def lose(horde: Horde, _: HandClock) -> None:
        await horde.write(lambda tx: tx.run("DELETE FROM lines"))

    stage.inside(lose)
    with pytest.raises(AssertionError, match="lost: "):
        demand_kept(stage, kept, 0)
