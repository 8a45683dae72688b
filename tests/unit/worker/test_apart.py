"""Backends in processes of their own: real processes, that go wrong in real ways."""

import logging
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Any

import pytest
from tests.unit.worker.apart_backends import OddSettings

from ordu.protocol.params import Lora
from ordu.settings import Settings, about
from ordu.worker.apart import Apart, Limits, process
from ordu.worker.apart.process import SHARES_MAX, Call, how_it_ended
from ordu.worker.backends import (
    BackendBrokenError,
    BackendError,
    Cancelled,
    Drawing,
    Offer,
    OutOfMemoryError,
    Picture,
)
from ordu.worker.backends.sketch import SketchBackend

ODD = "tests.unit.worker.apart_backends:OddBackend"
PROCESS = f"The process of the backend {ODD}"
WAIT_S = 30.0


class Clock:
    """A clock moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class WrongSettings(Settings, frozen=True, kw_only=True):
    """Not those of the backend."""

    models: Annotated[int, about("No models.")] = 1


@contextmanager
def an_apart(
    limits: Limits | None = None, clock: Any = time.monotonic, device: str = "", **settings: Any
) -> Iterator[Apart]:
    apart = Apart(ODD, OddSettings(**settings), device, limits=limits, clock=clock)
    try:
        yield apart
    finally:
        apart.close()


@pytest.fixture(scope="module")
def shared() -> Iterator[Apart]:
    """One for tests that leave it as it was."""
    with an_apart(token="s3cret") as apart:
        yield apart


def ignore(share: float) -> None:
    del share


def make(apart: Apart, prompt: str, **changes: Any) -> Picture:
    return apart.make(Drawing(prompt, **changes), ignore)


def pid_of(apart: Apart) -> int:
    return int(make(apart, "draw").data)


def is_there(pid: int) -> bool:
    """Whether there is a process of this number, be it a zombie."""
    return Path(f"/proc/{pid}").exists()


def runs(pid: int) -> bool:
    """Whether a process of this number runs; one that nobody has reaped does not."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def until(is_so: Any) -> None:
    """Wait for what another process does."""
    end = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


# -- all is well -------------------------------------------------------------------------------


def test_it_offers_what_the_backend_offers():
    with an_apart(models=("fox", "hare"), device="cuda:1") as apart:
        assert apart.offer() == Offer(
            models=("fox", "hare"),
            max_pixels=4096,
            features=frozenset({"cuda:1", "offer 1"}),
            megapixelsteps_per_s_max=1.5,
        )
        assert "offer 2" in apart.offer().features


def test_drawing_settings_and_device_arrive_whole_and_the_picture_comes_back():
    drawing = Drawing(
        "tell",
        seed=2**32 - 1,
        source_image=b"\x00\xff",
        loras=(Lora(name="ink", model=0.5),),
        post_processing=("GFPGAN",),
        facefixer_strength=0.75,
    )
    with an_apart(token="s3cret", device="cuda:1") as apart:
        picture = apart.make(drawing, ignore)
    assert picture == Picture(f"{drawing!r} s3cret cuda:1".encode(), is_censored=True)


def test_the_picture_is_the_one_that_would_be_made_here():
    drawing = Drawing("a fox at night", width=64, height=64, steps=5, seed=7)
    apart = Apart("sketch")
    try:
        assert apart.make(drawing, ignore) == SketchBackend().make(drawing, ignore)
        assert apart.offer() == SketchBackend().offer()
    finally:
        apart.close()


def test_it_draws_in_another_process_and_always_in_the_same(shared):
    assert pid_of(shared) == pid_of(shared) == shared.pid != os.getpid()


def test_shares_come_in_order_and_before_the_picture(shared):
    shares: list[float] = []
    shared.make(Drawing("draw"), shares.append)
    assert shares == [0.0, 0.5, 1.0]


