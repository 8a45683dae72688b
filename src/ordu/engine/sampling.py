"""Sampling: how the horde stands now, and a sample of that for each minute, kept for plots.

How it stands is counted from memory, which knows of the whole horde in each of its processes, and
remembered for a second. What was made within a minute is read from SQL when the minute is over, as
everything that settles is counted there, through whichever process it came.
"""

from ordu.engine.horde import Horde
from ordu.engine.outlook import outlook_of
from ordu.rules import ranking
from ordu.rules.estimates import Before, takes_s
from ordu.rules.lifecycle import Millis
from ordu.rules.matching import Requirement
from ordu.rules.money import ZERO, UserId
from ordu.store import made, samples
from ordu.store.database import Transaction
from ordu.store.samples import MINUTE_S, Gauges

MINUTE_MS = MINUTE_S * 1000
BELIEVED_MS = 1_000
# A picture that was settled in the last moment of a minute is counted a little later.
LATE_MS = 5_000

# What "a new picture" is when somebody asks how long one takes: small, usual, and of any model.
ORDINARY = Requirement(kind="image", models=frozenset(), pixels=512 * 512)
ORDINARY_WORK = 512 * 512 * 30
NOBODY = UserId(-1)  # owns no machine, so those that serve their owner only do not count


def gauges_of(horde: Horde) -> Gauges:
    """How the horde stands now; at most a second old."""
    now = horde.now()
    kept = horde.gauges
    if kept is not None and 0 <= now - kept[0] < BELIEVED_MS:
        return kept[1]
    found = measure(horde, now)
    horde.gauges = (now, found)
    return found


def measure(horde: Horde, now: Millis) -> Gauges:
    """How the horde stands now."""
    here = list(horde.presence.here(now))
    return Gauges(
        waiting=horde.lanes.jobs,
        processing=len(horde.running.by_id),
        workers=len(here),
        workers_busy=sum(bool(horde.running.of(worker.id)) for worker in here),
        workers_paused=sum(not worker.takes_from_all for worker in here),
        threads=sum(worker.offer.threads for worker in here),
        wait_s=wait_s(horde, now),
    )


def wait_s(horde: Horde, now: Millis) -> float | None:
    """Seconds until an ordinary picture would be there that somebody without kudos asks for now.

    None when nobody could draw it, and when of most who could it is not known how fast they are.
    """
    outlook = outlook_of(horde, ORDINARY, NOBODY)
    proven = sum(worker.offer.threads for worker in outlook.able if worker.speeds)
    if not outlook.able or 2 * proven < outlook.threads:
        return None
    rank = ranking.rank(ZERO, now, horde.settings.priority_growth_per_s)
    served = horde.lanes.served_by(outlook.capabilities)
    before = Before(*horde.lanes.ahead_by_lane(rank).within(served))
    return takes_s(outlook.crew, before, 1, ORDINARY_WORK)


class Sampler:
    """Knows which minutes this process has to sample."""

    def __init__(self) -> None:
        self.sampled = Millis(0)  # when the last minute began that is done with
        self.looked_at: Millis | None = None

    async def sample(self, horde: Horde) -> None:
        """Take the sample of the last minute when that is over; the keeper writes it.

        Of a minute in which this process began, or woke up, it sees the end, so that is sampled; of
        those before it knows nothing.
        """
        now = horde.now()
        asleep_ms = max(MINUTE_MS, 2_000 * horde.settings.sweep_interval_s)
        if self.looked_at is None or now - self.looked_at > asleep_ms:
            self.sampled = last_minute(now)
        self.looked_at = now
        minute = last_minute(Millis(now - LATE_MS))
        if minute <= self.sampled:
            return
        gauges = gauges_of(horde)
        if horde.is_keeper:
            await horde.write(lambda tx: write(tx, minute, gauges, now))
        self.sampled = minute


def last_minute(moment: Millis) -> Millis:
    """When the last minute began that was over at that moment."""
    return Millis(samples.floor(moment, MINUTE_S) - MINUTE_MS)


def write(tx: Transaction, minute: Millis, gauges: Gauges, now: Millis) -> None:
    """Write the sample of a minute, and forget what is old."""
    done = made.in_minute(tx, minute)
    samples.add(tx, minute, gauges, done.pictures, done.work)
    samples.forget_old(tx, now)
