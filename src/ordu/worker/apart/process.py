"""One process of a backend, as the worker sees it: started once, asked many things, ended once.

Three threads belong to it: one reads its answers, one what it prints, and one waits for its end,
which comes by itself, by `close` or by `kill`, and always leads to the same place (`_bury`): what
it started is killed, it is reaped, and whoever waits for an answer learns in words how it ended.
"""

import logging
import os
import queue
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile

import msgspec

from ordu.worker.apart.messages import (
    START,
    Answer,
    Ask,
    Cancel,
    Channel,
    Close,
    Failed,
    Make,
    Reply,
    Share,
    Start,
    TooLargeError,
    Wish,
    encoded,
    error_of,
)
from ordu.worker.backends import BackendError, Drawing

TAIL_LINES = 50
LINE_BYTES_MAX = 8192
END_S = 10.0  # what does not end by force in so long is stuck in the system, as in a driver
SAID_MAX = 300  # characters of what it last printed, in the message of an error
SHARES_MAX = 1000  # of one picture that nobody has looked at yet; more are left out
SEND_S = 60.0  # a process that reads nothing for so long hangs
DRAIN_S = 2.0  # for what a process has sent or printed before its end
SILENCES = 4  # so much longer than `stall_s` may a picture take its time while others go on
CRASH = "Fatal Python error: "  # what follows is for the log

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Limits:
    """How long things may take, in seconds."""

    start_s: float = 300.0  # until a backend can say what it offers; some import for a minute
    offer_s: float = 30.0
    stall_s: float = 900.0  # without a sign of life; loading a model gives none
    cancel_s: float = 10.0  # from "nobody wants it" to the end of drawing; twice a step if longer
    close_s: float = 10.0
    pause_s: float = 1.0  # before another start, doubled each time, when one has made nothing
    pause_s_max: float = 30.0


