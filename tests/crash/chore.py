"""A program that does one chore of a horde: `chore.py NAME DATA ADMIN_KEY DATABASE`.

A server does the rare chores once a minute, which is longer than a test may take.
"""

import asyncio
import sys

from ordu.engine import leaving, once, rewards, sweeper
from ordu.server.run import open_horde
from ordu.settings import ServerSettings

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
    )
}


async def main(name: str, data: str, admin_key: str, database: str) -> None:
    """Open the horde and do the chore."""
    settings = ServerSettings(data=data, admin_key=admin_key, database=database)
    async with open_horde(settings, "http://horde.test") as opened:
        await CHORES[name](opened.horde)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
