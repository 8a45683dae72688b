"""A horde behind the real PgBouncer in transaction mode: transactions share a few connections."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest
from tests.builders import a_wish, an_offer
from tests.pgbouncer import POOL_SIZE, PgBouncer, find_pgbouncer
from tests.postgres import PostgresServer

from ordu.engine import accounts, checkin, claim, place, settle, transfer
from ordu.engine.books import give
from ordu.engine.claim import Claimed
from ordu.engine.horde import Horde
from ordu.engine.progress import progress_of
from ordu.engine.settle import Result
from ordu.kinds.image import IMAGE
from ordu.rules.matching import Offer, WorkerId
from ordu.rules.money import Action
from ordu.server.run import open_horde
from ordu.settings import ServerSettings
from ordu.store import ledger, users
from ordu.store.bridge import wait
from ordu.store.database import Transaction

pytestmark = pytest.mark.anyio

ANSWER_S_MAX = 30.0
WRITES = 60  # of each kind
CONNECTIONS = 12  # of each process: more than the pooler has


@pytest.fixture
def pgbouncer(postgres: PostgresServer) -> Iterator[PgBouncer]:
    program = find_pgbouncer()
    if program is None:
        pytest.skip("pgbouncer is not here; apt-get install pgbouncer, or make setup-tools")
    pooler = PgBouncer(program, postgres)
    yield pooler
    pooler.stop()


@pytest.fixture
def direct(postgres: PostgresServer) -> Iterator[str]:
    url = postgres.new()
    yield url
    postgres.drop(url)


@pytest.fixture
def settings(tmp_path: Path, pgbouncer: PgBouncer, direct: str) -> ServerSettings:
    return ServerSettings(
        data=str(tmp_path / "one"),
        secret="one secret for all of them",
        rate_limits=False,
        upfront="none",
        concurrency=200,
        database=pgbouncer.url(direct),
        database_direct=direct,
        database_connections=CONNECTIONS,
    )


@asynccontextmanager
async def a_process(settings: ServerSettings, name: str) -> AsyncIterator[Horde]:
    """What a process of the horde has, in a data folder of its own."""
    data = str(Path(settings.data).with_name(name))
    async with open_horde(msgspec.structs.replace(settings, data=data), "http://horde.test") as it:
        yield it.horde


async def until(look: Callable[[], object]) -> None:
    """Wait until something is so; others run meanwhile."""
    async with asyncio.timeout(ANSWER_S_MAX):
        while not look():
            await asyncio.sleep(0.001)


async def a_user(horde: Horde, name: str) -> users.User:
    return (await accounts.register(horde, name, "k", f"h1:{name}")).user


def offer_of(worker_id: WorkerId) -> Offer:
    offer = an_offer()
    capability = msgspec.structs.replace(offer.capability, worker_id=worker_id)
    return msgspec.structs.replace(offer, capability=capability)


async def test_a_job_goes_through_two_processes(
    settings: ServerSettings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    async with a_process(settings, "one") as one, a_process(settings, "two") as two:
        payer, owner = await a_user(one, "payer"), await a_user(one, "owner")
        request = await place.accept(one, payer, a_wish(n=2))
        await until(lambda: request.id in two.lanes.requests)
        worker = await checkin.check_in(two, owner, "attic", "image", offer_of)
        for _ in range(2):
            claimed = await claim.pop(two, worker, IMAGE.has_word, IMAGE.batch)
            assert isinstance(claimed, Claimed)
            await until(lambda: one.running.job(claimed.job.id) is not None)  # noqa: B023
            job = await settle.find_running(one, claimed.job.id, owner)
            await settle.deliver(one, job, Result(job_id=job.id, seed="1"))
            await until(lambda: two.running.job(claimed.job.id) is None)  # noqa: B023
        await until(lambda: request.id not in one.lanes.requests)
        progress = await progress_of(two, request.id)
        assert progress.request.counts.finished == 2
        assert await two.read(ledger.audit) == []
    assert [record.getMessage() for record in caplog.records] == []


async def test_many_writes_at_once_share_the_few_connections_of_the_pooler(
    settings: ServerSettings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    async with a_process(settings, "one") as one, a_process(settings, "two") as two:
        payer, owner = await a_user(one, "payer"), await a_user(one, "owner")
        await one.write(lambda tx: give(tx, payer, WRITES * 100, Action.ADMIN, "start", 0))
        payer = await one.read(lambda tx: users.by_id(tx, payer.id))
        pids: set[int] = set()

        def note(tx: Transaction) -> None:
            row = tx.one("SELECT pg_backend_pid() AS pid")
            pids.add(row["pid"])

        def of_each(number: int) -> list[Coroutine[Any, Any, object]]:
            horde = (one, two)[number % 2]
            return [
                transfer.transfer(horde, payer, f"owner#{owner.id}", 1),
                place.accept(horde, payer, a_wish(wants_links=bool(number % 3))),
                horde.read(note),
                horde.write(note),
            ]

        many = [each for number in range(WRITES) for each in of_each(number)]
        await asyncio.gather(*many)
        assert 1 < len(pids) <= POOL_SIZE
        got = await one.read(lambda tx: users.by_id(tx, owner.id))
        assert got.kudos == WRITES * 100
        assert await two.read(ledger.audit) == []
        await until(lambda: len(one.lanes.requests) == len(two.lanes.requests) == WRITES)
    assert [record.getMessage() for record in caplog.records] == []


async def test_one_process_keeps_and_another_takes_over(settings: ServerSettings) -> None:
    async with a_process(settings, "two") as two:
        async with a_process(settings, "one") as one:
            await until(lambda: one.is_keeper or two.is_keeper)
            assert [one.is_keeper, two.is_keeper].count(True) == 1
            first, second = (one, two) if one.is_keeper else (two, one)
        if first is one:
            await until(lambda: second.is_keeper)
        assert two.is_keeper


async def test_a_connection_that_is_lost_behind_the_pooler_is_tried_again(
    settings: ServerSettings, direct: str
) -> None:
    administrator = await asyncpg.connect(direct)
    pids = []

    def operation(tx: Transaction) -> int:
        row = tx.one("SELECT pg_backend_pid() AS pid")
        pids.append(row["pid"])
        if len(pids) == 1:
            wait(administrator.execute("SELECT pg_terminate_backend($1, 5000)", pids[0]))
        return tx.run("UPDATE users SET contact = 'here' WHERE id = 1")

    async with a_process(settings, "one") as one:
        assert await one.write(operation) == 1
    await administrator.close()
    assert len(pids) == 2
