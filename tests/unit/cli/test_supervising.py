"""What `ordu serve --processes N` makes of its options, before it starts anything."""

from pathlib import Path

import msgspec
import pytest

from ordu.cli.serve import serve, tell_supervisor
from ordu.cli.supervising import check_may_share, same_command
from ordu.server.listening import Started
from ordu.settings import ServerSettings, SettingError, read


@pytest.mark.parametrize("database", ["", "sqlite:///a.db"])
def test_several_processes_cannot_share_sqlite(database):
    check_may_share(ServerSettings(database=database))
    with pytest.raises(SettingError) as caught:
        check_may_share(ServerSettings(database=database, processes=2))
    assert "2 server processes cannot share SQLite" in str(caught.value)
    assert "--database postgresql://" in str(caught.value)


def test_several_processes_can_share_another_database():
    check_may_share(ServerSettings(database="postgresql://ordu@db/horde", processes=64))


def test_every_process_gets_the_options_that_we_got():
    given = {"data": "-a folder", "port": "0", "migrate": "off", "tax": None, "drain_s": "5"}
    words = same_command(given, Path("my.toml"))
    assert words[0] == "serve"
    parsed = serve.make_context("serve", words[1:]).params
    config = parsed.pop("config")
    assert config == Path("my.toml")
    options = {name: text for name, text in parsed.items() if name in given}
    assert options == given
    values = read(ServerSettings, options, {}).values
    assert (values.data, values.migrate, values.drain_s) == ("-a folder", False, 5)


def test_without_options_nothing_is_added():
    assert same_command(dict.fromkeys(("data", "port")), None) == ["serve"]


def test_a_supervisor_understands_what_a_server_tells_it(capfdbinary):
    started = Started("http://a", "http://b", "horde", "key", 26.5)
    tell_supervisor(started)
    line = capfdbinary.readouterr().out
    assert line.count(b"\n") == 1
    assert msgspec.json.decode(line, type=Started) == started


def test_a_supervisor_understands_a_newer_server():
    line = (
        b'{"url":"a","local_url":"b","data":"c","new_admin_key":null,"stops_within_s":1,"more":2}'
    )
    assert msgspec.json.decode(line, type=Started).stops_within_s == 1
