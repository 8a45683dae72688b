# Written by hand. scripts/sync_client.py derives _sync_request.py from it.
"""A request for pictures, as somebody sees it who waits for them.

A horde that offers it is listened to: it tells what happens as it happens. Others are asked how far
it is, without its pictures, until it is done; those that can answer when something has happened.
Then it is read once: servers of 2022 forget it with that. A horde that is away for a moment (a
restart) or has too much to do is asked again.
"""

from contextlib import aclosing
from dataclasses import replace
from types import TracebackType
from typing import Self

from ordu.client import wire
from ordu.client._async_line import AsyncLine
from ordu.client._async_stream import AsyncStream
from ordu.client.errors import BrokenHorde, HordeError, RequestFaulted, Unreachable
from ordu.client.events import Ended, Moved, PictureReady, RequestEvent
from ordu.client.pictures import AsyncSteps, Picture, Progress, picture_of, progress_of
from ordu.client.waiting import Pace, Patience, async_shielded
from ordu.client.wire import Answer, Fields, known
from ordu.protocol import operations
from ordu.protocol.operations import Operation
from ordu.protocol.requests import (
    GenerationInput,
    RequestAsync,
    RequestStatusCheck,
    RequestStatusStable,
)

WAIT_S = 10  # for how long the server is asked to wait for a change


