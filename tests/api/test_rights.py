"""Who sees and changes which field, over HTTP: generated from the tables in `rules.rights`."""

from typing import Any

import httpx
import pytest
from tests.api.conftest import ADMIN, ANONYMOUS

from ordu.rules.rights import (
    MODES_CHANGED,
    MODES_SEEN,
    USER_CHANGED,
    USER_SEEN,
    WORKER_CHANGED,
    WORKER_SEEN,
    Standing,
)

pytestmark = pytest.mark.anyio

FERRIS, WORKERS, MODES = "/api/v2/users/2", "/api/v2/workers", "/api/v2/status/modes"

# How each caller stands towards ferris (user 2) and what is theirs.
CALLERS = {
    "somebody without a key": Standing.ANYBODY,
    "anonymous": Standing.ANYBODY,
    "a stranger": Standing.ANYBODY,
    "ferris": Standing.OWNER,
    "a moderator": Standing.MODERATOR,
    "the administrator": Standing.ADMINISTRATOR,
}
WITH_KEY = [name for name in CALLERS if name != "somebody without a key"]

# A change for each field, and what it is answered with where it is allowed: None for 200.
USER_VALUES: dict[str, tuple[Any, str | None]] = {
    "kudos": (5, None),
    "monthly_kudos": (5, None),
    "usage_multiplier": (2.5, None),
    "moderator": (True, None),
    "concurrency": (7, None),
    "worker_invited": (3, None),
    "trusted": (True, None),
    "flagged": (True, None),
    "customizer": (True, None),
    "vpn": (True, None),
    "service": (True, None),
    "education": (True, None),
    "special": (True, None),
    "reset_suspicion": (True, None),
    "admin_comment": ("a note for us", None),
    "public_workers": (True, None),
    "username": ("crab", None),
    "contact": ("crab@horde.test", None),
    "generate_proxy_passkey": (True, "NotImplemented"),
    "undelete": (True, "UserNotDeleted"),
}
WORKER_VALUES: dict[str, tuple[Any, str | None]] = {
    "maintenance": (True, None),
    "info": ("under the roof", None),
    "paused": (True, None),
    "name": ("cellar", None),
    "team": ("some-team", "NotImplemented"),
}
NEVER_FILLED = {"proxy_passkey", "ipaddr"}  # there are none in this horde


@pytest.fixture
async def callers(api, register, pop) -> dict[str, dict[str, str]]:
    """Headers of all callers; ferris has a worker and something in every field."""
    ferris, stranger, moderator = [
        await register(name) for name in ("ferris", "stranger", "moderator")
    ]
    await api.put("/api/v2/users/4", json={"moderator": True}, headers=ADMIN)
    furnished = {"contact": "f@horde.test", "admin_comment": "all is well", "vpn": False}
    await api.put(FERRIS, json=furnished, headers=ADMIN)
    await pop(ferris, name="loft")
    return {
        "somebody without a key": {},
        "anonymous": ANONYMOUS,
        "a stranger": stranger,
        "ferris": ferris,
        "a moderator": moderator,
        "the administrator": ADMIN,
    }


async def the_worker(api: httpx.AsyncClient) -> str:
    return f"{WORKERS}/{(await api.get(WORKERS)).json()[0]['id']}"


def test_the_tables_are_whole():
    assert USER_VALUES.keys() == USER_CHANGED.keys()
    assert WORKER_VALUES.keys() == WORKER_CHANGED.keys()


@pytest.mark.parametrize("caller", CALLERS)
async def test_get_user_single_shows_what_the_table_says(api, callers, caller):
    shown = (await api.get(FERRIS, headers=callers[caller])).json()
    for field, least in USER_SEEN.items():
        if field not in NEVER_FILLED:
            assert (field in shown) is (CALLERS[caller] >= least), field


@pytest.mark.parametrize("caller", CALLERS)
async def test_get_worker_single_shows_what_the_table_says(api, callers, caller):
    shown = (await api.get(await the_worker(api), headers=callers[caller])).json()
    for field, least in WORKER_SEEN.items():
        if field not in NEVER_FILLED:
            assert (field in shown) is (CALLERS[caller] >= least), field
    (listed,) = (await api.get(WORKERS, headers=callers[caller])).json()
    assert listed == shown


@pytest.mark.parametrize("caller", CALLERS)
async def test_get_horde_modes_shows_what_the_table_says(api, callers, caller):
    stands = Standing.ANYBODY if caller == "ferris" else CALLERS[caller]  # nobody owns the modes
    shown = (await api.get(MODES, headers=callers[caller])).json()
    for field, least in MODES_SEEN.items():
        assert (field in shown) is (stands >= least), field


