# Derived from _async.py by scripts/sync_client.py: edit that, then `make sync-client`.
"""The client: every operation of a horde as a method, and the way from a prompt to pictures.

The operations are in `_async_operations`. What is here is more than an operation: `generate` (from
a prompt to pictures), `request` (the same step by step), `generate_many`, `price`, `events` (what
happens to a request that somebody placed), and `fetch` and `upload` for the bytes of pictures.
"""

import random
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self, Unpack

import httpx

from ordu.client import wire
from ordu.client._sync_line import SyncLine
from ordu.client._sync_operations import SyncOperations
from ordu.client._sync_request import SyncRequest
from ordu.client._sync_stream import SyncStream
from ordu.client.errors import NotImplementedByHorde
from ordu.client.events import SyncEvents
from ordu.client.many import SyncOutcomes, SyncUnderway, check_bound, sync_many
from ordu.client.pictures import Picture, Progress
from ordu.client.retrying import ATTEMPTS_MAX, Chance
from ordu.client.waiting import Clock, SyncSleep, sync_sleep
from ordu.client.wire import Fields
from ordu.client.wishes import Asked, Wish, check_names, request_of, without_drawing
from ordu.protocol.requests import GenerationInput


class Horde(SyncOperations):
    """A horde at an address, seen with one API key (or none, which is anonymous).

    The address may end in `/api` or `/api/v2` or not. One client keeps its connections and is for
    many calls, also at the same time; close it, or use it as a block.

    A call is made at most `attempts` times, each given up when the horde says nothing for
    `timeout_s` seconds. It is made again, after half a second or two, or when the horde said, only
    where that cannot do anything twice: reading; whatever never reached the horde; and what creates
    or pays on a horde that honours the `Idempotency-Key` which such calls carry. Workers' calls
    (`post_job_pop`, `post_job_submit`) and `upload` are made once. What waits for pictures has a
    `timeout_s` of its own, for all of it.

    Links of a horde on the Internet are not followed into a private network unless `private_links`.

    `transport` is where calls go instead of the network: an httpx transport, such as
    `ordu.client.testing.FakeHorde`; then it is the one to say where links may lead. `sleep`,
    `clock` and `chance` are for tests.

    Raises:
        ValueError: `url` is no http or https address, or `attempts` is not 1 to 20.

    Example:
        with Horde("http://127.0.0.1:7001", "0000000000") as horde:
            pictures = horde.generate("a lighthouse at dusk", width=512)
    """

    def __init__(
        self,
        url: str = wire.DEFAULT_URL,
        apikey: str | None = None,
        *,
        client_agent: str = wire.CLIENT_AGENT,
        timeout_s: float = 60.0,
        attempts: int = 3,
        private_links: bool = False,
        transport: httpx.BaseTransport | None = None,
        sleep: SyncSleep = sync_sleep,
        clock: Clock = time.monotonic,
        chance: Chance = random.random,
    ) -> None:
        if not 1 <= attempts <= ATTEMPTS_MAX:
            raise ValueError(f"attempts is from 1 to {ATTEMPTS_MAX}, not {attempts}.")
        line = SyncLine(
            url,
            apikey,
            client_agent,
            timeout_s=timeout_s,
            attempts=attempts,
            private_links=private_links,
            transport=transport,
            sleep=sleep,
            clock=clock,
            chance=chance,
        )
        super().__init__(line)
        self._underway = SyncUnderway()

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
        """Cancel what `generate_many` still waits for, and close the connections.

        The client cannot be used after it.
        """
        try:
            self._underway.end()
        finally:
            self._line.close()

    # -- pictures from a prompt ----------------------------------------------------------------

    def generate(
        self,
        prompt: str,
        *,
        on_progress: Callable[[Progress], None] | None = None,
        timeout_s: float = 1200.0,
        apikey: str | None = None,
        **wanted: Unpack[Wish],
    ) -> list[Picture]:
        """Have pictures made and get them; what else can be wished for stands in `Wish`.

        Without `models` any model will do. `timeout_s` is for all of it, in seconds. Cancelled,
        interrupted or out of time, it cancels the request at the horde too.

        Raises:
            RequestFaulted: it failed too often; the error has the pictures that were finished.
            TookTooLong: `timeout_s` went by.
            HordeError: the horde refused the request or was away for long.
            TypeError: there is no such keyword.
            ValueError, OSError: a source image cannot be read.

        Example:
            for picture in horde.generate("a fox in the snow", n=2, width=512, height=768):
                picture.save(f"fox-{picture.seed}.webp")
        """
        request = self.request(prompt, timeout_s=timeout_s, apikey=apikey, **wanted)
        return self._completed(request, on_progress)

    def fulfil(
        self,
        payload: GenerationInput | Fields,
        *,
        on_progress: Callable[[Progress], None] | None = None,
        timeout_s: float = 1200.0,
        apikey: str | None = None,
    ) -> list[Picture]:
        """Place this request, wait until it is done, and get its pictures; see `generate`.

        Raises:
            HordeError: as `generate` does.

        Example:
            pictures = horde.fulfil({"prompt": "a fox", "params": {"width": 512}})
        """
        request = self.request(payload, timeout_s=timeout_s, apikey=apikey)
        return self._completed(request, on_progress)

    def _completed(
        self, request: SyncRequest, on_progress: Callable[[Progress], None] | None
    ) -> list[Picture]:
        with request:
            for progress in request:
                if on_progress is not None:
                    on_progress(progress)
            return request.pictures()

    def request(
        self,
        asked: Asked,
        *,
        timeout_s: float = 1200.0,
        apikey: str | None = None,
        **wanted: Unpack[Wish],
    ) -> SyncRequest:
        """A request to be placed by a `with` block, followed in it, and taken back by leaving it.

        `asked` is a prompt, to which the keywords of `Wish` go, or a whole request. `timeout_s` is
        for all of it, in seconds.

        Raises:
            TypeError: there is no such keyword.
            ValueError, OSError: a source image cannot be read.

        Example:
            with horde.request("a fox") as request:
                for progress in request:
                    print(progress.stage, progress.finished)
                for picture in request.pictures():
                    picture.save("fox.webp")
        """
        return SyncRequest(self._line, request_of(asked, wanted), timeout_s, apikey)

    def generate_many(
        self,
        asked: Iterable[Asked],
        *,
        at_once: int = 8,
        timeout_s: float = 1200.0,
        apikey: str | None = None,
        **wanted: Unpack[Wish],
    ) -> SyncOutcomes:
        """Have many requests fulfilled, `at_once` at a time, each told when it is ready.

        `asked` are prompts, to all of which the keywords go, or whole requests (see `wish`); it is
        read as places get free, so it may be long. `timeout_s` is for each, from when it is placed.
        What fails is told as the outcome's error, and the others go on. Who leaves early or is
        cancelled cancels those that are underway at the horde.

        Raises:
            ValueError: `at_once` is not 1 to 100.
            TypeError: there is no such keyword.

        Example:
            prompts = [f"a {animal} in the snow" for animal in ("fox", "hare", "owl")]
            for outcome in horde.generate_many(prompts, at_once=2, width=512):
                for picture in outcome.pictures:
                    picture.save(f"{outcome.number}{picture.suffix}")
        """
        check_bound(at_once)
        check_names(wanted)

        def begin(each: Asked) -> SyncRequest:
            keywords: Wish = wanted if isinstance(each, str) else {}
            return self.request(each, timeout_s=timeout_s, apikey=apikey, **keywords)

        line = self._line
        return sync_many(begin, asked, at_once, self._underway, line.clock, line.sleep)

    def price(self, asked: Asked, *, apikey: str | None = None, **wanted: Unpack[Wish]) -> float:
        """What a request would cost, in kudos; nothing is drawn.

        Raises:
            NotImplementedByHorde: a horde of 2022, which knows no dry run.
            HordeError: the horde would refuse the request.

        Example:
            kudos = horde.price("a fox", width=1024, height=1024, steps=50)
        """
        payload = without_drawing(request_of(asked, wanted))
        placed = self.post_async_generate(payload, apikey)
        if request_id := wire.known(placed.id, ""):
            self.delete_async_status(request_id)
            raise NotImplementedByHorde(
                "This horde has no dry run: it placed the request, which was cancelled at once."
            )
        return wire.in_numbers(placed)

    # -- what happens to a request -------------------------------------------------------------

    def events(self, request_id: str, *, after: str | None = None) -> SyncEvents:
        """What happens to a request, as it happens, until its end (Ordu's servers only).

        Goes on by itself after a connection broke off; `after` is the id of the last event that was
        seen, for a program that comes back. Use `contextlib.closing` to leave early.

        Raises:
            NotFound: there is no such request, or the server tells no events.
            HordeError: the horde refused, or was away for long.

        Example:
            for event in horde.events(request_id):
                print(type(event).__name__, event.id)
        """
        return SyncStream(self._line, request_id, after).events()

    # -- the bytes of pictures -----------------------------------------------------------------

    def fetch(self, link_or_base64: str) -> bytes:
        """The bytes of a picture, from either form of `img`: a link or Base64.

        Raises:
            BrokenHorde: it is no Base64, more than 256 MiB, or in a private network (`Horde`).
            HordeError: there is no picture at that link.

        Example:
            status = horde.get_async_status(request_id)
            data = [horde.fetch(generation.img) for generation in status.generations]
        """
        return self._line.download(link_or_base64)

    def upload(self, url: str, data: bytes) -> None:
        """Put the bytes of a picture to the link that came with a job (`r2_upload`); made once.

        Raises:
            BrokenHorde: the link leads into a private network (`Horde`).
            HordeError: the place did not take it.

        Example:
            horde.upload(job.r2_upload, data)
        """
        self._line.put(url, data)
