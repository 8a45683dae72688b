"""A key that is replaced, and everything that is kept of a user, over HTTP."""

import base64
import json
import random

import httpx
import msgspec
import pytest
from tests.api.conftest import ADMIN, ANONYMOUS, POP
from tests.builders import a_picture
from tests.conftest import ADMIN_KEY

from ordu.engine.fresh import Fresh
from ordu.rules.names import is_key
from ordu.server.app import make_app
from ordu.server.run import open_horde

pytestmark = pytest.mark.anyio

USERS = "/api/v2/users"
KEY, EXPORT = f"{USERS}/2/key", f"{USERS}/2/export"


async def knows(api, headers):
    return (await api.get("/api/v2/find_user", headers=headers)).status_code == 200


async def test_post_user_key(api, register):
    ada = await register("ada")
    assert await knows(api, ada)
    reply = await api.post(KEY, headers=ada)
    assert reply.status_code == 200
    told = reply.json()
    assert (told["username"], told["id"]) == ("ada#2", 2)
    assert is_key(told["api_key"])
    assert reply.headers["cache-control"] == "no-store"
    assert not await knows(api, ada)  # at once, though it was known by its key a moment ago
    assert await knows(api, {"apikey": told["api_key"]})
    assert (await api.post(KEY, headers=ada)).json()["rc"] == "InvalidAPIKey"


async def test_post_user_key_is_not_written_down(api, opened, register, caplog):
    caplog.set_level("DEBUG")
    told = (await api.post(KEY, headers=await register("ada"))).json()
    row = await opened.horde.read(lambda tx: tx.one("SELECT * FROM users WHERE id = 2"))
    assert told["api_key"] not in str(list(row))
    assert told["api_key"] not in caplog.text


@pytest.mark.parametrize(
    ("caller", "target", "expected"),
    [
        ("nobody", 2, (401, "InvalidAPIKey")),
        ("anonymous", 2, (403, "AnonForbiddenUser")),
        ("anonymous", 0, (403, "AnonForbiddenUser")),
        ("admin", 0, (403, "AnonForbiddenUser")),
        ("stranger", 2, (403, "NotUserOrMod")),
        ("stranger", 4, (403, "NotAdmin")),
        ("stranger", 1, (403, "NotAdmin")),
        ("moderator", 1, (403, "NotAdmin")),
        ("moderator", 5, (403, "NotAdmin")),
        ("admin", 99, (404, "UserNotFound")),
        ("admin", "x", (404, "UserNotFound")),
        ("admin", 1, (403, "Forbidden")),  # the setting would bring the old one back
        ("ada", 2, None),
        ("moderator", 2, None),
        ("moderator", 4, None),
        ("admin", 2, None),
        ("admin", 4, None),
    ],
)
async def test_post_user_key_by_whom(api, register, caller, target, expected):
    callers = {
        "nobody": {},
        "anonymous": ANONYMOUS,
        "admin": ADMIN,
        "ada": await register("ada"),
        "stranger": await register("stranger"),
        "moderator": await register("moderator"),
    }
    await register("other moderator")
    for number in (4, 5):
        await api.put(f"{USERS}/{number}", json={"moderator": True}, headers=ADMIN)
    reply = await api.post(f"{USERS}/{target}/key", headers=callers[caller])
    if expected is None:
        assert reply.status_code == 200
    else:
        assert (reply.status_code, reply.json()["rc"]) == expected
        assert await knows(api, callers["ada"])
        assert await knows(api, ADMIN)


async def test_post_user_key_of_the_administrator_whom_no_setting_gives_one(settings, clock):
    settings = msgspec.structs.replace(settings, admin_key="")
    async with open_horde(
        settings, "http://horde.test", clock=clock, fresh=Fresh(random.Random(7))
    ) as opened:
        transport = httpx.ASGITransport(make_app(opened.horde, opened.secret))
        async with httpx.AsyncClient(transport=transport, base_url="http://horde.test") as api:
            old = {"apikey": opened.new_admin_key}
            reply = await api.post(f"{USERS}/1/key", headers=old)
            assert await knows(api, {"apikey": reply.json()["api_key"]})
            assert not await knows(api, old)


