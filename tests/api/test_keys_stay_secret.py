"""A key is in no log, no answer and no file, whatever is called with it and whatever goes wrong.

The keys of these tests are canaries: texts that stand nowhere else. They are sent in every way and
to every operation, with the log at its most talkative, and then looked for.
"""

import base64
import logging
import re
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from tests.conftest import ADMIN_KEY

from ordu.cli.logs import JsonFormatter, for_people
from ordu.protocol import operations
from ordu.protocol.operations import Key
from ordu.protocol.operations.later import LATER
from ordu.server import auth
from ordu.server.app import make_app
from ordu.server.call import HANDLERS
from ordu.server.doors.table import doors
from ordu.server.run import open_horde
from ordu.settings import ServerSettings

pytestmark = pytest.mark.anyio

KNOWN = "canary-that-is-known-1"
UNKNOWN = "canary-nobody-knows-22"
LONG = "canary-too-long" * 20
CANARY = re.compile("canary", re.IGNORECASE)
PLAIN = base64.b64encode(f"me:{KNOWN}".encode()).decode()

SENT = {
    "as a key that is known": {"apikey": KNOWN, "Authorization": f"Bearer {KNOWN}"},
    "as one that nobody knows": {"apikey": UNKNOWN, "Authorization": f"Bearer {UNKNOWN}"},
    "as one that is too long": {"apikey": LONG, "Authorization": f"Bearer {LONG}"},
    "as a password": {"Authorization": f"Basic {PLAIN}"},
    "under other names": {"X-Api-Key": KNOWN, "Cookie": f"apikey={KNOWN}", "apikey": ""},
}


