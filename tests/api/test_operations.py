"""What those who run a horde see and leave behind: acts, news, settings, health."""

import asyncio

import httpx
import pytest
from tests.api.conftest import ADMIN, ANONYMOUS
from tests.builders import HandClock
from tests.conftest import ADMIN_KEY

from ordu.engine import acts, auditing, leaving
from ordu.engine.auditing import Auditor
from ordu.engine.horde import Horde
from ordu.engine.sweeper import fold_statistics
from ordu.rules.money import UserId
from ordu.settings import Origin, Source
from ordu.store import users

pytestmark = pytest.mark.anyio

AUDIT, NEWS = "/api/v2/operations/audit", "/api/v2/status/news"
SETTINGS, HEALTH = "/api/v2/operations/settings", "/api/v2/operations/health"
FERRIS, MODES = "/api/v2/users/2", "/api/v2/status/modes"


@pytest.fixture
async def ferris(api, register) -> dict[str, str]:
    return await register("ferris")


@pytest.fixture
async def moderator(api, register, ferris, clock) -> dict[str, str]:
    headers = await register("mira")
    await api.put("/api/v2/users/3", json={"moderator": True}, headers=ADMIN)
    clock.forward(ms=1)
    return headers


async def told(api: httpx.AsyncClient, **query: object) -> list[dict]:
    reply = await api.get(AUDIT, params=query, headers=ADMIN)
    assert reply.status_code == 200, reply.text
    return reply.json()["acts"]


def told_of(act: dict) -> dict:
    return {each["field"]: (each.get("before"), each.get("after")) for each in act["changes"]}


async def worker_of_ferris(api, pop, ferris) -> str:
    await pop(ferris, name="loft")
    (worker,) = (await api.get("/api/v2/workers")).json()
    return f"/api/v2/workers/{worker['id']}"


# Who may


@pytest.mark.parametrize(
    ("method", "path", "rc", "moderators_may"),
    [
        ("GET", AUDIT, "NotModerator", True),
        ("GET", HEALTH, "NotModerator", True),
        ("GET", SETTINGS, "NotAdmin", False),
        ("PUT", NEWS, "NotModerator", True),
        ("DELETE", f"{NEWS}?id=1", "NotModerator", True),
    ],
)
async def test_only_those_who_run_the_horde_may(
    api, ferris, moderator, method, path, rc, moderators_may
):
    body = {"newspiece": "The horde moves."}
    await api.put(NEWS, json=body, headers=ADMIN)
    sent = {"json": body} if method == "PUT" else {}
    assert (await api.request(method, path, **sent)).json()["rc"] == "InvalidAPIKey"
    for nobody in (ANONYMOUS, ferris):
        reply = await api.request(method, path, headers=nobody, **sent)
        assert (reply.status_code, reply.json()["rc"]) == (403, rc)
        assert "Only" in reply.json()["message"]
    theirs = await api.request(method, path, headers=moderator, **sent)
    assert theirs.status_code == (200 if moderators_may else 403), theirs.text
    if not moderators_may:
        assert (await api.request(method, path, headers=ADMIN, **sent)).status_code == 200


# Acts


async def test_an_act_says_who_did_what_to_whom_and_why(api, ferris, moderator):
    await api.put(
        FERRIS,
        json={"flagged": True, "admin_comment": "grey squares", "reason": "14 of 31 are grey"},
        headers=moderator,
    )
    act = (await told(api))[0]
    assert (act["who"], act["operation"]) == ("mira#3", "put_user_single")
    assert act["target"] == {"kind": "user", "id": "2", "name": "ferris#2"}
    assert told_of(act) == {"flagged": (False, True), "admin_comment": (None, "grey squares")}
    assert act["reason"] == "14 of 31 are grey"
    assert act["date"] == "2025-10-09T08:53:20.001+00:00"


async def test_the_reason_stands_in_the_log_and_nowhere_else(api, ferris, moderator):
    await api.put(FERRIS, json={"trusted": True, "reason": "known to us"}, headers=moderator)
    for caller in (ferris, moderator, ADMIN):
        assert "known to us" not in (await api.get(FERRIS, headers=caller)).text


