"""Limits on calls: what is counted, what the answer tells, what is never limited."""

import httpx
import msgspec
import pytest
from starlette.requests import Request
from starlette.responses import Response
from tests.api.conftest import ADMIN, ANONYMOUS
from tests.builders import HandClock
from tests.conftest import ADMIN_KEY

from ordu.protocol.operations import TABLE, Counts
from ordu.rules.lifecycle import Millis
from ordu.server.app import make_app
from ordu.server.ratelimits import RateLimits, address_of
from ordu.server.run import configured
from ordu.settings import ServerSettings

pytestmark = pytest.mark.anyio

NOTHING = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def settings(tmp_path) -> ServerSettings:
    return ServerSettings(data=str(tmp_path / "horde"), admin_key=ADMIN_KEY)


@pytest.fixture
def clock() -> HandClock:
    return HandClock(1_760_000_040_000)  # a whole minute


def a_row(name):
    return next(row for row in TABLE if row.name == name)


def a_call(path):
    scope = {"type": "http", "path": path, "headers": [], "client": ("192.0.2.1", 1)}
    return Request(scope | {"server": ("horde.test", 80), "query_string": b""})


async def codes(api, times, method, path, **given):
    return [(await api.request(method, path, **given)).status_code for _ in range(times)]


async def test_a_call_too_many_is_refused_until_the_window_ends(api, clock):
    path = "/api/v2/status/models"
    assert set(await codes(api, 90, "GET", path)) == {200}
    clock.forward(s=20)
    refused = await api.get(path)
    assert (refused.status_code, refused.json()["rc"]) == (429, "RateLimited")
    assert refused.json()["message"].startswith("90 per 1 minute")
    assert refused.headers["Retry-After"] == "40"
    assert refused.headers["X-RateLimit-Remaining"] == "0"
    assert (await api.get("/api/v2/status/news")).status_code == 200, "each operation by itself"
    clock.forward(s=40)
    assert (await api.get(path)).status_code == 200


async def test_answers_tell_what_is_left(api, clock):
    reply = await api.get("/api/v2/users")
    told = {name: reply.headers[f"X-RateLimit-{name}"] for name in ("Limit", "Remaining", "Reset")}
    end = (clock.now() + 60_000) // 1000
    assert told == {"Limit": "90", "Remaining": "89", "Reset": str(end)}
    assert "Retry-After" not in reply.headers
    missing = await api.get("/api/v2/users/99")
    assert (missing.status_code, missing.headers["X-RateLimit-Remaining"]) == (404, "59")
    exposed = reply.headers["access-control-expose-headers"]
    assert "X-RateLimit-Remaining" in exposed


async def test_the_tightest_of_several_limits_is_told(api, clock):
    body = {"prompt": "a fox", "dry_run": True}
    reply = await api.post("/api/v2/generate/async", json=body, headers=ADMIN)
    assert (reply.headers["X-RateLimit-Limit"], reply.headers["X-RateLimit-Remaining"]) == (
        "2",
        "1",
    )


async def test_two_requests_a_second_from_one_place(api, clock):
    body = {"prompt": "a fox"}
    path = "/api/v2/generate/async"
    assert await codes(api, 3, "POST", path, json=body, headers=ANONYMOUS) == [202, 202, 429]
    clock.forward(s=1)
    assert await codes(api, 2, "POST", path, json=body, headers=ANONYMOUS) == [202, 202]


async def test_a_request_is_looked_at_ten_times_a_second_each(api, clock):
    path = f"/api/v2/generate/check/{NOTHING}"
    assert await codes(api, 11, "GET", path) == [404] * 10 + [429]
    assert await codes(api, 1, "GET", path[:-1] + "1") == [404]
    clock.forward(s=1)
    assert await codes(api, 1, "GET", path) == [404]


async def test_a_call_that_is_refused_for_its_body_counts(api):
    path = "/api/v2/generate/async"
    assert await codes(api, 3, "POST", path, json={}) == [400, 400, 429]


async def test_one_transfer_a_second_for_each_user(api, clock, register):
    ferris = await register("ferris")
    path, body = "/api/v2/kudos/transfer", {"username": "1"}
    assert await codes(api, 2, "POST", path, json=body, headers=ferris) == [400, 429]
    assert await codes(api, 1, "POST", path, json=body, headers=ADMIN) == [400]
    assert await codes(api, 1, "POST", path, json=body, headers=ferris | {"apikey": "x"}) == [401]


async def test_ten_accounts_an_hour_from_one_place(api, clock):
    body = {"username": "ferris"}
    assert await codes(api, 11, "POST", "/register", json=body) == [200] * 10 + [429]
    page = await api.post("/register", data=body)
    assert page.status_code == 429
    assert "Try again in" in page.text
    assert "text/html" in page.headers["content-type"]
    clock.forward(s=3600)
    assert await codes(api, 1, "POST", "/register", json=body) == [200]


async def test_the_pulse_is_never_limited(api):
    for path in ("/api/v2/status/heartbeat", "/livez", "/readyz"):
        assert set(await codes(api, 120, "GET", path)) == {200}
        assert "X-RateLimit-Limit" not in (await api.get(path)).headers


