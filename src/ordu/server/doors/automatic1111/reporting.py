"""Reporting: what was drawn, as this API tells it, and as it stands in the pictures."""

from dataclasses import dataclass
from typing import Any

import msgspec

from ordu import __version__
from ordu.protocol.automatic1111 import FACE_RESTORERS
from ordu.protocol.requests import GenerationInput
from ordu.rules.lifecycle import seed_from_text
from ordu.server.doors import drawing
from ordu.server.doors.automatic1111 import infotexts
from ordu.server.doors.automatic1111.asking import Chosen, face_restorer, prompts_of
from ordu.server.doors.automatic1111.messages import ImageToImage, Info, Picture
from ordu.server.doors.automatic1111.standing import timestamp_of

VERSION = f"Ordu {__version__}"


@dataclass(frozen=True)
class Report:
    """One call and what came of it."""

    body: Picture
    wanted: GenerationInput
    chosen: Chosen
    found: drawing.Drawn

    @property
    def seeds(self) -> list[int]:
        """The seeds of the pictures, as their workers told them."""
        return [seed_from_text(picture.seed) for picture in self.found.pictures]

    def parameters(self) -> dict[str, Any]:
        """What was asked for, without the pictures unless they are wanted back."""
        told: dict[str, Any] = msgspec.to_builtins(self.body)
        if isinstance(self.body, ImageToImage) and not self.body.include_init_images:
            told |= {"init_images": None, "mask": None}
        return told

    def infotext(self, number: int) -> str:
        """What stands in one of the pictures."""
        params, picture = self.wanted.params, self.found.pictures[number]
        return infotexts.written(
            self.body.prompt,
            self.body.negative_prompt,
            {
                "Steps": params.steps,
                "Sampler": self.chosen.sampling.name,
                "Schedule type": self.chosen.sampling.schedule,
                "CFG scale": params.cfg_scale,
                "Seed": self.seeds[number],
                "Size": f"{params.width}x{params.height}",
                "Model": picture.model,
                "Denoising strength": self.strength,
                "Clip skip": params.clip_skip,
                "Face restoration": self.face_restorer,
                "Tiling": True if params.tiling else None,
                "Worker": picture.worker_name,
                "Censored": True if picture.censored else None,
                "Version": VERSION,
            },
        )

    @property
    def strength(self) -> float | None:
        """How far the pictures might go from what they were drawn over."""
        params = self.wanted.params
        return params.hires_fix_denoising_strength or params.denoising_strength

    @property
    def face_restorer(self) -> str | None:
        """What corrects faces, as programs call it."""
        return FACE_RESTORERS[face_restorer(self.body)] if self.body.restore_faces else None

    def info(self) -> str:
        """What was drawn, as JSON text."""
        body, params, pictures = self.body, self.wanted.params, self.found.pictures
        many, seeds = len(pictures), self.seeds
        info = Info(
            prompt=body.prompt,
            all_prompts=[body.prompt] * many,
            negative_prompt=body.negative_prompt,
            all_negative_prompts=[body.negative_prompt] * many,
            seed=seeds[0],
            all_seeds=seeds,
            subseed=seeds[0],
            all_subseeds=seeds,
            subseed_strength=0.0,
            width=params.width,
            height=params.height,
            sampler_name=self.chosen.sampling.name,
            cfg_scale=params.cfg_scale,
            steps=params.steps,
            batch_size=body.batch_size,
            restore_faces=body.restore_faces,
            face_restoration_model=self.face_restorer,
            sd_model_name=pictures[0].model,
            sd_model_hash=None,
            denoising_strength=self.strength,
            extra_generation_params={
                "Schedule type": self.chosen.sampling.schedule,
                "LoRAs": ", ".join(lora.name for lora in prompts_of(body)[2]),
                "Workers": sorted({picture.worker_name for picture in pictures}),
            },
            index_of_first_image=0,
            infotexts=[self.infotext(number) for number in range(many)],
            styles=[],
            job_timestamp=timestamp_of(self.found.request.created_at),
            clip_skip=params.clip_skip or 1,
            is_using_inpainting_conditioning=False,
            version=VERSION,
        )
        return msgspec.json.encode(info).decode()
