"""Having requests fulfilled: several at once within a bound, each saved as soon as it is there.

One that fails does not take the others with it, unless they would fail the same way. What was saved
stays, also when the rest is stopped with Ctrl-C.
"""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from ordu.cli import metadata
from ordu.cli.failures import FAILED, Failure, in_words
from ordu.cli.progress import Board, Line
from ordu.cli.saving import Saver
from ordu.cli.terminal.previews import Previews
from ordu.client import (
    AsyncHorde,
    HordeError,
    Picture,
    PictureReady,
    Progress,
    RequestFaulted,
    UnknownKey,
    Unreachable,
)
from ordu.client.pictures import NEGATIVE_MARK
from ordu.client.wire import body_of, known
from ordu.protocol.requests import GenerationInput


@dataclass(frozen=True, slots=True)
class Saved:
    """A picture that was made, and where it lies."""

    path: Path
    size_bytes: int
    prompt: str
    picture: Picture


@dataclass
class Order:
    """The requests of one call, and what becomes of them."""

    requests: Sequence[GenerationInput]
    saver: Saver
    previews: Previews
    at_once: int = 3
    wait_s: float = 1200.0
    has_metadata: bool = True
    saved: list[Saved] = field(default_factory=list)
    failed: list[tuple[str, HordeError]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    async def fulfil(self, horde: AsyncHorde, board: Board) -> None:
        """Have all of it made and saved.

        Raises:
            HordeError: the only request failed, or one in a way that all would.
        OSError: a picture cannot be saved.
            Failure: some of several requests failed; the others are saved.
        """
        turns = asyncio.Semaphore(self.at_once)
        results: list[list[Saved]] = [[] for _ in self.requests]

        async def in_turn(number: int, request: GenerationInput) -> None:
            async with turns:
                results[number] = await self._fulfil_one(horde, board, request)

        try:
            async with asyncio.TaskGroup() as group:
                for number, request in enumerate(self.requests):
                    group.create_task(in_turn(number, request))
        except* (HordeError, OSError) as errors:
            raise first_of(errors) from None
        finally:
            self.saved = [each for result in results for each in result]
        if self.failed:
            raise some_failed(self.failed, len(self.requests))

    async def _fulfil_one(
        self, horde: AsyncHorde, board: Board, request: GenerationInput
    ) -> list[Saved]:
        prompt = prompt_of(request)
        line = board.add(prompt)
        arrivals = Arrivals(horde, self.previews, line, is_followed=request.params.n > 1)
        try:
            pictures = await horde.fulfil(
                request, on_progress=arrivals.on_progress, timeout_s=self.wait_s
            )
        except HordeError as error:
            line.fail(error.message)
            self._fail(prompt, error)
            pictures = error.pictures if isinstance(error, RequestFaulted) else []
        finally:
            await arrivals.end()
        saved = [self._save(request, prompt, each) for each in pictures]
        arrivals.show_rest(pictures)
        return saved

    def _fail(self, prompt: str, error: HordeError) -> None:
        """Note a failure, or raise it where the others would only fail the same way."""
        is_over = isinstance(error, UnknownKey | Unreachable)
        is_alone = len(self.requests) == 1 and not isinstance(error, RequestFaulted)
        if is_over or is_alone:
            raise error
        self.failed.append((prompt, error))

    def _save(self, request: GenerationInput, prompt: str, picture: Picture) -> Saved:
        data = picture.data
        if self.has_metadata:
            sent = msgspec.json.decode(body_of(request) or b"{}", type=dict[str, Any])
            parameters = metadata.Parameters.of(sent, picture)
            try:
                data = metadata.write_text(data, metadata.as_text(parameters))
            except metadata.BadPictureError as error:
                self.remarks.append(f"Without its parameters: picture {picture.id} {error}.")
        path = self.saver.save(picture, prompt, data)
        return Saved(path, len(data), prompt, picture)


class Arrivals:
    """Shows the pictures of one request as they come, where previews are shown.

    A horde that tells events is listened to for that; of others all are shown at the end.
    """

    def __init__(
        self, horde: AsyncHorde, previews: Previews, line: Line, *, is_followed: bool
    ) -> None:
        self._horde = horde
        self._previews = previews
        self._line = line
        self._is_followed = is_followed and previews.way is not None
        self._task: asyncio.Task[None] | None = None
        self._shown: set[str] = set()

    def on_progress(self, progress: Progress) -> None:
        """Hear how far the request is."""
        self._line(progress)
        if self._is_followed and self._task is None and not progress.is_over:
            self._task = asyncio.create_task(self._follow(progress.request_id))

    async def _follow(self, request_id: str) -> None:
        with suppress(HordeError):  # it is only a preview
            async with aclosing(self._horde.events(request_id)) as events:
                async for event in events:
                    if isinstance(event, PictureReady):
                        data = await self._horde.fetch(event.link)
                        self._shown.add(event.picture_id)
                        self._previews.show(data)

    async def end(self) -> None:
        """Stop listening."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def show_rest(self, pictures: Sequence[Picture]) -> None:
        """Show those that were not shown yet."""
        for picture in pictures:
            if picture.id not in self._shown:
                self._previews.show(picture.data)


async def prices(horde: AsyncHorde, requests: Sequence[GenerationInput]) -> list[float]:
    """What each request would cost, in kudos; nothing is drawn.

    Raises:
        Failure: the horde knows no dry runs; what it took was taken back.
    """
    found = []
    for request in requests:
        asked = msgspec.structs.replace(request, dry_run=True)
        answer = await horde.post_async_generate(asked)
        if request_id := known(answer.id, ""):
            await horde.delete_async_status(request_id)
            raise Failure(
                "This horde does not tell prices beforehand. It took the request, which was taken"
                " back at once."
            )
        found.append(known(answer.kudos_exact, known(answer.kudos, 0.0)))
    return found


async def with_worker_ids(
    horde: AsyncHorde, requests: Sequence[GenerationInput]
) -> list[GenerationInput]:
    """The same requests with the ids of workers that are named."""
    from ordu.cli.workers import is_id

    ids: dict[str, str] = {}
    for name in {name for request in requests for name in request.workers}:
        found = None if is_id(name) else await horde.get_worker_single_name(name)
        ids[name] = name if found is None else known(found.id, name)
    return [
        msgspec.structs.replace(each, workers=[ids[name] for name in each.workers])
        for each in requests
    ]


def prompt_of(request: GenerationInput) -> str:
    """What should be in the picture, without what should not."""
    return request.prompt.partition(NEGATIVE_MARK)[0].strip()


def first_of(errors: ExceptionGroup[HordeError | OSError]) -> HordeError | OSError:
    """One error of several that came together."""
    first = errors.exceptions[0]
    return first_of(first) if isinstance(first, ExceptionGroup) else first


def some_failed(failed: Sequence[tuple[str, HordeError]], asked: int) -> Exception:
    """The failure that says which requests failed: the only one's own error, or a line for each."""
    if asked == 1:
        return failed[0][1]
    lines = [f"  {prompt[:60]}: {in_words(error)}" for prompt, error in failed[:20]]
    more = [f"  and {len(failed) - 20} more"] if len(failed) > 20 else []
    what = f"{len(failed)} of {asked} prompts failed:"
    return Failure("\n".join([what, *lines, *more]), FAILED)
