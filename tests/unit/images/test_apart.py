"""Pictures are decoded in a process that has nothing to lose, and that may die."""

import asyncio
import io
import os
import pickle
import signal
import subprocess
import sys
import time
import zlib
from multiprocessing import Pipe
from pathlib import Path

import pytest
from PIL import Image
from tests.builders import a_picture

from ordu.images import apart, pixels
from ordu.images.apart import Answer, Task
from ordu.images.pixels import Seen, UnreadableError

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc"),
]

MARKED = {"ORDU_SECRET": "canary-of-the-environment"}


def a_bomb(side: int) -> bytes:
    """A PNG that says it is so large; its pixels are not there."""
    bomb = bytearray(a_picture(form="PNG"))
    bomb[16:24] = side.to_bytes(4, "big") * 2
    bomb[29:33] = zlib.crc32(bomb[12:29]).to_bytes(4, "big")
    return bytes(bomb)


def python(code: str, *arguments: str, **more: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=60,
        check=False, env={**os.environ, **MARKED}, **more,
    )  # fmt: skip


@pytest.fixture
def child():
    """The process of a thread, here of this one."""
    apart.ask(Task("texts_in", a_picture(), {}))
    yield apart.OWN.child
    if apart.OWN.child is not None:
        apart.OWN.child.end()
        apart.OWN.child = None


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
async def test_what_comes_back_is_a_picture(form):
    data = a_picture(64, 32, form=form)
    seen = await apart.run("stretched", data, width=32, height=64)
    with Image.open(io.BytesIO(seen.data)) as image:
        assert (image.format, image.size) == ("PNG", (32, 64))
    marked = await apart.run("with_text", data, name="parameters", text="a fox")
    assert (await apart.run("texts_in", marked.data)).texts == {"parameters": "a fox"}


@pytest.mark.parametrize("side", [3073, 20_000, 60_000, 2**31 - 1])
async def test_a_picture_that_would_be_large_is_not_decoded(side):
    for look in (pixels.check_size, pixels.decoded):
        with pytest.raises(UnreadableError, match=r"pixels|size"):
            look(a_bomb(side))
    with pytest.raises(UnreadableError):
        await apart.run("texts_in", a_bomb(side))


async def test_what_is_damaged_is_said_to_be_and_ends_nothing(child):
    whole = a_picture(form="PNG")
    for data in (whole[:-40], whole[:60] + bytes(40) + whole[100:], b"x", b""):
        assert apart.ask(Task("texts_in", data, {})).unreadable
    assert apart.ask(Task("no task", whole, {})).unreadable
    assert apart.OWN.child is child


def test_it_can_open_nothing_and_knows_nothing(child, monkeypatch):
    process = Path(f"/proc/{child.process.pid}")
    limits = (process / "limits").read_text(encoding="ascii")
    for what in ("Max open files", "Max file size", "Max core file size"):
        (line,) = [each for each in limits.splitlines() if each.startswith(what)]
        assert line.removeprefix(what).split()[:2] == ["0", "0"], line
    environment = (process / "environ").read_bytes()
    assert {each.partition(b"=")[0] for each in environment.split(b"\0")} <= {b"", b"LC_CTYPE"}


CONFINED = """
import socket, subprocess, sys
from ordu.images import apart
apart.warm_up()
apart.confine()
for attempt in (lambda: open("/etc/passwd"), socket.socket, lambda: subprocess.run(["true"]),
                lambda: open("/tmp/written-by-a-decoder", "w")):
    try:
        attempt()
    except OSError:
        continue
    sys.exit("something could be opened")
"""


def test_in_it_no_file_connection_or_program_can_be_opened():
    done = python(CONFINED)
    assert done.returncode == 0, done.stderr


