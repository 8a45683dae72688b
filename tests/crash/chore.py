"""A program that does one chore of a horde: `chore.py NAME DATA ADMIN_KEY DATABASE`.

A server does the rare chores once a minute, which is longer than a test may take.
"""

import asyncio
import sys

from ordu.engine import leaving, once, rewards, sweeper, webhooks
from ordu.engine.courier import Courier, return_mail, take_mail
from ordu.engine.horde import Horde
from ordu.outside.post import Post
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
        give_mail_back,
    )
}


async def main(name: str, data: str, admin_key: str, database: str) -> None:
    """Open the horde and do the chore."""
    settings = ServerSettings(data=data, admin_key=admin_key, database=database)
    async with open_horde(settings, "http://horde.test") as opened:
        await CHORES[name](opened.horde)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
