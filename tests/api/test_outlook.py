"""What a dry run foresees: it agrees with what becomes of the same request when it is placed."""

import pytest
from tests.api.conftest import ADMIN, ANONYMOUS

pytestmark = pytest.mark.anyio

ASYNC = "/api/v2/generate/async"
LARGE = {"width": 1024, "height": 1024, "steps": 20}
HEAVY = {"width": 2048, "height": 1024, "steps": 20}


@pytest.fixture
def foresee(api):
    """What is said of a request before it is placed."""

    async def foreseen(headers=ANONYMOUS, **body):
        sent = {"prompt": "a fox", "dry_run": True} | body
        reply = await api.post(ASYNC, json=sent, headers=headers)
        assert reply.status_code == 200, reply.text
        return reply.json()["outlook"]

    return foreseen


async def test_a_dry_run_says_that_nobody_is_there(foresee, horde):
    outlook = await foresee()
    assert outlook["text"].startswith("No worker is online.")
    assert (outlook["workers_online"], outlook["workers_able"]) == (0, 0)
    assert (outlook["wait_time"], outlook["starts_in"]) == (None, None)
    assert not horde.lanes.requests


@pytest.fixture
def rich(api, register):
    """Make an account with some kudos."""

    async def make(username, kudos=100):
        headers = await register(username)
        user = (await api.get("/api/v2/find_user", headers=headers)).json()
        path = f"/api/v2/users/{user['id']}"
        assert (await api.put(path, json={"kudos": kudos}, headers=ADMIN)).status_code == 200
        return headers

    return make


@pytest.mark.parametrize("is_rich", [False, True], ids=["a guest", "somebody with kudos"])
async def test_a_dry_run_agrees_with_what_is_placed(
    api, ask, pop, register, rich, foresee, clock, is_rich
):
    ferris = await register("ferris")
    who = await rich("rosa") if is_rich else ANONYMOUS
    await ask(ferris, params={"n": 3})
    await ask(ANONYMOUS, params={"n": 2})
    await pop()
    clock.forward(s=1)
    outlook = await foresee(who, params={"n": 2})
    placed = await ask(who, params={"n": 2})
    explained = (await api.get(f"/api/v2/generate/explain/{placed['id']}")).json()
    same = ("queue_position", "wait_time", "starts_in", "workers_online", "workers_able")
    same += ("workers_free", "jobs_before", "text", "why_not", "changes")
    assert {name: outlook[name] for name in same} == {name: explained[name] for name in same}
    assert outlook["queue_position"] == (1 if is_rich else 5)


async def test_a_dry_run_says_what_keeps_workers_from_it_and_what_would_help(pop, foresee):
    await pop(name="cellar", max_pixels=512 * 512)
    outlook = await foresee(params=LARGE)
    assert [(each["reason"], each["workers"]) for each in outlook["why_not"]] == [("max_pixels", 1)]
    (change,) = outlook["changes"]
    assert change["set"] == {"params.width": 512, "params.height": 512}
    assert (await foresee(params=LARGE | {"width": 512, "height": 512}))["workers_able"] == 1


async def test_a_dry_run_needs_no_picture_to_know_what_one_means(pop, foresee):
    await pop(allow_img2img=False)
    outlook = await foresee(source_image="none yet")
    assert [each["subjects"] for each in outlook["changes"]] == [["source_image"]]


async def test_a_dry_run_says_what_is_paid_up_front_and_whether_it_suffices(
    api, register, rich, foresee
):
    ferris = await register("ferris")
    light = await foresee(ferris)
    assert (light["upfront"], light["kudos_available"], light["affordable"]) == (False, None, True)
    poor = await foresee(ferris, params=HEAVY)
    assert (poor["upfront"], poor["kudos_available"], poor["affordable"]) == (True, 0, False)
    rosa = await rich("rosa", kudos=100)
    before = await foresee(rosa, params=HEAVY)
    assert (before["kudos_available"], before["affordable"]) == (100, True)
    await api.post(ASYNC, json={"prompt": "a fox", "params": HEAVY}, headers=rosa)
    after = await foresee(rosa, params=HEAVY | {"n": 3})
    assert (after["kudos_available"], after["affordable"]) == (68, False)


async def test_a_dry_run_knows_words_that_a_worker_refuses(pop, foresee):
    await pop(blacklist=["otter"])
    outlook = await foresee(prompt="an otter")
    assert [each["reason"] for each in outlook["why_not"]] == ["blacklist"]
    assert (await foresee(prompt="a fox"))["workers_able"] == 1
