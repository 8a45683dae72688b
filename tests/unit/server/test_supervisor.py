"""The supervisor, with stand-ins as processes: who is started, who is ended, and in which order."""

import asyncio
import os
import pty
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ordu.server.listening import Started
from ordu.server.supervisor import Bounds, Child, Supervisor, outcome

pytestmark = pytest.mark.anyio

HERE = Path(__file__).parent
WAIT_S_MAX = 30.0
QUICK = Bounds(pause_s=0.01, pause_s_max=0.02)


@dataclass
class Stage:
    """Stand-ins in a folder, what they are told to do, and what they wrote down."""

    folder: Path
    started: list[Started] = field(default_factory=list)
    farewells: int = 0

    def now(self, how: str) -> None:
        """What those are like that start from now on."""
        (self.folder / "how").write_text(how, "utf-8")

    def story(self) -> list[str]:
        path = self.folder / "story"
        return path.read_text("utf-8").splitlines() if path.exists() else []

    def has(self, *lines: str) -> bool:
        return set(lines) <= set(self.story())

    async def until(self, *lines: str) -> None:
        """Wait for these lines."""
        async with asyncio.timeout(WAIT_S_MAX):
            while not self.has(*lines):
                await asyncio.sleep(0.01)

    def command(self, number: int) -> list[str]:
        return [sys.executable, str(HERE / "stand_in.py"), str(self.folder), str(number)]

    async def farewell(self) -> None:
        self.farewells += 1


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    stage = Stage(tmp_path)
    stage.now("well")
    return stage


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.socket() as listener:
        yield listener


@pytest.fixture
async def supervisor(stage: Stage, listener: socket.socket) -> Supervisor:
    return Supervisor(stage.command, 2, listener.fileno(), QUICK)


@asynccontextmanager
async def running(stage: Stage, supervisor: Supervisor) -> AsyncIterator[None]:
    """Both places filled; all stopped at the end."""
    run = asyncio.create_task(supervisor.run(stage.started.append, stage.farewell))
    try:
        await stage.until("1 ready", "2 ready")
        await filled(supervisor, 1, 2)
        yield
    finally:
        supervisor.stop(signal.SIGTERM)
        assert await run == 0
        assert supervisor.children == set()


async def filled(supervisor: Supervisor, *numbers: int) -> list[Child]:
    """Wait until these processes are in the places."""
    async with asyncio.timeout(WAIT_S_MAX):
        while [each.child and each.child.number for each in supervisor.places] != [*numbers]:
            await asyncio.sleep(0.01)
    return [each.child for each in supervisor.places if each.child]


async def logged(caplog: pytest.LogCaptureFixture, words: str, times: int = 1) -> None:
    """Wait until the log says this so many times."""
    async with asyncio.timeout(WAIT_S_MAX):
        while sum(words in line for line in caplog.messages) < times:
            await asyncio.sleep(0.01)


@pytest.fixture(autouse=True)
def all_is_logged(caplog):
    caplog.set_level("INFO")


async def test_the_first_is_ready_before_the_others_start(stage, supervisor):
    async with running(stage, supervisor):
        assert stage.story()[:3] == ["1 starts", "1 ready", "2 starts"]
        assert [each.new_admin_key for each in stage.started] == ["key of 1"]
        assert stage.farewells == 0


async def test_processes_that_start_at_once_have_numbers_of_their_own(stage, listener):
    supervisor = Supervisor(stage.command, 4, listener.fileno(), QUICK)
    run = asyncio.create_task(supervisor.run(stage.started.append, stage.farewell))
    await filled(supervisor, 1, 2, 3, 4)
    supervisor.stop(signal.SIGTERM)
    assert await run == 0


async def test_a_stop_reaches_all(stage, supervisor):
    async with running(stage, supervisor):
        pass
    assert stage.has("1 SIGTERM", "1 ends", "2 SIGTERM", "2 ends")
    assert stage.farewells == 1


async def test_what_else_is_said_on_standard_output_is_logged(stage, supervisor, caplog):
    async with running(stage, supervisor):
        await logged(caplog, "process 1: something else that a library says")
    assert "key of" not in caplog.text


