"""`ordu worker check`: each thing that can be wrong is a line, with how to mend it."""

import json
import os
import shutil
import time
from collections import namedtuple
from datetime import datetime
from pathlib import Path

import pytest
from tests.unit.cli import drawers

from ordu.cli.worker.checking_horde import check_clock
from ordu.cli.worker.checking_terms import check_terms, gate_of
from ordu.cli.worker.findings import Mark
from ordu.settings import WorkerSettings
from ordu.settings.hours import DAYS
from ordu.worker.gate import Closed
from ordu.worker.terms.pause import Pause
from ordu.worker.terms.running import pause_file_of

KEY = "k" * 22
FERRIS = {"id": 3, "username": "ferris#3", "worker_ids": ["w-1"], "worker_invited": 0}
ATTIC = {"id": "w-1", "name": "attic", "online": False}
NO_SUCH_WORKER = {"message": "There is no such worker.", "rc": "WorkerNotFound"}
MODELS = [
    {"name": "a", "queued": 5e6, "type": "image"},
    {"name": "other", "queued": 9e6, "type": "image"},
    {"name": "b", "queued": 7, "type": "text"},
]
TINY = f"{drawers.HERE}:Tiny"
CHECK = ("worker", "check")


@pytest.fixture
def well(horde):
    """A horde where everything is well, and settings for it."""
    horde.to("GET /status/heartbeat", {"message": "OK"})
    horde.to("GET /status/modes", {"maintenance_mode": False, "invite_only_mode": False})
    horde.to("GET /find_user", FERRIS)
    horde.to("GET /workers/name/attic", ATTIC)
    horde.to("GET /status/models", MODELS)
    settings = {"url": horde.url, "api_key": KEY, "name": "attic", "backend": TINY}
    write(**settings)
    return horde


def write(**settings):
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    path = Path("ordu-worker.toml")
    before = path.read_text("utf-8") if path.exists() else "[worker]\n"
    path.write_text(before + "\n".join(lines) + "\n", encoding="utf-8")
    path.chmod(0o600)


def findings(call, *arguments, **environment):
    """What was found, as (mark, about) → the whole finding; and the exit code."""
    result = call(*CHECK, "--json", *arguments, **environment)
    report = json.loads(result.stdout)
    assert report["works"] == (result.exit_code == 0)
    assert KEY not in result.output
    return {(each["mark"], each["about"]): each for each in report["findings"]}, result.exit_code


def test_all_is_well(call, well):
    result = call(*CHECK)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert {line[0] for line in lines} == {"✓"}
    for words in (
        "✓ settings  ordu-worker.toml",
        "✓ key       it is that of ferris#3",
        "✓ name      attic is yours",
        f"✓ backend   {TINY}: 2 models, pictures up to 589824 pixels; lora, censor, tiling",
        "✓ demand    1 of your 2 models is asked for now: a",
    ):
        assert words in lines
    assert any(line.startswith("✓ picture   512 × 512, 8 steps, a: made in") for line in lines)
    assert any(line.startswith(f"✓ horde     {well.url} answers in ") for line in lines)


