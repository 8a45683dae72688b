"""`ordu worker status`, `pause`, `resume`, `stop`, with workers that this process stands in for."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack

import pytest

from ordu.settings import WorkerSettings
from ordu.worker import events
from ordu.worker.terms.running import RunningWorker, running_workers

# Ends with the second SIGTERM, as a worker does that lets go of what is in hand.
STUBBORN = """
import signal, sys
from ordu.settings import WorkerSettings
from ordu.worker.terms.running import RunningWorker
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
with RunningWorker(WorkerSettings(name="stubborn")):
    print("ready", flush=True)
    for _ in range(int(sys.argv[1])):
        signal.sigwait({signal.SIGTERM})
"""


@pytest.fixture
def start(call, tmp_path, monkeypatch):
    """Start workers that only tell of themselves; signals to this process are written down."""
    (tmp_path / "run").mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with ExitStack() as stack:
        yield lambda name, **more: stack.enter_context(
            RunningWorker(WorkerSettings(name=name, **more))
        )


@pytest.fixture
def received(monkeypatch):
    sent: list[signal.Signals] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: sent.append(number))
    return sent


def pause_of(name):
    (found,) = [each for each in running_workers(os.environ) if each.record.name == name]
    assert found.pause is not None
    return found.pause.read(time.time())


def test_without_a_worker_there_is_nothing_to_show(start, call):
    assert call("worker", "status").stdout == "No worker of yours runs on this machine.\n"
    assert json.loads(call("worker", "status", "--json").stdout) == []


@pytest.mark.parametrize("command", ["pause", "resume", "stop"])
def test_without_a_worker_the_others_fail(start, call, command):
    done = call("worker", command)
    assert (done.exit_code, done.stderr) == (1, "ordu: No worker of yours runs on this machine.\n")


def test_one_worker_is_shown_whole(start, call):
    worker = start("attic", url="https://horde.example.org", backend="comfyui")
    for job_id in "ab":
        worker.tell(events.Took(job_id, "m", 64, 64, 1))
    worker.tell(events.Delivered("a", 12.5))
    said = call("worker", "status").stdout
    assert f"attic (process {os.getpid()})" in said
    for each in ("https://horde.example.org", "comfyui", "drawing, 1 in hand", "1 picture, 12.5"):
        assert each in said
    (told,) = json.loads(call("worker", "status", "--json").stdout)
    assert told["worker"]["pictures"] == 1
    assert (told["is_paused"], told["paused_until"]) == (False, None)


def test_several_workers_are_shown_one_after_the_other_and_one_is_chosen_by_name(start, call):
    start("attic").tell(events.Paused("on battery", 30))
    start("cellar").stopping()
    attic, cellar = call("worker", "status").stdout.split("\n\n")
    assert "attic (process" in attic
    assert "on battery" in attic
    assert "stopping" in cellar
    assert call("worker", "status", "cellar").stdout == cellar


def test_a_pause_lasts_until_it_is_ended(start, call, received):
    start("attic").tell(events.Took("a", "m", 64, 64, 1))
    done = call("worker", "pause")
    assert done.stdout == "attic is paused by its owner; 1 in hand is finished.\n"
    assert pause_of("attic").until is None
    assert received == [signal.SIGUSR1]
    assert "now         paused by its owner, 1 in hand" in call("worker", "status").stdout
    assert call("worker", "resume").exit_code == 0
    assert pause_of("attic") is None
    assert received == [signal.SIGUSR1, signal.SIGUSR2]


def test_what_it_said_while_it_was_paused_is_not_shown_after(start, call, received):
    start("attic").tell(events.Paused("paused by its owner", 30))
    assert "waiting for work" in call("worker", "status").stdout


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("30m", 1800), ("2h", 7200), ("1h30m", 5400), ("1D", 86400)],
)
def test_a_pause_can_be_for_a_time(start, call, received, text, seconds):
    start("attic")
    before = time.time()
    done = call("worker", "pause", "attic", "--for", text)
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith("attic is paused by its owner until ")
    assert before + seconds <= pause_of("attic").until <= time.time() + seconds
    (told,) = json.loads(call("worker", "status", "--json").stdout)
    assert told["paused_until"] == pause_of("attic").until


@pytest.mark.parametrize("text", ["", "2", "h", "2 h", "-2h", "0m", "2h!", "2.5h", "9999d", "1h٣m"])
def test_anything_else_is_no_time(start, call, received, text):
    start("attic")
    done = call("worker", "pause", "--for", text)
    assert done.exit_code == 2
    assert "is no time; write 30m, 2h or 1h30m" in done.stderr
    assert received == []


def test_where_several_run_it_has_to_be_clear_which(start, call, received):
    start("attic")
    start("cellar")
    done = call("worker", "pause")
    assert (done.exit_code, done.stderr) == (
        2, "ordu: Several workers run here: say --all or one of attic, cellar.\n",
    )  # fmt: skip
    done = call("worker", "pause", "roof")
    assert (done.exit_code, done.stderr) == (
        1, "ordu: No worker called roof runs on this machine; running are attic, cellar.\n",
    )  # fmt: skip
    assert call("worker", "pause", "roof", "--all").exit_code == 2
    assert received == []
    assert call("worker", "pause", "--all").exit_code == 0
    assert received == [signal.SIGUSR1] * 2


def test_a_name_means_the_workers_of_that_name_for_all_hordes(start, call, received):
    start("attic")
    start("attic", url="https://horde.example.org")
    assert call("worker", "pause", "attic").exit_code == 0
    assert received == [signal.SIGUSR1] * 2


def test_stop_asks_once_so_that_what_is_in_hand_is_finished(start, call, received):
    worker = start("attic")
    worker.tell(events.Took("a", "m", 64, 64, 1))
    assert call("worker", "stop").stdout == "attic finishes 1 in hand and stops.\n"
    worker.stopping()
    assert call("worker", "stop").exit_code == 0
    assert received == [signal.SIGTERM]


def test_stop_now_asks_until_it_has_ended(start, call):
    process = subprocess.Popen(
        [sys.executable, "-c", STUBBORN, "2"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    done = call("worker", "stop", "--now")
    assert (done.exit_code, done.stdout) == (0, "stubborn has stopped.\n"), done.stderr
    process.communicate()
    assert process.returncode == 0


def test_stop_now_gives_up_on_a_worker_that_does_not_end(start, call, received, monkeypatch):
    monkeypatch.setattr("ordu.cli.worker.control.END_S_MAX", 0.1)
    start("attic")
    done = call("worker", "stop", "--now")
    assert done.exit_code == 1
    assert f"kill -KILL {os.getpid()}" in done.stderr


def test_a_second_worker_of_the_same_name_is_refused_at_start(start, call):
    start("attic")
    done = call("worker", "--name", "attic")
    assert done.exit_code == 2
    assert done.stderr.startswith("ordu: A worker named attic works for http://127.0.0.1:7001")


def test_a_pause_that_cannot_be_kept_is_said(start, call, received, tmp_path):
    start("attic")
    (tmp_path / "state").touch()
    done = call("worker", "pause")
    assert done.exit_code == 1
    assert str(tmp_path / "state") in done.stderr
    assert received == []
