"""Place, claim, settle and end, on a real database with a clock moved by hand."""

import asyncio

import msgspec
import pytest
from tests.builders import a_capability, a_requirement, a_wish, an_offer

from ordu.engine import accounts, checkin, claim, end, place, settle, sweeper, transfer
from ordu.engine.claim import Claimed, Nothing
from ordu.engine.horde import Horde
from ordu.engine.progress import progress_of
from ordu.engine.settle import Result
from ordu.kinds.image import IMAGE
from ordu.protocol.errors import Refused
from ordu.rules import money
from ordu.rules.lifecycle import JobState, RequestState
from ordu.rules.matching import Reason
from ordu.rules.money import ANONYMOUS, Action, Kudos, UserId
from ordu.store import facts, jobs, ledger, requests, stats, users

pytestmark = pytest.mark.anyio


async def a_user(horde: Horde, name="ferris", *, kudos=0, **change) -> users.User:
    newcomer = await accounts.register(horde, name, "k", f"h1:{name}")
    user_id = newcomer.user.id
    if change:
        await horde.write(lambda tx: users.change(tx, user_id, change))
    if kudos:
        entry = money.adjustment(f"admin:{name}", user_id, Kudos(kudos), Action.ADMIN)
        await horde.write(lambda tx: ledger.post(tx, entry, f"e-{name}", horde.now()))
    return await horde.read(lambda tx: users.by_id(tx, user_id))


async def a_worker(horde: Horde, owner: users.User, name="attic", **change):
    def offer_for(worker_id):
        capability = msgspec.structs.replace(
            an_offer(**change).capability, worker_id=worker_id, is_trusted=owner.is_trusted
        )
        return msgspec.structs.replace(an_offer(**change), capability=capability)

    return await checkin.check_in(horde, owner, name, "image", offer_for)


async def placed(horde, user, **change):
    return await place.accept(horde, user, a_wish(**change))


async def pop(horde, worker):
    return await claim.pop(horde, worker, IMAGE.has_word, IMAGE.batch)


async def popped(horde, worker):
    outcome = await pop(horde, worker)
    return outcome.job if isinstance(outcome, Claimed) else None


async def delivered(horde, job, **change):
    return await settle.deliver(horde, job, Result(**{"job_id": job.id, "seed": "1"} | change))


async def request_of(horde, request_id):
    return await horde.read(lambda tx: requests.by_id(tx, request_id))


async def user_of(horde, user_id):
    return await horde.read(lambda tx: users.by_id(tx, UserId(user_id)))


async def in_order(horde):
    """The books are in order and the map says what SQL says."""
    assert await horde.read(ledger.audit) == []
    rows = await horde.read(lambda tx: tx.all("SELECT id, waiting FROM requests WHERE waiting > 0"))
    in_map = {waiting.request_id: waiting.left for waiting in horde.lanes.requests.values()}
    assert in_map == {row["id"]: row["waiting"] for row in rows}
    assert all(waiting.reserved == 0 for waiting in horde.lanes.requests.values())


# Place


async def test_placing_charges_nothing(horde):
    user = await a_user(horde, kudos=5000)
    request = await placed(horde, user, n=3)
    assert request.counts.waiting == request.counts.n == 3
    assert (await user_of(horde, user.id)).kudos == 5000
    assert request.expires_at == horde.now() + 1_200_000
    await in_order(horde)


async def test_concurrency_counts_what_waits_and_what_is_asked_for(horde):
    user = await a_user(horde, concurrency=3)
    await placed(horde, user, n=2)
    with pytest.raises(Refused, match="at most 3") as refused:
        await placed(horde, user, n=2)
    assert refused.value.rc == "TooManyPrompts"
    await placed(horde, user, n=1)


async def test_what_a_worker_has_taken_does_not_count_as_waiting(horde):
    user = await a_user(horde, concurrency=1)
    worker = await a_worker(horde, user)
    await placed(horde, user)
    assert await popped(horde, worker)
    await placed(horde, user)


