"""`/metrics`: what is counted, in which format, who may read it, what it never says."""

import json
import re
from pathlib import Path

import httpx
import msgspec
import pytest
import yaml
from tests import exposition
from tests.api.conftest import ADMIN, ANONYMOUS, POP
from tests.builders import only_sqlite
from tests.exposition import value

from ordu.engine import auditing, sweeper
from ordu.server.app import make_app
from ordu.server.run import Opened

pytestmark = pytest.mark.anyio

DEPLOY = Path("deploy")
TOKEN = "a-token-of-more-than-22-characters"


async def read(api: httpx.AsyncClient) -> dict[str, exposition.Metric]:
    reply = await api.get("/metrics")
    assert reply.status_code == 200, reply.text
    assert reply.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return exposition.read(reply.text)


async def a_life(api, ask, pop, submit, register) -> None:
    """A picture for somebody, and a refusal."""
    ferris = await register("canaryferris")
    await api.put("/api/v2/users/2", json={"kudos": 50}, headers=ADMIN)
    await ask(ferris, prompt="canaryprompt", params={"n": 2})
    job = await pop(name="canaryworker")
    assert (await submit(job["id"])).status_code == 200
    job = await pop(name="canaryworker")
    await submit(job["id"], state="faulted", generation="x")
    reply = await api.get("/api/v2/find_user", headers={"apikey": "k" * 22})
    assert reply.status_code == 404


async def test_get_metrics_of_a_horde_in_which_something_happened(
    api, horde, clock, ask, pop, submit, register
):
    before = await read(api)
    assert value(before, "ordu_requests_placed_total") == 0
    await a_life(api, ask, pop, submit, register)
    clock.forward(s=2)  # how the horde stands is believed for a second
    after = await read(api)
    expected = {
        "ordu_requests_placed_total": 1,
        "ordu_pictures_placed_total": 2,
        "ordu_jobs_handed_out_total": 2,
        "ordu_jobs_settled_total": 1,
        "ordu_jobs_faulted_total": 1,
        "ordu_kudos_minted_total": 50,
        "ordu_worker_threads": 1,
        "ordu_writes_waiting": 0,
        "ordu_lanes": 1,
    }
    assert {name: value(after, name) for name in expected} == expected
    assert value(after, "ordu_pictures_waiting", kind="image") == 1
    assert value(after, "ordu_workers", state="online") == 1
    assert value(after, "ordu_kudos_moved_total") > 0
    assert value(after, "ordu_settled_megapixelsteps_total") > 1
    calls = {"operation": "post_job_pop", "status": "200"}
    assert value(after, "ordu_calls_total", **calls) == 2
    assert value(after, "ordu_call_seconds_count", operation="post_job_pop") == 2
    assert value(after, "ordu_refusals_total", rc="UserNotFound") == 1
    assert value(after, "ordu_commit_seconds_count") > 3
    assert value(after, "process_resident_memory_bytes") > 10_000_000
    assert value(after, "ordu_disk_free_bytes") > 0


async def test_get_metrics_names_nobody(api, ask, pop, submit, register):
    await a_life(api, ask, pop, submit, register)
    text = (await api.get("/metrics")).text
    for secret in ("canary", ADMIN["apikey"], "127.0.0.1", "Administrator"):
        assert secret not in text


async def test_get_metrics_of_what_expired_and_of_the_books(api, horde, ask, clock):
    await ask()
    clock.forward(s=horde.settings.request_lifetime_s)
    await sweeper.expire_requests(horde)
    await auditing.check_books(horde)
    found = await read(api)
    assert value(found, "ordu_requests_expired_total") == 1
    assert value(found, "ordu_books_wrong") == 0
    assert value(found, "ordu_books_checked_timestamp_seconds") == horde.now() / 1000


@only_sqlite
async def test_what_is_rolled_back_is_not_counted(api, horde, register):
    await register("ferris")

    def fail(tx):
        tx.count("kudos_minted", 100)
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 - ours
        await horde.write(fail)
    await horde.write(lambda tx: tx.count("kudos_burned", 100))
    found = await read(api)
    assert value(found, "ordu_kudos_minted_total") == 0
    assert value(found, "ordu_kudos_burned_total") == 1


@only_sqlite
async def test_a_pop_that_waits_is_counted_apart(api, ask, pop):
    await ask()
    await api.post("/api/v2/generate/pop", json=POP, headers=ADMIN | {"Prefer": "wait=5"})
    found = await read(api)
    assert value(found, "ordu_call_seconds_count", operation="post_job_pop:waits") == 1


# Who may


