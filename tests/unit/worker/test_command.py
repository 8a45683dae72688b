"""The backend `command` with small programs, real ones, that do what programs do."""

import dataclasses
import io
import os
import re
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import psutil
import pytest
from PIL import Image

from ordu.protocol.params import Lora
from ordu.settings import SettingError, read
from ordu.worker.backends import (
    BackendError,
    Cancelled,
    Drawing,
    OutOfMemoryError,
    Progress,
    installed,
    load,
)
from ordu.worker.backends.command import CommandBackend, CommandSettings, drawing, program

START = """
import json, os, signal, subprocess, sys, time
from PIL import Image

def draw(job, out, colour=(200, 90, 40)):
    Image.new("RGB", (job["width"], job["height"]), colour).save(out, "PNG")
"""
# What a program that hangs writes its id into, so that a test knows that it runs.
RUNS = "open(os.environ['RUNS'] + str(os.getpid()), 'w').close()\n"
STAYS = """
for line in sys.stdin:
    job = json.loads(line)
"""


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder in which programs note that they run; in the end none of them does."""
    folder = tmp_path / "runs"
    folder.mkdir()
    monkeypatch.setenv("RUNS", f"{folder}{os.sep}")
    yield folder
    until(lambda: living(folder) == [])


def until(is_true: Callable[[], object]) -> None:
    """Wait for what other processes do, for ten seconds at most."""
    for _ in range(1000):
        if is_true():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it never came true")


def living(folder: Path) -> list[int]:
    """The programs noted there that still run."""
    return [
        int(each.name)
        for each in folder.iterdir()
        if psutil.pid_exists(int(each.name))
        and psutil.Process(int(each.name)).status() != psutil.STATUS_ZOMBIE
    ]


@pytest.fixture
def a_backend(tmp_path: Path) -> Iterator[Callable[..., CommandBackend]]:
    """A backend for a Python program, closed in the end."""
    backends: list[CommandBackend] = []

    def made(text: str, device: str = "", **change: Any) -> CommandBackend:
        file = tmp_path / f"program{len(backends)}.py"
        file.write_text(START + textwrap.dedent(text))
        run = (sys.executable, str(file))
        settings = CommandSettings(**{"run": run, "models": ("m",), "timeout_s": 30.0, **change})
        backends.append(CommandBackend(settings, device))
        return backends[-1]

    yield made
    for each in backends:
        each.close()


def a_drawing(**change: Any) -> Drawing:
    return Drawing(**{"prompt": "a fox", "width": 64, "height": 128, "model": "m", **change})


def drawn(backend: CommandBackend, **change: Any) -> Image.Image:
    return Image.open(io.BytesIO(backend.make(a_drawing(**change), lambda share: None).data))


def why_not(backend: CommandBackend, **change: Any) -> str:
    with pytest.raises(BackendError) as caught:
        drawn(backend, **change)
    assert type(caught.value) is BackendError
    return str(caught.value)


def cancels_when(is_true: Callable[[], object]) -> Progress:
    def progress(share: float) -> None:
        if is_true():
            raise Cancelled

    return progress


# A program for one picture


def test_a_picture_comes_on_standard_output(a_backend):
    backend = a_backend("draw(json.load(sys.stdin), sys.stdout.buffer)")
    image = drawn(backend)
    assert (image.size, image.getpixel((5, 5))) == ((64, 128), (200, 90, 40))


@pytest.mark.parametrize("place", ["job['out']", "os.environ['ORDU_OUT']"])
def test_a_picture_comes_in_the_file_that_is_named(a_backend, place):
    backend = a_backend(f"""
        job = json.load(sys.stdin)
        print("this is no picture")
        draw(job, {place})
    """)
    assert drawn(backend).size == (64, 128)


def test_a_shell_script_can_be_the_program(tmp_path):
    Image.new("RGB", (64, 128), "green").save(tmp_path / "ready.png")
    script = tmp_path / "draw.sh"
    script.write_text("#!/bin/sh\ncat > /dev/null\necho 'progress 0.5' >&2\nexec cat \"$1\"\n")
    script.chmod(0o755)
    backend = CommandBackend(
        CommandSettings(run=(str(script), str(tmp_path / "ready.png")), models=("m",))
    )
    assert drawn(backend).size == (64, 128)


def test_a_program_need_not_read_what_it_is_told(tmp_path):
    Image.new("RGB", (64, 128), "green").save(tmp_path / "ready.webp")
    backend = CommandBackend(
        CommandSettings(run=("cat", str(tmp_path / "ready.webp")), models=("m",))
    )
    assert drawn(backend, prompt="x" * 500_000).format == "WEBP"


def test_it_is_told_everything_about_the_drawing(a_backend, tmp_path, monkeypatch):
    monkeypatch.setenv("ORDU_API_KEY", "the-key-to-the-horde")
    told = tmp_path / "told.json"
    backend = a_backend(
        f"""
        job = json.load(sys.stdin)
        files = {{}}
        for each in ("source_image", "source_mask"):
            with Image.open(job[each]) as image:
                files[each] = [image.format, image.mode, image.size, image.getpixel((60, 3))]
        ours = {{name: each for name, each in os.environ.items() if name.startswith("ORDU")}}
        json.dump([job, files, ours], open({str(told)!r}, "w"))
        draw(job, sys.stdout.buffer)
        """,
        device="cuda:1",
    )
    source = io.BytesIO()
    Image.new("RGBA", (300, 300), (9, 8, 7, 255)).save(source, "WEBP", lossless=True)
    mask = io.BytesIO()
    Image.new("L", (64, 128), 255).save(mask, "PNG")
    drawn(
        backend, prompt="a fox; $(touch x)", seed=2**32 - 1, source_image=source.getvalue(),
        source_mask=mask.getvalue(), source_processing="inpainting", post_processing=("GFPGAN",),
        loras=(Lora(name="ink", model=0.5),),
    )  # fmt: skip
    job, files, ours = drawing.msgspec.json.decode(told.read_bytes())
    out, image, painted = (job.pop(each) for each in ("out", "source_image", "source_mask"))
    assert ours == {"ORDU_DEVICE": "cuda:1", "ORDU_OUT": out}
    assert not any(Path(each).exists() for each in (out, image, painted, Path(out).parent))
    assert files == {
        "source_image": ["PNG", "RGB", [64, 128], [9, 8, 7]],
        "source_mask": ["PNG", "L", [64, 128], 255],
    }
    assert job == {
        "version": 1, "device": "cuda:1", "prompt": "a fox; $(touch x)", "negative_prompt": "",
        "width": 64, "height": 128, "steps": 30, "cfg_scale": 5.0, "seed": 2**32 - 1,
        "sampler": "k_euler_a", "karras": True, "tiling": False, "model": "m",
        "source_processing": "inpainting", "denoising_strength": 0.75, "clip_skip": 1,
        "hires_fix": False, "hires_fix_denoising_strength": 0.65,
        "loras": [{"name": "ink", "model": 0.5, "clip": 1.0, "is_version": False}], "tis": [],
        "control_type": None, "image_is_control": False, "return_control_map": False,
        "post_processing": ["GFPGAN"], "facefixer_strength": None, "censor_nsfw": False,
    }  # fmt: skip


def test_progress_and_a_censored_picture_are_said_on_standard_error(a_backend, tmp_path):
    go = tmp_path / "go"
    backend = a_backend(f"""
        job = json.load(sys.stdin)
        print("loading", "progress 0.25", "censored", sep="\\n", file=sys.stderr, flush=True)
        while not os.path.exists({str(go)!r}):
            time.sleep(0.01)
        draw(job, sys.stdout.buffer)
    """)
    shares = []

    def progress(share: float) -> None:
        shares.append(share)
        if share == 0.25:
            go.touch()

    assert backend.make(a_drawing(), progress).is_censored
    assert set(shares) <= {0.0, 0.25}


@pytest.mark.parametrize(("text", "words"), [
    pytest.param("raise ValueError('no such sampler')",
                 "python.* ended with status 1: ValueError: no such sampler", id="an exception"),
    pytest.param("sys.exit('too tired')", "status 1: too tired", id="a status and a word"),
    pytest.param("sys.exit(7)", "status 7: it said nothing", id="a status"),
    pytest.param("os.kill(os.getpid(), signal.SIGSEGV)", "was killed by SIGSEGV", id="a crash"),
    pytest.param("os.kill(os.getpid(), signal.SIGRTMIN + 3)", r"killed by signal \d+",
                 id="a signal without a name"),
    pytest.param("print('here you are')", "given|picture that the program gave cannot be read",
                 id="nonsense instead of a picture"),
    pytest.param("print('model missing', file=sys.stderr)", "gave no picture: model missing",
                 id="nothing, and a word"),
    pytest.param("os.mkfifo(json.load(sys.stdin)['out'])", "names a picture that is not there",
                 id="a pipe as the file"),
    pytest.param("os.mkdir(json.load(sys.stdin)['out'])", "names a picture that is not there",
                 id="a folder as the file"),
    pytest.param("draw({'width': 64, 'height': 64}, sys.stdout.buffer)",
                 "a picture of 64 × 64 pixels instead of 64 × 128", id="another size"),
    pytest.param("sys.stderr.buffer.write(b'\\xff\\x00\\x1b[31m bad\\n'); sys.exit(3)",
                 r"status 3: � \[31m bad", id="control characters"),
    pytest.param("print('x' * 10**6, file=sys.stderr); sys.exit(3)", r"status 3: x{300}$",
                 id="an endless line"),
])  # fmt: skip
def test_a_program_that_fails_is_quoted(a_backend, text, words):
    with pytest.raises(BackendError, match=words):
        drawn(a_backend(text))


def test_post_processing_may_enlarge_a_picture(a_backend):
    backend = a_backend("draw({'width': 128, 'height': 256}, sys.stdout.buffer)")
    assert drawn(backend, post_processing=("RealESRGAN_x2plus",)).size == (128, 256)


def test_a_status_says_that_memory_was_too_little(a_backend):
    backend = a_backend("print('12 GB needed', file=sys.stderr); sys.exit(12)")
    with pytest.raises(OutOfMemoryError, match="12 GB needed"):
        drawn(backend)


@pytest.mark.parametrize("flood", [
    pytest.param("while True: sys.stdout.buffer.write(b' ' * 2**16)", id="without end"),
    pytest.param("sys.stdout.buffer.write(b' ' * 2**21)", id="and ends"),
])  # fmt: skip
def test_a_flood_is_not_kept_and_ends_the_program(a_backend, runs, monkeypatch, flood):
    monkeypatch.setattr(drawing, "OUTPUT_BYTES_MAX", 2**20)
    assert why_not(a_backend(RUNS + flood)).endswith("gave more than 1 MiB.")


def test_a_file_that_is_too_large_is_not_read(a_backend, monkeypatch):
    monkeypatch.setattr(drawing, "OUTPUT_BYTES_MAX", 1000)
    backend = a_backend("open(os.environ['ORDU_OUT'], 'wb').truncate(2000)")
    assert "gave more than" in why_not(backend)


def test_endless_talk_on_standard_error_keeps_the_last_lines(a_backend):
    backend = a_backend("""
        for number in range(20_000):
            print("line", number, end="\\r", file=sys.stderr)
        sys.exit(1)
    """)
    assert why_not(backend).endswith("status 1: line 19999")


HANG = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + RUNS + "time.sleep(600)\n"
POLITE = RUNS + "time.sleep(600)\n"
# The child ignores SIGTERM, holds the outputs open, and lives on when its parent is gone.
CHILD = f"import os, signal, time\n{HANG}"
FORKS = f"child = subprocess.Popen([sys.executable, '-c', {CHILD!r}])\n"
FORKS_AND_WAITS = FORKS + RUNS + "child.wait()\n"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "GRACE_S", 0.2)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("stays", [False, True], ids=["once", "stays"])
@pytest.mark.parametrize(("text", "processes"), [
    pytest.param(POLITE, 1, id="sleeps"),
    pytest.param(HANG, 1, id="does not listen to SIGTERM"),
    pytest.param(FORKS_AND_WAITS, 2, id="has a child that does not listen"),
])  # fmt: skip
def test_nothing_runs_on_when_nobody_wants_the_picture(a_backend, runs, text, processes, stays):
    backend = a_backend(text, stays=stays)
    progress = cancels_when(lambda: len(list(runs.iterdir())) == processes)
    with pytest.raises(Cancelled):
        backend.make(a_drawing(), progress)
    assert len(list(runs.iterdir())) == processes


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("stays", [False, True], ids=["once", "stays"])
def test_a_program_that_takes_too_long_is_ended(a_backend, runs, stays):
    reason = why_not(a_backend(HANG, stays=stays, timeout_s=0.5))
    assert "gave no picture within 0.5 s; the setting timeout_s allows longer" in reason


@pytest.mark.parametrize("stays", [False, True], ids=["once", "stays"])
def test_closing_kills_what_draws_although_nobody_can_wait_for_it(a_backend, runs, stays):
    backend = a_backend(HANG, stays=stays)
    reasons: list[str] = []
    thread = threading.Thread(target=lambda: reasons.append(why_not(backend)))
    thread.start()
    until(lambda: list(runs.iterdir()))
    backend.close()
    thread.join()
    assert "was killed by SIGKILL" in reasons[0]


@pytest.mark.parametrize("stays", [False, True], ids=["once", "stays"])
def test_what_is_closed_begins_nothing(a_backend, runs, stays):
    backend = a_backend(GOOD, stays=stays)
    backend.close()
    assert why_not(backend) == "The backend is closed."
    assert not list(runs.iterdir())


def test_closing_waits_for_a_program_that_is_being_started_and_kills_it():
    starting = Mock()
    running = program.Running()
    closing = threading.Thread(target=running.close)
    with running.beginning(starting):
        closing.start()
        closing.join(0.1)
        assert closing.is_alive()
    closing.join()
    starting.kill.assert_called_once_with()


def test_a_child_left_behind_ends_with_the_program_and_the_picture_is_kept(a_backend, runs):
    backend = a_backend(
        f"job = json.load(sys.stdin)\n{FORKS}"
        "while not os.listdir(os.environ['RUNS']): time.sleep(0.01)\n"
        "draw(job, sys.stdout.buffer)\n"
    )
    assert drawn(backend).size == (64, 128)
    assert len(list(runs.iterdir())) == 1


def test_a_daemon_that_holds_the_output_open_is_not_waited_for(a_backend, tmp_path, monkeypatch):
    monkeypatch.setattr(program, "DRAIN_S", 0.2)
    note = tmp_path / "daemon"
    backend = a_backend(f"""
        job = json.load(sys.stdin)
        child = subprocess.Popen(["sleep", "600"], start_new_session=True)
        open({str(note)!r}, "w").write(str(child.pid))
        draw(job, sys.stdout.buffer)
    """)
    try:
        assert drawn(backend).size == (64, 128)
    finally:
        psutil.Process(int(note.read_text())).kill()


def test_several_pictures_are_drawn_at_once_by_as_many_programs(a_backend, runs):
    backend = a_backend(
        RUNS + "job = json.load(sys.stdin)\n"
        "while len(os.listdir(os.environ['RUNS'])) < 3: time.sleep(0.01)\n"
        "draw(job, sys.stdout.buffer)\n"
    )
    sizes = []
    threads = [threading.Thread(target=lambda: sizes.append(drawn(backend).size)) for _ in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sizes == [(64, 128)] * 3


# A program that stays

GOOD = (
    RUNS
    + STAYS
    + """
    print("Loading weights ...")
    print(json.dumps({"progress": 0.5}))
    draw(job, job["out"], (job["seed"], 0, 0))
    print(json.dumps({"picture": job["out"]}), flush=True)
