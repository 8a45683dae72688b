# Written by hand. scripts/sync_client.py derives _sync_request.py from it.
"""A placed request, as somebody sees it who waits for its pictures.

It is looked at without its pictures until it is done, then read once: servers of 2022 forget it
with that. A horde that is away for a moment (a restart) or has too much to do is asked again.
"""

from collections.abc import Callable
from typing import TypeVar

from ordu.client import wire
from ordu.client._async_line import AsyncLine
from ordu.client.errors import HordeError, RequestFaulted
from ordu.client.pictures import Picture, Progress, picture_of, progress_of
from ordu.client.waiting import AsyncSleep, Clock, Pace, Patience
from ordu.client.wire import known
from ordu.protocol import operations
from ordu.protocol.operations import Operation
from ordu.protocol.requests import RequestStatusCheck, RequestStatusStable

WAIT_S = 10  # for how long the server is asked to wait for a change

T = TypeVar("T")


class AsyncRequest:
    """A request with this id, waited for until `deadline` on the clock."""

    def __init__(
        self, line: AsyncLine, request_id: str, deadline: float, sleep: AsyncSleep, clock: Clock
    ) -> None:
        self.id = request_id
        self._line = line
        self._deadline = deadline
        self._sleep = sleep
        self._clock = clock

    async def watch(self, on_progress: Callable[[Progress], None] | None) -> None:
        """Look at it until it is done; each look is told to `on_progress`.

        A server that can answers when something changes; others are asked less often with time.
        """
        pace, before, prefer = Pace(), None, None
        while True:
            asked_at = self._clock()
            check = await self._insist(operations.get_async_check, RequestStatusCheck, prefer)
            progress = progress_of(self.id, check)
            if on_progress is not None:
                on_progress(progress)
            if progress.is_over:
                return
            self._patience().check_time()
            if progress.counts != before:
                pace, before = Pace(), progress.counts
            prefer = f"wait={max(1, min(WAIT_S, int(self._deadline - self._clock())))}"
            pause_s = pace.next_pause_s(progress.wait_s) - (self._clock() - asked_at)
            if pause_s > 0:
                await self._sleep(pause_s)

    async def collect(self) -> list[Picture]:
        """The pictures of the finished request; raises `RequestFaulted` with those there are."""
        status = await self._insist(operations.get_async_status, RequestStatusStable)
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

    async def _insist(self, operation: Operation, reply: type[T], prefer: str | None = None) -> T:
        patience = self._patience()
        while True:
            try:
                return await self._line.call(operation, reply, prefer=prefer, ids={"id": self.id})
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

    def _patience(self) -> Patience:
        return Patience(self._clock, self._deadline)
