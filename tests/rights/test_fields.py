"""Who sees and changes which field: every line of the tables in `rules.rights`, by real calls."""

from typing import Any

import pytest
from tests.conftest import ADMIN_KEY
from tests.rights.calls import key_of

from ordu.rules.rights import (
    MODES_CHANGED,
    MODES_SEEN,
    USER_CHANGED,
    USER_SEEN,
    WORKER_CHANGED,
    WORKER_EXPLAINED,
    WORKER_SEEN,
    Standing,
)

pytestmark = pytest.mark.anyio

MODES = "/api/v2/status/modes"

# How each caller stands towards `another` and what is theirs.
CALLERS = {
    "nobody": Standing.ANYBODY,
    "guest": Standing.ANYBODY,
    "user": Standing.ANYBODY,
    "owner": Standing.ANYBODY,
    "flagged": Standing.ANYBODY,
    "deleted": Standing.ANYBODY,
    "another": Standing.OWNER,
    "another's browser": Standing.OWNER,
    "moderator": Standing.MODERATOR,
    "administrator": Standing.ADMINISTRATOR,
}
WITH_KEY = [name for name in CALLERS if name != "nobody"]

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
    "admin_comment": ("another note", None),
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


def key(world, caller):
    if caller.startswith("another"):
        person = world.people["another"]
        return person.browser_key if "browser" in caller else person.key
    return key_of(world, caller)


def user_of(world):
    return f"/api/v2/users/{world.people['another'].id}"


def worker_of(world):
    return f"/api/v2/workers/{world.people['another'].worker.id}"


async def shown(world, path, caller):
    return await world.done("GET", path, key(world, caller))


def test_the_values_are_whole():
    assert USER_VALUES.keys() == USER_CHANGED.keys()
    assert WORKER_VALUES.keys() == WORKER_CHANGED.keys()


# Seeing


def check_seen(found, seen, stands, never=frozenset()):
    for field, least in seen.items():
        if field not in never:
            assert (field in found) is (stands >= least), field


@pytest.mark.parametrize("caller", CALLERS)
async def test_get_user_single_shows_what_the_table_says(world, caller):
    found = await shown(world, user_of(world), caller)
    check_seen(found, USER_SEEN, CALLERS[caller], NEVER_FILLED)


@pytest.mark.parametrize("caller", CALLERS)
async def test_get_users_shows_everybody_the_same(world, caller):
    for query in ("", "?sort=age", "?name=another", "?sort=month"):
        for found in await shown(world, f"/api/v2/users{query}", caller):
            told = {field for field in USER_SEEN if found[field] is not None}
            is_public = found["username"].startswith("owner#")
            assert told == ({"worker_ids"} if is_public else set()), found["username"]


@pytest.mark.parametrize("caller", WITH_KEY)
async def test_get_find_user_shows_oneself_as_owners_see_it(world, caller):
    found = await shown(world, "/api/v2/find_user", caller)
    if caller != "guest":  # whose fields have nothing in them
        check_seen(found, USER_SEEN, Standing.OWNER, NEVER_FILLED)
    assert not {"admin_comment", "suspicion_reasons", "monthly_kudos"} & found.keys()


@pytest.mark.parametrize("caller", CALLERS)
async def test_a_worker_is_shown_as_the_table_says(world, caller):
    worker = world.people["another"].worker
    found = await shown(world, worker_of(world), caller)
    check_seen(found, WORKER_SEEN, CALLERS[caller], NEVER_FILLED)
    assert await shown(world, f"/api/v2/workers/name/{worker.name}", caller) == found
    listed = await shown(world, "/api/v2/workers", caller)
    assert [each for each in listed if each["id"] == worker.id] == [found]


@pytest.mark.parametrize("caller", CALLERS)
async def test_get_worker_explain_shows_what_the_table_says(world, caller):
    found = await shown(world, f"{worker_of(world)}/explain", caller)
    told = {field for field in WORKER_EXPLAINED if found.get(field) is not None}
    may = {field for field, least in WORKER_EXPLAINED.items() if CALLERS[caller] >= least}
    assert told == may


@pytest.mark.parametrize("caller", CALLERS)
async def test_get_horde_modes_shows_what_the_table_says(world, caller):
    stands = max(CALLERS[caller], Standing.ANYBODY)
    stands = Standing.ANYBODY if stands is Standing.OWNER else stands  # nobody owns the modes
    check_seen(await shown(world, MODES, caller), MODES_SEEN, stands)


