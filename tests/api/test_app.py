"""What every answer shares: refusals, headers, limits, and no word too many when we break."""

import asyncio
import sqlite3

import httpx
import msgspec
import pytest
from tests.api.conftest import ADMIN, ANONYMOUS
from tests.builders import only_sqlite

from ordu.images.keeping import Room
from ordu.protocol import operations
from ordu.protocol.errors import Refused
from ordu.server.app import make_app
from ordu.server.call import HANDLERS
from ordu.server.handlers import health

pytestmark = pytest.mark.anyio


def test_every_operation_has_a_handler_in_the_file_of_its_family():
    from ordu.server import handlers

    handlers.load()
    homes = {"livez": "health", "readyz": "health"}
    for row in operations.TABLE:
        home = homes.get(row.family, row.family)
        assert HANDLERS[row.name].__module__ == f"ordu.server.handlers.{home}", row.name


async def test_an_operation_without_a_handler_stops_the_start(monkeypatch, opened):
    from ordu.server import app

    monkeypatch.delitem(HANDLERS, "get_news", raising=False)
    monkeypatch.delitem(HANDLERS, "get_horde_news", raising=False)
    with pytest.raises(LookupError, match="get_horde_news"):
        app.make_app(opened.horde, opened.secret)


async def test_an_unknown_path_is_told_in_json(api):
    reply = await api.get("/api/v2/nothing")
    assert (reply.status_code, reply.json()["rc"]) == (404, "NotFound")


async def test_no_path_has_a_slash_at_its_end(api):
    assert (await api.get("/api/v2/users/")).status_code == 404


async def test_a_wrong_method_is_told_the_right_ones(api):
    reply = await api.get("/api/v2/generate/pop")
    assert (reply.status_code, reply.json()["rc"]) == (405, "MethodNotAllowed")
    assert reply.headers["allow"] == "POST"


@pytest.mark.parametrize("path", ["/api/v2/users", "/api/v2/nothing", "/livez"])
async def test_browsers_may_call_from_anywhere(api, path):
    reply = await api.get(path)
    assert reply.headers["access-control-allow-origin"] == "*"
    preflight = await api.options(path, headers={"Access-Control-Request-Headers": "apikey"})
    assert preflight.status_code == 200
    allowed = preflight.headers["access-control-allow-headers"].lower()
    assert all(name in allowed for name in ("apikey", "client-agent", "x-fields", "content-type"))


async def test_every_answer_carries_its_own_id(api):
    ids = {(await api.get(path)).headers["x-request-id"] for path in ("/livez", "/nope", "/livez")}
    assert len(ids) == 3


async def test_a_fault_of_ours_is_told_without_its_details(api, monkeypatch, caplog):
    async def broken(call):
        raise RuntimeError("the secret is swordfish")

    monkeypatch.setattr("ordu.engine.horde.Horde.read", broken)
    reply = await api.get("/api/v2/users")
    assert (reply.status_code, reply.json()["rc"]) == (500, "InternalError")
    assert "swordfish" not in reply.text
    assert reply.headers["x-request-id"] in reply.json()["message"]
    assert reply.headers["x-request-id"] in caplog.text
    assert "get_users" in caplog.text
    assert "Traceback" in caplog.text


async def test_a_body_above_the_limit_is_refused(api, horde):
    size = horde.settings.request_body_bytes_max + 1
    reply = await api.post("/api/v2/generate/async", content=b"x" * size, headers=ANONYMOUS)
    assert (reply.status_code, reply.json()["rc"]) == (413, "BodyTooLarge")


async def test_a_body_above_the_limit_that_hides_its_size_is_refused(api, horde):
    async def parts():
        for _ in range(40):
            yield b"x" * 1024 * 1024

    reply = await api.post("/api/v2/generate/async", content=parts(), headers=ANONYMOUS)
    assert (reply.status_code, reply.json()["rc"]) == (413, "BodyTooLarge")


async def test_header_names_are_read_in_any_case(api):
    headers = {"ApiKey": ADMIN["apikey"], "x-FIELDS": "id"}
    assert (await api.get("/api/v2/find_user", headers=headers)).json() == {"id": 1}


async def test_a_get_with_a_json_content_type_and_no_body_is_fine(api):
    reply = await api.get("/api/v2/workers", headers={"Content-Type": "application/json"})
    assert reply.status_code == 200


async def test_probes(api, horde):
    assert (await api.get("/livez")).text == "ok\n"
    assert (await api.get("/readyz")).text == "ok\n"
    horde.leave()
    assert (await api.get("/livez")).status_code == 200
    assert (await api.get("/readyz")).status_code == 503


@only_sqlite
async def test_get_readyz_says_when_nothing_can_be_written(api, horde):
    def full():
        raise OSError("No space left on device")

    flush, horde.database.before_commit = horde.database.before_commit, full
    reply = await api.get("/readyz")
    assert (reply.status_code, reply.json()["rc"]) == (503, "Unavailable")
    horde.database.before_commit = flush
    assert (await api.get("/readyz")).status_code == 200  # though nobody else has written


