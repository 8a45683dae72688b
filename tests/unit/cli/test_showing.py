"""What people see while something is done: progress of requests, and what a worker does."""

import io
import math

import pytest
from rich.console import Console

from ordu.cli import progress
from ordu.cli.progress import LINES_MAX, Board
from ordu.cli.worker import words as worker_words
from ordu.cli.worker.talk import Talk
from ordu.cli.worker.words import REASONS
from ordu.client import Progress, Stage
from ordu.protocol.jobs import NoValidRequestFoundStable
from ordu.settings import WorkerSettings
from ordu.worker import events


def a_progress(**change) -> Progress:
    usual = {
        "request_id": "r",
        "stage": Stage.WAITING,
        "position": 3,
        "wait_s": 12,
        "waiting": 1,
        "processing": 0,
        "finished": 0,
        "is_possible": True,
        "kudos": 0.0,
    }
    return Progress(**{**usual, **change})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param({}, "place 3 in line, about 12 s", id="waiting"),
        pytest.param({"position": 0, "wait_s": 0}, "waiting", id="nothing known"),
        pytest.param(
            {"is_possible": False},
            "waiting: no worker that is here now can draw it",
            id="nobody can",
        ),
        pytest.param(
            {"stage": Stage.PROCESSING, "waiting": 1, "processing": 1, "finished": 2},
            "being drawn, 2 of 4 done, about 12 s",
            id="some of several",
        ),
        pytest.param({"stage": Stage.DONE}, "done", id="done"),
        pytest.param({"stage": Stage.FAULTED}, "failed", id="failed"),
    ],
)
def test_progress_in_words(change, words):
    assert progress.in_words(a_progress(**change)) == words


def test_board_without_a_terminal_says_what_changed():
    file = io.StringIO()
    with Board(Console(file=file, markup=False)) as board:
        show = board.add("a [red]fox[/red]\x1b[2J")
        for wait_s in (12, 11, 10):
            show(a_progress(wait_s=wait_s))
        show(a_progress(stage=Stage.DONE))
    assert (
        file.getvalue() == "  a [red]fox[/red] [2J: place 3 in line\n  a [red]fox[/red] [2J: done\n"
    )


def test_board_on_a_terminal_ends_with_a_line_for_each():
    file = io.StringIO()
    with Board(Console(file=file, force_terminal=True, width=100)) as board:
        board.add("fox")(a_progress(stage=Stage.DONE))
        board.add("dog [x]")(a_progress())
    last = file.getvalue().rsplit("\x1b[2K", 1)[-1]
    assert "fox" in last
    assert "dog [x]" in last
    assert "done" in last


def test_of_many_requests_only_those_under_way_have_a_line():
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=100, height=20)
    with Board(console, expected=LINES_MAX + 2) as board:
        for number in range(LINES_MAX):
            board.add(f"fox {number}")(a_progress(stage=Stage.DONE))
        failing = board.add("owl")
        failing.fail("Not\x1b that.")
        failing.fail("Not that.")  # over once
        board.add("hare")(a_progress())
    last = file.getvalue().rsplit("\x1b[2K", 1)[-1]
    assert f"{LINES_MAX + 1} of {LINES_MAX + 2} over" in file.getvalue()
    assert "hare" in last
    assert "fox" not in last
    assert "owl" not in last


def test_a_request_that_fails_says_why_on_its_line():
    file = io.StringIO()
    with Board(Console(file=file, force_terminal=True, width=100)) as board:
        board.add("owl").fail("Not\x1b that.")
    assert "Not  that." in file.getvalue()


def test_every_reason_has_words():
    fields = NoValidRequestFoundStable.__struct_encode_fields__
    assert set(fields) == set(REASONS)


def test_idle_in_words():
    assert worker_words.in_words({}) == "waiting for work"
    assert worker_words.in_words({"models": 3, "new_one": 1}) == (
        "waiting for work; passed over: 3 for other models, 1 new_one"
    )


STORY = [
    events.Idle({}),
    events.Idle({}),
    events.Idle({"models": 2}),
    events.Took("1", "stable_diffusion", 512, 768, 30),
    events.Drawn("1", 0.5),
    events.Made("1", 0.44, 1000),
    events.Delivered("1", 9.5),
    events.Took("2", "sdxl", 64, 64, 1),
    events.Failed("2", "out of\x1b memory"),
    events.Took("3", "sdxl", 64, 64, 1),
    events.Made("3", 1.0, 1000),
    events.Dropped("3", "The request was cancelled."),
    events.Took("4", "sdxl", 64, 64, 1),
    events.Made("4", 1.0, 1000),
    events.Delivered("4", None),
    events.Lost("nobody answers"),
    events.Back(),
    events.Paused("maintenance", 30.0),
    events.Back(),
    events.Paused("outside its hours, until 22:00", 7200.0),
    events.Paused("its owner paused it", math.inf),
    events.Took("5", "sdxl", 64, 64, 1),
    events.Began("5", "cuda:0"),
    events.Failed("5", "out of memory"),
    events.Limited(1024 * 1024),
    events.Limited(800_000),
    events.Notice("Please\nupdate."),
]
TOLD = """\
worker 'attic' draws with sketch for http://127.0.0.1:7001, 1 at once
waiting for work
waiting for work; passed over: 2 for other models
drew 512×768, 30 steps, stable_diffusion in 0.4 s, +9.5 kudos
failed: 64×64, 1 steps, sdxl: out of  memory
dropped: 64×64, 1 steps, sdxl: The request was cancelled.
drew 64×64, 1 steps, sdxl in 1.0 s, reward unknown
lost the horde, trying again: nobody answers
the horde is back
no new work for 30 s: maintenance
the pause is over
no new work for 2 h: outside its hours, until 22:00
no new work until its owner says so: its owner paused it
failed: 64×64, 1 steps, sdxl: out of memory
a picture did not fit: from now on only up to 1024×1024
a picture did not fit: from now on only up to 0.8 megapixels
the horde says: Please update.
stopped: 2 pictures, +9.5 kudos
"""


def test_worker_tells_its_story_in_lines(capsys):
    with Talk(WorkerSettings(name="attic"), has_parent=True) as talk:
        for event in STORY:
            talk.tell(event)
    assert capsys.readouterr().out == TOLD


def test_a_worker_that_stops_tells_what_it_finishes_and_no_idling(capsys):
    with Talk(WorkerSettings(name="attic"), has_parent=True) as talk:
        talk.tell(events.Took("1", "sdxl", 64, 64, 1))
        talk.stopping()
        talk.tell(events.Delivered("1", 1_234_567.25))
        talk.tell(events.Idle({}))
    assert capsys.readouterr().out.splitlines()[1:] == [
        "stopping, with 1 in hand",
        "drew 64×64, 1 steps, sdxl, +1234567.25 kudos",
        "stopped: 1 picture, +1234567.25 kudos",
    ]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        pytest.param(-3, "0 s", id="a clock that went back"),
        pytest.param(99.4, "99 s", id="seconds"),
        pytest.param(100, "2 min", id="minutes"),
        pytest.param(3590, "1 h", id="an hour, nearly"),
        pytest.param(7500, "2 h 5 min", id="hours"),
        pytest.param(3 * 86400, "3 days", id="days"),
    ],
)
def test_durations(seconds, words):
    assert worker_words.duration(seconds) == words
