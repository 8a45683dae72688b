"""`Prefer: wait=30`: calls that are answered when there is something to say (RFC 7240).

A pop waits for a job, a check and a status for another version of their request. Programs that do
not ask for it see no difference. Whoever waits costs memory and a timer that hardly ever rings: it
is woken by what happens (`engine.wakeups`, `engine.idle`), by its caller's hang-up, or by the end
of the server, which begins with its drain. With too many that wait, of all or of one caller
(`waits_per_caller`), a call is answered at once, as if it had not asked.
"""

import re
import time

from starlette.requests import ClientDisconnect

from ordu.engine import checkin, claim
from ordu.engine.claim import Claimed, Nothing
from ordu.engine.presence import Worker
from ordu.engine.progress import Progress, progress_of
from ordu.kinds.image import IMAGE
from ordu.rules.money import ANONYMOUS
from ordu.server import etags
from ordu.server.call import Call
from ordu.server.hangups import noticed, woken
from ordu.server.ratelimits import address_of

WAIT_S_MAX = 60
WAITERS_MAX = 20_000
# A waiting pop looks by itself so often, for what nobody tells: that its worker's maintenance began
# or ended, that a requester has kudos now, that the only other worker for a request went away.
LOOK_AGAIN_S = 10.0

_WAIT = re.compile(r"(?:^|[,;\s])wait=(\d{1,9})(?=$|[,;\s])", re.IGNORECASE)


def wait_of(call: Call[object], most_s: int = WAIT_S_MAX) -> int:
    """For how many seconds at most this call is to wait; 0 for nearly all."""
    prefer = call.header(b"prefer")
    found = _WAIT.search(prefer) if prefer else None
    if found is None or call.horde.is_leaving or is_full(call):
        return 0
    call.http.scope["state"]["waits"] = True
    return min(int(found[1]), most_s)


def callers_of(call: Call[object]) -> tuple[str, ...]:
    """The names that a caller goes by: its address, and its key unless everybody has that."""
    address, caller = address_of(call.http), call.caller
    if caller is None or caller.id == ANONYMOUS:
        return (f"address {address}",)
    return f"address {address}", f"key {caller.id}"


def is_full(call: Call[object]) -> bool:
    """Whether as many wait for something as may, of all or of this caller."""
    horde = call.horde
    if not horde.waits.has_room(callers_of(call)):
        return True
    return len(horde.idle.waiters) + horde.wakeups.many + horde.followed.many >= WAITERS_MAX


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
    with (
        horde.waits.held(callers_of(call)),
        horde.idle.waiting(worker) as waiter,
        noticed(call.http.receive, waiter.event) as hang_up,
    ):
        while (left_s := deadline - time.monotonic()) > 0 and not horde.is_leaving:
            await woken(waiter.event, min(left_s, LOOK_AGAIN_S))
            if hang_up.happened:
                raise ClientDisconnect
            horde.idle.looks(waiter)
            outcome = await claim.pop(horde, worker, IMAGE.has_word, IMAGE.batch)
            if isinstance(outcome, Claimed):
                waiter.news = None
                break
            horde.idle.pass_on(waiter)
    checkin.stay(horde, worker)
    return outcome


async def progress(call: Call[object], wait_s: int, tags: etags.Tags | None) -> Progress:
    """How far a request is, as soon as that is none of these versions, or after this time.

    Who has no version waits for another than that of now, and not for more of what is done.

    Raises:
        Refused: RequestNotFound, also when it ends meanwhile.
        ClientDisconnect: the caller has hung up.
    """
    horde, request_id = call.horde, call.path["id"]
    found = await progress_of(horde, request_id)
    if not wait_s or (tags is None and found.done):
        return found
    tags = frozenset({found.version}) if tags is None else tags
    if not etags.has(tags, found.version):
        return found
    deadline = time.monotonic() + wait_s
    with (
        horde.waits.held(callers_of(call)),
        horde.wakeups.on(found.request.id) as event,
        noticed(call.http.receive, event) as hang_up,
    ):
        while etags.has(tags, found.version) and not horde.is_leaving:
            if (left_s := deadline - time.monotonic()) <= 0:
                break
            await woken(event, left_s)
            if hang_up.happened:
                raise ClientDisconnect
            event.clear()
            found = await progress_of(horde, request_id)
    return found
