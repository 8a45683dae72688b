"""What a worker tells while it runs: small values for whoever shows them to a person."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Took:
    """It took a job."""

    job_id: str
    model: str
    width: int
    height: int
    steps: int


@dataclass(frozen=True, slots=True)
class Began:
    """A device begins with the job; until then it was held in reserve."""

    job_id: str
    device: str  # empty when there is only one


@dataclass(frozen=True, slots=True)
class Drawn:
    """A share of the picture is done, 0 to 1."""

    job_id: str
    share: float


@dataclass(frozen=True, slots=True)
class Made:
    """The picture is made and will be sent."""

    job_id: str
    seconds: float
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Delivered:
    """The horde has the picture; `reward` is None when its answer was lost on the way."""

    job_id: str
    reward: float | None


@dataclass(frozen=True, slots=True)
class Failed:
    """The picture could not be made; the horde is told and gives the job to somebody else."""

    job_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Dropped:
    """The horde does not want what was made for this job any more, or could not be told."""

    job_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Idle:
    """There was no job; `skipped` says how many requests were passed over and why."""

    skipped: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Paused:
    """No jobs are asked for: maintenance, too many failures, the owner's wish. `Back` ends it."""

    reason: str
    seconds: float  # for how long at least; infinite: until its owner says so


@dataclass(frozen=True, slots=True)
class Limited:
    """A picture did not fit a device: from now on only smaller ones are asked for."""

    max_pixels: int


@dataclass(frozen=True, slots=True)
class Notice:
    """What the horde wants this worker's owner to read; told once."""

    text: str


@dataclass(frozen=True, slots=True)
class Lost:
    """The horde cannot be reached or does not work; told once, tried again until `Back`."""

    reason: str


@dataclass(frozen=True, slots=True)
class Back:
    """The horde answers again, or the pause is over."""


Event: TypeAlias = (
    Took
    | Began
    | Drawn
    | Made
    | Delivered
    | Failed
    | Dropped
    | Idle
    | Paused
    | Limited
    | Notice
    | Lost
    | Back
)
Listener: TypeAlias = Callable[[Event], None]  # called in the event loop; does not raise