def test_several_pictures_are_made_at_once(shared):
    both = [threading.Thread(target=make, args=(shared, "together")) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join(WAIT_S)
    assert not any(each.is_alive() for each in both)


def test_large_pictures_go_both_ways(shared):
    data = os.urandom(20_000_000)
    assert make(shared, "echo", source_image=data).data == data


def test_what_it_prints_is_no_message_and_goes_to_the_log(shared, caplog):
    with caplog.at_level(logging.DEBUG, "ordu.worker.apart"):
        make(shared, "log")
        until(lambda: "printed" in caplog.text)
    assert "WARNING tests.unit.worker.apart_backends: a warning" in caplog.text


def test_what_the_worker_does_not_log_it_does_not_log_either(caplog):
    quiet = logging.getLogger("tests.unit.worker.apart_backends")
    with caplog.at_level(logging.DEBUG, "ordu.worker.apart"):
        quiet.setLevel(logging.ERROR)
        try:
            with an_apart() as apart:
                make(apart, "log")
                until(lambda: "printed" in caplog.text)
        finally:
            quiet.setLevel(logging.NOTSET)
    assert "a warning" not in caplog.text


def test_it_is_killed_before_the_worker_when_memory_runs_out(shared):
    assert make(shared, "environment oom_score_adj").data == b"500\n"


def test_its_standard_input_is_at_an_end(shared):
    assert make(shared, "read").data == b"end of input"


@pytest.mark.parametrize("where", ["environ", "cmdline"])
def test_no_secret_shows_in_its_environment_or_command(where, monkeypatch):
    monkeypatch.setenv("ORDU_API_KEY", "s3cret-of-the-worker")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7")
    with an_apart(token="s3cret") as apart:
        shown = make(apart, f"environment {where}").data
    assert b"s3cret" not in shown
    assert (b"CUDA_VISIBLE_DEVICES=7" in shown) == (where == "environ")


# -- errors ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prompt", "kind", "words"),
    [
        pytest.param("raise backend", BackendError, "No such sampler.", id="cannot be made"),
        pytest.param("raise memory", OutOfMemoryError, "Too large for this card.", id="too large"),
        pytest.param("raise cancelled", Cancelled, "Cancelled", id="let go of by the backend"),
        pytest.param("raise other", BackendError, "KeyError: 'sampler'", id="a bug"),
        pytest.param("raise silent", BackendError, "RuntimeError", id="a bug without words"),
        pytest.param("raise exit", BackendError, "SystemExit: 4", id="it wants to exit"),
        pytest.param("raise surrogate", BackendError, "? is no letter", id="no Unicode"),
        pytest.param("raise long", BackendError, "x" * 2000, id="far too many words"),
        pytest.param("hog", BackendError, "MemoryError", id="more memory than it may have"),
        pytest.param(
            "nothing", BackendError, "The backend gave back str, not Picture.", id="no picture"
        ),
        pytest.param(
            "text",
            BackendError,
            "The backend gave back no Picture: Expected `bytes`, got `str` - at `$.data`.",
            id="a picture of text",
        ),
        pytest.param(
            "huge", BackendError, "The picture is too large: 256 MiB.", id="a huge picture"
        ),
    ],
)
def test_an_error_comes_back_as_what_it_was_and_the_process_goes_on(prompt, kind, words):
    with an_apart() as apart:
        before = pid_of(apart)
        with pytest.raises((BackendError, Cancelled)) as raised:
            make(apart, prompt)
        assert type(raised.value) is kind
        assert str(raised.value) == words
        assert pid_of(apart) == before


def test_a_broken_process_is_replaced():
    with an_apart() as apart:
        before = pid_of(apart)
        with pytest.raises(BackendBrokenError, match=r"^The card is gone\.$"):
            make(apart, "raise broken")
        assert pid_of(apart) != before
        assert not is_there(before)


