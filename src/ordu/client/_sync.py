# Derived from _async.py by scripts/sync_client.py: edit that, then `make sync-client`.
"""The client: every operation of a horde as a method, and the way from a prompt to pictures.

The operations are in `_async_operations`. Five methods here are more than an operation: `generate`
(from a prompt to pictures), `fulfil` (the same for a request made by hand), `events` (what happens
to a request), and `fetch` and `upload` for the bytes of pictures.
"""

import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

import httpx

from ordu.client import wire
from ordu.client._sync_line import SyncLine
from ordu.client._sync_operations import SyncOperations
from ordu.client._sync_request import SyncRequest
from ordu.client._sync_stream import SyncStream
from ordu.client.errors import BrokenHorde
from ordu.client.events import SyncEvents
from ordu.client.pictures import Picture, Progress, wish
from ordu.client.waiting import Clock, SyncSleep, sync_shielded, sync_sleep
from ordu.client.wire import Fields, known
from ordu.protocol import operations
from ordu.protocol.params import PostProcessor, Sampler
from ordu.protocol.requests import (
    GenerationInput,
    RequestAsync,
    SourceProcessing,
)


class Horde(SyncOperations):
    """A horde at an address, seen with one API key (or none, which is anonymous).

    The address may end in `/api` or `/api/v2` or not. `sleep` and `clock` are for tests.

    Raises:
        ValueError: `url` is no http or https address.
    """

    def __init__(
        self,
        url: str = wire.DEFAULT_URL,
        apikey: str | None = None,
        *,
        client_agent: str = wire.CLIENT_AGENT,
        timeout_s: float = 60.0,
        transport: httpx.BaseTransport | None = None,
        sleep: SyncSleep = sync_sleep,
        clock: Clock = time.monotonic,
    ) -> None:
        super().__init__(SyncLine(url, apikey, client_agent, timeout_s, transport))
        self._sleep = sleep
        self._clock = clock

    @property
    def url(self) -> str:
        """The root of the horde, without `/api`."""
        return self._line.url

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; the client cannot be used after it."""
        self._line.close()

    # -- pictures from a prompt ----------------------------------------------------------------

    def generate(
        self,
        prompt: str,
        *,
        models: Sequence[str] | None = None,
        width: int = 512,
        height: int = 512,
        steps: int = 30,
        n: int = 1,
        seed: int | str | None = None,
        negative_prompt: str | None = None,
        sampler_name: Sampler = "k_euler_a",
        cfg_scale: float = 5.0,
        karras: bool = True,
        tiling: bool = False,
        post_processing: Sequence[PostProcessor] = (),
        source_image: bytes | None = None,
        source_mask: bytes | None = None,
        source_processing: SourceProcessing = "img2img",
        denoising_strength: float | None = None,
        nsfw: bool = False,
        censor_nsfw: bool = False,
        trusted_workers: bool = False,
        on_progress: Callable[[Progress], None] | None = None,
        timeout_s: float = 1200.0,
        apikey: str | None = None,
    ) -> list[Picture]:
        """Have pictures made and get them; without `models` any model will do.

        Cancelled, interrupted or out of time, it cancels the request at the horde too.

        Raises:
            RequestFaulted: it failed too often; the error has the pictures that were finished.
            TookTooLong: `timeout_s` went by.
            HordeError: the horde refused the request or was away for long.
        """
        payload = wish(
            prompt,
            models=models,
            width=width,
            height=height,
            steps=steps,
            n=n,
            seed=seed,
            negative_prompt=negative_prompt,
            sampler_name=sampler_name,
            cfg_scale=cfg_scale,
            karras=karras,
            tiling=tiling,
            post_processing=post_processing,
            source_image=source_image,
            source_mask=source_mask,
            source_processing=source_processing,
            denoising_strength=denoising_strength,
            nsfw=nsfw,
            censor_nsfw=censor_nsfw,
            trusted_workers=trusted_workers,
        )
        return self.fulfil(payload, on_progress=on_progress, timeout_s=timeout_s, apikey=apikey)

    def fulfil(
        self,
        payload: GenerationInput | Fields,
        *,
        on_progress: Callable[[Progress], None] | None = None,
        timeout_s: float = 1200.0,
        apikey: str | None = None,
    ) -> list[Picture]:
        """Place this request, wait until it is done, and get its pictures; see `generate`."""
        deadline = self._clock() + timeout_s
        asked = operations.post_async_generate
        answer = self._line.ask(asked, {}, apikey=apikey, payload=payload)
        request_id = known(wire.read(answer, RequestAsync, asked.name).id, "")
        if not request_id:
            raise BrokenHorde("The horde took the request and did not say its id (a dry run?).")
        has_events = wire.offers_events(answer)
        request = SyncRequest(
            self._line, request_id, deadline, self._sleep, self._clock, has_events=has_events
        )
        try:
            request.watch(on_progress)
        except BaseException:
            sync_shielded(request.give_up())
            raise
        return request.collect()

    # -- what happens to a request -------------------------------------------------------------

    def events(self, request_id: str, *, after: str | None = None) -> SyncEvents:
        """What happens to a request, as it happens, until its end (Ordu's servers only).

        Goes on by itself after a connection broke off; `after` is the id of the last event that was
        seen, for a program that comes back. Use `contextlib.aclosing` to leave early.

        Raises:
            NotFound: there is no such request, or the server tells no events.
            HordeError: the horde refused, or was away for long.
        """
        return SyncStream(self._line, request_id, after, self._sleep, self._clock).events()

    # -- the bytes of pictures -----------------------------------------------------------------

    def fetch(self, link_or_base64: str) -> bytes:
        """The bytes of a picture, from either form of `img`: a link or Base64."""
        return self._line.fetch(link_or_base64)

    def upload(self, url: str, data: bytes) -> None:
        """Put the bytes of a picture to the link that came with a job (`r2_upload`)."""
        self._line.put(url, data)
