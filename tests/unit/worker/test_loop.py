"""The worker's loop against a horde that is a function and a backend that draws nothing."""

import asyncio
import base64
import threading
from collections import deque
from dataclasses import replace

import httpx
import pytest
from tests.unit.worker.scene import REFUSED, UPLOAD, WEBP, Scene, a_job, kinds, no

from ordu.client import AsyncHorde, NotAllowed, NotFound, UnknownKey
from ordu.settings import WorkerSettings
from ordu.worker.backends import BackendError, Drawing, Offer
from ordu.worker.events import (
    Back,
    Delivered,
    Drawn,
    Dropped,
    Failed,
    Idle,
    Lost,
    Made,
    Paused,
    Took,
)
from ordu.worker.loop import Worker

pytestmark = pytest.mark.anyio

# -- the usual way -----------------------------------------------------------------------------


async def test_a_job_is_taken_made_and_delivered():
    scene = Scene()
    scene.jobs.append(a_job())
    took, made, delivered = await scene.run()
    assert took == Took("job-1", "sdxl", 512, 512, 9)
    assert isinstance(made, Made)
    assert (made.job_id, made.size_bytes) == ("job-1", 17)
    assert delivered == Delivered("job-1", 4.5)
    assert Drawn("job-1", 0.5) in scene.events
    assert scene.delivered == [
        {"id": "job-1", "generation": base64.b64encode(WEBP + b"fox 1").decode(), "seed": 1}
    ]
    assert scene.backend.drawn[0].negative_prompt == "rain"


async def test_an_idle_worker_says_why_and_waits():
    scene = Scene()
    scene.idle_pops_until_stop = 3
    await scene.run()
    assert scene.events == [Idle({"nsfw": 3})] * 3
    assert scene.slept[:2] == [2.0, 2.0]
    assert scene.pops[0]["name"] == "attic"
    assert scene.pops[0]["models"] == ["sdxl"]


async def test_after_a_job_the_next_is_asked_for_at_once():
    scene = Scene()
    scene.jobs.extend([a_job(1), a_job(2)])
    await scene.run()
    assert [result["id"] for result in scene.delivered] == ["job-1", "job-2"]
    assert scene.slept in ([2.0], [2.0, 2.0])  # only when idle


async def test_a_picture_is_uploaded_when_there_is_a_link():
    scene = Scene()
    scene.jobs.append(a_job(r2_upload=UPLOAD))
    await scene.run()
    assert scene.uploaded == [WEBP + b"fox 1"]
    assert scene.delivered == [{"id": "job-1", "generation": "R2", "seed": 1}]


@pytest.mark.parametrize("failure", [httpx.Response(403, text="<xml>"), REFUSED])
async def test_a_picture_goes_inside_the_message_when_its_upload_fails(failure):
    scene = Scene()
    scene.jobs.append(a_job(r2_upload=UPLOAD))
    scene.uploads.append(failure)
    events = await scene.run()
    assert kinds(events) == [Took, Made, Delivered]
    assert scene.delivered[0]["generation"] == base64.b64encode(WEBP + b"fox 1").decode()


async def test_a_picture_goes_inside_the_message_when_its_upload_was_lost():
    scene = Scene()
    scene.jobs.append(a_job(r2_upload=UPLOAD))
    scene.submits.append(no(400, "PictureNotFound"))
    events = await scene.run()
    assert kinds(events) == [Took, Made, Delivered]
    assert [result["generation"] == "R2" for result in scene.delivered] == [True, False]


@pytest.mark.parametrize(
    "source", ["http://pictures.test/source.webp", base64.b64encode(b"source").decode()]
)
async def test_a_source_image_reaches_the_backend_in_either_form(source):
    scene = Scene()
    scene.jobs.append(a_job(source_image=source))
    await scene.run()
    assert scene.backend.drawn[0].source_image == b"source"