async def test_a_map_that_was_wrong_is_mended_by_the_pop_that_finds_out(horde):
    user = await a_user(horde)
    worker = await a_worker(horde, user)
    gone, other = await placed(horde, user), await placed(horde, user)
    await horde.write(
        lambda tx: tx.run("UPDATE requests SET waiting = 0, lost = 1 WHERE id = :id", id=gone.id)
    )
    assert (await popped(horde, worker)).request_id == other.id
    assert not horde.lanes.requests
    assert isinstance(await pop(horde, worker), Nothing)


async def test_maintenance_takes_no_new_requests(horde):
    await horde.write(lambda tx: facts.set_modes(tx, {"maintenance_mode": True}))
    horde.modes["maintenance_mode"] = True
    with pytest.raises(Refused) as refused:
        await placed(horde, await a_user(horde))
    assert (refused.value.rc, refused.value.status) == ("MaintenanceMode", 503)


async def test_an_unknown_worker_in_the_list_is_refused(horde):
    requirement = a_requirement(workers_allowed=frozenset({"nobody"}))
    with pytest.raises(Refused, match="nobody") as refused:
        await placed(horde, await a_user(horde), requirement=requirement)
    assert refused.value.rc == "WorkerNotFound"


# Claim


async def test_a_job_is_handed_out_once(horde):
    user = await a_user(horde, is_trusted=True)
    workers = [await a_worker(horde, user, f"w{number}") for number in range(8)]
    await placed(horde, user, n=3)
    taken = [
        job for job in await asyncio.gather(*(popped(horde, worker) for worker in workers)) if job
    ]
    assert len(taken) == 3
    assert len({job.ordinal for job in taken}) == 3
    await in_order(horde)


async def test_many_workers_and_many_requests_at_once(horde):
    user = await a_user(horde, concurrency=500, is_trusted=True)
    workers = [await a_worker(horde, user, f"w{number}") for number in range(10)]
    await asyncio.gather(*(placed(horde, user, n=2) for _ in range(20)))

    async def work(worker):
        many = 0
        while job := await popped(horde, worker):
            await delivered(horde, job)
            many += 1
        return many

    assert sum(await asyncio.gather(*(work(worker) for worker in workers))) == 40
    await in_order(horde)


async def test_richer_requesters_go_first_and_waiting_makes_up_for_it(horde, clock):
    rich, poor = await a_user(horde, "rich", kudos=10_000), await a_user(horde, "poor")
    worker = await a_worker(horde, await a_user(horde, "owner"))
    late = await placed(horde, poor)
    clock.forward(s=10)  # worth 50 kudos; the other one has 100
    early = await placed(horde, rich)
    assert (await popped(horde, worker)).request_id == early.id
    again = await placed(horde, rich)
    assert (await popped(horde, worker)).request_id == again.id
    clock.forward(s=15)
    await placed(horde, rich)
    assert (await popped(horde, worker)).request_id == late.id


async def test_its_owners_requests_come_first_then_its_friends(horde):
    owner, friend = await a_user(horde, "owner"), await a_user(horde, "friend")
    rich = await a_user(horde, "rich", kudos=10_000)
    worker = await a_worker(horde, owner, priority_user_ids=(friend.id,))
    requested = [await placed(horde, user) for user in (rich, friend, owner)]
    order = [(await popped(horde, worker)).request_id for _ in range(3)]
    assert order == [request.id for request in reversed(requested)]


async def test_a_pop_without_a_job_says_why(horde):
    user = await a_user(horde)
    await placed(horde, user, requirement=a_requirement(models=frozenset({"sdxl"})))
    await placed(horde, user, requirement=a_requirement(pixels=2**24))
    outcome = await pop(horde, await a_worker(horde, user))
    assert outcome == Nothing({Reason.MODELS: 1, Reason.MAX_PIXELS: 1})


