"""A worker with several devices, jobs fetched ahead, deliveries beside the work, time limits."""

import asyncio
import threading
from dataclasses import replace

import httpx
import pytest
from tests.unit.worker.scene import REFUSED, WEBP, FakeBackend, Scene, a_job, kinds

from ordu.worker import bench as benches
from ordu.worker.backends import BackendError, Cancelled, Drawing, Offer, OutOfMemoryError, Picture
from ordu.worker.backends import Progress as Tell
from ordu.worker.events import Back, Began, Delivered, Failed, Limited, Made, Notice, Paused, Took
from ordu.worker.gate import Closed

pytestmark = pytest.mark.anyio


class Held:
    """A way to draw that lasts until it is let end; it knows what was begun."""

    def __init__(self, backend: FakeBackend) -> None:
        self.loop = asyncio.get_running_loop()
        self.begun: asyncio.Queue[str] = asyncio.Queue()
        self.may_end = threading.Event()
        backend.draw = self.draw

    def draw(self, drawing: Drawing) -> bytes:
        self.loop.call_soon_threadsafe(self.begun.put_nowait, drawing.prompt)
        assert self.may_end.wait(10)
        return WEBP


# -- several devices ---------------------------------------------------------------------------


async def test_each_device_makes_its_own_picture_at_the_same_time():
    second = FakeBackend("cuda:1")
    scene = Scene(second)
    together = threading.Barrier(2, timeout=5)  # broken, and the jobs fail, unless both draw

    def draw(drawing: Drawing) -> bytes:
        together.wait()
        return WEBP

    scene.backend.draw = second.draw = draw
    scene.jobs.extend([a_job(1), a_job(2)])
    events = await scene.run()
    assert sum(isinstance(each, Delivered) for each in events) == 2
    assert scene.pops[0]["threads"] == 2
    assert {each.device for each in scene.events if isinstance(each, Began)} == {"", "cuda:1"}


async def test_a_job_goes_to_the_device_that_has_its_model_in_memory():
    second = FakeBackend("second")
    scene = Scene(second)
    scene.backend.can = Offer(models=("sdxl", "flux"), max_pixels=4096)
    second.can = replace(scene.backend.can, ready=frozenset({"flux"}))
    scene.jobs.extend([a_job(1, model="flux")])
    await scene.run()
    assert [each.device for each in scene.events if isinstance(each, Began)] == ["second"]


async def test_a_job_waits_for_the_only_device_that_has_its_model():
    second = FakeBackend("second")
    scene = Scene(second)
    second.can = Offer(models=("flux",), max_pixels=512 * 512)
    held = Held(second)
    scene.jobs.extend([a_job(1, model="flux"), a_job(2, model="flux")])
    running = asyncio.create_task(scene.run())
    await held.begun.get()
    held.may_end.set()
    await running
    assert [each.prompt for each in second.drawn] == ["fox 1", "fox 2"]
    assert scene.backend.drawn == []
    assert scene.pops[0]["models"] == ["sdxl", "flux"]


async def test_a_device_that_says_nothing_is_left_out():
    def broken() -> Offer:
        raise BackendError("its program does not answer")

    second = FakeBackend("second")
    second.offer = broken  # type: ignore[method-assign] # a stand-in's stand-in
    scene = Scene(second)
    scene.jobs.extend([a_job(1), a_job(2)])
    events = await scene.run()
    assert [each.job_id for each in events if isinstance(each, Delivered)] == ["job-1", "job-2"]
    assert second.drawn == []


async def test_a_job_for_a_model_that_nobody_has_is_tried_and_reported():
    scene = Scene()

    def draw(drawing: Drawing) -> bytes:
        raise BackendError(f"There is no model {drawing.model}.")

    scene.backend.draw = draw
    scene.jobs.append(a_job(model="unheard of"))
    assert kinds(await scene.run()) == [Took, Failed]
    assert scene.delivered[0]["state"] == "faulted"


@pytest.mark.parametrize(
    ("first", "second", "field", "value"),
    [
        pytest.param({"models": ("a", "b")}, {"models": ("c", "a")}, "models", ("a", "b", "c"),
                     id="any model"),
        pytest.param({"max_pixels": 9}, {"max_pixels": 4}, "max_pixels", 4, id="the smaller size"),
        pytest.param({"lora": True}, {"lora": False}, "lora", False, id="what both can"),
        pytest.param({"samplers": ("x", "y")}, {"samplers": ("y",)}, "samplers", ("y",),
                     id="samplers of both"),
        pytest.param({"samplers": ()}, {"samplers": ("y",)}, "samplers", ("y",),
                     id="one can any sampler"),
        pytest.param({"post_processing": ("GFPGAN",)}, {}, "post_processing", (),
                     id="post-processing of both"),
        pytest.param({"features": frozenset({"tiling", "hires_fix"})},
                     {"features": frozenset({"tiling"})}, "features", {"tiling"},
                     id="features of both"),
    ],
)  # fmt: skip
def test_one_pop_speaks_for_all_devices(first, second, field, value):
    usual = {"models": ("a",), "max_pixels": 4096}
    offers = [Offer(**{**usual, **first}), Offer(**{**usual, **second})]
    assert getattr(benches.common(offers), field) == value


