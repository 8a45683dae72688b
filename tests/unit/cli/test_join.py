"""`ordu worker join`: a few questions, each with a default, and a file that is never lost."""

import tomllib
from pathlib import Path

import pytest
from tests.unit.cli import drawers

from ordu.cli.failures import Failure
from ordu.cli.worker.finding import Choice, look_around
from ordu.cli.worker.join import proposed
from ordu.cli.worker.reaching import acceptable, addresses_of
from ordu.settings import WorkerSettings, read

KEY = "k" * 22
NEW_KEY = "n" * 22
FERRIS = {"id": 3, "username": "ferris#3", "worker_ids": ["w-1"]}
ATTIC = {"id": "w-1", "name": "attic", "online": False}
FOREIGN = {"id": "w-9", "name": "attic", "online": True}
NO_SUCH_WORKER = {"message": "There is no such worker.", "rc": "WorkerNotFound"}
FILE = Path("ordu-worker.toml")
JOIN = ("worker", "join", "--no-start", "--no-test", "--backend", "sketch")
TINY = f"{drawers.HERE}:Tiny"


@pytest.fixture
def friendly(horde):
    """A horde that knows ferris and makes new accounts."""
    horde.to("GET /status/heartbeat", {"message": "OK"})
    horde.to("GET /find_user", FERRIS)
    horde.to("POST /register", {"username": "someone#7", "id": 7, "api_key": NEW_KEY})
    for name in ("attic", "cellar", "vm"):
        horde.to(f"GET /workers/name/{name}", NO_SUCH_WORKER, status=404)
    return horde


@pytest.fixture
def person(monkeypatch):
    """Somebody at a terminal of a machine called attic."""
    monkeypatch.setattr("ordu.cli.sure.has_terminal", lambda: True)
    monkeypatch.setattr("platform.node", lambda: "attic.local")
    monkeypatch.setattr("getpass.getuser", lambda: "someone")


@pytest.fixture
def nobody(monkeypatch):
    """The same machine without a terminal."""
    monkeypatch.setattr("platform.node", lambda: "attic.local")
    monkeypatch.setattr("getpass.getuser", lambda: "someone")


def written(path=FILE):
    return tomllib.loads(path.read_text(encoding="utf-8"))


# -- without questions -------------------------------------------------------------------------


def test_yes_takes_every_default(call, friendly, nobody):
    result = call(*JOIN, "--yes")
    assert result.exit_code == 0, result.output
    assert written() == {
        "worker": {
            "url": friendly.url, "api_key": NEW_KEY, "name": "attic", "backend": "sketch",
        }
    }  # fmt: skip
    assert FILE.stat().st_mode & 0o777 == 0o600
    registered = next(each for each in friendly.asked if each.path == "/register")
    assert registered.body == {"username": "someone"}
    assert NEW_KEY not in result.output  # there is no terminal: it would stay in a log
    assert "Start it with: " in result.stdout


def test_what_is_written_is_what_the_worker_reads(call, friendly, nobody):
    call(*JOIN, "--yes", "--blacklist", "a,b", "--hours", "22:00-07:00", "--nsfw", "off")
    settings = read(WorkerSettings, {}, {}).values
    assert (settings.name, settings.api_key) == ("attic", NEW_KEY)
    assert (settings.blacklist, settings.nsfw) == (("a", "b"), False)
    assert settings.hours == ("22:00-07:00",)
    assert "# Words whose requests are not taken.\n" in FILE.read_text()


def test_options_are_answers(call, friendly, nobody):
    friendly.to("GET /workers/name/attic", ATTIC)
    backend = ("--backend", TINY, "--set", "token=hush")
    result = call(*JOIN, "--yes", "--api-key", KEY, "--name", " attic\n", *backend)
    assert result.exit_code == 0, result.output
    assert written()["worker"] | {"url": ""} == {
        "url": "", "api_key": KEY, "name": "attic", "backend": TINY,
    }  # fmt: skip
    assert written()["backends"] == {"Tiny": {"token": "hush"}}
    assert "/register" not in [each.path for each in friendly.asked]
    assert KEY not in result.output


