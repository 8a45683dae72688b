"""Each file of `deploy/` is read by the program it is for, or by that program's own linter."""

import re
import shutil
import textwrap
from pathlib import Path

import pytest
import yaml
from tests.deploy.conftest import DEPLOY, ENV, ROOT, env_example, run, tool

COMPOSE = DEPLOY / "compose"
SYSTEMD = DEPLOY / "systemd"
UNITS = ("ordu.service", "ordu-backup.service")


def test_compose_takes_the_file_once_the_secrets_are_filled_in():
    done = run(tool("docker-compose"), "config", "--format", "yaml", cwd=COMPOSE, env=ENV)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    services = yaml.safe_load(done.stdout)["services"]
    server = services["server-1"]["environment"]
    assert server["ORDU_DATABASE"] == "postgresql://ordu:databasepassword@database/ordu"
    assert server["ORDU_PUBLIC_URL"] == "https://localhost"
    assert "$" not in done.stdout.replace("$$1", "")
    assert services["server-1"]["stop_grace_period"] == "45s"


@pytest.mark.parametrize("name", [each for each, value in env_example().items() if not value])
def test_compose_refuses_to_start_without(name):
    given = {each: value for each, value in ENV.items() if each != name}
    done = run(tool("docker-compose"), "config", "--quiet", cwd=COMPOSE, env=given)
    assert done.returncode != 0
    assert f"required variable {name} is missing a value: fill it in in .env" in done.stderr


def test_the_command_of_the_page_makes_an_env_file_that_compose_takes(tmp_path):
    page = (ROOT / "docs" / "how-to" / "run-with-compose.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"^ *```sh secrets\n(.*?)^ *```", page, re.M | re.S)
    for each in (*COMPOSE.glob("*"), COMPOSE / ".env.example"):
        shutil.copy(each, tmp_path)
    done = run("sh", "-euc", textwrap.dedent(command), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    made = dict(
        line.split("=", 1)
        for line in (tmp_path / ".env").read_text().splitlines()
        if line and not line.startswith("#")
    )
    assert set(made) == set(ENV)
    assert re.fullmatch(r"[A-Za-z0-9]{22}", made["ORDU_ADMIN_KEY"])
    assert re.fullmatch(r"[0-9a-f]{64}", made["ORDU_SECRET"])
    assert len({value for name, value in made.items() if "SITE" not in name}) == 5
    assert (tmp_path / ".env").stat().st_mode & 0o077 == 0
    done = run(tool("docker-compose"), "config", "--quiet", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_caddy_takes_its_file(tmp_path):
    here = {**ENV, "HOME": str(tmp_path)}
    done = run(
        tool("caddy"), "validate", "--adapter", "caddyfile", "--config", COMPOSE / "Caddyfile",
        env=here,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert '"level":"warn"' not in done.stderr


def test_caddys_file_has_the_shape_that_caddy_gives_it():
    text = (COMPOSE / "Caddyfile").read_text()
    done = run(tool("caddy"), "fmt", "-", text=text)
    assert done.stdout == text


def test_the_caddy_that_is_tested_is_of_the_line_that_is_deployed():
    said = run(tool("caddy"), "version").stdout
    image = re.findall(r"image: caddy:(\d+\.\d+)", (COMPOSE / "compose.yaml").read_text())
    assert image == [re.findall(r"v(\d+\.\d+)", said)[0]]


def test_hadolint_finds_nothing_in_the_containerfile():
    done = run(tool("hadolint"), "--failure-threshold", "style", DEPLOY / "Containerfile")
    assert (done.returncode, done.stdout) == (0, "")


def systemd_analyze() -> str:
    found = shutil.which("systemd-analyze")
    if found is None:
        pytest.skip("systemd-analyze is not here; apt-get install systemd, or make setup-tools")
    return found


@pytest.mark.parametrize("name", [*UNITS, "ordu-backup.timer"])
def test_systemd_takes_the_unit(tmp_path: Path, name):
    # The program has to be there for systemd, and a linter's machine does not have it.
    for each in (*UNITS, "ordu-backup.timer"):
        text = (SYSTEMD / each).read_text()
        (tmp_path / each).write_text(text.replace("/opt/ordu/.venv/bin/ordu", "/bin/true"))
    done = run(systemd_analyze(), "verify", "--man=no", tmp_path / name)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", UNITS)
def test_systemd_finds_the_unit_well_shut_off(name):
    unit = SYSTEMD / name
    done = run(
        systemd_analyze(), "security", "--offline=true", "--threshold=15", "--no-pager", unit
    )
    assert done.returncode == 0, done.stdout[-200:] + done.stderr