def test_devices_without_a_sampler_in_common_cannot_be_one_worker():
    offers = [Offer(("a",), 4, samplers=("x",)), Offer(("a",), 4, samplers=("y",))]
    with pytest.raises(BackendError, match="make a worker for each"):
        benches.common(offers)


# -- ahead and beside --------------------------------------------------------------------------


async def test_the_next_job_is_there_before_the_present_one_is_done():
    scene = Scene(prefetch=1)
    held = Held(scene.backend)  # half of it is done at once, so it will soon be done
    scene.jobs.extend([a_job(1), a_job(2), a_job(3)])
    running = asyncio.create_task(scene.run())
    assert await held.begun.get() == "fox 1"
    while len(scene.pops) < 2:
        await asyncio.sleep(0)
    await asyncio.sleep(0.01)
    assert len(scene.pops) == 2, "one ahead, no more"
    held.may_end.set()
    events = await running
    assert [each.job_id for each in events if isinstance(each, Delivered)] == [
        *("job-1", "job-2", "job-3")
    ]


async def test_a_source_image_is_fetched_while_the_picture_before_is_made():
    scene = Scene(prefetch=1)
    held = Held(scene.backend)
    scene.jobs.extend([a_job(1), a_job(2, source_image="http://pictures.test/source.webp")])
    running = asyncio.create_task(scene.run())
    await held.begun.get()
    while not scene.fetched:
        await asyncio.sleep(0)
    assert len(scene.backend.drawn) == 1
    held.may_end.set()
    await running
    assert scene.backend.drawn[1].source_image == b"source"


async def test_a_picture_is_sent_while_the_next_is_made():
    scene = Scene()
    first_was_sent = threading.Event()

    def draw(drawing: Drawing) -> bytes:
        if drawing.prompt == "fox 2":
            assert first_was_sent.wait(5)  # else job 2 fails, and the worker tells it
        return WEBP

    def sent() -> dict[str, float]:
        first_was_sent.set()
        return {"reward": 4.5}

    scene.backend.draw = draw
    scene.jobs.extend([a_job(1), a_job(2)])
    scene.on_submit = sent
    events = await scene.run()
    assert kinds(events)[-2:] == [Made, Delivered]
    assert not [each for each in events if isinstance(each, Failed)]


async def test_a_device_waits_when_much_is_undelivered():
    scene = Scene()
    scene.jobs.extend(a_job(number) for number in range(9))
    scene.submits.extend([REFUSED] * 10**6)
    asleep = asyncio.Event()

    async def sleep(seconds: float) -> None:
        asleep.set()
        await asyncio.Event().wait()

    scene.worker._delivery._outage._sleep = sleep
    running = asyncio.create_task(scene.run())
    await asleep.wait()
    await asyncio.sleep(0.05)
    assert len(scene.backend.drawn) == 3, "two to be sent and one that waits for its turn"
    scene.worker.abandon()
    await running


# -- time and memory ---------------------------------------------------------------------------


class Endless(FakeBackend):
    """Draws until its progress is no longer wanted."""

    def __init__(self) -> None:
        super().__init__()
        self.was_cancelled = threading.Event()

    def make(self, drawing: Drawing, progress: Tell) -> Picture:
        self.drawn.append(drawing)
        try:
            while drawing.prompt == "fox 1":
                progress(0.1)
        except Cancelled:
            self.was_cancelled.set()
            raise
        return Picture(WEBP)


async def test_a_picture_that_takes_longer_than_the_horde_waits_is_cancelled_and_reported():
    scene = Scene()
    scene.replace_backend(Endless())
    scene.jobs.extend([a_job(1, ttl=1), a_job(2)])
    events = await scene.run()
    assert kinds(events) == [Took, Failed, Took, Made, Delivered]
    assert "not done after 1 s" in events[1].reason  # type: ignore[union-attr] # it is Failed
    assert scene.backend.was_cancelled.is_set()  # type: ignore[attr-defined] # of Endless
    assert scene.delivered[0]["state"] == "faulted"


