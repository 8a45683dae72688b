"""Webhooks: `/webhooks/…`, and what requests with a `webhook` have delivered."""

import asyncio
import base64

import msgspec
import pytest
from tests import exposition
from tests.api.conftest import ADMIN, ANONYMOUS
from tests.builders import NOON, a_picture, an_act
from tests.foreign import LoopbackOnly
from tests.receiver import a_receiver, status

from ordu.client.webhooks import BadWebhook, verify
from ordu.engine import courier as couriers
from ordu.engine import end, leaving, sweeper, webhooks
from ordu.engine.courier import Courier
from ordu.outside.post import Post
from ordu.rules.lifecycle import RequestId
from ordu.rules.trust import DAY_MS
from ordu.rules.webhooks import PAUSES_S, SEATS_OF_HOST, TRIES_MAX
from ordu.server.run import open_horde
from ordu.store import users
from ordu.store import webhooks as stored

pytestmark = pytest.mark.anyio

PUBLIC = "93.184.216.34"
DELIVERIES = "/api/v2/webhooks/deliveries"
PICTURE = base64.b64encode(a_picture()).decode()


@pytest.fixture
def settings(settings):
    return msgspec.structs.replace(settings, webhook_hosts=("bot.test", "other.test"))


@pytest.fixture
async def receiver():
    async with a_receiver() as receiver:
        yield receiver


@pytest.fixture
def names():
    """Where each host of a test is."""
    return {"bot.test": ["127.0.0.1"], "other.test": ["127.0.0.1"]}


@pytest.fixture
def network():
    return LoopbackOnly()


@pytest.fixture
def a_courier(opened, names, network):
    """A courier that is not running: a test has it deliver."""

    async def resolver(host, port):
        return names.get(host, [])

    def make(horde=opened.horde, timeout_s=5.0):
        hosts = opened.horde.settings.webhook_hosts
        post = Post(timeout_s=timeout_s, hosts=hosts, resolver=resolver, network=network)
        return Courier(horde, post, opened.secret.key)

    return make


@pytest.fixture
def deliver(a_courier):
    """Deliver all that is due now."""
    courier = a_courier()

    async def act():
        while await courier.round():
            await courier.settled()

    return act


@pytest.fixture
def draw(ask, pop, submit):
    """Ask for a picture with a webhook and have it drawn; returns the request and the job."""

    async def act(url, headers=ADMIN, **body):
        placed = await ask(headers, webhook=url, **body)
        job = await pop()
        reply = await submit(job["id"])
        assert reply.status_code == 200, reply.text
        return placed["id"], job

    return act


async def secret_of(api, headers=ADMIN):
    reply = await api.get("/api/v2/webhooks/secret", headers=headers)
    assert reply.status_code == 200, reply.text
    return reply.json()["secret"]


async def details(api, delivery_id, headers=ADMIN):
    reply = await api.get(f"{DELIVERIES}/{delivery_id}", headers=headers)
    assert reply.status_code == 200, reply.text
    return reply.json()


# What may be named


@pytest.mark.parametrize(
    ("url", "words"),
    [
        pytest.param("http://example.org/x", "must begin with https://", id="plain http"),
        pytest.param("ftp://example.org/x", "neither http nor https", id="another scheme"),
        pytest.param("https://a:b@example.org/", "a user or a password", id="a password"),
        pytest.param("https://127.0.0.1/x", "not on the public Internet", id="this machine"),
        pytest.param("https://169.254.169.254/x", "not on the public", id="where clouds keep keys"),
        pytest.param("https://[::ffff:10.0.0.1]/", "not on the public", id="IPv4 inside IPv6"),
        pytest.param("https://2130706433/x", "neither a name nor an address", id="a number"),
        pytest.param("https://0x7f.1/hook", "neither a name nor an address", id="hexadecimal"),
        pytest.param("not a link at all", "neither http nor https", id="no link"),
    ],
)
async def test_a_webhook_that_may_not_be_is_refused_at_once(api, network, url, words):
    body = {"prompt": "a fox", "webhook": url}
    for path in ("async", "sync"):
        reply = await api.post(f"/api/v2/generate/{path}", json=body, headers=ADMIN)
        assert (reply.status_code, reply.json()["rc"]) == (400, "BadRequest")
        assert words in reply.json()["message"]
    assert network.dialled == []