async def test_what_users_do_to_their_own_is_no_act(api, ferris, pop):
    worker = await worker_of_ferris(api, pop, ferris)
    await api.put(FERRIS, json={"username": "crab", "contact": "crab@horde.test"}, headers=ferris)
    await api.put(worker, json={"maintenance": True, "name": "cellar"}, headers=ferris)
    await api.delete(worker, headers=ferris)
    await api.delete(FERRIS, headers=ferris)
    await api.put(FERRIS, json={"undelete": True}, headers=ferris)
    assert await told(api) == []


async def test_what_moderators_alone_may_is_an_act_also_upon_themselves(api, moderator):
    await api.put("/api/v2/users/3", json={"public_workers": True}, headers=moderator)
    assert len(await told(api)) == 1  # that somebody made them one
    await api.put("/api/v2/users/3", json={"concurrency": 99}, headers=moderator)
    assert told_of((await told(api))[0]) == {"concurrency": (30, 99)}


async def test_what_changes_nothing_and_what_is_refused_is_no_act(api, ferris, moderator):
    before = await told(api)
    await api.put(FERRIS, json={"trusted": False}, headers=moderator)
    await api.put(MODES, json={"raid": False}, headers=moderator)
    refused = [
        await api.put(FERRIS, json={"trusted": True}, headers=ferris),
        await api.put(FERRIS, json={"kudos": 5}, headers=moderator),
        await api.put(FERRIS, json={"trusted": True, "kudos": -5}, headers=ADMIN),
        await api.delete("/api/v2/users/1", headers=moderator),
    ]
    assert [each.status_code for each in refused] == [403, 403, 400, 403]
    assert await told(api) == before


async def test_every_kind_of_act_is_noted(api, ferris, moderator, pop, clock):
    worker = await worker_of_ferris(api, pop, ferris)
    award = {"username": "2", "amount": 7}
    for method, path, what, caller in (
        ("PUT", worker, {"paused": True, "maintenance": True}, moderator),
        ("PUT", MODES, {"invite_only": True}, moderator),
        ("POST", "/api/v2/kudos/award", award, ADMIN),
        ("DELETE", worker, {}, moderator),
        ("DELETE", FERRIS, {}, moderator),
        ("PUT", FERRIS, {"undelete": True}, moderator),
    ):
        clock.forward(ms=1)
        said = what | {"reason": "because"}
        sent = {"params": said} if method == "DELETE" else {"json": said}
        reply = await api.request(method, path, headers=caller, **sent)
        assert reply.status_code == 200, reply.text
    found = (await told(api))[::-1][1:]
    assert [(act["operation"], act["target"]["kind"], told_of(act)) for act in found] == [
        (
            "put_worker_single",
            "worker",
            {
                "paused": (False, True),
                "maintenance_msg": (None, "Its owner has put it into maintenance."),
                "owner": (None, 2),
            },
        ),
        ("put_horde_modes", "modes", {"invite_only_mode": (False, True)}),
        ("post_award_kudos", "user", {"kudos": (0, 7)}),
        ("delete_worker_single", "worker", {"owner": (None, 2)}),
        ("delete_user_single", "user", {"deleted": (False, True)}),
        ("put_user_single", "user", {"deleted": (True, False)}),
    ]
    assert {act["reason"] for act in found} == {"because"}


async def test_an_award_that_is_asked_for_twice_is_one_act(api, ferris):
    headers = ADMIN | {"Idempotency-Key": "award-1"}
    for _ in range(2):
        await api.post("/api/v2/kudos/award", json={"username": "2", "amount": 7}, headers=headers)
    assert len(await told(api)) == 1


async def test_making_somebody_trusted_tells_of_the_kudos_that_come_with_it(api, ferris, horde):
    await horde.write(lambda tx: users.change(tx, UserId(2), {"suspicion": 3}))
    await api.put(FERRIS, json={"trusted": True, "reset_suspicion": True}, headers=ADMIN)
    assert told_of((await told(api))[0]) == {"trusted": (False, True), "suspicion": (3, 0)}


@pytest.mark.parametrize("path", [FERRIS, "/api/v2/workers/x"])
async def test_a_reason_that_is_too_long(api, ferris, pop, path):
    if "workers" in path:
        path = await worker_of_ferris(api, pop, ferris)
    reply = await api.delete(path, params={"reason": "x" * 501}, headers=ADMIN)
    assert (reply.status_code, reply.json()["rc"]) == (400, "BadParameter")
    reply = await api.put(path, json={"reason": "x" * 501}, headers=ADMIN)
    assert reply.json()["errors"].keys() == {"reason"}


