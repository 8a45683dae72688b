"""What registering costs: calls by address and network, and work where the horde asks for it."""

import asyncio
import hashlib
from contextlib import asynccontextmanager

import httpx
import pytest
from tests.conftest import ADMIN_KEY

from ordu.client import AsyncHorde
from ordu.protocol import work
from ordu.protocol.registration import RegistrationInput
from ordu.server.app import make_app
from ordu.server.run import open_horde
from ordu.server.secret import Secret
from ordu.settings import ServerSettings
from ordu.store import users

pytestmark = pytest.mark.anyio

BITS = 8  # sixteen parts of four bits: some hundred hashes


@pytest.fixture
def settings(tmp_path, database_url) -> ServerSettings:
    return ServerSettings(
        data=str(tmp_path / "horde"),
        admin_key=ADMIN_KEY,
        database=database_url,
        database_connections=4,
        registration_work_bits=BITS,
        registrations_per_address=100,
        registrations_per_network=1000,
    )


async def challenge_of(api) -> dict:
    reply = await api.get("/register/challenge")
    assert reply.status_code == 200
    return reply.json()


def solved(challenge: dict) -> dict:
    """The work that solves a challenge, as the document says it: by hashes of text alone."""
    numbers = []
    for part in range(challenge["parts"]):
        number = 0
        while not is_solved(challenge["challenge"], part, number, challenge["bits"]):
            number += 1
        numbers.append(number)
    return {"challenge": challenge["challenge"], "numbers": numbers}


def is_solved(text: str, part: int, number: int, bits: int) -> bool:
    digest = hashlib.sha256(f"{text}.{part}.{number}".encode()).hexdigest()
    return f"{int(digest, 16):0256b}".startswith("0" * bits)


async def people(horde) -> int:
    return await horde.read(lambda tx: len(users.page(tx, 1, oldest_first=True)))


async def test_who_has_worked_gets_an_account(api, horde):
    challenge = await challenge_of(api)
    assert (challenge["parts"], challenge["bits"]) == (work.PARTS, BITS - 4)
    reply = await api.post("/register", json={"username": "ferris", "work": solved(challenge)})
    assert reply.status_code == 200, reply.text
    found = await api.get("/api/v2/find_user", headers={"apikey": reply.json()["api_key"]})
    assert found.json()["username"] == "ferris#2"


async def test_who_knows_nothing_of_it_is_told_what_to_do(api, horde):
    before = await people(horde)
    reply = await api.post("/register", json={"username": "ferris"})
    assert (reply.status_code, reply.json()["rc"]) == (403, "WorkNeeded")
    for way in ("/register/challenge", "page /register", "newer client"):
        assert way in reply.json()["message"]
    assert await people(horde) == before


def first_number_wrong(done: dict, challenge: dict) -> dict:
    number = next(
        each
        for each in range(10_000)
        if not is_solved(challenge["challenge"], 0, each, challenge["bits"])
    )
    return done | {"numbers": [number, *done["numbers"][1:]]}


WRONG = [
    pytest.param(first_number_wrong, "part 0 does not solve", id="a part is not solved"),
    pytest.param(
        lambda done, _: done | {"numbers": done["numbers"][:-1]}, "16 parts", id="too few"
    ),
    pytest.param(lambda done, _: done | {"numbers": []}, "16 parts", id="nothing"),
    pytest.param(lambda done, _: done | {"challenge": "x" * 39}, "not of this horde", id="made up"),
    pytest.param(lambda done, _: done | {"challenge": "ä"}, "not of this horde", id="no letters"),
    pytest.param(lambda done, _: done | {"challenge": ""}, "not of this horde", id="empty"),
    pytest.param(
        lambda done, _: done | {"challenge": done["challenge"] + "="},
        "not of this horde",
        id="the same bytes in another text",
    ),
]


@pytest.mark.parametrize(("wrong", "why"), WRONG)
async def test_work_that_was_not_done_makes_no_account(api, horde, wrong, why):
    challenge = await challenge_of(api)
    before = await people(horde)
    done = wrong(solved(challenge), challenge)
    reply = await api.post("/register", json={"username": "ferris", "work": done})
    assert (reply.status_code, reply.json()["rc"]) == (400, "WorkNotAccepted")
    assert why in reply.json()["message"]
    assert "/register/challenge" in reply.json()["message"]
    assert await people(horde) == before


@pytest.mark.parametrize(
    "done",
    [
        pytest.param({"challenge": "x" * 101, "numbers": []}, id="a long challenge"),
        pytest.param({"challenge": "x", "numbers": [0] * 17}, id="more numbers than parts"),
        pytest.param({"challenge": "x", "numbers": [-1]}, id="below zero"),
        pytest.param({"challenge": "x", "numbers": [2**53]}, id="a huge number"),
        pytest.param({"challenge": "x", "numbers": "1"}, id="no list"),
        pytest.param({"challenge": 1, "numbers": []}, id="no text"),
    ],
)
async def test_work_that_is_none_is_refused_by_its_form(api, done):
    reply = await api.post("/register", json={"username": "ferris", "work": done})
    assert (reply.status_code, reply.json()["rc"]) == (400, "ValidationFailed")


async def test_a_challenge_is_good_once_however_many_ask_at_once(api, horde):
    done = solved(await challenge_of(api))
    replies = await asyncio.gather(
        *(api.post("/register", json={"username": f"f{n}", "work": done}) for n in range(5))
    )
    assert sorted(each.status_code for each in replies) == [200, 400, 400, 400, 400]
    assert {each.json().get("rc") for each in replies} == {None, "WorkNotAccepted"}
    assert "made an account already" in max(each.text for each in replies if each.is_error)
    assert await people(horde) == 3


