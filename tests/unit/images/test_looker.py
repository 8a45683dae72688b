"""Who looks at pictures: one after the other, a bound on what waits, a share for the trusted."""

import asyncio

import pytest
from tests.builders import a_damaged_picture, a_picture, an_ordinary_picture

from ordu.images.looker import WAITING_MAX, Looker
from ordu.images.looks import PIXELS_MAX
from ordu.images.pixels import UnreadableError
from ordu.protocol.errors import Refused

pytestmark = pytest.mark.anyio


class Seconds:
    """A clock that goes on by so much each time it is looked at."""

    def __init__(self, step_s: float = 0.0) -> None:
        self.now_s, self.step_s = 0.0, step_s

    def __call__(self) -> float:
        self.now_s += self.step_s
        return self.now_s


async def given() -> bytes:
    return an_ordinary_picture(1, 64, 64)


@pytest.fixture
def looker():
    return Looker(Seconds())


async def test_it_looks_at_one_after_the_other(looker):
    at_once, most = 0, 0

    async def read():
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0)
        at_once -= 1
        return await given()

    looks = await asyncio.gather(*(looker.look(read) for _ in range(5)))
    assert most == 1
    assert all(look == looks[0] for look in looks)


async def test_too_many_that_wait_are_told_to_come_again(looker):
    gate = asyncio.Event()

    async def read():
        await gate.wait()
        return await given()

    waiting = [asyncio.ensure_future(looker.look(read)) for _ in range(WAITING_MAX)]
    await asyncio.sleep(0)
    with pytest.raises(Refused, match="being looked at already") as refused:
        await looker.look(read)
    assert (refused.value.rc, refused.value.status) == ("Unavailable", 503)
    for each in waiting[3:]:
        each.cancel()
    gate.set()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert await looker.look(given), "there is room again"


async def test_what_is_damaged_or_gone_leaves_the_seat_to_the_next(looker):
    async def damaged():
        return a_damaged_picture()

    async def gone():
        return None

    with pytest.raises(UnreadableError):
        await looker.look(damaged)
    assert await looker.look(gone) is None
    assert await looker.look(given)


@pytest.mark.parametrize("form", ["WEBP", "PNG", "JPEG"])
async def test_the_largest_that_is_looked_at_fits(looker, form):
    side = int(PIXELS_MAX**0.5)
    data = a_picture(side, side, form=form)

    async def read():
        return data

    assert (await looker.look(read)).uneven == 0


async def test_the_trusted_have_a_twentieth_of_the_time():
    seconds = Seconds()
    looker = Looker(seconds)
    assert looker.has_time()

    async def read():
        assert not looker.has_time(), "it is at another"
        seconds.now_s += 2.0
        return

    await looker.look(read)
    seconds.now_s += 37.9
    assert not looker.has_time()
    seconds.now_s += 0.2
    assert looker.has_time()


async def test_without_a_share_nothing_of_the_trusted_is_looked_at(looker):
    looker.trusted_share = 0
    assert not looker.has_time()
    await looker.look(given)
    assert not looker.has_time()