@pytest.fixture
def caller(opened: Opened):
    """Read as somebody at an address, of a horde with these settings."""

    async def call(address: str, headers: dict[str, str], **change) -> int:
        horde = opened.horde
        horde.settings = msgspec.structs.replace(horde.settings, **change)
        transport = httpx.ASGITransport(make_app(horde, opened.secret), client=(address, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            return (await client.get("/metrics", headers=headers)).status_code

    return call


BEARER = {"Authorization": f"Bearer {TOKEN}"}
NETWORK = {"metrics_hosts": ("10.1.0.0/16",)}


@only_sqlite
@pytest.mark.parametrize(
    ("address", "headers", "change", "status"),
    [
        pytest.param("127.0.0.1", {}, {}, 200, id="this machine"),
        pytest.param("::1", {}, {}, 200, id="this machine by version 6"),
        pytest.param("::ffff:127.0.0.1", {}, {}, 200, id="this machine, mapped"),
        pytest.param("93.184.216.34", {}, {}, 403, id="the open internet"),
        pytest.param("10.1.2.3", {}, {}, 403, id="a private address that nobody named"),
        pytest.param("10.1.2.3", {}, NETWORK, 200, id="a network that is named"),
        pytest.param("127.0.0.1", {}, {"metrics_hosts": ()}, 403, id="nobody is named"),
        pytest.param("127.0.0.1", {"X-Forwarded-For": "9.9.9.9"}, {}, 403, id="a strange proxy"),
        pytest.param("127.0.0.1", {"Forwarded": "for=9.9.9.9"}, {}, 403, id="a modern one"),
        pytest.param("93.184.216.34", BEARER, {"metrics_token": TOKEN}, 200, id="the token"),
        pytest.param("93.184.216.34", BEARER, {}, 403, id="no token is set"),
        pytest.param(
            "93.184.216.34", {"Authorization": "Bearer no"}, {"metrics_token": TOKEN}, 403,
            id="another token",
        ),
        pytest.param("93.184.216.34", ADMIN, {}, 403, id="a key is no token"),
        pytest.param("93.184.216.34", ANONYMOUS, {}, 403, id="least of all nobody's"),
    ],
)  # fmt: skip
async def test_get_metrics_by_whom(caller, address, headers, change, status):
    assert await caller(address, headers, **change) == status


# What looks at it


def expressions() -> dict[str, str]:
    """Everything that the dashboard and the alerts ask for, by where it stands."""
    board = json.loads((DEPLOY / "grafana" / "ordu.json").read_text(encoding="utf-8"))
    found = {
        f"panel {panel['title']} {target['refId']}": target["expr"]
        for panel in board["panels"]
        for target in panel.get("targets", [])
    }
    rules = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text(encoding="utf-8"))
    for group in rules["groups"]:
        found |= {f"alert {rule['alert']}": rule["expr"] for rule in group["rules"]}
    return found


METRIC = re.compile(r"\b((?:ordu|process)_[a-z_]+)\b(?!\s*=)")
LABELS = re.compile(r"\{([^}]*)\}")


@only_sqlite
async def test_dashboard_and_alerts_ask_for_what_is_served(api, horde, ask, pop, submit, register):
    await a_life(api, ask, pop, submit, register)
    await auditing.check_books(horde)
    await horde.write(lambda tx: tx.run("INSERT INTO facts VALUES ('backup made', '1')"))
    found = await read(api)
    names = {sample for metric in found.values() for sample, _ in metric.samples}
    labels = {key for metric in found.values() for _, theirs in metric.samples for key, _ in theirs}
    asked = expressions()
    assert len(asked) > 20
    for where, expression in asked.items():
        wanted = set(METRIC.findall(LABELS.sub("", expression)))
        assert wanted or "up{" in expression, where
        assert wanted <= names | found.keys(), (where, wanted - names)
        for matchers in LABELS.findall(expression):
            keys = {each.split("=")[0].rstrip("!~") for each in matchers.split(",") if each}
            assert keys <= labels | {"job", "instance"}, (where, keys)
    served = {METRIC.fullmatch(name)[1] for name in found}
    used = {name for text in asked.values() for name in METRIC.findall(LABELS.sub("", text))}
    unseen = {each for each in served if not any(name.startswith(each) for name in used)}
    assert unseen <= {"ordu_info", "process_start_time_seconds", "ordu_worker_threads"}, unseen


def test_alerts_are_written_as_prometheus_reads_them():
    rules = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text(encoding="utf-8"))
    for group in rules["groups"]:
        assert group.keys() == {"name", "rules"}
        for rule in group["rules"]:
            assert rule.keys() <= {"alert", "expr", "for", "labels", "annotations"}, rule
            assert re.fullmatch(r"Ordu[A-Z][A-Za-z]+", rule["alert"])
            assert rule["labels"]["severity"] in {"page", "ticket"}
            assert rule["annotations"].keys() == {"summary", "what_to_do"}
            assert re.fullmatch(r"\d+[smhd]", rule.get("for", "1m"))
            assert rule["expr"].count("(") == rule["expr"].count(")")
    names = [rule["alert"] for group in rules["groups"] for rule in group["rules"]]
    assert len(set(names)) == len(names)
    guide = Path("docs/how-to/watch.md").read_text(encoding="utf-8")
    assert all(name in guide for name in names), "each alert is explained"


def test_panels_do_not_lie_upon_each_other():
    board = json.loads((DEPLOY / "grafana" / "ordu.json").read_text(encoding="utf-8"))
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        cells = {
            (place["x"] + right, place["y"] + down)
            for right in range(place["w"])
            for down in range(place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
