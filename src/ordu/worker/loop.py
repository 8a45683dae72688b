"""The worker: takes jobs, has its benches make them, delivers them; each while the others go on.

Three things happen at the same time. The *taker* asks for jobs, for idle benches and a little ahead
for busy ones; the *benches* make pictures, each device as many at once as its owner said; what is
made is *delivered* beside that, and a bench waits for it only when much is undelivered. Asked to
stop, the worker finishes and delivers what it holds and takes nothing new.
"""

import asyncio
import logging
import random
import time
from collections.abc import Sequence
from dataclasses import replace

from ordu.client import AsyncHorde
from ordu.client.waiting import Clock
from ordu.client.wire import known
from ordu.protocol.jobs import GenerationPayload
from ordu.settings import WorkerSettings
from ordu.worker.backends import Backend, BackendError, Drawing, OutOfMemoryError, Picture
from ordu.worker.bench import Bench
from ordu.worker.delivery import Delivery
from ordu.worker.events import Began, Drawn, Failed, Limited, Listener, Made, Took
from ordu.worker.gate import AlwaysOpen, Gate
from ordu.worker.jobs import SEEDS, Job, read_job
from ordu.worker.outage import Outage, Sleep, pause
from ordu.worker.reserve import Held, Reserve
from ordu.worker.taking import Taker, first_of, unheard
from ordu.worker.underway import Underway, megapixelsteps_of

JOB_S_MAX = 3600.0  # where the horde does not say how long it waits for a picture
UNDELIVERED_MAX = 2  # for each slot; a bench does not begin another picture before one is sent

log = logging.getLogger(__name__)


