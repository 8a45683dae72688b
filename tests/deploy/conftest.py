"""What the tests of `deploy/` share: its files, and the linters of `make setup-tools`."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
CHART = DEPLOY / "helm" / "ordu"
TOOLS = ROOT / ".venv-tools"

# A whole .env; the names are those of .env.example.
ENV: Mapping[str, str] = {
    "ORDU_SITE": "localhost",
    "ORDU_PICTURES_SITE": "pictures.localhost",
    "POSTGRES_PASSWORD": "databasepassword",
    "S3_ACCESS_KEY": "storagekey",
    "S3_SECRET_KEY": "storagesecret",
    "ORDU_SECRET": "a-secret-only-for-tests",
    "ORDU_ADMIN_KEY": "abcdefghijklmnopqrst-_",
}
# The least a release of the chart needs.
NEEDED: Mapping[str, Any] = {
    "publicUrl": "https://horde.example.org",
    "images": "s3://pictures?endpoint=https://s3.example.org&region=eu-1",
    "secret": {
        "database": "postgresql://ordu:pw@db.example.org/ordu",
        "horde": "a-secret-only-for-tests",
        "adminKey": "abcdefghijklmnopqrst-_",
        "s3AccessKey": "storagekey",
        "s3SecretKey": "storagesecret",
    },
}


def tool(name: str) -> Path:
    """The linter of that name; without it the test is skipped and says how to get it."""
    if (TOOLS / ".why-not").exists():
        why = (TOOLS / ".why-not").read_text()[-500:]
        pytest.skip(f"the linters of deploy/ could not be installed: {why}")
    if not (TOOLS / ".made").exists():
        pytest.skip("the linters of deploy/ have an environment of their own: make setup-tools")
    return TOOLS / "bin" / name


def run(
    *command: str | Path, cwd: Path = ROOT, env: Mapping[str, str] | None = None, text: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end; of our own environment it gets what every program needs."""
    base = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    return subprocess.run(
        [str(each) for each in command],
        cwd=cwd, env=base | dict(env or {}), input=text, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip


def compose_file() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((DEPLOY / "compose" / "compose.yaml").read_text())
    return read


def env_example() -> dict[str, str]:
    """The variables of .env.example; those that are commented out as well."""
    lines = (DEPLOY / "compose" / ".env.example").read_text().splitlines()
    pairs = (line.removeprefix("#").partition("=") for line in lines if "=" in line)
    return {name: value for name, _, value in pairs if name.isidentifier()}


def seconds(text: str) -> int:
    """A time as compose and systemd say it, in whole seconds."""
    return int(text.removesuffix("s"))


def rendered(tmp_path: Path, values: Mapping[str, Any], *options: str) -> list[dict[str, Any]]:
    """What the chart makes of these values."""
    done = template(tmp_path, values, *options)
    assert done.returncode == 0, done.stderr
    return [each for each in yaml.safe_load_all(done.stdout) if each]


def template(
    tmp_path: Path, values: Mapping[str, Any], *options: str
) -> subprocess.CompletedProcess[str]:
    file = tmp_path / "values.json"
    file.write_text(json.dumps(dict(values)))
    return run(tool("helm"), "template", "a", CHART, "--values", file, *options)
