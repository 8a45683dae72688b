"""The shape of the package: what a reader may rely on, held by machine."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ordu.client import AsyncHorde, Horde
from ordu.protocol import operations
from ordu.protocol.errors import RC
from ordu.protocol.operations import Era

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "ordu"
FILES = sorted(PACKAGE.rglob("*.py"))

FUNCTION_LINES_MAX = 60
FUNCTION_LINES_USUAL = 25
FILE_LINES_MAX = 400


def functions() -> Iterator[tuple[str, int]]:
    """Every function with its length from `def` to its last line, docstring not counted."""
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = node.body[0]
                docstring = 0
                if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                    docstring = (first.end_lineno or 0) - first.lineno + 1
                length = (node.end_lineno or 0) - node.lineno + 1 - docstring
                yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", length


def code_lines(path: Path) -> int:
    """Lines that are neither blank nor comment nor docstring."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            skipped.update(range(node.lineno, (node.end_lineno or 0) + 1))
    lines = path.read_text(encoding="utf-8").splitlines()
    return sum(
        1
        for number, line in enumerate(lines, 1)
        if line.strip() and not line.strip().startswith("#") and number not in skipped
    )


def test_no_function_is_longer_than_a_screen_and_most_are_short():
    lengths = dict(functions())
    assert {name: lines for name, lines in lengths.items() if lines > FUNCTION_LINES_MAX} == {}
    short = sum(1 for lines in lengths.values() if lines <= FUNCTION_LINES_USUAL)
    assert short / len(lengths) >= 0.9


def test_no_file_is_longer_than_its_subject():
    lengths = {str(path.relative_to(ROOT)): code_lines(path) for path in FILES}
    assert {name: lines for name, lines in lengths.items() if lines > FILE_LINES_MAX} == {}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_module_says_what_lives_there(path):
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


def test_imports_go_downwards_only():
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_light_install_imports_nothing_of_the_server():
    code = (
        "import sys, ordu.client, ordu.worker.loop, ordu.cli.main;"
        "heavy = {'starlette', 'uvicorn', 'alembic', 'sqlalchemy', 'jinja2', 'sqlite3'};"
        "sys.exit(', '.join(heavy & sys.modules.keys()) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


FOR_CLIENTS = [row for row in operations.TABLE if row.era is not Era.ORDU]


@pytest.mark.parametrize("row", FOR_CLIENTS, ids=lambda row: row.name)
def test_every_operation_is_in_the_client_and_in_a_test(row):
    for face in (Horde, AsyncHorde):
        assert callable(getattr(face, row.name))
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests/api").glob("*.py"))
    assert re.search(rf"def test_\w*{row.name}", tests)


@pytest.mark.parametrize("row", FOR_CLIENTS, ids=lambda row: row.name)
def test_every_operation_has_a_heading_in_the_documentation(row):
    page = (ROOT / "docs" / "reference" / "operations.md").read_text(encoding="utf-8")
    assert f"## {row.name}\n" in page


def test_every_rc_that_is_raised_is_in_the_table():
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            is_refusal = isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Refused"
            if is_refusal and node.args and isinstance(node.args[0], ast.Constant):
                assert node.args[0].value in RC, f"{path}:{node.lineno}"


def test_every_code_of_a_row_is_raised_somewhere_and_the_other_way_round():
    tables = {"errors.py", "problems.py"}
    sources = [path for path in FILES if "operations" not in path.parts and path.name not in tables]
    said = {
        node.value
        for path in sources
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value in RC
    }
    listed = {rc for row in operations.TABLE for rc in (*row.rcs, *row.common_rcs)}
    assert listed - said == set()
    assert said - listed == {"InternalError", "MethodNotAllowed", "NotFound"}


def test_nothing_committed_knows_this_machine():
    listed = subprocess.run(
        ["git", "grep", "-nE", "/(work|root|home)/[a-z]", "--", ":!requirements", ":!docs/seed"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode not in {0, 1}:
        pytest.skip("not a git checkout")
    assert listed.stdout == ""