class Call:
    """Something asked of a process."""

    def __init__(
        self, number: int, *, is_picture: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.number = number
        self.is_picture = is_picture
        self.asked_at = clock()
        self.heard_at = self.asked_at
        self.answer: Future[msgspec.Raw] = Future()
        self.shares: queue.SimpleQueue[float | None] = queue.SimpleQueue()  # None: answered
        self._clock = clock
        self._step_s_max = 0.0  # the longest from one share to the next

    def hear(self, share: float) -> None:
        """Note that a share is done."""
        now = self._clock()
        if self.heard_at > self.asked_at:  # until the first share a model may have been loaded
            self._step_s_max = max(self._step_s_max, now - self.heard_at)
        self.heard_at = now
        if self.shares.qsize() < SHARES_MAX:
            self.shares.put(share)

    def silence_s(self, others_heard_at: float) -> float:
        """For how long nothing was heard, in seconds.

        A picture may wait for its turn behind others of the same device: they count, for a while.
        """
        now = self._clock()
        of_all = now - max(others_heard_at, self.heard_at)
        return max(of_all, (now - self.heard_at) / SILENCES)

    def patience_s(self, at_least_s: float) -> float:
        """How long it may take to let go of it: two of its steps, if that is more."""
        return max(at_least_s, 2 * self._step_s_max)

    def settle(self, answer: msgspec.Raw | Exception) -> None:
        """Give whoever waits the answer."""
        if isinstance(answer, Exception):
            self.answer.set_exception(answer)
        else:
            self.answer.set_result(answer)
        self.shares.put(None)


class Process:
    """A process that runs one device of a backend. `name` is how sentences about it begin."""

    def __init__(self, name: str, start: Start, limits: Limits) -> None:
        """Start it; `ready` waits until it can be asked.

        Raises:
            BackendError: no process can be started.
        """
        self._name = name
        self._limits = limits
        self.has_made = False  # a picture
        self.is_over = False  # it has ended or is about to; nothing more can be asked
        self.words = ""  # how it ended, once it has
        self._why = ""  # it is killed
        self._heard_at = time.monotonic()  # of any picture
        self._next_number = START
        self._calls: dict[int, Call] = {}
        self._lock = threading.Lock()
        self._offer_lock = threading.Lock()
        self._offer: Call | None = None  # asked for and not yet answered
        self._reaped = threading.Event()
        self._ended = threading.Event()  # and everybody was told
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._popen, connection = _spawned(name)
        self._channel = Channel(connection)
        self._started = self._ask(lambda _: start)  # before anybody can notice an end
        self._reader = _thread("apart-read", self._read)
        self._listener = _thread("apart-listen", self._listen)
        _thread("apart-bury", self._bury)

    @property
    def pid(self) -> int:
        """Its number."""
        return self._popen.pid

    # -- asking --------------------------------------------------------------------------------

    def ready(self, wait_s: float) -> bool:
        """Wait until it can be asked; False when it takes longer.

        Raises:
            BackendError: the backend cannot be used, or its process ended; the reason.
        """
        try:
            self._started.answer.result(wait_s)
        except TimeoutError:
            limit_s = self._limits.start_s
            if time.monotonic() < self._started.asked_at + limit_s:
                return False
            self.kill(f"was not ready after {limit_s:.0f} s")
            raise BackendError(f"{self._name} was not ready after {limit_s:.0f} s.") from None
        return True

    def offer(self) -> msgspec.Raw:
        """What it offers, encoded.

        Raises:
            BackendError: it says so, it ended, or it does not answer in time.
        """
        limit_s = self._limits.offer_s
        with self._offer_lock:
            call = self._offer = self._offer or self._ask(Ask)  # one at a time
        try:
            answer = call.answer.result(limit_s)
        except TimeoutError:
            if call.asked_at + self._limits.stall_s < time.monotonic():
                self.kill(f"did not say for {self._limits.stall_s:.0f} s what it offers")
            raise BackendError(f"{self._name} does not answer; waited {limit_s:.0f} s.") from None
        finally:
            with self._offer_lock:
                if call.answer.done() and self._offer is call:
                    self._offer = None
        return answer

    def make(self, drawing: Drawing) -> Call:
        """Begin with a picture.

        Raises:
            BackendError: the drawing cannot be sent, or the process ended.
        """
        try:
            drawing_sent = encoded(drawing)
            return self._ask(lambda number: Make(number, drawing_sent), is_picture=True)
        except (TypeError, ValueError, OverflowError) as error:
            raise BackendError(f"The job cannot be sent to its process: {error}") from error
        except TooLargeError as error:
            raise BackendError(f"The source image is too large: {error}.") from error

    def shares(self, call: Call) -> Iterator[float]:
        """The shares of a picture as they are done, until it is made; kills what stands still."""
        stall_s = self._limits.stall_s
        while True:
            left_s = stall_s - call.silence_s(self._heard_at)
            if left_s <= 0:
                self.kill(f"gave no sign of life for {stall_s:.0f} s")
                return
            with suppress(queue.Empty):
                share = call.shares.get(timeout=left_s)
                if share is None:
                    return
                yield share

    def cancel(self, call: Call) -> None:
        """Have it stop drawing and wait for that; kills it when it takes too long."""
        limit_s = call.patience_s(self._limits.cancel_s)
        try:
            self._channel.send(Cancel(call.number))
            call.answer.exception(limit_s)
        except TimeoutError:
            self.kill(f"went on for {limit_s:.0f} s with a picture that nobody wants")
        except OSError as error:
            self._unsent(error)

    def answer(self, call: Call) -> msgspec.Raw:
        """The picture, encoded, once its shares are at an end.

        Raises:
            BackendError: it could not be made.
            Cancelled: the backend let go of it.
        """
        try:
            return call.answer.result(END_S)
        except TimeoutError:
            raise BackendError(f"{self._name} {self._why} and cannot be ended.") from None

    def _ask(self, wish_of: Callable[[int], Wish], *, is_picture: bool = False) -> Call:
        with self._lock:
            if self.is_over:
                raise BackendError(self.words or f"{self._name} is ending.")
            call = Call(self._next_number, is_picture=is_picture)
            self._calls[call.number] = call
            self._next_number += 1
        try:
            self._channel.send(wish_of(call.number))
        except OSError as error:
            self._unsent(error)
        except BaseException:
            with self._lock:
                self._calls.pop(call.number, None)
            raise
        return call

    def _unsent(self, error: OSError) -> None:
        """Half a message was sent at most. If the process is gone, its end tells why."""
        if isinstance(error, BlockingIOError):
            self.kill(f"read nothing of what it was told for {SEND_S:.0f} s")

    # -- hearing -------------------------------------------------------------------------------

    def _read(self) -> None:
        replies = msgspec.msgpack.Decoder(Reply)
        try:
            while (frame := self._channel.receive()) is not None:
                self._hear(replies.decode(frame))
        except (TooLargeError, msgspec.MsgspecError) as error:
            self.kill(f"answered what cannot be read: {error}")
        if not self._reaped.wait(DRAIN_S):
            self.kill("let go of its connection")

    def _hear(self, reply: Reply) -> None:
        with self._lock:
            is_last = not isinstance(reply, Share)
            call = (self._calls.pop if is_last else self._calls.get)(reply.number, None)
        if call is None:
            return
        if call.is_picture:
            self._heard_at = time.monotonic()
        match reply:
            case Share(share=share):
                call.hear(share)
            case Answer(value=value):
                call.settle(value)
            case Failed():
                call.settle(error_of(reply))

    def _listen(self) -> None:
        assert self._popen.stdout is not None
        with self._popen.stdout as pipe:
            while data := pipe.readline(LINE_BYTES_MAX):
                # Progress bars write over their line: what stands there in the end counts.
                line = data.decode(errors="replace").rstrip().rpartition("\r")[2]
                if line:
                    self._tail.append(line)
                    log.debug("%s: %s", self._name, line)

    # -- ending --------------------------------------------------------------------------------

    def close(self) -> None:
        """End it and what is in hand, by force when it takes too long."""
        with self._lock:
            self.is_over = True
            self._why = self._why or "was closed"
        if not self._started.answer.done():
            self.kill("was closed")
        with suppress(OSError):
            self._channel.send(Close())
        if not self._ended.wait(self._limits.close_s):
            self.kill("was closed")
            self.has_ended()

    def kill(self, why: str) -> None:
        """End it by force; `why` goes on after its name, in the words of all who wait."""
        with self._lock:
            self.is_over = True
            self._why = self._why or why
            if not self._reaped.is_set():
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._popen.pid, signal.SIGKILL)

    def has_ended(self) -> bool:
        """Wait for the end of one that is over; False when even force does not end it."""
        return self._ended.wait(END_S)

    def _bury(self) -> None:
        """Wait for its end; then reap it and tell everybody."""
        if hasattr(os, "waitid"):
            with suppress(ChildProcessError):
                # It stays a zombie, so that the number of its group is nobody else's yet.
                os.waitid(os.P_PID, self._popen.pid, os.WEXITED | os.WNOWAIT)
        else:  # macOS before Python 3.13
            self._popen.wait()
        with self._lock:
            self.is_over = True
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._popen.pid, signal.SIGKILL)  # what it started
            code = self._popen.wait()
            self._reaped.set()
        self._reader.join(DRAIN_S)  # a picture may have been sent before the end
        self._listener.join(DRAIN_S)
        self._settle_all(f"{self._name} {self._why or how_it_ended(code, self._tail)}.")
        self._channel.close()
        if self._popen.stdin is not None:
            self._popen.stdin.close()
        self._ended.set()

    def _settle_all(self, words: str) -> None:
        log.debug("%s", words)
        with self._lock:
            calls = list(self._calls.values())
            self._calls.clear()
        for call in calls:
            call.settle(BackendError(words))
        error = self._started.answer.exception()
        self.words = str(error) if error else words


