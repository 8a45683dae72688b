"""What the machine is doing, asked from small programs on PATH and folders like the kernel's."""

import asyncio
import math
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from ordu.worker.terms import machine
from ordu.worker.terms.machine import Kept, Places, idle_s, is_on_battery


class Desk:
    """A machine made of small programs and folders."""

    def __init__(self, folder: Path) -> None:
        self.programs = folder / "bin"
        self.programs.mkdir()
        self.places = Places(folder / "power", folder / "dev", folder / "x")
        for each in (self.places.power_supply, self.places.terminals / "pts"):
            each.mkdir(parents=True)

    def program(self, name: str, script: str) -> None:
        path = self.programs / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def says(self, name: str, text: str) -> None:
        self.program(name, f"/bin/cat <<'END'\n{text}\nEND")

    def bus(self, **answers: str) -> None:
        """A session bus on which only these services answer, by the last part of their name."""
        cases = "".join(f"  *{name}*) echo '{said}';;\n" for name, said in answers.items())
        self.program("busctl", f'case "$*" in\n{cases}  *) exit 1;;\nesac')

    def logind(self, *sessions: "Session") -> None:
        listed = "\n".join(f"{number} 1000 ann seat0" for number, _ in enumerate(sessions, 1))
        told = "\n\n".join(each.told() for each in sessions)
        self.program(
            "loginctl",
            f"case $1 in list-sessions) printf '{listed}\\n';; show-session) printf '{told}\\n';;"
            " *) exit 1;; esac",
        )

    def terminal(self, idle: float, name: str = "pts/3") -> None:
        path = self.places.terminals / name
        path.touch()
        os.utime(path, (time.time() - idle, time.time()))

    def supply(self, name: str, **files: str) -> None:
        folder = self.places.power_supply / name
        folder.mkdir()
        for file, text in files.items():
            (folder / file).write_text(text + "\n")

    @property
    def idle_s(self) -> float | None:
        return idle_s(self.places)


@pytest.fixture
def desk(tmp_path, monkeypatch):
    made = Desk(tmp_path)
    monkeypatch.setenv("PATH", str(made.programs))
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    return made


@dataclass(frozen=True)
class Session:
    """A session without use for so long, None: in use; its times are those of when it is told."""

    idle: float | None
    more: Mapping[str, str]

    def told(self) -> str:
        """As logind tells it."""
        since = int((time.clock_gettime(time.CLOCK_MONOTONIC) - (self.idle or 0)) * 1e6)
        values = {
            "Seat": "seat0", "Class": "user", "State": "active",
            "IdleHint": "no" if self.idle is None else "yes", "IdleSinceHintMonotonic": str(since),
        }  # fmt: skip
        return "\\n".join(f"{name}={value}" for name, value in {**values, **self.more}.items())


def session(idle: float | None, **more: str) -> Session:
    return Session(idle, more)


def test_gnome_is_asked_first(desk):
    desk.bus(GetIdletime="t 61500", GetSessionIdleTime="u 1")
    desk.says("xprintidle", "7000")
    assert desk.idle_s == 61.5


def test_the_lock_screen_of_kde_is_asked_next(desk):
    desk.bus(GetSessionIdleTime="u 90000")
    desk.says("xprintidle", "7000")
    assert desk.idle_s == 90


def test_a_lock_screen_that_always_says_zero_counts_for_nothing(desk):
    desk.bus(GetSessionIdleTime="u 0")
    desk.logind(session(600))
    assert desk.idle_s == pytest.approx(600, abs=30)


def test_the_bus_is_told_to_start_nothing(desk, tmp_path):
    desk.program("busctl", f'echo "$*" >> {tmp_path}/asked; exit 1')
    assert desk.idle_s is None
    asked = (tmp_path / "asked").read_text().splitlines()
    assert len(asked) == 2
    assert all("--user --auto-start=no" in each for each in asked)


def test_without_a_desktop_that_tells_the_x_server_is_asked(desk):
    desk.says("xprintidle", "7250")
    desk.logind(session(3600))
    assert desk.idle_s == 7.25


def test_the_x_server_of_wayland_knows_too_little(desk, monkeypatch):
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    desk.says("xprintidle", "7250")
    assert desk.idle_s is None


def test_macos_tells_nanoseconds(desk):
    desk.says("ioreg", '+-o IOHIDSystem  <class IOHIDSystem>\n    "HIDIdleTime" = 125000000000')
    assert desk.idle_s == 125


