"""Nothing is kept longer than its setting says: everything that is kept is searched for it.

Somebody does all that leaves something behind; then the clock moves on and the chores run.
`docs/reference/retention.md` is the table of what is proved here.
"""

import base64
import logging

import httpx
import msgspec
import pytest
from tests.api.conftest import ADMIN, ANONYMOUS, POP
from tests.builders import a_picture, only_sqlite
from tests.canaries import files_with, kept_in, pictures_of

from ordu.engine import acts, sweeper, webhooks
from ordu.engine.horde import Horde
from ordu.rules.trust import DAY_MS
from ordu.server.app import make_app
from ordu.settings import ServerSettings
from ordu.store import webhooks as stored

pytestmark = pytest.mark.anyio

PROMPT = "canaryprompt"
SOURCE = base64.b64encode(a_picture(64, 64)).decode()
HOOK = "canaryhook"
SAID = "canarysaid"  # what a worker says of a picture
ADDRESS = "93.184.216.77"


@pytest.fixture
def hosts() -> dict[str, list[str]]:
    return {"hooks.test": ["93.184.216.34"]}


@pytest.fixture
async def asked(api: httpx.AsyncClient, pop, submit) -> None:
    """A request with everything that one can have, of which one picture is drawn, one half."""
    body = {
        "prompt": PROMPT,
        "params": {"n": 3, "width": 64, "height": 64},
        "source_image": SOURCE,
        "webhook": f"https://hooks.test/{HOOK}",
        "webhook_end": True,
    }
    reply = await api.post(
        "/api/v2/generate/async", json=body, headers=ADMIN | {"Idempotency-Key": "k" * 30}
    )
    assert reply.status_code == 202, reply.text
    said = [{"type": "information", "value": SAID, "ref": SAID}]
    job = await pop()
    reply = await submit(job["id"], gen_metadata=said)
    assert reply.status_code == 200, reply.text
    await pop()


