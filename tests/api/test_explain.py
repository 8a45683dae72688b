"""Explanations over HTTP: what they say of requests and workers, and what they never say."""

import json

import pytest
from tests.api.conftest import ADMIN

from ordu.rules.rights import WORKER_EXPLAINED, Standing

pytestmark = pytest.mark.anyio

NOBODY = "00000000-0000-0000-0000-000000000000"
LARGE = {"width": 1024, "height": 1024, "steps": 20}
SMALL_WORKER = {"name": "cellar", "max_pixels": 512 * 512}


@pytest.fixture
def explain(api):
    """What is said of a request."""

    async def explained(placed):
        reply = await api.get(f"/api/v2/generate/explain/{placed['id']}")
        assert reply.status_code == 200, reply.text
        return reply.json()

    return explained


@pytest.fixture
def explain_worker(api):
    """What is said of a worker, to whoever has this key."""

    async def explained(name="attic", headers=None):
        worker = (await api.get(f"/api/v2/workers/name/{name}")).json()
        path = f"/api/v2/workers/{worker['id']}/explain"
        reply = await api.get(path, headers=headers or {})
        assert reply.status_code == 200, reply.text
        return reply.json()

    return explained


def reasons(explained):
    return {each["reason"]: each["workers"] for each in explained["why_not"]}


def proposed(explained):
    return [tuple(each["subjects"]) for each in explained["changes"]]


def with_set(body, change):
    """The body with what a change sets."""
    body = {**body, "params": dict(body.get("params", {}))}
    for name, value in change["set"].items():
        outer, _, inner = name.partition(".")
        if inner:
            body[outer][inner] = value
        else:
            body[outer] = value
    return body


# A request


async def test_get_async_explain_without_workers(ask, explain):
    explained = await explain(await ask())
    assert explained["text"].startswith("No worker is online.")
    assert (explained["state"], explained["workers_online"], explained["starts_in"]) == (
        "waiting", 0, None,
    )  # fmt: skip
    assert (explained["why_not"], explained["changes"]) == ([], [])


async def test_get_async_explain_counts_each_worker_once(api, ask, pop, register, explain):
    ferris = await register("ferris")
    placed = await ask(nsfw=True, params=LARGE)
    await pop(name="other models", models=["sdxl"], nsfw=False)
    await pop(name="prude", nsfw=False)
    await pop(**SMALL_WORKER)
    await pop(ferris, name="resting", models=["sdxl"])
    resting = (await api.get("/api/v2/workers/name/resting")).json()["id"]
    await api.put(f"/api/v2/workers/{resting}", json={"maintenance": True}, headers=ferris)
    explained = await explain(placed)
    assert reasons(explained) == {"nsfw": 2, "max_pixels": 1, "resting": 1}
    assert [each["workers"] for each in explained["why_not"]] == [2, 1, 1]
    assert (explained["workers_online"], explained["workers_able"]) == (4, 0)
    assert explained["text"] == (
        "None of the workers online can serve it. 2 workers take nothing marked nsfw."
    )


async def test_get_async_explain_when_it_is_about_to_start(ask, pop, explain):
    await pop()
    explained = await explain(await ask(params={"n": 2}))
    assert explained["text"].startswith("1 worker could serve it; one that is free gets it")
    assert (explained["workers_able"], explained["workers_free"]) == (1, 1)
    assert (explained["starts_in"], explained["waiting"], explained["changes"]) == (0, 2, [])


async def test_get_async_explain_agrees_with_check(api, ask, pop, register, explain, clock):
    ferris = await register("ferris")
    await ask(ferris, params={"n": 3})
    await pop()
    clock.forward(s=1)
    placed = await ask()
    explained = await explain(placed)
    check = (await api.get(f"/api/v2/generate/check/{placed['id']}")).json()
    assert explained["queue_position"] == check["queue_position"] == 3
    assert explained["wait_time"] == check["wait_time"] > 0
    assert explained["jobs_before"] == 2
    assert explained["megapixelsteps_before"] == 15.73
    assert explained["text"] == "1 worker could serve it; 2 pictures wait before it."
    assert 0 < explained["starts_in"] < explained["wait_time"]


