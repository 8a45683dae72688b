"""What a worker and a backend's process say to each other, and the socket they say it on.

A frame is four bytes of length and one struct in MessagePack. Nothing is pickled: whatever comes
out of a process that may have gone wrong is only ever read as one of the types below. What is
asked has a number, which comes back with everything that belongs to it.
"""

import socket
import threading
from contextlib import suppress
from typing import Literal, TypeAlias

import msgspec

from ordu.worker.backends import (
    BackendBrokenError,
    BackendError,
    Cancelled,
    OutOfMemoryError,
)

FRAME_BYTES_MAX = 256 * 2**20  # a picture, or a drawing with its source image and mask
LENGTH_BYTES = 4
WORDS_MAX = 2000  # characters of an error's message
START = 0  # the number of the first thing asked: to get ready

FailureKind: TypeAlias = Literal["cancelled", "memory", "broken", "failed"]
KINDS: dict[FailureKind, type[Exception]] = {  # the narrowest class of an error says its kind
    "cancelled": Cancelled,
    "memory": OutOfMemoryError,
    "broken": BackendBrokenError,
    "failed": BackendError,
}


class TooLargeError(Exception):
    """A message that is longer than the other side would read."""


class Start(msgspec.Struct, tag=True, frozen=True):
    """The first message: make the backend. Settings come here so that no `ps` shows a secret."""

    backend: str  # its entry point, or module:Class
    settings: msgspec.Raw  # its `repr` shows nothing
    device: str
    sys_path: list[bytes]  # where the worker finds modules; names of folders may be no Unicode
    log_levels: dict[str, int]  # of the worker's loggers; the root's name is empty


class Ask(msgspec.Struct, tag=True, frozen=True):
    """Say what can be made now."""

    number: int


class Make(msgspec.Struct, tag=True, frozen=True):
    """Make a picture."""

    number: int
    drawing: msgspec.Raw


class Cancel(msgspec.Struct, tag=True, frozen=True):
    """Nobody wants this picture any more."""

    number: int


class Close(msgspec.Struct, tag=True, frozen=True):
    """Let go of everything and end."""


class Answer(msgspec.Struct, tag=True, frozen=True):
    """What was asked for: nothing, an `Offer`, or a `Picture`."""

    number: int
    value: msgspec.Raw


class Failed(msgspec.Struct, tag=True, frozen=True):
    """What was asked for raised an error."""

    number: int
    kind: FailureKind
    words: str


class Share(msgspec.Struct, tag=True, frozen=True):
    """A share of a picture is done."""

    number: int
    share: float


Wish: TypeAlias = Start | Ask | Make | Cancel | Close  # from the worker
Reply: TypeAlias = Answer | Failed | Share  # to the worker


class Channel:
    """One end of the socket. Any thread may send, one receives."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._sending = threading.Lock()

    def send(self, message: Wish | Reply) -> None:
        """Send a message.

        Raises:
            TooLargeError: it was not sent, and others still can be.
            OSError: the other side is gone, or does not read.
            TypeError, ValueError, OverflowError: something in it cannot be sent.
        """
        body = msgspec.msgpack.encode(message)
        if len(body) > FRAME_BYTES_MAX:
            raise TooLargeError(f"{len(body) / 2**20:.0f} MiB")
        with self._sending:
            self._connection.sendall(len(body).to_bytes(LENGTH_BYTES, "big"))
            self._connection.sendall(body)

    def receive(self) -> bytearray | None:
        """The next message, not yet decoded; None when the other side is gone.

        Raises:
            TooLargeError: what comes is no message of ours.
        """
        length = self._exactly(LENGTH_BYTES)
        if length is None:
            return None
        size = int.from_bytes(length, "big")
        if size > FRAME_BYTES_MAX:
            raise TooLargeError(f"{size / 2**20:.0f} MiB")
        return self._exactly(size)

    def _exactly(self, size: int) -> bytearray | None:
        data = bytearray(size)
        rest = memoryview(data)
        while rest:
            try:
                count = self._connection.recv_into(rest)
            except OSError:
                return None
            if not count:
                return None
            rest = rest[count:]
        return data

    def close(self) -> None:
        """Let go of the socket, also under who is receiving."""
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._connection.close()


def encoded(value: object) -> msgspec.Raw:
    """A value as a part of a message.

    Raises:
        TypeError, ValueError, OverflowError: something in it cannot be sent.
    """
    return msgspec.Raw(msgspec.msgpack.encode(value))


def failure_of(number: int, error: BaseException) -> Failed:
    """An error as a message; one that no backend should raise tells its type too."""
    for kind, error_type in KINDS.items():
        if isinstance(error, error_type):
            return Failed(number, kind, _clean(str(error) or error_type.__name__))
    return Failed(number, "failed", _clean(in_words(error)))


def in_words(error: BaseException) -> str:
    """An unforeseen error by its type and message: `ValueError: no such sampler`."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def error_of(failed: Failed) -> Exception:
    """The error that a message tells of."""
    return KINDS[failed.kind](failed.words)


def _clean(words: str) -> str:
    """As much of a message as is sent; what is no Unicode in it would not be."""
    return words[:WORDS_MAX].encode(errors="replace").decode()