def how_it_ended(code: int, printed: Iterable[str]) -> str:
    """The end of a process in words that go on after its name; `printed` are its last lines."""
    if code == -signal.SIGKILL:
        return "was killed (signal 9): the machine may be out of memory"
    if code < 0:
        number = -code
        known = {each.value: each.name for each in signal.Signals}
        end = f"was ended by signal {number} ({known.get(number, 'unknown')})"
    else:
        end = f"ended with exit code {code}"
    lines = list(takewhile(lambda line: not line.startswith(CRASH), printed))
    return f"{end}; the last it said: {lines[-1][:SAID_MAX]}" if lines else end


def _spawned(name: str) -> tuple["subprocess.Popen[bytes]", socket.socket]:
    """A new process, and our end of the socket that leads to it.

    Our settings are not in its environment: they may hold keys, and it is told what concerns it.
    Ctrl-C is for the worker, so it has a group, and a session, of its own.
    """
    environment = {key: text for key, text in os.environ.items() if not key.startswith("ORDU_")}
    ours, theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", int(SEND_S), 0))
    number = theirs.fileno()
    with theirs:
        try:
            popen = subprocess.Popen(  # noqa: S603 - our own command
                [sys.executable, "-P", "-m", "ordu.worker.apart.child", str(number)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=environment,
                pass_fds=[number],
                start_new_session=True,
            )
        except OSError as error:
            ours.close()
            raise BackendError(f"{name} cannot be started: {error}.") from error
    return popen, ours


def _thread(name: str, work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    return thread