@pytest.mark.parametrize(
    ("body", "worker", "subjects"),
    [
        pytest.param({"params": LARGE}, {"max_pixels": 704 * 704}, ("size",), id="too large"),
        pytest.param({"models": ["sdxl"]}, {}, ("models",), id="a model nobody has"),
        pytest.param({"nsfw": True}, {"nsfw": False}, ("nsfw",), id="nsfw"),
        pytest.param(
            {"params": {"post_processing": ["GFPGAN"]}},
            {"allow_post_processing": False},
            ("post_processing",),
            id="post-processing",
        ),
        pytest.param(
            {"params": {"steps": 60}}, {"limit_max_steps": True}, ("steps",), id="many steps"
        ),
        pytest.param({}, {"extra_slow_worker": True}, ("extra_slow_workers",), id="extra slow"),
        pytest.param(
            {"params": {"sampler_name": "PLMS"}},
            {"bridge_agent": "AI Horde Worker reGen:10:x"},
            ("sampler_name",),
            id="a sampler its program does not know",
        ),
        pytest.param(
            {"params": LARGE, "models": ["sdxl"]},
            {"max_pixels": 512 * 512},
            ("models", "size"),
            id="two at once where no single one helps",
        ),
    ],
)
async def test_get_async_explain_proposes_what_works(
    api, ask, pop, register, explain, body, worker, subjects
):
    """Placed anew as proposed, the worker gets it at once."""
    ferris = await register("ferris")  # whose worker is not trusted
    placed = await ask(**body)
    await pop(ferris, **worker)
    explained = await explain(placed)
    assert proposed(explained) == [subjects]
    (change,) = explained["changes"]
    assert (change["workers"], change["workers_more"], change["starts_in"]) == (1, 1, 0)
    assert change["jobs_before"] == 0
    again = await ask(**with_set(body, change))
    assert (await pop(ferris, **worker))["id"] is not None
    assert (await explain(again))["state"] == "processing"


async def test_get_async_explain_names_models_that_are_offered(ask, pop, explain):
    placed = await ask(models=["nobody's"])
    await pop(name="a", models=["sdxl", "flux"])
    await pop(name="b", models=["sdxl"])
    (change,) = (await explain(placed))["changes"]
    assert change["models"] == [{"name": "sdxl", "workers": 2}, {"name": "flux", "workers": 1}]
    assert change["text"] == (
        "Take any model, or name one of these as well: sdxl (2 workers), flux (1 worker)."
    )


async def test_get_async_explain_of_lists_of_workers(api, ask, pop, register, explain):
    await pop()
    attic = (await api.get("/api/v2/workers/name/attic")).json()["id"]
    ferris = await register("ferris")
    trusted_only = await ask(trusted_workers=True, workers=[attic], worker_blacklist=True)
    await pop(ferris, name="loft")
    explained = await explain(trusted_only)
    assert reasons(explained) == {"worker_id": 1, "untrusted": 1}
    assert sorted(proposed(explained)) == [("trusted_workers",), ("workers",)]


async def test_get_async_explain_leaves_out_what_would_not_start_it_sooner(
    ask, pop, explain, clock
):
    """It is next; placed anew it would be behind all that came since."""
    await ask(nsfw=True)
    clock.forward(s=1)
    placed = await ask(nsfw=True)
    clock.forward(s=60)
    await ask(nsfw=False, params={"n": 20})
    await pop()
    await pop(name="prude", nsfw=False)
    explained = await explain(placed)
    assert (explained["jobs_before"], explained["workers_free"]) == (0, 0)
    assert explained["text"] == "1 worker could serve it; it is next, and all of them are at work."
    assert explained["starts_in"] > 0
    assert (reasons(explained), explained["changes"]) == ({"nsfw": 1}, [])


async def test_get_async_explain_places_anew_behind_what_came_since(ask, pop, explain, clock):
    placed = await ask(nsfw=True)
    clock.forward(s=60)
    await ask(nsfw=False, params={"n": 3})
    await pop(name="prude", nsfw=False)
    (change,) = (await explain(placed))["changes"]
    assert change["subjects"] == ["nsfw"]
    assert change["jobs_before"] == 2  # it would not wait for itself


