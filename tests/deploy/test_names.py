"""What stands in `deploy/` is what the program really has: settings, paths, ports, times."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from click import Context
from tests.deploy.conftest import CHART, DEPLOY, ROOT, compose_file, env_example, seconds

from ordu.cli.main import ordu
from ordu.protocol import operations
from ordu.settings import TABLES, ServerSettings, describe
from ordu.settings.reader import read

# Of compose and its proxy, not of the program.
OF_COMPOSE = {"ORDU_SITE", "ORDU_PICTURES_SITE", "ORDU_SUBNET", "ORDU_IMAGE"}

FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file())
PAGES = sorted((ROOT / "docs" / "how-to").glob("run-*.md"))
SETTINGS = {each.environment for each in describe(ServerSettings)}
# Where something else stands in the brackets of a Helm template, it is tested in test_helm.py.
VARIABLE = re.compile(r"\bORDU_[A-Z0-9]+(?:_[A-Z0-9]+)*\b")
PATHS = {row.path for row in operations.TABLE}
CLOSING_S = 15  # what a server has beyond draining and ending before it is killed


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def default(name: str) -> Any:
    return next(each.default for each in describe(ServerSettings) if each.name == name)


@pytest.mark.parametrize("path", [*FILES, *PAGES], ids=relative)
def test_every_variable_that_is_named_is_a_setting(path):
    own = {each.environment for kind in TABLES for each in describe(kind)} | {"ORDU_CONFIG"}
    named = set(VARIABLE.findall(path.read_text(encoding="utf-8")))
    assert named - own - OF_COMPOSE == set()


@pytest.mark.parametrize("path", [*FILES, *PAGES], ids=relative)
def test_every_option_of_ordu_serve_that_is_named_exists(path):
    flags = {each.flag for each in describe(ServerSettings)} | {"--with-worker", "--config"}
    for command in re.findall(r"ordu serve[^\n`]*", path.read_text(encoding="utf-8")):
        assert set(re.findall(r"--[a-z][a-z-]*", command)) <= flags, command


@pytest.mark.parametrize("path", [*FILES, *PAGES], ids=relative)
def test_every_probe_that_is_named_is_an_operation(path):
    named = set(re.findall(r"/(?:readyz|livez|healthz)\b", path.read_text(encoding="utf-8")))
    # /healthz is the storage's.
    assert named - {"/healthz"} <= PATHS


def test_compose_asks_for_every_secret_and_has_none_by_default():
    text = (DEPLOY / "compose" / "compose.yaml").read_text()
    needed = set(re.findall(r"\$\{([A-Z0-9_]+):\?", text))
    optional = set(re.findall(r"\$\{([A-Z0-9_]+):-", text))
    bare = set(re.findall(r"\$\{([A-Z0-9_]+)\}", text))
    example = env_example()
    assert needed | optional == set(example)
    assert bare <= needed
    assert {example[name] for name in needed} == {""}
    assert optional == {"ORDU_PROCESSES", "ORDU_SUBNET", "ORDU_IMAGE"}


def test_compose_hands_the_server_nothing_but_settings_and_the_key_of_the_storage():
    services = compose_file()["services"]
    for name in ("server-1", "server-2"):
        given = set(services[name]["environment"])
        assert given - SETTINGS == {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}


def test_nothing_of_compose_can_be_reached_but_the_proxy():
    services = compose_file()["services"]
    assert [name for name, each in services.items() if "ports" in each] == ["proxy"]
    networks = compose_file()["networks"]
    assert {networks[each].get("internal") for each in services["database"]["networks"]} == {True}


def test_every_service_of_compose_is_pinned_restarted_and_watched():
    for name, each in compose_file()["services"].items():
        if "build" not in each:
            assert re.search(r":v?\d+\.\d+", each["image"]), name
        if name == "bucket":  # ends when it has done its work
            assert each["restart"] == "on-failure:5"
            continue
        assert each["restart"] == "unless-stopped", name
        assert each["healthcheck"]["test"][0] == "CMD", name
        assert "stop_grace_period" in each, name


def test_a_server_of_compose_is_killed_only_after_it_drained_and_ended():
    server = compose_file()["services"]["server-1"]
    environment = server["environment"]
    needed = environment["ORDU_DRAIN_S"] + environment["ORDU_GRACE_S"] + CLOSING_S
    assert seconds(server["stop_grace_period"]) >= needed


def test_the_proxy_sees_that_a_server_drains_before_it_stops():
    text = (DEPLOY / "compose" / "Caddyfile").read_text()
    said = {
        name: seconds(re.findall(rf"\b{name} (\d+s?)", text)[0])
        for name in ("health_interval", "health_timeout", "health_fails")
    }
    worst_s = said["health_fails"] * (said["health_interval"] + said["health_timeout"])
    assert worst_s < compose_file()["services"]["server-1"]["environment"]["ORDU_DRAIN_S"]


def test_the_proxy_lets_in_what_the_servers_take_and_little_more():
    text = (DEPLOY / "compose" / "Caddyfile").read_text()
    horde, pictures = (int(each) * 1024**2 for each in re.findall(r"max_size (\d+)MiB", text))
    for most, setting in ((horde, "request_body_bytes_max"), (pictures, "picture_bytes_max")):
        assert default(setting) < most <= default(setting) + 1024**2


def test_everybody_means_the_port_that_the_image_listens_on():
    containerfile = (DEPLOY / "Containerfile").read_text()
    assert default("port") == int(re.findall(r"^EXPOSE (\d+)$", containerfile, re.M)[0])
    caddyfile = (DEPLOY / "compose" / "Caddyfile").read_text()
    assert re.findall(r"server-\d:(\d+)", caddyfile) == [str(default("port"))] * 2
    check = compose_file()["services"]["server-1"]["healthcheck"]["test"]
    assert f"127.0.0.1:{default('port')}/readyz" in check[-1]
    deployment = (CHART / "templates" / "deployment.yaml").read_text()
    assert f"containerPort: {default('port')}" in deployment


def test_the_user_of_the_image_is_the_one_of_the_chart():
    containerfile = (DEPLOY / "Containerfile").read_text()
    (user, group) = re.findall(r"^USER (\d+):(\d+)$", containerfile, re.M)[0]
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    context = values["podSecurityContext"]
    assert (context["runAsUser"], context["runAsGroup"]) == (int(user), int(group))


def test_systemd_kills_only_after_the_server_drained_and_ended():
    unit = (DEPLOY / "systemd" / "ordu.service").read_text()
    said = dict(re.findall(r"(ORDU_DRAIN_S|ORDU_GRACE_S|TimeoutStopSec)=(\d+)", unit))
    needed = int(said["ORDU_DRAIN_S"]) + int(said["ORDU_GRACE_S"]) + CLOSING_S
    assert int(said["TimeoutStopSec"]) >= needed


def test_the_example_for_systemd_is_taken_once_it_is_filled_in(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    lines = (DEPLOY / "systemd" / "ordu.env.example").read_text().splitlines()
    given = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert set(given) - SETTINGS == {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
    assert [name for name, value in given.items() if not value] == [
        "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "ORDU_SECRET", "ORDU_ADMIN_KEY",
    ]  # fmt: skip
    of_other_stores = {"ORDU_DATABASE", "ORDU_IMAGES", "ORDU_PROCESSES"}
    usable = {name: value for name, value in given.items() if name not in of_other_stores}
    assert read(ServerSettings, {}, usable).values.public_url == "https://horde.example.org"


def test_the_build_gets_what_it_copies_and_nothing_else():
    containerfile = (DEPLOY / "Containerfile").read_text()
    copied = {
        name
        for line in re.findall(r"^COPY (?!--)(.+) \S+$", containerfile, re.M)
        for name in line.split()
    }
    let_in = (DEPLOY / "Containerfile.dockerignore").read_text().splitlines()
    assert let_in[1] == "*"
    assert {line[1:] for line in let_in if line.startswith("!")} == copied
    assert all((ROOT / name).exists() for name in copied)


def test_the_chart_is_of_this_version():
    from ordu import __version__

    assert yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"] == __version__


def test_every_setting_in_the_values_of_the_chart_exists():
    text = (CHART / "values.yaml").read_text()
    block = text.split("\nsettings:\n")[1].split("\n\n")[0]
    names = re.findall(r"^ +(?:# )?([a-z_]+):", block, re.M)
    assert {f"ORDU_{name.upper()}" for name in names} <= SETTINGS
    assert names


def test_the_backup_under_systemd_is_of_that_horde_and_its_commands_are_taken():
    server = (DEPLOY / "systemd" / "ordu.service").read_text()
    unit = (DEPLOY / "systemd" / "ordu-backup.service").read_text()
    for line in ("DynamicUser=yes", "User=ordu", "EnvironmentFile=/etc/ordu/ordu.env"):
        assert line in server.splitlines()
        assert line in unit.splitlines()
    assert "ORDU_DATA=/var/lib/ordu" in server
    assert "ORDU_DATA=/var/lib/ordu " in unit
    for words in re.findall(r"^ExecStart=/opt/ordu/\.venv/bin/ordu (.*)$", unit, re.M):
        check_taken(words.split())


def check_taken(words: list[str]) -> None:
    """Such a command exists, with these options."""
    name, *given = words
    loaded = ordu.get_command(Context(ordu), name)
    assert loaded is not None
    assert loaded.make_context(name, given).params


def test_the_job_that_backs_up_on_kubernetes_is_of_the_chart():
    page = (ROOT / "docs" / "how-to" / "back-up-and-restore.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```yaml\n(.*?)^```", page, re.M | re.S)
    pod = yaml.safe_load(block)["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    user, group = re.findall(r"^USER (\d+):(\d+)$", (DEPLOY / "Containerfile").read_text(), re.M)[0]
    assert (pod["securityContext"]["runAsUser"], pod["securityContext"]["fsGroup"]) == (
        int(user), int(group),
    )  # fmt: skip
    for container in (*pod["initContainers"], *pod["containers"]):
        assert container["command"][0] == "ordu"
        check_taken(container["command"][1:])
        assert container["envFrom"] == [
            {"configMapRef": {"name": "horde-ordu"}}, {"secretRef": {"name": "ordu-secrets"}},
        ]  # fmt: skip
