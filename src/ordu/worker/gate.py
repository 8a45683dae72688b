"""The gate: whether this machine's owner lets the worker take a job now."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Closed:
    """No job may be taken now."""

    reason: str  # `outside its hours, until 22:00`
    seconds: float  # for how long at least; infinite: until its owner says so


class Gate(Protocol):
    """Asked before each job. What is in hand is finished whatever it says."""

    async def closed(self) -> Closed | None:
        """Why no job may be taken now; None when one may."""
        ...

    async def changed(self) -> None:
        """Return when the answer may be another one, after half a minute at the latest."""
        ...
