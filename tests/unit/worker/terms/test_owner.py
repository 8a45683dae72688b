"""The owner's gate: which reason counts, in which words, and when it may be another one."""

import asyncio
import math
import os
import signal
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from ordu.settings import WorkerSettings
from ordu.worker.gate import Closed, Gate
from ordu.worker.terms.hours import Hours
from ordu.worker.terms.machine import Machine
from ordu.worker.terms.owner import (
    CHANGE_S_MAX,
    NOTHING_TELLS,
    OwnersGate,
    in_words,
    paused_in_words,
    seconds_to_change,
)
from ordu.worker.terms.pause import Pause, PauseFile

BERLIN = ZoneInfo("Europe/Berlin")
THURSDAY_EVENING = datetime(2026, 11, 26, 18, 0, tzinfo=BERLIN)


@dataclass
class Stand:
    """A gate whose clock and machine are moved by hand."""

    now: float = THURSDAY_EVENING.timestamp()
    idle: float | None = math.inf
    on_battery: bool = False
    asked: list[str] = field(default_factory=list)

    def gate(self, file: PauseFile | None = None, **settings: object) -> OwnersGate:
        made = WorkerSettings(**settings)
        machine = Machine()
        machine.idle_s = self.idle_s  # type: ignore[assignment]
        machine.is_on_battery = self.is_on_battery  # type: ignore[assignment]
        return OwnersGate(
            made, file, now=lambda: self.now, hours=Hours(made.hours, BERLIN), machine=machine
        )

    async def idle_s(self) -> float | None:
        self.asked.append("use")
        return self.idle

    async def is_on_battery(self) -> bool:
        self.asked.append("battery")
        return self.on_battery


@pytest.fixture
def stand() -> Stand:
    return Stand()


@pytest.fixture
def file(tmp_path) -> PauseFile:
    return PauseFile(tmp_path / "state" / "attic.pause")


def answer(gate: Gate) -> Closed | None:
    return asyncio.run(gate.closed())


def test_without_terms_it_is_open(stand):
    assert answer(stand.gate()) is None


def test_what_no_term_is_about_is_not_looked_at(stand):
    assert answer(stand.gate(on_battery=True)) is None
    assert stand.asked == []


def test_outside_its_hours_it_says_until_when(stand):
    assert answer(stand.gate(hours=("22:00-07:00",))) == Closed(
        "outside its hours until 22:00", 4 * 3600
    )
    assert answer(stand.gate(hours=("Sat-Sun",))) == Closed(
        "outside its hours until Sat 00:00", 30 * 3600
    )


def test_in_use_it_says_what_is_asked_for(stand):
    stand.idle = 240.0
    assert answer(stand.gate(idle_minutes=10)) == Closed(
        "this machine is in use (idle only: 10 minutes)", 360
    )
    stand.idle = 0.0
    assert answer(stand.gate(idle_minutes=1)) == Closed(
        "this machine is in use (idle only: 1 minute)", 60
    )
    stand.idle = 60.0
    assert answer(stand.gate(idle_minutes=1)) is None


def test_where_nothing_tells_of_use_it_stays_closed_and_says_what_helps(stand):
    stand.idle = None
    closed = answer(stand.gate(idle_minutes=10))
    assert closed == Closed(NOTHING_TELLS, CHANGE_S_MAX)
    assert "install xprintidle" in closed.reason


def test_on_battery_it_is_closed_unless_its_owner_allows_that(stand):
    stand.on_battery = True
    assert answer(stand.gate()) == Closed("on battery", CHANGE_S_MAX)
    assert answer(stand.gate(on_battery=True)) is None


def test_the_first_reason_counts(stand, file):
    file.write(Pause(since=stand.now, until=stand.now + 1800))
    stand.idle, stand.on_battery = 0.0, True
    gate = stand.gate(file, hours=("22:00-07:00",), idle_minutes=10)
    reasons = []
    for hours_later in (0, 1, 5):
        stand.now = THURSDAY_EVENING.timestamp() + hours_later * 3600
        closed = answer(gate)
        reasons.append(closed.reason if closed else None)
    stand.idle = 3600.0
    assert answer(gate) == Closed("on battery", CHANGE_S_MAX)
    assert reasons[0].startswith("paused by its owner until ")
    assert reasons[1:] == [
        "outside its hours until 22:00", "this machine is in use (idle only: 10 minutes)",
    ]  # fmt: skip


