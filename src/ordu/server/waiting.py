"""`Prefer: wait=30`: calls that are answered when there is something to say (RFC 7240).

A pop waits for a job, a check and a status for a change of their request. Programs that do not ask
for it see no difference. Whoever waits costs a timer and a look each second whether anybody is
still there; with too many that wait, a call is answered at once, as if it had not asked.
"""

import asyncio
import re
import time

from starlette.requests import ClientDisconnect

from ordu.engine import checkin, claim
from ordu.engine.claim import Claimed, Nothing
from ordu.engine.presence import Worker
from ordu.engine.progress import Progress, progress_of
from ordu.kinds.image import IMAGE
from ordu.server.call import Call

WAIT_S_MAX = 60
WAITERS_MAX = 20_000
LOOK_AGAIN_S = 1.0  # how often is looked whether the caller is still there

_WAIT = re.compile(r"(?:^|[,;\s])wait=(\d{1,9})(?=$|[,;\s])", re.IGNORECASE)


def wait_of(call: Call[object]) -> int:
    """For how many seconds at most this call is to wait; 0 for nearly all."""
    prefer = call.header(b"prefer")
    found = _WAIT.search(prefer) if prefer else None
    horde = call.horde
    if found is None or horde.is_stopping or waiters(call) >= WAITERS_MAX:
        return 0
    return min(int(found[1]), WAIT_S_MAX)


def waiters(call: Call[object]) -> int:
    """How many wait for something."""
    return len(call.horde.idle.waiters) + call.horde.wakeups.many


def applied(wait_s: int) -> dict[str, str]:
    """The header that tells a caller that the wish to wait was heard."""
    return {"Preference-Applied": f"wait={wait_s}"} if wait_s else {}


async def pop(call: Call[object], worker: Worker, wait_s: int) -> Claimed | Nothing:
    """A job for this worker as soon as there is one, or why there was none in this time.

    Raises:
        Refused: WorkerMaintenance, at once.
        ClientDisconnect: the caller has hung up.
    """
    horde = call.horde
    outcome = await claim.pop(horde, worker, IMAGE.has_word, IMAGE.batch)
    if not wait_s or isinstance(outcome, Claimed):
        return outcome
    deadline = time.monotonic() + wait_s
    with horde.idle.waiting(worker) as waiter:
        while (left_s := deadline - time.monotonic()) > 0 and not horde.is_stopping:
            try:
                async with asyncio.timeout(min(left_s, LOOK_AGAIN_S)):
                    await waiter.event.wait()
            except TimeoutError:
                pass
            if await call.is_gone():
                raise ClientDisconnect
            waiter.event.clear()
            checkin.stay(horde, worker)
            outcome = await claim.pop(horde, worker, IMAGE.has_word, IMAGE.batch)
            if isinstance(outcome, Claimed):
                break
    return outcome


async def progress(call: Call[object], wait_s: int) -> Progress:
    """How far a request is, as soon as that is another answer than now, or after this time.

    Raises:
        Refused: RequestNotFound, also when it ends meanwhile.
        ClientDisconnect: the caller has hung up.
    """
    horde, request_id = call.horde, call.path["id"]
    found = await progress_of(horde, request_id)
    if not wait_s or found.done:
        return found
    first = found.request.counts
    deadline = time.monotonic() + wait_s
    with horde.wakeups.on(found.request.id) as event:
        while (left_s := deadline - time.monotonic()) > 0 and not horde.is_stopping:
            event.clear()
            found = await progress_of(horde, request_id)
            if found.done or found.request.counts != first:
                return found
            try:
                async with asyncio.timeout(min(left_s, LOOK_AGAIN_S)):
                    await event.wait()
            except TimeoutError:
                pass
            if await call.is_gone():
                raise ClientDisconnect
    return await progress_of(horde, request_id)
