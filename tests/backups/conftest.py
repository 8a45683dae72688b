"""What the tests of backups share."""

import os

import pytest


@pytest.fixture(autouse=True)
def priorities(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The priorities that commands took; the process of the tests goes on as it was."""
    taken: list[int] = []
    monkeypatch.setattr(os, "setpriority", lambda which, who, priority: taken.append(priority))
    return taken