@pytest.mark.parametrize(
    ("call_", "answer", "status", "mark", "about", "words"),
    [
        pytest.param(
            "GET /find_user", {"message": "?", "rc": "UserNotFound"}, 404,
            "✗", "key", "nobody with this key", id="unknown key",
        ),
        pytest.param(
            "GET /find_user", {**FERRIS, "id": 0}, 200, "✗", "key", "nobody", id="anonymous",
        ),
        pytest.param(
            "GET /find_user", {**FERRIS, "flagged": True}, 200,
            "✗", "key", "under review", id="flagged user",
        ),
        pytest.param(
            "GET /find_user", {**FERRIS, "deleted": True}, 200,
            "✗", "key", "is deleted", id="deleted user",
        ),
        pytest.param(
            "GET /find_user", {"message": "later"}, 503, "?", "key", "later", id="cannot tell",
        ),
        pytest.param(
            "GET /workers/name/attic", {**ATTIC, "id": "w-9"}, 200,
            "✗", "name", "somebody else's", id="foreign name",
        ),
        pytest.param(
            "GET /workers/name/attic", NO_SUCH_WORKER, 404, "✓", "name", "free", id="free name",
        ),
        pytest.param(
            "GET /workers/name/attic", {"message": "no such path"}, 404,
            "?", "name", "does not tell", id="name on a horde of 2022",
        ),
        pytest.param(
            "GET /workers/name/attic", {**ATTIC, "maintenance_mode": True}, 200,
            "!", "standing", "in maintenance", id="maintenance",
        ),
        pytest.param(
            "GET /workers/name/attic",
            {**ATTIC, "maintenance_mode": True, "messages": [{"message": "hot\x07"}]}, 200,
            "!", "standing", "hot", id="maintenance with a message",
        ),
        pytest.param(
            "GET /workers/name/attic", {**ATTIC, "paused": True}, 200,
            "!", "standing", "paused by a moderator", id="paused",
        ),
        pytest.param(
            "GET /workers/name/attic", {**ATTIC, "suspicious": 2}, 200,
            "!", "standing", "suspicion against the worker (2)", id="suspicious",
        ),
        pytest.param(
            "GET /workers/name/attic", {**ATTIC, "flagged": True}, 200,
            "!", "standing", "under suspicion", id="flagged",
        ),
        pytest.param(
            "GET /status/modes", {"maintenance_mode": True}, 200,
            "!", "modes", "in maintenance", id="horde in maintenance",
        ),
        pytest.param(
            "GET /status/modes", {"message": "no"}, 404, "?", "modes", "not tell", id="no modes",
        ),
        pytest.param(
            "GET /status/models", {"message": "no"}, 404, "?", "demand", "not tell", id="no models",
        ),
        pytest.param(
            "GET /status/models", [], 200, "✓", "demand", "queue is empty", id="empty queue",
        ),
        pytest.param(
            "GET /status/models", MODELS[1:], 200,
            "!", "demand", "0 of your 2 models are asked for now; most waits for other",
            id="others are asked for",
        ),
    ],
)  # fmt: skip
def test_what_a_horde_says(call, well, call_, answer, status, mark, about, words):
    well.to(call_, answer, status=status)
    found, code = findings(call, "--no-picture")
    assert words in found[mark, about]["words"]
    assert code == (1 if mark == "✗" else 0)


def test_everything_that_is_wrong_says_how_to_mend_it(call, well):
    well.to("GET /workers/name/attic", {**ATTIC, "maintenance_mode": True, "paused": True})
    found, _ = findings(call, "--max-pixels", "1000", "--models", "a,z", "--no-picture")
    wrong = [each for (mark, _), each in found.items() if mark in "!✗"]
    assert wrong
    assert all(each["mend"] for each in wrong)


def test_invitation_that_is_missing(call, well):
    well.to("GET /status/modes", {"invite_only_mode": True})
    well.to("GET /workers/name/attic", NO_SUCH_WORKER, status=404)
    found, code = findings(call, "--no-picture")
    assert "by invitation only" in found["✗", "workers"]["words"]
    well.to("GET /find_user", {**FERRIS, "worker_invited": 1})
    found, code = findings(call, "--no-picture")
    assert code == 0


def test_horde_that_does_not_answer(call, well):
    found, code = findings(call, "--url", "http://127.0.0.1:9")
    assert "cannot be reached" in found["✗", "horde"]["words"]
    assert ("✓", "picture") in found  # what can be checked without it is
    assert code == 1


def test_horde_of_2022(call, horde):
    horde.to("GET /status/modes", {"maintenance_mode": False})
    horde.to("GET /find_user", {"username": "ferris#3"})
    horde.to("GET /workers", [{"id": "w-1", "name": "attic"}])
    write(url=horde.url, api_key=KEY, name="attic", backend=TINY)
    found, code = findings(call, "--no-picture")
    assert code == 0
    assert {about for mark, about in found if mark == "?"} == {"name", "demand"}


# -- settings ----------------------------------------------------------------------------------


def test_no_file(call, well):
    Path("ordu-worker.toml").unlink()
    found, code = findings(call, "--no-picture", "--name", "attic", ORDU_API_KEY=KEY)
    assert "ordu worker join URL" in found["!", "settings"]["mend"]
    assert code == 0


def test_file_that_is_not_there(call, well):
    found, code = findings(call, "--config", "nowhere.toml")
    assert "nowhere.toml" in found["✗", "settings"]["words"]
    assert code == 1


