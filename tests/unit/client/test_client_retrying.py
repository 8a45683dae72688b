"""Which calls are made again when they fail, how often, and after how long."""

from itertools import chain, repeat
from typing import Any

import httpx
import pytest

from ordu.client import (
    BrokenHorde,
    Closed,
    Horde,
    HordeError,
    NotAllowed,
    TookTooLong,
    TooMuch,
    Unreachable,
)
from ordu.client.retrying import Attempts, Repeating, jittered, may_repeat, repeating
from ordu.protocol import operations
from ordu.protocol.operations import TABLE, Place

pytestmark = pytest.mark.anyio

UNSENT = httpx.ConnectError("refused")
CUT = httpx.ReadError("cut")
SLOW = httpx.ReadTimeout("slow")
FINE = httpx.Response(200, json={})
GIFT = {"username": "ada#2", "amount": 1}


def refused(status: int, rc: str | None = None, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json={"message": "No.", "rc": rc}, headers=named)


def far(*answers: Any) -> Any:
    """A horde that gives these answers, the last one for ever."""
    rest = chain(answers, repeat(answers[-1]))

    def answer(call: httpx.Request) -> httpx.Response:
        given = next(rest)
        if isinstance(given, Exception):
            raise given
        return httpx.Response(given.status_code, headers=given.headers, content=given.content)

    return answer


HONOURED = httpx.Response(200, json={}, headers={"Idempotency-Key": "k"})


async def called(connect: Any, name: str, *answers: Any, honours_keys: bool = False) -> int:
    """How many calls it took until an operation was answered; -1 when it was not."""
    client = connect(far(*([HONOURED] if honours_keys else []), *answers))
    if honours_keys:
        await client.post_transfer_kudos(GIFT)
        client.sent.clear()
    row = operations.BY_NAME[name]
    given = {each.python: "a" for each in row.parameters if each.place is Place.PATH}
    if row.request is not None:
        given["payload"] = {}
    try:
        await getattr(client, name)(**given)
    except HordeError:
        return -len(client.sent)
    return len(client.sent)


@pytest.mark.parametrize(
    ("name", "answer", "calls"),
    [
        pytest.param("get_horde_load", CUT, 2, id="reading after a cut"),
        pytest.param("get_horde_load", SLOW, 2, id="reading after silence"),
        pytest.param("get_horde_load", refused(502), 2, id="reading after a failure"),
        pytest.param("get_horde_load", refused(404, "NotFound"), -1, id="no after a refusal"),
        pytest.param("delete_async_status", CUT, 2, id="cancelling after a cut"),
        pytest.param("put_user_single", CUT, -1, id="not a change after a cut"),
        pytest.param("put_user_single", UNSENT, 2, id="a change that was not sent"),
        pytest.param("put_user_single", refused(500), -1, id="not a change after a failure"),
        pytest.param("put_user_single", refused(429), 2, id="a change that was too much"),
        pytest.param("post_register", CUT, -1, id="not an account after a cut"),
        pytest.param("post_register", UNSENT, 2, id="an account that was not sent"),
        pytest.param("post_transfer_kudos", refused(500), -1, id="not a gift after a failure"),
        pytest.param("post_async_generate", refused(429), 2, id="a request that was too much"),
        pytest.param("post_job_pop", UNSENT, -1, id="never a pop"),
        pytest.param("post_job_submit", refused(429), -1, id="never a submit"),
    ],
)
async def test_what_is_made_again_on_any_horde(connect, name, answer, calls):
    assert await called(connect, name, answer, FINE) == calls


@pytest.mark.parametrize("answer", [CUT, SLOW, refused(500), refused(504)])
@pytest.mark.parametrize(
    "row",
    [
        each
        for each in TABLE
        if repeating(each) is Repeating.KEYED and each.name != "post_sync_generate"
    ],
)
async def test_what_creates_or_pays_is_made_again_where_keys_are_honoured(connect, row, answer):
    if row.reply is None:
        pytest.skip("no method")
    assert await called(connect, row.name, answer, FINE, honours_keys=True) == 2


async def test_a_synchronous_request_is_made_again_only_with_a_key_of_its_caller(connect):
    client = connect(far(HONOURED, CUT, FINE))
    await client.post_transfer_kudos(GIFT)
    with pytest.raises(Unreachable):
        await client.post_sync_generate({"prompt": "a fox"})
    assert len(client.sent) == 2
    client = connect(far(HONOURED, CUT, FINE))
    await client.post_transfer_kudos(GIFT)
    await client.post_sync_generate({"prompt": "a fox"}, idempotency_key="once")
    assert len(client.sent) == 3


async def test_it_is_made_again_with_the_same_key_and_body(connect):
    client = connect(far(HONOURED, CUT, refused(500), HONOURED))
    for amount in (1, 2):
        await client.post_transfer_kudos({**GIFT, "amount": amount})
    keys = [call.headers["idempotency-key"] for call in client.sent]
    assert len(set(keys[1:])) == 1
    assert keys[0] != keys[1]
    assert len({call.content for call in client.sent[1:]}) == 1