def test_options_may_stand_before_the_command(call, friendly, nobody):
    result = call("worker", "--name", "cellar", "join", "--yes", "--no-start", "--no-test")
    assert result.exit_code == 0, result.output
    assert written()["worker"]["name"] == "cellar"


def test_without_terminal_and_yes(call, friendly):
    result = call(*JOIN)
    assert result.exit_code == 2
    assert "say --yes to take every default" in result.output
    assert not FILE.exists()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        pytest.param(["http://127.0.0.1:9"], 3, "cannot be reached", id="nobody there"),
        pytest.param(["ftp://x"], 2, "is no address of a horde", id="no address"),
        pytest.param(["--api-key", "x" * 22], 1, "can run workers with this key", id="key"),
        pytest.param(["--api-key", "ключ"], 2, "api_key", id="no key at all"),
        pytest.param(["--name", "cellar"], 1, "cellar is somebody else's", id="foreign name"),
        pytest.param(["--name", "\x07"], 2, "visible character", id="no name"),
        pytest.param(["--backend", "nothing"], 2, "no backend 'nothing'", id="no backend"),
        pytest.param(["--set", "x=1"], 2, "--set x=1", id="no such setting of the backend"),
        pytest.param(["--jobs", "0"], 2, "jobs", id="setting out of bounds"),
    ],
)
def test_what_cannot_be_is_said(call, friendly, nobody, arguments, code, words):
    friendly.to("GET /find_user", {"message": "no", "rc": "UserNotFound"}, status=404)
    friendly.to("GET /workers/name/cellar", {**FOREIGN, "name": "cellar"})
    result = call(*JOIN, "--yes", *arguments)
    assert (result.exit_code, FILE.exists()) == (code, False)
    assert words in result.stderr


def test_something_else_answers(call, horde, nobody):
    horde.to("GET /status/heartbeat", "<html>")
    result = call(*JOIN, "--yes")
    assert result.exit_code == 3
    assert f"What answers at {horde.url} is no horde" in result.stderr


def test_a_taken_default_name_gets_a_number(call, friendly, nobody):
    friendly.to("GET /workers/name/attic", FOREIGN)
    friendly.to("GET /workers/name/attic-2", NO_SUCH_WORKER, status=404)
    assert call(*JOIN, "--yes").exit_code == 0
    assert written()["worker"]["name"] == "attic-2"


# -- with questions ----------------------------------------------------------------------------


def test_enter_five_times(call, friendly, person):
    result = call("worker", "join", "--no-start", "--no-test", stdin="\n\n\n\n\n")
    assert result.exit_code == 0, result.output
    assert written()["worker"]["name"] == "attic"
    assert f"shown only now and kept in the settings: {NEW_KEY}" in result.stdout
    assert "Kudos go to someone#7" in result.stdout


def test_wrong_answers_are_asked_again(call, friendly, person):
    friendly.to("GET /find_user", {**FERRIS, "id": 0}, FERRIS)  # the anonymous user, then ferris
    friendly.to("GET /workers/name/attic", FOREIGN)
    friendly.to("GET /workers/name/attic-2", NO_SUCH_WORKER, status=404)
    answers = ["ftp://x", "127.0.0.1:9", friendly.url + "/api/v2/", "a" * 22, KEY, "attic", ""]
    result = call(*JOIN, stdin="\n".join([*answers, ""]))
    assert result.exit_code == 0, result.output
    for words in ("no address of a horde", "cannot be reached", "Nobody at", "somebody else's"):
        assert words in result.stdout
    assert written()["worker"]["url"] == friendly.url
    assert (written()["worker"]["api_key"], written()["worker"]["name"]) == (KEY, "attic-2")
    assert KEY not in result.output


def test_asking_ends(call, friendly, person):
    result = call(*JOIN, stdin="ftp://x\n" * 9)
    assert result.exit_code == 2
    assert "start again when you know more" in result.stderr


def test_own_worker_that_is_online(call, friendly, person):
    friendly.to("GET /workers/name/attic", {**ATTIC, "online": True})
    result = call(*JOIN, friendly.url, "--api-key", KEY, "--backend", "sketch", stdin="\n")
    assert "if it runs elsewhere" in result.stdout
    assert written()["worker"]["name"] == "attic"


# -- hordes without our operations -------------------------------------------------------------


