"""Following one request step by step, and having many made at once."""

import asyncio
from contextlib import aclosing, closing
from typing import Any

import httpx
import pytest

from ordu.client import (
    AsyncHorde,
    BadInput,
    Horde,
    NotImplementedByHorde,
    RequestFaulted,
    Stage,
    TookTooLong,
    wish,
)
from ordu.client.testing import FakeHorde
from ordu.protocol.requests import GenerationInput

pytestmark = pytest.mark.anyio

EVENTS = pytest.mark.parametrize("has_events", [False, True], ids=["asked", "told"])


class Left(Exception):  # noqa: N818 - no error
    """Somebody leaves."""


async def stages_of(fake: FakeHorde, face: str, leave_at: Stage | None = None) -> list[Stage]:
    """The stages that are seen of one request, until somebody leaves."""
    seen: list[Stage] = []

    def see(stage: Stage) -> bool:
        seen.append(stage)
        return stage is leave_at

    if face == "sync":
        with fake.horde() as horde, horde.request("a fox", n=2) as request:
            for progress in request:
                if see(progress.stage):
                    return seen
            assert len(request.pictures()) == 2
    else:
        async with fake.async_horde() as horde, horde.request("a fox", n=2) as request:
            async for progress in request:
                if see(progress.stage):
                    return seen
            assert len(await request.pictures()) == 2
    return seen


@pytest.mark.parametrize("face", ["sync", "async"])
@EVENTS
async def test_a_request_is_followed_to_its_end(face, has_events):
    fake = FakeHorde(has_events=has_events)
    assert await stages_of(fake, face) == [Stage.WAITING, Stage.PROCESSING, Stage.DONE]
    assert fake.cancelled == []
    looked = "get_async_events" if has_events else "get_async_check"
    assert {call.operation for call in fake.calls} == {
        "post_async_generate", looked, "get_async_status", "",
    }  # fmt: skip


@pytest.mark.parametrize("face", ["sync", "async"])
@EVENTS
@pytest.mark.parametrize("stage", [Stage.WAITING, Stage.PROCESSING])
async def test_who_leaves_early_takes_the_request_back(face, has_events, stage):
    fake = FakeHorde(has_events=has_events)
    await stages_of(fake, face, leave_at=stage)
    assert len(fake.cancelled) == 1
    assert len(fake.calls_of("delete_async_status")) == 1


def test_a_request_says_what_the_horde_said_of_it():
    def far(call: httpx.Request) -> httpx.Response:
        said = {"id": "r", "kudos": 3, "kudos_exact": 2.5}
        return httpx.Response(202, json={**said, "warnings": [{"code": "x", "message": "Hm."}]})

    with Horde(transport=httpx.MockTransport(far)) as horde, horde.request("a fox") as request:
        assert (request.id, request.kudos, request.warnings) == ("r", 2.5, ["Hm."])
        assert request.progress is None


@EVENTS
def test_pictures_are_waited_for_without_iterating(has_events):
    fake = FakeHorde(has_events=has_events)
    with fake.horde() as horde, horde.request("a fox") as request:
        assert len(request.pictures()) == 1
        assert request.is_over


def test_one_may_look_by_oneself():
    with FakeHorde().horde() as horde, horde.request("a fox") as request:
        stages = [request.look().stage for _ in range(3)]
    assert stages == [Stage.WAITING, Stage.PROCESSING, Stage.DONE]


def test_an_error_in_the_block_takes_the_request_back():
    fake = FakeHorde()

    def leave() -> None:
        with fake.horde() as horde, horde.request("a fox") as request:
            for _ in request:
                raise Left

    with pytest.raises(Left):
        leave()
    assert len(fake.cancelled) == 1


@EVENTS
def test_a_request_that_is_never_done_is_taken_back_in_time(has_events):
    fake = FakeHorde(looks=None, has_events=has_events)
    with pytest.raises(TookTooLong), fake.horde() as horde:
        horde.generate("a fox", timeout_s=30)
    assert len(fake.cancelled) == 1
    assert 29 <= fake.now_s <= 34


