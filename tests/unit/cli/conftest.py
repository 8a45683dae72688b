"""Commands called in this process, in an empty folder, without settings from outside."""

import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.unit.cli.answering import Answering, answering

from ordu.cli.logs import TALKATIVE
from ordu.cli.main import ordu

Call = Callable[..., Result]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    for name in list(os.environ):
        if name.startswith("ORDU_"):
            monkeypatch.delenv(name)
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)

    def called(*arguments: str, stdin: str | bytes | None = None, **environment: str) -> Result:
        return CliRunner().invoke(ordu, arguments, input=stdin, env=environment, prog_name="ordu")

    return called


@pytest.fixture(autouse=True)
def logging_put_back() -> Iterator[None]:
    """Commands set up the logging of their process, which here is that of all tests."""
    root = logging.getLogger()
    before = (root.level, root.handlers[:])
    levels = {name: logging.getLogger(name).level for name in TALKATIVE}
    yield
    root.setLevel(before[0])
    root.handlers[:] = before[1]
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.fixture
def horde(monkeypatch: pytest.MonkeyPatch, call: Call) -> Iterator[Answering]:
    """A horde that commands ask when they are told no other."""
    with answering() as horde:
        monkeypatch.setenv("ORDU_URL", horde.url)
        yield horde