async def test_several_jobs_are_made_at_once():
    scene = Scene(jobs=3)
    scene.jobs.extend(a_job(number) for number in range(3))
    together = threading.Barrier(3, timeout=5)  # broken, and the jobs fail, unless all three draw

    def draw(drawing: Drawing) -> bytes:
        together.wait()
        return WEBP

    scene.backend.draw = draw
    events = await scene.run()
    assert sorted(each.job_id for each in events if isinstance(each, Delivered)) == [
        "job-0",
        "job-1",
        "job-2",
    ]
    assert scene.pops[0]["threads"] == 3


async def test_idle_hands_do_not_ask_more_often_than_one():
    scene = Scene(jobs=8)
    scene.idle_pops_until_stop = 4
    await scene.run()
    assert len(scene.pops) == 4


# -- failures of the backend -------------------------------------------------------------------


@pytest.mark.parametrize("error", [BackendError("no memory"), RuntimeError("no memory")])
async def test_a_failed_job_is_reported_and_the_next_taken(error):
    scene = Scene()
    scene.jobs.extend([a_job(1), a_job(2)])

    def draw(drawing: Drawing) -> bytes:
        if drawing.prompt == "fox 1":
            raise error
        return WEBP

    scene.backend.draw = draw
    events = await scene.run()
    assert kinds(events) == [Took, Failed, Took, Made, Delivered]
    assert events[1] == Failed("job-1", "no memory")
    assert scene.delivered[0] == {
        "id": "job-1",
        "generation": "faulted",
        "seed": -1,
        "state": "faulted",
    }


async def test_three_failures_in_a_row_make_a_pause_and_more_a_longer_one():
    scene = Scene()
    scene.jobs.extend(a_job(number) for number in range(5))

    def draw(drawing: Drawing) -> bytes:
        if drawing.prompt == "fox 4":
            return WEBP
        raise BackendError("no memory")

    scene.backend.draw = draw
    events = await scene.run()
    pauses = [event for event in events if isinstance(event, Paused)]
    assert [pause.seconds for pause in pauses] == [30.0, 60.0]
    assert pauses[0].reason == "3 jobs in a row failed."
    assert scene.slept[:2] == [30.0, 60.0]
    assert Back() in events
    assert events[-1] == Delivered("job-4", 4.5)


async def test_a_source_image_that_cannot_be_read_is_a_failure():
    scene = Scene()
    scene.jobs.append(a_job(source_image="N/A"))
    events = await scene.run()
    assert kinds(events) == [Took, Failed]
    assert scene.delivered[0]["state"] == "faulted"


async def test_a_backend_that_cannot_say_what_it_offers_is_asked_again():
    scene = Scene()
    offers = deque([BackendError("its program is not running")])

    def offer() -> Offer:
        if offers:
            raise offers.popleft()
        return scene.backend.can

    scene.backend.offer = offer  # type: ignore[method-assign] # a stand-in's stand-in
    events = await scene.run()
    assert events == [Paused("its program is not running", 30.0), Back()]


# -- a horde that is away or says no -----------------------------------------------------------


async def test_an_outage_is_told_once_and_its_end():
    scene = Scene()
    scene.jobs.extend([REFUSED, no(500), no(502), REFUSED, a_job()])
    events = await scene.run()
    assert kinds(events) == [Lost, Back, Took, Made, Delivered]
    assert "is it running" in events[0].reason  # type: ignore[union-attr] # it is Lost
    first, second, third, fourth = scene.slept[:4]
    assert first == second == 0.5
    assert 0.5 <= third <= 1.0
    assert third <= fourth <= 2.0


async def test_the_pauses_of_an_outage_are_bounded():
    scene = Scene()
    scene.jobs.extend([REFUSED] * 40)
    await scene.run()
    assert max(scene.slept) <= 30.0
    assert kinds([event for event in scene.events if not isinstance(event, Idle)]) == [Lost, Back]


