"""The self-test: what a backend really makes on this machine, found by having it make pictures.

`SelfTest.run` measures: each model once, then growing pictures, then two at once, for as long as it
may. `propose` says what follows for the settings; it is a rule over plain values. Speed is counted
as the horde counts work: in megapixelsteps, a million pixels times steps.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event, Thread

from ordu.worker import pictures
from ordu.worker.backends import Backend, Cancelled, Drawing, Offer

SIZES = (
    *((512, 512), (768, 768), (1024, 1024), (1024, 1536), (1536, 1536), (2048, 2048)),
    *((2048, 3072), (3072, 3072)),
)
MODELS_MAX = 5  # more are not tried; those that fail say so when they are asked for
SECONDS = 60.0  # for all of it, where nothing else is said
TRY_S = 5.0  # a picture gets as many steps as fit into this
SECONDS_MIN = 0.001  # nothing is made in no time, and speeds are quotients
STEPS_FIRST = 8
STEPS_MIN, STEPS_MAX = 2, 30
STEPS_USUAL = 30  # what requests have unless they say otherwise
LOOK_S = 0.1  # how often it is looked whether the time is up
GRACE_S = 5.0  # for a backend to notice that nobody wants its picture any more
PROMPT = "mountains at sunset"
PAIR_GAIN = 1.3  # two at once have to be so many times as fast as one after the other
EXTRA_SLOW_BELOW = 0.5  # megapixelsteps a second
PIXELSTEPS_PER_KUDOS = 1_310_720  # 10 kudos are 512 × 512 pixels with 50 steps

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Try:
    """One picture that was tried."""

    model: str  # as the backend calls it
    width: int
    height: int
    steps: int
    seconds: float  # until it was made or had failed
    problem: str = ""  # why it was not made; empty: it was

    @property
    def pixels(self) -> int:
        """How large it is."""
        return self.width * self.height

    @property
    def megapixelsteps(self) -> float:
        """How much work it is."""
        return self.pixels * self.steps / 1_000_000


@dataclass(frozen=True, slots=True)
class Pair:
    """How fast pictures of one size are made, in megapixelsteps a second."""

    alone: float
    together: float  # of two at once, both counted

    @property
    def gain(self) -> float:
        """How many times as fast two at once are."""
        return self.together / self.alone if self.alone else 0.0


@dataclass(frozen=True, slots=True)
class Measurements:
    """What was tried and how it went."""

    models: tuple[Try, ...] = ()  # one of each model, at one small size
    sizes: tuple[Try, ...] = ()  # growing, of one model; only the last can have failed
    pair: Pair | None = None
    loading_s: float | None = None  # what the first picture took more than the same again
    untested: tuple[str, ...] = ()  # models
    cut: str = ""  # why something was left out; empty: nothing was


@dataclass(frozen=True, slots=True)
class Proposal:
    """What follows from the measurements."""

    works: bool  # at least one picture was made
    failed: Mapping[str, str] = field(default_factory=dict)  # models, and why each does not work
    max_pixels: int = 0  # 0: as the backend says
    jobs: int = 1
    extra_slow: bool = False
    megapixelsteps_per_s: float = 0.0  # as it draws
    seen_megapixelsteps_per_s: float = 0.0  # as the horde will see it, with all jobs at once
    kudos_per_hour: float = 0.0  # at most: if there is always work


# -- what follows ------------------------------------------------------------------------------


def propose(measured: Measurements, offer: Offer) -> Proposal:
    """What the settings should say after these measurements."""
    failed = {each.model: each.problem for each in measured.models if each.problem}
    speed = speed_of(measured.sizes) or speed_of(measured.models)
    if not speed:
        return Proposal(works=False, failed=failed)
    seen = min(speed, offer.megapixelsteps_per_s_max or speed)
    jobs = 1
    if measured.pair is not None and measured.pair.gain >= PAIR_GAIN:
        jobs = 2
        both = speed * measured.pair.gain
        seen = min(both, jobs * offer.megapixelsteps_per_s_max or both)
    return Proposal(
        works=True,
        failed=failed,
        max_pixels=_max_pixels(measured.sizes, speed, offer),
        jobs=jobs,
        extra_slow=speed < EXTRA_SLOW_BELOW,
        megapixelsteps_per_s=speed,
        seen_megapixelsteps_per_s=seen,
        kudos_per_hour=kudos_per_hour(seen),
    )


def speed_of(tries: Sequence[Try]) -> float:
    """Megapixelsteps a second over those that were made; 0 when none was."""
    made = [each for each in tries if not each.problem]
    seconds = sum(each.seconds for each in made)
    return sum(each.megapixelsteps for each in made) / seconds if seconds else 0.0


def kudos_per_hour(megapixelsteps_per_s: float) -> float:
    """What so much work earns in an hour, before factors and tax of a horde."""
    return megapixelsteps_per_s * 1_000_000 / PIXELSTEPS_PER_KUDOS * 3600


def time_limit_s(pixels: int, steps: int = STEPS_USUAL) -> float:
    """How long a horde waits for such a picture before it gives the job to somebody else."""
    return max(150.0, 30.0 + steps * 2 * pixels / 262_144)


def is_in_time(pixels: int, megapixelsteps_per_s: float) -> bool:
    """Whether such a picture with the usual steps is made within its time."""
    seconds = pixels * STEPS_USUAL / 1_000_000 / megapixelsteps_per_s
    return seconds <= time_limit_s(pixels)


def _max_pixels(sizes: Sequence[Try], speed: float, offer: Offer) -> int:
    """The largest size that works; sizes nobody tried are judged by the speed alone.

    A size for which there was no time is not forbidden: one that does not fit after all costs the
    worker a single job, after which it asks for smaller ones only.
    """
    made = [each.pixels for each in sizes if not each.problem]
    if made and len(made) < len(sizes):
        return max(made)
    tried = max(made, default=0)
    ladder = [width * height for width, height in sizes_for(offer.max_pixels)]
    slow = [pixels for pixels in ladder if pixels > tried and not is_in_time(pixels, speed)]
    if not slow:
        return 0
    return max((pixels for pixels in ladder if pixels < min(slow)), default=ladder[0])


def sizes_for(max_pixels: int) -> list[tuple[int, int]]:
    """The sizes to try, the smallest first; at least one, whatever fits."""
    sizes = [size for size in SIZES if size[0] * size[1] <= max_pixels]
    if sizes:
        return sizes
    side = max(64, int(max_pixels**0.5) // 64 * 64)
    return [(side, side)]


# -- measuring ---------------------------------------------------------------------------------


class Over(Exception):  # noqa: N818 - no error: it is what was agreed
    """No more is tried; says why."""


class SelfTest:
    """Has one device make pictures and measures that; used once.

    `tell` is given each picture when it was tried. `clock` is for tests.
    """

    def __init__(
        self,
        backend: Backend,
        offer: Offer,
        models: Sequence[str],
        *,
        seconds: float = SECONDS,
        tell: Callable[[Try], None] | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        self._drawer = Drawer(backend, seconds, clock)
        self._offer = offer
        # What is in memory already goes first: it says soonest how fast this machine is.
        ordered = sorted(models, key=lambda model: model not in offer.ready)
        self._to_try, self._untested = ordered[:MODELS_MAX], ordered[MODELS_MAX:]
        self._tell = tell or _ignore
        self._clock = clock
        self._deadline = clock() + seconds
        self._seconds = seconds
        self._models: list[Try] = []
        self._sizes: list[Try] = []
        self._pair: Pair | None = None
        self._loading_s: float | None = None

    def run(self) -> Measurements:
        """Measure as much as the time allows; Ctrl-C ends it early and loses nothing."""
        cut = ""
        try:
            self._try_models()
            self._try_sizes()
            self._try_pair()
        except Over as over:
            cut = str(over)
        except KeyboardInterrupt:
            cut = "the rest was skipped"
        tried = {each.model for each in self._models}
        left = [model for model in self._to_try if model not in tried]
        return Measurements(
            models=tuple(self._models),
            sizes=tuple(self._sizes),
            pair=self._pair,
            loading_s=self._loading_s,
            untested=(*left, *self._untested),
            cut=cut,
        )

    def _try_models(self) -> None:
        for model in self._to_try:
            drawing = small_drawing(model, self._offer)
            tried = self._make(drawing)
            self._models.append(tried)
            if not tried.problem and self._loading_s is None:
                again = self._make(drawing)
                self._loading_s = max(0.0, tried.seconds - again.seconds)
                self._models[-1] = again

    def _try_sizes(self) -> None:
        base = next((each for each in self._models if not each.problem), None)
        if base is None:
            return
        speed = speed_of([base])
        for width, height in sizes_for(self._offer.max_pixels):
            steps = steps_for(width * height, speed)
            self._check_time(width * height * steps / 1_000_000 / speed)
            tried = self._make(_drawing(base.model, width, height, steps))
            if not tried.problem and not is_in_time(tried.pixels, speed_of([tried])):
                limit_s = time_limit_s(tried.pixels)
                problem = f"with {STEPS_USUAL} steps it takes more than its {limit_s:.0f} s"
                tried = Try(base.model, width, height, steps, tried.seconds, problem)
            self._sizes.append(tried)
            if tried.problem:
                return
            speed = speed_of([tried])

    def _try_pair(self) -> None:
        """Two at once of the largest size there is time for: that they fit is to be seen as well.

        The one they are compared with is made right before, because machines get warm and slow.
        """
        made = [each for each in self._sizes if not each.problem]
        if not made:
            return
        left_s = self._deadline - self._clock()
        size = next((each for each in reversed(made) if 3 * each.seconds < left_s), made[0])
        self._check_time(3 * size.seconds)
        alone = self._make(_drawing(size.model, size.width, size.height, size.steps))
        began = self._clock()
        tries = self._drawer.make(
            [_drawing(size.model, size.width, size.height, size.steps, seed) for seed in (1, 2)]
        )
        seconds = self._clock() - began
        if seconds > 0 and not any(each.problem for each in (alone, *tries)):
            together = sum(each.megapixelsteps for each in tries) / seconds
            self._pair = Pair(speed_of([alone]), together)

    def _check_time(self, needed_s: float) -> None:
        if self._clock() + needed_s > self._deadline:
            raise Over(f"the {self._seconds:.0f} s were over")

    def _make(self, drawing: Drawing) -> Try:
        tried = self._drawer.make([drawing])[0]
        self._tell(tried)
        return tried


class Drawer:
    """Has a backend make pictures; whatever the backend does, that ends in time."""

    def __init__(self, backend: Backend, seconds: float, clock: Clock = time.monotonic) -> None:
        self._backend = backend
        self._seconds = seconds
        self._clock = clock
        self._deadline = clock() + seconds

    def make(self, drawings: Sequence[Drawing]) -> list[Try]:
        """Make these pictures at once, each in a thread.

        Raises:
            Over: the time is up; the backend was told to stop.
        """
        given_up = Event()
        makings = [_Making(self._backend, each, given_up, self._clock) for each in drawings]
        for making in makings:
            making.start()
        try:
            while any(making.is_alive() for making in makings):
                if self._clock() >= self._deadline:
                    raise Over(f"the {self._seconds:.0f} s were over")
                for making in makings:
                    making.join(LOOK_S)
        finally:
            given_up.set()
            for making in makings:
                making.join(GRACE_S)
        return [making.result() for making in makings]


class _Making(Thread):
    """One picture being made; a daemon, because a backend that hangs must not keep the process."""

    def __init__(self, backend: Backend, drawing: Drawing, given_up: Event, clock: Clock) -> None:
        super().__init__(name="ordu-selftest", daemon=True)
        self._backend = backend
        self._drawing = drawing
        self._given_up = given_up
        self._clock = clock
        self._seconds = 0.0
        self._problem = "it did not end"

    def run(self) -> None:
        """Make it and note how that went."""
        began = self._clock()
        try:
            picture = self._backend.make(self._drawing, self._progress)
            pictures.as_webp(picture.data)  # what a worker does as well before it delivers
            self._problem = ""
        except Exception as error:  # noqa: BLE001 - a backend is somebody else's code
            self._problem = str(error) or type(error).__name__
        self._seconds = max(self._clock() - began, SECONDS_MIN)

    def result(self) -> Try:
        """How it went."""
        drawing = self._drawing
        return Try(
            drawing.model,
            drawing.width,
            drawing.height,
            drawing.steps,
            self._seconds,
            self._problem,
        )

    def _progress(self, share: float) -> None:
        del share
        if self._given_up.is_set():
            raise Cancelled


def steps_for(pixels: int, megapixelsteps_per_s: float) -> int:
    """As many steps as such a picture can have in about `TRY_S` seconds, at least two."""
    steps = int(TRY_S * megapixelsteps_per_s * 1_000_000 / pixels)
    return min(max(steps, STEPS_MIN), STEPS_MAX)


def small_drawing(model: str, offer: Offer) -> Drawing:
    """A picture that says whether this model works."""
    width, height = sizes_for(offer.max_pixels)[0]
    return _drawing(model, width, height, STEPS_FIRST)


def _drawing(model: str, width: int, height: int, steps: int, seed: int = 0) -> Drawing:
    return Drawing(prompt=PROMPT, model=model, width=width, height=height, steps=steps, seed=seed)


def _ignore(tried: Try) -> None:
    del tried
