"""The gate: whether this machine's owner lets the worker take a job now."""

import asyncio
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


class AlwaysOpen:
    """The gate of an owner who has said nothing."""

    async def closed(self) -> Closed | None:
        """It is not."""
        return None

    async def changed(self) -> None:
        """Never."""
        await asyncio.Event().wait()