@pytest.mark.parametrize(("length", "status"), [(9, 400), (10, 202), (1024, 202), (1025, 400)])
async def test_a_webhook_has_10_to_1024_characters(api, length, status):
    url = "https://a" + ("/" + "x" * length)[: length - 9]
    reply = await api.post(
        "/api/v2/generate/async", json={"prompt": "a fox", "webhook": url}, headers=ADMIN
    )
    assert reply.status_code == status
    if status == 400:
        assert "webhook" in reply.json()["errors"]


async def test_an_end_needs_somebody_who_is_told(api):
    body = {"prompt": "a fox", "webhook_end": True}
    reply = await api.post("/api/v2/generate/async", json=body, headers=ADMIN)
    assert (reply.status_code, reply.json()["rc"]) == (400, "BadRequest")


# What is delivered


async def test_a_picture_is_delivered_as_today_and_signed(api, draw, deliver, receiver):
    request_id, job = await draw(receiver.url("/a?b=c"))
    await deliver()
    (message,) = receiver.messages
    assert message.path == "/a?b=c"
    assert message.headers["content-type"] == "application/json"
    assert message.headers["host"] == f"bot.test:{receiver.port}"
    told = verify(message.headers, message.body, await secret_of(api), now_s=NOON / 1000)
    worker = (await api.get("/api/v2/workers/name/attic")).json()
    status = (await api.get(f"/api/v2/generate/status/{request_id}")).json()
    (picture,) = status["generations"]
    del picture["state"]
    assert told == picture | {
        "img": PICTURE,
        "seed": 1,
        "worker_id": worker["id"],
        "request": request_id,
        "kudos": 6.0,  # the price of one such picture, also for who has too little
        "event": "generation",
    }
    assert message.headers["webhook-id"] == job["id"] == told["id"]


async def test_a_request_with_links_has_a_link_delivered(api, draw, deliver, receiver):
    await draw(receiver.url(), r2=True)
    await deliver()
    link = receiver.messages[0].json["img"]
    assert link.startswith("http://horde.test/pictures/")
    assert (await api.get(link.removeprefix("http://horde.test"))).content == a_picture()


async def test_each_picture_is_delivered_once_and_nothing_for_other_requests(
    ask, pop, submit, draw, deliver, receiver
):
    await draw(receiver.url(), params={"n": 2})
    await submit((await pop())["id"])
    await ask(ADMIN)
    await submit((await pop())["id"])
    await deliver()
    await deliver()
    assert len(receiver.messages) == 2
    assert len({each.json["id"] for each in receiver.messages}) == 2


async def test_a_picture_that_is_refused_is_not_told(ask, pop, submit, deliver, receiver):
    await ask(ADMIN, webhook=receiver.url())
    job = await pop()
    assert (await submit(job["id"], generation="nonsense")).status_code == 400
    assert (await submit(job["id"], state="faulted")).status_code == 200
    await deliver()
    assert receiver.messages == []


async def test_get_webhook_delivery_says_how_each_attempt_went(api, draw, deliver, receiver, clock):
    receiver.replies["/hook"] = [status("500 No"), status("503 Never"), status("200 OK")]
    _, job = await draw(receiver.url())
    await deliver()
    shown = await details(api, job["id"])
    assert (shown["state"], shown["attempts"], shown["ended"]) == ("waiting", 1, None)
    clock.forward(s=PAUSES_S[0] - 1)
    await deliver()
    assert len(receiver.messages) == 1
    clock.forward(s=PAUSES_S[0])
    await deliver()
    clock.forward(s=2 * PAUSES_S[1])
    await deliver()
    shown = await details(api, job["id"])
    assert (shown["state"], shown["attempts"], shown["next_attempt"]) == ("delivered", 3, None)
    assert [(each["number"], each["status"]) for each in shown["log"]] == [
        (1, 500),
        (2, 503),
        (3, 200),
    ]
    assert "answered 500" in shown["log"][0]["error"]
    assert shown["log"][2]["error"] is None
    times = [each.headers["webhook-timestamp"] for each in receiver.messages]
    assert times == sorted(set(times))


async def hang(writer):
    await asyncio.Event().wait()


async def break_off(writer):
    writer.transport.abort()


async def huge(writer):
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b"x" * 65536)
        await writer.drain()


async def slow(writer):
    for byte in b"HTTP/1.1 200 OK\r\n\r\n":
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0)


