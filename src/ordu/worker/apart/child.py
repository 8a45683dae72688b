"""The process of a backend that runs apart: makes it, and does what the worker asks for.

It is started as `python -m ordu.worker.apart.child NUMBER` with the number of its socket, and ends
when it is told to or when the worker is gone. Standard input is a pipe into which the worker never
writes: that it closes is how the system itself ends this process (`_end_with_parent`).
"""

import faulthandler
import fcntl
import logging
import os
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import msgspec

from ordu.worker.apart.messages import (
    START,
    Answer,
    Ask,
    Cancel,
    Channel,
    Close,
    Make,
    Share,
    Start,
    TooLargeError,
    Wish,
    encoded,
    failure_of,
)
from ordu.worker.backends import Backend, BackendError, Cancelled, Drawing, Offer, Picture, load

OUT_OF_MEMORY_SCORE = 500  # of 1000; more is killed sooner
THREADS_MAX = 32  # a worker has no more jobs at once on a device


def main() -> None:
    """Serve one worker; does not return."""
    _end_with_parent()
    _be_first_out_of_memory()
    faulthandler.enable()  # a crash says on stderr where it was
    # Those who stop the worker may signal its whole group of processes: what is in hand goes on,
    # and the worker decides. A function, because programs that are started inherit "ignored".
    for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(each, lambda *_: None)
    connection = socket.socket(fileno=int(sys.argv[1]))
    connection.set_inheritable(False)
    try:
        exit_code = _serve(Channel(connection))
    except BaseException:  # noqa: BLE001 - threads that still draw must not keep what is broken
        traceback.print_exc()
        exit_code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(exit_code)


def _end_with_parent() -> None:
    """Have the system kill this process and those it starts when the worker's process is gone.

    Where the system cannot, the end of the socket is noticed by a thread. That needs Python to
    run, and a backend that hangs may not let it.
    """
    lifeline = os.dup(0)
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123 - for its number
        os.dup2(nothing.fileno(), 0)
    if sys.platform == "linux" and os.getpgrp() == os.getpid():
        fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpgrp())
        fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
        flags = fcntl.fcntl(lifeline, fcntl.F_GETFL)
        fcntl.fcntl(lifeline, fcntl.F_SETFL, flags | os.O_ASYNC)


def _be_first_out_of_memory() -> None:
    """Have Linux kill this process rather than the worker when the machine is out of memory."""
    with suppress(OSError):
        score = Path("/proc/self/oom_score_adj")
        score.write_text(str(max(OUT_OF_MEMORY_SCORE, int(score.read_text()))))


def _serve(channel: Channel) -> int:
    """Do what the worker asks for until it wants no more; the code to exit with."""
    wishes = msgspec.msgpack.Decoder(Wish)
    first = channel.receive()
    if first is None:
        return 0
    start = wishes.decode(first)
    assert isinstance(start, Start)
    try:
        backend = _made(start)
    except BaseException as error:  # noqa: BLE001 - a backend is somebody else's code
        _fail(channel, START, error)
        return 1
    channel.send(Answer(START, encoded(None)))
    desk = Desk(channel, backend)
    while (frame := channel.receive()) is not None:
        wish = wishes.decode(frame)
        if isinstance(wish, Close):
            desk.close()
            return 0
        desk.take(wish)
    if os.getpgrp() == os.getpid():  # the worker is gone; so must be what the backend started
        os.killpg(0, signal.SIGKILL)
    return 1


def _made(start: Start) -> Backend:
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s")
    for name, level in start.log_levels.items():
        logging.getLogger(name).setLevel(level)
    sys.path[:] = [os.fsdecode(folder) for folder in start.sys_path]
    try:
        kind = load(start.backend)
    except LookupError as error:
        raise BackendError(str(error.args[0] if error.args else error)) from error
    except ImportError as error:
        raise BackendError(f"The backend {start.backend} cannot be loaded: {error}.") from error
    settings = msgspec.msgpack.decode(start.settings, type=kind.settings_type)
    return kind(settings, start.device)


class Desk:
    """Takes wishes one after the other and has threads fulfil them."""

    def __init__(self, channel: Channel, backend: Backend) -> None:
        self._channel = channel
        self._backend = backend
        self._makers = ThreadPoolExecutor(THREADS_MAX, "make")
        self._offerer = ThreadPoolExecutor(1, "offer")  # what is offered does not wait for pictures
        self._wanted: set[int] = set()  # the numbers of pictures in hand
        self._is_closing = threading.Event()

    def take(self, wish: Wish) -> None:
        """Begin with what is wished."""
        match wish:
            case Ask(number):
                self._offerer.submit(self._answer, number, self._offered)
            case Make(number, drawing):
                self._wanted.add(number)
                self._makers.submit(self._answer, number, lambda: self._picture(number, drawing))
            case Cancel(number):
                self._wanted.discard(number)

    def close(self) -> None:
        """Let go of everything; the worker waits only so long."""
        self._is_closing.set()
        self._makers.shutdown(cancel_futures=True)
        self._offerer.shutdown(cancel_futures=True)
        self._backend.close()

    def _answer(self, number: int, fulfil: Callable[[], msgspec.Raw]) -> None:
        try:
            answer = Answer(number, fulfil())
            self._channel.send(answer)
        except TooLargeError as error:
            _fail(self._channel, number, BackendError(f"The picture is too large: {error}."))
        except BaseException as error:  # noqa: BLE001 - a backend is somebody else's code
            _fail(self._channel, number, error)
        finally:
            self._wanted.discard(number)

    def _offered(self) -> msgspec.Raw:
        return encoded(_checked(self._backend.offer(), Offer))

    def _picture(self, number: int, drawing_sent: msgspec.Raw) -> msgspec.Raw:
        def progress(share: float) -> None:
            if number not in self._wanted or self._is_closing.is_set():
                raise Cancelled
            self._channel.send(Share(number, float(share)))

        drawing = msgspec.msgpack.decode(drawing_sent, type=Drawing)
        return encoded(_checked(self._backend.make(drawing, progress), Picture))


def _checked(value: object, kind: type) -> object:
    if not isinstance(value, kind):
        raise BackendError(f"The backend gave back {type(value).__name__}, not {kind.__name__}.")
    return value


def _fail(channel: Channel, number: int, error: BaseException) -> None:
    """Tell the worker, and where it was, when it is no error that backends are to raise."""
    if not isinstance(error, BackendError | Cancelled):
        traceback.print_exception(error)
    with suppress(OSError):  # the worker is gone, and so is this process in a moment
        channel.send(failure_of(number, error))


if __name__ == "__main__":
    main()
