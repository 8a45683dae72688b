"""What this machine is doing: for how long nobody has used it, and whether it runs on battery.

There is no one place that knows. Each probe asks one of those that may: the desktop, the X server,
logind, the terminals. They are asked in that order; of desktop, X server and logind the first that
answers counts. The terminals are looked at besides, since who types over ssh uses it as well.
"""

import asyncio
import math
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar

from ordu.client.waiting import Clock

PROGRAM_S_MAX = 2.0  # for how long one program is waited for
OUTPUT_MAX = 65536  # bytes of its answer that are read
FRESH_S = 5.0  # for how long an answer is used again
SESSIONS_MAX = 50
SESSION_PROPERTIES = ("Seat", "Class", "State", "IdleHint", "IdleSinceHintMonotonic")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Places:
    """Where the probes look; tests have folders of their own."""

    power_supply: Path = Path("/sys/class/power_supply")
    terminals: Path = Path("/dev")
    x_sockets: Path = Path("/tmp/.X11-unix")  # noqa: S108 - where X servers are found, read only


class Kept(Generic[T]):
    """An answer that is asked for in a thread and used again for some seconds."""

    def __init__(self, ask: Callable[[], T], clock: Clock) -> None:
        self._ask = ask
        self._clock = clock
        self._answer: tuple[float, T] | None = None
        self._asking = asyncio.Lock()

    async def __call__(self) -> T:
        """The answer of now, or of a few seconds ago."""
        async with self._asking:
            if self._answer is None or self._clock() - self._answer[0] >= FRESH_S:
                answer = await asyncio.to_thread(self._ask)
                self._answer = (self._clock(), answer)
            return self._answer[1]


class Machine:
    """This machine; each question takes `PROGRAM_S_MAX` at most for each program there is to ask.

    `idle_s` says for how long nobody has used it (None: nothing can tell), `is_on_battery` what
    drives it.
    """

    def __init__(self, places: Places | None = None, clock: Clock = time.monotonic) -> None:
        places = places or Places()
        self.idle_s = Kept(partial(idle_s, places), clock)
        self.is_on_battery = Kept(partial(is_on_battery, places.power_supply), clock)


# -- use -------------------------------------------------------------------------------------------


def idle_s(places: Places) -> float | None:
    """For how many seconds nobody has used this machine; None: nothing can tell."""
    answers = (probe() for probe in (of_gnome, of_screen_saver, of_x_server, of_mac, of_logind))
    seats = next((each for each in answers if each is not None), None)
    terminals = of_terminals(places.terminals)
    if seats is None:
        # Terminals alone tell nothing of who sits before a screen.
        return None if has_screen(places) else terminals
    return seats if terminals is None else min(seats, terminals)


def has_screen(places: Places) -> bool:
    """Whether a desktop may run here, as far as its own names for that tell."""
    named = any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    return named or any(places.x_sockets.glob("X*"))


def of_gnome() -> float | None:
    """As GNOME's window manager knows it."""
    return _asked_on_bus(
        "org.gnome.Mutter.IdleMonitor",
        "/org/gnome/Mutter/IdleMonitor/Core",
        "org.gnome.Mutter.IdleMonitor",
        "GetIdletime",
    )


def of_screen_saver() -> float | None:
    """As KDE's lock screen knows it; on Wayland it may refuse to say."""
    # Some desktops are said to answer in seconds. Taken for milliseconds, that errs to "in use".
    name = "org.freedesktop.ScreenSaver"
    asked = _asked_on_bus(name, "/org/freedesktop/ScreenSaver", name, "GetSessionIdleTime")
    return asked or None  # 0 is also what one says that does not know


def of_x_server() -> float | None:
    """As the X server knows it, by the program xprintidle."""
    if os.environ.get("WAYLAND_DISPLAY"):
        return None  # its X server sees only what is typed into windows of X programs
    return _milliseconds(_said("xprintidle"), r"(\d+)\s*")


def of_mac() -> float | None:
    """As macOS knows it."""
    said = _said("ioreg", "-c", "IOHIDSystem", "-d", "4") or ""
    found = re.search(r'"HIDIdleTime" = (\d+)', said)
    return int(found[1]) / 1e9 if found else None  # nanoseconds