async def babble(writer):
    writer.write(b"I am no web server.\r\n\r\n")


@pytest.mark.parametrize(
    ("reply", "state", "words"),
    [
        pytest.param(hang, "waiting", "did not answer within 0.2 seconds", id="it hangs"),
        pytest.param(break_off, "waiting", "the connection failed", id="it breaks off"),
        pytest.param(babble, "waiting", "the connection failed", id="it speaks no HTTP"),
        pytest.param(huge, "delivered", None, id="its answer has no end"),
        pytest.param(slow, "delivered", None, id="it answers byte by byte"),
        pytest.param(status("299 Fine"), "delivered", None, id="any 2xx"),
        pytest.param(status("404 Not Found"), "waiting", "answered 404", id="it does not know"),
        pytest.param(
            status("302 Found", location="http://127.0.0.1:1/"),
            "waiting",
            "redirects are not followed",
            id="it redirects inward",
        ),
    ],
)
async def test_what_a_receiver_does(api, draw, a_courier, receiver, network, reply, state, words):
    receiver.replies["/hook"] = [reply]
    _, job = await draw(receiver.url())
    courier = a_courier(timeout_s=0.2 if reply is hang else 5)
    await courier.round()
    await courier.settled()
    shown = await details(api, job["id"])
    assert shown["state"] == state
    error = shown["log"][0]["error"]
    assert error is None if words is None else words in error
    assert network.dialled == ["127.0.0.1"]


async def test_after_hours_of_failures_it_is_given_up(api, draw, deliver, receiver, clock):
    receiver.replies["/hook"] = [status("500 No")] * 20
    _, job = await draw(receiver.url())
    for _ in range(20):
        await deliver()
        clock.forward(s=2 * PAUSES_S[-1])
    assert len(receiver.messages) == TRIES_MAX
    shown = await details(api, job["id"])
    assert (shown["state"], shown["next_attempt"]) == ("failed", None)


async def test_gone_ends_everything_of_that_request(api, ask, pop, submit, draw, deliver, receiver):
    receiver.replies["/gone"] = [status("410 Gone")] * 3
    _, first = await draw(receiver.url("/gone"), params={"n": 3})
    await deliver()
    second = await pop()
    await submit(second["id"])
    await deliver()
    assert len(receiver.messages) == 1
    assert (await details(api, first["id"]))["state"] == "gone"
    missing = await api.get(f"{DELIVERIES}/{second['id']}", headers=ADMIN)
    assert missing.status_code == 404
    await draw(receiver.url("/gone"))
    await deliver()
    assert len(receiver.messages) == 2  # another request is another matter


async def test_gone_ends_what_waits_of_that_request(api, draw, pop, submit, deliver, receiver):
    receiver.replies["/gone"] = [status("500 No"), status("410 Gone")]
    _, first = await draw(receiver.url("/gone"), params={"n": 2})
    await deliver()
    second = await pop()
    await submit(second["id"])
    await deliver()
    assert [(await details(api, each["id"]))["state"] for each in (first, second)] == ["gone"] * 2


# Never inside


@pytest.mark.parametrize(
    "addresses",
    [
        pytest.param(["10.0.0.1"], id="a private address"),
        pytest.param(["169.254.169.254"], id="where clouds keep keys"),
        pytest.param([PUBLIC, "127.0.0.1"], id="one of two is private"),
        pytest.param(["::ffff:127.0.0.1"], id="IPv4 inside IPv6"),
        pytest.param([], id="nowhere"),
    ],
)
async def test_no_private_address_is_dialled(api, draw, deliver, names, network, addresses):
    names["shop.test"] = addresses
    _, job = await draw("https://shop.test/hook")
    await deliver()
    assert network.dialled == []
    shown = await details(api, job["id"])
    assert "not on the public Internet" in shown["log"][0]["error"]
    assert not any(each in str(shown) for each in addresses)


async def test_a_name_that_moves_inside_is_not_followed(api, draw, deliver, names, network, clock):
    names["shop.test"] = [PUBLIC]
    _, job = await draw("https://shop.test/hook")
    await deliver()
    assert network.dialled == [PUBLIC]
    names["shop.test"] = ["127.0.0.1"]
    clock.forward(s=60)
    await deliver()
    assert network.dialled == [PUBLIC]
    assert len((await details(api, job["id"]))["log"]) == 2