async def test_a_picture_survives_a_restart_of_the_horde():
    scene = Scene()
    scene.jobs.append(a_job())
    scene.submits.extend([REFUSED, no(500), no(503, "Unavailable"), httpx.ReadError("cut")])
    events = await scene.run()
    assert kinds(events) == [Took, Made, Lost, Back, Delivered]
    assert len(scene.delivered) == 5


async def test_when_one_call_gets_through_all_that_wait_try_at_once():
    scene = Scene(jobs=2)
    scene.jobs.extend([a_job(1), a_job(2)])
    scene.submits.extend([REFUSED, REFUSED])
    asleep = asyncio.Event()
    sleep = scene.sleep

    async def the_first_sleeps_for_ever(seconds: float) -> None:
        if seconds == 0.5 and not asleep.is_set():
            asleep.set()
            await asyncio.Event().wait()
        await asleep.wait()
        await sleep(seconds)

    scene.worker._taker.outage._sleep = scene.worker._taker.sleep = the_first_sleeps_for_ever
    events = await scene.run()
    assert [kind for kind in kinds(events) if kind not in {Took, Made}] == [
        *(Lost, Delivered, Back, Delivered)
    ]


async def test_a_delivery_whose_answer_was_lost_is_a_delivery():
    scene = Scene()
    scene.jobs.append(a_job())
    scene.submits.extend([httpx.ReadError("cut"), no(400, "DuplicateGen")])
    events = await scene.run()
    assert events[-1] == Delivered("job-1", None)


async def test_a_delivery_is_given_up_after_ten_minutes():
    scene = Scene()
    scene.jobs.append(a_job())
    scene.submits.extend([REFUSED] * 1000)
    events = await scene.run()
    assert kinds(events) == [Took, Made, Lost, Back, Dropped]
    assert 600 <= scene.now_s <= 660


@pytest.mark.parametrize(
    "answer",
    [
        no(404, "InvalidJobID"),
        no(404),
        no(400, "AbortedGen"),
        no(400, "DuplicateGen"),
        no(403, "WrongCredentials"),
    ],
)
async def test_a_job_nobody_wants_any_more_is_dropped(answer):
    scene = Scene()
    scene.jobs.extend([a_job(1), a_job(2)])
    scene.submits.append(answer)
    events = await scene.run()
    assert kinds(events) == [Took, Made, Dropped, Took, Made, Delivered]
    assert len(scene.delivered) == 2


@pytest.mark.parametrize(
    "answer",
    [
        no(403, "WorkerMaintenance", "This worker is in maintenance mode."),
        no(403, "WorkerFlaggedMaintenance"),
        pytest.param(no(403, None, "Worker is in Maintenance"), id="in words, as in 2022"),
    ],
)
async def test_maintenance_is_waited_for_and_told_once(answer):
    scene = Scene()
    scene.jobs.extend([answer, answer, a_job()])
    events = await scene.run()
    assert kinds(events) == [Paused, Back, Took, Made, Delivered]
    assert scene.slept[:2] == [30.0, 30.0]


async def test_it_comes_back_when_told_to_without_calling_it_an_outage():
    scene = Scene()
    limited = httpx.Response(429, json={"message": "60 per second"}, headers={"Retry-After": "4"})
    scene.jobs.extend([limited, a_job()])
    assert kinds(await scene.run()) == [Took, Made, Delivered]
    assert scene.slept[0] == 4.0


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (no(401, "InvalidAPIKey"), UnknownKey),
        (no(403, "WrongCredentials"), NotAllowed),
        (no(404, "NotFound"), NotFound),
    ],
)
async def test_what_waiting_does_not_mend_ends_the_worker(answer, error):
    scene = Scene(jobs=3)
    scene.jobs.append(answer)
    with pytest.raises(error, match="No"):
        await scene.run()


async def test_an_unknown_key_at_delivery_ends_the_worker_too():
    scene = Scene(jobs=2)
    scene.jobs.append(a_job())
    scene.submits.append(no(401, "InvalidAPIKey"))
    scene.idle_pops_until_stop = 10**6
    with pytest.raises(UnknownKey):
        await scene.run()