async def test_a_word_on_the_blacklist_passes_a_request_over(horde):
    user = await a_user(horde)
    await placed(horde, user)
    worker = await a_worker(horde, user, blacklist=("FOX",))
    assert await pop(horde, worker) == Nothing({Reason.BLACKLIST: 1})
    assert await popped(horde, await a_worker(horde, user, blacklist=("wolf",)))


async def test_a_paused_worker_serves_its_owner_only_and_is_told(horde):
    owner, other = await a_user(horde, "owner"), await a_user(horde, "other")
    worker = await a_worker(horde, owner)
    worker.is_paused = True
    await placed(horde, other)
    assert await pop(horde, worker) == Nothing({Reason.PAUSED: 1})
    await placed(horde, owner)
    assert await popped(horde, worker)


async def test_a_worker_in_maintenance_serves_its_owner_only(horde):
    owner, other = await a_user(horde, "owner"), await a_user(horde, "other")
    worker = await a_worker(horde, owner)
    worker.maintenance_text = "Back at noon."
    await placed(horde, other)
    with pytest.raises(Refused, match="maintenance mode: Back at noon") as refused:
        await popped(horde, worker)
    assert (refused.value.rc, refused.value.status) == ("WorkerMaintenance", 403)
    await placed(horde, owner)
    assert await popped(horde, worker)


async def test_a_given_seed_counts_up_and_the_first_picture_has_it(horde):
    user = await a_user(horde)
    worker = await a_worker(horde, user)
    await placed(horde, user, n=3, seed=100, seed_step=1)
    assert [(await popped(horde, worker)).seed for _ in range(3)] == [100, 101, 102]


async def test_a_picture_that_is_made_again_keeps_its_seed(horde):
    user = await a_user(horde)
    worker = await a_worker(horde, user)
    await placed(horde, user, n=3, seed=100, seed_step=1)
    taken = [await popped(horde, worker) for _ in range(3)]
    await end.fault(horde, taken[1].id)
    assert (await popped(horde, worker)).seed == 101


async def test_a_name_belongs_to_its_first_owner(horde):
    await a_worker(horde, await a_user(horde, "one"))
    with pytest.raises(Refused) as refused:
        await a_worker(horde, await a_user(horde, "two"))
    assert refused.value.rc == "WrongCredentials"


async def test_two_first_pops_of_one_name_make_one_worker(horde):
    user = await a_user(horde)
    both = await asyncio.gather(a_worker(horde, user), a_worker(horde, user))
    assert both[0] is both[1]


async def test_nobody_anonymous_or_flagged_may_work(horde):
    anonymous = await user_of(horde, ANONYMOUS)
    with pytest.raises(Refused) as refused:
        await a_worker(horde, anonymous)
    assert refused.value.rc == "AnonForbiddenWorker"
    with pytest.raises(Refused, match="we cannot accept workers serving"):
        await a_worker(horde, await a_user(horde, is_flagged=True))


async def test_invite_only_admits_the_invited(horde):
    horde.modes["invite_only_mode"] = True
    with pytest.raises(Refused) as refused:
        await a_worker(horde, await a_user(horde, "stranger"))
    assert refused.value.rc == "WorkerInviteOnly"
    guest = await a_user(horde, "guest", worker_invited=1)
    await a_worker(horde, guest, "first")
    with pytest.raises(Refused):
        await a_worker(horde, guest, "second")


# Settle


async def test_a_delivered_job_is_paid_once(horde):
    requester = await a_user(horde, "requester", kudos=10_000)
    owner = await a_user(horde, "owner", is_trusted=True)
    request = await placed(horde, requester)
    job = await popped(horde, await a_worker(horde, owner))
    outcomes = await asyncio.gather(
        *(delivered(horde, job) for _ in range(3)), return_exceptions=True
    )
    refusals = [outcome.rc for outcome in outcomes if isinstance(outcome, Refused)]
    assert refusals == ["DuplicateGen", "DuplicateGen"]
    assert (await user_of(horde, requester.id)).kudos == 9_400
    assert (await user_of(horde, owner.id)).kudos == 600
    assert (await request_of(horde, request.id)).charged == 600
    await in_order(horde)