@pytest.fixture
def of_2022(horde):
    """A horde with nothing but the operations of 2022."""
    horde.to("GET /status/modes", {"maintenance_mode": False})
    horde.to("GET /find_user", FERRIS)
    horde.to("GET /workers", [{**FOREIGN, "name": "cellar"}])
    return horde


def test_horde_of_2022(call, of_2022, nobody):
    assert call(*JOIN, "--yes", "--api-key", KEY).exit_code == 0
    assert written()["worker"]["name"] == "attic"
    result = call(*JOIN, "--yes", "--api-key", KEY, "--name", "cellar")
    assert "somebody else's worker" in result.stderr


@pytest.mark.parametrize("status", [404, 405, 501])
def test_horde_that_makes_no_accounts_this_way(call, of_2022, nobody, status):
    of_2022.to("POST /register", {"message": "no"}, status=status)
    result = call(*JOIN, "--yes")
    assert result.exit_code == 1
    assert f"register at {of_2022.url}/register, then say --api-key" in result.stderr


def test_key_that_was_got_otherwise(call, of_2022, person):
    result = call(*JOIN, stdin=f"\n\n\n{KEY}\n\n\n")
    assert result.exit_code == 0, result.output
    assert f"register at {of_2022.url}/register, then come back" in result.stdout
    assert written()["worker"]["api_key"] == KEY


# -- the file ----------------------------------------------------------------------------------

BY_HAND = f"""# mine
[worker]
name = "cellar"
api_key = "{KEY}"
max_pixels = 300000
[server]
port = 7002
[backends.sketchy]
deep = {{ a = [1, 2.5, "x"] }}
"""


def test_defaults_come_from_the_file_and_nothing_is_lost(call, friendly, person):
    FILE.write_text(BY_HAND, encoding="utf-8")
    result = call(*JOIN, stdin="\n\n\n\n")
    assert result.exit_code == 0, result.output
    assert "that of ferris#3" in result.stdout
    assert written() == {
        "worker": {
            "url": friendly.url, "api_key": KEY, "name": "cellar", "backend": "sketch",
            "max_pixels": 300000,
        },
        "server": {"port": 7002},
        "backends": {"sketchy": {"deep": {"a": [1, 2.5, "x"]}}},
    }  # fmt: skip
    copy = Path("ordu-worker.toml.bak")
    assert copy.read_text(encoding="utf-8") == BY_HAND
    assert copy.stat().st_mode & 0o777 == 0o600


def test_joining_again_changes_nothing_and_copies_nothing(call, friendly, nobody):
    call(*JOIN, "--yes")
    before = FILE.read_text(encoding="utf-8")
    assert call(*JOIN, "--yes").exit_code == 0
    assert FILE.read_text(encoding="utf-8") == before
    assert [path.name for path in Path().iterdir()] == [FILE.name]


def test_every_copy_stays(call, friendly, nobody):
    for number in range(3):
        FILE.write_text(f"# {number}\n", encoding="utf-8")
        assert call(*JOIN, "--yes").exit_code == 0
    copies = sorted(path for path in Path().iterdir() if path != FILE)
    assert [path.read_text(encoding="utf-8") for path in copies] == ["# 0\n", "# 1\n", "# 2\n"]


@pytest.mark.parametrize("text", ["[worker", "[worker]\ncolour = 1\n", "[worker]\njobs = 0\n"])
def test_a_file_that_cannot_be_read_is_left_as_it_is(call, friendly, nobody, text):
    FILE.write_text(text, encoding="utf-8")
    assert call(*JOIN, "--yes").exit_code == 2
    assert FILE.read_text(encoding="utf-8") == text


def test_another_file_knows_nothing_of_this_one(call, friendly, nobody):
    FILE.write_text(BY_HAND, encoding="utf-8")
    path = Path("second") / "worker.toml"
    assert call(*JOIN, "--yes", "--config", str(path)).exit_code == 0
    assert "max_pixels" not in written(path)["worker"]
    assert written(path)["worker"]["name"] == "attic"
    assert FILE.read_text(encoding="utf-8") == BY_HAND


