"""Every setting comes from the first place that gives it, or one clear line says what is wrong."""

import re
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordu.settings import (
    TABLES,
    ClientSettings,
    Factor,
    ServerSettings,
    SettingError,
    Source,
    WorkerSettings,
    as_text,
    describe,
    read,
    reader,
)

KINDS = tuple(TABLES)
KEY = "abcdefghijklmnopqrst-_"


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def value_of(name, given, kind=ServerSettings):
    return getattr(read(kind, {name: given}, {}).values, name)


def refusal_of(kind=ServerSettings, flags=None, environ=None, file=None):
    with pytest.raises(SettingError) as caught:
        read(kind, flags or {}, environ or {}, file)
    line = str(caught.value)
    assert line.isprintable(), line
    assert len(line) < 600
    return line


@pytest.mark.parametrize("kind", KINDS)
def test_without_anything_every_setting_has_its_default(kind):
    reading = read(kind, {}, {})
    assert reading.values == kind()
    assert set(reading.origins) == set(kind.__struct_fields__)
    assert {origin.source for origin in reading.origins.values()} == {Source.DEFAULT}


@pytest.mark.parametrize("kind", KINDS)
def test_every_default_is_within_its_bounds(kind):
    for setting in describe(kind):
        assert value_of(setting.name, setting.default, kind) == setting.default


def test_the_first_place_that_gives_a_value_counts():
    file = Path("mine.toml")
    file.write_text("[server]\nport = 1\nhost = 'file'\ndata = 'file'\ngrace_s = 1\n")
    environ = {"ORDU_PORT": "2", "ORDU_HOST": "environment", "ORDU_DATA": ""}
    reading = read(ServerSettings, {"port": 3, "host": None}, environ, file)
    values, origins = reading.values, reading.origins
    assert (values.port, values.host, values.data, values.grace_s) == (3, "environment", "file", 1)
    assert str(origins["port"]) == "flag --port"
    assert str(origins["host"]) == "environment ORDU_HOST"
    assert str(origins["data"]) == "mine.toml [server] data"
    assert str(origins["tax"]) == "default"
    assert origins["data"].source is Source.FILE


@pytest.mark.parametrize(
    ("environ", "file", "expected"),
    [
        pytest.param({}, None, "here", id="the file that lies here"),
        pytest.param({"ORDU_CONFIG": "other.toml"}, None, "other", id="the one of ORDU_CONFIG"),
        pytest.param({"ORDU_CONFIG": "other.toml"}, Path("x/third.toml"), "third", id="--config"),
        pytest.param({"ORDU_CONFIG": ""}, None, "here", id="an empty ORDU_CONFIG names none"),
    ],
)
def test_one_file_is_read(environ, file, expected):
    Path("x").mkdir()
    for name in ("ordu.toml", "other.toml", "x/third.toml"):
        word = {"ordu.toml": "here", "other.toml": "other"}.get(name, "third")
        Path(name).write_text(f"[worker]\nname = '{word}'\n")
    assert read(WorkerSettings, {}, environ, file).values.name == expected


def test_each_program_reads_its_own_table():
    Path("ordu.toml").write_text(
        "[server]\nport = 0\n[worker]\nurl = 'http://a'\nmodels = ['x', 'y, z']\n"
        "[client]\nurl = 'http://b'\n"
    )
    assert read(ServerSettings, {}, {}).values.port == 0
    assert read(WorkerSettings, {}, {}).values.url == "http://a"
    assert read(WorkerSettings, {}, {}).values.models == ("x", "y, z")
    assert read(ClientSettings, {}, {}).values.url == "http://b"


@pytest.mark.parametrize("word", ["on", "true", "YES", "1", " On "])
def test_words_for_on(word):
    assert value_of("anonymous", word) is True


