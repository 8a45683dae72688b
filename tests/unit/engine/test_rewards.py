"""Rewards that no job brings, trust, and the books after each of them."""

import msgspec
import pytest
from tests.unit.engine.test_verbs import a_user, a_worker, placed

from ordu.engine import claim, rewards, settle
from ordu.engine.settle import Result
from ordu.kinds.image import IMAGE
from ordu.rules.money import Kudos
from ordu.rules.trust import DAY_MS
from ordu.store import ledger, stats, users, workers

pytestmark = pytest.mark.anyio

MODELS = 1  # how many models the workers of these tests offer


@pytest.fixture(autouse=True)
async def books_are_in_order(horde):
    yield
    assert await horde.read(ledger.audit) == []


async def user_of(horde, user):
    return await horde.read(lambda tx: users.by_id(tx, user.id))


async def be_there(horde, clock, owner, s, step_s=60):
    """Pop for a while."""
    for _ in range(s // step_s):
        clock.forward(s=step_s)
        worker = await a_worker(horde, owner)
    return worker


async def test_ten_minutes_and_more_are_rewarded_once(horde, clock):
    owner = await a_user(horde, is_trusted=True)
    await a_worker(horde, owner)
    await be_there(horde, clock, owner, 600)
    assert (await user_of(horde, owner)).kudos == 0
    worker = await be_there(horde, clock, owner, 60)
    assert (await user_of(horde, owner)).kudos == 5200
    await be_there(horde, clock, owner, 600)
    assert (await user_of(horde, owner)).kudos == 5200
    await be_there(horde, clock, owner, 60)
    assert (await user_of(horde, owner)).kudos == 10_400
    await horde.write(stats.fold)
    totals = await horde.read(lambda tx: stats.of(tx, f"worker:{worker.id}"))
    assert totals["kudos:uptime"] == 10_400


async def test_untrusted_owners_get_it_into_escrow(horde, clock):
    owner = await a_user(horde)
    await a_worker(horde, owner)
    await be_there(horde, clock, owner, 660)
    owner = await user_of(horde, owner)
    assert (owner.kudos, owner.evaluating_kudos) == (0, 5200)


@pytest.mark.parametrize("why", ["away", "paused", "in maintenance"])
async def test_who_was_not_there_for_all_begins_anew(horde, clock, why):
    owner = await a_user(horde, is_trusted=True)
    worker = await a_worker(horde, owner)
    await be_there(horde, clock, owner, 540)
    if why == "away":
        clock.forward(s=301)
    worker.is_paused = why == "paused"
    worker.maintenance_text = "tea" if why == "in maintenance" else None
    await be_there(horde, clock, owner, 60)
    worker.is_paused, worker.maintenance_text = False, None
    await be_there(horde, clock, owner, 600)
    assert (await user_of(horde, owner)).kudos == 0
    await be_there(horde, clock, owner, 60)
    assert (await user_of(horde, owner)).kudos == 5200


async def test_another_process_that_was_first_has_paid_it(horde, clock):
    owner = await a_user(horde, is_trusted=True)
    worker = await a_worker(horde, owner)
    await be_there(horde, clock, owner, 600)
    await horde.write(lambda tx: workers.note_uptime_reward(tx, worker.id, 0, 640))
    await be_there(horde, clock, owner, 60)
    assert (await user_of(horde, owner)).kudos == 0


async def deliver(horde, requester, owner, worker):
    await placed(horde, requester)
    claimed = await claim.pop(horde, worker, lambda body, words: False, IMAGE.batch)
    job = await settle.find_running(horde, claimed.job.id, owner)
    return await settle.deliver(horde, job, Result(job.id, "1"))


async def test_enough_of_it_makes_a_user_trusted(horde, clock):
    requester = await a_user(horde, "requester", kudos=100_000)
    owner = await a_user(horde)
    horde.settings = msgspec.structs.replace(horde.settings, trust_threshold=6)
    worker = await a_worker(horde, owner)
    worker.is_paused = False
    await deliver(horde, requester, owner, worker)
    held = await user_of(horde, owner)
    assert (held.is_trusted, held.kudos, held.evaluating_kudos) == (False, 300, 300)
    clock.forward(ms=7 * DAY_MS)
    worker = await a_worker(horde, owner)
    settled = await deliver(horde, requester, owner, worker)
    trusted = await user_of(horde, owner)
    assert settled.makes_trusted
    assert (trusted.is_trusted, trusted.kudos, trusted.evaluating_kudos) == (True, 1200, 0)
    await deliver(horde, requester, owner, await a_worker(horde, trusted))
    assert (await user_of(horde, owner)).kudos == 1800


async def test_the_suspicious_are_not_promoted(horde, clock):
    requester = await a_user(horde, "requester", kudos=100_000)
    owner = await a_user(horde, suspicion=5)
    horde.settings = msgspec.structs.replace(horde.settings, trust_threshold=1)
    clock.forward(ms=8 * DAY_MS)
    await deliver(horde, requester, owner, await a_worker(horde, owner))
    assert (await user_of(horde, owner)).is_trusted is False


async def test_every_month_is_paid_once(horde, clock):
    many = rewards.PAYMENTS_MAX + 2
    people = [await a_user(horde, f"u{number}", monthly_kudos=700) for number in range(many)]
    nobody = await a_user(horde, "nobody")
    for expected in (700, 700):
        await rewards.pay_monthly(horde)
        assert {(await user_of(horde, each)).kudos for each in people} == {expected}
    clock.forward(ms=31 * DAY_MS)
    await rewards.pay_monthly(horde)
    assert {(await user_of(horde, each)).kudos for each in people} == {1400}
    assert (await user_of(horde, nobody)).kudos == 0


async def test_months_that_were_missed_are_paid_one_at_a_time(horde, clock):
    user = await a_user(horde, monthly_kudos=100)
    await rewards.pay_monthly(horde)
    clock.forward(ms=93 * DAY_MS)  # the horde was away for three months
    for expected in (200, 300, 400, 400):
        await rewards.pay_monthly(horde)
        assert (await user_of(horde, user)).kudos == expected


async def test_a_job_is_paid_from_what_is_held_for_it(horde):
    requester = await a_user(horde, "requester", kudos=1_300)
    owner = await a_user(horde, is_trusted=True)
    heavy = await placed(horde, requester, is_heavy=True, n=2)
    assert await horde.read(lambda tx: held(tx, requester)) == 1_200
    claimed = await claim.pop(horde, await a_worker(horde, owner), lambda *_: False, IMAGE.batch)
    job = await settle.find_running(horde, claimed.job.id, owner)
    await settle.deliver(horde, job, Result(job.id, "1"))
    assert (await user_of(horde, requester)).kudos == 700
    assert await horde.read(lambda tx: held(tx, requester)) == 600
    assert heavy.is_upfront


def held(tx, user) -> Kudos:
    from ordu.store import requests

    return requests.held_of(tx, user.id)


async def test_time_already_counted_stays_when_the_clock_is_set_back(horde, clock):
    owner = await a_user(horde)
    await a_worker(horde, owner)
    worker = await be_there(horde, clock, owner, 120)
    clock.forward(s=-600)  # only a new process believes that
    worker = await a_worker(horde, owner)
    assert worker.uptime_s == 120
    worker = await be_there(horde, clock, owner, 60)
    assert worker.uptime_s == 180
