"""The sync client is the async one, derived."""

import inspect
import subprocess
import sys
from pathlib import Path

from ordu.client import AsyncHorde, Horde

SCRIPT = Path(__file__).parents[3] / "scripts" / "sync_client.py"


def test_the_derived_files_are_current():
    done = subprocess.run(
        [sys.executable, SCRIPT, "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_both_have_the_same_methods():
    def public(form: type) -> set[str]:
        return {name for name, _ in inspect.getmembers(form) if not name.startswith("_")}

    assert public(Horde) - {"close"} == public(AsyncHorde) - {"aclose"}


def test_nothing_in_the_sync_client_waits_for_a_loop():
    for name, method in inspect.getmembers(Horde, inspect.isfunction):
        assert not inspect.iscoroutinefunction(method), name