async def test_post_user_key_of_a_deleted_account(api, register):
    ada = await register("ada")
    await api.delete(f"{USERS}/2", headers=ada)
    for headers in (ada, ADMIN):
        reply = await api.post(KEY, headers=headers)
        assert (reply.status_code, reply.json()["rc"]) == (403, "DeletedUser")
    await api.put(f"{USERS}/2", json={"undelete": True}, headers=ada)
    assert (await api.post(KEY, headers=ada)).status_code == 200


# Exports


@pytest.fixture
async def ada(api, register, clock):
    """Headers of user 2, of whom the horde keeps something of everything."""
    headers = await register("ada")
    await api.put(f"{USERS}/2", json={"kudos": 500, "contact": "at home"}, headers=ADMIN)
    wish = {"prompt": "a fox", "webhook": "https://hooks.test/ordu"}
    placed = await api.post("/api/v2/generate/async", json=wish, headers=headers)
    assert placed.status_code == 202, placed.text
    job = await api.post("/api/v2/generate/pop", json=POP | {"name": "loft"}, headers=headers)
    picture = base64.b64encode(a_picture()).decode()
    body = {"id": job.json()["id"], "generation": picture, "seed": 7}
    assert (
        await api.post("/api/v2/generate/submit", json=body, headers=headers)
    ).status_code == 200
    clock.forward(s=1)
    await api.post("/api/v2/generate/async", json={"prompt": "an owl"}, headers=headers)
    await api.post("/api/v2/generate/async", json={"prompt": "not hers"}, headers=ANONYMOUS)
    return headers


@pytest.fixture
def hosts():
    return {"hooks.test": ["93.184.216.34"]}


@pytest.mark.parametrize("at_once", [1, 200])
async def test_get_user_export(api, ada, monkeypatch, at_once):
    monkeypatch.setattr("ordu.server.exports.REQUESTS_AT_ONCE", at_once)
    monkeypatch.setattr("ordu.server.exports.MOVEMENTS_AT_ONCE", at_once)
    reply = await api.get(EXPORT, headers=ada)
    assert reply.status_code == 200
    assert reply.headers["content-disposition"] == 'attachment; filename="ordu-user-2.json"'
    assert reply.headers["cache-control"] == "no-store"
    found = reply.json()
    assert (found["account"]["username"], found["account"]["contact"]) == ("ada#2", "at home")
    assert [worker["name"] for worker in found["workers"]] == ["loft"]
    assert [each["asked"]["prompt"] for each in found["requests"]] == ["a fox", "an owl"]
    (picture,) = found["requests"][0]["pictures"]
    assert (picture["seed"], picture["worker_name"], picture["state"]) == ("7", "loft", "done")
    history = (await api.get("/api/v2/kudos/history", headers=ada)).json()["entries"]
    assert found["kudos"] == history
    assert len(history) == 3
    assert {each["url"] for each in found["webhooks"]} == {"https://hooks.test/ordu"}
    assert found["requests"][0]["webhook"] == "https://hooks.test/ordu"
    for secret in (ada["apikey"], ADMIN_KEY, "not hers"):
        assert secret not in json.dumps(found)


async def test_get_user_export_of_who_has_nothing(api, register):
    headers = await register("ada")
    found = (await api.get(EXPORT, headers=headers)).json()
    assert [found[name] for name in ("workers", "requests", "webhooks", "kudos")] == [[]] * 4


@pytest.mark.parametrize(
    ("caller", "target", "expected"),
    [
        ("nobody", 2, (401, "InvalidAPIKey")),
        ("anonymous", 2, (403, "AnonForbiddenUser")),
        ("admin", 0, (403, "AnonForbiddenUser")),
        ("stranger", 2, (403, "NotAdmin")),
        ("moderator", 2, (403, "NotAdmin")),
        ("admin", 99, (404, "UserNotFound")),
        ("stranger", 3, None),
        ("admin", 2, None),
    ],
)
async def test_get_user_export_by_whom(api, ada, register, caller, target, expected):
    callers = {
        "nobody": {},
        "anonymous": ANONYMOUS,
        "admin": ADMIN,
        "stranger": await register("stranger"),
        "moderator": await register("moderator"),
    }
    await api.put(f"{USERS}/4", json={"moderator": True}, headers=ADMIN)
    reply = await api.get(f"{USERS}/{target}/export", headers=callers[caller])
    if expected is None:
        assert reply.status_code == 200
    else:
        assert (reply.status_code, reply.json()["rc"]) == expected
