"""Kudos over HTTP: given, awarded, held, earned by being there."""

import msgspec
import pytest
from tests.api.conftest import ADMIN, ANONYMOUS

pytestmark = pytest.mark.anyio

TRANSFER, AWARD, USERS = "/api/v2/kudos/transfer", "/api/v2/kudos/award", "/api/v2/users"


@pytest.fixture
def rich(api, register):
    """Make an account with kudos and return its headers."""

    async def make(username, kudos=1000):
        headers = await register(username)
        user = (await api.get("/api/v2/find_user", headers=headers)).json()
        await api.put(f"{USERS}/{user['id']}", json={"kudos": kudos}, headers=ADMIN)
        return headers

    return make


@pytest.fixture
def kudos_of(api):
    async def look(headers):
        return (await api.get("/api/v2/find_user", headers=headers)).json()["kudos"]

    return look


async def test_post_award_kudos(api, register, kudos_of):
    ferris = await register("ferris")
    reply = await api.post(AWARD, json={"username": "ferris#2", "amount": 70}, headers=ADMIN)
    assert (reply.status_code, reply.json()) == (200, {"awarded": 70.0})
    reply = await api.post(AWARD, json={"username": "2", "amount": -30}, headers=ADMIN)
    assert reply.json() == {"awarded": -30.0}
    assert await kudos_of(ferris) == 40.0


@pytest.mark.parametrize(
    ("body", "status", "rc"),
    [
        ({"username": "nobody#99"}, 400, "InvalidAwardUsername"),
        ({"username": "Anonymous#0"}, 400, "KudosAwardToAnon"),
        ({"username": "ferris#2", "amount": 0}, 400, "InvalidKudosTransferAmount"),
        ({"username": "ferris#2", "amount": -1}, 400, "KudosTransferNotEnough"),
        ({"username": "ferris#2", "amount": 1.5}, 400, "ValidationFailed"),
        ({"amount": 5}, 400, "ValidationFailed"),
    ],
)
async def test_post_award_kudos_refuses(api, register, body, status, rc):
    await register("ferris")
    reply = await api.post(AWARD, json=body, headers=ADMIN)
    assert (reply.status_code, reply.json()["rc"]) == (status, rc)


async def test_post_award_kudos_is_for_user_1_only(api, rich):
    ferris = await rich("ferris")
    await api.put(f"{USERS}/2", json={"moderator": True}, headers=ADMIN)
    for headers in (ferris, ANONYMOUS):
        reply = await api.post(AWARD, json={"username": "1"}, headers=headers)
        assert (reply.status_code, reply.json()["rc"]) == (403, "NotAllowedAwards")


async def test_post_transfer_kudos_once_for_one_idempotency_key(api, rich, kudos_of):
    ferris = await rich("ferris")
    body = {"username": "1", "amount": 40}
    once = ferris | {"Idempotency-Key": "monday"}
    answers = [(await api.post(TRANSFER, json=body, headers=once)).json() for _ in range(3)]
    assert answers == [{"transferred": 40}] * 3
    assert await kudos_of(ferris) == 960.0
    other = await api.post(TRANSFER, json=body | {"amount": 41}, headers=once)
    assert (other.status_code, other.json()["rc"]) == (400, "IdempotencyKeyConflict")
    again = ferris | {"Idempotency-Key": "tuesday"}
    assert (await api.post(TRANSFER, json=body, headers=again)).json() == {"transferred": 40}
    assert await kudos_of(ferris) == 920.0


async def test_post_transfer_kudos_an_idempotency_key_belongs_to_its_user(api, rich, kudos_of):
    ferris, corro = await rich("ferris"), await rich("corro")
    for headers in (ferris, corro):
        body = {"username": "1", "amount": 10}
        await api.post(TRANSFER, json=body, headers=headers | {"Idempotency-Key": "k"})
    assert (await kudos_of(ferris), await kudos_of(corro)) == (990.0, 990.0)


async def test_post_transfer_kudos_a_refused_call_keeps_no_answer(api, rich, kudos_of):
    ferris = await rich("ferris", kudos=10)
    once = ferris | {"Idempotency-Key": "k"}
    body = {"username": "1", "amount": 20}
    assert (await api.post(TRANSFER, json=body, headers=once)).status_code == 400
    await api.put(f"{USERS}/2", json={"kudos": 10}, headers=ADMIN)
    assert (await api.post(TRANSFER, json=body, headers=once)).json() == {"transferred": 20}
    assert await kudos_of(ferris) == 0.0


@pytest.mark.parametrize("key", ["", "x" * 256])
async def test_post_transfer_kudos_refuses_what_is_no_idempotency_key(api, rich, key):
    ferris = await rich("ferris")
    headers = ferris | {"Idempotency-Key": key}
    reply = await api.post(TRANSFER, json={"username": "1"}, headers=headers)
    assert (reply.status_code, reply.json()["rc"]) == (400, "BadRequest")


async def test_post_transfer_kudos_does_not_go_back_within_a_minute(api, rich, horde, clock):
    horde.settings = msgspec.structs.replace(horde.settings, rate_limits=True)
    ferris, corro = await rich("ferris"), await rich("corro")
    await api.post(TRANSFER, json={"username": "3", "amount": 10}, headers=ferris)
    back = {"username": "2", "amount": 10}
    clock.forward(s=20)
    reply = await api.post(TRANSFER, json=back, headers=corro)
    assert (reply.status_code, reply.json()["rc"]) == (400, "TooFastKudosTransfers")
    assert reply.headers["Retry-After"] == "40"
    assert "40 s" in reply.json()["message"]
    clock.forward(s=40)
    assert (await api.post(TRANSFER, json=back, headers=corro)).json() == {"transferred": 10}


