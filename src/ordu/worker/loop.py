"""The worker's loop: take a job, have the backend make it, deliver it; several at once.

A worker has as many *hands* as it does jobs at once. Each hand does one thing after the other; only
one of them asks for jobs at a time, so an idle worker asks as often as one with a single hand.
Asked to stop, the hands finish and deliver what they hold and take nothing new.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

from ordu.client import AsyncHorde, HordeError
from ordu.client.waiting import Clock
from ordu.client.wire import known
from ordu.protocol.jobs import GenerationPayload
from ordu.settings import WorkerSettings
from ordu.worker import pictures
from ordu.worker.backends import Backend, BackendError, Drawing, Picture
from ordu.worker.delivery import Delivery
from ordu.worker.events import Back, Drawn, Event, Failed, Idle, Listener, Made, Paused, Took
from ordu.worker.jobs import SEEDS, Job, ask_for, read_job, reasons
from ordu.worker.outage import Outage, Sleep, pause

MAINTENANCE = frozenset({"WorkerMaintenance", "WorkerFlaggedMaintenance"})
MAINTENANCE_PAUSE_S = 30.0
WAIT_S = 20  # for how long the server is asked to wait for a job
FAILURES_MAX = 3  # in a row; more are no bad luck
FAILURES_PAUSE_S_MIN = 30.0
FAILURES_PAUSE_S_MAX = 300.0

log = logging.getLogger(__name__)


class Worker:
    """Works for one horde with one backend until it is stopped.

    `on_event` is told what happens, in the event loop. `sleep`, `clock` and `chance` are for tests.
    """

    def __init__(
        self,
        horde: AsyncHorde,
        backend: Backend,
        settings: WorkerSettings,
        *,
        on_event: Listener | None = None,
        sleep: Sleep = asyncio.sleep,
        clock: Clock = time.monotonic,
        chance: random.Random | None = None,
    ) -> None:
        self._horde = horde
        self._backend = backend
        self._settings = settings
        self._tell: Callable[[Event], None] = on_event or _ignore
        self._sleep = sleep
        self._clock = clock
        self._chance = chance or random.Random()  # noqa: S311 - seeds of pictures are no secrets
        self._outage = Outage(self._tell, sleep, clock, self._chance)
        self._delivery = Delivery(horde, self._outage, self._tell, clock)
        self._asking = asyncio.Lock()
        self._failures = 0  # in a row
        self._needs_rest = False
        self._pause_reason: str | None = None
        self._hands: asyncio.Task[None] | None = None
        self._is_abandoned = False

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set and everything in hand is delivered, or `abandon` is called.

        Raises:
            HordeError: the horde will never give this worker jobs: unknown key, foreign name, …
            LookupError: the backend has none of the models in the settings.
        """
        threads = ThreadPoolExecutor(self._settings.jobs, thread_name_prefix="ordu-backend")
        self._hands = asyncio.create_task(self._all_hands(stop, threads))
        try:
            await self._hands
        except asyncio.CancelledError:
            if not self._is_abandoned:
                raise
        finally:
            # What a backend is drawing for nobody cannot be interrupted, but nobody waits for it.
            threads.shutdown(wait=False, cancel_futures=True)

    def abandon(self) -> None:
        """Let go of everything at once; the horde gives the jobs away after their time."""
        self._is_abandoned = True
        if self._hands is not None:
            self._hands.cancel()

    async def _all_hands(self, stop: asyncio.Event, threads: ThreadPoolExecutor) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._settings.jobs):
                    group.create_task(self._hand(stop, threads))
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None  # the first; the others stopped because of it

    async def _hand(self, stop: asyncio.Event, threads: ThreadPoolExecutor) -> None:
        while (job := await self._next_job(stop, threads)) is not None:
            picture = await self._make(job, threads)
            if picture is None:
                await self._delivery.failure(job.id)
            else:
                await self._delivery.picture(job, picture)

    # -- taking --------------------------------------------------------------------------------

    async def _next_job(self, stop: asyncio.Event, threads: ThreadPoolExecutor) -> Job | None:
        """The next job, waiting for one; None when the worker is to stop."""
        async with self._asking:
            while not stop.is_set():
                if self._needs_rest:
                    await self._rest(stop)
                    continue
                asked_at = self._clock()
                try:
                    reply = await self._ask(threads, stop)
                except (HordeError, BackendError) as error:
                    await self._wait_after(error, stop)
                    continue
                self._welcome()
                if job_id := known(reply.id, ""):
                    return self._take(reply, job_id)
                self._tell(Idle(reasons(reply)))
                if self._clock() - asked_at < WAIT_S:  # a server that lets us wait did so
                    await pause(self._sleep, self._settings.poll_interval_s, stop)
        return None

    async def _ask(self, threads: ThreadPoolExecutor, stop: asyncio.Event) -> GenerationPayload:
        """Pop; waits for a job where the server can, but not longer than until `stop`.

        When the pop is cut off, the server gives what it may have found to somebody else.
        """
        # In a thread, because a backend may have to ask another program what it has.
        offer = await asyncio.get_running_loop().run_in_executor(threads, self._backend.offer)
        wish = ask_for(offer, self._settings, self._settings.jobs)
        popping = asyncio.create_task(self._horde.post_job_pop(wish, prefer=f"wait={WAIT_S}"))
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({popping, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not popping.done():
                return GenerationPayload(id=None)
            return popping.result()
        finally:
            popping.cancel()
            stopping.cancel()

    def _take(self, reply: GenerationPayload, job_id: str) -> Job:
        job = read_job(reply, job_id, self._chance.randrange(SEEDS), self._settings.model_names)
        drawing = job.drawing
        self._tell(Took(job.id, job.model, drawing.width, drawing.height, drawing.steps))
        return job

    async def _wait_after(self, error: HordeError | BackendError, stop: asyncio.Event) -> None:
        """Wait after no pop was possible; raises what waiting does not mend."""
        if isinstance(error, HordeError):
            if error.may_pass:
                await self._outage.wait_after(error, stop)
                return
            # Servers of 2022 say it in words only.
            in_words = error.rc is None and "maintenance" in error.message.lower()
            if not in_words and error.rc not in MAINTENANCE:
                raise error
            self._outage.is_over()
        self._tell_pause(str(error), MAINTENANCE_PAUSE_S)
        await pause(self._sleep, MAINTENANCE_PAUSE_S, stop)

    def _welcome(self) -> None:
        self._outage.is_over()
        if self._pause_reason is not None:
            self._pause_reason = None
            self._tell(Back())

    async def _rest(self, stop: asyncio.Event) -> None:
        """Pause after failures in a row, longer each time; then one more job is tried."""
        doublings = min(self._failures - FAILURES_MAX, 10)
        pause_s = min(FAILURES_PAUSE_S_MIN * 2**doublings, FAILURES_PAUSE_S_MAX)
        self._tell_pause(f"{self._failures} jobs in a row failed.", pause_s)
        await pause(self._sleep, pause_s, stop)
        self._needs_rest = False

    def _tell_pause(self, reason: str, pause_s: float) -> None:
        if reason != self._pause_reason:
            self._pause_reason = reason
            log.warning("No new jobs for a while: %s", reason)
            self._tell(Paused(reason, pause_s))

    # -- making --------------------------------------------------------------------------------

    async def _make(self, job: Job, threads: ThreadPoolExecutor) -> Picture | None:
        """The finished picture; None when it could not be made, which has been told."""
        started = self._clock()
        try:
            drawing = await self._with_source(job)
            picture = await self._draw(job.id, drawing, threads)
            await self._hold_back(drawing, self._clock() - started)
        except Exception as error:  # a backend is somebody else's code
            self._failures += 1
            self._needs_rest = self._failures >= FAILURES_MAX
            log.warning(
                "Job %s failed: %s", job.id, error, exc_info=log.isEnabledFor(logging.DEBUG)
            )
            self._tell(Failed(job.id, str(error) or type(error).__name__))
            return None
        self._failures = 0
        self._tell(Made(job.id, self._clock() - started, len(picture.data)))
        return picture

    async def _with_source(self, job: Job) -> Drawing:
        """The drawing with its source image, if it has one."""
        drawing = job.drawing
        if job.source is not None:
            drawing = replace(drawing, source_image=await self._horde.fetch(job.source))
        if job.mask is not None:
            drawing = replace(drawing, source_mask=await self._horde.fetch(job.mask))
        return drawing

    async def _hold_back(self, drawing: Drawing, took_s: float) -> None:
        """Wait until a picture was not made faster than its backend wants to be seen."""
        fastest = self._backend.offer().megapixelsteps_per_s_max
        if fastest:
            megapixelsteps = drawing.width * drawing.height * drawing.steps / 1_000_000
            await self._sleep(max(0.0, megapixelsteps / fastest - took_s))

    async def _draw(self, job_id: str, drawing: Drawing, threads: ThreadPoolExecutor) -> Picture:
        loop = asyncio.get_running_loop()

        def progress(share: float) -> None:
            with suppress(RuntimeError):  # abandoned: the loop is closed, the backend is not done
                loop.call_soon_threadsafe(self._tell, Drawn(job_id, share))

        def make() -> Picture:
            picture = self._backend.make(drawing, progress)
            return replace(picture, data=pictures.as_webp(picture.data))

        return await loop.run_in_executor(threads, make)


def _ignore(event: Event) -> None:
    del event
