"""The dashboard of a worker: what stands on screens of all sizes, and what is left at the end."""

import errno
import fcntl
import io
import logging
import math
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from ordu.cli.worker import dashboard
from ordu.cli.worker import talk as talking
from ordu.cli.worker.dashboard import Dashboard, can_show, logs_above, teller
from ordu.cli.worker.sections import View, draw
from ordu.cli.worker.shift import Shift, after, starting
from ordu.cli.worker.talk import Talk
from ordu.settings import WorkerSettings
from ordu.worker import events
from ordu.worker.events import Event

ROOT = Path(__file__).parents[3]
PROGRAM = Path(__file__).with_name("dashboard_program.py")
SIZES = [(40, 8), (60, 12), (60, 24), (80, 24), (100, 30), (160, 12), (200, 60)]
EVIL = "\x1b[2Jm\u202eo\x07d\ne\tl"


def a_job(number: int, model: str = "sdxl", *, phase: str = "drawing") -> list[Event]:
    job_id = str(number)
    told: list[Event] = [events.Took(job_id, model, 1024, 768, 30)]
    if phase != "held":
        told += [events.Began(job_id, f"cuda:{number}"), events.Drawn(job_id, 0.5)]
    if phase == "sending":
        told += [events.Made(job_id, 4.0, 1000)]
    return told


def folded(*told: Event) -> Shift:
    """The shift after these events, one a second."""
    shift = starting(0.0)
    for now, event in enumerate(told, 1):
        shift = after(shift, event, float(now))
    return shift


def shown(shift: Shift, width: int = 100, height: int = 30, **change) -> str:
    """What stands on a screen of this size."""
    usual = {"name": "attic", "url": "http://127.0.0.1:7001", "backend": "sketch", "now": 60.0}
    view = View(**{**usual, "shift": shift, "wall": 0.0, **change})
    console = Console(
        width=width, height=height, force_terminal=True, color_system=None, file=io.StringIO(),
        legacy_windows=False, record=True,
    )  # fmt: skip
    for line in draw(view, width, height):
        console.print(line, soft_wrap=True)
    return console.export_text()


SHIFTS = {
    "at the start": folded(),
    "why there is no work": folded(events.Idle({"models": 12, "lora": 1, "a new reason": 3})),
    "no reason given": folded(events.Idle({})),
    "one job": folded(*a_job(1)),
    "jobs in all phases": folded(
        *a_job(1), *a_job(2, phase="held"), *a_job(3, phase="sending"), events.Idle({"nsfw": 1})
    ),
    "32 jobs": folded(*(event for number in range(32) for event in a_job(number))),
    "long names": folded(*a_job(1, "A model whose name does not want to end " * 4)),
    "wide letters": folded(*a_job(1, "日本語のとても長い名前" * 3), events.Notice("日本語" * 80)),
    "control characters": folded(
        *a_job(1, EVIL), events.Notice(EVIL), events.Idle({EVIL: 1}), events.Began("1", EVIL)
    ),
    "paused": folded(events.Paused(EVIL, 300.0)),
    "paused for ever": folded(events.Paused("its owner paused it", math.inf)),
    "lost": folded(*a_job(1), events.Lost("nobody answers " * 20)),
}  # fmt: skip


@pytest.mark.parametrize(("width", "height"), SIZES, ids=str)
@pytest.mark.parametrize("shift", SHIFTS.values(), ids=SHIFTS.keys())
def test_it_fits_every_screen(shift, width, height):
    text = shown(shift, width, height)
    lines = text.splitlines()
    assert len(lines) < height
    assert max(cell_len(line) for line in lines) <= width
    assert lines[0].startswith("── ordu worker attic ──")
    assert "●" in lines[1]
    assert all(each.isprintable() for line in lines for each in line)


@pytest.mark.parametrize("shift", SHIFTS.values(), ids=SHIFTS.keys())
def test_a_window_may_be_made_smaller_than_sense(shift):
    for width, height in [(1, 1), (2, 2), (10, 3), (20, 40), (39, 5), (200, 2)]:
        lines = shown(shift, width, height).splitlines()
        assert len(lines) < max(height, 2)
        assert all(cell_len(line) <= width for line in lines)