async def test_get_async_explain_knows_what_is_looked_at_in_heads(ask, pop, register, explain):
    """What no requirement can say: words, kudos, and who failed it before."""
    ferris = await register("ferris")
    placed = await ask(ferris, prompt="an otter")
    await pop(name="squeamish", blacklist=["otter"])
    await pop(name="mercenary", require_upfront_kudos=True)
    explained = await explain(placed)
    assert reasons(explained) == {"blacklist": 1, "kudos": 1}
    assert (explained["workers_able"], explained["changes"]) == (0, [])


async def test_get_async_explain_of_one_that_failed(api, ask, pop, register, submit, explain):
    placed = await ask()
    job = await pop()
    await submit(job["id"], state="faulted")
    await pop(name="cellar", models=["sdxl"])
    assert reasons(await explain(placed)) == {"models": 1}
    ferris = await register("ferris")
    await ask(ferris)  # goes first
    assert (await pop(ferris, name="loft"))["id"]
    assert reasons(await explain(placed)) == {"models": 1, "failed_before": 1}


async def test_get_async_explain_of_the_worker_in_maintenance_of_its_owner(api, ask, pop, explain):
    await pop()
    attic = (await api.get("/api/v2/workers/name/attic")).json()["id"]
    await api.put(f"/api/v2/workers/{attic}", json={"maintenance": True}, headers=ADMIN)
    assert (await explain(await ask(ADMIN)))["workers_able"] == 1
    assert reasons(await explain(await ask())) == {"resting": 1}


async def test_get_async_explain_of_what_waits_no_more(api, ask, pop, submit, explain):
    placed = await ask()
    job = await pop()
    explained = await explain(placed)
    assert (explained["state"], explained["processing"], explained["changes"]) == (
        "processing", 1, [],
    )  # fmt: skip
    await submit(job["id"])
    assert (await explain(placed))["state"] == "done"
    placed = await ask(models=["sdxl"])
    await api.delete(f"/api/v2/generate/status/{placed['id']}")
    explained = await explain(placed)
    assert (explained["state"], explained["text"]) == ("cancelled", "It was cancelled.")
    assert explained["starts_in"] is None


@pytest.mark.parametrize("request_id", ["x", NOBODY])
async def test_get_async_explain_of_nothing(api, request_id):
    reply = await api.get(f"/api/v2/generate/explain/{request_id}")
    assert (reply.status_code, reply.json()["rc"]) == (404, "RequestNotFound")


async def test_get_async_explain_can_be_masked(api, ask):
    placed = await ask()
    reply = await api.get(
        f"/api/v2/generate/explain/{placed['id']}", headers={"X-Fields": "state,why_not{reason}"}
    )
    assert reply.json() == {"state": "waiting", "why_not": []}


async def test_explanations_tell_nothing_private(api, ask, pop, register, explain, explain_worker):
    """Neither whose workers there are nor what was asked for."""
    ferris = await register("ferris")
    placed = await ask(ferris, prompt="an otter with a secret", models=["sdxl"], nsfw=True)
    await pop(name="hideaway", models=["flux"], blacklist=["secret"], priority_usernames=["ada#1"])
    await pop(ferris, name="loft", models=["flux"], nsfw=False, blacklist=["otter"])
    await pop(ferris, name="shed", models=["flux"], nsfw=False)
    hideaway, loft = [
        (await api.get(f"/api/v2/workers/name/{name}")).json()["id"]
        for name in ("hideaway", "loft")
    ]
    about_it, about_loft = await explain(placed), await explain_worker("loft")
    assert about_it["changes"]
    assert about_loft["skipped"]
    for secret in ("otter", "secret", "ferris", "hideaway", "shed", hideaway, placed["id"]):
        assert secret not in json.dumps(about_it)
        assert secret not in json.dumps(about_loft)
    assert loft not in json.dumps(about_it)


# A worker


