"""Snippets: each is a program, and does with the client what the shell's example does."""

import ast
import shutil
import subprocess

import pytest

from ordu.client import Horde
from ordu.protocol import operations
from ordu.web import examples, snippets

NODE = shutil.which("node")


def by_name(row: operations.Operation) -> str:
    return row.name


@pytest.mark.parametrize("row", operations.TABLE, ids=by_name)
def test_the_example_in_python_is_a_program_with_the_body_of_the_shell(row):
    tree = ast.parse(snippets.python(row, "http://horde.test"))
    bodies = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict)
    ]
    assert bodies == [body for name, body in examples.BODIES.items() if name == row.name]
    assert ("ORDU_API_KEY" in ast.unparse(tree)) is (row.key is operations.Key.REQUIRED)


@pytest.mark.parametrize("row", operations.TABLE, ids=by_name)
def test_the_client_is_used_where_it_has_a_method(row):
    has_method = hasattr(Horde, row.name)
    assert has_method is (row.name not in snippets.WITHOUT_METHOD)
    assert (f"horde.{row.name}(" in snippets.python(row, "http://horde.test")) is has_method


@pytest.mark.skipif(NODE is None, reason="node is not on this machine")
@pytest.mark.parametrize("row", operations.TABLE, ids=by_name)
def test_the_example_in_javascript_is_a_module(row, tmp_path):
    file = tmp_path / "example.mjs"
    file.write_text(snippets.javascript(row, "http://horde.test"), encoding="utf-8")
    assert NODE is not None
    command = [NODE, "--check", str(file)]
    checked = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert checked.returncode == 0, checked.stderr