class Slow(FakeHorde):
    """A fake that places a request and then takes its time to say so."""

    def __init__(self) -> None:
        super().__init__()
        self.is_placed = asyncio.Event()
        self.hangs = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await super().handle_async_request(request)
        if self.hangs and request.method == "POST":
            self.hangs = False
            self.is_placed.set()
            await asyncio.Event().wait()
        return answer


async def test_who_leaves_while_it_is_being_placed_takes_it_back_too():
    fake = Slow()
    async with fake.async_horde() as horde:
        await horde.generate("a hare")  # shows that keys are honoured
        fake.hangs = True
        task = asyncio.create_task(horde.generate("a fox"))
        await fake.is_placed.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    (request,) = fake.cancelled
    assert request.wanted.prompt == "a fox"
    assert len(fake.requests) == 2


def test_a_request_whose_answer_was_lost_is_placed_once():
    fake = FakeHorde()
    with fake.horde() as horde:
        horde.generate("a hare")
        fake.lose("post_async_generate", is_done=True)
        horde.generate("a fox")
    assert len(fake.calls_of("post_async_generate")) == 3
    assert len(fake.requests) == 2


# -- many --------------------------------------------------------------------------------------


async def outcomes_of(fake: FakeHorde, face: str, *given: Any, **named: Any) -> list[Any]:
    if face == "sync":
        with fake.horde() as horde:
            return list(horde.generate_many(*given, **named))
    async with fake.async_horde() as horde:
        return [each async for each in horde.generate_many(*given, **named)]


