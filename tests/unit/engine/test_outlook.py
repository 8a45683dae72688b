"""Who could serve a requirement: the same from memory as from looking at everybody."""

import pytest
from tests.builders import a_capability, a_requirement, an_offer

from ordu.engine import outlook
from ordu.engine.horde import Horde
from ordu.engine.outlook import outlook_of, somebody_able
from ordu.engine.presence import Worker
from ordu.rules.matching import lane_key

pytestmark = pytest.mark.anyio

WANTED = a_requirement()
TOO_LARGE = a_requirement(pixels=2**26)


def here(
    horde: Horde, name: str, *, user_id: int = 1, is_paused: bool = False, **offered
) -> Worker:
    """A worker that is here."""
    now = horde.now()
    offer = an_offer(capability=a_capability(worker_id=name, **offered))
    worker = Worker(
        id=name,
        user_id=user_id,
        name=name,
        kind="image",
        offer=offer,
        created_at=now,
        seen_at=now,
        is_paused=is_paused,
    )
    return horde.presence.add(worker)


def wait_for(horde: Horde, requirement) -> None:
    """Let something wait, so that there is a lane."""
    horde.lanes.update(
        request_id="r1",
        user_id=1,
        rank=0,
        work=10,
        left=1,
        lane_key=lane_key(requirement),
        requirement=requirement,
    )


def names(horde: Horde, requirement, user_id=1) -> list[str]:
    """Who could serve it."""
    return [worker.name for worker in outlook_of(horde, requirement, user_id).able]


async def test_nobody_is_here(horde):
    assert not somebody_able(horde, WANTED, 1)


async def test_somebody_is_able_or_nobody_is(horde):
    here(horde, "weak", models=frozenset({"other"}))
    assert not somebody_able(horde, WANTED, 1)
    here(horde, "able")
    assert somebody_able(horde, WANTED, 1)
    assert not somebody_able(horde, TOO_LARGE, 1)
    assert not horde.known.outlooks.values, "no outlook was made for it"


async def test_a_paused_worker_is_there_for_its_owner_only(horde):
    here(horde, "mine", user_id=7, is_paused=True)
    for _ in ("looked at", "kept"):
        assert somebody_able(horde, WANTED, 7)
        assert not somebody_able(horde, WANTED, 8)
        outlook_of(horde, WANTED, 8)  # from now on it is kept


async def test_what_is_kept_is_asked_first(horde, monkeypatch):
    here(horde, "able")
    outlook_of(horde, WANTED, 1)
    monkeypatch.setattr(horde.lanes, "can_serve", None)  # nobody looks again
    assert somebody_able(horde, WANTED, 1)


async def test_what_is_kept_of_others_who_were_here_is_not_believed(horde):
    assert names(horde, WANTED) == []
    here(horde, "able")
    assert somebody_able(horde, WANTED, 1)


async def test_where_many_are_here_it_is_believed_for_a_second(horde, clock, monkeypatch):
    monkeypatch.setattr(outlook, "EXACT_MAX", 0)
    here(horde, "weak", models=frozenset({"other"}))
    assert names(horde, WANTED) == []
    here(horde, "able")
    assert not somebody_able(horde, WANTED, 1)
    clock.forward(s=1)
    assert somebody_able(horde, WANTED, 1)


async def test_a_worker_that_is_away_is_able_of_nothing(horde, clock):
    here(horde, "able")
    clock.forward(s=301)
    assert not somebody_able(horde, WANTED, 1)


@pytest.mark.parametrize("has_lane", [False, True])
@pytest.mark.parametrize("is_remembered", [False, True])
async def test_it_is_the_same_from_memory(horde, has_lane, is_remembered):
    workers = [here(horde, "able"), here(horde, "weak", models=frozenset({"other"}))]
    if has_lane:
        wait_for(horde, WANTED)
    if is_remembered:
        horde.lanes.served_by([worker.capability for worker in workers])
    assert names(horde, WANTED) == ["able"]
    assert len(horde.lanes.views) == (2 if is_remembered else 0), "none is made for it"


async def test_where_something_waits_nothing_is_judged_again(horde, monkeypatch):
    workers = [here(horde, "able"), here(horde, "weak", models=frozenset({"other"}))]
    wait_for(horde, WANTED)
    horde.lanes.served_by([worker.capability for worker in workers])
    monkeypatch.setattr("ordu.engine.lanes.why_not", None)
    assert names(horde, WANTED) == ["able"]
