"""Users over HTTP; who sees and changes which field is in tests/rights."""

import pytest
from tests.api.conftest import ADMIN, ANONYMOUS

pytestmark = pytest.mark.anyio

USERS = "/api/v2/users"


async def test_get_users_is_a_list_of_everybody(api, register):
    await register("ferris")
    users = (await api.get(USERS)).json()
    assert [user["username"] for user in users] == ["Anonymous#0", "Administrator#1", "ferris#2"]
    assert "contact" not in users[0] or users[0]["contact"] is None


async def test_get_users_by_pages(api, register):
    for number in range(30):
        await register(f"user{number}")
    first = (await api.get(USERS, params={"page": 1, "sort": "age"})).json()
    second = (await api.get(USERS, params={"page": 2, "sort": "age"})).json()
    assert (len(first), len(second)) == (25, 7)
    assert [user["id"] for user in first + second] == list(range(32))
    assert (await api.get(USERS, params={"page": 9999})).json() == []


@pytest.mark.parametrize("page", ["x", "-1", "1.5", "99999999999999", "²"])
async def test_get_users_refuses_what_is_no_page(api, page):
    reply = await api.get(USERS, params={"page": page})
    assert (reply.status_code, reply.json()["errors"].keys()) == (400, {"page"})


async def test_get_user_single_shows_more_to_its_owner(api, register):
    ferris = await register("ferris")
    for_all = (await api.get(f"{USERS}/2")).json()
    for_owner = (await api.get(f"{USERS}/2", headers=ferris)).json()
    for_admin = (await api.get(f"{USERS}/2", headers=ADMIN)).json()
    assert "worker_ids" not in for_all
    assert for_owner["worker_ids"] == []
    assert for_owner["active_generations"] == {"image": [], "text": [], "alchemy": []}
    assert "active_generations" not in for_all
    assert "suspicious" not in for_owner
    assert for_admin["suspicious"] == 0


@pytest.mark.parametrize("user_id", ["x", "-1", "99", "1.0", "99999999999999", "²", "%00"])
async def test_get_user_single_of_nobody(api, user_id):
    reply = await api.get(f"{USERS}/{user_id}")
    assert (reply.status_code, reply.json()["rc"]) == (404, "UserNotFound")


async def test_get_user_single_with_an_unknown_key(api):
    reply = await api.get(f"{USERS}/1", headers={"apikey": "x" * 22})
    assert (reply.status_code, reply.json()["rc"]) == (401, "InvalidAPIKey")


async def test_get_find_user(api, register):
    ferris = await register("ferris")
    assert (await api.get("/api/v2/find_user", headers=ferris)).json()["username"] == "ferris#2"
    assert (await api.get("/api/v2/find_user", headers=ANONYMOUS)).json()["id"] == 0
    unknown = await api.get("/api/v2/find_user", headers={"apikey": "x" * 22})
    assert (unknown.status_code, unknown.json()["rc"]) == (404, "UserNotFound")
    missing = await api.get("/api/v2/find_user")
    assert (missing.status_code, missing.json()["rc"]) == (401, "InvalidAPIKey")


async def test_put_user_single_by_the_administrator(api, register):
    await register("ferris")
    body = {"kudos": 250, "trusted": True, "worker_invite": 3, "monthly_kudos": 10}
    reply = await api.put(f"{USERS}/2", json=body, headers=ADMIN)
    assert reply.json() == {
        "new_kudos": 260.0, "trusted": True, "worker_invited": 3, "monthly_kudos": 10,
    }  # fmt: skip
    assert (await api.get(f"{USERS}/2")).json()["kudos"] == 260.0  # the first month is paid at once


@pytest.mark.parametrize(
    ("body", "rc"),
    [
        ({"kudos": 5}, "NotAdmin"),
        ({"moderator": True}, "NotAdmin"),
        ({"trusted": True}, "NotModerator"),
        ({"public_workers": True, "concurrency": 500}, "NotModerator"),
    ],
)
async def test_put_user_single_that_is_refused_changes_nothing(api, register, body, rc):
    ferris = await register("ferris")
    before = (await api.get(f"{USERS}/2", headers=ADMIN)).json()
    reply = await api.put(f"{USERS}/2", json=body, headers=ferris)
    assert (reply.status_code, reply.json()["rc"]) == (403, rc)
    assert (await api.get(f"{USERS}/2", headers=ADMIN)).json() == before