@pytest.fixture(params=["sync", "async"])
def face(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@EVENTS
async def test_each_of_many_is_told_when_it_is_ready(face, has_events):
    fake = FakeHorde(has_events=has_events, pictures=lambda wanted: wanted.prompt.encode())
    prompts = [f"fox {number}" for number in range(9)]
    outcomes = await outcomes_of(fake, face, prompts, at_once=3, width=640)
    assert sorted(each.number for each in outcomes) == list(range(9))
    for each in outcomes:
        assert each.result()[0].data == each.asked.encode() == prompts[each.number].encode()
    assert {each.wanted.params.width for each in fake.requests.values()} == {640}
    assert fake.cancelled == []


class Counting(FakeHorde):
    """A fake that remembers how many requests were open at most."""

    most = 0

    def draw(self, wanted: Any) -> bytes:
        open_ = sum(not each.is_over for each in self.requests.values())
        self.most = max(self.most, open_)
        return super().draw(wanted)


@pytest.mark.parametrize("at_once", [1, 3, 8])
async def test_no_more_than_so_many_are_open_and_no_fewer(face, at_once):
    fake = Counting()
    assert len(await outcomes_of(fake, face, ["a fox"] * 20, at_once=at_once)) == 20
    assert fake.most == at_once


async def test_what_is_asked_for_is_read_as_places_get_free(face):
    read = []

    def prompts() -> Any:
        for number in range(100):
            read.append(number)
            yield "a fox"

    fake = FakeHorde()
    if face == "sync":
        with fake.horde() as horde, closing(horde.generate_many(prompts(), at_once=2)) as outcomes:
            next(outcomes)
    else:
        async with (
            fake.async_horde() as horde,
            aclosing(horde.generate_many(prompts(), at_once=2)) as outcomes,
        ):
            await anext(outcomes)
    assert len(read) <= 5


async def test_one_that_fails_does_not_lose_the_others(face):
    fake = FakeHorde()
    fake.refuse("post_async_generate", "KudosUpfront")
    fake.fault()
    asked = [wish("dear"), wish("broken", n=2), {"prompt": "fine"}, "also fine"]
    outcomes = await outcomes_of(fake, face, asked, at_once=2)
    outcomes.sort(key=lambda each: each.number)
    kinds = [type(each.error).__name__ for each in outcomes]
    assert kinds == ["KudosRefused", "RequestFaulted", "NoneType", "NoneType"]
    assert [len(each.pictures) for each in outcomes] == [0, 1, 1, 1]
    with pytest.raises(RequestFaulted):
        outcomes[1].result()


async def test_a_prompt_with_a_picture_that_cannot_be_read_is_one_failure(face):
    outcomes = await outcomes_of(FakeHorde(), face, ["a fox"], source_image="missing.webp")
    assert isinstance(outcomes[0].error, FileNotFoundError)


async def test_none_is_none(face):
    assert await outcomes_of(FakeHorde(), face, []) == []


@pytest.mark.parametrize("at_once", [0, 101])
async def test_how_many_at_once_is_bounded(face, at_once):
    with pytest.raises(ValueError, match="1 to 100"):
        await outcomes_of(FakeHorde(), face, ["a fox"], at_once=at_once)


def only_quick_ones(wanted: GenerationInput) -> int | None:
    return 3 if wanted.prompt == "quick" else None


class Hesitant(FakeHorde):
    """A fake that takes its time to cancel."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "DELETE":
            for _ in range(20):
                await asyncio.sleep(0)
        return await super().handle_async_request(request)


@EVENTS
async def test_who_leaves_many_early_cancels_all_that_are_open(face, has_events):
    fake = Hesitant(looks=only_quick_ones, has_events=has_events)
    prompts = ["slow", "slow", "quick", "slow", *["slow"] * 20]

    def leave() -> None:
        with fake.horde() as horde:
            for _ in horde.generate_many(prompts, at_once=4):
                raise Left

    async def leave_async() -> None:
        async with fake.async_horde() as horde:
            async for _ in horde.generate_many(prompts, at_once=4):
                raise Left

    with pytest.raises(Left):
        leave() if face == "sync" else await leave_async()
    slow = [each for each in fake.requests.values() if each.wanted.prompt == "slow"]
    assert fake.cancelled == slow
    assert len(slow) in {3, 4}  # the place that got free may have been taken already


async def test_a_task_that_is_cancelled_cancels_all_of_many():
    fake = FakeHorde(looks=None)

    async def many(horde: AsyncHorde) -> None:
        async for _ in horde.generate_many(["a fox"] * 50, at_once=4):
            raise AssertionError("none is ever done")

    async with fake.async_horde() as horde:
        task = asyncio.create_task(many(horde))
        while len(fake.requests) < 4:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert len(fake.cancelled) == len(fake.requests) == 4


async def test_an_interruption_cancels_all_of_many():
    fake = FakeHorde(looks=None)
    looks = 0

    class Interrupted(FakeHorde):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            nonlocal looks
            looks += request.method == "GET"
            if looks == 10:
                looks += 1
                raise KeyboardInterrupt
            return super().handle_request(request)

    fake = Interrupted(looks=None)
    with pytest.raises(KeyboardInterrupt), fake.horde() as horde:
        list(horde.generate_many(["a fox"] * 50, at_once=4))
    assert len(fake.cancelled) == len(fake.requests) == 4


# -- prices ------------------------------------------------------------------------------------


async def test_a_price_is_told_and_nothing_is_drawn(connect):
    fake = FakeHorde(price=7)
    with fake.horde() as horde:
        assert horde.price("a fox", n=3) == 21
        assert horde.price({"prompt": "a fox"}) == 7
        fake.refuse("post_async_generate", "TooManySteps")
        with pytest.raises(BadInput):
            horde.price("a fox", steps=500)
    assert fake.requests == {}


async def test_a_horde_that_draws_instead_is_stopped(connect):
    sent = []

    def far(call: httpx.Request) -> httpx.Response:
        sent.append(call.method)
        return httpx.Response(202 if call.method == "POST" else 200, json={"id": "r"})

    with pytest.raises(NotImplementedByHorde, match="no dry run"):
        await connect(far).price("a fox")
    assert sent == ["POST", "DELETE"]