async def test_the_log_is_read_in_parts(api, ferris, clock):
    for number in range(5):
        clock.forward(s=1)
        await api.put(FERRIS, json={"concurrency": number}, headers=ADMIN)
    seen, cursor = [], None
    for _ in range(3):
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        part = (await api.get(AUDIT, params=query, headers=ADMIN)).json()
        seen += [told_of(act)["concurrency"][1] for act in part["acts"]]
        cursor = part["next"]
    assert (seen, cursor) == ([4, 3, 2, 1, 0], None)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param({"actor": "mira#3"}, ["mode", "trust"], id="an actor by alias"),
        pytest.param({"actor": "1"}, ["moderator"], id="an actor by number"),
        pytest.param({"actor": "machine"}, [], id="the machine"),
        pytest.param({"operation": "put_horde_modes"}, ["mode"], id="an operation"),
        pytest.param({"target": "user:2"}, ["trust"], id="a target"),
        pytest.param({"target": "user"}, ["trust", "moderator"], id="a kind of target"),
        pytest.param({"since": "2025-10-09T08:53:30"}, ["mode"], id="since, in UTC"),
        pytest.param({"until": "2025-10-09T10:53:30+02:00"}, ["trust", "moderator"], id="until"),
        pytest.param({"since": "2025-10-09", "until": "2025-10-10", "actor": "3",
                      "target": "user", "operation": "put_user_single"}, ["trust"], id="all"),
    ],
)  # fmt: skip
async def test_the_log_is_filtered(api, moderator, clock, query, expected):
    await api.put(FERRIS, json={"trusted": True}, headers=moderator)
    clock.forward(s=10)
    await api.put(MODES, json={"raid": True}, headers=moderator)
    names = {"invite_only_mode": "mode", "raid_mode": "mode", "trusted": "trust"}
    found = [
        next(names.get(field, field) for field in told_of(act)) for act in await told(api, **query)
    ]
    assert found == expected


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "201"},
        {"limit": "x"},
        {"actor": "mira"},
        {"since": "yesterday"},
    ],
    ids=str,
)
async def test_a_filter_that_cannot_be_read(api, query):
    reply = await api.get(AUDIT, params=query, headers=ADMIN)
    assert (reply.status_code, reply.json()["rc"]) == (400, "BadParameter")


async def test_of_a_wiped_user_the_log_keeps_that_something_was_done(
    api, horde, ferris, moderator, clock
):
    await api.put(FERRIS, json={"contact": "f@horde.test", "trusted": True}, headers=moderator)
    await api.delete(FERRIS, headers=moderator)
    clock.forward(ms=leaving.KEPT_MS)
    await leaving.wipe_deleted(horde)
    log = await told(api, target="user:2")
    assert {act["target"]["name"] for act in log} == {"(wiped)#2"}
    assert told_of(log[1]) == {"trusted": (False, True), "contact": (None, None)}
    assert "f@horde.test" not in str(log)
    assert "ferris" not in str(log)


async def test_an_act_on_the_servers_machine_has_no_user(api, horde: Horde):
    by = acts.by_machine("ordu users create")
    await horde.write(lambda tx: acts.note(tx, by, acts.MODES))
    (act,) = await told(api, actor="machine")
    assert (act["who"], act["operation"]) == ("the server's machine", "ordu users create")


# News


PIECE = {
    "newspiece": "The horde moves.\n<b>On Friday.</b>",
    "importance": "Upcoming",
    "title": "Moving",
    "tags": ["disk", "break"],
    "more_info_urls": ["https://example.org/x?y=1#z"],
}


async def test_put_horde_news_publishes_and_changes(api, moderator, clock):
    reply = await api.put(NEWS, json=PIECE, headers=moderator)
    assert reply.json() == {**PIECE, "date_published": "2025-10-09", "id": 1}
    clock.forward(s=86_400)
    changed = await api.put(
        NEWS, json={"id": 1, "title": "", "importance": "Crisis"}, headers=moderator
    )
    after = {**PIECE, "date_published": "2025-10-09", "id": 1, "importance": "Crisis"}
    assert changed.json() == {**after, "title": None}
    assert (await api.get(NEWS)).json() == [{**after, "title": None}]
    act = (await told(api, target="news:1"))[0]
    assert told_of(act) == {"importance": ("Upcoming", "Crisis"), "title": ("Moving", None)}
    assert act["target"]["name"] == "The horde moves. <b>On Friday.</b>"


