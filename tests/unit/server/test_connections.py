"""How connections are looked at, and who makes room: with stand-ins for the connections."""

import asyncio

import pytest

from ordu.server.connections import TICKS_A_SECOND, Connections
from ordu.settings import ServerSettings

pytestmark = pytest.mark.anyio


class Standing:
    """A connection that is idle or is being answered."""

    def __init__(self, number, *, is_idle=True):
        self.host = self.address = f"192.0.2.{number}"
        self.is_idle = is_idle
        self.looks = []
        self.is_over = False

    def look(self, now_s):
        self.looks.append(now_s)
        return now_s if self.is_idle else None

    def hang_up(self):
        self.is_over = True


def taken_in(bounds, many, **how):
    made = [Standing(number, **how) for number in range(many)]
    assert [bounds.refuse(each) for each in made] == [None] * many
    return made


@pytest.mark.parametrize("many", [1, 9, 10, 95])
async def test_each_is_looked_at_once_a_second_and_a_tenth_at_a_time(many):
    bounds = Connections(ServerSettings(connections_max=100, connections_per_address=0))
    made = taken_in(bounds, many)
    for tick in range(TICKS_A_SECOND):
        before = sum(len(each.looks) for each in made)
        bounds.look_on(tick / TICKS_A_SECOND)
        assert sum(len(each.looks) for each in made) - before <= -(-many // TICKS_A_SECOND)
    assert all(each.looks for each in made)


async def test_who_has_gone_meanwhile_is_not_looked_at():
    bounds = Connections(ServerSettings(connections_max=100))
    made = taken_in(bounds, 20)
    bounds.look_on(0.0)
    for each in made:
        bounds.gone(each)
    for tick in range(1, TICKS_A_SECOND):
        bounds.look_on(tick / TICKS_A_SECOND)
    assert sum(len(each.looks) for each in made) == 2


async def test_room_is_made_also_when_a_round_has_just_begun():
    bounds = Connections(ServerSettings(connections_max=20))
    made = taken_in(bounds, 20, is_idle=False)
    now_s = asyncio.get_running_loop().time()
    bounds.look_round(now_s - 1)
    bounds.look_on(now_s)
    made[3].is_idle = True
    assert bounds.refuse(Standing(30)) is None
    assert [each.is_over for each in made].index(True) == 3