@pytest.mark.parametrize(
    ("who", "change", "rc"),
    [
        (2, {"flagged": True}, "SourceAccountFlagged"),
        (3, {"flagged": True}, "TargetAccountFlagged"),
        (2, {"education": True}, "EducationCannotSendKudos"),
    ],
)
async def test_post_transfer_kudos_refuses_accounts(api, rich, kudos_of, who, change, rc):
    ferris, _ = await rich("ferris"), await rich("corro")
    await api.put(f"{USERS}/{who}", json=change, headers=ADMIN)
    reply = await api.post(TRANSFER, json={"username": "3"}, headers=ferris)
    assert (reply.status_code, reply.json()["rc"]) == (400, rc)
    assert await kudos_of(ferris) == 1000.0


@pytest.mark.parametrize(
    ("who", "rc"), [(2, "FaultWhenKudosSending"), (3, "FaultWhenKudosReceiving")]
)
async def test_post_transfer_kudos_refuses_the_suspicious(api, rich, horde, who, rc):
    from ordu.store import users

    ferris, _ = await rich("ferris"), await rich("corro")
    await horde.write(lambda tx: users.change(tx, who, {"suspicion": 5}))
    reply = await api.post(TRANSFER, json={"username": "3"}, headers=ferris)
    assert (reply.status_code, reply.json()["rc"]) == (400, rc)
    cleared = await api.put(f"{USERS}/{who}", json={"reset_suspicion": True}, headers=ADMIN)
    assert cleared.json() == {"new_suspicion": 0}
    assert (await api.post(TRANSFER, json={"username": "3"}, headers=ferris)).is_success


async def test_post_transfer_kudos_to_an_account_for_teaching_is_a_donation(api, rich):
    ferris, school = await rich("ferris"), await rich("school")
    await api.put(f"{USERS}/3", json={"education": True}, headers=ADMIN)
    await api.post(TRANSFER, json={"username": "3", "amount": 10}, headers=ferris)
    from_stats = {}
    for name, headers in (("giver", ferris), ("taker", school)):
        from_stats[name] = (await api.get("/api/v2/find_user", headers=headers)).json()
    assert from_stats["giver"]["kudos"] == 990.0
    assert from_stats["taker"]["kudos"] == 1010.0


async def test_post_async_generate_holds_the_price_of_what_is_heavy(api, rich, ask, pop, submit):
    ferris = await rich("ferris", kudos=200)
    heavy = {"params": {"width": 1088, "height": 1024, "steps": 100, "n": 2}}  # 85 kudos each
    await ask(ferris, **heavy)
    reply = await api.post(
        "/api/v2/generate/async", json={"prompt": "a fox"} | heavy, headers=ferris
    )
    assert (reply.status_code, reply.json()["rc"]) == (403, "KudosUpfront")
    reply = await api.post(TRANSFER, json={"username": "1", "amount": 31}, headers=ferris)
    assert (reply.status_code, reply.json()["rc"]) == (400, "KudosTransferNotEnough")
    assert "held" in reply.json()["message"]
    assert (
        await api.post(TRANSFER, json={"username": "1", "amount": 30}, headers=ferris)
    ).is_success
    # What is not heavy is placed all the same, and pays from what is not held.
    small = await ask(ferris, params={"steps": 50})
    job = await pop(max_pixels=512 * 512)
    assert (await submit(job["id"])).json()["reward"] == 10
    status = (await api.get(f"/api/v2/generate/status/{small['id']}")).json()
    assert status["kudos"] == 0


async def test_post_async_generate_of_who_cannot_pay_is_made_lighter_where_allowed(
    api, rich, ask, pop
):
    ferris = await rich("ferris", kudos=1)
    size = {"width": 2048, "height": 1024, "steps": 200}
    heavy = {"params": size, "slow_workers": False, "allow_downgrade": True}
    placed = await ask(ferris, **heavy)
    assert "made lighter" in placed["message"]
    assert placed["kudos_exact"] == 75.63  # 1408 x 704 pixels, 100 steps
    drawn = (await pop(max_pixels=2048 * 1024))["payload"]
    assert (drawn["width"], drawn["height"], drawn["ddim_steps"]) == (1408, 704, 100)
    rich_enough = await rich("rich", kudos=1000)
    assert "message" not in await ask(rich_enough, **heavy)


async def test_post_async_generate_lets_go_of_what_is_held_when_it_is_cancelled(api, rich, ask):
    ferris = await rich("ferris", kudos=100)
    placed = await ask(ferris, params={"width": 1088, "height": 1024, "steps": 100})
    body = {"username": "1", "amount": 100}
    assert (await api.post(TRANSFER, json=body, headers=ferris)).status_code == 400
    await api.delete(f"/api/v2/generate/status/{placed['id']}")
    assert (await api.post(TRANSFER, json=body, headers=ferris)).json() == {"transferred": 100}


async def test_a_dry_run_of_what_is_heavy_is_never_refused(api, register):
    ferris = await register("ferris")
    body = {"prompt": "a fox", "dry_run": True, "params": {"width": 2048, "height": 2048}}
    reply = await api.post("/api/v2/generate/async", json=body, headers=ferris)
    assert reply.status_code == 200