def test_environment_names_the_file(call, friendly, nobody):
    assert call(*JOIN, "--yes", ORDU_CONFIG="mine.toml").exit_code == 0
    assert written(Path("mine.toml"))["worker"]["name"] == "attic"
    assert not FILE.exists()


# -- trying it ---------------------------------------------------------------------------------


def test_what_the_test_finds_is_written(call, friendly, nobody):
    result = call("worker", "join", "--yes", "--no-start", "--backend", TINY, "--jobs", "3")
    assert result.exit_code == 0, result.output
    assert "768 × 768, 30 steps, a: " in result.stdout
    assert "kudos an hour at most, if there is always work" in result.stdout
    assert written()["worker"]["jobs"] == 3


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("Broken", "a: CUDA is not there"),
        ("Away", "Nothing answers at nowhere."),
        ("Unusable", "There is no graphics card."),
    ],
)
def test_a_backend_that_makes_nothing(call, friendly, nobody, kind, words):
    result = call("worker", "join", "--yes", "--backend", f"{drawers.HERE}:{kind}")
    assert result.exit_code in {1, 2}
    assert words in result.stderr
    assert "Your answers are kept" in result.stderr
    assert written()["worker"]["backend"].endswith(kind)


# -- plain rules -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("https://a.org/api/v2/", ["https://a.org"]),
        ("http://a.org/api", ["http://a.org"]),
        ("a.org", ["https://a.org", "http://a.org"]),
        ("a.org/horde/api", ["https://a.org/horde", "http://a.org/horde"]),
        ("a.org:443", ["https://a.org:443", "http://a.org:443"]),
        ("a.org:7001", ["http://a.org:7001", "https://a.org:7001"]),
        ("192.168.1.20:7001", ["http://192.168.1.20:7001", "https://192.168.1.20:7001"]),
        ("192.168.1.20", ["http://192.168.1.20", "https://192.168.1.20"]),
        ("8.8.8.8", ["https://8.8.8.8", "http://8.8.8.8"]),
        ("[::1]:7001", ["http://[::1]:7001", "https://[::1]:7001"]),
        ("localhost", ["http://localhost", "https://localhost"]),
        (" nas.local ", ["http://nas.local", "https://nas.local"]),
    ],
)
def test_addresses(text, addresses):
    assert addresses_of(text) == addresses


@pytest.mark.parametrize("text", ["", "http://", "ftp://a.org", "://", "//"])
def test_no_addresses(text):
    with pytest.raises(Failure, match="is no address of a horde"):
        addresses_of(text)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("attic", "attic"),
        ("  my\x00 big\tbox ", "my big box"),
        ("\x07", ""),
        ("x" * 300, "x" * 100),
    ],
)
def test_acceptable_names(name, shown):
    assert acceptable(name) == shown


def test_the_best_comes_first_and_the_painter_last():
    looked = look_around(["sketch", TINY])
    assert [each.words for each in looked.choices[:2]] == ["Tiny elsewhere", "Tiny at home"]
    assert looked.choices[-1].backend == "sketch"
    assert "no neural model" in looked.choices[-1].words


def test_backends_that_hang_or_fail_keep_nobody():
    names = [f"{drawers.HERE}:{kind}" for kind in ("Stuck", "Rude", "Nothing")]
    try:
        looked = look_around([*names, TINY], limit_s=0.5)
    finally:
        drawers.Stuck.forever.set()
    assert {choice.backend for choice in looked.choices} == {TINY}
    assert looked.silent[names[0]] == "it took longer than 0.5 s"
    assert looked.silent[names[1]] == "ZeroDivisionError"
    assert "is not there" in looked.silent[names[2]]


COMFY, PAINTER = Choice("comfyui", "ComfyUI"), Choice("sketch", "sketch")


@pytest.mark.parametrize(
    ("before", "first"),
    [
        pytest.param("sketch", "ComfyUI", id="nothing was chosen yet"),
        pytest.param("comfyui", "ComfyUI", id="what was chosen is found"),
        pytest.param("mine:Own", "mine:Own, as before", id="what was chosen cannot be found"),
    ],
)
def test_what_was_chosen_before_is_proposed_first(before, first):
    choices = proposed([COMFY, PAINTER], before)
    assert choices[0].words == first
    assert choices[-1] is PAINTER
