"""Together: a process that shares its database with others, as on PostgreSQL.

What is real: `PostgresDatabase` and `PostgresChannel` but for the driver beneath them, tidings, the
map of each process and how it is compared with SQL. What stands in is in `truth` and `exchange`.
"""

import functools

from ordu.engine.elsewhere import Elsewhere
from ordu.engine.sweeper import Sweeper
from ordu.engine.tidings import Tidings
from ordu.simulation.disk import Disk, MemoryPictures
from ordu.simulation.exchange import Exchange, HandChannel
from ordu.simulation.server import Life, Server, a_horde
from ordu.simulation.truth import Pool, Truth
from ordu.store.database import unavailable
from ordu.store.postgres import CANNOT_REACH, LOST, PostgresDatabase


class Together:
    """One life's process."""

    def __init__(
        self, disk: Disk, truth: Truth, exchange: Exchange, server: Server, life: Life
    ) -> None:
        self.server = server
        self.life = life
        self.exchange = exchange
        self.pool = Pool(truth, life.switch)
        self.database = PostgresDatabase("", chance=server.chance)
        self.database.pool = self.pool
        self.database.is_open = True
        pictures = MemoryPictures(disk, life.switch, is_shared=True)
        self.horde = a_horde(server.stage, self.database, pictures)
        self.elsewhere = Elsewhere(self.horde)
        self.channel = HandChannel(exchange, life, self.hear, self.missed)
        sender = f"{server.chance.getrandbits(64):x}"
        self.tidings = Tidings(sender, self.channel, self.elsewhere.missed)
        self.horde.tidings = self.tidings
        self.database.on_doubt = self.elsewhere.missed
        self.sweeper = Sweeper(self.horde, self.elsewhere)
        self.rounds_before = 0  # when faults stopped
        self.looked_at = (0, 0)  # commits and rounds when its memory was last compared with SQL

    def hear(self, text: str) -> None:
        """Others tell something."""
        self.elsewhere.hear(self.tidings.read(text))

    def missed(self) -> None:
        """For a while nothing was heard of anybody."""
        self.tidings.missed()

    async def join(self) -> None:
        """Listen to the others, and load."""
        try:
            await self.channel.start()
            await self.horde.load()
        except LOST as error:
            raise unavailable(CANNOT_REACH) from error
        self.elsewhere.begin()

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is on its way here; others may be about to tell something."""
        applying = self.elsewhere.applying
        return not (
            self.database.waiting
            or self.pool.used
            or self.life.loop.ready
            or self.tidings.is_due
            or self.channel.unsent
            or self.channel.connection is None
            or self.channel.connection.is_lost  # it does not hear, and does not know that yet
            or self.elsewhere.unread
            or self.elsewhere.is_behind
            or self.horde.errands
            or not (applying is None or applying.done())
        )

    def turned(self) -> None:
        """Have what was committed looked at."""
        if self.pool.commits:
            self.server.commits += self.pool.commits
            self.pool.commits = 0
            self.life.has_news = True
            self.server.on_commit()

    def let_go(self) -> None:
        """The system closes what a dead process had open."""
        line = self.channel.connection
        if line is not None:
            self.exchange.lose(line)
        self.turned()


def together_on(disk: Disk, truth: Truth, exchange: Exchange) -> functools.partial[Together]:
    """What makes the processes of servers that share these."""
    return functools.partial(Together, disk, truth, exchange)
