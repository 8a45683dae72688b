"""The self-test: what is measured, and what follows from it."""

import threading
from dataclasses import dataclass, field

import pytest
from tests.builders import a_picture

from ordu.worker.backends import Backend, BackendError, Drawing, Offer, OutOfMemoryError, Picture
from ordu.worker.backends.sketch import SketchBackend
from ordu.worker.selftest import (
    SIZES,
    Measurements,
    Pair,
    SelfTest,
    Try,
    kudos_per_hour,
    propose,
    sizes_for,
    steps_for,
    time_limit_s,
)

PICTURE = Picture(a_picture(64, 64, "teal"))
MEGA = 1_000_000


def an_offer(**changes):
    return Offer(**{"models": ("one",), "max_pixels": 2048 * 2048, **changes})


def a_try(width=512, height=512, speed=10.0, problem="", model="one", steps=10):
    """A picture made at so many megapixelsteps a second."""
    return Try(model, width, height, steps, width * height * steps / MEGA / speed, problem)


# -- what follows ------------------------------------------------------------------------------

WELL = Measurements(models=(a_try(),), sizes=tuple(a_try(*size) for size in SIZES[:6]))
STEADY = {"works": True, "failed": {}, "max_pixels": 0, "jobs": 1, "extra_slow": False}


@pytest.mark.parametrize(
    ("measured", "offer", "expected"),
    [
        pytest.param(WELL, {}, STEADY, id="everything works"),
        pytest.param(Measurements(), {}, {"works": False}, id="nothing was tried"),
        pytest.param(
            Measurements(models=(a_try(problem="no CUDA"),)),
            {},
            {"works": False, "failed": {"one": "no CUDA"}},
            id="no model works",
        ),
        pytest.param(
            Measurements(models=(a_try(model="bad", problem="broken file"), a_try())),
            {},
            {"works": True, "failed": {"bad": "broken file"}, "megapixelsteps_per_s": 10.0},
            id="one of two models works",
        ),
        pytest.param(
            Measurements(
                models=(a_try(),), sizes=(a_try(), a_try(768, 768), a_try(1024, 1024, problem="x"))
            ),
            {},
            {"max_pixels": 768 * 768},
            id="a size fails",
        ),
        pytest.param(
            Measurements(models=(a_try(),), sizes=(a_try(),), cut="the rest was skipped"),
            {},
            {"max_pixels": 0},
            id="larger sizes were not tried, and it is fast enough for them",
        ),
        pytest.param(
            Measurements(models=(a_try(speed=0.1),), sizes=(a_try(speed=0.1),), cut="time"),
            {},
            {"max_pixels": 512 * 512, "extra_slow": True},
            id="larger sizes were not tried, and would take too long",
        ),
        pytest.param(
            Measurements(models=(a_try(speed=0.49),)), {}, {"extra_slow": True}, id="extra slow"
        ),
        pytest.param(
            Measurements(models=(a_try(speed=0.5),)), {}, {"extra_slow": False}, id="just not slow"
        ),
        pytest.param(
            Measurements(models=(a_try(),), sizes=(a_try(),), pair=Pair(10, 12.9)),
            {},
            {"jobs": 1, "seen_megapixelsteps_per_s": 10.0},
            id="two at once are little faster",
        ),
        pytest.param(
            Measurements(models=(a_try(),), sizes=(a_try(),), pair=Pair(10, 13)),
            {},
            {"jobs": 2, "seen_megapixelsteps_per_s": 13.0},
            id="two at once are faster",
        ),
        pytest.param(
            WELL,
            {"megapixelsteps_per_s_max": 5.0},
            {"megapixelsteps_per_s": 10.0, "seen_megapixelsteps_per_s": 5.0},
            id="held back",
        ),
        pytest.param(
            Measurements(models=(a_try(),), sizes=(a_try(),), pair=Pair(10, 20)),
            {"megapixelsteps_per_s_max": 8.0},
            {"jobs": 2, "seen_megapixelsteps_per_s": 16.0},
            id="two at once, each held back",
        ),
    ],
)
def test_what_is_proposed(measured, offer, expected):
    proposal = propose(measured, an_offer(**offer))
    found = {name: getattr(proposal, name) for name in expected}
    assert {k: round(v, 6) if isinstance(v, float) else v for k, v in found.items()} == expected