async def test_a_host_that_is_allowed_no_more_is_not_called(
    api, opened, draw, receiver, names, network
):
    async def resolver(host, port):
        return names[host]

    _, job = await draw(receiver.url())
    post = Post(timeout_s=5, resolver=resolver, network=network)
    courier = Courier(opened.horde, post, opened.secret.key)
    await courier.round()
    await courier.settled()
    assert "must begin with https" in (await details(api, job["id"]))["log"][0]["error"]
    assert receiver.messages == network.dialled == []


# Others are served meanwhile


async def test_a_host_that_hangs_does_not_delay_others(draw, a_courier, receiver, clock):
    receiver.replies["/slow"] = [hang] * 50
    for _ in range(SEATS_OF_HOST + 3):
        await draw(receiver.url("/slow", host="other.test"))
        clock.forward(ms=1)
    await draw(receiver.url("/quick"))
    courier = a_courier(timeout_s=50)
    while await courier.round():
        pass
    await receiver.wait_for(SEATS_OF_HOST + 1)
    paths = sorted(each.path for each in receiver.messages)
    assert paths == ["/quick"] + ["/slow"] * SEATS_OF_HOST
    await courier.stop()


async def test_two_processes_deliver_once_each(opened, draw, a_courier, receiver):
    for _ in range(6):
        await draw(receiver.url())
    one, other = a_courier(), a_courier()
    for _ in range(4):
        await asyncio.gather(one.round(), other.round())
        await asyncio.gather(one.settled(), other.settled())
    assert len(receiver.messages) == 6
    assert len({each.json["id"] for each in receiver.messages}) == 6


async def test_two_processes_of_a_horde_deliver_once_each(
    settings, opened, draw, a_courier, receiver, clock
):
    if not settings.is_postgres:
        pytest.skip("SQLite has one process")
    async with open_horde(settings, "http://horde.test", clock=clock) as other:
        for _ in range(6):
            await draw(receiver.url())
        couriers = a_courier(), a_courier(other.horde)
        for _ in range(6):
            await asyncio.gather(*(each.round() for each in couriers))
            await asyncio.gather(*(each.settled() for each in couriers))
    assert sorted({each.json["id"] for each in receiver.messages}) == sorted(
        each.json["id"] for each in receiver.messages
    )
    assert len(receiver.messages) == 6


async def test_what_a_dead_process_had_taken_is_sent_when_its_time_is_over(
    horde, draw, deliver, receiver, clock
):
    _, job = await draw(receiver.url())
    assert await couriers.take_mail(horde, [job["id"]], 10)  # and dies here
    await deliver()
    assert receiver.messages == []
    clock.forward(s=71)
    await deliver()
    assert len(receiver.messages) == 1


async def test_a_stop_gives_back_what_is_on_its_way(
    api, draw, a_courier, deliver, receiver, monkeypatch
):
    monkeypatch.setattr(couriers, "FAREWELL_S", 0.01)
    receiver.replies["/hook"] = [hang]
    _, job = await draw(receiver.url())
    running = asyncio.create_task(a_courier(timeout_s=50).run())
    await receiver.wait_for(1)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await deliver()
    assert len(receiver.messages) == 2
    assert (await details(api, job["id"]))["state"] == "delivered"


async def test_a_running_courier_is_woken_by_a_picture(draw, a_courier, receiver):
    running = asyncio.create_task(a_courier().run())
    await draw(receiver.url())
    await receiver.wait_for(1)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_restart_in_the_middle_loses_nothing(settings, tmp_path, receiver, clock):
    settings = msgspec.structs.replace(settings, data=str(tmp_path / "again"))
    async with open_horde(settings, "http://horde.test", clock=clock) as first:
        import httpx

        from ordu.server.app import make_app

        transport = httpx.ASGITransport(make_app(first.horde, first.secret))
        async with httpx.AsyncClient(transport=transport, base_url="http://horde.test") as api:
            await settled_with(api, receiver.url())
    async with open_horde(settings, "http://horde.test", clock=clock) as second:

        async def resolver(host, port):
            return ["127.0.0.1"]

        post = Post(timeout_s=5, hosts=settings.webhook_hosts, resolver=resolver)
        courier = Courier(second.horde, post, second.secret.key)
        await courier.round()
        await courier.settled()
    assert receiver.messages[0].json["img"] == PICTURE


