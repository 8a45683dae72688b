"""Suspicion: too fast, too many jobs given up, and what follows."""

import msgspec
import pytest
from tests.builders import an_act
from tests.unit.engine.test_rewards import deliver, user_of
from tests.unit.engine.test_verbs import a_user, a_worker, placed, popped

from ordu.engine import editing, end
from ordu.engine.editing import UserChange
from ordu.store import suspicions, workers

pytestmark = pytest.mark.anyio


@pytest.fixture
def strict(horde):
    """A horde that counts by time."""
    horde.settings = msgspec.structs.replace(horde.settings, rate_limits=True)
    return horde


async def row_of(horde, worker):
    return await horde.read(lambda tx: workers.by_id(tx, worker.id))


async def test_deliveries_that_nobody_can_make_so_fast(strict, clock):
    requester = await a_user(strict, "requester")
    owner = await a_user(strict)
    worker = await a_worker(strict, owner)
    for count in range(1, 16):
        settled = await deliver(strict, requester, owner, worker)
        assert (settled.suspected is not None) is (count % 3 == 0)
        assert (await user_of(strict, owner)).suspicion == worker.suspicion == count // 3
    assert worker.is_paused
    assert (await row_of(strict, worker)).is_paused
    assert (await row_of(strict, worker)).suspicion == 5


async def test_a_moderator_clears_it_everywhere_and_ends_no_pause(strict):
    requester, owner, other = [await a_user(strict, name) for name in ("r", "owner", "other")]
    worker, others = await a_worker(strict, owner), await a_worker(strict, other, "loft")
    for _ in range(15):
        await deliver(strict, requester, owner, worker)
    for _ in range(3):
        await deliver(strict, requester, other, others)
    await editing.edit(strict, owner.id, UserChange({"reset_suspicion": True}), an_act(strict))
    assert (await user_of(strict, owner)).suspicion == worker.suspicion == 0
    row = await row_of(strict, worker)
    assert (row.suspicion, row.is_paused, worker.is_paused) == (0, True, True)
    assert await reasons_of(strict, worker) == {}
    assert (await user_of(strict, other)).suspicion == others.suspicion == 1
    assert await reasons_of(strict, others) == {"unreasonably_fast": 1}


async def reasons_of(horde, worker):
    return await horde.read(lambda tx: suspicions.times(tx, suspicions.of_worker(worker.id)))


@pytest.mark.parametrize(
    "change", [{"rate_limits": False}, {"too_fast_megapixelsteps_per_s": 0}], ids=str
)
async def test_what_is_switched_off_is_not_counted(strict, change):
    strict.settings = msgspec.structs.replace(strict.settings, **change)
    owner = await a_user(strict)
    await deliver(strict, await a_user(strict, "r"), owner, await a_worker(strict, owner))
    assert (await user_of(strict, owner)).suspicion == 0


async def test_the_trusted_are_never_suspect(strict):
    owner = await a_user(strict, is_trusted=True)
    await deliver(strict, await a_user(strict, "r"), owner, await a_worker(strict, owner))
    assert (await user_of(strict, owner)).suspicion == 0


async def test_a_usual_pace_is_no_matter(strict, clock):
    requester, owner = await a_user(strict, "r"), await a_user(strict)
    worker = await a_worker(strict, owner)
    await placed(strict, requester)
    job = await popped(strict, worker)
    clock.forward(s=1)  # 7.9 megapixelsteps
    from tests.unit.engine.test_verbs import delivered

    assert not (await delivered(strict, job)).suspected


async def give_up(horde, clock, requester, worker, many):
    for _ in range(many):
        await placed(horde, requester)
        job = await popped(horde, worker)
        await end.fault(horde, job.id)
        clock.forward(s=1)


async def test_too_many_jobs_given_up_in_an_hour(horde, clock):
    requester, owner = await a_user(horde, "r", concurrency=500), await a_user(horde)
    worker = await a_worker(horde, owner)
    await give_up(horde, clock, requester, worker, 20)
    assert worker.maintenance_text is None
    clock.forward(s=3600)
    worker = await a_worker(horde, owner)
    await give_up(horde, clock, requester, worker, 20)
    assert worker.maintenance_text is None, "the first twenty are forgotten"
    await give_up(horde, clock, requester, worker, 1)
    assert "too many jobs" in worker.maintenance_text
    assert (await row_of(horde, worker)).maintenance_text == worker.maintenance_text
    assert (await user_of(horde, owner)).suspicion == worker.suspicion == 1


async def test_in_a_raid_fewer_are_too_many_and_nothing_is_told(horde, clock):
    requester, owner = await a_user(horde, "r", concurrency=500), await a_user(horde)
    worker = await a_worker(horde, owner)
    horde.modes["raid_mode"] = True
    await give_up(horde, clock, requester, worker, 11)
    assert worker.maintenance_text is None
    assert worker.suspicion == 1


async def test_a_delivery_that_makes_its_owner_trusted_is_counted_nowhere(strict, clock):
    strict.settings = msgspec.structs.replace(strict.settings, trust_threshold=1)
    requester = await a_user(strict, "requester")
    owner = await a_user(strict)
    worker = await a_worker(strict, owner)
    clock.forward(s=8 * 86_400)
    settled = await deliver(strict, requester, owner, worker)
    assert settled.makes_trusted
    assert worker.suspicion == (await row_of(strict, worker)).suspicion == 0
