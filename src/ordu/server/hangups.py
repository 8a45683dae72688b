"""Hang-ups: notice that a caller has gone while its call waits, without looking for it.

The next event of a connection whose body was read is its end, so somebody waits for that event: a
task that costs memory while nothing happens, and no time.
"""

import asyncio
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress

from starlette.responses import Response
from starlette.types import Receive, Scope, Send


class HangUp:
    """Whether a caller has hung up; the event is set when it does."""

    def __init__(self, event: asyncio.Event) -> None:
        self.event = event
        self.happened = False

    async def listen(self, receive: Receive) -> None:
        """Wait for the end of the connection; a body that nobody wants comes before it."""
        while (await receive())["type"] != "http.disconnect":
            pass
        self.happened = True
        self.event.set()


@contextmanager
def noticed(receive: Receive, event: asyncio.Event) -> Iterator[HangUp]:
    """Set this event when the caller hangs up."""
    hang_up = HangUp(event)
    listening = asyncio.get_running_loop().create_task(hang_up.listen(receive))
    try:
        yield hang_up
    finally:
        listening.cancel()


def is_gone(receive: Receive) -> bool:
    """Whether a caller has hung up; nothing is waited for.

    To step into the wait for the end of the connection and out again takes a fiftieth of the time
    of a task that is cancelled.
    """
    waiting = receive().__await__()
    try:
        next(waiting)
    except StopIteration as event:
        return bool(event.value["type"] == "http.disconnect")
    finally:
        if isinstance(waiting, Generator):
            waiting.close()
    return False


class Unless(Response):
    """An answer that is sent, unless its caller has hung up by then: that is told.

    Between the last look and the handing over to the connection nothing else runs, unless the
    connection is so full that it has to be waited for.
    """

    def __init__(self, response: Response, lost: Callable[[], None]) -> None:
        self.response = response
        self.lost = lost
        self.status_code = response.status_code
        self.background = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Send it, or tell that nobody is there."""
        is_sent = False
        try:
            if not is_gone(receive):
                headers = self.response.raw_headers
                status = self.status_code
                await send({"type": "http.response.start", "status": status, "headers": headers})
                if not is_gone(receive):
                    await send({"type": "http.response.body", "body": self.response.body})
                    is_sent = True
        finally:  # also when this task is cancelled
            if not is_sent:
                self.lost()


async def woken(event: asyncio.Event, within_s: float) -> bool:
    """Wait for an event for so long at most; whether it came."""
    with suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            await event.wait()
    return event.is_set()
