"""What answers say beside their bodies, in standard words: limits, when and where to look again."""

import pytest
from tests.api.conftest import ADMIN, ANONYMOUS
from tests.builders import HandClock
from tests.conftest import ADMIN_KEY

from ordu.protocol.errors import RC, Refused
from ordu.protocol.operations import TABLE
from ordu.protocol.problems import type_of
from ordu.settings import ServerSettings

pytestmark = pytest.mark.anyio

ASYNC = "/api/v2/generate/async"
ASK = {"prompt": "a fox"}


@pytest.fixture
def settings(tmp_path) -> ServerSettings:
    return ServerSettings(data=str(tmp_path / "horde"), admin_key=ADMIN_KEY)


@pytest.fixture
def clock() -> HandClock:
    return HandClock(1_760_000_040_000)  # a whole minute


# RateLimit


async def test_the_limit_that_is_left_is_told_in_the_words_of_the_draft(api, clock):
    clock.forward(s=20)
    reply = await api.get("/api/v2/status/models")
    assert reply.headers["RateLimit"] == '"address-per-minute";r=89;t=40'
    assert reply.headers["RateLimit-Policy"] == '"address-per-minute";q=90;w=60'
    assert reply.headers["X-RateLimit-Remaining"] == "89"


async def test_all_limits_are_told_and_the_tightest_with_what_is_left(api, clock):
    reply = await api.post(ASYNC, json=ASK, headers=ADMIN)
    assert reply.headers["RateLimit-Policy"] == (
        '"path-per-minute";q=90;w=60, "path-per-second";q=2;w=1, "key-per-second";q=2;w=1'
    )
    assert reply.headers["RateLimit"] == '"path-per-second";r=1;t=1'
    clock.forward(s=1)
    guest = await api.post(ASYNC, json=ASK, headers=ANONYMOUS)
    assert '"key-per-second";q=60;w=1' in guest.headers["RateLimit-Policy"]


async def test_a_call_too_many_has_nothing_left_and_is_told_when_to_come_back(api, clock):
    for _ in range(90):
        await api.get("/api/v2/status/models")
    clock.forward(s=59)
    refused = await api.get("/api/v2/status/models")
    assert refused.status_code == 429
    assert refused.headers["RateLimit"] == '"address-per-minute";r=0;t=1'
    assert refused.headers["Retry-After"] == "1"


async def test_what_is_not_limited_tells_no_limit(api):
    reply = await api.get("/livez")
    assert not any("ratelimit" in name for name in reply.headers)


def test_no_operation_has_two_limits_of_one_name():
    for row in TABLE:
        names = [limit.policy for limit in row.limits]
        assert len(names) == len(set(names)), row.name


# Retry-After


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("rc", RC)
def test_later_is_always_said_with_when(rc, status):
    refused = Refused(rc, "Not now.", status)
    assert refused.retry_after_s
    assert Refused(rc, "Not now.", status, retry_after_s=7).retry_after_s == 7
    assert Refused(rc, "No.", 400).retry_after_s is None


async def test_maintenance_and_crowds_say_when_to_come_back(api, horde, clock):
    horde.modes["maintenance_mode"] = True
    closed = await api.post(ASYNC, json=ASK, headers=ADMIN)
    assert (closed.status_code, closed.headers["Retry-After"]) == (503, "60")
    horde.modes.clear()
    clock.forward(s=1)
    body = ASK | {"params": {"n": 20}}
    await api.post(ASYNC, json=body, headers=ADMIN)
    clock.forward(s=1)
    crowded = await api.post(ASYNC, json=body, headers=ADMIN)
    assert (crowded.status_code, crowded.json()["rc"]) == (429, "TooManyPrompts")
    assert int(crowded.headers["Retry-After"]) > 0


async def test_a_server_that_is_not_ready_says_when_to_look_again(api, horde):
    horde.leave()
    reply = await api.get("/readyz")
    assert (reply.status_code, reply.headers["Retry-After"]) == (503, "5")


# Location