@pytest.mark.parametrize(
    ("drawing", "words"),
    [
        pytest.param(
            Drawing("echo", source_image=bytes(256 * 2**20)),
            "The source image is too large: 256 MiB.",
            id="a huge source image",
        ),
        pytest.param(
            Drawing("\ud800"), "The job cannot be sent to its process: 'utf-8'", id="no Unicode"
        ),
        pytest.param(
            Drawing("draw", seed=2**70), "The job cannot be sent to its process", id="no number"
        ),
        pytest.param(Drawing("draw", steps="many"), "ValidationError", id="no drawing"),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_sent_is_refused_and_the_process_goes_on(drawing, words, shared):
    with pytest.raises(BackendError, match=words):
        shared.make(drawing, ignore)
    assert pid_of(shared) == shared.pid


@pytest.mark.parametrize(
    ("models", "words"),
    [
        pytest.param("no offer", r"^Nothing at present\.$", id="it says so"),
        pytest.param("wrong offer", r"^The backend gave back str, not Offer\.$", id="no offer"),
    ],
)
def test_an_offer_can_fail(models, words):
    with an_apart(models=(models,)) as apart:
        with pytest.raises(BackendError, match=words):
            apart.offer()
        pid_of(apart)


def test_an_offer_that_takes_too_long_is_not_waited_for_and_ends_the_process():
    limits = Limits(offer_s=0.1, stall_s=0.3)
    with an_apart(limits, models=("slow offer",)) as apart:
        first = apart.pid
        with pytest.raises(BackendError, match=r"does not answer; waited 0 s\.$"):
            apart.offer()

        def is_replaced() -> bool:
            with pytest.raises(BackendError):
                apart.offer()
            return apart.pid != first

        until(is_replaced)
        assert first is not None
        until(lambda: not is_there(first))


# -- ends --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        pytest.param(
            "kill SIGKILL",
            "was killed (signal 9): the machine may be out of memory",
            id="killed",
        ),
        pytest.param("kill SIGABRT", "was ended by signal 6 (SIGABRT)", id="aborted"),
        pytest.param("segfault", "was ended by signal 11 (SIGSEGV)", id="crashed"),
        pytest.param(
            "exit 3", "ended with exit code 3; the last it said: about to leave", id="exit code"
        ),
        pytest.param("fork", "ended with exit code 5", id="with a fork that holds all open"),
        pytest.param("deaf", "let go of its connection", id="closed the connection"),
        pytest.param(
            "garble ffffffff", "answered what cannot be read: 4096 MiB", id="an endless message"
        ),
        pytest.param(
            "garble 00000001c1",
            "answered what cannot be read: MessagePack data is malformed:"
            " invalid opcode '\\xc1' (byte 0)",
            id="no message",
        ),
    ],
)
def test_a_process_that_ends_costs_one_picture(prompt, words):
    with an_apart() as apart:
        before = pid_of(apart)
        with pytest.raises(BackendError) as raised:
            make(apart, prompt)
        assert str(raised.value) == f"{PROCESS} {words}."
        assert type(raised.value) is BackendError
        assert pid_of(apart) != before
        assert not is_there(before)


def test_all_pictures_in_hand_learn_of_the_end():
    with an_apart() as apart:
        errors: list[str] = []
        is_drawing = threading.Event()

        def hang() -> None:
            try:
                apart.make(Drawing("hang"), lambda share: is_drawing.set())
            except BackendError as error:
                errors.append(str(error))

        hanging = threading.Thread(target=hang)
        hanging.start()
        assert is_drawing.wait(WAIT_S)
        with pytest.raises(BackendError) as raised:
            make(apart, "exit 3")
        hanging.join(WAIT_S)
        assert errors == [str(raised.value)]


def test_a_process_killed_between_jobs_is_replaced_unnoticed():
    with an_apart() as apart:
        before = pid_of(apart)
        os.kill(before, signal.SIGKILL)
        until(lambda: not is_there(before))
        assert apart.offer().models == ("fox",)
        assert pid_of(apart) != before


def test_many_restarts_leave_nothing_behind():
    def files() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    with an_apart() as apart:
        pids, numbers = [], []
        for _ in range(8):
            pids.append(pid_of(apart))
            numbers.append(files())
            with pytest.raises(BackendError):
                make(apart, "kill SIGKILL")
    assert len(set(pids)) == 8
    assert not any(is_there(pid) for pid in pids)
    assert len(set(numbers)) == 1


def test_what_it_said_before_its_end_is_kept_in_bounds():
    with an_apart() as apart:
        make(apart, "flood")
        with pytest.raises(BackendError) as raised:
            make(apart, "kill SIGABRT")
    assert str(raised.value) == (
        f"{PROCESS} was ended by signal 6 (SIGABRT); the last it said: last words."
    )