"""
)


def red(backend: CommandBackend, seed: int) -> int:
    """How red the picture of this seed is: as red as the seed."""
    return drawn(backend, seed=seed).getpixel((3, 3))[0]


def test_one_program_draws_all_pictures(a_backend, runs):
    backend = a_backend(GOOD, stays=True)
    assert [red(backend, seed) for seed in (11, 22, 33)] == [11, 22, 33]
    assert len(living(runs)) == 1
    backend.close()


def test_two_pictures_at_once_are_drawn_one_after_the_other(a_backend, runs):
    backend = a_backend(GOOD, stays=True)
    reds: list[int] = []
    threads = [
        threading.Thread(target=lambda seed=seed: reds.append(red(backend, seed)))
        for seed in (10, 20, 30)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(reds) == [10, 20, 30]
    assert len(living(runs)) == 1
    backend.close()


def test_progress_of_a_program_that_stays(a_backend):
    backend = a_backend(
        STAYS
        + """
    print(json.dumps({"progress": 7}), flush=True)
    draw(job, job["out"])
    print(json.dumps({"picture": job["out"], "censored": job["seed"] == 1}), flush=True)
    """,
        stays=True,
    )
    shares: list[float] = []
    assert backend.make(a_drawing(seed=1), shares.append).is_censored
    assert shares[-1] == 1.0
    assert set(shares[:-1]) <= {0.0, 1.0}, "0 until it says something"
    assert not backend.make(a_drawing(seed=2), shares.append).is_censored


def test_an_error_of_one_picture_leaves_the_program_running(a_backend, runs):
    backend = a_backend(
        RUNS
        + STAYS
        + """
    if job["seed"] == 1:
        print(json.dumps({"error": "no such\\nsampler"}), flush=True)
        continue
    if job["seed"] == 2:
        print(json.dumps({"error": "12 GB needed", "out_of_memory": True}), flush=True)
        continue
    draw(job, job["out"])
    print("{}", flush=True)
    """,
        stays=True,
    )
    assert why_not(backend, seed=1).endswith(": no such sampler")
    with pytest.raises(OutOfMemoryError, match="12 GB needed"):
        drawn(backend, seed=2)
    assert drawn(backend, seed=3).size == (64, 128)
    assert len(list(runs.iterdir())) == 1
    backend.close()


@pytest.mark.parametrize(("text", "words"), [
    pytest.param("sys.exit('lost the card')", "ended with status 1: lost the card", id="ends"),
    pytest.param("os.kill(os.getpid(), signal.SIGKILL)", "was killed by SIGKILL", id="is killed"),
    pytest.param("print('{what')", "not in the protocol .*: {what", id="prints nonsense"),
    pytest.param("print(json.dumps({'picture': 5}))", "not in the protocol", id="a wrong type"),
    pytest.param("print(json.dumps({'picture': '/nowhere/x.png'}))",
                 "a picture that is not there: /nowhere/x.png", id="names nothing"),
    pytest.param("print(json.dumps({'picture': '/dev/zero'}))", "not there", id="names a device"),
])  # fmt: skip
def test_a_program_that_breaks_is_started_again_for_the_next_picture(a_backend, runs, text, words):
    backend = a_backend(
        RUNS
        + STAYS
        + f"""
    if job["seed"] == 1:
        {text}
    else:
        draw(job, job["out"])
        print(json.dumps({{"picture": job["out"]}}))
    sys.stdout.flush()
    """,
        stays=True,
    )
    with pytest.raises(BackendError, match=words):
        drawn(backend, seed=1)
    assert drawn(backend, seed=2).size == (64, 128)
    backend.close()


def test_a_program_that_ends_after_each_picture_is_started_for_each(a_backend, runs):
    backend = a_backend(GOOD + "    sys.exit()\n", stays=True)
    for _ in range(2):
        assert drawn(backend, seed=1).size == (64, 128)
    backend.close()
    assert len(list(runs.iterdir())) == 2


def test_an_answer_too_many_is_not_taken_for_the_next_picture(a_backend, tmp_path):
    said = tmp_path / "said"
    backend = a_backend(
        STAYS
        + f"""
    draw(job, job["out"])
    print(json.dumps({{"picture": job["out"]}}), flush=True)
    print(json.dumps({{"error": "late"}}), flush=True)
    open({str(said)!r} + str(job["seed"]), "w").close()
    """,
        stays=True,
    )
    assert drawn(backend, seed=1).size == (64, 128)
    until(lambda: Path(f"{said}1").exists() and not backend._staying._answers.empty())
    assert drawn(backend, seed=2).size == (64, 128)


def test_a_program_that_does_not_read_cannot_hold_up_a_cancel(a_backend, runs):
    backend = a_backend(POLITE, stays=True)
    with pytest.raises(Cancelled):
        backend.make(a_drawing(prompt="x" * 500_000), cancels_when(lambda: list(runs.iterdir())))


def test_who_waits_for_a_turn_can_be_cancelled(a_backend, runs):
    backend = a_backend(POLITE, stays=True)
    stop = threading.Event()
    caught = []

    def first() -> None:
        with pytest.raises(Cancelled) as error:
            backend.make(a_drawing(), cancels_when(stop.is_set))
        caught.append(error)

    thread = threading.Thread(target=first)
    thread.start()
    until(lambda: list(runs.iterdir()))
    with pytest.raises(Cancelled):
        backend.make(a_drawing(), cancels_when(lambda: True))
    assert len(living(runs)) == 1
    stop.set()
    thread.join()
    assert len(caught) == 1


# The programs of the reference

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "backends" / "command.md"


def of_the_page(language: str) -> str:
    """The only block of a language, as it stands there."""
    (text,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S)
    return text


def test_the_shell_program_of_the_page_draws(tmp_path):
    Image.new("RGB", (64, 128), "green").save(tmp_path / "ready.png")
    script = tmp_path / "draw.sh"
    script.write_text(of_the_page("sh"))
    script.chmod(0o755)
    run = (str(script), str(tmp_path / "ready.png"))
    assert drawn(CommandBackend(CommandSettings(run=run, models=("m",)))).size == (64, 128)


def test_the_program_of_the_page_that_stays_draws(tmp_path):
    script = tmp_path / "draw.py"
    script.write_text(of_the_page("python"))
    settings = CommandSettings(run=(sys.executable, str(script)), models=("m",), stays=True)
    backend = CommandBackend(settings)
    assert [red(backend, seed) for seed in (1, 2)] == [1, 2]
    backend.close()


def test_the_page_names_every_field_that_a_program_is_told():
    page = PAGE.read_text("utf-8")
    told = ["version", "device", "out", *(each.name for each in dataclasses.fields(Drawing))]
    assert [name for name in told if f"`{name}`" not in page] == []


# Settings


def test_what_is_offered_is_what_is_set():
    settings = CommandSettings(
        run=("cat",), models=("a", "b"), max_pixels=512 * 512, img2img=True, inpainting=True,
        lora=True, samplers=("k_euler",), karras=False, features=("tiling",),
        post_processing=("GFPGAN",), controlnet=True,
    )  # fmt: skip
    offer = CommandBackend(settings).offer()
    assert (offer.models, offer.max_pixels, offer.features) == (("a", "b"), 512 * 512, {"tiling"})
    assert (offer.img2img, offer.inpainting, offer.lora, offer.controlnet) == (True,) * 4
    assert (offer.samplers, offer.karras, offer.post_processing) == (
        ("k_euler",),
        False,
        ("GFPGAN",),
    )


@pytest.mark.parametrize(("settings", "words"), [
    pytest.param({}, "needs a program: set run", id="no program"),
    pytest.param({"run": ("cat",)}, "set models", id="no models"),
    pytest.param({"run": ("no-such-program",), "models": ("m",)},
                 "There is no program no-such-program; check the setting run", id="not there"),
])  # fmt: skip
def test_settings_that_lack_something(settings, words):
    with pytest.raises(BackendError, match=words):
        CommandBackend(CommandSettings(**settings))


def test_a_program_that_cannot_be_started_any_more(a_backend, tmp_path):
    script = tmp_path / "tool"
    script.write_text("#!/nowhere/interpreter\n")
    script.chmod(0o755)
    backend = CommandBackend(CommandSettings(run=(str(script),), models=("m",)))
    assert "cannot be started: No such file or directory" in why_not(backend)


@pytest.mark.parametrize(("name", "text"), [("features", "flying"), ("post_processing", "magic")])
def test_settings_that_cannot_be_used_are_refused(name, text):
    with pytest.raises(SettingError, match="it takes any of"):
        read(CommandSettings, {name: text}, {}, backend="command")


def test_each_device_has_a_program_of_its_own():
    assert CommandBackend.devices(CommandSettings()) == ("",)
    settings = CommandSettings(run=("cat",), models=("m",), devices=("cuda:0", "cuda:1"))
    assert CommandBackend.devices(settings) == ("cuda:0", "cuda:1")
    assert CommandBackend(settings, "cuda:1").device == "cuda:1"


def test_it_is_installed_and_never_proposed():
    assert "command" in installed()
    assert load("command") is CommandBackend
    assert CommandBackend.find() == ()