async def settled_with(api, url):
    body = {"prompt": "a fox", "webhook": url}
    assert (await api.post("/api/v2/generate/async", json=body, headers=ADMIN)).status_code == 202
    pop = {"name": "attic", "models": ["stable_diffusion"], "bridge_agent": "Ordu:1:x"}
    job = (await api.post("/api/v2/generate/pop", json=pop, headers=ADMIN)).json()
    result = {"id": job["id"], "generation": PICTURE, "seed": 1}
    done = await api.post("/api/v2/generate/submit", json=result, headers=ADMIN)
    assert done.status_code == 200


# How requests end


def ends(receiver):
    return [
        (each.json["event"], each.json["request"])
        for each in receiver.messages
        if each.json["event"] != "generation"
    ]


async def test_the_end_is_told_to_those_who_asked(draw, deliver, receiver):
    request_id, _ = await draw(receiver.url(), webhook_end=True)
    await deliver()
    assert ends(receiver) == [("request.done", request_id)]
    (end,) = [each.json for each in receiver.messages if each.json["event"] == "request.done"]
    assert (end["finished"], end["lost"], end["cancelled"]) == (1, 0, 0)
    assert end["kudos"] == 0  # the administrator of a new horde has none


async def test_a_cancelled_request_is_told(api, ask, deliver, receiver):
    placed = await ask(ADMIN, webhook=receiver.url(), webhook_end=True)
    await api.delete(f"/api/v2/generate/status/{placed['id']}")
    await api.delete(f"/api/v2/generate/status/{placed['id']}")
    await deliver()
    assert ends(receiver) == [("request.cancelled", placed["id"])]


async def test_a_request_cancelled_while_drawn_is_told_when_that_is_over(
    api, ask, pop, submit, deliver, receiver
):
    placed = await ask(ADMIN, webhook=receiver.url(), webhook_end=True, params={"n": 2})
    job = await pop()
    await api.delete(f"/api/v2/generate/status/{placed['id']}")
    await deliver()
    assert ends(receiver) == []
    await submit(job["id"])
    await deliver()
    assert ends(receiver) == [("request.cancelled", placed["id"])]


async def test_a_faulted_request_is_told(ask, pop, submit, deliver, receiver):
    placed = await ask(ADMIN, webhook=receiver.url(), webhook_end=True)
    for _ in range(3):
        await submit((await pop())["id"], state="faulted")
    await deliver()
    assert ends(receiver) == [("request.faulted", placed["id"])]


async def test_an_expired_request_is_told_and_a_finished_one_is_not(
    horde, ask, draw, deliver, receiver, clock
):
    await draw(receiver.url(), webhook_end=True)
    placed = await ask(ADMIN, webhook=receiver.url(), webhook_end=True)
    await deliver()
    receiver.messages.clear()
    clock.forward(s=5000)
    await sweeper.expire_requests(horde)
    await deliver()
    assert ends(receiver) == [("request.expired", placed["id"])]


# Pictures that wait to be delivered


async def test_a_picture_is_kept_until_it_was_delivered(horde, draw, deliver, receiver, clock):
    receiver.replies["/hook"] = [status("500 No")]
    await draw(receiver.url())
    await deliver()
    clock.forward(s=2 * 3600)
    await sweeper.expire_requests(horde)
    await sweeper.remove_orphans(horde)
    assert [each async for each in horde.pictures.older_than(clock.now())]
    await deliver()
    assert receiver.messages[-1].json["img"] == PICTURE
    await sweeper.remove_orphans(horde)
    assert [each async for each in horde.pictures.older_than(clock.now())] == []


@pytest.mark.parametrize("r2", [True, False])
async def test_a_picture_that_is_kept_no_longer_is_null(
    api, horde, draw, deliver, receiver, clock, r2
):
    _, job = await draw(receiver.url(), r2=r2)
    await deliver()
    clock.forward(s=2 * 3600)
    await sweeper.expire_requests(horde)
    reply = await api.post(f"{DELIVERIES}/{job['id']}/replay", headers=ADMIN)
    assert reply.status_code == 202
    await deliver()
    assert receiver.messages[-1].json["img"] is None


# The log and the secret