def test_kudos_of_an_hour():
    """10 kudos are 512 × 512 pixels with 50 steps, so that much in a second is 36,000 an hour."""
    assert kudos_per_hour(512 * 512 * 50 / MEGA) == pytest.approx(36_000)


@pytest.mark.parametrize(
    ("pixels", "seconds"), [(512 * 512, 150), (1024 * 1024, 270), (2048 * 2048, 990)]
)
def test_time_limit_is_that_of_the_horde(pixels, seconds):
    assert time_limit_s(pixels, 30) == seconds


@pytest.mark.parametrize(
    ("max_pixels", "sizes"),
    [
        pytest.param(1024 * 1024, list(SIZES[:3]), id="up to what is offered"),
        pytest.param(10**9, list(SIZES), id="never more than a horde takes"),
        pytest.param(300 * 300, [(256, 256)], id="smaller than the smallest"),
        pytest.param(1, [(64, 64)], id="nonsense"),
    ],
)
def test_sizes(max_pixels, sizes):
    assert sizes_for(max_pixels) == sizes


@pytest.mark.parametrize(("speed", "steps"), [(100, 30), (0.5, 9), (0.001, 2)])
def test_steps_fit_into_five_seconds(speed, steps):
    assert steps_for(512 * 512, speed) == steps


# -- measuring ---------------------------------------------------------------------------------


@dataclass
class Clock:
    """A clock that backends move."""

    now: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self) -> float:
        return self.now

    def pass_(self, seconds: float) -> None:
        with self.lock:
            self.now += seconds


class Painter(Backend):
    """Takes as long as its speed says, by a clock that it moves itself."""

    def __init__(self, clock, speed=10.0, load_s=0.0, fits=10**9, broken=(), together=False):
        self.clock, self.speed, self.load_s, self.fits = clock, speed, load_s, fits
        self.broken, self.pair = broken, threading.Barrier(2) if together else None
        self.made: list[Drawing] = []

    def offer(self) -> Offer:
        return an_offer()

    def make(self, drawing, progress):
        self.made.append(drawing)
        progress(0.1)
        if drawing.model in self.broken:
            raise BackendError("broken file")
        if drawing.width * drawing.height > self.fits:
            raise OutOfMemoryError("it does not fit")
        seconds = drawing.width * drawing.height * drawing.steps / MEGA / self.speed
        is_second = False
        if drawing.seed and self.pair is not None:  # two at once take as long as one
            is_second = self.pair.wait(10) == 1
        if not is_second:
            self.clock.pass_(seconds)
        if drawing.seed and self.pair is not None:
            self.pair.wait(10)
        self.clock.pass_(self.load_s)
        self.load_s = 0.0
        return PICTURE


def measure(backend, models=("one",), offer=None, seconds=60.0, tell=None):
    offer = offer or backend.offer()
    return SelfTest(backend, offer, models, seconds=seconds, clock=backend.clock, tell=tell).run()


def test_everything_is_measured():
    told = []
    measured = measure(Painter(Clock(), load_s=3.0), tell=told.append)
    assert measured.loading_s == pytest.approx(3.0)
    assert [(each.width, each.height) for each in measured.sizes] == list(SIZES[:6])
    assert [each.problem for each in measured.sizes] == [""] * 6
    assert measured.pair.gain == pytest.approx(1.0)
    assert (measured.untested, measured.cut) == ((), "")
    assert len(told) == 2 + 6 + 1
    proposal = propose(measured, an_offer())
    assert (proposal.jobs, proposal.max_pixels) == (1, 0)
    assert proposal.megapixelsteps_per_s == pytest.approx(10)


