"""Synchronous requests: placed and waited for in one call, which is open until they are done.

Whoever hangs up cancels what was asked for, however early. How many wait is bounded
(`sync_waiters`), and what nobody online could draw is not placed at all.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from starlette.requests import ClientDisconnect

from ordu.engine import end, place
from ordu.engine.horde import Horde
from ordu.engine.outlook import somebody_able
from ordu.engine.progress import Progress, progress_of
from ordu.protocol.errors import Refused
from ordu.protocol.requests import GenerationInput
from ordu.rules.lifecycle import Wish
from ordu.server import placing, sources
from ordu.server.call import Call
from ordu.server.hangups import noticed
from ordu.store.requests import Request

Tell: TypeAlias = Callable[[Progress], Awaitable[None]]


async def finished(call: Call[GenerationInput], wish: Wish, tell: Tell | None = None) -> Progress:
    """Place a wish and wait for its end; `tell` hears how far it is, first once it is placed.

    Raises:
        Refused: NoValidWorkers, TooManyWaiters, RequestExpired, Unavailable, and what placing
            refuses.
        ClientDisconnect: the caller hung up, and the request was cancelled.
    """
    horde = call.horde
    place.check_open(horde)
    if not somebody_able(horde, wish.requirement, call.user.id):
        raise Refused(
            "NoValidWorkers",
            "No worker that is online now can serve this request, so nothing was placed. Try other "
            "models or a smaller size, or use /api/v2/generate/async, which waits for one.",
        )
    if horde.wakeups.many_sync >= horde.settings.sync_waiters:
        raise Refused(
            "TooManyWaiters",
            f"{horde.settings.sync_waiters} calls wait here already. Use /api/v2/generate/async.",
            retry_after_s=5,
        )
    pictures = await sources.given(call)
    placed = asyncio.create_task(placing.put(call, wish, pictures))
    return await until_done(call, placed, tell)


async def until_done(
    call: Call[GenerationInput], placed: asyncio.Task[placing.Placed], tell: Tell | None
) -> Progress:
    """Wait for the end of a request; a caller who hangs up cancels it, however early."""
    horde = call.horde
    try:
        request = (await asyncio.shield(placed)).request
        with (
            horde.wakeups.on(request.id, is_sync=True) as event,
            noticed(call.http.receive, event) as hang_up,
        ):
            while True:
                event.clear()
                progress = await progress_or_expired(horde, request)
                if tell is not None:
                    await tell(progress)
                if progress.done:
                    return progress
                if hang_up.happened:
                    raise ClientDisconnect
                if horde.is_stopping:
                    await end.cancel(horde, request.id)
                    raise Refused(
                        "Unavailable",
                        "This server is stopping; what you asked for was dropped. Ask again soon.",
                        retry_after_s=5,
                    )
                await event.wait()
    except (asyncio.CancelledError, ClientDisconnect):
        await end.cancel(horde, (await placed).request.id)
        raise


async def progress_or_expired(horde: Horde, request: Request) -> Progress:
    """The progress of a request, or the refusal that its time is over."""
    try:
        return await progress_of(horde, request.id)
    except Refused as refused:
        raise Refused(
            "RequestExpired",
            "No worker finished this request within its time, and it was dropped. Ask again later.",
        ) from refused
