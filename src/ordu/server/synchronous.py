"""Synchronous requests: placed and waited for in one call, which is open until they are done.

Whoever hangs up cancels what was asked for, however early, unless the call has a key by which it
may be made again. How many wait is bounded
(`sync_waiters`), and what nobody online could draw is not placed at all.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from starlette.requests import ClientDisconnect

from ordu.engine import end, place
from ordu.engine.horde import QUARTERS, Horde
from ordu.engine.once import Once
from ordu.engine.outlook import somebody_able
from ordu.engine.progress import Progress, progress_of
from ordu.protocol.errors import Refused
from ordu.protocol.requests import GenerationInput
from ordu.rules.lifecycle import RequestId, Wish
from ordu.server import placing, sources
from ordu.server.call import Call
from ordu.server.hangups import noticed
from ordu.server.waiting import callers_of

Tell: TypeAlias = Callable[[Progress], Awaitable[None]]


async def finished(call: Call[GenerationInput], wish: Wish, tell: Tell | None = None) -> Progress:
    """Place a wish and wait for its end; `tell` hears how far it is, first once it is placed.

    Raises:
        Refused: NoValidWorkers, TooManyWaiters, RequestExpired, Unavailable, and what placing
            refuses.
        ClientDisconnect: the caller hung up, and the request was cancelled.
    """
    progress, _ = await finished_once(call, wish, None, tell)
    return progress


async def finished_once(
    call: Call[GenerationInput], wish: Wish, key: Once | None, tell: Tell | None = None
) -> tuple[Progress, bool]:
    """The same for a call that may have a key, and whether it was placed by an earlier one.

    With a key the request is kept when the caller hangs up: who asks again waits for the same.
    """
    horde = call.horde
    place.check_open(horde)
    if not somebody_able(horde, wish.requirement, call.user.id):
        raise Refused(
            "NoValidWorkers",
            "No worker that is online now can serve this request, so nothing was placed. Try other "
            "models or a smaller size, or use /api/v2/generate/async, which waits for one.",
        )
    check_room(call)
    pictures = await sources.given(call)
    placed = asyncio.create_task(
        placing.put_once(call, wish, pictures, key, lambda placed: str(placed.request.id), str)
    )
    try:
        done = await asyncio.shield(placed)
        waited = Waited(RequestId(done.reply), is_again=done.is_again, has_key=key is not None)
        return await until_done(call, waited, tell), done.is_again
    except (asyncio.CancelledError, ClientDisconnect):
        done = await placed
        if key is None:
            await end.cancel(horde, RequestId(done.reply))
        raise


def check_room(call: Call[object]) -> None:
    """Refuse a call that would wait, where too many do, or too many of this caller."""
    waits, most = call.horde.sync_waits, call.horde.settings.sync_waiters
    each_max = max(1, most // QUARTERS)
    is_too_many = any(waits.by_caller[caller] >= each_max for caller in callers_of(call))
    if waits.taken >= most or is_too_many:
        raise Refused(
            "TooManyWaiters",
            f"{most} calls may wait here for pictures, {each_max} of them yours, and do. Use"
            " /api/v2/generate/async.",
            retry_after_s=5,
        )


@dataclass(frozen=True)
class Waited:
    """A request that somebody waits for."""

    id: RequestId
    is_again: bool  # an earlier call of the same key placed it
    has_key: bool


async def until_done(
    call: Call[GenerationInput], waited: Waited, tell: Tell | None = None
) -> Progress:
    """Wait for the end of a request.

    Raises:
        ClientDisconnect: the caller has hung up.
        Refused: RequestExpired; Unavailable when the server stops.
    """
    horde = call.horde
    with (
        horde.sync_waits.held(callers_of(call)),
        horde.wakeups.on(waited.id) as event,
        noticed(call.http.receive, event) as hang_up,
    ):
        while True:
            event.clear()
            progress = await progress_or_expired(horde, waited)
            if tell is not None:
                await tell(progress)
            if progress.done:
                return progress
            if hang_up.happened:
                raise ClientDisconnect
            if horde.is_stopping:
                raise await stopping(horde, waited)
            await event.wait()


async def progress_or_expired(horde: Horde, waited: Waited) -> Progress:
    """The progress of a request, or the refusal that its time is over."""
    try:
        return await progress_of(horde, waited.id)
    except Refused as refused:
        raise Refused(
            "RequestExpired",
            "What this call asked for before is over, and its pictures are gone. To ask anew, use "
            "another Idempotency-Key."
            if waited.is_again
            else "No worker finished this request within its time, and it was dropped. Ask again "
            "later.",
        ) from refused


async def stopping(horde: Horde, waited: Waited) -> Refused:
    """The refusal of who waits at a server that stops; the request goes, unless it has a key."""
    if waited.has_key:
        what = "What you asked for goes on: ask again with the same Idempotency-Key."
    else:
        await end.cancel(horde, waited.id)
        what = "What you asked for was dropped. Ask again soon."
    return Refused("Unavailable", f"This server is stopping. {what}", retry_after_s=5)
