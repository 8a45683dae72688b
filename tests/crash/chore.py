"""A program that does one chore of a horde: `chore.py NAME DATA ADMIN_KEY DATABASE`.

A server does the rare chores once a minute, which is longer than a test may take.
"""

import asyncio
import sys

from ordu.engine import (
    acts,
    auditing,
    leaving,
    once,
    results,
    rewards,
    sampling,
    sign_ins,
    sweeper,
    webhooks,
)
from ordu.engine.courier import Courier, return_mail, take_mail
from ordu.engine.horde import Horde
from ordu.outside.post import Post
from ordu.rules.money import ADMINISTRATOR, UserId
from ordu.server.run import open_horde
from ordu.settings import ServerSettings


def a_courier(horde: Horde) -> Courier:
    """What sends webhooks, of a horde that has no public host to send any to."""
    return Courier(horde, Post(timeout_s=5), str.encode)


async def send_mail(horde: Horde) -> None:
    """Send what is due."""
    courier = a_courier(horde)
    await courier.round()
    await courier.settled()


async def give_mail_back(horde: Horde) -> None:
    """Take everything to be sent, and be stopped before it is."""
    rows = await horde.read(lambda tx: tx.all("SELECT id FROM deliveries"))
    delivery_ids = [row["id"] for row in rows]
    await take_mail(horde, delivery_ids, 5)
    await return_mail(horde, delivery_ids)


async def sample_now(horde: Horde) -> None:
    """Keep how the horde stands."""
    minute = sampling.last_minute(horde.now())
    await sampling.keep_sample(horde, minute, sampling.gauges_of(horde))


async def write_down_refusals(horde: Horde) -> None:
    """Write down that pictures of the one worker were refused."""
    (worker_id,) = horde.presence.by_id
    horde.refused[worker_id] = 3
    await results.write_refusals(horde)


IDENTITY = ("https://id.test", "somebody")  # that of `cases`


async def link_administrator(horde: Horde) -> None:
    """Link the administrator with somebody at a provider."""
    row = await horde.read(lambda tx: tx.one("SELECT key_hash FROM users WHERE id = 1"))
    assert row is not None
    await sign_ins.link(horde, ADMINISTRATOR, row["key_hash"], *IDENTITY)


async def make_corro(horde: Horde) -> None:
    """Make an account of somebody."""
    await sign_ins.make_account(horde, "corro", *IDENTITY, "h1:new")


async def sign_somebody_in(horde: Horde) -> None:
    """Give another browser of somebody a key."""
    await sign_ins.sign_in(horde, *IDENTITY, "h1:another")


async def sign_somebody_out(horde: Horde) -> None:
    """End the key of the first one."""
    await sign_ins.sign_out(horde, UserId(2), "h1:browser")


async def unlink_somebody(horde: Horde) -> None:
    """Link them no more."""
    row = await horde.read(lambda tx: tx.one("SELECT id FROM identities"))
    assert row is not None
    await sign_ins.unlink(horde, UserId(2), row["id"], [IDENTITY[0]])


async def erase_somebody(horde: Horde) -> None:
    """Erase user 2; no server runs that would do some of it."""
    leaving.ERASED_S = 0.0
    await leaving.erase(horde, UserId(2), acts.by_machine("ordu users erase"))


CHORES = {
    chore.__name__: chore
    for chore in (
        sweeper.fold_statistics,
        sweeper.forget_lanes,
        sweeper.move_old_statistics,
        sweeper.remove_orphans,
        leaving.wipe_deleted,
        rewards.pay_monthly,
        once.forget_answers,
        webhooks.forget_deliveries,
        send_mail,
        auditing.check_books,
        sign_ins.forget_browsers,
        sweeper.forget_old_givers,
        sample_now,
        write_down_refusals,
        link_administrator,
        make_corro,
        sign_somebody_in,
        sign_somebody_out,
        unlink_somebody,
        give_mail_back,
        acts.forget_act_words,
        erase_somebody,
    )
}


async def main(name: str, data: str, admin_key: str, database: str) -> None:
    """Open the horde and do the chore."""
    settings = ServerSettings(data=data, admin_key=admin_key, database=database)
    async with open_horde(settings, "http://horde.test") as opened:
        await CHORES[name](opened.horde)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