class Worker:
    """Works for one horde with one backend, on one device or several, until it is stopped.

    `on_event` is told what happens, in the event loop. `sleep`, `clock` and `chance` are for tests.
    """

    def __init__(
        self,
        horde: AsyncHorde,
        backends: Sequence[Backend],
        settings: WorkerSettings,
        *,
        gate: Gate | None = None,
        on_event: Listener = unheard,
        sleep: Sleep = asyncio.sleep,
        clock: Clock = time.monotonic,
        chance: random.Random | None = None,
    ) -> None:
        self._horde = horde
        self._settings = settings
        self._tell = on_event
        self._sleep = sleep
        self._clock = clock
        self._chance = chance or random.Random()  # noqa: S311 - seeds of pictures are no secrets
        self._benches = [Bench(each, each.device, settings.jobs, clock) for each in backends]
        outage = Outage(on_event, sleep, clock, self._chance)
        self._taker = Taker(
            horde, self._benches, settings, gate or AlwaysOpen(), outage, on_event, sleep, clock
        )
        self._delivery = Delivery(horde, outage, on_event, clock)
        self._reserve = Reserve(self._benches)
        self._underway = Underway(clock)
        self._has_changed = asyncio.Event()  # what decides whether to fetch another job
        slots = settings.jobs * len(self._benches)
        self._undelivered = asyncio.Semaphore(slots * UNDELIVERED_MAX)
        self._work: asyncio.Task[None] | None = None
        self._is_abandoned = False

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set and everything in hand is delivered, or `abandon` is called.

        Raises:
            HordeError: the horde will never give this worker jobs: unknown key, foreign name, …
            LookupError: the backend has none of the models in the settings.
        """
        self._work = asyncio.create_task(self._everything(stop))
        try:
            await self._work
        except asyncio.CancelledError:
            if not self._is_abandoned:
                raise
        finally:
            for bench in self._benches:
                bench.close()

    def abandon(self) -> None:
        """Let go of everything; the horde gives the jobs away after their time."""
        self._is_abandoned = True
        if self._work is not None:
            self._work.cancel()

    @property
    def has_lost_a_thread(self) -> bool:
        """Whether a backend still works for nobody and cannot be stopped."""
        return any(bench.has_lost_a_thread for bench in self._benches)

    async def _everything(self, stop: asyncio.Event) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for bench in self._benches:
                    for _ in range(bench.slots):
                        group.create_task(self._slot(bench, group))
                group.create_task(self._take(stop, group))
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None  # the first; the others stopped because of it

    # -- taking --------------------------------------------------------------------------------

    async def _take(self, stop: asyncio.Event, group: asyncio.TaskGroup) -> None:
        await asyncio.sleep(0)  # the slots are there first
        while await self._has_room(stop):
            reply = await self._taker.take(stop)
            if reply is None:
                break
            self._reserve.put(self._hold(reply, group))
        self._reserve.close()

    async def _has_room(self, stop: asyncio.Event) -> bool:
        """Wait until another job can be used; False when the worker is to stop."""
        while not stop.is_set():
            ahead = min(self._settings.prefetch, self._underway.free_soon())
            if self._reserve.idle_count or self._reserve.count < ahead:
                return True
            self._has_changed.clear()
            soon_s = self._underway.next_free_s()
            if self._reserve.count >= self._settings.prefetch or soon_s is None:
                await first_of(self._has_changed.wait(), stop.wait())
            else:
                await pause(self._sleep, soon_s, self._has_changed, stop)
        return False

    def _hold(self, reply: GenerationPayload, group: asyncio.TaskGroup) -> Held:
        names = self._settings.model_names
        job = read_job(reply, known(reply.id, ""), self._chance.randrange(SEEDS), names)
        drawing = job.drawing
        self._tell(Took(job.id, job.model, drawing.width, drawing.height, drawing.steps))
        return Held(job, self._clock(), group.create_task(self._with_sources(job)))

    async def _with_sources(self, job: Job) -> Drawing | Exception:
        """The drawing with its source image and mask; or why they cannot be had."""
        drawing = job.drawing
        try:
            if job.source is not None:
                drawing = replace(drawing, source_image=await self._horde.fetch(job.source))
            if job.mask is not None:
                drawing = replace(drawing, source_mask=await self._horde.fetch(job.mask))
        except Exception as error:  # noqa: BLE001 - told when its turn comes
            return error
        return drawing

    # -- making --------------------------------------------------------------------------------

    async def _slot(self, bench: Bench, group: asyncio.TaskGroup) -> None:
        """Make one picture after the other."""
        while True:
            self._has_changed.set()
            if (held := await self._reserve.get(bench)) is None:
                return
            picture = await self._make(bench, held)
            await self._undelivered.acquire()
            group.create_task(self._deliver(bench, held, picture))

    async def _make(self, bench: Bench, held: Held) -> Picture | None:
        """The finished picture; None when it could not be made, which has been told."""
        job = held.job
        self._underway.begin(job.id, job.drawing)
        self._tell(Began(job.id, bench.name))
        try:
            picture = await self._draw(bench, held)
        except Exception as error:  # noqa: BLE001 - a backend is somebody else's code
            self._underway.end(job.id, is_made=False)
            self._failed(bench, job, error)
            return None
        self._taker.rest.made()
        took_s = self._underway.end(job.id, is_made=True)
        self._tell(Made(job.id, took_s, len(picture.data)))
        return picture

    async def _draw(self, bench: Bench, held: Held) -> Picture:
        drawing = await held.drawing
        if isinstance(drawing, Exception):
            raise drawing

        def tell_share(share: float) -> None:
            self._underway.progress(held.job.id, share)
            self._has_changed.set()
            self._tell(Drawn(held.job.id, share))

        limit_s = (held.job.ttl_s or JOB_S_MAX) - (self._clock() - held.taken_at)
        if limit_s <= 0:
            raise BackendError("Its time at the horde was over before a device was free.")
        return await bench.make(drawing, tell_share, limit_s)

    def _failed(self, bench: Bench, job: Job, error: Exception) -> None:
        self._taker.rest.failed()
        log.warning("Job %s failed: %s", job.id, error, exc_info=log.isEnabledFor(logging.DEBUG))
        self._tell(Failed(job.id, str(error) or type(error).__name__))
        if isinstance(error, OutOfMemoryError) and bench.pixels_max is not None:
            self._tell(Limited(bench.pixels_max))

    # -- delivering ----------------------------------------------------------------------------

    async def _deliver(self, bench: Bench, held: Held, picture: Picture | None) -> None:
        try:
            if picture is None:
                await self._delivery.failure(held.job.id)
            else:
                await self._hold_back(bench, held)
                await self._delivery.picture(held.job, picture)
        finally:
            self._undelivered.release()

    async def _hold_back(self, bench: Bench, held: Held) -> None:
        """Wait until a picture was not made faster than its backend wants to be seen."""
        fastest = bench.offer.megapixelsteps_per_s_max if bench.offer else 0
        if fastest:
            took_s = self._clock() - held.taken_at
            due_s = megapixelsteps_of(held.job.drawing) / fastest - took_s
            await self._sleep(max(0.0, due_s))
