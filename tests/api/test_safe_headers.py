"""The headers that keep answers safe, on every operation, page, file and refusal."""

import re
from contextlib import asynccontextmanager

import httpx
import pytest
from tests.conftest import ADMIN_KEY

from ordu.protocol import operations
from ordu.protocol.operations.later import LATER
from ordu.server.app import make_app
from ordu.server.doors.table import doors
from ordu.server.run import open_horde
from ordu.settings import ServerSettings
from ordu.web import assets, render

pytestmark = pytest.mark.anyio

ADMIN = {"apikey": ADMIN_KEY, "Authorization": f"Bearer {ADMIN_KEY}"}
GUARDED = "default-src 'none'; frame-ancestors 'none'"
PAGES = (
    "/", "/horde", "/lend", "/account", "/register", "/run", "/terms", "/privacy", "/sponsors",
    "/api/", "/problems/NotFound", "/nowhere",
)  # fmt: skip
DOCUMENTS = ("/api/swagger.json", "/openapi.json", "/favicon.svg")
HSTS = "max-age=31622400"


@asynccontextmanager
async def a_horde(tmp_path, url: str):
    settings = ServerSettings(data=str(tmp_path / "horde"), admin_key=ADMIN_KEY, rate_limits=False)
    async with open_horde(settings, url) as opened:
        app = make_app(opened.horde, opened.secret)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=url) as client:
            yield opened, client


def check(reply: httpx.Response, policy: str = GUARDED, *, is_page: bool = False) -> None:
    """What holds for every answer, whatever it is."""
    headers, about = reply.headers, (reply.request.method, reply.request.url.path)
    assert headers["X-Content-Type-Options"] == "nosniff", about
    assert headers["Referrer-Policy"] == "no-referrer", about
    assert headers["Content-Security-Policy"] == policy, about
    assert headers.get("Access-Control-Allow-Origin") == (None if is_page else "*"), about
    for unwanted in ("Access-Control-Allow-Credentials", "Server", "X-Powered-By"):
        assert unwanted not in headers, about
    names = [name for name, _ in headers.multi_items() if name != "access-control-allow-headers"]
    assert len(names) == len(set(names)), about  # none says two things
    is_https = reply.request.url.scheme == "https"
    assert headers.get("Strict-Transport-Security") == (HSTS if is_https else None), about


def rows(horde):
    """Every operation: of the table, of those that are not served yet, and of the doors."""
    yield from ((row, row.path) for row in (*operations.TABLE, *LATER))
    for door in doors(horde):
        yield from ((row, row.path) for row, _ in door.table)


async def ask(client, method: str, path: str, headers: dict[str, str]) -> httpx.Response:
    """Call with something in every brace; a stream of events ends with its headers."""
    url = re.sub(r"\{\w+\}", "1", path)
    body = {} if method in {"POST", "PUT", "PATCH"} else None
    async with client.stream(method, url, json=body, headers=headers) as reply:
        await reply.aread()
    return reply


@pytest.mark.parametrize("url", ["http://horde.test", "https://horde.test"])
async def test_every_operation_is_kept_by_nobody_and_is_what_it_says(tmp_path, url):
    async with a_horde(tmp_path, url) as (opened, client):
        asked = list(rows(opened.horde))
        assert len(asked) > 100
        for row, path in asked:
            for headers in (ADMIN, {}):
                reply = await ask(client, row.method, path, headers)
                check(reply)
                assert reply.headers["Cache-Control"] == "no-store", row.name
                assert reply.status_code < 500 or reply.status_code == 501, (row.name, reply.text)


async def test_so_is_every_refusal_of_the_edge(tmp_path, monkeypatch):
    async with a_horde(tmp_path, "http://horde.test") as (_, client):
        api = "/api/v2/generate/async"
        json = {"headers": {"Accept": "application/json"}}
        replies = [
            await client.get("/api/v2/nowhere", **json),
            await client.put(api, **json),
            await client.post(api, content=b"{", **json),
            await client.post(api, content=b"x" * (33 * 1024 * 1024), **json),
            await client.options(api),
            await client.head("/api/v2/status/modes"),
        ]

        def broken(*_):
            raise RuntimeError("broken")

        monkeypatch.setattr("ordu.server.auth.identify", broken)
        replies.append(await client.get("/api/v2/find_user", **json))
        assert [each.status_code for each in replies] == [404, 405, 400, 413, 200, 200, 500]
        for reply in replies:
            check(reply)
            assert reply.headers["Cache-Control"] == "no-store"


async def test_a_browser_that_asks_what_it_may_send_hears_of_no_credentials(tmp_path):
    async with a_horde(tmp_path, "http://horde.test") as (_, client):
        reply = await client.options(
            "/api/v2/find_user",
            headers={"Origin": "https://elsewhere.test", "Access-Control-Request-Method": "GET"},
        )
        assert reply.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in reply.headers
        assert "cookie" not in reply.headers["Access-Control-Allow-Headers"].lower()


@pytest.mark.parametrize("url", ["http://horde.test", "https://horde.test"])
async def test_pages_load_only_what_is_ours_and_are_read_by_no_other_site(tmp_path, url):
    async with a_horde(tmp_path, url) as (_, client):
        for path in PAGES:
            reply = await client.get(path, headers={"Accept": "text/html"})
            assert reply.headers["Content-Type"].startswith("text/html"), path
            check(reply, render.HEADERS[render.POLICY], is_page=True)
            assert reply.headers["Cache-Control"] in {"no-cache", "no-store"}, path
            assert reply.headers["Cross-Origin-Resource-Policy"] == "same-origin", path
            assert reply.headers["Cross-Origin-Opener-Policy"] == "same-origin", path
            assert "unsafe" not in reply.headers["Content-Security-Policy"], path


async def test_a_page_with_a_key_in_it_is_kept_by_nobody(tmp_path):
    async with a_horde(tmp_path, "http://horde.test") as (_, client):
        reply = await client.post("/register", data={"username": "ferris"})
        assert reply.status_code == 200
        check(reply, render.HEADERS[render.POLICY], is_page=True)
        assert reply.headers["Cache-Control"] == "no-store"


async def test_files_are_held_to_the_policy_of_pages(tmp_path):
    async with a_horde(tmp_path, "http://horde.test") as (_, client):
        files = [assets.PREFIX + name for name in assets.by_served_name()]
        for path in (*files, *DOCUMENTS):
            reply = await client.get(path)
            assert reply.status_code == 200, path
            check(reply, render.HEADERS[render.POLICY])


async def test_a_picture_is_a_picture_to_every_browser_and_may_be_shown_anywhere(
    api, ask, pop, submit
):
    placed = await ask(r2=True)
    job = await pop()
    assert (await submit(job["id"])).status_code == 200
    status = await api.get(f"/api/v2/generate/status/{placed['id']}")
    link = status.json()["generations"][0]["img"]
    link_name = link.partition("/pictures/")[2].partition("?")[0]
    assert link_name.startswith(job["id"])
    reply = await api.get(link)
    check(reply, "default-src 'none'; sandbox")
    assert reply.headers["Content-Type"] == "image/webp"
    assert reply.headers["Content-Disposition"] == f'inline; filename="{link_name}"'
    assert reply.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert reply.headers["Cache-Control"] == "private, max-age=600"
    refused = await api.get(link + "x")
    check(refused)
    assert refused.headers["Cache-Control"] == "no-store"