async def test_what_is_public_is_shown_to_everybody(api, callers):
    await api.put(FERRIS, json={"public_workers": True}, headers=callers["ferris"])
    assert len((await api.get(FERRIS)).json()["worker_ids"]) == 1
    assert (await api.get(await the_worker(api))).json()["owner"] == "ferris#2"


@pytest.mark.parametrize("caller", WITH_KEY)
@pytest.mark.parametrize("field", USER_CHANGED)
async def test_put_user_single_by_whom_the_table_says(api, callers, caller, field):
    right, (value, rc) = USER_CHANGED[field], USER_VALUES[field]
    before = (await api.get(FERRIS, headers=ADMIN)).json()
    reply = await api.put(FERRIS, json={field: value}, headers=callers[caller])
    if CALLERS[caller] < right.least:
        assert (reply.status_code, reply.json()["rc"]) == (403, right.rc)
        assert (await api.get(FERRIS, headers=ADMIN)).json() == before
    elif rc is not None:
        assert reply.json()["rc"] == rc
        assert (await api.get(FERRIS, headers=ADMIN)).json() == before
    else:
        assert reply.status_code == 200
        assert reply.json(), "the answer says what was changed"


@pytest.mark.parametrize("field", USER_CHANGED)
async def test_put_user_single_of_the_anonymous_user(api, callers, field):
    body = {field: USER_VALUES[field][0]}
    reply = await api.put("/api/v2/users/0", json=body, headers=ADMIN)
    if USER_CHANGED[field].of_anonymous:
        assert reply.status_code == 200
    else:
        assert (reply.status_code, reply.json()["rc"]) == (403, "AnonForbiddenUserMod")
    reply = await api.put("/api/v2/users/0", json=body, headers=ANONYMOUS)
    assert reply.status_code == 403


@pytest.mark.parametrize("caller", WITH_KEY)
@pytest.mark.parametrize("field", WORKER_CHANGED)
async def test_put_worker_single_by_whom_the_table_says(api, callers, caller, field):
    right, (value, rc) = WORKER_CHANGED[field], WORKER_VALUES[field]
    worker = await the_worker(api)
    before = (await api.get(worker, headers=ADMIN)).json()
    reply = await api.put(worker, json={field: value}, headers=callers[caller])
    if caller == "anonymous":
        assert (reply.status_code, reply.json()["rc"]) == (403, "AnonForbiddenWorker")
    elif CALLERS[caller] < right.least:
        assert (reply.status_code, reply.json()["rc"]) == (403, right.rc)
        assert (await api.get(worker, headers=ADMIN)).json() == before
    elif rc is not None:
        assert reply.json()["rc"] == rc
    else:
        assert reply.json() == {field: value}


@pytest.mark.parametrize("caller", WITH_KEY)
@pytest.mark.parametrize("mode", MODES_CHANGED)
async def test_put_horde_modes_by_whom_the_table_says(api, callers, caller, mode):
    stands = Standing.ANYBODY if caller == "ferris" else CALLERS[caller]
    reply = await api.put(MODES, json={mode: True}, headers=callers[caller])
    if stands < MODES_CHANGED[mode].least:
        assert (reply.status_code, reply.json()["rc"]) == (403, MODES_CHANGED[mode].rc)
        assert (await api.get(MODES, headers=ADMIN)).json()[mode] is False
    else:
        assert reply.json() == {mode: True}


async def test_put_user_single_names_the_first_field_that_is_not_allowed(api, callers):
    body = {"username": "crab", "trusted": True, "kudos": 5}
    reply = await api.put(FERRIS, json=body, headers=callers["ferris"])
    assert (reply.status_code, reply.json()["rc"]) == (403, "NotAdmin")
    assert "`kudos`" in reply.json()["message"]
    assert (await api.get(FERRIS)).json()["username"] == "ferris#2"


async def test_put_user_single_of_an_account_for_teaching(api, callers):
    async def put(**body):
        return (await api.put(FERRIS, json=body, headers=ADMIN)).json()

    assert await put(education=True) == {"education": True, "concurrency": 200}
    assert await put(education=False) == {"education": False, "concurrency": 30}
    assert await put(education=True, concurrency=500) == {"education": True, "concurrency": 500}
    assert await put(education=False) == {"education": False, "concurrency": 500}


async def test_put_user_single_that_trusts_ends_pauses(api, callers, horde):
    worker = await the_worker(api)
    await api.put(worker, json={"paused": True}, headers=ADMIN)
    await api.put(FERRIS, json={"trusted": True}, headers=ADMIN)
    assert (await api.get(worker, headers=ADMIN)).json()["paused"] is False
    row = await horde.read(lambda tx: tx.one("SELECT is_paused FROM workers"))
    assert row["is_paused"] == 0