async def test_addresses_are_counted_apart(opened):
    app = make_app(opened.horde, opened.secret)

    async def call(address):
        transport = httpx.ASGITransport(app, client=(address, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://horde.test") as client:
            return (await client.get("/api/v2/status/modes")).headers["X-RateLimit-Remaining"]

    assert [await call("192.0.2.1") for _ in range(2)] == ["29", "28"]
    assert await call("192.0.2.2") == "29"
    assert await call("::ffff:192.0.2.1") == "27"
    assert [await call(f"2001:db8::{each}") for each in (1, 2)] == ["29", "28"]
    assert await call("2001:db8:0:1::1") == "29"
    assert [await call("no address at all " * 20) for _ in range(2)] == ["29", "28"]


@pytest.mark.parametrize(
    ("peer", "forwarded", "counted"),
    [
        pytest.param("192.0.2.50", "192.0.2.9", "192.0.2.50", id="no proxy of ours"),
        pytest.param("10.0.0.1", None, "10.0.0.1", id="a proxy that says nothing"),
        pytest.param("10.0.0.1", "192.0.2.9", "192.0.2.9", id="a proxy of ours"),
        pytest.param("10.0.0.1", "1.1.1.1, 192.0.2.9", "192.0.2.9", id="what a caller made up"),
        pytest.param("10.0.0.1", "192.0.2.9, 10.3.3.3", "192.0.2.9", id="two proxies of ours"),
        pytest.param("10.0.0.1", "192.0.2.9:5555", "192.0.2.9", id="with a port"),
        pytest.param("10.0.0.1", "[2001:db8::9]:55", "2001:db8::/64", id="version 6 and a port"),
        pytest.param("::ffff:10.0.0.1", "192.0.2.9", "192.0.2.9", id="version 4 within 6"),
        pytest.param("2001:db8:1::1", "192.0.2.9", "192.0.2.9", id="a proxy of version 6"),
    ],
)
async def test_forwarded_headers_count_from_trusted_proxies_only(peer, forwarded, counted, opened):
    proxies = ("10.0.0.0/8", "2001:db8:1::1")
    config = configured(
        msgspec.structs.replace(opened.horde.settings, trusted_proxies=proxies), opened
    )
    seen = []

    async def app(scope, receive, send):
        seen.append(address_of(Request(scope)))
        await Response()(scope, receive, send)

    config.app = app
    config.load()
    transport = httpx.ASGITransport(config.loaded_app, client=(peer, 1))
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    async with httpx.AsyncClient(transport=transport, base_url="http://horde.test") as client:
        await client.get("/", headers=headers)
    assert seen == [counted]


async def test_forwarded_headers_do_not_count_without_trusted_proxies(opened):
    config = configured(opened.horde.settings, opened)
    assert config.proxy_headers is False


async def test_counters_are_bounded():
    limits = RateLimits(counters_max=3)
    row = a_row("get_models")
    now = Millis(1_760_000_040_000)

    def left(who, moment=now):
        return limits.count(row, 0, row.limits[0], who, 90, moment).left

    assert [left(who) for who in "abca"] == [89, 89, 89, 88]
    assert left("d") == 89
    assert len(limits.windows[60]) == 3
    assert left("b") == 88, "the oldest was forgotten, not this one"
    assert left("a") == 89
    assert left("b", Millis(now + 60_000)) == 89
    assert len(limits.windows[60]) == 3


async def test_made_up_ids_do_not_push_out_the_counters_of_an_hour():
    limits = RateLimits(counters_max=3)
    registering, checking = a_row("post_register"), a_row("get_async_check")
    now = Millis(1_760_000_040_000)
    limits.check_address(registering, a_call("/register"), now)
    for number in range(10):
        limits.check_address(checking, a_call(f"/api/v2/generate/check/{number}"), now)
    limit, *_ = registering.limits
    assert limits.count(registering, 0, limit, "192.0.2.1", limit.calls, now).left == 8
    assert len(limits.windows[1]) == 3


async def test_of_a_long_path_only_the_beginning_is_kept():
    limits = RateLimits()
    for end in "ab":
        path = "/api/v2/generate/check/" + "0" * 60_000 + end
        limits.check_address(a_row("get_async_check"), a_call(path), Millis(0))
    (((_, _, who), window),) = limits.windows[1].items()
    assert (len(who) < 300, window.calls) == (True, 2)


def test_every_operation_under_the_api_is_limited_but_the_pulse():
    unlimited = {row.name for row in TABLE if not row.limits}
    assert unlimited == {"get_heartbeat", "get_livez", "get_readyz", "get_picture", "put_picture"}
    for row in TABLE:
        assert all(limit.counts in Counts and limit.per_s in {1, 60, 3600} for limit in row.limits)


def test_429_is_documented_where_calls_are_limited():
    """TooManyWaiters and TooManyPrompts belong to operations that are limited anyway."""
    assert {row.name for row in TABLE if 429 in row.refusals} == {
        row.name for row in TABLE if row.limits
    }
