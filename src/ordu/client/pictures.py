"""What somebody who wants pictures gets: how far they are, and the pictures."""

import base64
from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from ordu.client import imaging
from ordu.client.wire import known
from ordu.protocol.requests import GenerationStable, RequestStatusCheck

if TYPE_CHECKING:
    from PIL import Image

NEGATIVE_MARK = "###"  # what follows it in a prompt is what should not be in the picture


class Stage(StrEnum):
    """How far a request is."""

    WAITING = "waiting"
    PROCESSING = "processing"
    DONE = "done"
    FAULTED = "faulted"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a request is, in numbers of pictures; `position` 1 is the next to be taken.

    Example:
        horde.generate("a fox", on_progress=lambda progress: print(progress.stage))
    """

    request_id: str
    stage: Stage
    position: int
    wait_s: int  # what the horde expects
    waiting: int
    processing: int
    finished: int
    is_possible: bool  # False: no worker that is online could make it
    kudos: float  # charged so far

    @property
    def counts(self) -> tuple[int, int, int]:
        """How many pictures wait, are drawn and are finished."""
        return self.waiting, self.processing, self.finished

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.stage in {Stage.DONE, Stage.FAULTED}


AsyncSteps: TypeAlias = AsyncGenerator[Progress, None]
SyncSteps: TypeAlias = Generator[Progress, None, None]


@dataclass(frozen=True, slots=True)
class Picture:
    """A finished picture and where it comes from.

    `data` are the bytes of the file, as the worker sent it (mostly WebP). `seed` drew this picture;
    with the same wish and model it draws it again. `censored`: the worker sent a black one instead.

    Example:
        print(len(picture.data), picture.suffix, picture.seed, picture.model)
    """

    data: bytes = field(repr=False)
    id: str = ""
    seed: str = ""
    model: str = ""
    worker_name: str = ""
    worker_id: str = ""
    censored: bool = False

    @property
    def suffix(self) -> str:
        """The ending that a file with these bytes should have."""
        if self.data[:4] == b"RIFF" and self.data[8:12] == b"WEBP":
            return ".webp"
        if self.data.startswith(b"\x89PNG"):
            return ".png"
        return ".jpg" if self.data.startswith(b"\xff\xd8") else ".bin"

    def save(self, path: str | Path) -> Path:
        """Write it to this file, or under its id into this folder; returns where it lies.

        Raises:
            OSError: it cannot be written there.

        Example:
            picture.save(f"fox{picture.suffix}")
        """
        target = Path(path)
        if target.is_dir():
            target = target / f"{Path(self.id).name or 'picture'}{self.suffix}"
        target.write_bytes(self.data)
        return target

    def image(self) -> "Image.Image":
        """The picture as a Pillow image, decoded.

        Raises:
            ImportError: Pillow is not installed.
            ValueError: Pillow cannot read these bytes.

        Example:
            width, height = picture.image().size
        """
        return imaging.opened(self.data, "The picture")


def as_text(data: bytes | None) -> str | None:
    """Picture bytes as Base64."""
    return None if data is None else base64.b64encode(data).decode("ascii")


def progress_of(request_id: str, check: RequestStatusCheck) -> Progress:
    """How far a request is, from an answer that may lack anything."""
    processing = known(check.processing, 0)
    return Progress(
        request_id=request_id,
        stage=_stage(check, processing),
        position=known(check.queue_position, 0),
        wait_s=known(check.wait_time, 0),
        waiting=known(check.waiting, 0),
        processing=processing,
        finished=known(check.finished, 0),
        is_possible=known(check.is_possible, default=True),
        kudos=known(check.kudos_exact, known(check.kudos, 0.0)),
    )


def picture_of(generation: GenerationStable, data: bytes) -> Picture:
    """A picture from what the horde tells about it and its bytes."""
    return Picture(
        data=data,
        id=known(generation.id, ""),
        seed=known(generation.seed, ""),
        model=known(generation.model, ""),
        worker_name=known(generation.worker_name, ""),
        worker_id=known(generation.worker_id, ""),
        censored=known(generation.censored, default=False),
    )


def _stage(check: RequestStatusCheck, processing: int) -> Stage:
    if known(check.faulted, default=False):
        return Stage.FAULTED
    if known(check.done, default=False):
        return Stage.DONE
    return Stage.PROCESSING if processing else Stage.WAITING