async def test_a_piece_needs_only_a_text(api, moderator):
    piece = (await api.put(NEWS, json={"newspiece": "Hello"}, headers=moderator)).json()
    assert (piece["importance"], piece["tags"], piece["title"]) == ("Information", [], None)


async def test_delete_horde_news_takes_back_and_keeps_what_it_said(api, moderator):
    await api.put(NEWS, json=PIECE, headers=moderator)
    reply = await api.delete(NEWS, params={"id": 1, "reason": "wrong day"}, headers=moderator)
    assert reply.json() == {"deleted_id": 1}
    assert (await api.get(NEWS)).json() == []
    act = (await told(api, target="news"))[0]
    assert act["reason"] == "wrong day"
    assert told_of(act)["newspiece"] == (PIECE["newspiece"], None)


@pytest.mark.parametrize(
    ("body", "rc"),
    [
        pytest.param({}, "ValidationFailed", id="nothing to publish"),
        pytest.param({"newspiece": " \n"}, "ValidationFailed", id="a text of space"),
        pytest.param({"newspiece": "x" * 10_001}, "ValidationFailed", id="a text too long"),
        pytest.param({"newspiece": "x", "title": "x" * 201}, "ValidationFailed", id="title"),
        pytest.param({"newspiece": "x", "importance": "Great"}, "ValidationFailed", id="weight"),
        pytest.param({"newspiece": "x", "tags": ["x"] * 21}, "ValidationFailed", id="tags"),
        pytest.param({"id": 1}, "NoNewsModSelected", id="nothing to change"),
        pytest.param({"id": 1, "newspiece": ""}, "ValidationFailed", id="no text any more"),
        pytest.param({"id": 9, "title": "x"}, "NewsNotFound", id="a piece there is not"),
    ],
)
async def test_put_horde_news_refuses(api, moderator, body, rc):
    await api.put(NEWS, json={"newspiece": "Hello"}, headers=moderator)
    assert (await api.put(NEWS, json=body, headers=moderator)).json()["rc"] == rc
    assert [each["newspiece"] for each in (await api.get(NEWS)).json()] == ["Hello"]


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "https://",
        "https://[x",
        "https://x/ y",
        "data:text/html,x",
        "//x.org",
        "https://x/\ny",
        "https://user@x/",
    ],
)
async def test_put_horde_news_refuses_links_that_are_not_safe(api, moderator, url):
    body = {"newspiece": "x", "more_info_urls": [url]}
    reply = await api.put(NEWS, json=body, headers=moderator)
    assert reply.json()["rc"] == "ValidationFailed"


@pytest.mark.parametrize(
    ("number", "refusal"),
    [
        ("9", (404, "NewsNotFound")),
        ("0", (404, "NewsNotFound")),
        ("x", (400, "BadParameter")),
        ("9" * 10, (400, "BadParameter")),
    ],
)
async def test_delete_horde_news_of_a_piece_there_is_not(api, moderator, number, refusal):
    reply = await api.delete(NEWS, params={"id": number}, headers=moderator)
    assert (reply.status_code, reply.json()["rc"]) == refusal


# Settings


async def test_settings_say_values_origins_and_units_and_no_secret(api, horde: Horde):
    horde.origins = {
        "port": Origin(Source.FLAG, "flag --port"),
        "secret": Origin(Source.ENVIRONMENT, "environment ORDU_SECRET"),
    }
    reply = await api.get(SETTINGS, headers=ADMIN)
    by_name = {each["name"]: each for each in reply.json()}
    assert by_name["port"]["source"] == "flag"
    assert by_name["port"]["origin"] == "flag --port"
    assert by_name["grace_s"]["unit"] == "seconds"
    assert by_name["picture_bytes_max"]["unit"] == "bytes"
    assert by_name["faults_max"]["unit"] is None
    assert by_name["admin_key"]["value"] == "(set)"
    assert ADMIN_KEY not in reply.text
    assert by_name["tax"]["default"] == "0"
    assert by_name["tax"]["meaning"]