async def test_a_refusal_that_carries_the_key_back_shows_it_too(connect):
    shown = refused(400, "KudosTransferNotEnough", Idempotency_Key="k")
    client = connect(far(shown, CUT, FINE))
    with pytest.raises(HordeError):
        await client.post_transfer_kudos(GIFT)
    await client.post_transfer_kudos(GIFT)
    assert len(client.sent) == 3


@pytest.mark.parametrize("error", [CUT, UNSENT, refused(500)])
async def test_it_ends_after_the_last_attempt(connect, error):
    client = connect(far(error))
    with pytest.raises((Unreachable, BrokenHorde)):
        await client.get_horde_load()
    assert len(client.sent) == 3
    assert client.slept == [0.5, 1.0]


@pytest.mark.parametrize(
    ("answer", "slept"),
    [
        pytest.param(refused(429, Retry_After="7"), [7.0], id="in seconds"),
        pytest.param(refused(503, Retry_After="7"), [7.0], id="closed for so long"),
        pytest.param(refused(429), [1.0], id="too much, not said how long"),
        pytest.param(refused(503), [0.5], id="closed, by a proxy"),
        pytest.param(
            refused(
                503,
                Date="Thu, 26 Nov 2026 02:00:00 GMT",
                Retry_After="Thu, 26 Nov 2026 02:00:09 GMT",
            ),
            [9.0],
            id="as a time",
        ),
        pytest.param(refused(429, Retry_After="soon"), [1.0], id="in no known form"),
    ],
)
async def test_a_horde_that_says_later_is_asked_later(connect, answer, slept):
    client = connect(far(answer, FINE))
    await client.get_horde_load()
    assert client.slept == slept


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        pytest.param(refused(429, Retry_After="61"), TooMuch, id="later than a minute"),
        pytest.param(refused(503, "MaintenanceMode"), Closed, id="maintenance"),
        pytest.param(refused(403, "TimeoutIP", Retry_After="600"), TooMuch, id="a punishment"),
        pytest.param(refused(403, "NotAdmin", Retry_After="1"), NotAllowed, id="a plain no"),
    ],
)
async def test_who_is_told_to_come_back_much_later_decides(connect, answer, kind):
    client = connect(far(answer))
    with pytest.raises(kind):
        await client.get_horde_load()
    assert (len(client.sent), client.slept) == (1, [])


async def test_placing_keeps_to_the_time_of_the_request(connect):
    client = connect(far(refused(429, Retry_After="30")))
    with pytest.raises(TooMuch):
        await client.generate("a fox", timeout_s=10)
    assert client.slept == []


async def test_a_call_near_the_deadline_has_only_the_time_that_is_left(connect):
    placed = httpx.Response(202, json={"id": "r"})
    client = connect(far(placed, SLOW))
    with pytest.raises((TookTooLong, Unreachable)):
        await client.generate("a fox", timeout_s=10)
    check = client.sent[1]
    assert check.url.path.endswith("/check/r")
    assert check.extensions["timeout"]["read"] == 10


async def test_a_picture_is_fetched_again(connect):
    client = connect(far(CUT, refused(500), httpx.Response(200, content=b"RIFF")))
    assert await client.fetch("http://pictures.test/1") == b"RIFF"
    assert client.slept == [0.5, 1.0]


@pytest.mark.parametrize("attempts", [0, 21])
def test_how_many_attempts_is_bounded(attempts):
    with pytest.raises(ValueError, match="1 to 20"):
        Horde(attempts=attempts)


async def test_one_attempt_is_one_call():
    calls = []

    def answer(call: httpx.Request) -> httpx.Response:
        calls.append(call)
        raise UNSENT

    horde = Horde(attempts=1, transport=httpx.MockTransport(answer))
    with horde, pytest.raises(Unreachable):
        horde.get_horde_load()
    assert len(calls) == 1


@pytest.mark.parametrize(("chance", "pause_s"), [(0.0, 1.0), (0.5, 1.5), (1.0, 2.0)])
def test_pauses_are_jittered(chance, pause_s):
    assert jittered(2.0, lambda: chance) == pause_s


def test_pauses_grow_up_to_a_bound():
    attempts = Attempts(operations.get_horde_load, 20, lambda: 1.0)
    lost = Unreachable("gone")
    pauses = [attempts.pause_s_after(lost, 100.0, honours_keys=False) for _ in range(6)]
    assert pauses == [0.5, 1.0, 2.0, 4.0, 5.0, 5.0]


def test_every_operation_that_creates_or_pays_is_keyed():
    keyed = {row.name for row in TABLE if repeating(row) is Repeating.KEYED}
    documented = {
        row.name for row in TABLE if "Idempotency-Key" in {each.name for each in row.parameters}
    }
    assert documented <= keyed


def test_an_answer_that_makes_no_sense_is_not_asked_for_again():
    assert not may_repeat(BrokenHorde("?"), Repeating.HARMLESS, honours_keys=True)
