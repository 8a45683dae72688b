"""What is odd about deliveries: counted with them, suspected above the rates, forgotten in time."""

import msgspec
import pytest
from tests.builders import an_act
from tests.unit.engine.test_rewards import user_of
from tests.unit.engine.test_verbs import a_user, a_worker, placed, popped

from ordu.engine import editing, keepers, settle, sweeper
from ordu.engine.editing import UserChange
from ordu.engine.results import write_refusals
from ordu.engine.settle import Result
from ordu.kinds.image import IMAGE
from ordu.protocol.errors import Refused
from ordu.rules.results import RATES, Finding, Seen
from ordu.rules.trust import DAY_MS
from ordu.store import results, suspicions

pytestmark = pytest.mark.anyio

ORDINARY = Seen(width=512, height=512, uneven=0.9)
BLANK = Seen(width=512, height=512, uneven=0.0)
TINY = Seen(width=64, height=64, uneven=0.0)
LEAST, SHARE = RATES[Finding.BLANK].least, RATES[Finding.BLANK].share


@pytest.fixture
def counting(horde):
    """A horde that counts by time."""
    horde.settings = msgspec.structs.replace(horde.settings, rate_limits=True)
    return horde


@pytest.fixture
async def people(counting):
    """Somebody who asks, and the owner of a machine."""
    return await a_user(counting, "requester"), await a_user(counting)


async def deliver(horde, clock, people, worker, seen=BLANK, **more):
    requester, owner = people
    await placed(horde, requester)
    job = await popped(horde, worker)
    clock.forward(s=2)  # not too fast
    running = await settle.find_running(horde, job.id, owner)
    result = Result(job.id, "1", seen=seen, **more)
    return await settle.deliver(horde, running, result, IMAGE.wanted)


async def counts_of(horde, worker):
    await sweeper.fold_statistics(horde)
    return await horde.read(lambda tx: results.in_window(tx, worker.id, horde.now()))


async def has_delivered(horde, worker, **counts):
    """As if a machine had delivered all that today."""
    await horde.write(lambda tx: results.add(tx, worker.id, counts, horde.now()))


async def test_a_delivery_is_counted_with_what_is_odd_about_it(counting, clock, people):
    worker = await a_worker(counting, people[1])
    for seen in (ORDINARY, BLANK, TINY, Seen(width=512, height=512), None):
        assert not (await deliver(counting, clock, people, worker, seen)).suspected
    await deliver(counting, clock, people, worker, None, censored=True)
    assert await counts_of(counting, worker) == {
        "delivered": 6,
        "looked_at": 3,
        "blank": 2,
        "other_size": 1,
        "censored": 1,
    }


async def test_only_a_rate_above_the_table_leads_to_suspicion(counting, clock, people):
    few, many = int(LEAST / SHARE), int(LEAST / SHARE) + 1
    for name, delivered, is_suspected in (("attic", few, True), ("loft", many, False)):
        owner = await a_user(counting, f"owner of {name}")
        worker = await a_worker(counting, owner, name)
        await has_delivered(counting, worker, delivered=delivered - 1, blank=LEAST - 1)
        settled = await deliver(counting, clock, (people[0], owner), worker)
        assert (settled.suspected is not None) is is_suspected
        assert (await user_of(counting, owner)).suspicion == worker.suspicion == is_suspected


async def test_what_goes_on_above_the_rate_pauses_the_machine(counting, clock, people):
    worker = await a_worker(counting, people[1])
    for count in range(1, 5 * LEAST + 1):
        assert not worker.is_paused
        await deliver(counting, clock, people, worker)
        assert worker.suspicion == count // LEAST
    assert worker.is_paused
    reasons = await counting.read(lambda tx: suspicions.times(tx, suspicions.of_worker(worker.id)))
    assert reasons == {"blank_pictures": 5}


async def test_two_oddities_of_one_picture_are_two_suspicions(counting, clock, people):
    worker = await a_worker(counting, people[1])
    await has_delivered(
        counting, worker, blank=LEAST - 1, other_size=RATES[Finding.OTHER_SIZE].least - 1
    )
    assert (await deliver(counting, clock, people, worker, TINY)).suspected.times == 2
    assert (await user_of(counting, people[1])).suspicion == worker.suspicion == 2


async def test_after_a_moderator_cleared_it_as_many_again_are_needed(counting, clock, people):
    worker, owner = await a_worker(counting, people[1]), people[1]
    await has_delivered(counting, worker, blank=LEAST - 1)
    assert (await deliver(counting, clock, people, worker)).suspected
    await editing.edit(counting, owner.id, UserChange({"reset_suspicion": True}), an_act(counting))
    for _ in range(LEAST - 1):
        assert not (await deliver(counting, clock, people, worker)).suspected
    assert (await deliver(counting, clock, people, worker)).suspected


@pytest.mark.parametrize("who", ["trusted", "uncounted"])
async def test_who_is_counted_and_never_suspect(counting, clock, people, who):
    owner = await a_user(counting, "known", is_trusted=who == "trusted")
    worker = await a_worker(counting, owner)
    counting.settings = msgspec.structs.replace(counting.settings, rate_limits=who == "trusted")
    await has_delivered(counting, worker, blank=LEAST - 1)
    assert not (await deliver(counting, clock, (people[0], owner), worker)).suspected
    assert (await counts_of(counting, worker))["blank"] == LEAST


async def test_what_was_a_week_ago_is_forgotten(counting, clock, people):
    worker = await a_worker(counting, people[1])
    await has_delivered(counting, worker, blank=LEAST - 1)
    clock.forward(ms=6 * DAY_MS)
    assert (await counts_of(counting, worker))["blank"] == LEAST - 1
    clock.forward(ms=DAY_MS)
    assert await counts_of(counting, worker) == {}
    await sweeper.move_old_statistics(counting)
    left = await counting.read(
        lambda tx: tx.all("SELECT * FROM totals WHERE subject LIKE 'results:%'")
    )
    assert left == []
    worker = await a_worker(counting, people[1])
    assert not (await deliver(counting, clock, people, worker)).suspected


async def test_a_machine_that_is_deleted_takes_its_results_along(counting, clock, people):
    worker = await a_worker(counting, people[1])
    await deliver(counting, clock, people, worker)
    assert await counts_of(counting, worker)
    counting.refused[worker.id] += 1
    await keepers.remove_worker(counting, worker, an_act(counting))
    await write_refusals(counting)
    assert await counts_of(counting, worker) == {}


async def test_strict_results_refuses_and_settles_nothing(counting, clock, people):
    counting.settings = msgspec.structs.replace(counting.settings, strict_results=True)
    worker = await a_worker(counting, people[1])
    with pytest.raises(Refused, match="one colour") as refused:
        await deliver(counting, clock, people, worker)
    assert refused.value.rc == "BadPicture"
    assert await counts_of(counting, worker) == {}
    assert (await user_of(counting, people[1])).kudos == people[1].kudos


async def test_refusals_are_written_in_one_go_and_counted_once(counting, people):
    worker = await a_worker(counting, people[1])
    counting.refused.update({worker.id: 3, "nobody": 1})
    await write_refusals(counting)
    await write_refusals(counting)
    assert await counts_of(counting, worker) == {"refused": 3}
    counting.refused[worker.id] += 1
    await write_refusals(counting)
    assert await counts_of(counting, worker) == {"refused": 4}
