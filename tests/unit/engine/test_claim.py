"""A pop looks at what it may serve, never at all that waits: a million may."""

import pytest
from tests.builders import a_requirement
from tests.unit.engine.test_verbs import a_user, a_worker, placed

from ordu.engine import claim
from ordu.kinds.image import IMAGE

pytestmark = pytest.mark.anyio


class NotGoneThrough(dict):
    """Looked up in, and gone through by nobody."""

    def __iter__(self):
        raise AssertionError("all that waits is gone through")

    keys = values = items = __iter__


async def test_an_empty_pop_goes_through_nothing(horde):
    await placed(
        horde, await a_user(horde), requirement=a_requirement(models=frozenset({"nobody has this"}))
    )
    worker = await a_worker(horde, await a_user(horde, "lender"))
    horde.lanes.requests = NotGoneThrough(horde.lanes.requests)
    outcome = await claim.pop(horde, worker, lambda *_: False, IMAGE.batch)
    assert isinstance(outcome, claim.Nothing)


async def test_nor_does_one_with_a_job(horde):
    await placed(horde, await a_user(horde))
    worker = await a_worker(horde, await a_user(horde, "lender"))
    horde.lanes.requests = NotGoneThrough(horde.lanes.requests)
    outcome = await claim.pop(horde, worker, lambda *_: False, IMAGE.batch)
    assert isinstance(outcome, claim.Claimed)
