"""One person's data: an export has all of it, and after wiping nothing of it is left anywhere.

Somebody leaves a canary in every place that takes words. What of it is kept is then looked for in
every column of every table, so a place that is new and forgotten is found.
"""

import asyncio
import base64
import json

import httpx
import pytest
from tests.api.conftest import ADMIN, POP
from tests.builders import a_picture, a_wish, only_sqlite
from tests.canaries import kept_in, pictures_of

from ordu.engine import acts, end, leaving, place, sign_ins, suspicion, sweeper
from ordu.engine.horde import Horde
from ordu.protocol.errors import Refused
from ordu.rules.trust import SuspicionReason
from ordu.store import ledger, users

pytestmark = pytest.mark.anyio

CANARY = "canary"
SOURCE = base64.b64encode(a_picture(64, 64)).decode()
FERRIS = "/api/v2/users/2"
KEY = {"Idempotency-Key": "k" * 30}


@pytest.fixture
def hosts() -> dict[str, list[str]]:
    return {"hooks.test": ["93.184.216.34"]}


@pytest.fixture
async def ferris(api: httpx.AsyncClient, horde: Horde, pop, submit, clock) -> dict[str, str]:
    """Somebody who has left a canary wherever one can be left; returns the headers of their key."""
    reply = await api.post("/register", json={"username": f"{CANARY}name"}, headers=KEY)
    own = {"apikey": reply.json()["api_key"]}
    # What others write of them.
    noted = {"contact": f"{CANARY}contact", "admin_comment": f"{CANARY}note", "kudos": 500}
    await api.put(FERRIS, json=noted | {"reason": f"{CANARY}reason"}, headers=ADMIN)
    await sign_ins.link(
        horde, 2, await hash_of(horde), f"https://id.test/{CANARY}issuer", "canarysubject"
    )
    # A worker that is gone, one that is here.
    for name in ("gone", "here"):
        body = POP | {"name": f"{CANARY}{name}", "bridge_agent": f"{CANARY}agent:1:x"}
        await api.post("/api/v2/generate/pop", json=body, headers=own)
    workers = {each["name"]: each["id"] for each in (await api.get("/api/v2/workers")).json()}
    for name, worker_id in workers.items():
        path, change = f"/api/v2/workers/{worker_id}", {"info": f"{CANARY}info", "paused": False}
        await api.put(path, json=change | {"reason": f"{CANARY}reason"}, headers=ADMIN)
        if name.endswith("gone"):
            await api.delete(path, headers=own)
    await sweeper.write_presence(horde)
    # What they ask for, drawn by another; and what they draw for another.
    wish = {"prompt": f"{CANARY}prompt", "params": {"n": 2, "width": 64, "height": 64}}
    hook = {"webhook": f"https://hooks.test/{CANARY}hook", "webhook_end": True}
    said = [{"type": "information", "value": f"{CANARY}said", "ref": "x"}]
    picture = {"source_image": SOURCE}
    reply = await api.post("/api/v2/generate/async", json=wish | hook | picture, headers=own | KEY)
    assert reply.status_code == 202, reply.text
    job = await pop()
    assert (await submit(job["id"], gen_metadata=said)).status_code == 200
    theirs = {"prompt": "an owl", "webhook": "https://hooks.test/x", "params": {"n": 2}}
    await api.post("/api/v2/generate/async", json=theirs, headers=ADMIN)
    draws = POP | {"name": f"{CANARY}here", "bridge_agent": f"{CANARY}agent:1:x"}
    for _ in range(2):
        drawn = (await api.post("/api/v2/generate/pop", json=draws, headers=own)).json()
        if drawn["payload"]["prompt"] == "an owl":
            assert (await submit(drawn["id"], headers=own)).status_code == 200
    await horde.write(
        lambda tx: suspicion.suspect_user(
            tx, users.by_id(tx, 2), SuspicionReason.CORRUPT_PROMPT, clock.now()
        )
    )
    await api.put("/api/v2/users/1", json={"public_workers": True}, headers=ADMIN)
    return own


async def hash_of(horde: Horde) -> str:
    row = await horde.read(lambda tx: tx.one("SELECT key_hash FROM users WHERE id = 2"))
    return str(row["key_hash"])


KEPT_OF_A_PERSON = {
    "acts.changes",
    "acts.reason",
    "acts.target_name",
    "answers.reply",
    "deliveries.body",
    "deliveries.url",
    "identities.issuer",
    "identities.subject",
    "jobs.metadata",
    "jobs.worker_name",
    "requests.body",
    "requests.webhook",
    "users.admin_comment",
    "users.contact",
    "users.username",
    "workers.info",
    "workers.name",
    "workers.offer",
}


async def test_get_user_export_has_everything_that_is_kept(api, horde, ferris):
    assert await kept_in(horde, CANARY) == KEPT_OF_A_PERSON, "a place that is new: export it too"
    reply = await api.get(f"{FERRIS}/export", headers=ferris)
    text = reply.text
    for what in (
        *(
            "name",
            "contact",
            "note",
            "reason",
            "issuer",
            "subject",
            "gone",
            "here",
            "info",
            "agent",
            "prompt",
        ),
        *("hook", "said"),
    ):
        assert f"{CANARY}{what}" in text, what
    found = reply.json()
    (request,) = found["requests"]
    for link in (*request["sources"], *(each["link"] for each in request["pictures"])):
        if link is not None:
            assert (await api.get(link.removeprefix("http://horde.test"))).status_code == 200
    assert len(request["sources"]) == 1
    assert [each["reason"] for each in found["suspicions"]] == ["corrupt_prompt"]
    assert {each["operation"] for each in found["answers"]} == {"post_async_generate"}
    assert {each["operation"] for each in found["acts"]} == {"put_user_single", "put_worker_single"}
    assert found["note"] == f"{CANARY}note"
    assert "Administrator" not in text.replace('"Administrator#1"', ""), "not who did it"