class AsyncRequest:
    """A request for pictures: placed by `async with`, followed by `async for`, then collected.

    Who leaves the block before it is over takes it back: what waits is cancelled at the horde. It
    has `timeout_s` seconds from being placed to its last picture. `id` is the horde's name for it,
    `kudos` the price that was told, `warnings` what the horde remarked about it.

    Raises:
        HordeError: on entering, the horde refused it; while waiting, it was away for long.
        TookTooLong: while waiting, the time went by.

    Example:
        async with horde.request("a fox in the snow", width=512, height=512) as request:
            async for progress in request:
                print(progress.stage, progress.position, "in line,", progress.wait_s, "s left")
            pictures = await request.pictures()
    """

    def __init__(
        self, line: AsyncLine, asked: GenerationInput | Fields, timeout_s: float, apikey: str | None
    ) -> None:
        self.id = ""
        self.kudos = 0.0
        self.warnings: list[str] = []
        self.progress: Progress | None = None  # as it was told last
        self._line = line
        self._asked = asked
        self._timeout_s = timeout_s
        self._apikey = apikey
        self._deadline = line.clock() + timeout_s
        self._has_events = False
        self._stream = AsyncStream(line, "", None)
        self._version: str | None = None  # that the last look saw
        self._steps = self._followed()

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.progress is not None and self.progress.is_over

    async def __aenter__(self) -> Self:
        self._deadline = self._line.clock() + self._timeout_s
        await self._place()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            await self._steps.aclose()
        finally:
            if not self.is_over:
                await async_shielded(self.cancel())

    def __aiter__(self) -> AsyncSteps:
        return self._steps

    async def pictures(self) -> list[Picture]:
        """The pictures, waited for if need be.

        Raises:
            RequestFaulted: it failed too often; the error has the pictures that were finished.
            TookTooLong: the time went by.
            HordeError: the horde was away for long.

        Example:
            async with horde.request("a fox") as request:
                pictures = await request.pictures()
        """
        async for _ in self._steps:
            pass
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

    async def cancel(self) -> bool:
        """Take it back; whether the horde heard of it. Leaving the block early does the same.

        Example:
            async with horde.request("a fox") as request:
                async for progress in request:
                    if progress.wait_s > 600:
                        await request.cancel()
                        break
        """
        try:
            await self._line.ask(
                operations.delete_async_status,
                {},
                ids={"id": self.id},
                timeout_s=wire.CANCEL_TIMEOUT_S,
            )
        except HordeError:
            return False  # there is something more important to report
        return True

    # -- placing -------------------------------------------------------------------------------

    async def _place(self) -> None:
        asked = operations.post_async_generate
        more: dict[str, str | None] = {wire.IDEMPOTENCY_KEY: wire.fresh_key()}
        try:
            answer = await self._line.insist(
                asked, more, apikey=self._apikey, payload=self._asked, deadline=self._deadline
            )
        except HordeError:
            raise
        except BaseException:  # interrupted or cancelled: it may have been placed all the same
            if self._line.honours_keys:
                await async_shielded(self._take_back(more))
            raise
        self._know_placed(answer)
        self._has_events = wire.offers_events(answer)
        self._stream = AsyncStream(self._line, self.id, None)

    def _know_placed(self, answer: Answer) -> None:
        placed = wire.read(answer, RequestAsync, operations.post_async_generate.name)
        self.id = known(placed.id, "")
        if not self.id:
            raise BrokenHorde("The horde took the request and did not say its id (a dry run?).")
        self.kudos = wire.in_numbers(placed)
        self.warnings = [known(each.message, "") for each in known(placed.warnings, [])]

    async def _take_back(self, more: dict[str, str | None]) -> bool:
        """Cancel what may have been placed: the same call again has the same request's id."""
        try:
            answer = await self._line.ask(
                operations.post_async_generate,
                more,
                apikey=self._apikey,
                payload=self._asked,
                timeout_s=wire.CANCEL_TIMEOUT_S,
            )
            self._know_placed(wire.succeeded(answer))
        except HordeError:
            return False
        return await self.cancel()

    # -- following -----------------------------------------------------------------------------

    async def _followed(self) -> AsyncSteps:
        """How far it is, whenever something is learnt, until it is over."""
        pace, wait_s = Pace(), 0
        while True:
            if self._has_events:
                async with aclosing(self._listened()) as told:
                    async for progress in told:
                        yield progress
                        if progress.is_over:
                            return
            asked_at = self._line.clock()
            seen = await self._look(wait_s)
            if seen is not None:
                yield seen
                if seen.is_over:
                    return
            self.check_time()
            # A look that brought nothing new says nothing of its place in line: the next one does.
            wait_s = 0 if seen is None else min(WAIT_S, self._left_s())
            pause_s = pace.next_pause_s(seen) - (self._line.clock() - asked_at)
            if pause_s > 0:
                await self._line.sleep(pause_s)

    def check_time(self) -> None:
        """Raise `TookTooLong` when its time is over."""
        self._patience().check_time()

    async def _listened(self) -> AsyncSteps:
        """What it is told while one connection lasts.

        Where that is refused, or does not get through, it is not tried again.
        """
        is_heard = False
        try:
            async with aclosing(self._stream.of_one_connection(self._left_s())) as events:
                async for event in events:
                    is_heard = True
                    if self._hear(event) and self.progress is not None:
                        yield self.progress
                    if isinstance(event, Ended):
                        return
        except HordeError as error:
            self._has_events = is_heard and isinstance(error, Unreachable)

    def _hear(self, event: RequestEvent) -> bool:
        """Note what is told; whether that says something of its progress."""
        if isinstance(event, PictureReady):
            return False
        if not isinstance(event, Moved):
            self.progress = event.progress
        elif self.progress is not None:
            self.progress = replace(self.progress, position=event.position, wait_s=event.wait_s)
        return self.progress is not None

    async def look(self) -> Progress:
        """How far it is now, asked once; an alternative to `async for`.

        Raises:
            HordeError: the horde does not know it, or was away for long.

        Example:
            async with horde.request("a fox") as request:
                progress = await request.look()
        """
        progress = await self._look(0)
        assert progress is not None  # only a look that waits can find nothing new
        return progress

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
        self.progress = progress_of(self.id, check)
        return self.progress

    async def _insist(self, operation: Operation, more: dict[str, str | None]) -> Answer:
        patience = self._patience()
        while True:
            try:
                answer = await self._line.ask(
                    operation, more, ids={"id": self.id}, deadline=self._deadline
                )
                is_answer = answer.status == wire.NOT_MODIFIED and bool(more)
                return answer if is_answer else wire.succeeded(answer)
            except HordeError as error:
                pause_s = patience.pause_s_after(error)
            await self._line.sleep(pause_s)

    async def _fetch(self, link_or_base64: str) -> bytes:
        patience = self._patience()
        while True:
            try:
                return await self._line.fetch(link_or_base64)
            except HordeError as error:
                pause_s = patience.pause_s_after(error)
            await self._line.sleep(pause_s)

    def _left_s(self) -> int:
        return max(1, int(self._deadline - self._line.clock()))

    def _patience(self) -> Patience:
        return Patience(self._line.clock, self._deadline, self._line.chance)