BOUNDED = """
import sys
from ordu.images import apart
apart.warm_up()
data = sys.stdin.buffer.read()
apart.MEMORY_BYTES_MAX = int(sys.argv[1]) * 2**20
apart.confine()
for task, options in (("written", {"format": "jpeg", "quality": 90}),
                      ("with_text", {"name": "n", "text": "t"})):
    print(apart.done(apart.Task(task, data, options)).unreadable)
"""


@pytest.fixture(scope="module")
def largest() -> bytes:
    """A noisy picture of all the pixels that are decoded, with an alpha channel."""
    side = int(pixels.PIXELS_MAX**0.5)
    noise = Image.effect_noise((side, side), 90)
    buffer = io.BytesIO()
    Image.merge("RGBA", [noise] * 4).save(buffer, "PNG", compress_level=0)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("megabytes", "said"),
    [(apart.MEMORY_BYTES_MAX // 2**20, ["", ""]), (8, ["takes too much memory to be read"] * 2)],
    ids=["the largest fits", "more is refused"],
)
def test_what_takes_too_much_memory_is_not_read(largest, megabytes, said):
    done = subprocess.run(
        [sys.executable, "-c", BOUNDED, str(megabytes)], input=largest, capture_output=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert done.stdout.decode().splitlines() == said, done.stderr


ENDLESS = "from ordu.images import apart\napart.CPU_S_MAX = 0\napart.allow_time()\nwhile True: pass"


def test_what_takes_too_much_time_ends_the_process_and_no_more():
    assert python(ENDLESS).returncode == -signal.SIGXCPU


def test_one_that_dies_costs_one_picture(child):
    child.process.kill()
    child.process.wait()
    answer = apart.ask(Task("texts_in", a_picture(), {}))
    assert answer == Answer(seen=Seen())
    assert apart.OWN.child is not child


def test_one_that_hangs_is_ended_and_replaced(child, monkeypatch):
    monkeypatch.setattr(apart, "TIMEOUT_S", 0.05)
    os.kill(child.process.pid, signal.SIGSTOP)
    answer = apart.ask(Task("texts_in", a_picture(), {}))
    assert "too much time" in answer.unreadable
    assert child.process.poll() == -signal.SIGKILL
    monkeypatch.undo()
    assert apart.ask(Task("texts_in", a_picture(), {})).seen == Seen()


class Evil:
    """What a process answers that somebody has taken over."""

    def __reduce__(self):
        return os._exit, (7,)


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(pickle.dumps(Evil()), id="code"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"\xc1" * 100, id="nonsense"),
        pytest.param(b"\x81\xa4seen\xa4text", id="another type"),
    ],
)
def test_what_it_answers_is_read_as_data(said, monkeypatch):
    ours, theirs = Pipe()
    ended = []

    class Taken(apart.Child):
        def __init__(self) -> None:
            self.connection, self.process = ours, subprocess.Popen(["true"])
            self.process.wait()
            self.process.poll = lambda: None

        def end(self) -> None:
            ended.append(self)

    monkeypatch.setattr(apart.OWN, "child", Taken(), raising=False)
    theirs.send_bytes(said)
    assert apart.ask(Task("texts_in", a_picture(), {})).unreadable
    assert len(ended) == 1
    assert apart.OWN.child is None


async def test_no_more_are_decoded_at_once():
    """Each thread of the module has one process; that of this thread is a test's."""
    data = a_picture()
    await asyncio.gather(*(apart.run("texts_in", data) for _ in range(8)))
    others = apart.CHILDREN - {getattr(apart.OWN, "child", None)}
    assert 1 <= len(others) <= apart.AT_ONCE


KILLED = """
import os, signal
from ordu.images import apart
apart.ask(apart.Task("texts_in", b"", {}))
print(apart.OWN.child.process.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_it_ends_with_the_server_however_that_ends():
    pid = int(python(KILLED).stdout)
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and " Z " not in Path(f"/proc/{pid}/stat").read_text():
        assert time.monotonic() < deadline, "it is still there"
        time.sleep(0.02)
