"""`--watch`: asked again, drawn again, ended with Ctrl-C."""

import io
import json
import os
import pty
import select
import signal
import subprocess
import sys

import click
import pytest
from rich.console import Console

from ordu.cli import watching
from ordu.cli.asking import Seconds
from ordu.cli.watching import watch
from ordu.client import UnknownKey, Unreachable

USER = {"username": "ferris#2", "kudos": 17.5}
STATUS = {
    "/status/models": [{"name": "sketch", "count": 1}],
    "/status/performance": {"queued_requests": 3},
    "/status/modes": {"maintenance_mode": False},
    "/workers": [],
}


def sleeping(times: int, end: type[BaseException] = KeyboardInterrupt):
    """A sleep that takes no time, and after so many ends it all."""
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) >= times:
            raise end

    return slept, sleep


def answers(*each):
    """Questions answered in turn; errors are raised."""
    left = list(each)

    def ask():
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return ask


def test_without_a_terminal_one_answer_follows_the_other(capsys):
    slept, sleep = sleeping(3)
    watch(answers("a", "b", "c"), click.echo, 2.5, sleep=sleep)
    assert capsys.readouterr().out == "a\n\nb\n\nc\n\n"
    assert slept == [2.5] * 3


def test_for_programs_each_answer_is_a_line(capsys):
    _, sleep = sleeping(2)
    watch(answers({"a": 1}, {"a": 2}), click.echo, 1, as_json=True, sleep=sleep)
    assert capsys.readouterr().out == '{"a":1}\n{"a":2}\n'


def test_a_horde_that_is_away_is_asked_again(capsys):
    _, sleep = sleeping(3)
    watch(answers("a", Unreachable("Nobody answers."), "b"), click.echo, 1, sleep=sleep)
    assert capsys.readouterr() == ("a\n\nb\n\n", "ordu: Nobody answers.\n")


@pytest.mark.parametrize(
    "given",
    [
        pytest.param([Unreachable("Nobody answers.")], id="the first is not answered"),
        pytest.param(["a", UnknownKey("Who?")], id="a later one is refused"),
    ],
)
def test_what_will_not_pass_ends_it(given):
    _, sleep = sleeping(5)
    with pytest.raises(type(given[-1])):
        watch(answers(*given), click.echo, 1, sleep=sleep)


def test_signals_are_as_before_afterwards():
    before = signal.getsignal(signal.SIGTERM)
    _, sleep = sleeping(1)
    watch(answers("a"), lambda _: None, 1, sleep=sleep)
    assert signal.getsignal(signal.SIGTERM) is before


def test_on_a_terminal_each_answer_is_drawn_over_the_one_before(monkeypatch):
    file = io.StringIO()
    screen = Console(file=file, force_terminal=True, width=60, height=10, markup=False)
    shown = Console(file=io.StringIO(), force_terminal=True, width=60, markup=False)
    monkeypatch.setattr(watching, "out", lambda: shown)
    monkeypatch.setattr(watching, "Console", lambda **_: screen)
    _, sleep = sleeping(3)
    given = answers("first\nline", Unreachable("Nobody answers."), "second")
    watch(given, shown.print, 2, sleep=sleep)
    text = file.getvalue()
    frames = text.split("\x1b[2K")
    assert "first" in frames[0]
    assert "again every 2 s, until Ctrl-C" in text
    assert "asked again every 2 s: Nobody answers." in text
    assert "second" in frames[-1]
    assert "first" not in frames[-1]
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") == 1  # the cursor is back


@pytest.mark.parametrize(
    ("arguments", "call_", "answer"),
    [
        (["kudos", "show"], "GET /find_user", USER),
        (["users", "show"], "GET /find_user", USER),
        (["users", "show", "ferris#2"], "GET /users/2", USER),
        (["workers", "list"], "GET /workers", []),
        (["workers", "show", "attic"], "GET /workers/name/attic", {"name": "attic"}),
    ],
)
def test_commands_watch(call, horde, monkeypatch, arguments, call_, answer):
    slept, sleep = sleeping(2)
    monkeypatch.setattr(watching.watch, "__kwdefaults__", {"as_json": False, "sleep": sleep})
    horde.to(call_, answer)
    done = call(*arguments, "--json", "--watch=7")
    assert done.exit_code == 0
    assert len([json.loads(line) for line in done.stdout.splitlines()]) == 2
    assert slept == [7.0, 7.0]
    assert len(horde.asked) == 2


def test_status_watches_every_five_seconds_where_nothing_else_is_said(call, horde, monkeypatch):
    slept, sleep = sleeping(1)
    monkeypatch.setattr(watching.watch, "__kwdefaults__", {"as_json": False, "sleep": sleep})
    for path, answer in STATUS.items():
        horde.to(f"GET {path}", answer)
    done = call("status", "--watch")
    assert (done.exit_code, slept) == (0, [5.0])
    assert "waiting   3 pictures" in done.stdout


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0.1", "1 to 3600 seconds"),
        ("nan", "1 to 3600 seconds"),
        ("1e9", "1 to 3600 seconds"),
        ("ferris#2", "write --watch last"),
    ],
)
def test_how_often_has_bounds(text, words):
    with pytest.raises(click.BadParameter, match=words):
        Seconds().convert(text, None, None)


def test_ctrl_c_on_a_terminal_ends_it_with_success(horde):
    for path, answer in STATUS.items():
        horde.to(f"GET {path}", answer)
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "ordu.cli", "status", "--watch", "1", "--url", horde.url],
        stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
    )  # fmt: skip
    os.close(slave)
    shown = b""
    try:
        while b"until Ctrl-C" not in shown and select.select([master], [], [], 30)[0]:
            shown += os.read(master, 4096)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        while select.select([master], [], [], 0)[0]:
            try:
                shown += os.read(master, 4096)
            except OSError:  # the other end is gone
                break
    finally:
        process.kill()
        process.wait()
        os.close(master)
    assert b"Traceback" not in shown
    assert shown.rindex(b"\x1b[?25h") > shown.rindex(b"\x1b[?25l")