@pytest.mark.parametrize(
    ("shift", "words"),
    [
        pytest.param("at the start", ["waiting for work  for 60 s", "0 done", "+0"], id="start"),
        pytest.param(
            "why there is no work",
            ["why there is no work", "12  for other models", " 3  a new reason", " 1  with LoRAs"],
            id="reasons, the most frequent first",
        ),
        pytest.param("no reason given", ["most likely nobody waits"], id="no reasons"),
        pytest.param(
            "one job",
            ["● working  1 job in hand", "draws with sketch on cuda:1 for http://127.0.0.1:7001",
             "  50%  1024×768, 30 steps  sdxl  cuda:1"],
            id="a job",
        ),
        pytest.param(
            "jobs in all phases",
            ["3 jobs in hand", "drawing  ━", "sending  ━", "held     ─",
             "why there is no more work", "1  marked nsfw"],
            id="jobs in the order of their phases",
        ),
        pytest.param("32 jobs", ["32 jobs in hand", "on 32 devices", "… and 14 more"], id="many"),
        pytest.param("long names", ["A model whose name", "…"], id="a name that is cut"),
        pytest.param("control characters", ["[2Jm o d e l"], id="control characters"),
        pytest.param("paused for ever", ["● paused  until its owner says so: its owner paused it"],
                     id="paused for ever"),
        pytest.param("lost", ["● lost the horde  56 s ago, trying again: nobody answers"],
                     id="lost"),
    ],
)  # fmt: skip
def test_what_it_says(shift, words):
    text = shown(SHIFTS[shift])
    places = [text.find(each) for each in words]
    assert -1 not in places, (words, text)
    assert places == sorted(places)


def test_what_was_achieved():
    told = [event for number in range(3) for event in a_job(number, phase="sending")]
    told += [events.Delivered("0", 1200.25), events.Dropped("1", "gone"), events.Failed("2", "no")]
    text = shown(replace(folded(*told), balance=1234567.5), now=720.0)
    assert "1 done · 1 failed · 1 dropped" in text
    assert "+1,200.25 · 6,001 an hour · owner had 1,234,567.5 at the start" in text
    assert "up 12 min" in text


def test_speed_while_drawing():
    took = events.Took("1", "sdxl", 1000, 1000, 30)
    shift = after(after(starting(0.0), took, 0.0), events.Began("1", ""), 0.0)
    shift = after(shift, events.Made("1", 6.0, 1), 6.0)
    assert "5 megapixelsteps/s · busy 50%" in shown(shift, now=12.0)