async def test_one_that_dies_is_replaced(stage, supervisor, caplog):
    async with running(stage, supervisor):
        first, second = await filled(supervisor, 1, 2)
        second.send(signal.SIGKILL)
        await filled(supervisor, 1, 3)
        assert first.is_alive
    assert "process 2 ended (killed by SIGKILL)" in caplog.messages


async def test_also_the_first_is_replaced_once_it_was_ready(stage, supervisor):
    async with running(stage, supervisor):
        first, _ = await filled(supervisor, 1, 2)
        first.send(signal.SIGKILL)
        await filled(supervisor, 3, 2)
    assert len(stage.started) == 1


async def test_one_that_keeps_dying_is_tried_until_it_stays(stage, supervisor, caplog):
    async with running(stage, supervisor):
        stage.now("dies")
        _, second = await filled(supervisor, 1, 2)
        second.send(signal.SIGKILL)
        await logged(caplog, "ended before it was ready (exit code 7)", times=3)
        stage.now("well")
        async with asyncio.timeout(WAIT_S_MAX):
            while not (second := supervisor.places[1].child) or not second.is_alive:
                await asyncio.sleep(0.01)
        assert second.number >= 6


@pytest.mark.parametrize(
    ("starts", "pause_s"),
    [(0, 0.0), (1, 0.0), (2, 0.5), (3, 1.0), (7, 16.0), (8, 30.0), (10**6, 30.0)],
)
def test_pauses_grow_to_a_bound(starts, pause_s):
    assert Bounds().pause_after(starts) == pause_s


@pytest.mark.parametrize(
    ("how", "code"), [("dies", 7), ("is killed", -signal.SIGKILL)], ids=["exit code", "signal"]
)
async def test_a_first_that_ends_at_its_start_is_the_end_of_all(stage, supervisor, how, code):
    stage.now(how)
    assert await supervisor.run(stage.started.append, stage.farewell) == code
    assert stage.story() == ["1 starts"]
    assert (stage.started, stage.farewells) == ([], 0)


async def test_a_stop_while_the_first_starts(stage, supervisor):
    stage.now("hangs")
    run = asyncio.create_task(supervisor.run(stage.started.append, stage.farewell))
    await stage.until("1 starts")
    supervisor.stop(signal.SIGINT)
    assert await run == 0
    assert stage.story() == ["1 starts", "1 SIGINT", "1 ends"]


async def test_a_rolling_restart_ends_one_only_when_its_successor_is_ready(stage, supervisor):
    async with running(stage, supervisor):
        supervisor.renew()
        await filled(supervisor, 3, 4)
        await stage.until("2 ends")
        assert stage.story()[4:] == [
            *("3 starts", "3 ready", "1 SIGUSR1", "1 ends"),
            *("4 starts", "4 ready", "2 SIGUSR1", "2 ends"),
        ]
    assert len(stage.started) == 1


@pytest.mark.parametrize(
    ("how", "ready_s_max", "words"),
    [
        pytest.param("hangs", 0.5, "process 3 was not ready within 0.5 s and is ended", id="hangs"),
        pytest.param("dies", 60, "process 3 ended before it was ready (exit code 7)", id="dies"),
    ],
)
async def test_when_a_successor_is_not_ready_the_old_ones_stay(
    stage, supervisor, caplog, how, ready_s_max, words
):
    async with running(stage, supervisor):
        old = await filled(supervisor, 1, 2)
        stage.now(how)
        supervisor.bounds = Bounds(ready_s_max=ready_s_max)
        supervisor.renew()
        await logged(caplog, "the rolling restart is given up")
        assert words in caplog.messages
        assert await filled(supervisor, 1, 2) == old
        assert all(each.is_alive for each in old)
        assert not stage.has("4 starts")
        stage.now("well")
        supervisor.bounds = QUICK
        supervisor.renew()
        await filled(supervisor, 4, 5)


async def test_many_wishes_during_a_rolling_restart_are_one_more(stage, supervisor, caplog):
    async with running(stage, supervisor):
        supervisor.renew()
        await stage.until("3 starts")
        for _ in range(5):
            supervisor.renew()
        await logged(caplog, "the rolling restart is done", times=2)
        await filled(supervisor, 5, 6)
        assert supervisor.numbers == 6