async def test_put_user_single_by_its_owner(api, register):
    ferris = await register("ferris")
    reply = await api.put(f"{USERS}/2", json={"username": "crab"}, headers=ferris)
    assert reply.json() == {"username": "crab"}
    stranger = await register("stranger")
    reply = await api.put(f"{USERS}/2", json={"username": "mine"}, headers=stranger)
    assert (reply.status_code, reply.json()["rc"]) == (403, "NotModerator")


@pytest.mark.parametrize(
    ("body", "status", "rc"),
    [
        ({}, 400, "NoUserModSelected"),
        ({"username": "x" * 31}, 400, "TooLongUserName"),
        ({"kudos": -1}, 400, "KudosTransferNotEnough"),
        ({"concurrency": "many"}, 400, "ValidationFailed"),
        ({"undelete": True}, 400, "UserNotDeleted"),
        ({"undelete": False}, 400, "NoUserModSelected"),
        ({"generate_proxy_passkey": True}, 501, "NotImplemented"),
    ],
)
async def test_put_user_single_refuses(api, register, body, status, rc):
    await register("ferris")
    reply = await api.put(f"{USERS}/2", json=body, headers=ADMIN)
    assert (reply.status_code, reply.json()["rc"]) == (status, rc)


async def test_post_register_gives_a_key_once(api):
    reply = await api.post("/register", json={"username": " Zoë "})
    assert reply.status_code == 200
    account = reply.json()
    assert (account["username"], account["id"], len(account["api_key"])) == ("Zoë#2", 2, 22)
    assert (await api.get("/api/v2/find_user", headers={"apikey": account["api_key"]})).is_success


async def test_post_register_is_closed_in_a_raid(api, register):
    await api.put("/api/v2/status/modes", json={"raid": True}, headers=ADMIN)
    reply = await api.post("/register", json={"username": "raider"})
    assert (reply.status_code, reply.json()["rc"]) == (403, "RegistrationClosed")
    await api.put("/api/v2/status/modes", json={"raid": False}, headers=ADMIN)
    await register("friend")


@pytest.mark.parametrize("username", ["", "   ", "x" * 31, "a\x00b", 5, None])
async def test_post_register_refuses(api, username):
    reply = await api.post("/register", json={"username": username})
    assert reply.status_code == 400
    assert (await api.get(f"{USERS}/2")).status_code == 404


async def test_post_transfer_kudos(api, register):
    ferris = await register("ferris")
    await api.put(f"{USERS}/2", json={"kudos": 100}, headers=ADMIN)
    body = {"username": "Administrator#1", "amount": 40}
    reply = await api.post("/api/v2/kudos/transfer", json=body, headers=ferris)
    assert reply.json() == {"transferred": 40}
    reply = await api.post("/api/v2/kudos/transfer", json=body | {"amount": 61}, headers=ferris)
    assert (reply.status_code, reply.json()["rc"]) == (400, "KudosTransferNotEnough")
    reply = await api.post("/api/v2/kudos/transfer", json=body, headers=ANONYMOUS)
    assert reply.json()["rc"] == "KudosTransferFromAnon"


async def test_keys_are_stored_as_hashes_only(api, register, horde):
    key = (await register("ferris"))["apikey"]
    rows = await horde.read(lambda tx: tx.all("SELECT key_hash FROM users"))
    assert all(row["key_hash"] is None or row["key_hash"].startswith("h1:") for row in rows)
    assert not any(key in (row["key_hash"] or "") for row in rows)


async def test_put_user_single_of_an_account_for_teaching(api, register):
    await register("ferris")

    async def put(**body):
        return (await api.put(f"{USERS}/2", json=body, headers=ADMIN)).json()

    assert await put(education=True) == {"education": True, "concurrency": 200}
    assert await put(education=False) == {"education": False, "concurrency": 30}
    assert await put(education=True, concurrency=500) == {"education": True, "concurrency": 500}
    assert await put(education=False) == {"education": False, "concurrency": 500}


async def test_put_user_single_that_trusts_ends_pauses(api, register, pop, horde):
    await pop(await register("ferris"), name="loft")
    (worker,) = (await api.get("/api/v2/workers")).json()
    path = f"/api/v2/workers/{worker['id']}"
    await api.put(path, json={"paused": True}, headers=ADMIN)
    await api.put(f"{USERS}/2", json={"trusted": True}, headers=ADMIN)
    assert (await api.get(path, headers=ADMIN)).json()["paused"] is False
    row = await horde.read(lambda tx: tx.one("SELECT is_paused FROM workers"))
    assert row["is_paused"] == 0
