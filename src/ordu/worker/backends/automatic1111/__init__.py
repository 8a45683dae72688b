"""The backend `automatic1111`: pictures drawn by a program with the API /sdapi/v1.

That is AUTOMATIC1111's Stable Diffusion web UI, and Forge, SD.Next and others that speak the same.
Written from the published description of that API. What the program has is asked for here; `names`
maps it to the horde's names, `wishes` says what is asked for, `tasks` has it drawn.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, TypeVar

from ordu.protocol.automatic1111 import FACE_RESTORERS
from ordu.protocol.params import WITHOUT_KARRAS
from ordu.settings import Settings, about
from ordu.settings.server import PIXELS_MAX
from ordu.worker.backends import Backend, BackendError, Drawing, Found, Offer, Picture, Progress
from ordu.worker.backends.automatic1111.messages import (
    ExtrasImage,
    Model,
    Named,
    Options,
    Sampler,
    Scheduler,
)
from ordu.worker.backends.automatic1111.names import (
    Sampling,
    Upscaler,
    samplings,
    upscalers,
)
from ordu.worker.backends.automatic1111.tasks import Tasks
from ordu.worker.backends.automatic1111.wishes import extras_of, wish_of
from ordu.worker.backends.programs import (
    CENSOR,
    CENSORS,
    LORAS,
    PROBE_S,
    TIMEOUT_S,
    Censor,
    Declined,
    NoAnswer,
    Program,
    Remembered,
    addresses_of,
    is_address,
    lora_of,
    name_of_file,
    refuse_what_is_not_offered,
)

__all__ = ["Automatic1111Backend", "Automatic1111Settings"]

TITLE = "AUTOMATIC1111"
TABLE = "backends.automatic1111"
ADDRESS = "http://127.0.0.1:7860"
DRAWING_SHARE = 0.9  # of the work, where steps follow after drawing

T = TypeVar("T")


class Automatic1111Settings(Settings, frozen=True, kw_only=True):
    """What the backend is told before it starts."""

    url: Annotated[
        tuple[str, ...],
        about(
            "Where the program runs, started with --api; several addresses are several devices.",
            allowed=f"addresses such as {ADDRESS}, with commas between",
            check=is_address,
        ),
    ] = (ADDRESS,)
    user: Annotated[str, about("User, where the program was started with --api-auth.")] = ""
    password: Annotated[str, about("The user's password.", secret=True)] = ""
    loras: Annotated[bool, LORAS] = False
    max_pixels: Annotated[int, about("The largest picture to make.", 64 * 64, PIXELS_MAX)] = (
        1024 * 1024
    )
    timeout_s: Annotated[float, TIMEOUT_S] = 600.0
    censor: Annotated[Censor, CENSOR] = "refuse"


USUAL = Automatic1111Settings()


@dataclass(frozen=True)
class Known:
    """What one program has, by the horde's names."""

    models: Mapping[str, str]  # to titles
    samplings: Mapping[str, Sampling]
    loras: Mapping[str, str] = field(default_factory=dict)  # to its own names
    upscalers: Mapping[str, Upscaler] = field(default_factory=dict)
    face_restorers: tuple[str, ...] = ()
    loaded: frozenset[str] = frozenset()


