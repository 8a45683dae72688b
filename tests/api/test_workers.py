"""Workers and status over HTTP; who sees and changes which field is in tests/rights."""

import pytest
from tests.api.conftest import ADMIN, ANONYMOUS

from ordu.engine import sweeper

pytestmark = pytest.mark.anyio

WORKERS = "/api/v2/workers"


async def the_worker(api):
    return (await api.get(WORKERS, headers=ADMIN)).json()[0]


async def test_get_workers_lists_those_that_are_here(api, pop, clock):
    assert (await api.get(WORKERS)).json() == []
    await pop(threads=2, allow_img2img=False)
    worker = await the_worker(api)
    assert (worker["name"], worker["threads"], worker["img2img"], worker["online"]) == (
        "attic", 2, False, True,
    )  # fmt: skip
    clock.forward(s=301)
    assert (await api.get(WORKERS)).json() == []
    away = (await api.get(f"{WORKERS}/{worker['id']}")).json()
    assert away["online"] is False


async def test_a_worker_counts_whole_megapixelsteps(api, ask, pop, submit, horde):
    """horde-sdk reads an integer: a fraction makes it refuse the whole list."""
    await ask(params={"n": 1, "width": 512, "height": 512, "steps": 6})
    job = await pop()
    assert (await submit(job["id"])).status_code == 200
    await sweeper.fold_statistics(horde)
    assert (await the_worker(api))["megapixelsteps_generated"] == 1  # of 1.57


@pytest.mark.parametrize(
    "path", ["/workers?type=&name=", "/status/models?type=&min_count=", "/users?page=&sort="]
)
async def test_an_empty_parameter_is_as_none(api, pop, path):
    await pop(name="attic")
    plain = (await api.get(f"/api/v2{path.partition('?')[0]}")).json()
    assert len(plain) > 0
    assert (await api.get(f"/api/v2{path}")).json() == plain


async def test_get_worker_single_after_a_start(api, pop, horde, clock):
    await pop(max_pixels=12345)
    worker = await the_worker(api)
    await sweeper.write_presence(horde)
    clock.forward(s=400)
    horde.presence.forget_stale(horde.now())
    assert not horde.presence.by_id
    assert (await api.get(f"{WORKERS}/{worker['id']}")).json()["max_pixels"] == 12345


async def test_uptime_grows_while_a_worker_pops(api, pop, clock):
    for _ in range(4):
        await pop()
        clock.forward(s=100)
    assert (await the_worker(api))["uptime"] == 300