def test_what_it_started_ends_with_it():
    with an_apart() as apart:
        program = int(make(apart, "offspring").data)
        assert runs(program)
        with pytest.raises(BackendError):
            make(apart, "kill SIGKILL")
        until(lambda: not runs(program))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_meant_for_the_worker_do_not_end_it(number, shared):
    before = pid_of(shared)
    os.kill(before, number)
    assert pid_of(shared) == before


def test_it_is_no_part_of_the_terminal(shared):
    assert os.getsid(shared.pid) == shared.pid != os.getsid(0)


@pytest.mark.parametrize(
    ("code", "printed", "words"),
    [
        pytest.param(0, [], "ended with exit code 0", id="without words"),
        pytest.param(1, ["a", "b"], "ended with exit code 1; the last it said: b", id="last line"),
        pytest.param(
            -6,
            ["what(): no card", "Fatal Python error: Aborted", "Thread 0x1"],
            "was ended by signal 6 (SIGABRT); the last it said: what(): no card",
            id="before the report of a crash",
        ),
        pytest.param(-200, [], "was ended by signal 200 (unknown)", id="an unknown signal"),
        pytest.param(
            1, ["x" * 400], f"ended with exit code 1; the last it said: {'x' * 300}", id="long line"
        ),
    ],
)
def test_how_it_ended(code, printed, words):
    assert how_it_ended(code, printed) == words


# -- pauses ------------------------------------------------------------------------------------


def test_a_process_that_made_nothing_is_started_again_after_longer_and_longer_pauses():
    clock = Clock()
    with an_apart(clock=clock) as apart:
        for pause_s in (1, 2, 4, 8, 16, 30, 30):
            pid = apart.pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            until(lambda pid=pid: not is_there(pid))
            with pytest.raises(BackendError, match=rf"out of memory\. .* in {pause_s} s\.$"):
                apart.offer()
            clock.now += pause_s - 0.5
            with pytest.raises(BackendError, match=r"Started again in 0 s\.$"):
                apart.offer()
            clock.now += 0.5
            assert apart.offer().models == ("fox",)


def test_a_picture_is_made_after_the_pause():
    with an_apart(Limits(pause_s=0.05)) as apart:
        with pytest.raises(BackendError):
            make(apart, "exit 3")
        pid_of(apart)


def test_a_backend_that_cannot_be_used_any_more_says_why(tmp_path):
    with an_apart(clock=Clock(), folder=str(tmp_path), fails="once started") as apart:
        with pytest.raises(BackendError):
            make(apart, "kill SIGKILL")
        with pytest.raises(BackendError, match=r"memory\. Started again in 1 s\.$"):
            apart.offer()
        with pytest.raises(BackendError, match=r"^There is no such device as this\.$"):
            make(apart, "draw")
        until(lambda: apart.pid is None)
        with pytest.raises(BackendError, match=r"as this\. Started again in 2 s\.$"):
            apart.offer()


# -- nobody wants it ---------------------------------------------------------------------------


def cancel(apart: Apart, prompt: str) -> None:
    def progress(share: float) -> None:
        raise Cancelled("enough")

    with pytest.raises(Cancelled, match=r"^enough$"):
        apart.make(Drawing(prompt), progress)


def test_a_cancelled_picture_stops_and_the_process_goes_on(tmp_path):
    with an_apart(folder=str(tmp_path)) as apart:
        before = apart.pid
        cancel(apart, "obey")
        assert (tmp_path / "let go").exists()
        assert pid_of(apart) == before


def test_a_process_that_does_not_stop_is_killed_and_replaced():
    with an_apart(Limits(cancel_s=0.1, pause_s=0)) as apart:
        before = apart.pid
        cancel(apart, "hang")
        assert pid_of(apart) != before
        assert before is not None
        assert not is_there(before)


def test_a_cancelled_picture_that_ends_its_process_is_still_cancelled():
    with an_apart() as apart:
        cancel(apart, "kill SIGKILL")