async def test_settings_show_no_password_of_an_address(api, horde: Horde):
    import msgspec

    horde.settings = msgspec.structs.replace(
        horde.settings, database="postgresql://ordu:very-secret@db/horde?password=also-secret"
    )
    text = (await api.get(SETTINGS, headers=ADMIN)).text
    assert "postgresql://ordu:" in text
    assert "very-secret" not in text
    assert "also-secret" not in text


# Health


async def test_health_counts_what_was_made_and_what_failed(
    api, horde, ferris, ask, pop, submit, clock: HandClock
):
    await ask(ferris)
    await ask(ferris)
    await submit((await pop())["id"])
    job = (await pop())["id"]
    await submit(job, state="faulted")
    clock.forward(s=90)
    await fold_statistics(horde)
    health = (await api.get(HEALTH, headers=ADMIN)).json()
    assert (health["pictures_day"], health["faulted_day"]) == (1, 1)
    assert (health["pictures_waiting"], health["jobs_running"]) == (1, 0)
    assert (health["workers"], health["users"], health["uptime_s"]) == (1, 2, 90)
    assert health["jobs_handed_out"] == 2
    assert health["handing_out_ms"] > 0
    assert health["database"] == ("postgresql" if horde.settings.is_postgres else "sqlite")
    assert health["books"] is None
    totals = (await api.get("/api/v2/stats/img/totals")).json()
    assert totals["day"]["images"] == 1, "what failed is no picture"


async def test_health_tells_the_room_on_the_disk(api, horde, ask):
    room = (await api.get(HEALTH, headers=ADMIN)).json()["pictures"]
    assert room["place"] == "folder"
    assert 0 < room["free_bytes"] < room["disk_bytes"]
    assert (room["pictures_bytes"] is None) == horde.settings.is_postgres


async def test_the_books_are_proved_once_a_day(api, horde, ferris, clock):
    await api.put(FERRIS, json={"kudos": 5}, headers=ADMIN)
    auditor = Auditor(horde)
    await auditor.look()
    first = (await api.get(HEALTH, headers=ADMIN)).json()["books"]
    assert (first["balanced"], first["wrong"], first["entries"]) == (True, 0, 1)
    await horde.write(
        lambda tx: tx.run("UPDATE users SET kudos = kudos + 1 WHERE id = 2"), lambda _: None
    )
    clock.forward(s=86_399)
    await auditor.look()
    assert (await api.get(HEALTH, headers=ADMIN)).json()["books"] == first
    clock.forward(s=1)
    await auditor.look()
    books = (await api.get(HEALTH, headers=ADMIN)).json()["books"]
    assert books["balanced"] is False
    assert books["wrong"] >= 1


async def test_books_too_large_to_read_meanwhile_are_left_to_the_command(
    api, horde, ferris, monkeypatch
):
    await api.put(FERRIS, json={"kudos": 5}, headers=ADMIN)
    monkeypatch.setattr(auditing, "ENTRIES_MAX", 0)
    await auditing.check_books(horde)
    books = (await api.get(HEALTH, headers=ADMIN)).json()["books"]
    assert (books["balanced"], books["wrong"], books["entries"]) == (None, None, 1)


async def test_a_long_read_ends_when_it_is_given_up(horde):
    endless = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT MAX(i) AS i FROM n"
    )
    if horde.settings.is_postgres:
        endless = "SELECT pg_sleep(600) AS i"
    reading = asyncio.create_task(horde.database.read_beside(lambda tx: tx.one(endless)))
    done, _ = await asyncio.wait([reading], timeout=0.2)
    assert not done
    assert await horde.read(lambda tx: users.by_id(tx, UserId(1))), "others read meanwhile"
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading


# Users by name


async def test_get_users_by_the_beginning_of_their_names(api, register):
    for name in ("Ferris", "ferdinand", "aida", "Ärmel", "fer%"):
        await register(name)

    async def found(name: str, **more: object) -> list[str]:
        reply = await api.get("/api/v2/users", params={"name": name, **more})
        return [each["username"].partition("#")[0] for each in reply.json()]

    assert await found("FER") == ["fer%", "ferdinand", "Ferris"]
    assert await found("fer%") == ["fer%"]
    assert await found("Är") == ["Ärmel"]
    assert await found("erris") == []
    assert await found("fer", page=2) == []