async def test_get_worker_explain_when_nothing_waits(pop, explain_worker):
    await pop(threads=2)
    explained = await explain_worker()
    assert explained["text"] == "Nothing waits on this horde."
    assert (explained["online"], explained["threads"], explained["place"]) == (True, 2, 1)
    assert (explained["skipped"], explained["demand"], explained["competitors"]) == ([], [], 0)


async def test_get_worker_explain_says_what_its_owner_could_change(ask, pop, explain_worker):
    await ask(params=LARGE | {"n": 2})
    await ask(params=LARGE)
    await ask(models=["sdxl"])
    await pop(max_pixels=512 * 512)
    explained = await explain_worker()
    assert [(each["reason"], each["requests"]) for each in explained["skipped"]] == [
        ("max_pixels", 2),
        ("models", 1),
    ]
    assert "a larger `max_pixels` lets them in" in explained["skipped"][0]["text"]
    assert explained["text"].startswith("3 requests wait, and it can serve none. 2 requests are")
    assert (explained["waiting_requests"], explained["could_serve"], explained["jobs"]) == (3, 0, 0)


async def test_get_worker_explain_counts_what_it_could_serve(ask, pop, explain_worker):
    await pop()
    await ask(params={"n": 3, "steps": 10})
    await ask(models=["sdxl"])
    explained = await explain_worker()
    assert (explained["could_serve"], explained["jobs"], explained["megapixelsteps"]) == (
        1, 3, 7.86,
    )  # fmt: skip
    assert explained["text"] == (
        "1 request waits that it could serve; it gets one when it asks for work."
    )


async def test_get_worker_explain_places_it_among_competitors(pop, horde, explain_worker):
    for name, speed in (("attic", 2.0), ("fast", 3.0), ("slow", 1.0)):
        await pop(name=name)
        horde.presence.by_name[name].note_speed(speed)
    await pop(name="other", models=["sdxl"])
    explained = await explain_worker()
    assert (explained["competitors"], explained["place"]) == (2, 2)


async def test_get_worker_explain_tells_what_is_in_demand(
    ask, pop, explain_worker, clock, monkeypatch
):
    await ask(models=["sdxl"], params={"width": 512, "height": 512, "steps": 50, "n": 4})
    await ask(models=["nobody has it"], params={"width": 512, "height": 512, "steps": 25})
    await pop()
    await pop(name="rival", models=["sdxl"], max_pixels=64 * 64)
    explained = await explain_worker()
    assert explained["demand"] == [
        {
            "name": "sdxl",
            "jobs": 4,
            "megapixelsteps": 52.43,
            "workers": 1,
            "offered": False,
            "kudos_per_hour": 20.0,  # half of 40: the other half is its rival's
        },
        {
            "name": "nobody has it",
            "jobs": 1,
            "megapixelsteps": 6.55,
            "workers": 0,
            "offered": False,
            "kudos_per_hour": 5.0,
        },
    ]
    await ask(models=["sdxl"])
    assert (await explain_worker())["demand"][0]["jobs"] == 5
    monkeypatch.setattr("ordu.engine.demand.EXACT_MAX", 0)
    await ask(models=["sdxl"], nsfw=False)
    assert (await explain_worker())["demand"][0]["jobs"] == 5, "many lanes: up to a second old"
    clock.forward(s=1)
    assert (await explain_worker())["demand"][0]["jobs"] == 6


async def test_get_worker_explain_earns_with_what_it_would_be_given(ask, pop, explain_worker):
    small, large = {"width": 512, "height": 512, "steps": 50}, {"width": 2048, "steps": 50}
    await ask(models=["sdxl"], params=small)
    await ask(models=["sdxl"], params=large)
    await ask(models=["sdxl"], params=small, trusted_workers=True)
    await ask(params=large)
    await pop(max_pixels=512 * 512)
    demand = (await explain_worker())["demand"]
    assert {each["name"]: each["kudos_per_hour"] for each in demand} == {
        "sdxl": 20.0,
        "stable_diffusion": 0.0,
    }