def test_an_error_of_whoever_is_told_the_shares_stops_the_picture(tmp_path):
    def progress(share: float) -> None:
        raise ZeroDivisionError

    with an_apart(folder=str(tmp_path)) as apart, pytest.raises(ZeroDivisionError):
        apart.make(Drawing("obey"), progress)
    assert (tmp_path / "let go").exists()


def test_shares_that_nobody_looks_at_are_bounded():
    call = Call(1, is_picture=True)
    for number in range(2 * SHARES_MAX):
        call.hear(number)
    call.settle(BackendError("enough"))
    kept = [call.shares.get_nowait() for _ in range(call.shares.qsize())]
    assert kept == [*range(SHARES_MAX), None]


@pytest.mark.parametrize(
    ("heard_s_ago", "others_s_ago", "silence_s"),
    [
        pytest.param(50, 90, 50, id="it shows life itself"),
        pytest.param(90, 90, 90, id="nothing does"),
        pytest.param(90, 10, 22.5, id="others do, and it may wait for its turn"),
        pytest.param(400, 10, 100, id="others do, but it has waited too long"),
    ],
)
def test_for_how_long_nothing_was_heard_of_a_picture(heard_s_ago, others_s_ago, silence_s):
    clock = Clock()
    call = Call(1, is_picture=True, clock=clock)
    others_heard_at = clock.now + heard_s_ago - others_s_ago
    clock.now += heard_s_ago
    assert call.silence_s(others_heard_at) == silence_s


@pytest.mark.parametrize(
    ("steps_s", "patience_s"),
    [
        pytest.param([], 10, id="no step yet"),
        pytest.param([60], 10, id="loading a model is no step"),
        pytest.param([60, 2, 3], 10, id="quick steps"),
        pytest.param([60, 20, 7], 40, id="slow steps"),
    ],
)
def test_how_long_letting_go_of_a_picture_may_take(steps_s, patience_s):
    clock = Clock()
    call = Call(1, is_picture=True, clock=clock)
    for step_s in steps_s:
        clock.now += step_s
        call.hear(0.5)
    assert call.patience_s(10) == patience_s


@pytest.mark.parametrize("prompt", ["hang", "freeze"])
def test_what_gives_no_sign_of_life_is_killed(prompt, tmp_path):
    with an_apart(Limits(stall_s=0.4, pause_s=0), folder=str(tmp_path)) as apart:
        before = apart.pid
        with pytest.raises(BackendError, match=r"gave no sign of life for 0 s\.$"):
            make(apart, prompt)
        assert apart.offer().models == ("fox",)
        assert apart.pid != before


def test_what_reads_nothing_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(process, "SEND_S", 1)
    with an_apart(Limits(pause_s=0), folder=str(tmp_path)) as apart:
        freezing = threading.Thread(target=live, args=(apart, "freeze"))
        freezing.start()
        until((tmp_path / "frozen").exists)
        with pytest.raises(BackendError, match=r"read nothing of what it was told for 1 s\.$"):
            make(apart, "echo", source_image=bytes(10_000_000))
        freezing.join(WAIT_S)
        assert not freezing.is_alive()
        pid_of(apart)


def live(apart: Apart, prompt: str) -> None:
    with suppress(BackendError):
        make(apart, prompt)


# -- start and end -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fails", "words"),
    [
        pytest.param("refuse", "There is no such device as this.", id="the backend says no"),
        pytest.param("bug", "ValueError: a bug", id="a bug"),
        pytest.param(
            "exit",
            f"{PROCESS} ended with exit code 3; the last it said: no driver found.",
            id="it ends",
        ),
        pytest.param("hang", f"{PROCESS} was not ready after 3 s.", id="it hangs"),
    ],
)
def test_a_backend_that_cannot_be_used_is_told_at_once(fails, words):
    with pytest.raises(BackendError) as raised:
        Apart(ODD, OddSettings(fails=fails), limits=Limits(start_s=3))
    assert str(raised.value) == words