async def chores(horde: Horde, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them, the rare ones too."""
    monkeypatch.setattr(sweeper, "RARELY", 1)
    await sweeper.Sweeper(horde).sweep()


async def test_prompts_and_pictures_go_with_their_request(
    horde, settings: ServerSettings, clock, asked, monkeypatch
):
    assert await kept_in(horde, PROMPT) == {"requests.body"}
    assert await kept_in(horde, SAID) == {"jobs.metadata", "deliveries.body"}
    assert len(await pictures_of(horde)) == 2

    clock.forward(s=settings.request_lifetime_s)
    await chores(horde, monkeypatch)  # the webhook has not got the picture yet
    assert await kept_in(horde, PROMPT) == set()
    assert len(await pictures_of(horde)) == 1

    await horde.write(lambda tx: tx.run("UPDATE deliveries SET state = 'delivered'"))
    clock.forward(ms=sweeper.ORPHAN_AGE_MS)
    await chores(horde, monkeypatch)
    assert await pictures_of(horde) == set()


async def test_what_was_told_to_webhooks_goes_after_its_time(
    horde, settings: ServerSettings, clock, asked, monkeypatch
):
    clock.forward(s=settings.request_lifetime_s)
    await chores(horde, monkeypatch)
    assert await kept_in(horde, HOOK) == {"deliveries.url"}
    clock.forward(s=settings.keep_deliveries_s + 1)
    await chores(horde, monkeypatch)
    assert await kept_in(horde, HOOK) == set()
    assert await kept_in(horde, SAID) == set()
    assert await pictures_of(horde) == set()


@only_sqlite  # PostgreSQL's files are its own
async def test_nothing_of_a_prompt_is_left_in_the_files(
    horde, settings: ServerSettings, clock, asked, monkeypatch, tmp_path
):
    """A deleted row leaves no bytes behind: SQLite writes over them (`secure_delete`)."""
    for wait_s in (settings.request_lifetime_s, settings.keep_deliveries_s + 1):
        clock.forward(s=wait_s)
        await chores(horde, monkeypatch)
    horde.database.backend.reader.execute("PRAGMA query_only=OFF")
    horde.database.backend.reader.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for text in (PROMPT, HOOK, SAID):
        assert files_with(tmp_path, text) == set(), text


@only_sqlite  # where several processes share a folder each picture is a file
async def test_pictures_leave_the_disk_with_their_segment(
    horde, settings: ServerSettings, clock, asked, monkeypatch, tmp_path
):
    picture = a_picture()

    def is_on_disk() -> bool:
        return any(picture in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())

    assert is_on_disk()
    clock.forward(s=settings.request_lifetime_s + settings.keep_deliveries_s + 3600)
    for _ in range(3):
        clock.forward(ms=sweeper.ORPHAN_AGE_MS)
        await chores(horde, monkeypatch)
    assert not is_on_disk()


async def test_more_old_deliveries_than_go_in_one_batch(horde, clock, monkeypatch):
    """A flood of them is not kept for longer than one."""
    monkeypatch.setattr(stored, "FORGET_MAX", 2)
    for number in range(7):
        await horde.write(
            lambda tx, number=number: stored.add(
                tx, delivery_id=f"d{number}", user_id=1, request_id="r", event="generation",
                url="https://hooks.test/", host="hooks.test", body="{}", now=clock.now(),
            )
        )  # fmt: skip
    clock.forward(s=horde.settings.keep_deliveries_s + 1)
    await webhooks.forget_deliveries(horde)
    assert await kept_in(horde, "hooks.test") == set()


async def test_answers_for_repeated_calls_go(horde, api, clock, monkeypatch):
    reply = await api.post(
        "/register", json={"username": "canaryname"}, headers={"Idempotency-Key": "k" * 30}
    )
    assert reply.status_code == 200
    assert await kept_in(horde, "canaryname") == {"users.username", "answers.reply"}
    clock.forward(ms=DAY_MS + 1000)
    await chores(horde, monkeypatch)
    assert await kept_in(horde, "canaryname") == {"users.username"}


async def test_names_and_reasons_leave_the_log_of_acts(
    horde, api, register, clock, monkeypatch, settings: ServerSettings
):
    ferris = await register("ferris")
    await api.post("/api/v2/generate/pop", json=POP | {"name": "canaryworker"}, headers=ferris)
    (worker,) = (await api.get("/api/v2/workers")).json()
    path = f"/api/v2/workers/{worker['id']}"
    change = {"contact": "canarycontact", "trusted": True, "reason": "canaryreason"}
    await api.put("/api/v2/users/2", json=change, headers=ADMIN)
    clock.forward(s=1)
    await api.put(path, json={"paused": True, "reason": "canaryreason"}, headers=ADMIN)
    clock.forward(s=1)
    await api.delete(path, params={"reason": "canaryreason"}, headers=ADMIN)
    clock.forward(s=1)
    await api.put("/api/v2/users/2", json={"contact": "elsewhere", "trusted": False}, headers=ADMIN)
    for text in ("canarycontact", "canaryworker", "canaryreason"):
        assert await kept_in(horde, text), text

    clock.forward(s=settings.keep_act_words_s + 1)
    await chores(horde, monkeypatch)
    for text in ("canarycontact", "canaryworker", "canaryreason"):
        assert await kept_in(horde, text) == set(), text
    log = (await api.get("/api/v2/operations/audit", headers=ADMIN)).json()["acts"]
    assert [each["operation"] for each in log] == [
        "put_user_single", "delete_worker_single", "put_worker_single", "put_user_single",
    ]  # fmt: skip
    assert {"field": "trusted", "before": False, "after": True} in log[-1]["changes"]
    assert log[-1]["target"]["name"] == "(forgotten)#2"


async def test_old_acts_are_looked_at_once(horde, api, register, clock, settings):
    await register("ferris")
    await api.put("/api/v2/users/2", json={"trusted": True}, headers=ADMIN)
    clock.forward(s=settings.keep_act_words_s + 1)
    await acts.forget_act_words(horde)
    await horde.write(lambda tx: tx.run("UPDATE acts SET reason = 'left alone'"))
    await acts.forget_act_words(horde)
    assert await kept_in(horde, "left alone") == {"acts.reason"}


# Addresses


@pytest.fixture
async def stranger(opened):
    """Somebody at a public address."""
    transport = httpx.ASGITransport(
        make_app(opened.horde, opened.secret), client=(ADDRESS, 1), raise_app_exceptions=False
    )
    async with httpx.AsyncClient(transport=transport, base_url="http://horde.test") as client:
        yield client


async def test_no_address_is_ever_written_down(
    horde, stranger, asked, monkeypatch, tmp_path, caplog
):
    """Not in the database, not in a file, not in the log; a key of a call hides one in a hash."""
    caplog.set_level(logging.DEBUG)
    key = {"Idempotency-Key": "k" * 30}
    await stranger.post("/api/v2/generate/async", json={"prompt": "a fox"}, headers=ANONYMOUS | key)
    await stranger.post("/register", json={"username": "ferris"}, headers=key)
    for prompt in ("a naked toddler", "a naked toddler"):
        await stranger.post("/api/v2/generate/async", json={"prompt": prompt}, headers=ANONYMOUS)
    await stranger.post("/api/v2/generate/pop", json=POP, headers=ADMIN)
    await chores(horde, monkeypatch)
    assert await kept_in(horde, ADDRESS) == set()
    assert files_with(tmp_path, ADDRESS) == set()
    assert ADDRESS not in caplog.text


async def test_addresses_in_memory_are_forgotten(opened, clock, monkeypatch):
    horde = opened.horde
    horde.settings = msgspec.structs.replace(horde.settings, rate_limits=True)
    app = make_app(horde, opened.secret)
    limits = next(each for each in horde.forgets if "forget_over" in each.__code__.co_names)
    counters = limits.__closure__[1].cell_contents
    transport = httpx.ASGITransport(app, client=(ADDRESS, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://horde.test") as client:
        for prompt in ("a fox", "a naked toddler"):
            await client.post("/api/v2/generate/async", json={"prompt": prompt}, headers=ANONYMOUS)
        await client.get("/sdapi/v1/options")
        await client.post("/sdapi/v1/options", json={"CLIP_stop_at_last_layers": 2})
    assert ADDRESS in horde.timeouts.records
    assert any(ADDRESS in str(windows) for windows in counters.windows.values())
    clock.forward(s=horde.settings.keep_addresses_s + 1)
    await chores(horde, monkeypatch)
    assert ADDRESS not in horde.timeouts.records
    assert not any(ADDRESS in str(windows) for windows in counters.windows.values())
