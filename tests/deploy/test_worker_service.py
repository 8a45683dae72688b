"""The unit that `ordu worker service` writes is one that systemd takes."""

from pathlib import Path

import pytest
from tests.deploy.conftest import run
from tests.deploy.test_lint import systemd_analyze

from ordu.cli.worker.service import unit_name, unit_text


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        pytest.param(None, "plain", id="the usual one"),
        pytest.param("attic", "plain", id="one of several"),
        pytest.param(None, "my %n files, $HOME \"x\" 'y' ä", id="in a folder with a strange name"),
    ],
)
def test_systemd_takes_the_unit_of_a_worker(tmp_path: Path, name, folder):
    (tmp_path / folder).mkdir()
    unit = tmp_path / unit_name(name)
    unit.write_text(unit_text(unit.name, tmp_path / folder / "ordu-worker.toml"))
    done = run(
        systemd_analyze(), "--user", "verify", "--man=no", unit,
        env={"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_systemd_would_have_said_what_it_does_not_know(tmp_path: Path):
    unit = tmp_path / "ordu-worker.service"
    text = unit_text(unit.name, tmp_path / "ordu-worker.toml")
    unit.write_text(text.replace("Restart=on-failure", "Restart=now-and-then"))
    done = run(
        systemd_analyze(), "--user", "verify", "--man=no", unit,
        env={"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)},
    )  # fmt: skip
    assert "now-and-then" in done.stderr