async def test_get_worker_explain_earns_no_more_than_it_can_draw(ask, pop, horde, explain_worker):
    await ask(models=["sdxl"], params={"width": 512, "height": 512, "steps": 50, "n": 20})
    await pop()
    horde.presence.by_name["attic"].note_speed(1000.0)
    (demanded,) = (await explain_worker())["demand"]
    assert demanded["kudos_per_hour"] == 2.75  # 3,600,000 pixelsteps


async def test_get_worker_explain_of_one_that_is_away(pop, explain_worker, clock):
    await pop()
    clock.forward(s=301)
    explained = await explain_worker()
    assert explained["online"] is False
    assert explained["text"].startswith("It is away")


async def test_get_worker_explain_in_maintenance(api, pop, explain_worker):
    await pop()
    attic = (await api.get("/api/v2/workers/name/attic")).json()["id"]
    await api.put(f"/api/v2/workers/{attic}", json={"maintenance": True}, headers=ADMIN)
    explained = await explain_worker()
    assert explained["maintenance_mode"] is True
    assert explained["text"].startswith("It is in maintenance")


@pytest.fixture
async def seen_by(api, pop, register, ask, explain_worker):
    """The explanation of a worker at work of ferris that a moderator has paused, to each caller."""
    ferris, stranger, moderator = [
        await register(name) for name in ("ferris", "stranger", "moderator")
    ]
    await api.put("/api/v2/users/4", json={"moderator": True}, headers=ADMIN)
    await ask()
    assert (await pop(ferris, name="loft"))["id"]
    await ask()
    loft = (await api.get("/api/v2/workers/name/loft")).json()["id"]
    await api.put(f"/api/v2/workers/{loft}", json={"paused": True}, headers=ADMIN)
    keys = {
        "without a key": ({}, Standing.ANYBODY),
        "a stranger": (stranger, Standing.ANYBODY),
        "ferris": (ferris, Standing.OWNER),
        "a moderator": (moderator, Standing.MODERATOR),
        "the administrator": (ADMIN, Standing.ADMINISTRATOR),
    }
    return {
        name: (await explain_worker("loft", key), stands) for name, (key, stands) in keys.items()
    }


async def test_get_worker_explain_shows_what_the_table_says(seen_by):
    for caller, (shown, stands) in seen_by.items():
        for field, least in WORKER_EXPLAINED.items():
            assert (shown[field] is not None) is (stands >= least), (caller, field)


async def test_get_worker_explain_tells_its_owner_of_a_pause_as_pops_do(seen_by):
    for shown, stands in seen_by.values():
        is_told = stands >= Standing.OWNER
        assert shown["text"].startswith("A moderator has paused it") is is_told
        assert ([each["reason"] for each in shown["skipped"]] == ["paused"]) is is_told


async def test_get_worker_explain_tells_only_its_owner_that_it_is_busy(
    api, pop, register, ask, explain_worker
):
    ferris = await register("ferris")
    await ask(params={"n": 2})
    await pop(ferris, name="loft")
    told, untold = await explain_worker("loft", ferris), await explain_worker("loft")
    assert "it is at as many pictures as it makes at once" in told["text"]
    assert "at once" not in untold["text"]
    assert (told["processing"], untold["processing"]) == (1, None)


async def test_a_worker_may_be_called_explain(api, pop, explain_worker):
    for name in ("explain", "x/explain"):
        await pop(name=name)
        assert (await api.get(f"/api/v2/workers/name/{name}")).json()["name"] == name
        assert (await explain_worker(name))["name"] == name


@pytest.mark.parametrize("worker_id", ["x", NOBODY])
async def test_get_worker_explain_of_nobody(api, worker_id):
    reply = await api.get(f"/api/v2/workers/{worker_id}/explain")
    assert (reply.status_code, reply.json()["rc"]) == (404, "WorkerNotFound")


async def test_get_worker_explain_with_a_wrong_key(api, pop, explain_worker):
    await pop()
    attic = (await api.get("/api/v2/workers/name/attic")).json()["id"]
    reply = await api.get(f"/api/v2/workers/{attic}/explain", headers={"apikey": "x" * 22})
    assert (reply.status_code, reply.json()["rc"]) == (401, "InvalidAPIKey")