@pytest.mark.parametrize("text", ["[worker", "[worker]\njobs = 0\n", "[worker]\ncolour = 1\n"])
def test_settings_that_cannot_be_read(call, well, text):
    Path("ordu-worker.toml").write_text(text, encoding="utf-8")
    found, code = findings(call)
    assert ("✗", "settings") in found
    assert code == 1


def test_key_that_others_can_read(call, well):
    Path("ordu-worker.toml").chmod(0o640)
    found, code = findings(call, "--no-picture")
    assert found["!", "settings"]["mend"] == "chmod 600 ordu-worker.toml"
    assert code == 0


def test_no_key(call, well):
    found, code = findings(call, "--no-picture", "--config", "/dev/null", "--url", well.url)
    assert "no key in the settings" in found["✗", "key"]["words"]
    assert code == 1


# -- backend -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "about", "words"),
    [
        ("Broken", "picture", "CUDA is not there"),
        ("Away", "backend", "Nothing answers"),
        ("Unusable", "backend", "no graphics card"),
        ("Missing", "backend", "is not there"),
        ("Buggy", "backend", "ZeroDivisionError"),
    ],
)
def test_backends_that_do_not_work(call, well, kind, about, words):
    found, code = findings(call, "--backend", f"{drawers.HERE}:{kind}")
    assert words in found["✗", about]["words"]
    assert code == 1


def test_models_that_the_backend_lacks(call, well):
    found, code = findings(call, "--models", "a,y,z", "--no-picture")
    assert "lacks y, z" in found["!", "models"]["words"]
    assert code == 0
    found, code = findings(call, "--models", "y", "--no-picture")
    assert "none of the models y; it has a, b" in found["✗", "models"]["words"]
    assert code == 1


def test_setting_of_the_backend_that_does_not_exist(call, well):
    found, _ = findings(call, "--set", "colour=1", "--no-picture")
    assert "colour=1" in found["✗", "backend"]["words"]


def test_options_may_stand_before_the_command(call, well):
    Path("ordu-worker.toml").rename("mine.toml")
    result = call("worker", "--config", "mine.toml", "check", "--no-picture")
    assert result.exit_code == 0, result.output
    assert "✓ settings  mine.toml" in result.stdout


# -- machine and owner -------------------------------------------------------------------------


def test_full_disk(call, well, monkeypatch):
    usage = namedtuple("usage", "total used free")(10**9, 10**9 - 10**6, 10**6)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    found, code = findings(call, "--no-picture")
    assert ("!", "disk") in found
    assert code == 0


@pytest.mark.parametrize(
    ("ahead_s", "words"),
    [
        (0, None),
        (-600, "s behind the horde's"),
        (600, "s ahead of the horde's"),
    ],
)
def test_clock(well, ahead_s, words):
    """The stand-in dates its answers, as hordes do."""
    found = list(check_clock(well.url, lambda: time.time() + ahead_s))
    assert [each.mark for each in found] == ([Mark.WARNING] if words else [])
    assert all(words in each.words for each in found)


class Gatekeeper:
    """A gate that says what it was told to."""

    def __init__(self, closed):
        self._closed = closed

    async def closed(self):
        return self._closed

    async def changed(self):
        """Never asked here."""


@pytest.mark.parametrize(
    ("gate", "mark"),
    [
        pytest.param(Gatekeeper(None), Mark.GOOD, id="open"),
        pytest.param(Gatekeeper(Closed("on battery", 60)), Mark.WARNING, id="closed"),
        pytest.param(
            Gatekeeper(Closed("its owner said so", float("inf"))), Mark.WARNING, id="paused"
        ),
    ],
)
def test_terms(gate, mark):
    assert [each.mark for each in check_terms(gate)] == [mark]


def test_terms_are_those_of_the_settings_and_of_a_pause(call):
    days_off = DAYS[(datetime.now().astimezone().weekday() + 3) % 7]
    settings = WorkerSettings(name="attic", hours=(days_off,), on_battery=True)
    (found,) = check_terms(gate_of(settings))
    assert "outside its hours until" in found.words
    pause = pause_file_of(settings, os.environ)
    pause.write(Pause(since=0))
    (found,) = check_terms(gate_of(settings))
    assert "paused by its owner" in found.words
    assert "ordu worker resume" in found.mend
