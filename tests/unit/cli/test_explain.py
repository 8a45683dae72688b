"""`ordu explain`: what is asked, and what a person is shown of the answer."""

import json

import pytest
from msgspec import UNSET

from ordu.cli.explain import moment

ID = "00000000-0000-4000-8000-000000000001"
REQUEST = {
    "state": "waiting",
    "text": "1 worker could serve it; 3 pictures wait before it.\a",
    "waiting": 1,
    "queue_position": 4,
    "wait_time": 300,
    "starts_in": 45,
    "workers_online": 3,
    "workers_able": 1,
    "workers_free": 0,
    "why_not": [
        {"reason": "models", "workers": 1, "text": "1 worker has none of the models asked for."},
        {"reason": "nsfw", "workers": 1, "text": "1 worker takes nothing marked nsfw."},
    ],
    "jobs_before": 3,
    "megapixelsteps_before": 23.59,
    "changes": [
        {
            "subjects": ["nsfw"],
            "set": {"nsfw": False},
            "text": "Do not mark it nsfw.",
            "models": [],
            "workers": 2,
            "workers_more": 1,
            "jobs_before": 1,
            "starts_in": 0,
            "wait_time": 9,
        }
    ],
}
WORKER = {
    "id": ID,
    "name": "attic",
    "text": "2 requests wait, and it can serve none.",
    "online": True,
    "maintenance_mode": False,
    "paused": None,
    "processing": 1,
    "threads": 2,
    "waiting_requests": 2,
    "could_serve": 0,
    "jobs": 0,
    "megapixelsteps": 0.0,
    "skipped": [{"reason": "models", "requests": 2, "text": "2 requests ask for other models."}],
    "competitors": 1,
    "place": 2,
    "demand": [
        {
            "name": "sdxl\a",
            "jobs": 1200,
            "megapixelsteps": 52.43,
            "workers": 1,
            "offered": False,
            "kudos_per_hour": 20.5,
        }
    ],
}
NO_REQUEST = {"message": "no such request", "rc": "RequestNotFound"}
NO_WORKER = {"message": "no such worker", "rc": "WorkerNotFound"}


def lines(result):
    assert result.exit_code == 0, result.stderr
    return [line.rstrip() for line in result.stdout.splitlines()]


def test_explain_a_request(call, horde):
    horde.to(f"GET /generate/explain/{ID}", REQUEST)
    shown = lines(call("explain", ID))
    assert shown[:8] == [
        "Waiting",
        "  1 worker could serve it; 3 pictures wait before it.",
        "",
        "  place        4; next picture in about 45 s, done in about 5 min",
        "  before it    3 pictures, 23.59 megapixelsteps",
        "  workers      3 online, 1 could serve it, 0 of these free",
        "  passed over  1 worker has none of the models asked for.",
        "               1 worker takes nothing marked nsfw.",
    ]
    assert shown[9].split() == [
        *["to", "start", "sooner,", "place", "it", "anew"],
        "workers",
        "starts",
        "done",
    ]
    cells = [cell.strip() for cell in shown[11].split("  ") if cell]
    assert cells == ["Do not mark it nsfw.", "2 (+1)", "at once", "in about 9 s"]


def test_explain_a_request_that_nobody_can_serve(call, horde):
    horde.to(f"GET /generate/explain/{ID}", REQUEST | {"starts_in": None, "changes": []})
    place = "  place        4; dropped in about 5 min unless a worker comes that can serve it"
    assert place in lines(call("explain", ID))


def test_explain_a_request_that_is_done(call, horde):
    horde.to(f"GET /generate/explain/{ID}", {"state": "done", "text": "It is done."})
    assert lines(call("explain", ID)) == [
        "Done",
        "  It is done.",
        "",
        "  workers      0 online, 0 could serve it, 0 of these free",
    ]


@pytest.mark.parametrize(
    "arguments", [[ID], ["--worker", ID], ["--worker", "at/tic"], ["at/tic"]], ids=" ".join
)
def test_explain_a_worker(call, horde, arguments):
    horde.to(f"GET /generate/explain/{ID}", NO_REQUEST, status=404)
    horde.to("GET /workers/name/at%2Ftic", {"id": ID})
    horde.to(f"GET /workers/{ID}/explain", WORKER)
    shown = lines(call("explain", *arguments))
    assert shown[:7] == [
        "attic",
        "  2 requests wait, and it can serve none.",
        "",
        "  state        working, at 1 of 2 pictures at once",
        "  could serve  0 of 2 requests: 0 pictures, 0 megapixelsteps",
        "  place        2 of 2 by speed",
        "  not given    2 requests ask for other models.",
    ]
    assert shown[10].split() == ["sdxl", "no", "1,200", "52.43", "1", "20.5"]


def test_explain_a_worker_that_rests_alone(call, horde):
    resting = {"name": "attic", "online": False, "maintenance_mode": True, "competitors": 0}
    horde.to(f"GET /workers/{ID}/explain", resting)
    shown = lines(call("explain", "--worker", ID))
    assert "  state        away, in maintenance" in shown
    assert "  place        without competitors" in shown


@pytest.mark.parametrize(
    ("path", "answer"), [("generate/explain/{}", REQUEST), ("workers/{}/explain", WORKER)]
)
def test_explain_as_json(call, horde, path, answer):
    horde.to(f"GET /generate/explain/{ID}", NO_REQUEST, status=404)
    horde.to(f"GET /{path.format(ID)}", answer)
    assert json.loads(call("explain", ID, "--json").stdout) == answer


def test_explain_what_nobody_knows(call, horde):
    horde.to(f"GET /generate/explain/{ID}", NO_REQUEST, status=404)
    horde.to(f"GET /workers/{ID}/explain", NO_WORKER, status=404)
    result = call("explain", ID)
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"neither a request nor a worker with the id {ID}." in result.stderr


def test_explain_a_worker_that_nobody_knows(call, horde):
    horde.to("GET /workers/name/loft", NO_WORKER, status=404)
    result = call("explain", "--worker", "loft")
    assert (result.exit_code, result.stderr) == (1, "ordu: no such worker (rc WorkerNotFound)\n")


@pytest.mark.parametrize("arguments", [[ID], ["--worker", ID]], ids=["request", "worker"])
def test_explain_by_a_horde_of_another_kind(call, horde, arguments):
    for path in (f"generate/explain/{ID}", f"workers/{ID}/explain"):
        horde.to(f"GET /{path}", {"message": "not found"}, status=404)
    result = call("explain", *arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "This horde explains nothing" in result.stderr


def test_explain_refused_for_another_reason(call, horde):
    horde.to(f"GET /generate/explain/{ID}", {"message": "later", "rc": "RateLimited"}, status=429)
    result = call("explain", ID)
    assert (result.exit_code, result.stderr) == (1, "ordu: later (rc RateLimited)\n")


def test_explain_when_nobody_answers(call):
    result = call("explain", ID, "--url", "http://127.0.0.1:1")
    assert (result.exit_code, result.stdout) == (3, "")


@pytest.mark.parametrize("arguments", [[], [ID, "--worker", "attic"]], ids=["nothing", "both"])
def test_explain_is_told_what(call, arguments):
    result = call("explain", *arguments)
    assert result.exit_code == 2
    assert "Say what to explain" in result.stderr


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (UNSET, "nobody knows when"),
        (None, "nobody knows when"),
        (0, "at once"),
        (119, "in about 119 s"),
        (120, "in about 2 min"),
        (7199, "in about 120 min"),
        (7200, "in about 2 h"),
    ],
)
def test_moment(seconds, words):
    assert moment(seconds) == words