def of_logind() -> float | None:
    """As systemd knows it of those who sit at the machine; infinite when nobody does."""
    listed = _said("loginctl", "list-sessions", "--no-legend", "--no-pager")
    if listed is None:
        return None
    names = [line.split()[0] for line in listed.splitlines() if line.split()][:SESSIONS_MAX]
    if not names:
        return math.inf
    wanted = [f"--property={each}" for each in SESSION_PROPERTIES]
    told = _said("loginctl", "show-session", *wanted, *names)
    if told is None:
        return None
    sessions = [_properties(block) for block in told.split("\n\n")]
    now_s = time.clock_gettime(time.CLOCK_MONOTONIC)
    return min((_idle_of(each, now_s) for each in sessions), default=math.inf)


def of_terminals(folder: Path) -> float | None:
    """Since somebody typed into a terminal, as `w` finds it; None when there are none."""
    used = [
        at
        for pattern in ("pts/[0-9]*", "ttys[0-9]*")  # of Linux, of macOS
        for path in folder.glob(pattern)
        if (at := _used_at(path)) is not None
    ]
    return max(0.0, time.time() - max(used)) if used else None


def _idle_of(session: Mapping[str, str], now_s: float) -> float:
    """Idle seconds of a session as logind describes it; infinite for one that is not at a seat."""
    is_of_person = bool(session.get("Seat")) and session.get("Class") == "user"
    if not is_of_person or session.get("State") == "closing":  # left behind by who logged out
        return math.inf
    if session.get("IdleHint") != "yes":
        return 0.0  # also where a desktop never says so: rather too careful than in the way
    since = session.get("IdleSinceHintMonotonic", "")
    return max(0.0, now_s - int(since) / 1e6) if since.isdecimal() else 0.0


def _used_at(terminal: Path) -> float | None:
    try:
        return terminal.stat().st_atime
    except OSError:  # closed meanwhile
        return None


# -- power -----------------------------------------------------------------------------------------


def is_on_battery(folder: Path) -> bool:
    """Whether a battery drives this machine; False where nothing says so, as on a desktop."""
    try:
        supplies = [_supply(each) for each in folder.iterdir()]
    except OSError:  # no Linux
        return "Battery Power" in (_said("pmset", "-g", "batt") or "")
    is_plugged_in = any(each["online"] not in {"", "0"} for each in supplies)
    return not is_plugged_in and any(_is_discharging(each) for each in supplies)


def _is_discharging(supply: Mapping[str, str]) -> bool:
    # Those of a mouse or a headset say what they belong to.
    is_of_machine = supply["type"] == "Battery" and supply["scope"] != "Device"
    return is_of_machine and supply["status"] == "Discharging"


def _supply(folder: Path) -> dict[str, str]:
    """What the kernel says of one supply; empty where it says nothing."""
    supply = {name: _text_of(folder / name) for name in ("type", "status", "scope")}
    # A battery has a file of this name on some machines, which says that it is there.
    is_source = supply["type"] != "Battery" and supply["scope"] != "Device"
    return supply | {"online": _text_of(folder / "online") if is_source else ""}


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")[:100].strip()
    except OSError:
        return ""


# -- asking programs -------------------------------------------------------------------------------


def _asked_on_bus(*call: str) -> float | None:
    """Milliseconds that an object of the session's bus answers, in seconds."""
    said = _said("busctl", "--user", "--auto-start=no", "--timeout=2", "call", *call)
    return _milliseconds(said, r"[tu] (\d+)\s*")


def _milliseconds(said: str | None, pattern: str) -> float | None:
    found = re.fullmatch(pattern, said or "")
    return int(found[1]) / 1000 if found else None


def _said(program: str, *arguments: str) -> str | None:
    """What a program says; None when it is not there, takes too long or fails."""
    try:
        done = subprocess.run(  # noqa: S603 - our own words, and programs from the owner's PATH
            [program, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env={**os.environ, "LC_ALL": "C"},
            timeout=PROGRAM_S_MAX,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return None if done.returncode else done.stdout[:OUTPUT_MAX].decode("utf-8", "replace")


def _properties(block: str) -> dict[str, str]:
    pairs: Iterable[tuple[str, str, str]] = (line.partition("=") for line in block.splitlines())
    return {name: value for name, _, value in pairs}