def test_a_pause_ends_when_its_owner_says_so(stand, file):
    gate = stand.gate(file)
    gate.pause()
    assert answer(gate) == Closed("paused by its owner", math.inf)
    assert file.read(stand.now) == Pause(since=stand.now)
    gate.resume()
    assert answer(gate) is None
    assert file.read(stand.now) is None


def test_a_pause_ends_with_its_time(stand, file):
    file.write(Pause(since=stand.now, until=stand.now + 60))
    gate = stand.gate(file)
    closed = answer(gate)
    assert closed is not None
    assert closed.seconds == 60
    stand.now += 60
    assert answer(gate) is None


def test_a_pause_lasts_over_a_restart(stand, file):
    stand.gate(file).pause()
    assert answer(stand.gate(file)) == Closed("paused by its owner", math.inf)


def test_where_a_pause_cannot_be_kept_it_counts_as_long_as_the_worker_runs(stand, tmp_path, caplog):
    (tmp_path / "state").write_text("no folder")
    gate = stand.gate(PauseFile(tmp_path / "state" / "attic.pause"))
    gate.pause()
    assert answer(gate) == Closed("paused by its owner", math.inf)
    assert "does not outlast" in caplog.text
    gate = stand.gate(None)
    gate.pause()
    assert answer(gate) == Closed("paused by its owner", math.inf)


def test_signals_pause_and_resume_and_wake_who_waits_for_a_change(stand, file):
    async def story() -> list[object]:
        gate = stand.gate(file)
        gate.listen()
        seen: list[object] = [await gate.closed()]
        for number in (signal.SIGUSR1, signal.SIGUSR2):
            waiting = asyncio.create_task(gate.changed())
            await asyncio.sleep(0)
            os.kill(os.getpid(), number)
            await asyncio.wait_for(waiting, 10)  # it would take half a minute by itself
            seen.append(await gate.closed())
        return seen

    assert asyncio.run(story()) == [None, Closed("paused by its owner", math.inf), None]


def test_what_was_said_before_it_listens_counts(stand, file):
    async def story() -> Closed | None:
        gate = stand.gate(file)
        file.write(Pause(since=stand.now))
        gate.listen()
        return await gate.closed()

    assert asyncio.run(story()) == Closed("paused by its owner", math.inf)


def test_everybody_who_waits_for_a_change_is_woken(stand):
    async def story() -> None:
        gate = stand.gate()
        waiting = [asyncio.create_task(gate.changed()) for _ in range(3)]
        await asyncio.sleep(0)
        gate.pause()
        await asyncio.wait_for(asyncio.gather(*waiting), 10)

    asyncio.run(story())


@pytest.mark.parametrize(
    ("closed", "items", "later", "seconds"),
    [
        pytest.param(None, (), 0, 30, id="open, and nobody knows when that ends"),
        pytest.param(None, ("17:00-18:01",), 5, 30, id="open for a minute"),
        pytest.param(None, ("17:00-18:01",), 45, 15, id="open for a quarter of a minute"),
        pytest.param(Closed("x", 12.5), (), 0, 12.5, id="closed for some seconds"),
        pytest.param(Closed("x", 900.0), (), 0, 30, id="closed for long"),
        pytest.param(Closed("x", math.inf), (), 0, 30, id="closed until somebody says so"),
        pytest.param(Closed("x", 0.0), (), 0, 0.1, id="it is time, almost"),
    ],
)
def test_an_answer_stands_for_so_long(closed, items, later, seconds):
    now = THURSDAY_EVENING.timestamp() + later
    assert seconds_to_change(closed, Hours(items, BERLIN), now) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        pytest.param(THURSDAY_EVENING + timedelta(minutes=30), "18:30", id="soon"),
        pytest.param(THURSDAY_EVENING + timedelta(hours=13), "07:00", id="tomorrow morning"),
        pytest.param(THURSDAY_EVENING + timedelta(hours=24), "Fri 18:00", id="in a day"),
        pytest.param(THURSDAY_EVENING + timedelta(days=9), "2026-12-05 18:00", id="in many days"),
        pytest.param(THURSDAY_EVENING + timedelta(seconds=61), "18:02", id="not before it is so"),
    ],
)
def test_a_moment_in_words(moment, words):
    assert in_words(moment, THURSDAY_EVENING) == words


def test_a_pause_in_words():
    now = THURSDAY_EVENING.timestamp()
    assert paused_in_words(Pause(since=now), now) == "paused by its owner"
    until = datetime.fromtimestamp(now + 1800).astimezone()
    assert paused_in_words(Pause(since=now, until=now + 1800), now) == (
        f"paused by its owner until {until:%H:%M}"
    )