async def test_get_webhook_deliveries_lists_in_parts(api, draw, deliver, receiver, clock):
    jobs = []
    for _ in range(5):
        jobs.append((await draw(receiver.url()))[1]["id"])
        clock.forward(ms=1)
    found, cursor = [], None
    for many in (2, 2, 1):
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await api.get(DELIVERIES, params=query, headers=ADMIN)).json()
        assert len(page["deliveries"]) == many
        found += page["deliveries"]
        cursor = page["next"]
    assert cursor is None
    assert [each["id"] for each in found] == jobs[::-1]
    assert found[0]["url"] == receiver.url()
    assert {each["state"] for each in found} == {"waiting"}
    assert found[0]["created"].endswith("+00:00")


@pytest.mark.parametrize("limit", ["0", "101", "x", "-1", "²", "9" * 50])
async def test_get_webhook_deliveries_with_a_bad_limit(api, limit):
    reply = await api.get(DELIVERIES, params={"limit": limit}, headers=ADMIN)
    assert (reply.status_code, reply.json()["rc"]) == (400, "BadParameter")


async def test_nobody_sees_or_replays_what_is_not_theirs(api, register, draw, receiver):
    _, job = await draw(receiver.url())
    stranger = await register("stranger")
    assert (await api.get(DELIVERIES, headers=stranger)).json() == {"deliveries": [], "next": None}
    calls = [
        ("GET", f"{DELIVERIES}/{job['id']}"),
        ("POST", f"{DELIVERIES}/{job['id']}/replay"),
        ("GET", f"{DELIVERIES}?cursor={job['id']}"),
        ("GET", f"{DELIVERIES}/nothing"),
        ("POST", f"{DELIVERIES}/nothing/replay"),
    ]
    for method, path in calls:
        reply = await api.request(method, path, headers=stranger)
        assert (reply.status_code, reply.json()["rc"]) == (404, "DeliveryNotFound")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", DELIVERIES),
        ("GET", f"{DELIVERIES}/x"),
        ("POST", f"{DELIVERIES}/x/replay"),
        ("GET", "/api/v2/webhooks/secret"),
        ("POST", "/api/v2/webhooks/secret"),
    ],
)
async def test_who_has_no_account_has_no_log_and_no_secret(api, method, path):
    reply = await api.request(method, path, headers=ANONYMOUS)
    assert (reply.status_code, reply.json()["rc"]) == (403, "AnonForbidden")
    reply = await api.request(method, path)
    assert (reply.status_code, reply.json()["rc"]) == (401, "InvalidAPIKey")


async def test_anonymous_requests_are_delivered_too(draw, deliver, receiver):
    await draw(receiver.url(), headers=ANONYMOUS)
    await deliver()
    assert "webhook-signature" in receiver.messages[0].headers


async def test_post_webhook_replay_sends_again(api, draw, deliver, receiver, clock):
    _, job = await draw(receiver.url())
    await deliver()
    clock.forward(s=100)
    reply = await api.post(f"{DELIVERIES}/{job['id']}/replay", headers=ADMIN)
    assert (reply.status_code, reply.json()["state"]) == (202, "waiting")
    await deliver()
    first, second = receiver.messages
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]
    shown = await details(api, job["id"])
    assert (shown["state"], [each["number"] for each in shown["log"]]) == ("delivered", [1, 2])


async def test_a_replay_of_what_failed_has_all_tries_again(api, draw, deliver, receiver, clock):
    receiver.replies["/hook"] = [status("500 No")] * TRIES_MAX
    _, job = await draw(receiver.url())
    for _ in range(TRIES_MAX):
        await deliver()
        clock.forward(s=2 * PAUSES_S[-1])
    await api.post(f"{DELIVERIES}/{job['id']}/replay", headers=ADMIN)
    receiver.replies["/hook"] = [status("500 No")]
    await deliver()
    assert (await details(api, job["id"]))["state"] == "waiting"
    clock.forward(s=2 * PAUSES_S[0])
    await deliver()
    assert (await details(api, job["id"]))["state"] == "delivered"


async def test_post_webhook_secret_replaces_it_and_both_sign_for_a_day(
    api, draw, deliver, receiver, clock
):
    old = await secret_of(api)
    reply = await api.post("/api/v2/webhooks/secret", headers=ADMIN)
    new = reply.json()["secret"]
    assert new == await secret_of(api) != old
    await draw(receiver.url())
    await deliver()
    clock.forward(ms=DAY_MS)
    await draw(receiver.url())
    await deliver()
    within, after = receiver.messages
    now_s = clock.now() / 1000
    for secret in (old, new):
        verify(within.headers, within.body, secret, now_s=now_s - DAY_MS / 1000)
    verify(after.headers, after.body, new, now_s=now_s)
    with pytest.raises(BadWebhook):
        verify(after.headers, after.body, old, now_s=now_s)


