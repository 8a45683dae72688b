"""Deleted accounts over HTTP: who may delete whom, what a deleted one can do, restoring, wiping."""

import httpx
import pytest
from tests.api.conftest import ADMIN, ANONYMOUS, POP

from ordu.engine import leaving, rewards, sweeper
from ordu.rules.trust import DAY_MS
from ordu.store import ledger, users

pytestmark = pytest.mark.anyio

FERRIS = "/api/v2/users/2"


async def refused(reply: httpx.Response) -> tuple[int, str]:
    return reply.status_code, reply.json()["rc"]


@pytest.fixture
async def ferris(api, register):
    """Headers of user 2, who has kudos, a worker and something to say."""
    headers = await register("ferris")
    await api.put(FERRIS, json={"kudos": 100, "contact": "at home"}, headers=ADMIN)
    await api.post("/api/v2/generate/pop", json=POP | {"name": "loft"}, headers=headers)
    return headers


@pytest.mark.parametrize(
    ("caller", "target", "expected"),
    [
        ("nobody", 2, (401, "InvalidAPIKey")),
        ("unknown", 2, (401, "InvalidAPIKey")),
        ("anonymous", 2, (403, "AnonForbiddenUser")),
        ("stranger", 2, (403, "NotUserOrMod")),
        ("stranger", 1, (403, "CannotDeleteMod")),
        ("moderator", 4, (403, "CannotDeleteMod")),
        ("admin", 4, (403, "CannotDeleteMod")),
        ("admin", 1, (403, "CannotDeleteMod")),
        ("admin", 0, (403, "AnonForbiddenUser")),
        ("admin", 99, (404, "UserNotFound")),
        ("admin", "x", (404, "UserNotFound")),
        ("ferris", 2, None),
        ("moderator", 2, None),
        ("admin", 2, None),
    ],
)
async def test_delete_user_single_by_whom(api, ferris, register, caller, target, expected):
    callers = {
        "nobody": {},
        "unknown": {"apikey": "x" * 22},
        "anonymous": ANONYMOUS,
        "admin": ADMIN,
        "ferris": ferris,
        "stranger": await register("stranger"),
        "moderator": await register("moderator"),
    }
    await api.put("/api/v2/users/4", json={"moderator": True}, headers=ADMIN)
    reply = await api.delete(f"/api/v2/users/{target}", headers=callers[caller])
    if expected is None:
        assert (reply.status_code, reply.json()) == (200, {"message": "OK"})
    else:
        assert await refused(reply) == expected
    assert (await api.get(FERRIS)).json()["deleted"] is (expected is None)


async def test_delete_user_single_leaves_an_account_that_can_do_nothing(api, ferris, register):
    friend = await register("friend")
    await api.put("/api/v2/users/3", json={"kudos": 50}, headers=ADMIN)
    await api.delete(FERRIS, headers=ferris)
    for way in ("async", "sync"):
        reply = await api.post(
            f"/api/v2/generate/{way}", json={"prompt": "a fox", "dry_run": True}, headers=ferris
        )
        assert await refused(reply) == (403, "DeletedUser")
    reply = await api.post("/api/v2/generate/pop", json=POP | {"name": "loft"}, headers=ferris)
    assert await refused(reply) == (403, "DeletedUser")
    for headers, target in ((ferris, "friend#3"), (friend, "ferris#2")):
        body = {"username": target, "amount": 5}
        reply = await api.post("/api/v2/kudos/transfer", json=body, headers=headers)
        assert await refused(reply) == (400, "DeletedUser")
    body = {"username": "ferris#2", "amount": 5}
    reply = await api.post("/api/v2/kudos/award", json=body, headers=ADMIN)
    assert await refused(reply) == (400, "DeletedUser")
    assert (await api.get("/api/v2/find_user", headers=ferris)).json()["deleted"] is True


async def test_a_deleted_account_can_be_restored(api, ferris, ask):
    await api.delete(FERRIS, headers=ferris)
    reply = await api.put(FERRIS, json={"undelete": True}, headers=ferris)
    assert reply.json() == {"undeleted": True}
    assert (await api.get(FERRIS)).json()["deleted"] is False
    await ask(ferris)
    reply = await api.put(FERRIS, json={"undelete": True, "username": "crab"}, headers=ferris)
    assert await refused(reply) == (400, "UserNotDeleted")
    assert (await api.get(FERRIS)).json()["username"] == "ferris#2", "all or nothing"


async def test_a_deleted_account_is_paid_nothing_each_month(api, ferris, opened, clock):
    await api.put(FERRIS, json={"monthly_kudos": 10}, headers=ADMIN)
    await api.delete(FERRIS, headers=ferris)
    clock.forward(s=40 * 86_400)
    await rewards.pay_monthly(opened.horde)
    await rewards.pay_one(opened.horde, 2)
    assert (await api.get(FERRIS)).json()["kudos"] == 110.0


async def wiped_by_the_user(api, ferris, horde):
    assert (await api.delete(FERRIS, headers=ferris)).status_code == 200


async def wiped_by_the_chore(api, ferris, horde):
    await leaving.wipe_deleted(horde)


@pytest.mark.parametrize("wipe", [wiped_by_the_user, wiped_by_the_chore])
async def test_a_deleted_account_is_wiped_after_thirty_days(
    api, ferris, opened, clock, register, wipe
):
    horde = opened.horde
    (worker,) = (await api.get("/api/v2/workers")).json()
    await api.delete(FERRIS, headers=ferris)
    clock.forward(ms=leaving.KEPT_MS - 1)
    assert await refused(await api.delete(FERRIS, headers=ferris)) == (403, "CannotWipeActiveUser")
    await leaving.wipe_deleted(horde)
    assert (await api.get(FERRIS)).status_code == 200
    clock.forward(ms=1)
    await wipe(api, ferris, horde)

    assert (await api.get(FERRIS)).status_code == 404
    assert (await api.get("/api/v2/find_user", headers=ferris)).status_code == 404
    assert (await api.put(FERRIS, json={"undelete": True}, headers=ADMIN)).status_code == 404
    assert (await api.delete(FERRIS, headers=ADMIN)).status_code == 404
    assert (await api.get(f"/api/v2/workers/{worker['id']}")).status_code == 404
    assert [user["id"] for user in (await api.get("/api/v2/users")).json()] == [0, 1]
    body = {"username": "ferris#2", "amount": 1}
    reply = await api.post("/api/v2/kudos/award", json=body, headers=ADMIN)
    assert await refused(reply) == (400, "InvalidAwardUsername")

    row = await horde.read(lambda tx: users.by_id(tx, 2))
    assert (row.username, row.contact, row.kudos) == (leaving.WIPED_NAME, None, 10_000)
    assert "loft" not in horde.presence.by_name
    assert await horde.read(ledger.audit) == []
    assert (await register("next"))["apikey"]
    assert (await api.get("/api/v2/users/3")).json()["username"] == "next#3", "no number comes back"


async def test_the_sweeper_wipes(api, ferris, opened, clock, monkeypatch):
    await api.delete(FERRIS, headers=ferris)
    clock.forward(ms=31 * DAY_MS)
    monkeypatch.setattr(sweeper, "RARELY", 1)
    await sweeper.Sweeper(opened.horde).sweep()
    assert (await api.get(FERRIS)).status_code == 404