class Heard(logging.Handler):
    """All that is logged, as people and programs would read it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith("http"):
            return  # that is the caller's, which is ours here
        for formatter in (for_people(None), JsonFormatter(1)):
            self.lines.append(formatter.format(record))
        record.exc_text = None  # each formats it for itself


@pytest.fixture
def heard():
    handler, root = Heard(), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler
    root.removeHandler(handler)
    root.setLevel(before)


@asynccontextmanager
async def a_horde(folder: Path):
    settings = ServerSettings(data=str(folder), admin_key=KNOWN, rate_limits=False)
    async with open_horde(settings, "http://horde.test") as opened:
        transport = httpx.ASGITransport(
            make_app(opened.horde, opened.secret), raise_app_exceptions=False
        )
        async with httpx.AsyncClient(transport=transport, base_url="http://horde.test") as client:
            yield opened, client


def rows(horde):
    yield from (*operations.TABLE, *LATER)
    for door in doors(horde):
        yield from (row for row, _ in door.table)


async def call_all(
    opened, client, headers: dict[str, str], query: str = ""
) -> list[httpx.Response]:
    """Every operation, with these headers, with and without a body that can be read."""
    replies = []
    for row in rows(opened.horde):
        if row.name == "post_user_key":
            continue  # it would end the key; it has its own test
        url = re.sub(r"\{\w+\}", "1", row.path) + query
        for body in ({}, {"apikey": KNOWN, "username": 7}) if row.request else ({},):
            content = {"json": body} if row.method in {"POST", "PUT", "PATCH"} else {}
            async with client.stream(row.method, url, headers=headers, **content) as reply:
                await reply.aread()
            replies.append(reply)
    return replies


def seen_in(replies: list[httpx.Response]) -> list[tuple[str, str]]:
    """Where a canary is in answers."""
    return [
        (reply.request.method, reply.request.url.path)
        for reply in replies
        if CANARY.search(reply.text) or CANARY.search(str(reply.headers))
    ]


async def test_no_answer_and_no_line_of_the_log_has_a_key(tmp_path, heard):
    async with a_horde(tmp_path / "horde") as (opened, client):
        for how, headers in SENT.items():
            replies = await call_all(opened, client, headers)
            assert len(replies) > 150, how
            assert seen_in(replies) == [], how
    assert len(heard.lines) > 1000
    assert [line for line in heard.lines if CANARY.search(line)] == []


async def test_a_fault_of_ours_tells_the_log_no_key(tmp_path, heard, monkeypatch):
    async def broken(call):
        raise RuntimeError(f"broken in {call.operation.name}")

    for name in HANDLERS:
        monkeypatch.setitem(HANDLERS, name, broken)
    async with a_horde(tmp_path / "horde") as (opened, client):
        replies = await call_all(opened, client, SENT["as a key that is known"])
        assert sum(reply.status_code == 500 for reply in replies) > 50
        assert seen_in(replies) == []
    assert any("Traceback" in line for line in heard.lines)
    assert [line for line in heard.lines if CANARY.search(line)] == []


async def test_a_key_in_an_address_is_none(tmp_path, heard):
    async with a_horde(tmp_path / "horde") as (opened, client):
        query = f"?apikey={KNOWN}&api_key={KNOWN}&key={KNOWN}&access_token={KNOWN}"
        replies = await call_all(opened, client, {}, query)
        needed = {row.name: row for row in operations.TABLE if row.key is Key.REQUIRED}
        for row in needed.values():
            reply = await client.request(
                row.method, re.sub(r"\{\w+\}", "1", row.path) + query, json=None
            )
            assert reply.status_code in {400, 401}, (row.name, reply.text)
            assert reply.json()["rc"] in {"InvalidAPIKey", "MalformedBody", "ValidationFailed"}
        own = await client.get("/api/v2/users/1" + query)
        with_key = await client.get("/api/v2/users/1", headers={"apikey": KNOWN})
        assert "sharedkey_ids" not in own.json() or own.json() != with_key.json()
        assert seen_in(replies) == []
    assert [line for line in heard.lines if CANARY.search(line)] == []


async def test_no_file_of_a_horde_has_a_key(tmp_path):
    folder = tmp_path / "horde"
    async with a_horde(folder) as (opened, client):
        await call_all(opened, client, SENT["as a key that is known"])
        made = (await client.post("/register", json={"username": "ferris"})).json()["api_key"]
        repeated = await client.post(
            "/register", json={"username": "ada"}, headers={"Idempotency-Key": "c" * 22}
        )
        keys = [KNOWN, made, repeated.json()["api_key"]]
        found = {
            str(path.relative_to(folder)): key
            for path in folder.rglob("*")
            if path.is_file()
            for key in keys
            if key.encode() in path.read_bytes()
        }
    assert found == {}


async def test_keys_are_looked_up_by_what_only_this_horde_can_make_of_them(tmp_path, monkeypatch):
    """No statement gets a key, so no comparison in the database says how much of it is right."""
    asked: list[str] = []

    async with a_horde(tmp_path / "horde") as (opened, client):
        by_key_hash = auth.users.by_key_hash

        def noted(tx, key_hash, now):
            asked.append(key_hash)
            return by_key_hash(tx, key_hash, now)

        monkeypatch.setattr(auth.users, "by_key_hash", noted)
        for key in (KNOWN, KNOWN[:-1], UNKNOWN):
            await client.get("/api/v2/find_user", headers={"apikey": key})
        assert asked == [opened.secret.hash_of(key) for key in (KNOWN, KNOWN[:-1], UNKNOWN)]
    # One letter less, and nothing of the hash is the same but its scheme.
    first, second = (text.removeprefix("h1:") for text in asked[:2])
    assert sum(a == b for a, b in zip(first, second, strict=True)) < len(first) // 2


async def test_what_has_a_key_in_it_does_not_show_it(tmp_path):
    async with a_horde(tmp_path / "horde") as (opened, _):
        shown = [opened, opened.secret, opened.horde, opened.horde.settings]
        assert [each for each in map(repr, shown) if CANARY.search(each)] == []
        assert [each for each in map(repr, shown) if opened.secret.text.decode() in each] == []
    assert ADMIN_KEY not in repr(ServerSettings(admin_key=ADMIN_KEY))
