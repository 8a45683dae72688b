"""The socket that calls come in by, and what a server says once it answers them."""

import signal
import socket
from contextlib import suppress
from typing import Any

import msgspec

from ordu.settings import ServerSettings, SettingError

BACKLOG = 2048
HAND_OVER = signal.SIGUSR1  # to a server: another process has taken your place at this socket


class Started(msgspec.Struct, frozen=True):
    """What the one who started a server wants to know, a person or the supervisor.

    A supervisor may be older than the server that tells it this: fields may be added, with a
    default, and none may go.
    """

    url: str
    local_url: str  # for programs on this machine, also when a proxy stands before the other
    data: str
    new_admin_key: str | None  # told once, at the first start
    stops_within_s: float  # how long its end may take, from the signal on


def listen(settings: ServerSettings) -> socket.socket:
    """A socket on the address of the settings.

    Raises:
        SettingError: the address cannot be listened on.
    """
    try:
        return bound(settings.host, settings.port)
    except OSError as error:
        raise SettingError(
            f"Cannot listen on {settings.host} port {settings.port}: {error.strerror or error}. "
            "Choose another --port (0 takes any free one) or --host."
        ) from error


def bound(host: str, port: int) -> socket.socket:
    """A socket that listens there.

    Raises:
        OSError: it cannot.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    listener.setblocking(False)  # noqa: FBT003 - the standard library's own signature
    return listener


def inherited(descriptor: int) -> socket.socket:
    """The socket that the process which started us listens on, and others beside us."""
    return socket.socket(fileno=descriptor)


def files_max() -> int | None:
    """How many files and connections this process may have open, as many as the system allows.

    Many systems begin with 1,024, which a few hundred people can fill; None where nobody counts.
    """
    try:
        import resource  # noqa: PLC0415 - there is none on Windows
    except ModuleNotFoundError:
        return None
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(ValueError, OSError):  # some systems promise more than they give
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft


def addresses(settings: ServerSettings, listener: socket.socket) -> tuple[str, str]:
    """The URL that clients use, and the one for programs on this machine."""
    name: tuple[Any, ...] = listener.getsockname()
    nothing_before = msgspec.structs.replace(settings, public_url="")
    return settings.public_url_at(name[1]), nothing_before.public_url_at(name[1])
