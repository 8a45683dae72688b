"""Streams of events: what happens to a request is told as it happens (Server-Sent Events).

A stream keeps nothing but what its reader has seen (`server.missed`); whatever wakes it, it sends
the difference to what is. So a slow reader skips what is over, and a server that was restarted goes
on where another stopped. While nothing happens a stream is a task that sleeps, and a comment now
and then, which keeps proxies from closing it.
"""

import asyncio
import time
from dataclasses import dataclass

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ordu.engine import end
from ordu.engine.followed import Followed
from ordu.engine.following import followed_progress
from ordu.engine.horde import Horde
from ordu.engine.progress import Progress
from ordu.protocol.errors import Refused
from ordu.protocol.events import DONE, STREAM
from ordu.server.hangups import HangUp, noticed, woken
from ordu.server.missed import Seen, ended, event, missed, unseen
from ordu.store.jobs import Job

STREAM_S_MAX = 600  # then the reader comes back by itself
HEARTBEAT_S = 15
SEND_S_MAX = 30  # a reader that takes nothing for so long is given up
RETRY_MS = 2_000  # after how long a reader comes back

HEADERS = (
    (b"content-type", f"{STREAM}; charset=utf-8".encode()),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # a proxy is not to gather it
)
BEGIN = f"retry: {RETRY_MS}\n\n".encode()
HEARTBEAT = b": still here\n\n"


@dataclass(eq=False)
class Reader:
    """Who reads a stream, and what of it was sent."""

    send: Send
    seen: Seen

    async def write(self, data: bytes, *, more: bool = True) -> None:
        """Send this, as soon as the reader has taken what was sent before.

        Raises:
            TimeoutError: it takes nothing.
        """
        async with asyncio.timeout(SEND_S_MAX):
            await self.send({"type": "http.response.body", "body": data, "more_body": more})


class EventStream(Response):
    """The answer that goes on: the events of a request from here to its end."""

    def __init__(
        self,
        horde: Horde,
        first: Progress,
        seen: Seen,
        length_s: int,
        headers: dict[str, str],
        callers: tuple[str, ...] = (),
    ) -> None:
        self.horde = horde
        self.callers = callers
        self.last = first
        self.seen = seen
        self.length_s = length_s
        self.status_code = 200
        self.background = None
        self.raw_headers = [
            *HEADERS,
            *((name.lower().encode(), value.encode()) for name, value in headers.items()),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; to a reader that hung up or takes nothing the rest is not sent."""
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)
        reader = Reader(send, self.seen)
        try:
            if scope["method"] != "HEAD":
                await reader.write(BEGIN)
                with (
                    self.horde.waits.held(self.callers),
                    self.horde.followed.following(self.last.request.id) as (followed, wakes),
                    noticed(receive, wakes) as hang_up,
                ):
                    await self.tell(reader, followed, hang_up)
                if hang_up.happened:
                    return
            await reader.write(b"", more=False)
        except TimeoutError:
            return  # the server closes the connection, because the answer is not complete

    async def tell(self, reader: Reader, followed: Followed, hang_up: HangUp) -> None:
        """Send what there is to say until the request has ended or the stream is long enough.

        It also ends when this server is about to: the reader comes back, and finds another.
        """
        deadline = time.monotonic() + self.length_s
        wakes, rounds = hang_up.event, -1
        while not hang_up.happened:
            wakes.clear()
            try:
                self.last = await followed_progress(self.horde, followed)
            except Refused:
                await reader.write(self.expired(reader.seen))
                return
            # The place in line is told at first, and then when the chore saw it move.
            with_place, rounds = followed.rounds != rounds, followed.rounds
            data, reader.seen = await self.missed(reader.seen, with_place=with_place)
            if data:
                await reader.write(data)
            left_s = deadline - time.monotonic()
            if self.last.done or left_s <= 0 or self.horde.is_leaving:
                return
            if not await woken(wakes, min(left_s, HEARTBEAT_S)) and left_s > HEARTBEAT_S:
                await reader.write(HEARTBEAT)

    async def missed(self, seen: Seen, *, with_place: bool) -> tuple[bytes, Seen]:
        """The events that were missed, with links to their pictures."""
        links = {job.id: await self.link(job) for job in unseen(seen, self.last)}
        return missed(seen, self.last, lambda job: links[job.id], with_place=with_place)

    def expired(self, seen: Seen) -> bytes:
        """The last event of a request that is gone."""
        return event(DONE, ended(self.last, "expired"), seen._replace(version="expired"))

    async def link(self, job: Job) -> str:
        """Where a picture is."""
        return await self.horde.links.get_url(end.picture_name(job))
