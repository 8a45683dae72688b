"""What `ordu serve` says when it has started."""

import json

import pytest

from ordu.cli.serve import hint_for_others, tell, write_ready_file
from ordu.server.listening import Started
from ordu.settings import ServerSettings

URL = "http://127.0.0.1:7005"
KEY = "administrator-key-0022"


def a_started(key: str | None = KEY) -> Started:
    return Started(URL, URL, "horde", key, 30.0)


def test_the_first_start_shows_the_key_once(capsys):
    tell(a_started(), ServerSettings())
    tell(a_started(None), ServerSettings())
    assert capsys.readouterr().out.count(KEY) == 1


def test_start_says_how_to_go_on(capsys):
    tell(a_started(), ServerSettings())
    said = capsys.readouterr().out
    assert f"is up at {URL}\n" in said
    assert f'ordu generate "dunes at sunset" --url {URL}\n' in said
    assert f"ordu worker join {URL}\n" in said
    assert "stop        Ctrl-C\n" in said


def test_start_says_where_everything_is(capsys):
    database = "postgresql://ordu:hunter2@db/horde"
    tell(a_started(), ServerSettings(database=database))
    said = capsys.readouterr().out
    assert "database    postgresql://ordu:…@db/horde\n" in said
    assert "NAME --data horde --database 'postgresql://ordu:…@db/horde'\n" in said
    assert "hunter2" not in said
    tell(a_started(), ServerSettings())
    assert "database" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        pytest.param({}, "Only this machine reaches it", id="on loopback"),
        pytest.param({"host": "0.0.0.0"}, "links to pictures lead to", id="everywhere"),
        pytest.param({"public_url": "https://horde.example.org"}, "", id="behind a proxy"),
        pytest.param({"host": "10.1.2.3"}, "", id="on one address of a network"),
    ],
)
def test_hint_for_others(settings, words):
    hint = hint_for_others(ServerSettings(**settings))
    assert words in hint if words else hint == ""


def test_ready_file_is_for_its_owner_only(tmp_path):
    path = tmp_path / "ready.json"
    write_ready_file(path, a_started())
    assert json.loads(path.read_text("utf-8")) == {"url": URL, "admin_key": KEY}
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]