async def test_get_webhook_secret_is_another_for_each_user(api, register):
    ferris, corro = await register("ferris"), await register("corro")
    secrets = {await secret_of(api, each) for each in (ADMIN, ferris, corro)}
    assert len(secrets) == 3
    assert all(each.startswith("whsec_") for each in secrets)


# What goes


async def test_old_deliveries_are_forgotten(api, horde, draw, deliver, receiver, clock):
    receiver.replies["/hook"] = [status("500 No")]
    await draw(receiver.url())
    await deliver()
    clock.forward(s=horde.settings.keep_deliveries_s - 1)
    _, young = await draw(receiver.url())
    clock.forward(ms=2000)
    await webhooks.forget_deliveries(horde)
    page = (await api.get(DELIVERIES, headers=ADMIN)).json()
    assert [each["id"] for each in page["deliveries"]] == [young["id"]]


async def test_of_one_user_only_so_many_are_kept(api, horde, draw, receiver, clock, monkeypatch):
    monkeypatch.setattr(stored, "DELIVERIES_OF_USER_MAX", 2)
    jobs = []
    for headers in (ADMIN, ADMIN, ADMIN, ANONYMOUS, ANONYMOUS, ANONYMOUS):
        jobs.append((await draw(receiver.url(), headers=headers))[1]["id"])
        clock.forward(ms=1)
    await webhooks.forget_deliveries(horde)
    left = [
        row["id"]
        for row in await horde.read(lambda tx: tx.all("SELECT id FROM deliveries ORDER BY id"))
    ]
    assert left == jobs[1:]


async def test_nothing_is_left_of_a_user_who_is_wiped(
    api, horde, register, draw, deliver, receiver, clock
):
    ferris = await register("ferris")
    receiver.replies["/hook"] = [status("500 No")]
    await draw(receiver.url(), headers=ferris)
    await deliver()
    user = await horde.read(lambda tx: users.by_id(tx, 2))
    await leaving.delete_user(horde, user, user.id, an_act(horde))
    clock.forward(ms=leaving.KEPT_MS)
    await leaving.wipe_deleted(horde)
    for table in ("deliveries", "attempts"):
        query = f"SELECT COUNT(*) AS many FROM {table}"
        assert (await horde.read(lambda tx, query=query: tx.one(query)))["many"] == 0


async def test_a_job_that_is_given_back_after_a_cancel_ends_the_request(
    horde, ask, pop, deliver, receiver
):
    placed = await ask(ADMIN, webhook=receiver.url(), webhook_end=True)
    job = await pop()
    await end.cancel(horde, RequestId(placed["id"]))
    (running,) = [each for each in await jobs_of(horde, placed["id"]) if each.id == job["id"]]
    await end.give_back(horde, running)
    await deliver()
    assert ends(receiver) == [("request.cancelled", placed["id"])]


async def jobs_of(horde, request_id):
    from ordu.store import jobs

    return await horde.read(lambda tx: jobs.of_request(tx, request_id))


async def test_a_secret_is_nowhere_in_the_log(api, draw, deliver, receiver, caplog):
    caplog.set_level("DEBUG", logger="ordu")
    receiver.replies["/hook?token=1234567"] = [status("500 No")]
    await draw(receiver.url("/hook?token=1234567"))
    await deliver()
    assert "attempt 1" in caplog.text
    assert "1234567" not in caplog.text
    assert await secret_of(api) not in caplog.text


async def test_get_metrics_counts_what_was_delivered_and_what_waits(api, draw, deliver, receiver):
    receiver.replies["/hook"] = [status("200 OK"), status("500 No"), status("410 Gone")]
    for path in ("/hook", "/hook", "/hook"):
        await draw(receiver.url(path))
        await deliver()
    numbers = exposition.read((await api.get("/metrics")).text)
    expected = {
        "ordu_webhook_delivered_total": 1,
        "ordu_webhook_attempts_failed_total": 2,
        "ordu_webhook_given_up_total": 1,
        "ordu_webhook_waiting": 1,
    }
    assert {name: exposition.value(numbers, name) for name in expected} == expected