async def test_an_untrusted_owner_gets_half_into_escrow(horde):
    requester, owner = await a_user(horde, "requester", kudos=10_000), await a_user(horde, "owner")
    await placed(horde, requester)
    await delivered(horde, await popped(horde, await a_worker(horde, owner)))
    paid = await user_of(horde, owner.id)
    assert (paid.kudos, paid.evaluating_kudos) == (300, 300)
    await in_order(horde)


async def test_a_multiplier_changes_what_its_user_pays_and_not_the_reward(horde):
    requester = await a_user(horde, "requester", kudos=10_000, usage_multiplier=0.5)
    owner = await a_user(horde, "owner", is_trusted=True)
    assert place.quote(a_wish(n=2), requester) == 600
    await placed(horde, requester)
    await delivered(horde, await popped(horde, await a_worker(horde, owner)))
    assert (await user_of(horde, requester.id)).kudos == 9_700
    assert (await user_of(horde, owner.id)).kudos == 600
    await in_order(horde)


async def test_a_censored_picture_costs_nothing_and_is_paid(horde):
    requester = await a_user(horde, "requester", kudos=10_000)
    owner = await a_user(horde, "owner", is_trusted=True)
    await placed(horde, requester)
    await delivered(horde, await popped(horde, await a_worker(horde, owner)), censored=True)
    assert (await user_of(horde, requester.id)).kudos == 10_000
    assert (await user_of(horde, owner.id)).kudos == 600
    await in_order(horde)


async def test_a_delivery_counts_in_statistics(horde):
    requester, owner = await a_user(horde, "requester", kudos=10_000), await a_user(horde, "owner")
    worker = await a_worker(horde, owner)
    await placed(horde, requester)
    await delivered(horde, await popped(horde, worker))
    await sweeper.fold_statistics(horde)
    used = await horde.read(lambda tx: stats.of(tx, f"user:{requester.id}"))
    made = await horde.read(lambda tx: stats.of(tx, f"worker:{worker.id}"))
    assert used == {"requested": 1, "used": 512 * 512 * 30, "kudos:accumulated": -600}
    assert made == {"fulfilled": 1, "contributed": 512 * 512 * 30, "kudos:generated": 600}


async def test_a_delivery_tells_the_workers_speed(horde, clock):
    user = await a_user(horde)
    worker = await a_worker(horde, user)
    await placed(horde, user)
    job = await popped(horde, worker)
    clock.forward(s=10)
    await delivered(horde, job)
    assert worker.speed == 512 * 512 * 3
    assert horde.delivered_in_past_minute() == 512 * 512 * 30
    clock.forward(s=61)
    assert horde.delivered_in_past_minute() == 0


# End


async def test_cancelling_drops_what_waits_and_lets_run_what_runs(horde):
    user = await a_user(horde, kudos=10_000)
    request = await placed(horde, user, n=3)
    job = await popped(horde, await a_worker(horde, user))
    cancelled = await end.cancel(horde, request.id)
    assert (cancelled.state, cancelled.counts.waiting, cancelled.counts.cancelled) == (
        RequestState.CANCELLED,
        0,
        2,
    )
    assert not (await progress_of(horde, request.id)).done
    await delivered(horde, job)
    progress = await progress_of(horde, request.id)
    assert (progress.done, progress.faulted, progress.request.counts.finished) == (True, False, 1)
    await in_order(horde)


async def test_cancelling_twice_is_as_cancelling_once(horde):
    request = await placed(horde, await a_user(horde), n=2)
    assert await end.cancel(horde, request.id) == await end.cancel(horde, request.id)