@pytest.mark.parametrize("worker_id", ["x", "00000000-0000-0000-0000-000000000000"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_an_unknown_worker_is_not_found(api, worker_id, method):
    body = {"paused": True} if method == "PUT" else None
    reply = await api.request(method, f"{WORKERS}/{worker_id}", json=body, headers=ADMIN)
    assert (reply.status_code, reply.json()["rc"]) == (404, "WorkerNotFound")


async def test_put_worker_single(api, pop):
    await pop()
    worker = await the_worker(api)
    body = {"maintenance": True, "paused": True, "info": "In the attic.", "name": "cellar"}
    reply = await api.put(f"{WORKERS}/{worker['id']}", json=body, headers=ADMIN)
    assert reply.json() == {
        "maintenance": True, "paused": True, "info": "In the attic.", "name": "cellar",
    }  # fmt: skip
    changed = await the_worker(api)
    assert (changed["maintenance_mode"], changed["paused"], changed["name"]) == (
        True,
        True,
        "cellar",
    )


@pytest.mark.parametrize(
    ("headers", "body", "status", "rc"),
    [
        (ADMIN, {}, 400, "NoWorkerModSelected"),
        (ADMIN, {"team": "x"}, 501, "NotImplemented"),
        (ANONYMOUS, {"maintenance": True}, 403, "AnonForbiddenWorker"),
        ({}, {"maintenance": True}, 401, "InvalidAPIKey"),
    ],
)
async def test_put_worker_single_refuses(api, pop, headers, body, status, rc):
    await pop()
    worker = await the_worker(api)
    reply = await api.put(f"{WORKERS}/{worker['id']}", json=body, headers=headers)
    assert (reply.status_code, reply.json()["rc"]) == (status, rc)


async def test_put_worker_single_to_a_name_that_is_taken(api, pop):
    await pop()
    await pop(name="cellar")
    worker = (await api.get(WORKERS, params={"name": "attic"})).json()[0]
    reply = await api.put(f"{WORKERS}/{worker['id']}", json={"name": "cellar"}, headers=ADMIN)
    assert (reply.status_code, reply.json()["rc"]) == (400, "WorkerNameAlreadyExists")


async def test_delete_worker_single(api, pop, register):
    await pop()
    worker = await the_worker(api)
    stranger = await register("stranger")
    reply = await api.delete(f"{WORKERS}/{worker['id']}", headers=stranger)
    assert (reply.status_code, reply.json()["rc"]) == (403, "NotModerator")
    reply = await api.delete(f"{WORKERS}/{worker['id']}", headers=ADMIN)
    assert reply.json() == {"deleted_id": worker["id"], "deleted_name": "attic"}
    assert (await api.get(f"{WORKERS}/{worker['id']}")).status_code == 404


async def test_get_horde_load(api, ask, pop, submit):
    await ask(params={"n": 3})
    job = await pop(threads=2)
    load = (await api.get("/api/v2/status/performance")).json()
    assert (load["queued_requests"], load["worker_count"], load["thread_count"]) == (3, 1, 2)
    assert load["queued_megapixelsteps"] == 23.59
    await submit(job["id"])
    load = (await api.get("/api/v2/status/performance")).json()
    assert (load["queued_requests"], load["past_minute_megapixelsteps"]) == (2, 7.86)


async def test_get_models(api, ask, pop):
    await pop(threads=2)
    await ask(params={"n": 2})
    await ask(models=["sdxl"])
    models = {model["name"]: model for model in (await api.get("/api/v2/status/models")).json()}
    assert (models["stable_diffusion"]["count"], models["stable_diffusion"]["jobs"]) == (2, 2)
    assert models["stable_diffusion"]["eta"] == 7
    assert (models["sdxl"]["count"], models["sdxl"]["eta"]) == (0, 10000)
    few = (await api.get("/api/v2/status/models", params={"max_count": 0})).json()
    assert [model["name"] for model in few] == ["sdxl"]


@pytest.mark.parametrize("value", ["null", "-1", "1.5", "²", "9" * 30])
async def test_get_models_with_a_bound_that_is_no_number(api, value):
    reply = await api.get("/api/v2/status/models", params={"min_count": value})
    assert (reply.status_code, reply.json()["rc"]) == (400, "BadParameter")


async def test_get_horde_modes_and_put_horde_modes_in_the_names_of_both_eras(api):
    url = "/api/v2/status/modes"
    assert (await api.get(url)).json() == {"maintenance_mode": False, "invite_only_mode": False}
    reply = await api.put(url, json={"raid": True, "invite_only_mode": True}, headers=ADMIN)
    assert reply.json() == {"invite_only_mode": True, "raid_mode": True}
    assert "raid_mode" not in (await api.get(url)).json()
    assert (await api.get(url, headers=ADMIN)).json()["raid_mode"] is True


@pytest.mark.parametrize(
    ("headers", "body", "status", "rc"),
    [
        (ANONYMOUS, {"maintenance": True}, 403, "NotAdmin"),
        (ANONYMOUS, {"raid": True}, 403, "NotModerator"),
        (ADMIN, {}, 400, "NoHordeModSelected"),
        (ADMIN, {"raid": "false"}, 400, "ValidationFailed"),
    ],
)
async def test_put_horde_modes_refuses(api, headers, body, status, rc):
    reply = await api.put("/api/v2/status/modes", json=body, headers=headers)
    assert (reply.status_code, reply.json()["rc"]) == (status, rc)


async def test_get_horde_news_and_get_heartbeat(api, horde):
    assert (await api.get("/api/v2/status/news")).json() == []
    assert (await api.get("/api/v2/status/heartbeat")).json()["message"] == "OK"


async def test_pictures_by_a_link_that_was_changed(api, ask, pop):
    await ask()
    job = await pop()
    upload = job["r2_upload"]
    assert (await api.get(upload)).status_code == 403
    assert (await api.put(upload[:-2] + "xx", content=b"x")).status_code == 403
    assert (
        await api.put(upload.replace(job["id"], job["id"][::-1]), content=b"x")
    ).status_code == 403
    assert (await api.put(upload, content=b"no picture")).status_code == 400


async def test_get_worker_single_name(api, pop):
    await pop(name="attic gpu/2")
    by_name = await api.get(f"{WORKERS}/name/attic%20gpu%2F2", headers=ADMIN)
    assert by_name.json() == await the_worker(api)
    for unknown in ("Attic%20gpu%2F2", "nobody", "%00"):  # upper and lower case count
        reply = await api.get(f"{WORKERS}/name/{unknown}")
        assert (reply.status_code, reply.json()["rc"]) == (404, "WorkerNotFound")


async def test_get_model_single(api, ask, pop):
    one = "/api/v2/status/models/org%2Fmodel-2"
    assert (await api.get(one)).json() == []
    await ask(models=["org/model-2"], params={"n": 2})
    (waiting,) = (await api.get(one)).json()
    assert (waiting["name"], waiting["count"], waiting["jobs"]) == ("org/model-2", 0, 2)
    await pop(models=["org/model-2"], threads=3)
    (offered,) = (await api.get(one)).json()
    assert (offered["count"], offered["jobs"]) == (3, 1)
    assert [offered] == (await api.get("/api/v2/status/models")).json()


async def test_four_workers_until_their_owner_is_trusted(api, pop, register):
    ferris = await register("ferris")
    for number in range(4):
        await pop(ferris, name=f"w{number}")
    body = {"name": "w4", "bridge_agent": "Ordu:1:x"}
    reply = await api.post("/api/v2/generate/pop", json=body, headers=ferris)
    assert (reply.status_code, reply.json()["rc"]) == (403, "TooManyWorkers")
    await pop(ferris, name="w3")
    await api.put("/api/v2/users/2", json={"trusted": True}, headers=ADMIN)
    for number in range(4, 21):
        await pop(ferris, name=f"w{number}")
    reply = await api.post("/api/v2/generate/pop", json=body | {"name": "w21"}, headers=ferris)
    assert (reply.status_code, reply.json()["rc"]) == (403, "TooManyWorkersTrusted")
    await api.put("/api/v2/users/2", json={"worker_invited": 30}, headers=ADMIN)
    await pop(ferris, name="w21")


@pytest.mark.parametrize(
    ("address", "rate_limits", "refused"),
    [("93.184.216.34", True, True), ("10.0.0.7", True, False), ("93.184.216.34", False, False)],
)
async def test_workers_at_one_address(opened, register, address, rate_limits, refused):
    import httpx
    import msgspec

    from ordu.server.app import make_app

    horde = opened.horde
    owners = [await register(f"owner{number}") for number in range(5)]
    horde.settings = msgspec.structs.replace(horde.settings, rate_limits=rate_limits)
    transport = httpx.ASGITransport(make_app(horde, opened.secret), client=(address, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://horde.test") as client:
        replies = [
            await client.post("/api/v2/generate/pop", json={"name": f"w{number}"}, headers=owner)
            for number, owner in enumerate(owners)
        ]
    assert [reply.status_code for reply in replies] == [200] * 4 + [403 if refused else 200]
    if refused:
        assert replies[-1].json()["rc"] == "TooManySameIPs"


@pytest.mark.parametrize("name", ["a%0Ab", "a%0A", "%0A", "a/b%0D%0Ac"])
async def test_a_line_end_in_the_name_of_a_path_is_part_of_the_name(api, name):
    assert (await api.get(f"/api/v2/status/models/{name}")).json() == []
    reply = await api.get(f"/api/v2/workers/name/{name}")
    assert (reply.status_code, reply.json()["rc"]) == (404, "WorkerNotFound")
