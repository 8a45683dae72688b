"""Several requests at once within a bound, and pictures that are shown as they come."""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from rich.console import Console
from tests import builders

from ordu.cli.ordering import Order
from ordu.cli.progress import Board
from ordu.cli.saving import Pattern, Saver
from ordu.cli.terminal.drawing import Way
from ordu.cli.terminal.previews import Previews
from ordu.client import Picture, PictureReady, Progress, Stage, Unreachable
from ordu.protocol.params import ModelGenerationInputStable
from ordu.protocol.requests import GenerationInput

FOX = builders.a_picture(64, 64, "orange")


def a_request(prompt: str = "a fox", n: int = 1) -> GenerationInput:
    return GenerationInput(prompt=prompt, params=ModelGenerationInputStable(n=n))


def a_made(number: int) -> Picture:
    return Picture(data=FOX, id=f"g{number}", seed=str(number), model="sketch")


def a_ready(number: int) -> PictureReady:
    return PictureReady(f"e{number}", f"link{number}", f"g{number}", "1", "sketch", "w", "a", False)


PROCESSING = Progress("r", Stage.PROCESSING, 0, 1, 1, 1, 0, is_possible=True, kudos=0)


class Drawing:
    """A horde that draws when it is told to; the commands' end of the client."""

    def __init__(
        self, told: list[PictureReady | Exception] | None = None, quick: tuple[str, ...] = ()
    ) -> None:
        self.quick = quick  # prompts that are drawn at once
        self.under_way = self.most = 0
        self.may_end = asyncio.Event()
        self.fetched: list[str] = []
        self.told = told or []
        self.all_told = asyncio.Event()

    async def fulfil(self, request, *, on_progress, timeout_s):
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        on_progress(PROCESSING)
        try:
            if request.prompt not in self.quick:
                await self.may_end.wait()
        finally:
            self.under_way -= 1
        return [a_made(number) for number in range(request.params.n)]

    async def events(self, request_id: str) -> AsyncIterator[PictureReady]:
        for each in self.told:
            if isinstance(each, Exception):
                self.all_told.set()
                raise each
            yield each
        self.all_told.set()
        await asyncio.Event().wait()

    async def fetch(self, link: str) -> bytes:
        self.fetched.append(link)
        return FOX


def an_order(tmp_path, *requests: GenerationInput, way: Way | None = None, at_once: int = 3):
    console = Console(file=io.StringIO(), force_terminal=True, width=80, soft_wrap=True)
    previews = Previews(console, way)
    return Order(requests, Saver(Pattern(tmp_path, "{prompt}-{n}")), previews, at_once), console


def test_no_more_are_asked_for_at_once_than_was_said(tmp_path):
    order, console = an_order(tmp_path, *(a_request(f"fox {n}") for n in range(7)), at_once=2)

    async def story() -> None:
        horde = Drawing()
        with Board(console, 7) as board:
            work = asyncio.ensure_future(order.fulfil(horde, board))
            for _ in range(20):
                await asyncio.sleep(0)
            assert horde.under_way == 2
            horde.may_end.set()
            await work
        assert horde.most == 2

    asyncio.run(story())
    assert [each.prompt for each in order.saved] == [f"fox {n}" for n in range(7)]


def test_pictures_are_shown_as_they_come_and_once(tmp_path):
    order, console = an_order(tmp_path, a_request(n=3), way=Way.KITTY)

    async def story() -> None:
        horde = Drawing([a_ready(0), a_ready(1)])
        with Board(console) as board:
            work = asyncio.ensure_future(order.fulfil(horde, board))
            await horde.all_told.wait()
            assert console.file.getvalue().count("\x1b_Ga=T") == 2
            horde.may_end.set()
            await work
        assert horde.fetched == ["link0", "link1"]

    asyncio.run(story())
    assert console.file.getvalue().count("\x1b_Ga=T") == 3
    assert len(order.saved) == 3


def test_a_horde_that_tells_no_events_has_them_shown_at_the_end(tmp_path):
    order, console = an_order(tmp_path, a_request(n=2), way=Way.ITERM)

    async def story() -> None:
        horde = Drawing([Unreachable("No events.")])
        with Board(console) as board:
            work = asyncio.ensure_future(order.fulfil(horde, board))
            await horde.all_told.wait()
            horde.may_end.set()
            await work

    asyncio.run(story())
    assert console.file.getvalue().count("\x1b]1337;File=") == 2


@pytest.mark.parametrize("way", [None, Way.KITTY])
def test_one_that_is_stopped_leaves_nothing_running_and_keeps_what_is_saved(tmp_path, way):
    order, console = an_order(tmp_path, a_request("a"), a_request("b", n=2), at_once=1, way=way)

    async def story() -> None:
        horde = Drawing([a_ready(0)], quick=("a",))
        with Board(console, 2) as board:
            work = asyncio.ensure_future(order.fulfil(horde, board))
            for _ in range(20):
                await asyncio.sleep(0)
            assert horde.under_way == 1
            work.cancel()
            with suppress(asyncio.CancelledError):
                await work
        assert horde.under_way == 0
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(story())
    assert [each.prompt for each in order.saved] == ["a"]
