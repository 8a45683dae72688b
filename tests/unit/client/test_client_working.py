"""The work a horde asks for before it makes an account, as the client does it."""

import httpx
import pytest

from ordu.client import HordeError
from ordu.protocol import work
from ordu.protocol.registration import RegistrationInput

pytestmark = pytest.mark.anyio

NEEDED = {"message": "Work first.", "rc": "WorkNeeded"}
CHALLENGE = {"challenge": "c", "parts": 3, "bits": 5, "expires_at": "2026-11-26T00:00:00Z"}


def asks_for_work(challenge: dict) -> object:
    def answer(call: httpx.Request) -> httpx.Response:
        if call.method == "GET":
            return httpx.Response(200, json=challenge)
        if b'"work"' not in call.content:
            return httpx.Response(403, json=NEEDED)
        return httpx.Response(200, json={"username": "ada#2", "id": 2, "api_key": "k" * 22})

    return answer


async def test_it_works_when_it_is_asked_to(connect):
    client = connect(asks_for_work(CHALLENGE))
    account = await client.post_register(RegistrationInput(username="ada"))
    assert account.username == "ada#2"
    first, challenge, second = client.sent
    assert challenge.url.path == "/register/challenge"
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    done = httpx.Response(200, content=second.content).json()["work"]
    assert done["challenge"] == "c"
    assert all(
        work.is_solution("c", part, number, 5) for part, number in enumerate(done["numbers"])
    )
    assert len(done["numbers"]) == 3


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param({"bits": 40}, id="years"),
        pytest.param({"bits": 27}, id="a little too much"),
        pytest.param({"bits": 10**9}, id="nonsense"),
        pytest.param({"bits": -1}, id="less than nothing"),
        pytest.param({"parts": 10**9, "bits": 0}, id="too many parts"),
    ],
)
async def test_it_does_no_work_without_end(connect, asked):
    client = connect(asks_for_work(CHALLENGE | asked))
    with pytest.raises(HordeError, match="more than this client does"):
        await client.post_register({"username": "ada"})
    assert len(client.sent) == 2


async def test_another_no_is_what_it_is(connect):
    client = connect(lambda _: httpx.Response(403, json={"message": "No.", "rc": "Forbidden"}))
    with pytest.raises(HordeError, match=r"No\."):
        await client.post_register({"username": "ada"})
    assert len(client.sent) == 1


def test_a_solution_begins_with_as_many_zero_bits_as_are_asked_for():
    assert work.begins_with(bytes(8), 60)
    assert work.begins_with(b"\x00\x1f" + bytes(6), 11)
    assert not work.begins_with(b"\x00\x1f" + bytes(6), 12)
    assert work.begins_with(b"\xff" * 8, 0)


def test_where_no_number_solves_it_there_is_none():
    number = work.solve("c", 0, 6, range(10_000))
    assert number is not None
    assert work.is_solution("c", 0, number, 6)
    assert work.solve("c", 0, 6, range(number)) is None


@pytest.mark.parametrize(("bits", "part"), [(0, 0), (3, 0), (4, 0), (5, 1), (20, 16), (28, 24)])
def test_the_work_is_spread_over_its_parts(bits, part):
    assert work.part_bits(bits) == part
