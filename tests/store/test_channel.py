"""The channel between processes: what is sent comes to all, and a lost connection comes back."""

import asyncio
from contextlib import asynccontextmanager

import asyncpg
import pytest

from ordu.store import channel as module
from ordu.store.channel import UNSENT_MAX, PostgresChannel

pytestmark = pytest.mark.anyio

ANSWER_S_MAX = 30.0


@pytest.fixture
def url(postgres):
    url = postgres.new()
    yield url
    postgres.drop(url)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """No test waits long for the next beat."""
    monkeypatch.setattr(module, "BEAT_S", 0.01)
    monkeypatch.setattr(module, "PAUSE_S", 0.01)


class Process:
    """One process's side."""

    def __init__(self, url):
        self.heard = []
        self.returns = 0
        self.channel = PostgresChannel(url, self.heard.append, self.returned)

    def returned(self):
        self.returns += 1


@asynccontextmanager
async def processes(url, many):
    made = [Process(url) for _ in range(many)]
    for each in made:
        await each.channel.start()
    try:
        yield made
    finally:
        for each in made:
            await each.channel.stop()


async def until(look):
    """Wait until something is so; others run meanwhile."""
    async with asyncio.timeout(ANSWER_S_MAX):
        while not look():
            await asyncio.sleep(0.001)


async def end(url, channel):
    """End a channel's connection from the server's side."""
    administrator = await asyncpg.connect(url)
    pid = channel.connection.get_server_pid()
    assert await administrator.fetchval("SELECT pg_terminate_backend($1, 5000)", pid)
    await administrator.close()


async def test_texts_come_to_all_in_the_order_in_which_they_were_sent(url):
    texts = [f"number {number}" for number in range(200)]
    async with processes(url, 3) as (one, two, three):
        for text in texts:
            one.channel.send(text)
        await until(lambda: len(two.heard) == len(three.heard) == len(texts))
        assert two.heard == three.heard == texts


async def test_a_stop_sends_what_is_left(url):
    async with processes(url, 1) as (stays,):
        async with processes(url, 1) as (goes,):
            goes.channel.send("farewell")
        await until(lambda: stays.heard == ["farewell"])


async def test_one_is_the_keeper_and_when_it_goes_another_is(url):
    async with processes(url, 2) as (one, two):
        await until(lambda: one.channel.is_keeper or two.channel.is_keeper)
        first, second = (one, two) if one.channel.is_keeper else (two, one)
        await first.channel.stop()
        await until(lambda: second.channel.is_keeper)
        assert not first.channel.is_keeper


async def test_a_lost_connection_comes_back_and_says_that_something_may_have_been_missed(url):
    async with processes(url, 2) as (one, two):
        await until(lambda: one.channel.is_keeper or two.channel.is_keeper)
        await end(url, one.channel)
        await until(lambda: one.returns == 1)
        assert two.returns == 0
        two.channel.send("are you there?")
        await until(lambda: "are you there?" in one.heard)
        one.channel.send("yes")
        await until(lambda: "yes" in two.heard)


async def test_a_keeper_that_loses_its_connection_is_not_one_beside_another(url):
    async with processes(url, 2) as (one, two):
        await until(lambda: one.channel.is_keeper or two.channel.is_keeper)
        first = one if one.channel.is_keeper else two
        for _ in range(5):
            await end(url, first.channel)
            await until(lambda: first.returns > 0)  # noqa: B023 - waited for here
            first.returns = 0
            await until(lambda: one.channel.is_keeper or two.channel.is_keeper)
            first = one if one.channel.is_keeper else two
            assert [one.channel.is_keeper, two.channel.is_keeper].count(True) == 1


async def test_what_cannot_be_sent_is_kept_up_to_a_bound():
    channel = PostgresChannel("postgresql:///nowhere", lambda text: None, lambda: None)
    for number in range(UNSENT_MAX + 5):
        channel.send(str(number))
    assert len(channel.unsent) == UNSENT_MAX
    assert channel.unsent[0] == "5"