async def test_models_that_the_backend_does_not_have_end_the_worker():
    with pytest.raises(LookupError, match="none of the models x"):
        await Scene(models=("x",)).run()


# -- stopping ----------------------------------------------------------------------------------


class Slow:
    """A way to draw that starts when it starts and ends when it is let."""

    def __init__(self, scene: Scene) -> None:
        self.loop = asyncio.get_running_loop()
        self.started = asyncio.Event()
        self.may_end = threading.Event()
        scene.backend.draw = self.draw

    def draw(self, drawing: Drawing) -> bytes:
        self.loop.call_soon_threadsafe(self.started.set)
        assert self.may_end.wait(10)
        return WEBP


async def test_asked_to_stop_it_delivers_what_it_holds_and_takes_nothing_new():
    scene = Scene()
    scene.jobs.extend([a_job(1), a_job(2)])
    slow = Slow(scene)
    running = asyncio.create_task(scene.run())
    await slow.started.wait()
    scene.stop.set()
    await asyncio.sleep(0.01)
    assert not running.done()
    slow.may_end.set()
    assert kinds(await running) == [Took, Made, Delivered]
    assert len(scene.pops) == 1


async def test_asked_to_stop_it_goes_on_delivering_while_the_horde_is_away():
    scene = Scene()
    scene.jobs.append(a_job())
    scene.submits.extend([REFUSED] * 5)
    slow = Slow(scene)
    running = asyncio.create_task(scene.run())
    await slow.started.wait()
    scene.stop.set()
    slow.may_end.set()
    assert kinds(await running) == [Took, Made, Lost, Back, Delivered]


async def test_a_pause_ends_when_asked_to_stop():
    scene = Scene()
    scene.idle_pops_until_stop = 10**6
    asleep = asyncio.Event()

    async def sleep(seconds: float) -> None:
        asleep.set()
        await asyncio.Event().wait()

    scene.worker._taker.sleep = sleep
    running = asyncio.create_task(scene.run())
    await asleep.wait()
    scene.stop.set()
    assert await running == []


async def test_abandoned_it_returns_at_once():
    scene = Scene()
    scene.jobs.append(a_job())
    slow = Slow(scene)
    running = asyncio.create_task(scene.run())
    await slow.started.wait()
    scene.worker.abandon()
    assert kinds(await running) == [Took]
    assert scene.delivered == []
    slow.may_end.set()


async def test_a_cancelled_worker_is_cancelled():
    scene = Scene()
    scene.jobs.append(a_job())
    slow = Slow(scene)
    running = asyncio.create_task(scene.worker.run(scene.stop))
    await slow.started.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    slow.may_end.set()


async def test_a_backend_that_hordes_would_take_for_a_cheat_is_held_back():
    scene = Scene()
    scene.backend.can = replace(scene.backend.can, megapixelsteps_per_s_max=1.0)
    scene.jobs.append(a_job())
    await scene.run()
    assert scene.slept[0] == pytest.approx(512 * 512 * 9 / 1_000_000)


async def test_a_server_that_lets_it_wait_is_asked_again_at_once():
    scene = Scene()

    def waited():
        scene.now_s += 20
        return Scene.idle(scene)

    scene.idle = waited
    await scene.run()
    assert (len(scene.pops), scene.slept) == (2, [])
    assert scene.wishes == ["wait=1", "wait=20"]


async def test_a_stop_does_not_wait_for_a_pop_that_waits():
    scene = Scene()
    asked = asyncio.Event()

    async def never(call: httpx.Request) -> httpx.Response:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError(call)

    scene.horde = AsyncHorde("http://horde.test", "k", transport=httpx.MockTransport(never))
    worker = Worker(scene.horde, [scene.backend], WorkerSettings(name="attic"))
    working = asyncio.create_task(worker.run(scene.stop))
    await asked.wait()
    scene.stop.set()
    await asyncio.wait_for(working, 10)
