"""Decoding apart: pictures of strangers are unpacked in a process that has nothing to lose.

A hole in a decoder then leads into a program that is started anew with an empty environment, knows
no secret and no path, may open no file and no connection, and has so much memory and time. What it
answers is read as data of one type, never as code. When it dies, which may be somebody's intention,
that one picture cannot be read, and the next has a new process.

Each of the few threads of this module has one such process and waits for it. They are started when
they are needed first, and end with this process: their only connection closes then.
"""

import asyncio
import atexit
import resource
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from multiprocessing import Pipe
from multiprocessing.connection import Connection

import msgspec

from ordu.images.pixels import TASKS, NothingTransparentError, Seen, UnreadableError

AT_ONCE = 2  # processes
MEMORY_BYTES_MAX = 512 * 2**20  # of one, beyond what it has when it is ready
CPU_S_MAX = 20  # for one picture
TIMEOUT_S = 30.0  # for one picture, also on a machine that is busy
START_S = 30.0
ANSWER_BYTES_MAX = 128 * 2**20  # a PNG of the largest picture has 40
FILES_MAX = 0  # that may be opened

READY = b"ready"


class Task(msgspec.Struct, frozen=True):
    """What is to be done to a picture."""

    name: str
    data: bytes
    options: dict[str, int | str]


class Answer(msgspec.Struct, frozen=True):
    """What became of it, or why nothing did."""

    seen: Seen | None = None
    unreadable: str = ""
    is_nothing_transparent: bool = False


async def run(task: str, picture: bytes, **options: int | str) -> Seen:
    """Have one of `pixels.TASKS` done to a picture.

    Raises:
        UnreadableError: it cannot be decoded, or took too much time or memory.
        NothingTransparentError: as `pixels.white_where_transparent`.
    """
    wanted = Task(task, picture, options)
    answer = await asyncio.get_running_loop().run_in_executor(threads(), ask, wanted)
    if answer.is_nothing_transparent:
        raise NothingTransparentError
    if answer.seen is None:
        raise UnreadableError(answer.unreadable)
    return answer.seen


@cache
def threads() -> ThreadPoolExecutor:
    """The threads that wait for the processes."""
    return ThreadPoolExecutor(AT_ONCE, "pixels")


# On this side


class Child:
    """A process that decodes, and the connection to it."""

    def __init__(self) -> None:
        ours, theirs = Pipe()
        with theirs:
            command = [sys.executable, "-I", "-m", __name__, str(theirs.fileno())]
            self.process = subprocess.Popen(  # noqa: S603 - this module, in a process of its own
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={},
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C is for the server
            )
        self.connection = ours
        CHILDREN.add(self)
        if self.receive(START_S) != READY:
            raise EOFError("it did not begin")

    def ask(self, task: Task) -> Answer:
        """Have it do something.

        Raises:
            EOFError, OSError, msgspec.MsgspecError: it died, takes too long, or speaks nonsense.
        """
        self.connection.send_bytes(msgspec.msgpack.encode(task))
        return msgspec.msgpack.decode(self.receive(TIMEOUT_S), type=Answer)

    def receive(self, within_s: float) -> bytes:
        """What it says next.

        Raises:
            EOFError, OSError: nothing, or too much.
        """
        if not self.connection.poll(within_s):
            raise EOFError("it takes too long")
        return self.connection.recv_bytes(ANSWER_BYTES_MAX)

    def end(self) -> None:
        """End it, whatever it is doing."""
        CHILDREN.discard(self)
        self.connection.close()
        self.process.kill()
        self.process.wait()


CHILDREN: set[Child] = set()
OWN = threading.local()  # the child of each thread


def ask(task: Task) -> Answer:
    """Have this thread's process do something; one that fails at it is replaced."""
    child: Child | None = getattr(OWN, "child", None)
    try:
        if child is not None and child.process.poll() is not None:
            child.end()  # it has ended; what it held is given back
            child = None
        if child is None:
            child = OWN.child = Child()
        return child.ask(task)
    except (EOFError, OSError, msgspec.MsgspecError):
        if child is not None:
            child.end()
        OWN.child = None
        return Answer(unreadable="took too much time or memory to be read")


@atexit.register
def end_all() -> None:
    """End them with this process."""
    for child in list(CHILDREN):
        child.end()


# On the other side


def main() -> None:
    """Be the process: decode what comes until nobody is there any more."""
    connection = Connection(int(sys.argv[1]))
    warm_up()
    confine()
    connection.send_bytes(READY)
    with suppress(EOFError, OSError):
        while True:
            allow_time()
            task = msgspec.msgpack.decode(connection.recv_bytes(), type=Task)
            connection.send_bytes(msgspec.msgpack.encode(done(task)))


def done(task: Task) -> Answer:
    """What becomes of a task."""
    try:
        return Answer(TASKS[task.name](task.data, task.options))
    except NothingTransparentError:
        return Answer(is_nothing_transparent=True)
    except UnreadableError as error:
        return Answer(unreadable=str(error))
    except MemoryError:
        return Answer(unreadable="takes too much memory to be read")
    except Exception as error:  # noqa: BLE001 - a decoder may raise anything, and this ends nothing
        return Answer(unreadable=f"cannot be read: {type(error).__name__}")


def warm_up() -> None:
    """Do everything once, so that nothing has to be loaded when no file may be opened."""
    import io  # noqa: PLC0415 - only here

    from PIL import Image  # noqa: PLC0415 - it need not be installed where this is imported

    options: dict[str, int | str] = {"quality": 90, "width": 8, "height": 8, "name": "n"}
    for form in ("png", "webp", "jpeg"):
        buffer = io.BytesIO()
        mode = "RGB" if form == "jpeg" else "RGBA"
        Image.new(mode, (16, 16)).save(buffer, form)
        for name in TASKS:
            done(Task(name, buffer.getvalue(), options | {"format": form, "text": "t"}))
    done(Task("texts_in", b"", {}))


def confine() -> None:
    """Give up what decoding does not need."""
    bounds = {
        resource.RLIMIT_AS: _address_space() + MEMORY_BYTES_MAX,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: FILES_MAX,
    }
    for what, most in bounds.items():
        with suppress(OSError, ValueError):  # not every system has each of them
            resource.setrlimit(what, (most, most))


def _address_space() -> int:
    """How many bytes of addresses this process has; a guess where the system does not tell."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - no path is needed
            return int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        return 2**30


def allow_time() -> None:
    """Let the next picture take so much time of a core; then the system ends this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + 1 + CPU_S_MAX
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main()