@pytest.mark.parametrize("word", ["off", "false", "No", "0"])
def test_words_for_off(word):
    assert value_of("anonymous", word) is False


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("port", "0", 0),
        ("port", " 65535 ", 65535),
        ("tax", "0.25", 0.25),
        ("tax", ".5", 0.5),
        ("tax", 1, 1.0),
        ("tax", "1e-3", 0.001),
        ("tax", "1e+0", 1.0),
        ("trusted_proxies", "10.0.0.0/8, ::1,", ("10.0.0.0/8", "::1")),
        ("trusted_proxies", ["127.0.0.1"], ("127.0.0.1",)),
        ("factors", "loras=2, source_image = 1.5", {"loras": 2.0, "source_image": 1.5}),
        ("factors", {"loras": 3}, {"loras": 3.0}),
        ("admin_key", KEY, KEY),
        ("secret", "s" * 22, "s" * 22),
        ("database", "sqlite:////var/lib/horde.db", "sqlite:////var/lib/horde.db"),
        ("images", "file:///var/lib/pictures", "file:///var/lib/pictures"),
        ("images", "s3://bucket", "s3://bucket"),
        (
            "images",
            "s3://b/p/q?endpoint=http://h:9&region=x",
            "s3://b/p/q?endpoint=http://h:9&region=x",
        ),
        ("public_url", "https://horde.example.org/below/", "https://horde.example.org/below/"),
        ("log_format", "json", "json"),
        ("migrate", False, False),
        ("data", "a folder", "a folder"),
    ],
)
def test_what_is_allowed(name, given, expected):
    assert value_of(name, given) == expected


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("port", "70000", "70000 is not allowed; it takes a whole number from 0 to 65535."),
        ("port", "-1", "-1 is not"),
        ("port", "80.0", "a whole number"),
        ("port", "http", "http is not allowed"),
        ("port", 10**40, "is not allowed"),
        ("port", "9" * 5000, "999... is not allowed"),
        ("port", True, "on is not allowed"),
        ("anonymous", "perhaps", "perhaps is not allowed; it takes on or off."),
        ("anonymous", 1, "on or off"),
        ("tax", "1.5", "a number from 0 to 1."),
        ("tax", "nan", "a number"),
        ("tax", float("nan"), "nan is not allowed"),
        ("tax", "1e999", "a number"),
        ("trusted_proxies", "10.0.0.1/8", "addresses or networks"),
        ("trusted_proxies", "localhost", "localhost is not allowed"),
        ("trusted_proxies", [1], "addresses or networks"),
        ("factors", "loras", "name=number"),
        ("factors", "sdxl=2", "worker_blacklist"),
        ("factors", "loras=-1", "from 0 to 1000"),
        ("factors", {"loras": float("inf")}, "loras=inf"),
        ("processes", 65, "a whole number from 1 to 64"),
        ("drain_s", -1, "a whole number from 0 to 600"),
        ("database", "mysql://ordu@db/horde", "sqlite:///PATH"),
        ("database", "sqlite:///:memory:", "sqlite:///PATH"),
        ("database", "sqlite:///", "sqlite:///PATH"),
        ("database", "horde.db", "sqlite:///PATH"),
        ("images", "s3://", "s3://BUCKET"),
        ("images", "s3://bucket/a#b", "AWS_ACCESS_KEY_ID"),
        ("images", "file://host/folder", "file:///FOLDER"),
        ("public_url", "horde.example.org", "https://horde.example.org"),
        ("public_url", "https://a/?b", "https://horde.example.org"),
        ("log_level", "loud", "one of debug"),
        ("data", "", "nothing is not allowed"),
        ("request_lifetime_s", 59, "from 60 to 86400"),
    ],
)
def test_what_is_not_allowed_is_said_in_one_line(name, given, words):
    flag = "--" + name.replace("_", "-")
    line = refusal_of(flags={name: given})
    assert line.startswith(f"Setting {name} (flag {flag}): ")
    assert words in line