def test_a_backend_that_could_not_be_used_before_anybody_waited_says_why():
    apart = Apart(ODD, OddSettings(fails="refuse"), wait=False)
    until(lambda: apart.pid is None)
    with pytest.raises(BackendError, match=r"^There is no such device as this\.$"):
        apart.ready()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        pytest.param("nowhere:Backend", "cannot be loaded: No module named 'nowhere'", id="module"),
        pytest.param("os:Backend", "The backend os:Backend is not there", id="class"),
        pytest.param("os:PathLike", "is no backend", id="something else"),
        pytest.param("pencil", "There is no backend 'pencil'", id="name"),
    ],
)
def test_a_backend_that_is_not_there_is_told_at_once(name, words):
    with pytest.raises(BackendError, match=words):
        Apart(name)


def test_settings_that_the_backend_does_not_have_are_refused():
    with pytest.raises(BackendError, match="ValidationError: Expected `array`"):
        Apart(ODD, WrongSettings())


@pytest.mark.parametrize(
    ("program", "words"),
    [
        pytest.param("false", "ended with exit code 1.", id="one that ends at once"),
        pytest.param("nowhere", "cannot be started: [Errno 2]", id="one that is not there"),
    ],
)
def test_a_python_that_does_not_work_is_told(program, words, monkeypatch):
    monkeypatch.setattr(sys, "executable", shutil.which(program) or program)
    with pytest.raises(BackendError) as raised:
        Apart(ODD)
    assert str(raised.value).startswith(f"{PROCESS} {words}")


def test_settings_that_no_message_can_carry_are_refused():
    with pytest.raises(BackendError, match=r"OddBackend cannot be sent to its process: .*complex"):
        Apart(ODD, OddSettings(token=1j))  # type: ignore[arg-type]  # that is what is wrong


def test_a_folder_of_modules_may_have_any_name(monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path, "/no \udcff letter"])
    with an_apart() as apart:
        pid_of(apart)


def test_closing_lets_the_backend_close(tmp_path):
    with an_apart(folder=str(tmp_path)) as apart:
        pid = pid_of(apart)
    assert (tmp_path / "closed").exists()
    assert not is_there(pid)
    apart.close()
    with pytest.raises(BackendError, match=r"was closed\.$"):
        apart.offer()
    with pytest.raises(BackendError, match=r"was closed\.$"):
        make(apart, "draw")


@pytest.mark.parametrize("prompt", ["obey", "hang", "freeze"])
def test_closing_ends_what_is_in_hand(prompt, tmp_path):
    ends: list[Exception] = []
    is_drawing = threading.Event()
    with an_apart(Limits(close_s=1), folder=str(tmp_path)) as apart:
        pid = apart.pid
        assert pid is not None

        def draw() -> None:
            try:
                apart.make(Drawing(prompt), lambda share: is_drawing.set())
            except (BackendError, Cancelled) as error:
                ends.append(error)

        drawing = threading.Thread(target=draw)
        drawing.start()
        assert is_drawing.wait(WAIT_S)
    drawing.join(WAIT_S)
    assert len(ends) == 1
    assert not is_there(pid)


# -- without the worker ------------------------------------------------------------------------

WORKER = f"""
    import sys
    from ordu.worker.apart import Apart
    from ordu.worker.backends import Drawing
    from tests.unit.worker.apart_backends import OddSettings

    apart = Apart({ODD!r}, OddSettings(folder=sys.argv[1]))
    offspring = apart.make(Drawing("offspring"), lambda share: None).data.decode()
    print(apart.pid, offspring, flush=True)
    apart.make(Drawing(sys.argv[2]), lambda share: print("drawing", flush=True))
"""


@pytest.mark.parametrize("prompt", ["hang", "freeze", "obey"])
def test_when_the_worker_is_killed_nothing_is_left(prompt, tmp_path):
    program = [sys.executable, "-c", textwrap.dedent(WORKER), str(tmp_path), prompt]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(program, stdout=subprocess.PIPE, env=environment, text=True) as worker:
        assert worker.stdout is not None
        pids = [int(pid) for pid in worker.stdout.readline().split()]
        assert worker.stdout.readline() == "drawing\n"
        if prompt == "freeze":
            until((tmp_path / "frozen").exists)
        assert len(pids) == 2
        assert all(runs(pid) for pid in pids)
        worker.kill()
    until(lambda: not any(runs(pid) for pid in pids))
