"""Rewards that no job brings: for having been there, and what comes every month."""

from ordu.engine.books import book, found, give, locked, promote_if_due
from ordu.engine.horde import Horde
from ordu.engine.presence import Worker
from ordu.rules import money, trust
from ordu.rules.lifecycle import Millis
from ordu.rules.matching import WorkerId
from ordu.rules.money import About, Action, Kudos, UserId
from ordu.store import givers, stats, users, workers
from ordu.store.database import Transaction

PAYMENTS_MAX = 200  # how many users the monthly chore reads at a time

# For having been there


async def reward_uptime(horde: Horde, worker: Worker) -> None:
    """Pay a worker's owner for the time it was there, when enough of it has gathered."""
    if worker.uptime_s - worker.uptime_rewarded_s <= trust.UPTIME_REWARDED_S:
        return
    now = horde.now()
    entry_id = horde.fresh.id(now)
    before_s, until_s = worker.uptime_rewarded_s, worker.uptime_s
    worker.uptime_rewarded_s = until_s  # at once: the next pop may come before the commit
    reward = trust.uptime_reward(len(worker.capability.models))
    threshold = money.from_whole(horde.settings.trust_threshold)

    def pay(tx: Transaction) -> bool:
        (owner,) = locked(tx, worker.user_id)
        if not owner.is_trusted:  # this may make them so, which locks all of their workers
            workers.lock_of_user(tx, owner.id)
        if not workers.note_uptime_reward(tx, worker.id, before_s, until_s):
            return False
        pay_uptime(tx, worker.id, worker.user_id, until_s, reward, entry_id, now)
        return promote_if_due(tx, worker.user_id, threshold, entry_id, now)

    def publish(is_promoted: bool) -> None:
        if is_promoted:
            horde.end_pauses(worker.user_id)

    def abandon() -> None:
        worker.uptime_rewarded_s = before_s

    await horde.write(pay, publish, abandon)


def pay_uptime(
    tx: Transaction,
    worker_id: WorkerId,
    owner_id: UserId,
    uptime_s: int,
    reward: Kudos,
    entry_id: str,
    now: Millis,
) -> None:
    """Book the reward for the time up to here; the same time cannot be paid twice."""
    owner = found(tx, owner_id)
    event = f"uptime:{worker_id}:{uptime_s}"
    about = About(worker_id=worker_id)
    entry = money.uptime(event, owner.id, reward, trusted=owner.is_trusted, about=about)
    book(tx, entry, entry_id, now)
    earned = (f"worker:{worker_id}", "kudos:uptime", reward)
    stats.append(tx, [earned, *givers.gave(now, owner.id, reward)])


# Every month


async def pay_monthly(horde: Horde) -> None:
    """A chore: pay the users whose month is over."""
    after = UserId(-1)
    while True:
        some = await horde.read(lambda tx: users.with_monthly_kudos(tx, after, PAYMENTS_MAX))  # noqa: B023
        for user in some:
            if trust.is_month_over(user.monthly_received_at, horde.now()):
                await pay_one(horde, user.id)
        if len(some) < PAYMENTS_MAX:
            return
        after = some[-1].id


async def pay_one(horde: Horde, user_id: UserId) -> None:
    """Pay one user for a month that is over; nothing when somebody else just did.

    Who missed several, because the horde was away, is paid for the next in the next round.
    """
    now = horde.now()
    entry_id = horde.fresh.id(now)

    def pay(tx: Transaction) -> None:
        (user,) = locked(tx, user_id)
        if user.is_deleted or not trust.is_month_over(user.monthly_received_at, now):
            return
        received = trust.next_payment(user.monthly_received_at, now)
        users.change(tx, user.id, {"monthly_received_at": received})
        give(tx, user, user.monthly_kudos, Action.RECURRING, entry_id, now)

    await horde.write(pay)
