"""Running workers: found while they live, however they end, and never twice the same."""

import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import msgspec
import pytest

from ordu.settings import WorkerSettings
from ordu.worker import events
from ordu.worker.terms.pause import Pause, PauseFile
from ordu.worker.terms.places import key_of, run_folders, state_folder
from ordu.worker.terms.running import AlreadyRunning, RunningWorker, running_workers

# Stays until its standard input closes, or until it is killed.
OTHER = """
import sys
from ordu.settings import WorkerSettings
from ordu.worker.terms.running import RunningWorker
with RunningWorker(WorkerSettings(name=sys.argv[1])):
    print("ready", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def environ(tmp_path):
    (tmp_path / "run").mkdir()
    return {"XDG_RUNTIME_DIR": str(tmp_path / "run"), "HOME": str(tmp_path / "home")}


def a_worker(environ, name="attic", **settings):
    return RunningWorker(WorkerSettings(name=name, **settings), environ)


def other_process(environ, name):
    process = subprocess.Popen(
        [sys.executable, "-c", OTHER, name],
        env={**os.environ, **environ}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def names(environ):
    return [each.record.name for each in running_workers(environ)]


def test_it_is_found_while_it_runs(environ):
    assert names(environ) == []
    with a_worker(environ, backend="comfyui", url="https://ann:secret@horde.example.org"):
        (found,) = running_workers(environ)
        assert found.record.pid == os.getpid()
        assert found.record.backend == "comfyui"
        assert "secret" not in msgspec.json.encode(found.record).decode()
    assert names(environ) == []
    assert list(Path(environ["XDG_RUNTIME_DIR"], "ordu").iterdir()) == []


def test_only_its_owner_may_read_what_it_says(environ):
    with a_worker(environ):
        folder = Path(environ["XDG_RUNTIME_DIR"], "ordu")
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        modes = {path.suffix: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
        assert modes == {".json": 0o600, ".lock": 0o600}


def test_a_worker_that_was_killed_is_not_found_and_may_come_again(environ):
    process = other_process(environ, "attic")
    assert names(environ) == ["attic"]
    process.kill()
    process.communicate()
    assert len(list(Path(environ["XDG_RUNTIME_DIR"], "ordu").glob("*.json"))) == 1
    assert names(environ) == []
    with a_worker(environ):
        assert names(environ) == ["attic"]


def test_the_same_worker_is_refused_in_another_process(environ):
    process = other_process(environ, "attic")
    with pytest.raises(AlreadyRunning) as caught, a_worker(environ):
        pass
    process.communicate("")
    assert str(caught.value) == (
        f"A worker named attic works for http://127.0.0.1:7001 on this machine already (process"
        f" {process.pid}); give this one another --name, or stop that one: ordu worker stop"
    )
    assert process.returncode == 0
    with a_worker(environ):
        assert names(environ) == ["attic"]


def test_the_same_worker_is_refused_where_the_runtime_folder_is_not_known(environ):
    without = {"HOME": environ["HOME"]}
    with a_worker(without):
        with pytest.raises(AlreadyRunning), a_worker(environ):
            pass
        assert names(environ) == ["attic"]
        assert names(without) == ["attic"]


def test_workers_with_another_name_or_horde_are_others(environ):
    with (
        a_worker(environ),
        a_worker(environ, name="cellar"),
        a_worker(environ, url="https://horde.example.org"),
    ):
        assert names(environ) == ["attic", "cellar", "attic"]


def test_who_looks_does_not_keep_a_worker_from_starting(environ):
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            running_workers(environ)

    looking = [threading.Thread(target=look) for _ in range(2)]
    for each in looking:
        each.start()
    try:
        for _ in range(50):
            with a_worker(environ):
                assert os.getpid() in {each.record.pid for each in running_workers(environ)}
    finally:
        stop.set()
        for each in looking:
            each.join()


def test_without_any_folder_it_works_and_is_not_found(caplog, tmp_path):
    (tmp_path / "file").touch()
    for environ in ({}, {"HOME": str(tmp_path / "file")}):
        with a_worker(environ) as worker:
            worker.tell(events.Took("1", "m", 64, 64, 1))
            assert running_workers(environ) == []
    assert caplog.text.count("cannot find this worker") == 2


def test_files_that_are_no_records_are_passed_over(environ):
    with a_worker(environ):
        folder = Path(environ["XDG_RUNTIME_DIR"], "ordu")
        (folder / "a.json").write_bytes(b"\xff{")
        (folder / "b.json").write_text('{"pid": "x"}')
        (folder / "c.json").mkdir()
        assert names(environ) == ["attic"]


def test_a_record_of_another_machine_in_a_shared_home_is_passed_over(environ):
    with a_worker(environ):
        folder = Path(environ["XDG_RUNTIME_DIR"], "ordu")
        (path,) = folder.glob("*.json")
        record = msgspec.json.decode(path.read_bytes())
        path.write_bytes(msgspec.json.encode(record | {"machine": "elsewhere"}))
        assert names(environ) == []


def test_it_tells_how_it_goes(environ):
    with a_worker(environ) as worker:

        def told() -> tuple[object, ...]:
            (found,) = running_workers(environ)
            record = found.record
            return record.jobs, record.pictures, record.kudos, record.waits, record.is_stopping

        assert told() == (0, 0, 0, "", False)
        for job_id in "abcd":
            worker.tell(events.Took(job_id, "m", 64, 64, 1))
        worker.tell(events.Drawn("a", 0.5))
        worker.tell(events.Made("a", 1.0, 100))
        assert told() == (4, 0, 0, "", False)
        worker.tell(events.Delivered("a", 1.1))
        worker.tell(events.Delivered("b", None))
        worker.tell(events.Failed("c", "out of paint"))
        worker.tell(events.Dropped("c", "not wanted any more"))
        assert told() == (1, 2, 1.1, "", False)
        worker.tell(events.Paused("on battery", 30.0))
        assert told() == (1, 2, 1.1, "on battery", False)
        worker.tell(events.Back())
        worker.stopping()
        assert told() == (1, 2, 1.1, "", True)


def test_signals_do_not_end_a_worker_that_does_not_listen_yet(environ):
    before = signal.getsignal(signal.SIGUSR1), signal.getsignal(signal.SIGUSR2)
    with a_worker(environ):
        os.kill(os.getpid(), signal.SIGUSR1)
        os.kill(os.getpid(), signal.SIGUSR2)
    assert (signal.getsignal(signal.SIGUSR1), signal.getsignal(signal.SIGUSR2)) == before


def test_folders_are_those_of_the_owner(tmp_path):
    run, home = tmp_path / "run", tmp_path / "home"
    run.mkdir()
    ours = {"XDG_RUNTIME_DIR": str(run), "HOME": str(home)}
    assert run_folders(ours) == [run / "ordu", home / ".local" / "state" / "ordu"]
    assert state_folder({**ours, "XDG_STATE_HOME": "/elsewhere"}) == Path("/elsewhere/ordu")
    assert state_folder({**ours, "XDG_STATE_HOME": "relative"}) == home / ".local/state/ordu"
    for named in ("", "run", str(tmp_path / "gone")):
        assert run_folders({**ours, "XDG_RUNTIME_DIR": named}) == [home / ".local/state/ordu"]
    assert run_folders({}) == []
    assert state_folder({}) is None


def test_keys_are_names_of_files_and_differ():
    worst = key_of("../../etc/passwd\0" + "x" * 300, "https://h")
    assert "/" not in worst
    assert len(worst) < 80
    assert key_of("", "https://h").startswith("worker-")
    assert key_of("a", "https://h") == key_of("a", "https://h/")
    assert len({key_of("a b", "h"), key_of("a-b", "h"), key_of("a-b", "g")}) == 3


def test_a_pause_that_cannot_be_read_or_is_over_is_none(tmp_path):
    file = PauseFile(tmp_path / "a.pause")
    assert file.read(0) is None
    file.write(Pause(since=1, until=10))
    assert file.read(9.9) == Pause(since=1, until=10)
    assert file.read(10) is None
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    file.path.write_bytes(b"\xff")
    assert file.read(0) is None
    file.remove()
    file.remove()
    assert list(tmp_path.iterdir()) == []
