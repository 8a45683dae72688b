"""The owner's terms: whether a job may be taken right now, as the gate of the worker says."""

import asyncio
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ordu.cli.worker.findings import Finding, good, unknown, warning
from ordu.settings import WorkerSettings

if TYPE_CHECKING:
    from ordu.worker.gate import Gate

ABOUT = "terms"


def gate_of(settings: WorkerSettings) -> "Gate | None":
    """The gate that a worker with these settings has; None: it has none.

    This is the one place where the check learns of the owner's terms.
    """
    del settings
    return None


def check_terms(settings: WorkerSettings, gate: "Gate | None") -> Iterator[Finding]:
    """Whether its owner lets the worker take jobs now."""
    if gate is None:
        if settings.hours or settings.idle_minutes:
            yield unknown(ABOUT, "whether jobs may be taken now cannot be told")
        return
    closed = asyncio.run(gate.closed())
    if closed is None:
        yield good(ABOUT, "jobs may be taken now")
        return
    mend = "Nothing to mend: it is what your settings say."
    if not math.isfinite(closed.seconds):
        mend = "It goes on when you say so."
    yield warning(ABOUT, f"no job is taken now: {closed.reason}", mend)
