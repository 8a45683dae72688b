"""How a server stops.

    SIGTERM   with `drain_s`: drain, then stop; without: stop
    SIGINT    stop
    SIGUSR1   hand over: the supervisor has started another process in our place
    a second  stop now, where it still drains

**A drain** is for those who have another server to go to. From its first moment `/readyz` says 503,
and every answer says `Connection: close`, so that whoever kept a connection opens the next one,
which may lead elsewhere. Calls are accepted and answered as ever: a proxy needs a moment to notice,
and who is alone has nobody to send them to. What can be waited for elsewhere just as well (a pop, a
check, events) is answered at once: nobody loses anything, and the sooner they ask again, the sooner
they are with a server that stays. Only calls that placed their own request (`generate/sync`) go on
until the stop, because to answer them is to drop what they asked for.

**A hand-over** is a drain in which nothing new is accepted, since others accept from this socket,
and `/readyz` stays as it is: who asks it means the address, and that stays.

**A stop** takes nothing new, finishes what is in hand within `grace_s`, and closes. A connection
that was accepted a moment ago and has not said anything yet gets a moment to do so: nobody else can
answer it. Kept connections on which nothing is going on are closed, and a call that is sent on one
in that very moment is lost; HTTP/1.1 has no word to prevent that. After a drain only those are left
that were idle through all of it. Idle ones are closed after five seconds anyway, so a drain of more
than that leaves none.
"""

import asyncio
import signal
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn

from ordu.engine.horde import Horde
from ordu.server.connections import Config
from ordu.server.listening import HAND_OVER
from ordu.settings import ServerSettings

FIRST_CALL_S_MAX = 0.5  # how long a new connection may take to say what it wants, at a stop
LOOK_S = 0.02
CLOSING_S_MAX = 15.0  # for the last writes and what else is closed after the calls


def stops_within_s(settings: ServerSettings) -> float:
    """How long a server may take from SIGTERM to its end."""
    return settings.drain_s + FIRST_CALL_S_MAX + settings.grace_s + CLOSING_S_MAX


class Server(uvicorn.Server):
    """Uvicorn, that drains before it stops and tells the horde of both."""

    def __init__(
        self, config: Config, horde: Horde, farewell: Callable[[], Awaitable[None]]
    ) -> None:
        super().__init__(config)
        self.bounds = config.bounds
        self.horde = horde
        self.farewell = farewell

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop when asked by a signal.

        Uvicorn raises the signal again after its end, which would kill us before the horde is
        closed; here a stop that was asked for is no failure, and a second SIGTERM changes nothing.
        """
        if threading.current_thread() is threading.main_thread():
            loop = asyncio.get_running_loop()
            for each in (signal.SIGINT, signal.SIGTERM, HAND_OVER):
                loop.add_signal_handler(each, self.handle_exit, each, None)
        yield

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: look at some of the connections."""
        self.bounds.look_on(asyncio.get_running_loop().time())
        return await super().on_tick(counter)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal: drain, hand over, or stop."""
        is_first = not (self.horde.is_leaving or self.should_exit)
        if is_first and sig == HAND_OVER:
            self.accept_no_more()
            self.drain(sig, is_replaced=True)
        elif is_first and sig == signal.SIGTERM and self.horde.settings.drain_s:
            self.drain(sig, is_replaced=False)
        else:
            super().handle_exit(sig, frame)

    def drain(self, sig: int, *, is_replaced: bool) -> None:
        """Have callers go elsewhere for a while, then stop."""
        self.send_elsewhere()
        self.horde.leave(is_replaced=is_replaced)
        stop = super().handle_exit
        asyncio.get_running_loop().call_later(self.horde.settings.drain_s, stop, sig, None)

    def accept_no_more(self) -> None:
        """Leave those who connect from now on to others, or refuse them where there are none."""
        for each in self.servers:
            each.close()

    def send_elsewhere(self) -> None:
        """From now on each answer closes its connection, also those to calls that are here already.

        Answers that have begun are left alone: their caller was not told, and may send the next
        call in the moment of the close. That one is told.
        """
        close = (b"connection", b"close")
        self.config.encoded_headers.append(close)  # what uvicorn makes the next list from
        self.server_state.default_headers.append(close)  # the list that calls in hand look at

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop taking calls and finish what is in hand; calls that wait long see that we stop."""
        await self.farewell()
        if not self.horde.is_leaving:
            self.send_elsewhere()
        self.horde.stop()
        self.accept_no_more()
        await self.hear_out()
        await super().shutdown(sockets)

    async def hear_out(self) -> None:
        """Let those who have just connected say what they want, so that they get an answer."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + FIRST_CALL_S_MAX
        # At least once: a connection is heard of a turn of the loop after it was accepted.
        await asyncio.sleep(LOOK_S)
        while loop.time() < deadline and self.has_silent():  # noqa: ASYNC110 - uvicorn tells nobody
            await asyncio.sleep(LOOK_S)

    def has_silent(self) -> bool:
        """Whether there is a connection that has never sent a call."""
        return any(getattr(each, "cycle", None) is None for each in self.server_state.connections)