@pytest.mark.parametrize(
    ("sessions", "idle"),
    [
        pytest.param([session(600)], 600, id="one that is idle"),
        pytest.param([session(600), session(None)], 0, id="one of two in use"),
        pytest.param([session(None, Class="greeter")], math.inf, id="only the login screen"),
        pytest.param([session(None, Seat="")], math.inf, id="only one over ssh"),
        pytest.param([session(None, Class="manager")], math.inf, id="only services of a user"),
        pytest.param([session(None, State="closing")], math.inf, id="only one that logged out"),
        pytest.param([session(5, IdleSinceHintMonotonic="")], 0, id="idle, unknown since when"),
        pytest.param([], math.inf, id="nobody is logged in"),
    ],
)
def test_logind_knows_who_sits_there(desk, sessions, idle):
    desk.logind(*sessions)
    assert desk.idle_s == pytest.approx(idle, abs=30)


def test_a_logind_that_fails_tells_nothing(desk):
    desk.program("loginctl", "exit 1")
    assert desk.idle_s is None


def test_who_types_over_ssh_uses_the_machine_as_well(desk):
    desk.bus(GetIdletime="t 7200000")
    desk.terminal(9000, "pts/1")
    desk.terminal(100, "pts/12")
    assert desk.idle_s == pytest.approx(100, abs=30)


def test_where_there_is_no_screen_the_terminals_are_enough(desk):
    desk.terminal(500)
    assert desk.idle_s == pytest.approx(500, abs=30)


def test_terminals_alone_tell_nothing_of_who_sits_before_a_screen(desk):
    desk.terminal(500)
    desk.places.x_sockets.mkdir()
    (desk.places.x_sockets / "X0").touch()
    assert desk.idle_s is None


def test_where_nothing_answers_it_is_unknown(desk):
    assert desk.idle_s is None


@pytest.mark.parametrize("said", ["", "t x", "t 5\nt 6", 's "5"', "-5", "5 6", "9" * 30 + "x"])
def test_answers_that_are_none_count_for_nothing(desk, said):
    desk.says("busctl", said)
    desk.says("xprintidle", said)
    assert desk.idle_s is None


def test_a_program_that_hangs_is_not_waited_for(desk, monkeypatch):
    monkeypatch.setattr(machine, "PROGRAM_S_MAX", 0.2)
    desk.program("xprintidle", "exec /bin/sleep 60")
    desk.logind(session(600))
    assert desk.idle_s == pytest.approx(600, abs=30)


MAINS_ON = {"type": "Mains", "online": "1"}
MAINS_OFF = {"type": "Mains", "online": "0"}
DRAINING = {"type": "Battery", "status": "Discharging"}


@pytest.mark.parametrize(
    ("supplies", "answer"),
    [
        pytest.param([MAINS_OFF, DRAINING], True, id="unplugged"),
        pytest.param([DRAINING], True, id="no plug that the kernel knows of"),
        pytest.param([MAINS_ON, DRAINING], False, id="plugged in, with a weak charger"),
        pytest.param([MAINS_OFF, {"type": "USB", "online": "1"}, DRAINING], False, id="on USB-C"),
        pytest.param([MAINS_ON, {**DRAINING, "status": "Charging"}], False, id="charging"),
        pytest.param([{**DRAINING, "status": "Full"}], False, id="full"),
        pytest.param([{**DRAINING, "scope": "Device"}], False, id="the battery of a mouse"),
        pytest.param(
            [DRAINING, {"type": "USB", "online": "1", "scope": "Device"}], True,
            id="a charger of another device",
        ),
        pytest.param([{**DRAINING, "online": "1"}], True, id="a battery that says it is there"),
        pytest.param([MAINS_ON], False, id="a desktop"),
        pytest.param([{}], False, id="a supply that says nothing"),
        pytest.param([], False, id="no supply at all"),
    ],
)  # fmt: skip
def test_it_runs_on_battery_when_that_is_emptied_and_nothing_plugged_in(desk, supplies, answer):
    for number, files in enumerate(supplies):
        desk.supply(f"S{number}", **files)
    assert is_on_battery(desk.places.power_supply) is answer


@pytest.mark.parametrize(
    ("said", "answer"),
    [("Now drawing from 'Battery Power'", True), ("Now drawing from 'AC Power'", False)],
)
def test_where_the_kernel_has_no_such_folder_pmset_is_asked(desk, tmp_path, said, answer):
    desk.says("pmset", said)
    assert is_on_battery(tmp_path / "nothing") is answer


def test_an_answer_is_used_again_for_some_seconds():
    now, asked = [100.0], []

    def ask() -> int:
        asked.append(now[0])
        return len(asked)

    async def story() -> list[int]:
        kept = Kept(ask, lambda: now[0])
        answers = [await kept(), *await asyncio.gather(kept(), kept())]
        now[0] += machine.FRESH_S
        return [*answers, await kept()]

    assert asyncio.run(story()) == [1, 1, 1, 2]


def test_this_machine_answers_somehow():
    idle = asyncio.run(machine.Machine().idle_s())
    assert idle is None or idle >= 0
    assert asyncio.run(machine.Machine().is_on_battery()) in {True, False}