async def test_an_unknown_request_is_not_found(horde):
    for act in (end.cancel, progress_of):
        with pytest.raises(Refused) as refused:
            await act(horde, "nothing")
        assert (refused.value.rc, refused.value.status) == ("RequestNotFound", 404)


async def test_a_failed_job_is_handed_out_again(horde):
    user = await a_user(horde)
    worker = await a_worker(horde, user)
    request = await placed(horde, user)
    job = await popped(horde, worker)
    assert await end.fault(horde, job.id) is True
    assert await end.fault(horde, job.id) is False
    again = await popped(horde, worker)
    assert again.id != job.id
    await delivered(horde, again)
    done = await request_of(horde, request.id)
    assert (done.counts.finished, done.counts.n, done.faults) == (1, 1, 1)
    await in_order(horde)


async def test_a_request_goes_to_another_worker_than_the_one_that_failed_it(horde):
    user = await a_user(horde)
    bad, good = await a_worker(horde, user, "bad"), await a_worker(horde, user, "good")
    await placed(horde, user)
    await end.fault(horde, (await popped(horde, bad)).id)
    assert await pop(horde, bad) == Nothing({Reason.FAILED_BEFORE: 1})
    assert await popped(horde, good)


async def test_the_only_worker_may_try_again(horde, clock):
    user = await a_user(horde)
    only, other = await a_worker(horde, user, "only"), await a_worker(horde, user, "other")
    request = await placed(horde, user)
    await end.fault(horde, (await popped(horde, only)).id)
    clock.forward(s=301)  # the other one is away
    only.seen(only.offer, horde.now(), 300_000)
    assert not horde.presence.is_here(other, horde.now())
    await delivered(horde, await popped(horde, only))
    assert request.id not in horde.failures


async def test_three_faults_end_a_request_and_keep_what_is_finished(horde):
    user = await a_user(horde)
    worker = await a_worker(horde, user)
    request = await placed(horde, user, n=3)
    await delivered(horde, await popped(horde, worker))
    for _ in range(3):
        await end.fault(horde, (await popped(horde, worker)).id)
    progress = await progress_of(horde, request.id)
    assert (progress.done, progress.faulted) == (True, True)
    counts = progress.request.counts
    assert (counts.finished, counts.lost, counts.waiting, counts.n) == (1, 2, 0, 3)
    assert await popped(horde, worker) is None
    await in_order(horde)


async def test_a_job_that_takes_too_long_fails_and_its_late_submit_is_told(horde, clock):
    user = await a_user(horde)
    worker = await a_worker(horde, user)
    await placed(horde, user)
    job = await popped(horde, worker)
    clock.forward(s=149)
    await sweeper.fail_overdue(horde)
    assert (await horde.read(lambda tx: jobs.by_id(tx, job.id))).state is JobState.RUNNING
    clock.forward(s=1)
    await sweeper.fail_overdue(horde)
    with pytest.raises(Refused, match="check your worker speed") as refused:
        await settle.find_running(horde, job.id, user)
    assert (refused.value.rc, refused.value.status) == ("AbortedGen", 400)
    assert await popped(horde, worker)
    await in_order(horde)


async def test_a_program_of_2022_is_told_404_so_that_it_stops_trying(horde):
    user = await a_user(horde)
    await placed(horde, user)
    job = await popped(horde, await a_worker(horde, user, agent=None))
    await delivered(horde, job)
    with pytest.raises(Refused, match="already submitted") as refused:
        await settle.find_running(horde, job.id, user)
    assert (refused.value.rc, refused.value.status) == ("DuplicateGen", 404)


async def test_a_job_that_never_arrived_goes_back_without_a_fault(horde):
    user = await a_user(horde)
    worker = await a_worker(horde, user)
    request = await placed(horde, user)
    await end.give_back(horde, await popped(horde, worker))
    back = await request_of(horde, request.id)
    assert (back.counts.waiting, back.faults) == (1, 0)
    assert await popped(horde, worker)
    await in_order(horde)