async def test_a_place_that_is_empty_is_filled_by_a_rolling_restart(stage, supervisor, caplog):
    async with running(stage, supervisor):
        _, second = await filled(supervisor, 1, 2)
        stage.now("dies")
        supervisor.bounds = Bounds(pause_s=60)
        second.send(signal.SIGKILL)
        await logged(caplog, "process 3 ended before it was ready")
        stage.now("well")
        supervisor.renew()
        await filled(supervisor, 4, 5)


async def test_a_second_signal_is_passed_on(stage, supervisor):
    stage.now("drains")
    run = asyncio.create_task(supervisor.run(stage.started.append, stage.farewell))
    await filled(supervisor, 1, 2)
    supervisor.stop(signal.SIGTERM)
    await stage.until("1 SIGTERM", "2 SIGTERM")
    assert not run.done()
    supervisor.stop(signal.SIGTERM)
    assert await run == 0
    assert stage.has("1 second", "2 second")


async def test_one_that_does_not_stop_is_killed(stage, supervisor, caplog):
    stage.now("deaf")
    async with running(stage, supervisor):
        pass
    assert stage.has("1 SIGTERM", "2 SIGTERM")
    assert "process 1 did not stop within 0 s and is killed" in caplog.messages


async def test_a_program_that_cannot_be_started_is_tried_again(stage, supervisor, caplog):
    async with running(stage, supervisor):
        command, supervisor.command = supervisor.command, lambda number: ["/none/such"]
        _, second = await filled(supervisor, 1, 2)
        second.send(signal.SIGKILL)
        await logged(caplog, "a process cannot be started", times=2)
        supervisor.command = command
        async with asyncio.timeout(WAIT_S_MAX):
            while supervisor.places[1].child is None:
                await asyncio.sleep(0.01)


def test_outcomes_in_words():
    assert outcome(2) == "exit code 2"
    assert outcome(-9) == "killed by SIGKILL"
    assert outcome(-1000) == "killed by signal 1000"


# The supervisor as a process of its own


@contextmanager
def supervised(folder: Path, stdin: int = subprocess.PIPE) -> Iterator[subprocess.Popen[bytes]]:
    """Two stand-ins and their supervisor; nothing is left of it."""
    command = [sys.executable, str(HERE / "supervised.py"), str(folder)]
    with subprocess.Popen(command, stdin=stdin, start_new_session=True) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(stage: Stage, *lines: str) -> None:
    deadline = time.monotonic() + WAIT_S_MAX
    while not stage.has(*lines):
        assert time.monotonic() < deadline, stage.story()
        time.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_the_supervisor_ends_all(stage, number):
    with supervised(stage.folder) as process:
        wait_for(stage, "1 ready", "2 ready")
        process.send_signal(number)
        assert process.wait(WAIT_S_MAX) == 0
    assert stage.has(f"1 {number.name}", f"2 {number.name}", "1 ends", "2 ends")
    assert (stage.folder / "up").exists()
    assert (stage.folder / "farewell").exists()


def test_sighup_to_the_supervisor_renews_all(stage):
    with supervised(stage.folder) as process:
        wait_for(stage, "1 ready", "2 ready")
        process.send_signal(signal.SIGHUP)
        wait_for(stage, "3 ready", "1 ends", "4 ready", "2 ends")
        process.send_signal(signal.SIGTERM)
        assert process.wait(WAIT_S_MAX) == 0


def test_sighup_of_a_terminal_that_is_closed_ends_all(stage):
    ours, its = pty.openpty()
    with supervised(stage.folder, stdin=its) as process:
        os.close(its)
        wait_for(stage, "1 ready", "2 ready")
        process.send_signal(signal.SIGHUP)  # the terminal is still there
        wait_for(stage, "4 ready", "2 ends")
        os.close(ours)
        process.send_signal(signal.SIGHUP)
        assert process.wait(WAIT_S_MAX) == 0
    assert stage.has("3 SIGTERM", "4 SIGTERM")


def test_when_the_supervisor_is_killed_its_processes_end(stage):
    with supervised(stage.folder) as process:
        wait_for(stage, "1 ready", "2 ready")
        process.kill()
        wait_for(stage, "1 SIGTERM", "1 ends", "2 SIGTERM", "2 ends")
