# Written by hand. scripts/sync_client.py derives _sync_stream.py from it.
"""The events of a request from a horde that tells them as they happen.

A connection ends for many reasons: the server bounds its length, is restarted, or a proxy closes
it. The id of the last event says all that was seen, so the next connection goes on exactly there.
"""

from contextlib import aclosing

from ordu.client import wire
from ordu.client._async_line import AsyncLine
from ordu.client.errors import HordeError
from ordu.client.events import AsyncEvents, Blocks, Ended, event_of
from ordu.client.retrying import PAUSE_S_MIN
from ordu.client.waiting import FOR_EVER, Patience
from ordu.protocol import operations


class AsyncStream:
    """The events of one request, from the event after that of the id `after`."""

    def __init__(self, line: AsyncLine, request_id: str, after: str | None) -> None:
        self.request_id = request_id
        self.after = after
        self.is_over = False
        self._line = line

    async def events(self) -> AsyncEvents:
        """All events until the request has ended, over as many connections as it takes."""
        patience = Patience(self._line.clock, FOR_EVER, self._line.chance)
        while not self.is_over:
            pause_s = PAUSE_S_MIN
            try:
                async with aclosing(self.of_one_connection()) as events:
                    async for event in events:
                        patience = Patience(self._line.clock, FOR_EVER, self._line.chance)
                        yield event
            except HordeError as error:
                pause_s = patience.pause_s_after(error)
            if not self.is_over:
                await self._line.sleep(pause_s)

    async def of_one_connection(self, wait_s: int | None = None) -> AsyncEvents:
        """The events until the connection ends, after `wait_s` at the latest."""
        blocks = Blocks()
        end = FOR_EVER if wait_s is None else self._line.clock() + wait_s
        headers = {
            "Last-Event-ID": self.after,
            "Prefer": None if wait_s is None else f"wait={wait_s}",
        }
        async with self._line.stream(
            operations.get_async_events, headers, ids={"id": self.request_id}
        ) as response:
            self.is_over = response.status_code == wire.NOTHING_MORE
            async for data in response.aiter_bytes():
                for block in blocks.feed(data):
                    self.after = block.id or self.after
                    event = event_of(block, self.request_id)
                    if event is not None:
                        self.is_over = isinstance(event, Ended)
                        yield event
                if self._line.clock() > end:  # a server that does not know when to stop
                    return