async def test_a_job_given_back_after_a_cancel_is_cancelled_too(horde):
    user = await a_user(horde)
    request = await placed(horde, user)
    job = await popped(horde, await a_worker(horde, user))
    await end.cancel(horde, request.id)
    await end.give_back(horde, job)
    progress = await progress_of(horde, request.id)
    assert (progress.done, progress.request.counts.n) == (True, 1)
    await in_order(horde)


async def test_an_expired_request_is_gone_with_its_pictures(horde, clock):
    user = await a_user(horde)
    worker = await a_worker(horde, user)
    request = await place.accept(horde, user, a_wish(n=2), {"src": b"source"})
    job = await popped(horde, worker)
    await horde.pictures.put(end.upload_name(job.id), b"picture")
    clock.forward(s=1199)
    await sweeper.expire_requests(horde)
    assert await request_of(horde, request.id)
    clock.forward(s=1)
    await sweeper.expire_requests(horde)
    assert await request_of(horde, request.id) is None
    assert await horde.pictures.get(end.upload_name(job.id)) is None
    assert await horde.pictures.get(end.source_name(request.id)) is None
    with pytest.raises(Refused, match=r"Processing Job with ID .* does not exist") as refused:
        await settle.find_running(horde, job.id, user)
    assert (refused.value.rc, refused.value.status) == ("InvalidJobID", 404)
    await in_order(horde)


async def test_each_pop_and_delivery_prolongs_a_request(horde, clock):
    user = await a_user(horde)
    worker = await a_worker(horde, user)
    request = await placed(horde, user, n=2)
    clock.forward(s=1000)
    job = await popped(horde, worker)
    assert (await request_of(horde, request.id)).expires_at == horde.now() + 1_200_000
    clock.forward(s=100)
    await delivered(horde, job)
    assert (await request_of(horde, request.id)).expires_at == horde.now() + 1_200_000


# After a start


async def test_a_start_makes_the_map_from_what_sql_says(horde):
    user = await a_user(horde)
    worker = await a_worker(horde, user)
    await placed(horde, user, n=2)
    await placed(horde, user, requirement=a_requirement(nsfw=True))
    await popped(horde, worker)
    await sweeper.write_presence(horde)
    before = {waiting.request_id: waiting.left for waiting in horde.lanes.requests.values()}
    horde.lanes.__init__()
    horde.presence.__init__(300)
    await horde.load()
    assert {w.request_id: w.left for w in horde.lanes.requests.values()} == before
    assert [worker.name for worker in horde.presence.here(horde.now())] == ["attic"]
    await in_order(horde)


# Progress


async def test_position_counts_pictures_ahead_that_its_workers_could_take(horde):
    one, two = await a_user(horde, "one", kudos=100), await a_user(horde, "two")
    worker = await a_worker(horde, await a_user(horde, "owner"))
    worker.note_speed(512 * 512 * 3)
    ahead = await placed(horde, one, n=3)
    await placed(horde, one, requirement=a_requirement(models=frozenset({"other"})))
    mine = await placed(horde, two)
    progress = await progress_of(horde, mine.id)
    assert (progress.position, progress.wait_s, progress.is_possible) == (4, 40, True)
    assert (await progress_of(horde, ahead.id)).position == 1


async def test_the_wait_counts_what_workers_are_at(horde, clock):
    one, two = await a_user(horde, "one"), await a_user(horde, "two")
    owner = await a_user(horde, "owner")
    worker = await a_worker(horde, owner)
    worker.note_speed(512 * 512 * 3)  # 10 s for each of these pictures
    await placed(horde, one)
    job = await popped(horde, worker)
    mine = await placed(horde, two)
    assert (await progress_of(horde, mine.id)).wait_s == 20
    clock.forward(s=4)
    assert (await progress_of(horde, mine.id)).wait_s == 16
    clock.forward(s=20)
    assert (await progress_of(horde, mine.id)).wait_s == 10, "it is late, and may end at once"
    assert (await progress_of(horde, mine.id)).position == 1, "what is drawn waits no more"
    free = await a_worker(horde, owner, "cellar")
    free.note_speed(512 * 512 * 3)
    clock.forward(s=-20)
    assert (await progress_of(horde, mine.id)).wait_s == 10, "somebody is free for it"
    more = await placed(horde, two, n=2)
    assert (await progress_of(horde, more.id)).wait_s == 18, "6 s and 10 s by two, then 10 s"
    await end.fault(horde, job.id)
    assert not horde.running.by_worker