@pytest.mark.parametrize("name", ["admin_key", "secret"])
@pytest.mark.parametrize("given", ["hunter2", "ü" * 30, "x" * 5000, 12345, ["hunter2"]])
def test_a_secret_is_never_repeated(name, given):
    line = refusal_of(flags={name: given})
    assert "the value given (not shown)" in line
    for part in ("hunter2", "ü", "xxx", "12345"):
        assert part not in line


@pytest.mark.parametrize("key", [KEY[:-1], KEY + "a", KEY[:-1] + "+", KEY + "\n\n"])
def test_an_administrators_key_has_exactly_22_characters(key):
    if key.strip() != KEY:
        assert "exactly 22" in refusal_of(environ={"ORDU_ADMIN_KEY": key})


def test_a_password_in_a_url_is_never_repeated():
    line = refusal_of(environ={"ORDU_DATABASE": "mysql://ordu:hunter2@db/horde"})
    assert "hunter2" not in line
    assert "mysql://(not shown)@db/horde" in line


def test_a_password_in_a_url_is_never_shown():
    values = read(ServerSettings, {"database": "postgresql://ordu:hunter2@db/horde"}, {}).values
    assert "hunter2" not in repr(values)
    assert "database=postgresql://ordu:…@db/horde" in repr(values)


def test_what_would_break_the_line_is_shown_harmless():
    assert "a?[31mb?c" in refusal_of(flags={"port": "a\x1b[31mb\nc"})


def test_secrets_are_neither_shown_nor_printed():
    values = read(ServerSettings, {"admin_key": KEY}, {"ORDU_SECRET": "s" * 30}).values
    text = repr(values) + str([setting.shown_in(values) for setting in describe(ServerSettings)])
    assert KEY not in text
    assert "sss" not in text
    assert "admin_key=(set)" in repr(values)
    assert "api_key=(not set)" in repr(WorkerSettings())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(
            "[server]\nprot = 1",
            "[server]: the setting prot is unknown; did you mean port?",
            id="a key",
        ),
        pytest.param(
            "[sever]\nport = 1", "the table sever is unknown; did you mean server?", id="a table"
        ),
        pytest.param(
            "port = 1",
            "the table port is unknown; known are server, worker, client, backends.",
            id="no table",
        ),
        pytest.param("[server]\nrate-limits = 'off'", "did you mean rate_limits?", id="a dash"),
        pytest.param("server = 1", "write its settings below [server]", id="no table of that name"),
        pytest.param("[server", "is not TOML", id="not TOML"),
        pytest.param(
            "[server]\nport = 70000", "Setting port (ordu.toml [server] port): 70000", id="a value"
        ),
        pytest.param("[server]\ntax = nan", "nan is not allowed", id="not a number"),
        pytest.param("[server]\nport = {}", "Setting port", id="a table for a number"),
        pytest.param("[server]\nport = 2026-11-23", "2026-11-23 is not allowed", id="a date"),
        pytest.param("[server]\nadmin_key = 99", "(not shown)", id="a number for a key"),
    ],
)
def test_a_wrong_file_is_said_in_one_line(content, words):
    Path("ordu.toml").write_text(content)
    assert words in refusal_of()


def test_a_file_that_cannot_be_read_is_said_in_one_line():
    assert "none.toml: No such file" in refusal_of(file=Path("none.toml"))
    assert "none.toml: No such file" in refusal_of(environ={"ORDU_CONFIG": "none.toml"})
    assert "Is a directory" in refusal_of(file=Path())
    Path("bytes.toml").write_bytes(b"\xff\xfe[server]")
    assert "is not TOML" in refusal_of(file=Path("bytes.toml"))


@pytest.mark.parametrize("name", ["ORDU_PROT", "ORDU_DATABSE", "ORDU_RATE_LIMIT", "ORDU_ADMINKEY"])
def test_a_misspelt_variable_stops_the_start(name):
    assert "did you mean ORDU_" in refusal_of(environ={name: "x"})