class Automatic1111Backend(Backend):
    """One address of such a program; see docs/reference/backends/automatic1111.md."""

    settings_type = Automatic1111Settings

    def __init__(self, settings: Settings = USUAL, device: str = "") -> None:
        """Get ready; the program itself may still be starting."""
        assert isinstance(settings, Automatic1111Settings)
        address = device or self.devices(settings)[0]
        login = (settings.user, settings.password) if settings.user else None
        self.settings = settings
        self.program = Program(TITLE, TABLE, address, login)
        self.tasks = Tasks(self.program, settings.timeout_s)
        self.known = Remembered(self._ask)

    @classmethod
    def devices(cls, settings: Settings) -> Sequence[str]:
        """The addresses."""
        assert isinstance(settings, Automatic1111Settings)
        if not settings.url:
            raise BackendError(f"There is no address of {TITLE}; set [{TABLE}] url.")
        return addresses_of(settings.url)

    @classmethod
    def find(cls) -> Sequence[Found]:
        """A program at the usual address."""
        program = Program(TITLE, TABLE, ADDRESS)
        try:
            models = program.get("/sdapi/v1/sd-models", list[Model], timeout_s=PROBE_S)
        except BackendError:
            return ()
        finally:
            program.close()
        if not models:
            return ()
        many = "1 model" if len(models) == 1 else f"{len(models)} models"
        return (Found(f"{TITLE} at {ADDRESS}, {many}", rank=60),)

    def offer(self) -> Offer:
        """What this program has now, asked for anew every half minute."""
        known = self.known.get()
        with_karras = {name for name, each in known.samplings.items() if each.karras}
        has_karras = with_karras == known.samplings.keys() - WITHOUT_KARRAS
        some = () if has_karras else (f"sampler:{name}+karras" for name in with_karras)
        return Offer(
            models=tuple(known.models),
            max_pixels=self.settings.max_pixels,
            img2img=True,
            inpainting=True,
            lora=self.settings.loras,
            post_processing=(*known.face_restorers, *known.upscalers),
            samplers=tuple(known.samplings),
            karras=has_karras,
            features=CENSORS[self.settings.censor].union(
                {"tiling", "hires_fix", "clip_skip"}, some
            ),
            ready=known.loaded,
        )

    def make(self, drawing: Drawing, progress: Progress) -> Picture:
        """Have the program make one picture."""
        refuse_what_is_not_offered(drawing, self.settings.censor, loras=self.settings.loras)
        progress(0.0)
        share = DRAWING_SHARE if drawing.post_processing else 1.0
        try:
            known = self.known.get()
            self._refuse_what_is_not_there(drawing, known)
            wish = wish_of(
                drawing,
                known.models[drawing.model],
                known.samplings[drawing.sampler],
                [lora_of(each.name, known.loras, TITLE) for each in drawing.loras],
            )
            image = self.tasks.draw(wish, lambda done: progress(done * share))
            image = self._processed(image, drawing, known, progress)
        except BackendError:
            self.known.forget()  # it may have gone, or what it has may have changed
            raise
        data = _decoded(image)
        progress(1.0)
        return Picture(data)

    def close(self) -> None:
        """Close the connections; the program goes on."""
        self.program.close()

    def _refuse_what_is_not_there(self, drawing: Drawing, known: Known) -> None:
        if drawing.model not in known.models:
            raise BackendError(f"{TITLE} has no model {drawing.model}.")
        if drawing.sampler not in known.samplings:
            raise BackendError(f"{TITLE} has no sampler {drawing.sampler}.")
        steps = {*known.face_restorers, *known.upscalers}
        if missing := [each for each in drawing.post_processing if each not in steps]:
            raise BackendError(f"{TITLE} has no {', '.join(missing)} for post-processing.")

    def _processed(self, image: str, drawing: Drawing, known: Known, progress: Progress) -> str:
        """The picture after each step that follows drawing."""
        for number, step in enumerate(drawing.post_processing):
            done = number / len(drawing.post_processing)
            progress(DRAWING_SHARE + (1 - DRAWING_SHARE) * done)
            body = extras_of(step, image, drawing.facefixer_strength, known.upscalers)
            path = "/sdapi/v1/extra-single-image"
            answer = self.tasks.ask(path, body, ExtrasImage, self.settings.timeout_s)
            if not answer.image:
                raise BackendError(f"{TITLE} answered {step} without a picture.")
            image = answer.image
        return image

    def _ask(self) -> Known:
        """Ask what there is. Of the lists only models and samplers have to be there."""
        program = self.program
        try:
            models = program.get("/sdapi/v1/sd-models", list[Model])
        except Declined as error:
            if error.status == 404:
                raise BackendError(
                    f"{TITLE} at {program.address} has no API; start it with --api."
                ) from error
            raise
        if not models:
            raise BackendError(
                f"{TITLE} at {program.address} has no model; put one into its folder."
            )
        titles: dict[str, str] = {}
        for model in models:
            titles.setdefault(name_of_file(model.filename or model.title), model.title)
        listed = program.get("/sdapi/v1/samplers", list[Sampler])
        schedulers = self._listed("schedulers", list[Scheduler], [])
        known_samplings = samplings(listed, schedulers)
        if not known_samplings:
            raise BackendError(f"{TITLE} at {program.address} has no sampler that hordes know.")
        loras = self._listed("loras", list[Named], []) if self.settings.loras else []
        restorers = {each.name for each in self._listed("face-restorers", list[Named], [])}
        scales = [each.name for each in self._listed("upscalers", list[Named], [])]
        loaded = self._listed("options", Options, Options()).sd_model_checkpoint
        return Known(
            models=titles,
            samplings=known_samplings,
            loras={each.name: each.name for each in loras},
            upscalers=upscalers(scales),
            face_restorers=tuple(o for o, theirs in FACE_RESTORERS.items() if theirs in restorers),
            loaded=frozenset({name_of_file(loaded)} & titles.keys()) if loaded else frozenset(),
        )

    def _listed(self, what: str, kind: type[T], otherwise: T) -> T:
        """A list that not every program has, or has in another form."""
        try:
            return self.program.get(f"/sdapi/v1/{what}", kind)
        except NoAnswer:
            raise
        except BackendError:
            return otherwise


def _decoded(image: str) -> bytes:
    """The bytes of a picture in Base64; some programs put a data address before it."""
    try:
        return base64.b64decode(image.rpartition(",")[2], validate=True)
    except (binascii.Error, ValueError) as error:
        raise BackendError(f"{TITLE} answered with something that is no picture.") from error
