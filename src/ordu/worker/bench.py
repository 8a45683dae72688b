"""A bench: one device with its backend, and what makes sure that nobody waits for it in vain.

A backend is somebody else's code and works in threads. It is stopped by its next report of progress
when the picture is not wanted any more; where that does not help, it is left alone with its thread
and the bench goes on with new ones.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

from ordu.client.waiting import Clock
from ordu.worker import pictures
from ordu.worker.backends import (
    Backend,
    BackendError,
    Cancelled,
    Drawing,
    Offer,
    OutOfMemoryError,
    Picture,
)

CANCEL_S_MAX = 10.0  # a backend has so long to stop after it was told
ABANDON_S_MAX = 2.0  # and so long when the worker lets go of everything
LIMIT_S = 1800.0  # what did not fit is tried again after so long: somebody else may have used it
PIXELS_MIN = 64 * 64


class Bench:
    """One device. `slots` pictures are made on it at the same time."""

    def __init__(self, backend: Backend, name: str, slots: int, clock: Clock) -> None:
        self.name = name
        self.slots = slots
        self.offer: Offer | None = None  # what it said last; None: nothing at present
        self.has_lost_a_thread = False  # Python would wait for it at the end, in vain
        self._backend = backend
        self._clock = clock
        self._threads = self._new_threads()
        self._pixels_max: int | None = None  # more did not fit
        self._limited_until = 0.0

    async def look(self) -> Offer:
        """Ask the backend what it can make now.

        Raises:
            BackendError: nothing, at present.
        """
        loop = asyncio.get_running_loop()
        try:
            offer = await loop.run_in_executor(self._threads, self._backend.offer)
        except Exception:
            self.offer = None
            raise
        if self.pixels_max is not None:
            offer = replace(offer, max_pixels=min(offer.max_pixels, self.pixels_max))
        self.offer = offer
        return offer

    def can_make(self, model: str) -> bool:
        """Whether it has this model now."""
        return self.offer is not None and model in self.offer.models

    def is_ready_for(self, model: str) -> bool:
        """Whether it has this model in memory."""
        return self.offer is not None and model in self.offer.ready

    async def make(
        self, drawing: Drawing, tell_share: Callable[[float], None], limit_s: float
    ) -> Picture:
        """The finished picture as WebP.

        Raises:
            BackendError: it could not be made, or not in time.
        """
        is_unwanted = threading.Event()
        patience_s = CANCEL_S_MAX
        loop = asyncio.get_running_loop()

        def progress(share: float) -> None:
            if is_unwanted.is_set():
                raise Cancelled
            with suppress(RuntimeError):  # abandoned: the loop is closed, the backend is not done
                loop.call_soon_threadsafe(tell_share, share)

        def make() -> Picture:
            picture = self._backend.make(drawing, progress)
            return replace(picture, data=pictures.as_webp(picture.data))

        making = loop.run_in_executor(self._threads, make)
        try:
            done, _ = await asyncio.wait({making}, timeout=limit_s)
            if not done:
                raise BackendError(f"It was not done after {limit_s:.0f} s, its time at the horde.")
            return making.result()
        except OutOfMemoryError:
            self._limit(drawing.width * drawing.height)
            raise
        except asyncio.CancelledError:
            patience_s = ABANDON_S_MAX
            raise
        finally:
            is_unwanted.set()
            if not making.done():
                await self._let_go(making, patience_s)

    @property
    def pixels_max(self) -> int | None:
        """What fits, if more did not."""
        return self._pixels_max if self._clock() < self._limited_until else None

    def close(self) -> None:
        """Let go of the device."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._backend.close()

    async def _let_go(self, making: asyncio.Future[Picture], patience_s: float) -> None:
        """Wait a little until the backend has stopped; else it keeps its thread."""
        await asyncio.wait({making}, timeout=patience_s)
        if making.done():
            making.exception()  # that it stopped is no news
            return
        self.has_lost_a_thread = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._threads = self._new_threads()

    def _limit(self, pixels: int) -> None:
        self._pixels_max = max(pixels * 3 // 4, PIXELS_MIN)
        self._limited_until = self._clock() + LIMIT_S

    def _new_threads(self) -> ThreadPoolExecutor:
        # One more than slots, so that a busy device can still say what it offers.
        return ThreadPoolExecutor(self.slots + 1, thread_name_prefix=f"ordu-bench-{self.name}")


def common(offers: Sequence[Offer]) -> Offer:
    """What a worker can say of several devices in one pop: any model, and what all of them can.

    Raises:
        BackendError: they have no sampler in common.
    """
    first = offers[0]
    if len(offers) == 1:
        return first
    named = [each.samplers for each in offers if each.samplers]
    samplers = tuple(name for name in (named or [()])[0] if all(name in each for each in named))
    if named and not samplers:
        raise BackendError("The devices have no sampler in common; make a worker for each.")
    return Offer(
        models=tuple(dict.fromkeys(model for each in offers for model in each.models)),
        max_pixels=min(each.max_pixels for each in offers),
        img2img=all(each.img2img for each in offers),
        inpainting=all(each.inpainting for each in offers),
        lora=all(each.lora for each in offers),
        controlnet=all(each.controlnet for each in offers),
        post_processing=tuple(
            name
            for name in first.post_processing
            if all(name in each.post_processing for each in offers)
        ),
        samplers=samplers,
        karras=all(each.karras for each in offers),
        features=frozenset.intersection(*(each.features for each in offers)),
        nsfw=all(each.nsfw for each in offers),
        ready=frozenset().union(*(each.ready for each in offers)),
    )