async def test_a_start_does_not_make_a_challenge_good_again(api, opened):
    done = solved(await challenge_of(api))
    await api.post("/register", json={"username": "ferris", "work": done})
    transport = httpx.ASGITransport(make_app(opened.horde, opened.secret))
    async with httpx.AsyncClient(transport=transport, base_url="http://horde.test") as again:
        reply = await again.post("/register", json={"username": "twin", "work": done})
    assert reply.json()["rc"] == "WorkNotAccepted"


async def test_a_challenge_ends_with_its_time(api, clock):
    challenge = await challenge_of(api)
    done = solved(challenge)
    clock.forward(s=601)
    reply = await api.post("/register", json={"username": "ferris", "work": done})
    assert "time of this challenge is over" in reply.json()["message"]
    assert challenge["expires_at"].endswith("Z")


async def test_a_name_that_will_not_do_costs_no_second_challenge(api):
    done = solved(await challenge_of(api))
    refused = await api.post("/register", json={"username": "x" * 31, "work": done})
    assert refused.json()["rc"] == "TooLongUserName"
    reply = await api.post("/register", json={"username": "ferris", "work": done})
    assert reply.status_code == 200


async def test_the_same_call_again_is_answered_as_before(api):
    body = {"username": "ferris", "work": solved(await challenge_of(api))}
    key = {"Idempotency-Key": "a" * 22}
    first = await api.post("/register", json=body, headers=key)
    second = await api.post("/register", json=body, headers=key)
    assert (first.status_code, second.json()) == (200, first.json())
    assert second.headers["Idempotency-Replayed"] == "true"


async def test_a_challenge_of_another_horde_is_worth_nothing(api, opened):
    transport = httpx.ASGITransport(make_app(opened.horde, Secret("another secret" * 3)))
    async with httpx.AsyncClient(transport=transport, base_url="http://horde.test") as other:
        done = solved((await other.get("/register/challenge")).json())
    reply = await api.post("/register", json={"username": "ferris", "work": done})
    assert "not of this horde" in reply.json()["message"]


async def test_the_page_says_what_it_is_about_and_takes_what_its_script_solved(api):
    page = await api.get("/register", headers={"Accept": "text/html"})
    assert "data-asks-for-work" in page.text
    without_scripts = page.text.partition("<noscript>")[2].partition("</noscript>")[0]
    assert "ordu worker join" in without_scripts
    refused = await api.post("/register", data={"username": "ferris"})
    assert refused.status_code == 403
    done = solved(await challenge_of(api))
    numbers = ",".join(map(str, done["numbers"]))
    form = {"username": "ferris", "challenge": done["challenge"]}
    nonsense = await api.post("/register", data=form | {"numbers": "1,two"})
    assert nonsense.status_code == 400
    reply = await api.post("/register", data=form | {"numbers": numbers})
    assert reply.status_code == 200
    assert "ferris#2" in reply.text


# By the client


@pytest.fixture
async def client(opened):
    transport = httpx.ASGITransport(make_app(opened.horde, opened.secret))
    async with AsyncHorde("http://horde.test", transport=transport) as client:
        yield client


@pytest.mark.parametrize("form", [dict, RegistrationInput], ids=["fields", "struct"])
async def test_the_client_does_the_work_by_itself(client, form):
    told: list[float] = []
    account = await client.post_register(form(username="ferris"), on_work=told.append)
    assert account.username == "ferris#2"
    assert (told[0], told[-1], len(told)) == (0.0, 1.0, work.PARTS + 1)
    assert told == sorted(told)


# Calls by address and network


@pytest.mark.parametrize(
    ("first", "same", "other"),
    [
        pytest.param("192.0.2.1", "192.0.2.1", "192.0.2.2", id="an address"),
        pytest.param("2001:db8::1", "2001:db8::f:1", "2001:db8:0:1::1", id="a /64"),
    ],
)
async def test_an_address_makes_as_many_accounts_an_hour_as_is_set(
    tmp_path, clock, first, same, other
):
    async with a_horde(tmp_path, clock, registrations_per_address=2) as call:
        assert [await call(first), await call(same), await call(same)] == [200, 200, 429]
        assert await call(other) == 200
        clock.forward(s=3600)
        assert await call(first) == 200


@pytest.mark.parametrize(
    ("network", "other"),
    [
        pytest.param("198.51.100.{}", "198.51.101.1", id="a /24"),
        pytest.param("2001:db8:7:{}::1", "2001:db8:8::1", id="a /48"),
    ],
)
async def test_so_does_a_network_however_many_addresses_it_has(tmp_path, clock, network, other):
    async with a_horde(tmp_path, clock, registrations_per_network=3) as call:
        statuses = [await call(network.format(number)) for number in range(1, 6)]
        assert statuses == [200, 200, 200, 429, 429]
        assert await call(other) == 200


@asynccontextmanager
async def a_horde(tmp_path, clock, **given):
    """A call to register from any address; answers with its status."""
    settings = ServerSettings(data=str(tmp_path / "limited"), admin_key=ADMIN_KEY, **given)
    async with open_horde(settings, "http://horde.test", clock=clock) as opened:
        app = make_app(opened.horde, opened.secret)

        async def call(address: str) -> int:
            transport = httpx.ASGITransport(app, client=(address, 1))
            async with httpx.AsyncClient(transport=transport, base_url="http://h.test") as client:
                reply = await client.post("/register", json={"username": "ferris"})
            assert reply.headers["RateLimit-Policy"] == (
                f'"address-per-hour";q={settings.registrations_per_address};w=3600, '
                f'"network-per-hour";q={settings.registrations_per_network};w=3600'
            )
            return reply.status_code

        yield call
