"""Commands called in this process, in an empty folder, without settings from outside."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ordu.cli.main import ordu

Call = Callable[..., Result]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    for name in list(os.environ):
        if name.startswith("ORDU_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def called(*arguments: str, **environment: str) -> Result:
        return CliRunner().invoke(ordu, arguments, env=environment, prog_name="ordu")

    return called
