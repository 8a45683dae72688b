"""What somebody who wants pictures says and gets: the wish, how far it is, the pictures."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from ordu.client.wire import known
from ordu.protocol.params import ModelGenerationInputStable, PostProcessor, Sampler
from ordu.protocol.requests import (
    GenerationInput,
    GenerationStable,
    RequestStatusCheck,
    SourceProcessing,
)

NEGATIVE_MARK = "###"  # what follows it in a prompt is what should not be in the picture


class Stage(StrEnum):
    """How far a request is."""

    WAITING = "waiting"
    PROCESSING = "processing"
    DONE = "done"
    FAULTED = "faulted"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a request is, in numbers of pictures; `position` 1 is the next to be taken."""

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


@dataclass(frozen=True, slots=True)
class Picture:
    """A finished picture and where it comes from."""

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
        """Write it to this file, or under its id into this folder; returns where it lies."""
        target = Path(path)
        if target.is_dir():
            target = target / f"{Path(self.id).name or 'picture'}{self.suffix}"
        target.write_bytes(self.data)
        return target


def wish(
    prompt: str,
    *,
    models: Sequence[str] | None,
    width: int,
    height: int,
    steps: int,
    n: int,
    seed: int | str | None,
    negative_prompt: str | None,
    sampler_name: Sampler,
    cfg_scale: float,
    karras: bool,
    tiling: bool,
    post_processing: Sequence[PostProcessor],
    source_image: bytes | None,
    source_mask: bytes | None,
    source_processing: SourceProcessing,
    denoising_strength: float | None,
    nsfw: bool,
    censor_nsfw: bool,
    trusted_workers: bool,
) -> GenerationInput:
    """The request for what `generate` was asked for; links are wanted, texts are taken too."""
    params = ModelGenerationInputStable(
        width=width,
        height=height,
        steps=steps,
        n=n,
        seed=None if seed is None else str(seed),
        sampler_name=sampler_name,
        cfg_scale=cfg_scale,
        karras=karras,
        tiling=tiling,
        post_processing=list(post_processing) or None,
        denoising_strength=denoising_strength,
    )
    return GenerationInput(
        prompt=f"{prompt}{NEGATIVE_MARK}{negative_prompt}" if negative_prompt else prompt,
        params=params,
        models=list(models or ()),
        nsfw=nsfw,
        censor_nsfw=censor_nsfw,
        trusted_workers=trusted_workers,
        source_image=as_text(source_image),
        source_mask=as_text(source_mask),
        source_processing=source_processing,
        r2=True,
    )


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