@only_sqlite
async def test_get_readyz_does_not_wait_long_for_the_database(api, horde, settings, monkeypatch):
    monkeypatch.setattr(health, "ANSWER_S_MAX", 0.01)
    other = sqlite3.connect(settings.database_path(), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    reply = await api.get("/readyz")
    assert (reply.status_code, reply.json()["message"]) == (503, "The database does not answer.")
    other.close()
    monkeypatch.setattr(health, "ANSWER_S_MAX", 10)
    assert (await api.get("/readyz")).status_code == 200


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_get_readyz_says_when_postgresql_is_away(api, horde, monkeypatch):
    monkeypatch.setattr(health, "ANSWER_S_MAX", 0.3)

    def away():
        raise ConnectionRefusedError

    with monkeypatch.context() as gone:
        gone.setattr(horde.database, "connection", away)
        reply = await api.get("/readyz")
        assert reply.status_code == 503
        assert reply.json()["message"] == "The database does not answer."
    assert (await api.get("/readyz")).status_code == 200


@only_sqlite
async def test_get_readyz_says_when_pictures_cannot_be_reached(api, horde, monkeypatch):
    async def broken(name):
        raise Refused("Unavailable", "Pictures cannot be read at the moment.")

    async def slow(name):
        await asyncio.sleep(60)

    for away, words in ((broken, "cannot be read"), (slow, "place of pictures does not answer")):
        with monkeypatch.context() as gone:
            gone.setattr(health, "ANSWER_S_MAX", 0.05)
            gone.setattr(horde.pictures, "size", away)
            reply = await api.get("/readyz")
            assert reply.status_code == 503
            assert words in reply.json()["message"]
    assert (await api.get("/readyz")).status_code == 200


@only_sqlite
async def test_get_readyz_says_when_the_disk_is_full(api, horde, monkeypatch):
    least = horde.settings.picture_bytes_max
    for free, status in ((least - 1, 503), (least, 200)):
        monkeypatch.setattr(health, "room_at", lambda _, free=free: Room(10**12, free, None))
        assert (await api.get("/readyz")).status_code == status
    monkeypatch.setattr(horde.pictures, "room", lambda: Room(10**12, 0, 0))
    assert (await api.get("/readyz")).json()["message"] == "The disk is full."


async def test_a_refusal_is_one_line_of_the_log_that_tells_nothing_of_what_was_asked(
    api, horde, register, ask, caplog
):
    """Who may be found by it, and what was asked for, is not in it."""
    caplog.set_level("DEBUG", logger="ordu")  # httpx, which only this test has, logs paths
    ferris = await register("canaryname")
    placed = await ask(ferris, prompt="canaryprompt")
    caplog.clear()
    wish = {"prompt": "canaryprompt", "params": {"n": 0}}
    bearer = {"Authorization": "Bearer canarykey"}
    calls = [
        api.put("/api/v2/users/1", json={"contact": "canarycontact"}, headers=ferris),
        api.post("/api/v2/generate/async", json=wish, headers=ferris),
        api.get(f"/api/v2/workers/{placed['id']}"),
        api.get("/api/v2/find_user", headers={"apikey": "canarykey-canarykey-xx"}),
        api.get("/canarypath?canaryquery=1"),
        api.post("/v1/images/generations", json={"prompt": 7}, headers=bearer),
    ]
    replies = [await call for call in calls]
    lines = [record for record in caplog.records if record.name == "ordu.server.missteps"]
    assert len(lines) == len(replies)
    for line, reply in zip(lines, replies, strict=True):
        fields = line.fields
        assert fields["status"] == reply.status_code
        assert fields["request_id"] == reply.headers["x-request-id"]
        assert fields.keys() == {"request_id", "operation", "rc", "status", "took_ms", "user"}
    assert [line.fields["operation"] for line in lines] == [
        "put_user_single", "post_async_generate", "get_worker_single", "get_find_user", "other",
        "openai_post_images_generations",
    ]  # fmt: skip
    assert [line.fields["user"] for line in lines][:3] == [2, None, None]
    for secret in ("canary", placed["id"], ferris["apikey"], "127.0.0.1"):
        assert secret not in caplog.text


@only_sqlite
async def test_addresses_are_logged_where_that_is_wanted(opened, caplog):
    caplog.set_level("INFO")
    horde = opened.horde
    horde.settings = msgspec.structs.replace(horde.settings, log_addresses=True)
    transport = httpx.ASGITransport(make_app(horde, opened.secret), client=("2001:db8::7", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        await client.get("/nothing")
    assert "address=2001:db8::/64" in caplog.text


async def test_calls_at_once_do_not_mix(api, register):
    users = await asyncio.gather(*(register(f"user{number}") for number in range(10)))
    seen = await asyncio.gather(*(api.get("/api/v2/find_user", headers=key) for key in users))
    assert [reply.json()["username"].split("#")[0] for reply in seen] == [
        f"user{number}" for number in range(10)
    ]
