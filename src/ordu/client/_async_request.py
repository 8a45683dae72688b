# Written by hand. scripts/sync_client.py derives _sync_request.py from it.
"""A placed request, as somebody sees it who waits for its pictures.

A horde that offers it is listened to: it tells what happens as it happens. Others are asked how far
it is, without its pictures, until it is done; those that can answer when something has happened.
Then it is read once: servers of 2022 forget it with that. A horde that is away for a moment (a
restart) or has too much to do is asked again.
"""

from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace

from ordu.client import wire
from ordu.client._async_line import AsyncLine
from ordu.client._async_stream import AsyncStream
from ordu.client.errors import HordeError, RequestFaulted, Unreachable
from ordu.client.events import Ended, Moved, PictureReady, RequestEvent
from ordu.client.pictures import Picture, Progress, picture_of, progress_of
from ordu.client.waiting import AsyncSleep, Clock, Pace, Patience
from ordu.client.wire import Answer, known
from ordu.protocol import operations
from ordu.protocol.operations import Operation
from ordu.protocol.requests import RequestStatusCheck, RequestStatusStable

WAIT_S = 10  # for how long the server is asked to wait for a change


class AsyncRequest:
    """A request with this id, waited for until `deadline` on the clock.

    `has_events` says whether the horde offered to tell what happens to it.
    """

    def __init__(
        self,
        line: AsyncLine,
        request_id: str,
        deadline: float,
        sleep: AsyncSleep,
        clock: Clock,
        *,
        has_events: bool = False,
    ) -> None:
        self.id = request_id
        self._line = line
        self._deadline = deadline
        self._sleep = sleep
        self._clock = clock
        self._has_events = has_events
        self._stream = AsyncStream(line, request_id, None, sleep, clock)
        self._progress: Progress | None = None
        self._version: str | None = None  # that the last look saw
        self._tell: Callable[[Progress], None] = _ignore

    async def watch(self, on_progress: Callable[[Progress], None] | None) -> None:
        """Wait until it is done; whatever is learnt of it is told to `on_progress`."""
        self._tell = on_progress or _ignore
        pace, before, wait_s = Pace(), None, 0
        while not (self._has_events and await self._listen()):
            asked_at = self._clock()
            progress = await self._look(wait_s)
            if progress is not None and progress.is_over:
                return
            self._patience().check_time()
            # A look that brought nothing new says nothing of its place in line: the next one does.
            wait_s = 0 if progress is None else min(WAIT_S, self._left_s())
            if progress is not None and progress.counts != before:
                pace, before = Pace(), progress.counts
            pause_s = pace.next_pause_s(0 if progress is None else progress.wait_s)
            if (pause_s := pause_s - (self._clock() - asked_at)) > 0:
                await self._sleep(pause_s)

    async def _listen(self) -> bool:
        """Be told what happens to it; whether it ended meanwhile.

        Where that is refused, or does not get through, it is not tried again.
        """
        is_heard = False
        try:
            async with aclosing(self._stream.of_one_connection(self._left_s())) as events:
                async for event in events:
                    is_heard = True
                    self._hear(event)
                    if isinstance(event, Ended):
                        return True
        except HordeError as error:
            self._has_events = is_heard and isinstance(error, Unreachable)
        return False

    def _hear(self, event: RequestEvent) -> None:
        if isinstance(event, Moved):
            if self._progress is not None:
                position, wait_s = event.position, event.wait_s
                self._know(replace(self._progress, position=position, wait_s=wait_s))
        elif not isinstance(event, PictureReady):
            self._know(event.progress)

    def _know(self, progress: Progress) -> None:
        self._progress = progress
        self._tell(progress)

    async def _look(self, wait_s: int) -> Progress | None:
        """How far it is now; None when nothing has happened since the last look, after `wait_s`."""
        more: dict[str, str | None] = {}
        if wait_s:
            more = {"Prefer": f"wait={wait_s}", "If-None-Match": self._version}
        answer = await self._insist(operations.get_async_check, more)
        if answer.status == wire.NOT_MODIFIED:
            return None
        self._version = answer.headers.get("etag")
        check = wire.read(answer, RequestStatusCheck, operations.get_async_check.name)
        progress = progress_of(self.id, check)
        self._know(progress)
        return progress

    async def collect(self) -> list[Picture]:
        """The pictures of the finished request; raises `RequestFaulted` with those there are."""
        answer = await self._insist(operations.get_async_status, {})
        status = wire.read(answer, RequestStatusStable, operations.get_async_status.name)
        pictures = []
        for generation in known(status.generations, []):
            data = await self._fetch(known(generation.img, ""))
            pictures.append(picture_of(generation, data))
        if known(status.faulted, default=False) or not pictures:
            raise RequestFaulted(
                f"The request failed; {len(pictures)} of its pictures were finished.", pictures
            )
        return pictures

    async def give_up(self) -> bool:
        """Cancel it, because nobody waits for it any more; whether the horde heard of it."""
        try:
            await self._line.call(
                operations.delete_async_status,
                RequestStatusStable,
                ids={"id": self.id},
                timeout_s=wire.CANCEL_TIMEOUT_S,
            )
        except HordeError:
            return False  # there is something more important to report
        return True

    async def _insist(self, operation: Operation, more: dict[str, str | None]) -> Answer:
        patience = self._patience()
        while True:
            try:
                answer = await self._line.ask(operation, more, ids={"id": self.id})
                return answer if answer.status == wire.NOT_MODIFIED else wire.succeeded(answer)
            except HordeError as error:
                pause_s = patience.pause_s_after(error)
            await self._sleep(pause_s)

    async def _fetch(self, link_or_base64: str) -> bytes:
        patience = self._patience()
        while True:
            try:
                return await self._line.fetch(link_or_base64)
            except HordeError as error:
                pause_s = patience.pause_s_after(error)
            await self._sleep(pause_s)

    def _left_s(self) -> int:
        return max(1, int(self._deadline - self._clock()))

    def _patience(self) -> Patience:
        return Patience(self._clock, self._deadline)


def _ignore(progress: Progress) -> None:
    del progress
