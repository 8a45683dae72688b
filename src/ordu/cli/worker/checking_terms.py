"""The owner's terms: whether a job may be taken right now, as the gate of the worker says."""

import asyncio
import math
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ordu.cli.worker.findings import Finding, good, warning
from ordu.settings import WorkerSettings

if TYPE_CHECKING:
    from ordu.worker.gate import Gate

ABOUT = "terms"


def gate_of(settings: WorkerSettings) -> "Gate":
    """The gate that a worker with these settings has, with its pause if it was paused."""
    from ordu.worker.terms.owner import OwnersGate
    from ordu.worker.terms.running import pause_file_of

    return OwnersGate(settings, pause_file_of(settings, os.environ))


def check_terms(gate: "Gate") -> Iterator[Finding]:
    """Whether its owner lets the worker take jobs now."""
    closed = asyncio.run(gate.closed())
    if closed is None:
        yield good(ABOUT, "jobs may be taken now")
        return
    mend = "Nothing to mend: it is what your settings say."
    if not math.isfinite(closed.seconds):
        mend = "It goes on when you say so: ordu worker resume."
    yield warning(ABOUT, f"no job is taken now: {closed.reason}", mend)