async def test_workers_that_are_public_are_shown_to_everybody(world):
    owner = world.people["owner"]
    found = await shown(world, f"/api/v2/users/{owner.id}", "nobody")
    assert found["worker_ids"] == [owner.worker.id]
    found = await shown(world, f"/api/v2/workers/{owner.worker.id}", "nobody")
    assert found["owner"] == owner.alias


@pytest.mark.parametrize("caller", ["user", "owner", "moderator", "administrator"])
async def test_get_kudos_history_and_the_log_of_webhooks_are_of_oneself(world, caller):
    theirs, another = world.people[caller], world.people["another"]
    history = await shown(world, "/api/v2/kudos/history", caller)
    assert {each["worker_id"] for each in history["entries"] if "worker_id" in each} == {
        theirs.worker.id
    }
    path = f"/api/v2/kudos/history?worker_id={another.worker.id}"
    assert (await shown(world, path, caller))["entries"] == []
    log = await shown(world, "/api/v2/webhooks/deliveries", caller)
    assert [each["id"] for each in log["deliveries"]] == [theirs.delivery_id]


# Changing


async def change(world, path, caller, body, right, rc, stands):
    """Change one field; a refusal leaves every row of the database as it was."""
    before = await world.everything()
    reply = await world.call("PUT", path, key(world, caller), json=body)
    if stands < right.least or rc is not None:
        expected = (403, right.rc) if stands < right.least else (reply.status_code, rc)
        assert (reply.status_code, reply.json()["rc"]) == expected
        assert await world.everything() == before
        return None
    assert reply.status_code == 200
    assert await world.everything() != before
    return reply.json()


@pytest.mark.parametrize("field", USER_CHANGED)
async def test_put_user_single_by_whom_the_table_says(world, field):
    value, rc = USER_VALUES[field]
    for caller in WITH_KEY:
        right, stands = USER_CHANGED[field], CALLERS[caller]
        told = await change(world, user_of(world), caller, {field: value}, right, rc, stands)
        if told is not None:
            assert told, "the answer says what was changed"
            await world.mend(world.people["another"])


@pytest.mark.parametrize("field", USER_CHANGED)
async def test_put_user_single_of_the_guests(world, field):
    body, guests = {field: USER_VALUES[field][0]}, "/api/v2/users/0"
    before = await world.everything()
    reply = await world.call("PUT", guests, key(world, "guest"), json=body)
    assert (reply.status_code, reply.json()["rc"]) == (403, USER_CHANGED[field].rc)
    assert await world.everything() == before
    reply = await world.call("PUT", guests, ADMIN_KEY, json=body)
    if USER_CHANGED[field].of_anonymous:
        assert reply.status_code == 200
    else:
        assert (reply.status_code, reply.json()["rc"]) == (403, "AnonForbiddenUserMod")
        assert await world.everything() == before


@pytest.mark.parametrize("field", WORKER_CHANGED)
async def test_put_worker_single_by_whom_the_table_says(world, field):
    value, rc = WORKER_VALUES[field]
    for caller in [each for each in WITH_KEY if each != "guest"]:
        right, stands = WORKER_CHANGED[field], CALLERS[caller]
        told = await change(world, worker_of(world), caller, {field: value}, right, rc, stands)
        if told is not None:
            assert told == {field: value}
            await world.mend(world.people["another"])


@pytest.mark.parametrize("mode", MODES_CHANGED)
async def test_put_horde_modes_by_whom_the_table_says(world, mode):
    for caller in WITH_KEY:
        stands = Standing.ANYBODY if CALLERS[caller] is Standing.OWNER else CALLERS[caller]
        told = await change(world, MODES, caller, {mode: True}, MODES_CHANGED[mode], None, stands)
        if told is not None:
            assert told == {mode: True}
            await world.mend_horde()


async def test_put_user_single_names_the_first_field_that_is_not_allowed(world):
    body = {"username": "crab", "trusted": True, "kudos": 5}
    reply = await world.call("PUT", user_of(world), key(world, "another"), json=body)
    assert (reply.status_code, reply.json()["rc"]) == (403, "NotAdmin")
    assert "`kudos`" in reply.json()["message"]
    assert (await shown(world, user_of(world), "nobody"))["username"].startswith("another#")