def test_two_at_once_are_measured_together():
    measured = measure(Painter(Clock(), together=True))
    assert measured.pair.gain == pytest.approx(2.0)
    assert propose(measured, an_offer()).jobs == 2


def test_sizes_end_with_the_first_that_does_not_fit():
    measured = measure(Painter(Clock(), fits=1024 * 1024))
    assert [each.problem for each in measured.sizes] == ["", "", "", "it does not fit"]
    assert measured.pair is not None
    assert propose(measured, an_offer()).max_pixels == 1024 * 1024


def test_sizes_end_where_a_job_would_take_too_long():
    backend = Painter(Clock(), speed=0.1)
    measured = measure(backend, seconds=600)
    assert [each.problem for each in measured.sizes] == [
        "",
        "with 30 steps it takes more than its 165 s",
    ]
    assert propose(measured, an_offer()).max_pixels == 512 * 512


def test_steps_are_chosen_by_speed():
    backend = Painter(Clock(), speed=1.0)
    measure(backend)
    sizes = [each for each in backend.made[2:] if each.steps > 2]
    assert max(each.width * each.height * each.steps / MEGA for each in sizes) <= 5.0
    assert {each.steps for each in backend.made[2:]} == {19, 8, 4, 3, 2}


def test_all_ends_in_its_time():
    backend = Painter(Clock(), speed=1.0)
    measured = measure(backend, seconds=20)
    assert backend.clock.now <= 20
    assert measured.cut == "the 20 s were over"
    assert measured.sizes


def test_models_that_fail_and_those_nobody_tried():
    models = tuple("abcdefg")
    backend = Painter(Clock(), broken=("b",))
    measured = measure(backend, models, an_offer(models=models, ready=frozenset("g")))
    assert [each.model for each in measured.models] == ["g", "a", "b", "c", "d"]
    assert measured.untested == ("e", "f")
    assert propose(measured, an_offer()).failed == {"b": "broken file"}


def test_nothing_works():
    measured = measure(Painter(Clock(), broken=("one",)))
    assert (measured.sizes, measured.pair, measured.loading_s) == ((), None, None)
    assert not propose(measured, an_offer()).works


class Hanging(Painter):
    """Never ends by itself, but notices that nobody wants its picture any more."""

    def make(self, drawing, progress):
        self.clock.pass_(1000)
        while True:
            progress(0.5)


def test_a_backend_that_takes_too_long_is_told_to_stop():
    backend = Hanging(Clock())
    measured = measure(backend)
    assert (measured.models, measured.untested) == ((), ("one",))
    assert measured.cut == "the 60 s were over"
    assert not any(each.name == "ordu-selftest" for each in threading.enumerate())


def test_ctrl_c_keeps_what_is_known():
    def press(tried: Try) -> None:
        if tried.width == 768:
            raise KeyboardInterrupt

    measured = measure(Painter(Clock()), tell=press)
    assert measured.cut == "the rest was skipped"
    assert [each.width for each in measured.sizes] == [512]


class Rude(Painter):
    """Somebody else's code, with a bug."""

    def make(self, drawing, progress):
        raise ZeroDivisionError


class Scribbler(Painter):
    """Gives back what is no picture."""

    def make(self, drawing, progress):
        return Picture(b"scribble")


@pytest.mark.parametrize(
    ("kind", "problem"), [(Rude, "ZeroDivisionError"), (Scribbler, "cannot be read")]
)
def test_a_broken_backend_is_a_finding(kind, problem):
    measured = measure(kind(Clock()))
    assert problem in measured.models[0].problem


def test_a_real_backend():
    backend = SketchBackend()
    offer = Offer(models=("sketch",), max_pixels=512 * 512, megapixelsteps_per_s_max=15.0)
    measured = SelfTest(backend, offer, offer.models, seconds=100).run()
    proposal = propose(measured, offer)
    assert proposal.works
    assert 0 < proposal.seen_megapixelsteps_per_s <= 15.0 * proposal.jobs