@pytest.mark.parametrize(
    ("pause", "words"),
    [
        pytest.param(
            events.Paused("resting", 30.0), "until 00:00:30 at least: resting", id="half a minute"
        ),
        pytest.param(events.Paused("resting", 7200.0), "until 02:00 at least: resting", id="hours"),
        pytest.param(
            events.Paused("resting", 86400.0), "until Fri 00:00 at least: resting", id="a day"
        ),
        pytest.param(
            events.Paused("outside its hours, until 22:00", 7200.0),
            "paused  outside its hours, until 22:00",
            id="the reason says it",
        ),
    ],
)  # fmt: skip
def test_until_when_it_is_paused(pause, words, monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    assert words in shown(folded(pause), now=1.0)


def test_after_its_time_a_pause_says_how_long_it_lasts():
    assert "paused  for 5 min: resting" in shown(folded(events.Paused("resting", 30.0)), now=301.0)


def test_in_a_pause_jobs_in_hand_are_told():
    shift = folded(*a_job(1), events.Paused("resting", math.inf))
    assert "paused  1 job in hand, until its owner says so: resting" in shown(shift)


def test_after_a_picture_did_not_fit_the_limit_is_shown():
    assert "pictures up to 512×512 because" in shown(folded(events.Limited(512 * 512)), 120)


def test_on_a_low_screen_what_is_important_stays():
    shift = folded(*a_job(1), events.Idle({"models": 3}), events.Notice("Please update."))
    low = shown(shift, 80, 8)
    for words in ("working", "drawing", "done", "busy"):
        assert words in low
    for words in ("Ctrl-C", "draws with"):
        assert words not in low
    assert "for other models" in shown(shift, 80, 12)


# -- who tells -------------------------------------------------------------------------------------


def a_console(**change) -> Console:
    usual = {"width": 80, "height": 24, "force_terminal": True, "file": io.StringIO()}
    return Console(**{**usual, **change}, legacy_windows=False, markup=False, highlight=False)


class Latin(io.StringIO):
    """A terminal of another time."""

    encoding = "latin-1"


@pytest.mark.parametrize(
    ("change", "environment", "is_shown"),
    [
        pytest.param({}, {}, True, id="a terminal"),
        pytest.param({"force_terminal": False}, {}, False, id="no terminal"),
        pytest.param({}, {"TERM": "dumb"}, False, id="a terminal that cannot move its cursor"),
        pytest.param({"width": 30}, {}, False, id="too narrow"),
        pytest.param({"height": 6}, {}, False, id="too low"),
        pytest.param({"file": Latin()}, {}, False, id="without these letters"),
    ],
)
def test_where_the_dashboard_can_be_shown(change, environment, is_shown, monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert can_show(a_console(**change)) is is_shown


@pytest.mark.parametrize(
    ("asked", "kind"),
    [
        pytest.param({"has_parent": False}, Dashboard, id="on a terminal"),
        pytest.param({"has_parent": False, "is_plain": True}, Talk, id="asked for lines"),
        pytest.param({"has_parent": True}, Talk, id="a parent reads"),
    ],
)
def test_who_tells(asked, kind, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(dashboard, "out", a_console)
    assert type(teller(WorkerSettings(), **asked)) is kind


def plain(text: str) -> str:
    """The text without what moves the cursor and sets colours."""
    return re.sub(r"\x1b\[[?0-9;]*[a-zA-Z]", "", text)


def a_dashboard(console: Console, monkeypatch: pytest.MonkeyPatch) -> Dashboard:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(talking, "out", lambda: console)
    settings = WorkerSettings(name="attic")
    return Dashboard(Talk(settings, has_parent=False), settings, console=console)


def test_lines_scroll_above_it_and_at_the_end_it_is_gone(monkeypatch):
    console = a_console(no_color=True)
    with a_dashboard(console, monkeypatch) as board:
        board.owner_had(1000.0)
        for event in (*a_job(1, phase="sending"), events.Delivered("1", 9.5)):
            board.tell(event)
    said = console.file.getvalue()
    text = plain(said)
    line = text.index("drew 1024×768, 30 steps, sdxl in 4.0 s, +9.5 kudos")
    assert "── ordu worker attic" in text[line:]
    assert "owner had 1,000 at the start" in text[line:]
    assert re.search(r"stopped: 1 picture, \+9.5 kudos\n$", text)
    assert said.rindex("\x1b[?25h") > said.rindex("\x1b[?25l")
    assert not re.search(r"\x1b\[3\d", said)  # no colour


def test_another_size_of_the_screen_begins_it_anew_with_the_last_lines(monkeypatch):
    console = a_console()
    board = a_dashboard(console, monkeypatch)
    with board:
        for number in range(50):
            board.tell(events.Notice(f"word {number} " + "x" * 60))
        console.size = (60, 20)
        board._begin_anew()
    _, _, anew = console.file.getvalue().partition("\x1b[2J")
    assert "word 49 " in anew
    assert "word 43 " not in anew  # each takes two lines now
    assert re.search(r"ordu worker attic ─+ up \d+ s ──", plain(anew))


def test_it_keeps_its_height_for_a_while(monkeypatch):
    console = a_console()
    with a_dashboard(console, monkeypatch) as board:
        before = len(console.render_lines(board, pad=False))
        for event in a_job(1):
            board.tell(event)
        high = len(console.render_lines(board, pad=False))
        board.tell(events.Delivered("1", 1.0))
        assert len(console.render_lines(board, pad=False)) == high > before
        monkeypatch.setattr(dashboard, "CALM_S", -1.0)
        assert len(console.render_lines(board, pad=False)) == before


def test_an_error_leaves_the_screen_in_order(monkeypatch):
    console = a_console()
    with pytest.raises(LookupError), a_dashboard(console, monkeypatch):
        raise LookupError("no such model")
    text = console.file.getvalue()
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")
    assert "stopped" not in text


def test_logs_go_where_the_dashboard_is(monkeypatch):
    terminal, above, elsewhere = io.StringIO(), io.StringIO(), io.StringIO()
    handlers = [logging.StreamHandler(terminal), logging.StreamHandler(elsewhere)]
    monkeypatch.setattr(logging.getLogger(), "handlers", handlers)
    monkeypatch.setattr(sys, "stderr", above)
    log = logging.getLogger("test")
    with logs_above(terminal):
        log.error("meanwhile")
    log.error("after")
    assert above.getvalue() == "meanwhile\n"
    assert terminal.getvalue() == "after\n"
    assert elsewhere.getvalue() == "meanwhile\nafter\n"


# -- on a terminal ---------------------------------------------------------------------------------


class Terminal:
    """A pseudo terminal with a program on it."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        self.ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.before = termios.tcgetattr(self.ours)
        self.process = subprocess.Popen(
            [sys.executable, PROGRAM, *arguments],
            stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, cwd=ROOT,
            env={"PATH": os.environ["PATH"], "TERM": "xterm", "LANG": "C.UTF-8", **environment},
        )  # fmt: skip
        os.close(theirs)
        self.said = ""

    def until(self, words: str) -> None:
        """Read until it said these words, colours apart; the time of the test bounds that."""
        while words not in self.said and words not in plain(self.said):
            self._read()

    def to_the_end(self) -> int:
        """Read all it says and wait for its end; returns its exit code."""
        with suppress(EOFError):
            while True:
                self._read()
        return self.process.wait(30)

    def _read(self) -> None:
        ready, _, _ = select.select([self.ours], [], [], 30)
        assert ready, f"nothing for 30 s after: {self.said}"
        try:
            data = os.read(self.ours, 65536)
        except OSError as error:
            if error.errno != errno.EIO:  # so says Linux that nobody has the other end any more
                raise
            data = b""
        if not data:
            raise EOFError(self.said)
        self.said += data.decode(errors="replace")


@contextmanager
def on_a_terminal(*arguments: str, **environment: str) -> Iterator[Terminal]:
    terminal = Terminal(*arguments, **environment)
    try:
        yield terminal
    finally:
        terminal.process.kill()
        terminal.process.wait()
        os.close(terminal.ours)


def is_in_order(terminal: Terminal) -> bool:
    """Whether the cursor is back and the terminal reads as before."""
    shown_at, hidden_at = terminal.said.rfind("\x1b[?25h"), terminal.said.rfind("\x1b[?25l")
    return shown_at > hidden_at and termios.tcgetattr(terminal.ours) == terminal.before


def test_ctrl_c_twice_leaves_the_terminal_in_order():
    with on_a_terminal() as terminal:
        terminal.until("drawn by Dashboard")
        terminal.process.send_signal(signal.SIGINT)
        terminal.until("Ctrl-C again lets go of what is in hand")
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.to_the_end() == 130
        assert is_in_order(terminal)
        assert terminal.said.rstrip().endswith("stopped: 0 pictures, +0 kudos")


def test_an_error_on_a_terminal_is_told_below_what_was_told():
    with on_a_terminal("fails") as terminal:
        assert terminal.to_the_end() == 1
        assert is_in_order(terminal)
        assert terminal.said.rstrip().endswith("it failed")


def test_ctrl_z_gives_the_cursor_back_until_it_goes_on():
    with on_a_terminal() as terminal:
        terminal.until("drawn by Dashboard")
        terminal.process.send_signal(signal.SIGTSTP)
        terminal.until("\x1b[?25h")
        terminal.process.send_signal(signal.SIGCONT)
        terminal.until("\x1b[2J")
        terminal.said = ""
        terminal.until("Ctrl-C finishes")


def test_a_window_that_is_made_narrower_is_drawn_anew():
    with on_a_terminal() as terminal:
        terminal.until("drawn by Dashboard")
        fcntl.ioctl(terminal.ours, termios.TIOCSWINSZ, struct.pack("HHHH", 12, 50, 0, 0))
        terminal.until("\x1b[2J")
        terminal.said = ""
        terminal.until("── ordu worker attic ")
        terminal.until(" s ──")
        rules = re.findall("── ordu worker .* s ──", plain(terminal.said))
        assert {len(rule) for rule in rules} == {49}