async def erased(api, horde, clock):
    """At once, by whoever runs the horde; a server removes requests in its next round."""
    await leaving.erase(horde, 2, acts.by_machine("ordu users erase"))
    await sweeper.Sweeper(horde).sweep()


async def wiped(api, horde, clock):
    """By the person, and thirty days later by the chore."""
    await api.delete(FERRIS, headers=ADMIN)
    clock.forward(s=horde.settings.request_lifetime_s)
    await sweeper.Sweeper(horde).sweep()
    clock.forward(ms=leaving.KEPT_MS)
    await sweeper.Sweeper(horde).sweep()


@pytest.mark.parametrize("wipe", [erased, wiped])
async def test_nothing_is_left_of_a_person(api, horde, ferris, clock, monkeypatch, wipe):
    monkeypatch.setattr(sweeper, "RARELY", 1)
    monkeypatch.setattr(leaving, "LOOK_S", 0.001)
    monkeypatch.setattr(leaving, "ERASED_S", 0.003)
    mine = {name for name in await pictures_of(horde) if "_src" in name}
    assert len(mine) == 1
    await wipe(api, horde, clock)
    assert await kept_in(horde, CANARY) == set()
    assert await kept_in(horde, "_generate:2") == set(), "answers to their calls"
    assert not mine & await pictures_of(horde)
    for path in ("/api/v2/users", "/api/v2/workers", "/api/v2/status/performance"):
        assert CANARY not in (await api.get(path, headers=ADMIN)).text
    log = (await api.get("/api/v2/operations/audit", headers=ADMIN)).json()["acts"]
    assert {"put_user_single", "put_worker_single"} <= {each["operation"] for each in log}
    assert CANARY not in json.dumps(log)
    assert await horde.read(ledger.audit) == []
    assert (await api.get("/api/v2/find_user", headers=ferris)).status_code == 404


async def test_what_is_erased_was_drawn_for_nobody_else(api, horde, ferris, clock, monkeypatch):
    """The pictures of others stay, also those that the person's worker drew."""
    monkeypatch.setattr(leaving, "LOOK_S", 0.001)
    monkeypatch.setattr(leaving, "ERASED_S", 0.003)
    rows = await horde.read(lambda tx: tx.all("SELECT * FROM jobs WHERE state = 'done'"))
    others = [row for row in rows if row["worker_name"] == f"{CANARY}here"]
    await leaving.erase(horde, 2, acts.by_machine("ordu users erase"))
    left = await horde.read(lambda tx: tx.all("SELECT * FROM jobs"))
    assert {row["id"] for row in others} <= {row["id"] for row in left}
    assert {row["worker_name"] for row in left} <= {leaving.WIPED_NAME, "attic"}
    names = await pictures_of(horde)
    for row in others:
        assert (row["picture"] or end.upload_name(row["id"])) in names


async def test_a_server_that_runs_removes_what_the_command_has_ended(
    api, horde, register, ask, pop, monkeypatch
):
    """The command waits for that, and need not touch requests and pictures itself."""
    monkeypatch.setattr(leaving, "LOOK_S", 0.01)
    ferris = await register("ferris")
    await ask(ferris, params={"n": 2})
    await pop()
    erasing = asyncio.create_task(leaving.erase(horde, 2, acts.by_machine("ordu users erase")))
    while not await kept_in(horde, leaving.WIPED_NAME):
        await asyncio.sleep(0)
    assert (await pop())["id"] is None, "nothing more of it is drawn"
    await sweeper.expire_requests(horde)
    await erasing
    assert await horde.read(lambda tx: tx.all("SELECT id FROM requests")) == []


async def test_nobody_asks_for_somebody_who_was_erased_a_moment_ago(horde, register):
    """A process knows a caller for a second after the account has changed elsewhere."""
    await register("ferris")
    known = await horde.read(lambda tx: users.by_id(tx, 2))
    await leaving.erase(horde, 2, acts.by_machine("ordu users erase"))
    with pytest.raises(Refused, match="gone"):
        await place.accept(horde, known, a_wish())


async def test_a_job_of_an_erased_worker_goes_to_another(api, horde, register, ask, pop, clock):
    ferris = await register("ferris")
    placed = await ask(ADMIN)
    body = POP | {"name": "loft"}
    assert (await api.post("/api/v2/generate/pop", json=body, headers=ferris)).json()["id"]
    await leaving.erase(horde, 2, acts.by_machine("ordu users erase"))
    await sweeper.fail_overdue(horde)
    assert (await pop())["id"] is not None
    assert (await api.get(f"/api/v2/generate/check/{placed['id']}")).json()["processing"] == 1


@only_sqlite
@pytest.mark.parametrize(
    ("target", "rc"), [(0, "AnonForbiddenUser"), (1, "CannotDeleteMod"), (99, "UserNotFound")]
)
async def test_who_cannot_be_erased(horde, target, rc):
    with pytest.raises(Refused) as refused:
        await leaving.erase(horde, target, acts.by_machine("ordu users erase"))
    assert refused.value.rc == rc