@pytest.mark.parametrize("name", ["ORDU_BRANCH", "ORDU_TEST_POSTGRES", "ORDU_URL", "PORT", "ORDU"])
def test_other_variables_are_left_alone(name):
    assert read(ServerSettings, {}, {name: "x"}).values == ServerSettings()


def test_a_flag_that_is_no_setting_is_a_mistake_in_the_program():
    with pytest.raises(TypeError, match="ServerSettings has no prot"):
        read(ServerSettings, {"prot": 1}, {})


@pytest.mark.parametrize("kind", KINDS)
def test_everything_is_described(kind):
    for setting in describe(kind):
        assert re.fullmatch(r"[A-Z].*\.", setting.description), setting
        assert setting.type_words
        assert re.fullmatch(r"--[a-z0-9]+(-[a-z0-9]+)*", setting.flag)
        assert setting.environment == f"ORDU_{setting.name.upper()}"


def test_descriptions_name_the_flags_of_the_manual():
    settings = {setting.name: setting for setting in describe(ServerSettings)}
    assert settings["public_url"].flag == "--public-url"
    assert (settings["migrate"].flag, settings["migrate"].is_switch) == ("--no-migrate", True)
    assert [name for name, each in settings.items() if each.is_secret] == [
        "admin_key",
        "secret",
        "oidc_client_secrets",
        "metrics_token",
    ]
    assert settings["port"].default == 7001
    assert settings["port"].type_words == "a whole number from 0 to 65535"
    assert settings["factors"].default == {}


@given(
    port=st.integers(0, 65535),
    anonymous=st.booleans(),
    tax=st.floats(0, 1).map(lambda number: round(number, 9)),
    factors=st.dictionaries(st.sampled_from(get_args(Factor)), st.integers(0, 1000)),
    proxies=st.lists(st.ip_addresses().map(str), max_size=4),
)
def test_what_is_shown_can_be_given_back(port, anonymous, tax, factors, proxies):
    values = ServerSettings(
        port=port,
        anonymous=anonymous,
        tax=tax,
        factors=factors,
        trusted_proxies=tuple(proxies),
    )
    shown = {
        each.environment: each.shown_in(values)
        for each in describe(ServerSettings)
        if not each.is_secret
    }
    assert read(ServerSettings, {}, shown).values == values


def line_about(setting, text):
    try:
        reader._value(setting, text, "flag")
    except SettingError as error:
        return str(error)
    return "a value"


@given(st.text(max_size=60))
def test_any_text_is_a_value_or_one_line(text):
    for setting in (each for kind in KINDS for each in describe(kind)):
        assert line_about(setting, text).isprintable()


def test_text_of_values():
    assert [as_text(value) for value in (True, False, 3, 0.5, 1.0, "x", (), ("a", "b"))] == [
        "on",
        "off",
        "3",
        "0.5",
        "1",
        "x",
        "",
        "a,b",
    ]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, "http://127.0.0.1:8000"),
        ({"host": "0.0.0.0"}, "http://127.0.0.1:8000"),
        ({"host": "::"}, "http://[::1]:8000"),
        ({"host": "horde.lan"}, "http://horde.lan:8000"),
        ({"public_url": "https://horde.example.org/below/"}, "https://horde.example.org/below"),
    ],
)
def test_the_public_address(values, expected):
    assert ServerSettings(**values).public_url_at(8000) == expected


def test_where_things_are_kept(in_an_empty_folder):
    here = ServerSettings(data="my horde")
    assert here.database_path() == Path("my horde/horde.sqlite3")
    assert here.pictures_url() == (in_an_empty_folder / "my horde" / "pictures").as_uri()
    there = ServerSettings(database="sqlite:////a/b.db", images="file:///c")
    assert there.database_path() == Path("/a/b.db")
    assert there.pictures_url() == "file:///c"
    assert ServerSettings(database="sqlite:///b.db").database_path() == Path("b.db")