async def test_the_wait_of_pictures_that_are_drawn_and_pictures_that_wait(horde, clock):
    worker = await a_worker(horde, await a_user(horde, "owner"))
    worker.note_speed(512 * 512 * 3)
    mine = await placed(horde, await a_user(horde), n=2)
    await popped(horde, worker)
    clock.forward(s=3)
    assert (await progress_of(horde, mine.id)).wait_s == 17
    await popped(horde, worker)
    assert (await progress_of(horde, mine.id)).wait_s == 10


async def test_a_request_that_nobody_can_serve_is_told_so(horde):
    request = await placed(horde, await a_user(horde))
    progress = await progress_of(horde, request.id)
    assert (progress.position, progress.is_possible, progress.wait_s) == (1, False, 1200)


async def test_a_worker_that_is_away_serves_nobody(horde, clock):
    user = await a_user(horde)
    await a_worker(horde, user)
    request = await placed(horde, user)
    assert (await progress_of(horde, request.id)).is_possible
    clock.forward(s=301)
    assert not (await progress_of(horde, request.id)).is_possible


# Kudos between users


async def test_a_transfer_moves_whole_kudos(horde):
    source, target = await a_user(horde, "source", kudos=10_000), await a_user(horde, "target")
    assert (await transfer.transfer(horde, source, f"target#{target.id}", 40)).reply == 40
    assert (await user_of(horde, source.id)).kudos == 6_000
    assert (await user_of(horde, target.id)).kudos == 4_000
    await in_order(horde)


@pytest.mark.parametrize(
    ("target", "amount", "rc"),
    [
        ("nobody#999", 1, "InvalidTargetUsername"),
        ("not a name", 1, "InvalidTargetUsername"),
        ("Anonymous#0", 1, "KudosTransferToAnon"),
        ("source#2", 1, "KudosTransferToSelf"),
        ("Administrator#1", -5, "NegativeKudosTransfer"),
        ("Administrator#1", 0, "InvalidKudosTransferAmount"),
        ("Administrator#1", 101, "KudosTransferNotEnough"),
    ],
)
async def test_a_transfer_is_refused(horde, target, amount, rc):
    source = await a_user(horde, "source", kudos=10_000)
    with pytest.raises(Refused) as refused:
        await transfer.transfer(horde, source, target, amount)
    assert (refused.value.rc, refused.value.status) == (rc, 400)
    assert (await user_of(horde, source.id)).kudos == 10_000


@pytest.mark.parametrize(
    ("is_extra_slow", "ttl_s", "lives_s"),
    [
        pytest.param(False, 150, 1200, id="usual: as long as every request"),
        pytest.param(False, 3000, 3000, id="large: as long as its job may take"),
        pytest.param(True, 2000, 6000, id="large and extra slow: three times that"),
    ],
)
async def test_a_request_lives_as_long_as_its_job_may_take(horde, is_extra_slow, ttl_s, lives_s):
    user = await a_user(horde)
    capability = a_capability(is_extra_slow=is_extra_slow)
    worker = await a_worker(horde, user, capability=capability)
    request = await placed(
        horde, user, ttl_ms=ttl_s * 1000, requirement=a_requirement(admits_extra_slow=True)
    )
    job = await popped(horde, worker)
    expires_at = (await request_of(horde, request.id)).expires_at
    assert expires_at == horde.now() + lives_s * 1000
    assert expires_at >= job.due_at
