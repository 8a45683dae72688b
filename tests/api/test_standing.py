"""What is held against people over HTTP: prompts that are not drawn, and what follows."""

import httpx
import msgspec
import pytest
from tests.api.conftest import ADMIN, ANONYMOUS, POP, check_is_documented
from tests.conftest import ADMIN_KEY

from ordu.server.app import make_app
from ordu.settings import ServerSettings

pytestmark = pytest.mark.anyio

BAD = {"prompt": "a naked toddler"}
ASYNC = "/api/v2/generate/async"
FERRIS = "/api/v2/users/2"


@pytest.fixture
def settings(tmp_path) -> ServerSettings:
    return ServerSettings(
        data=str(tmp_path / "horde"), admin_key=ADMIN_KEY, blocked_words=("spiders",)
    )


@pytest.fixture
def api_at(opened, without_limits_on_calls):
    """A client that calls from this address."""

    def connect(address: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(
            make_app(opened.horde, opened.secret), client=(address, 1000)
        )
        return httpx.AsyncClient(
            transport=transport,
            base_url="http://horde.test",
            event_hooks={"response": [check_is_documented]},
        )

    return connect


@pytest.fixture(autouse=True)
def without_limits_on_calls(monkeypatch):
    """What is counted by address and time here is offences, not calls."""
    monkeypatch.setattr("ordu.server.app.rate_limits", lambda horde: None)


@pytest.fixture
async def ferris(api, register):
    return await register("ferris")


async def reasons(api):
    shown = (await api.get(FERRIS, headers=ADMIN)).json()
    return shown["suspicious"], shown["suspicion_reasons"]


async def refusal(client, body, headers, path=ASYNC):
    reply = await client.post(path, json=body, headers=headers)
    return reply.json().get("rc")


async def test_a_prompt_that_is_not_drawn_is_held_against_its_author_once(api, ferris):
    for _ in range(3):
        assert await refusal(api, BAD, ferris) == "CorruptPrompt"
    assert await reasons(api) == (1, ["corrupt_prompt"])
    assert "suspicion_reasons" not in (await api.get(FERRIS, headers=ferris)).json()
    await api.put(FERRIS, json={"reset_suspicion": True}, headers=ADMIN)
    assert await reasons(api) == (0, [])
    assert await refusal(api, BAD, ferris) == "CorruptPrompt"
    assert await reasons(api) == (1, ["corrupt_prompt"])


@pytest.mark.parametrize("role", ["trusted", "moderator"])
async def test_it_is_not_held_against_the_trusted_and_moderators(api, ferris, role):
    await api.put(FERRIS, json={role: True}, headers=ADMIN)
    assert await refusal(api, BAD, ferris) == "CorruptPrompt"
    assert await reasons(api) == (0, [])


async def test_it_is_not_held_against_the_anonymous_user(api):
    assert await refusal(api, BAD, ANONYMOUS) == "CorruptPrompt"
    assert (await api.get("/api/v2/users/0", headers=ADMIN)).json()["suspicious"] == 0


async def test_its_address_has_to_wait(api_at, ferris, clock):
    async with api_at("8.8.8.8") as theirs, api_at("8.8.4.4") as others:
        assert await refusal(theirs, BAD, ANONYMOUS) == "CorruptPrompt"
        for headers in (ANONYMOUS, ferris):  # whoever it is
            reply = await theirs.post(ASYNC, json={"prompt": "a fox"}, headers=headers)
            assert (reply.status_code, reply.json()["rc"]) == (403, "TimeoutIP")
            assert reply.headers["Retry-After"] == "180"
        assert await refusal(theirs, POP, ferris, "/api/v2/generate/pop") == "TimeoutIP"
        assert await refusal(others, {"prompt": "a fox"}, ANONYMOUS) is None
        clock.forward(s=180)
        assert await refusal(theirs, {"prompt": "a fox"}, ANONYMOUS) is None
        assert await refusal(theirs, {"prompt": "spiders"}, ANONYMOUS) == "CorruptPrompt"
        clock.forward(s=539)
        assert await refusal(theirs, {"prompt": "a fox"}, ANONYMOUS) == "TimeoutIP"
        clock.forward(s=1)
        assert await refusal(theirs, {"prompt": "a fox"}, ANONYMOUS) is None


async def test_a_request_that_waits_already_can_still_be_watched(api_at):
    async with api_at("8.8.8.8") as theirs:
        placed = (await theirs.post(ASYNC, json={"prompt": "a fox"}, headers=ANONYMOUS)).json()
        assert await refusal(theirs, BAD, ANONYMOUS) == "CorruptPrompt"
        assert (await theirs.get(f"/api/v2/generate/check/{placed['id']}")).status_code == 200


async def test_a_moderator_tries_such_prompts_without_waiting(api_at):
    async with api_at("8.8.8.8") as theirs:
        for _ in range(2):
            assert await refusal(theirs, BAD, ADMIN) == "CorruptPrompt"


@pytest.mark.parametrize(("address", "limits"), [("127.0.0.1", True), ("8.8.8.8", False)])
async def test_nobody_waits_at_home_or_without_limits(opened, api_at, address, limits):
    opened.horde.settings = msgspec.structs.replace(opened.horde.settings, rate_limits=limits)
    async with api_at(address) as theirs:
        for _ in range(2):
            assert await refusal(theirs, BAD, ANONYMOUS) == "CorruptPrompt"


async def test_a_flagged_user_goes_after_everybody(api, register, ask, pop, clock):
    for name in ("ferris", "poor", "rich"):
        headers = await register(name)
        clock.forward(ms=1)
        await ask(headers, prompt=name)
    flagged = await register("flagged")
    await api.put("/api/v2/users/5", json={"kudos": 9, "flagged": True}, headers=ADMIN)
    await ask(flagged, prompt="flagged")
    await ask(ANONYMOUS, prompt="anonymous")
    served = [(await pop())["payload"]["prompt"] for _ in range(5)]
    assert served == ["ferris", "poor", "rich", "anonymous", "flagged"]
