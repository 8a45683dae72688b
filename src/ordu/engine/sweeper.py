"""The sweeper: chores that keep what time changes. They call the same verbs as everybody else.

Every round: jobs whose time is over fail, requests whose time is over go, deltas are folded, signs
of life are written, who follows requests is told where they stand in line, once a minute is kept
how the horde stands, and now and then pictures that belong to nothing are removed.

Of several processes of one horde one is the keeper and does what must be done once; each does what
is about its own memory. Should two do the same chore, because the one does not know yet that it is
the keeper no more, nothing is done twice: the verbs see to that.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import msgspec

from ordu.engine import acts, checkin, end, leaving, once, results, rewards, sign_ins
from ordu.engine.belonging import is_wanted
from ordu.engine.elsewhere import Elsewhere
from ordu.engine.following import look_at_places
from ordu.engine.horde import Horde
from ordu.engine.sampling import Sampler
from ordu.engine.webhooks import forget_deliveries
from ordu.protocol.errors import Refused
from ordu.rules.lifecycle import Millis
from ordu.store import givers, jobs, lanes, made, requests, stats, workers
from ordu.store import results as counts
from ordu.store.database import Transaction

log = logging.getLogger(__name__)

T = TypeVar("T")

RARELY = 60  # so many rounds lie between chores that are not urgent
FOLDS_MAX = 20  # batches of a round
SWEEPS_MAX = 20  # times that a chore reads what is over, in a round
SWEPT_TOGETHER = 20
ORPHAN_AGE_MS = 3_600_000  # an upload without a settled job is left alone for an hour


class Sweeper:
    """Runs the chores at intervals until it is cancelled."""

    def __init__(self, horde: Horde, elsewhere: Elsewhere | None = None) -> None:
        self.horde = horde
        self.elsewhere = elsewhere
        self.rounds = 0
        self.sampler = Sampler()

    async def run(self) -> None:
        """Sweep for ever."""
        while True:
            await asyncio.sleep(self.horde.settings.sweep_interval_s)
            await self.sweep()

    async def sweep(self) -> None:
        """One round of all chores. One that fails is logged and does not stop the others."""
        self.rounds += 1
        if self.elsewhere is not None:
            await attempt(compare, self.elsewhere)
        if self.horde.is_keeper:
            for chore in (fail_overdue, expire_requests, fold_statistics):
                await attempt(chore, self.horde)
        for chore in (write_presence, results.write_refusals, look_at_places):
            await attempt(chore, self.horde)
        await attempt(self.sample, self.horde)
        if self.rounds % RARELY == 0:
            await attempt(forget_addresses, self.horde)
        if self.rounds % RARELY == 0 and self.horde.is_keeper:
            await attempt(forget_lanes, self.horde)
            await attempt(move_old_statistics, self.horde)
            await attempt(forget_old_givers, self.horde)
            await attempt(forget_deliveries, self.horde)  # before the pictures they want
            await attempt(remove_orphans, self.horde)
            await attempt(rewards.pay_monthly, self.horde)
            await attempt(once.forget_answers, self.horde)
            await attempt(acts.forget_act_words, self.horde)
            await attempt(leaving.wipe_deleted, self.horde)
            await attempt(sign_ins.forget_browsers, self.horde)

    async def sample(self, horde: Horde) -> None:
        """Take the sample of a minute that is over."""
        await self.sampler.sample(horde)


async def attempt(chore: Callable[[T], Awaitable[None]], about: T) -> None:
    """Run a chore; what goes wrong is logged and tried again in the next round."""
    try:
        await chore(about)
    except Refused as refused:
        log.warning("%s has to wait: %s", chore.__name__, refused.message)
    except Exception:
        log.exception("%s failed", chore.__name__)


async def compare(elsewhere: Elsewhere) -> None:
    """Bring what other processes did into memory, should it not have come by itself."""
    await elsewhere.round()


async def fail_overdue(horde: Horde) -> None:
    """Fail the jobs whose worker took too long."""
    now = horde.now()
    await all_of(
        horde, lambda tx: jobs.overdue(tx, now, end.SWEEP_MAX), lambda each: end.fault(horde, each)
    )


async def expire_requests(horde: Horde) -> None:
    """Remove the requests whose time is over."""
    now = horde.now()
    await all_of(
        horde,
        lambda tx: requests.expired(tx, now, end.SWEEP_MAX),
        lambda each: end.expire(horde, each),
    )


async def all_of(
    horde: Horde,
    found: Callable[[Transaction], list[T]],
    finish: Callable[[T], Awaitable[object]],
) -> None:
    """End all that is found, so many at once and so many in a round at most.

    One after the other each would wait for a commit of its own.
    """
    for _ in range(SWEEPS_MAX):
        some = await horde.read(found)
        for first in range(0, len(some), SWEPT_TOGETHER):
            await asyncio.gather(*(finish(each) for each in some[first : first + SWEPT_TOGETHER]))
        if len(some) < end.SWEEP_MAX:
            break


async def fold_statistics(horde: Horde) -> None:
    """Fold appended deltas into totals until few are left."""
    for _ in range(FOLDS_MAX):
        if not await horde.read(stats.has_deltas):
            break
        await horde.write(stats.fold)


async def move_old_statistics(horde: Horde) -> None:
    """Move what was made long ago from minutes into hours, and so on; forget old results."""
    now = horde.now()

    def write(tx: Transaction) -> None:
        made.move_old(tx, now)
        counts.forget_old(tx, now)

    await horde.write(write)


async def forget_old_givers(horde: Horde) -> None:
    """Forget who gave what in the months before this one."""
    now = horde.now()
    await horde.write(lambda tx: givers.forget_old(tx, now))


async def write_presence(horde: Horde) -> None:
    """Write who was here since the last round."""
    checkin.keep_here(horde)
    seen = sorted(horde.presence.unwritten(), key=lambda worker: worker.id)
    beats: list[dict[str, object]] = [
        {
            "id": worker.id,
            "seen_at": worker.seen_at,
            "offer": msgspec.json.encode(worker.offer).decode(),
            "uptime_s": worker.uptime_s,
        }
        for worker in seen
    ]
    if beats:
        await horde.write(
            lambda tx: workers.note_heartbeats(tx, beats), lambda _: horde.presence.wrote(beats)
        )
    horde.presence.forget_stale(horde.now())


async def forget_addresses(horde: Horde) -> None:
    """Forget the addresses that nothing has come from for long; they are in memory only."""
    before = Millis(horde.now() - horde.settings.keep_addresses_s * 1000)
    horde.timeouts.forget_before(before)
    for forget in horde.forgets:
        forget(before)


async def forget_lanes(horde: Horde) -> None:
    """Drop the requirements that no request has any more."""
    await horde.write(lanes.forget_empty)


async def remove_orphans(horde: Horde) -> None:
    """Remove old pictures whose request is gone or whose job never ended well."""
    before = Millis(horde.now() - ORPHAN_AGE_MS)
    async for name, _ in horde.pictures.older_than(before):
        if not await horde.read(partial(is_wanted, name=name)):
            await horde.pictures.delete([name])
    await horde.pictures.tidy()