async def test_what_was_made_is_somewhere(api):
    placed = await api.post(ASYNC, json=ASK, headers=ADMIN)
    status = await api.get(placed.headers["Location"])
    assert (placed.status_code, status.status_code) == (202, 200)
    assert placed.json()["id"] in placed.headers["Location"]
    account = await api.post("/register", json={"username": "ferris"})
    user = await api.get(account.headers["Location"])
    assert (user.json()["id"], user.json()["username"]) == (account.json()["id"], "ferris#2")


async def test_what_was_not_placed_is_nowhere(api):
    reply = await api.post(ASYNC, json=ASK | {"dry_run": True}, headers=ADMIN)
    assert "Location" not in reply.headers


# Browsers


async def test_browsers_may_read_and_send_these(api):
    reply = await api.post(ASYNC, json=ASK, headers=ADMIN)
    exposed = reply.headers["Access-Control-Expose-Headers"].lower().split(", ")
    for name in (
        "idempotency-key",
        "idempotency-replayed",
        "location",
        "ratelimit",
        "ratelimit-policy",
        "retry-after",
        "x-ratelimit-remaining",
        "x-request-id",
    ):
        assert name in exposed
    asked = await api.options(ASYNC)
    assert "Idempotency-Key" in asked.headers["Access-Control-Allow-Headers"]


# Problems


async def test_a_refusal_is_what_it_always_was_and_a_problem_besides(api):
    reply = await api.post(ASYNC, json=ASK | {"params": {"n": 0, "steps": -1}}, headers=ADMIN)
    body = reply.json()
    assert reply.headers["Content-Type"] == "application/json"
    assert body["rc"] == "ValidationFailed"
    assert set(body["errors"]) == {"params.n", "params.steps"}
    assert body["type"] == "/problems/ValidationFailed"
    assert body["title"].startswith("Fields")
    assert (body["status"], body["instance"]) == (400, reply.headers["X-Request-Id"])
    assert "detail" not in body


async def test_a_refusal_without_fields_has_no_errors(api):
    body = (await api.get("/api/v2/users/99")).json()
    assert set(body) == {"message", "rc", "type", "title", "status", "instance"}


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        pytest.param("application/problem+json", "application/problem+json", id="asked for"),
        pytest.param(
            "application/json, application/problem+json;q=0.5",
            "application/problem+json",
            id="asked for beside another",
        ),
        pytest.param("application/json", "application/json", id="not asked for"),
        pytest.param("*/*", "application/json", id="anything will do"),
        pytest.param("application/problem+json;q=0", "application/json", id="not wanted"),
    ],
)
async def test_who_asks_for_a_problem_gets_one_by_that_name(api, accept, media_type):
    reply = await api.get("/api/v2/users/99", headers={"Accept": accept})
    assert (reply.status_code, reply.headers["Content-Type"]) == (404, media_type)
    body = reply.json()
    is_problem = media_type == "application/problem+json"
    assert body.get("detail") == (body["message"] if is_problem else None)
    found = await api.get("/api/v2/users/1", headers={"Accept": accept})
    assert found.headers["Content-Type"] == "application/json"


async def test_whatever_cannot_be_answered_is_a_problem(api, monkeypatch):
    nowhere = (await api.get("/api/v2/nowhere")).json()
    assert (nowhere["type"], nowhere["status"]) == ("/problems/NotFound", 404)
    wrong = (await api.put(ASYNC)).json()
    assert (wrong["type"], wrong["status"]) == ("/problems/MethodNotAllowed", 405)

    def broken(*_):
        raise RuntimeError("a secret")

    monkeypatch.setattr("ordu.server.auth.identify", broken)
    fault = await api.get("/api/v2/find_user", headers=ADMIN)
    assert (fault.status_code, fault.json()["type"]) == (500, "/problems/InternalError")
    assert "a secret" not in fault.text
    assert fault.json()["instance"] in fault.json()["message"]


async def test_the_type_of_every_problem_leads_to_a_page(api):
    for rc in RC:
        reply = await api.get(type_of(rc))
        assert (reply.status_code, rc) == (200, rc)
        assert reply.headers["Content-Type"] == "text/html; charset=utf-8"
        assert f">{rc}</code>" in reply.text


async def test_there_is_no_page_about_what_is_no_problem(api):
    reply = await api.get("/problems/Nonsense")
    assert (reply.status_code, reply.json()["rc"]) == (404, "NotFound")