async def test_abandoned_it_tells_the_backend_to_stop():
    scene = Scene()
    scene.replace_backend(Endless())
    scene.jobs.append(a_job(1))
    running = asyncio.create_task(scene.run())
    while not scene.backend.drawn:
        await asyncio.sleep(0.001)
    scene.worker.abandon()
    await running
    assert scene.backend.was_cancelled.wait(5)  # type: ignore[attr-defined] # of Endless


async def test_a_backend_that_does_not_stop_costs_its_thread_and_no_more(monkeypatch):
    monkeypatch.setattr(benches, "CANCEL_S_MAX", 0.01)
    scene = Scene()
    may_end = threading.Event()

    def draw(drawing: Drawing) -> bytes:
        if drawing.prompt == "fox 1":
            may_end.wait(10)
        return WEBP

    scene.backend.draw = draw
    scene.jobs.extend([a_job(1, ttl=1), a_job(2)])
    events = await scene.run()
    may_end.set()
    assert kinds(events) == [Took, Failed, Took, Made, Delivered]
    assert scene.worker.has_lost_a_thread


async def test_what_does_not_fit_is_not_asked_for_again():
    scene = Scene()

    def draw(drawing: Drawing) -> bytes:
        if drawing.width > 448:
            raise OutOfMemoryError("It does not fit.")
        return WEBP

    scene.backend.draw = draw
    small = {"prompt": "a fox", "width": 448, "height": 448, "ddim_steps": 9}
    scene.jobs.extend([a_job(1), a_job(2, payload=small)])
    events = await scene.run()
    assert kinds(events) == [Took, Failed, Limited, Took, Made, Delivered]
    assert events[2] == Limited(512 * 512 * 3 // 4)
    assert [pop["max_pixels"] for pop in scene.pops][:2] == [512 * 512, 512 * 512 * 3 // 4]


async def test_after_half_an_hour_it_may_fit_again():
    scene = Scene()

    def draw(drawing: Drawing) -> bytes:
        raise OutOfMemoryError("It does not fit.")

    scene.backend.draw = draw
    scene.jobs.append(a_job(1))
    running = asyncio.create_task(scene.run())
    while not scene.delivered:
        await asyncio.sleep(0)
    scene.now_s += 1801
    scene.idle_pops_until_stop = 2
    await running
    assert scene.pops[-1]["max_pixels"] == 512 * 512


# -- the owner's gate, the horde's words -------------------------------------------------------


class ByHand:
    """A gate that is opened and closed by hand."""

    def __init__(self, *, is_closed: bool) -> None:
        self.is_closed = is_closed
        self.has_changed = asyncio.Event()

    def turn(self, *, is_closed: bool) -> None:
        self.is_closed = is_closed
        self.has_changed.set()

    async def closed(self) -> Closed | None:
        return Closed("paused by its owner", 60.0) if self.is_closed else None

    async def changed(self) -> None:
        await self.has_changed.wait()
        self.has_changed.clear()


async def test_behind_a_closed_gate_no_job_is_asked_for():
    gate = ByHand(is_closed=True)
    scene = Scene(gate=gate)
    scene.jobs.append(a_job())
    running = asyncio.create_task(scene.run())
    while not scene.events:
        await asyncio.sleep(0)
    assert scene.events == [Paused("paused by its owner", 60.0)]
    assert scene.pops == []
    gate.turn(is_closed=False)
    assert kinds(await running) == [Paused, Back, Took, Made, Delivered]


async def test_a_gate_that_closes_cuts_off_a_pop_that_waits():
    gate = ByHand(is_closed=False)
    scene = Scene(gate=gate)
    asked = asyncio.Event()

    async def never(call: httpx.Request) -> httpx.Response:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError(call)

    scene.replace_far(never)
    running = asyncio.create_task(scene.run())
    await asked.wait()
    gate.turn(is_closed=True)
    while not scene.events:
        await asyncio.sleep(0)
    assert kinds(scene.events) == [Paused]
    scene.stop.set()
    await running


async def test_what_is_in_hand_is_finished_when_the_gate_closes():
    gate = ByHand(is_closed=False)
    scene = Scene(gate=gate)
    held = Held(scene.backend)
    scene.jobs.append(a_job())
    running = asyncio.create_task(scene.run())
    await held.begun.get()
    gate.turn(is_closed=True)
    held.may_end.set()
    while not scene.delivered:
        await asyncio.sleep(0)
    scene.stop.set()
    assert Delivered("job-1", 4.5) in await running


async def test_what_the_horde_wants_read_is_told_once():
    scene = Scene()
    message = {"id": "m", "message": "Please update."}
    scene.jobs.extend([a_job(1, messages=[message]), a_job(2, messages=[message])])
    events = await scene.run()
    assert [each for each in events if isinstance(each, Notice)] == [Notice("Please update.")]
