"""The command `ordu` itself: what it lists, what it loads, how it fails."""

import subprocess
import sys
from pathlib import Path

import click
import pytest

from ordu import __version__
from ordu.cli.main import COMMANDS, SECTIONS, LazyGroup, ordu

LOADED = "import sys; print(*{name.partition('.')[0] for name in sys.modules})"
FOREIGN = {"uvicorn", "starlette", "alembic", "httpx", "rich", "numpy", "PIL", "msgspec"}
CALL = "from ordu.cli.main import ordu; ordu.main({arguments}, standalone_mode=False)"


def python(*lines: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        cwd=folder,
    )


def test_help_lists_every_command_by_section(call):
    result = call("--help")
    assert result.exit_code == 0
    for title in SECTIONS:
        assert f"{title}:\n" in result.output
    for name, entry in COMMANDS.items():
        assert f"  {name} " in result.output
        assert entry.help in result.output


def test_help_loads_nothing_but_the_command_line():
    result = python(CALL.format(arguments=["--help"]), LOADED)
    assert FOREIGN.isdisjoint(result.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("name", COMMANDS)
def test_command_is_where_the_table_says(name):
    command = LazyGroup.get_command(ordu, click.Context(ordu), name)
    assert isinstance(command, click.Command)
    assert command.name == name
    assert command.help


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command_loads_no_server(name):
    result = python(CALL.format(arguments=[name, "--help"]), LOADED)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("Usage: ")
    loaded = result.stdout.splitlines()[-1].split()
    assert {"uvicorn", "starlette", "alembic", "numpy"}.isdisjoint(loaded)


def test_version(call):
    assert call("--version").output == f"ordu {__version__}\n"


def test_unknown_command_is_wrong_usage(call):
    result = call("frob")
    assert result.exit_code == 2
    assert "No such command 'frob'" in result.stderr


@pytest.mark.parametrize(
    ("extra", "missing", "arguments"),
    [
        pytest.param("server", "uvicorn", ["serve"], id="serve without the server's packages"),
        pytest.param("server", "uvicorn", ["demo"], id="demo without the server's packages"),
        pytest.param("worker", "numpy", ["demo"], id="demo without the worker's packages"),
        pytest.param("worker", "numpy", ["worker"], id="worker without what the sketch needs"),
        pytest.param("worker", "PIL", ["worker", "--words"], id="words without what it needs"),
    ],
)
def test_light_install_says_what_to_install(extra, missing, arguments, tmp_path):
    result = python(
        f"import sys; sys.modules[{missing!r}] = None; sys.argv[1:] = {arguments!r}",
        "from ordu.cli.main import main; main()",
        folder=tmp_path,
    )
    assert result.returncode == 2
    assert f"this needs pip install 'ordu[{extra}]' ({missing}" in result.stderr
    assert "Traceback" not in result.stderr
    assert list(tmp_path.iterdir()) == []
