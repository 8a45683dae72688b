"""The backend `comfyui`: pictures drawn by a ComfyUI that its owner runs already.

Written from ComfyUI's published HTTP API. A picture is made in this order: what ComfyUI has is
asked for (`ComfyUIBackend.offer`), a source image is uploaded (`uploads`), a graph is built
(`graphs`, or the owner's own `workflow`), and it is run (`queue`), which is listened to
(`hearing`).
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import msgspec

from ordu.settings import Settings, about
from ordu.settings.server import PIXELS_MAX
from ordu.worker.backends import Backend, BackendError, Drawing, Found, Offer, Picture, Progress
from ordu.worker.backends.comfyui.graphs import (
    KARRAS,
    NORMAL,
    SAMPLERS,
    Called,
    graph_of,
    scheduler_of,
)
from ordu.worker.backends.comfyui.queue import Queue
from ordu.worker.backends.comfyui.uploads import Uploads
from ordu.worker.backends.comfyui.workflow import Workflow, read_workflow
from ordu.worker.backends.programs import (
    CENSOR,
    CENSORS,
    LORAS,
    PROBE_S,
    QUESTION_S,
    TIMEOUT_S,
    Censor,
    Program,
    Remembered,
    addresses_of,
    by_name,
    is_address,
    lora_of,
    refuse_what_is_not_offered,
)

__all__ = ["ComfyUIBackend", "ComfyUISettings"]

TITLE = "ComfyUI"
TABLE = "backends.comfyui"
ADDRESS = "http://127.0.0.1:8188"
LOADER = ("CheckpointLoaderSimple", "ckpt_name")


class ComfyUISettings(Settings, frozen=True, kw_only=True):
    """What the backend is told before it starts."""

    url: Annotated[
        tuple[str, ...],
        about(
            "Where ComfyUI runs; several addresses are several devices.",
            allowed=f"addresses such as {ADDRESS}, with commas between",
            check=is_address,
        ),
    ] = (ADDRESS,)
    workflow: Annotated[
        str, about("File with a workflow of your own, in API format; empty: those built in.")
    ] = ""
    loras: Annotated[bool, LORAS] = False
    max_pixels: Annotated[int, about("The largest picture to make.", 64 * 64, PIXELS_MAX)] = (
        1024 * 1024
    )
    timeout_s: Annotated[float, TIMEOUT_S] = 600.0
    censor: Annotated[Censor, CENSOR] = "refuse"


NO_COMFYUI_SETTINGS = ComfyUISettings()


@dataclass(frozen=True)
class Known:
    """What one ComfyUI has, by the horde's names."""

    models: Mapping[str, str]  # to files
    samplers: Mapping[str, str]  # to its own names; empty: the workflow has one of its own
    has_karras: bool
    loras: Mapping[str, str] = field(default_factory=dict)  # to files


class NodeInputs(msgspec.Struct):
    """The inputs of a kind of node; each is a list that begins with its type or its values."""

    required: dict[str, Any] = {}
    optional: dict[str, Any] = {}


class NodeInfo(msgspec.Struct):
    """What ComfyUI tells of a kind of node."""

    input: NodeInputs


class ComfyUIBackend(Backend):
    """One address of a ComfyUI; see docs/reference/backends/comfyui.md."""

    settings_type = ComfyUISettings

    def __init__(self, settings: Settings = NO_COMFYUI_SETTINGS, device: str = "") -> None:
        """Read the owner's workflow; ComfyUI itself may still be starting."""
        assert isinstance(settings, ComfyUISettings)
        address = device or self.devices(settings)[0]
        self.settings = settings
        self.program = Program(TITLE, TABLE, address)
        self.queue = Queue(self.program, settings.timeout_s)
        self.known = Remembered(self._ask)
        self._uploads = Uploads(self.program)
        self._last_model = ""
        path = Path(settings.workflow).expanduser()
        self._workflow = read_workflow(path) if settings.workflow else None

    @classmethod
    def devices(cls, settings: Settings) -> Sequence[str]:
        """The addresses."""
        assert isinstance(settings, ComfyUISettings)
        if not settings.url:
            raise BackendError(f"There is no address of ComfyUI; set [{TABLE}] url.")
        return addresses_of(settings.url)

    @classmethod
    def find(cls) -> Sequence[Found]:
        """A ComfyUI at its usual address."""
        program = Program(TITLE, TABLE, ADDRESS)
        try:
            models = _choices(program, *LOADER, timeout_s=PROBE_S)
        except BackendError:
            return ()
        finally:
            program.close()
        if not models:
            return ()
        many = "1 model" if len(models) == 1 else f"{len(models)} models"
        return (Found(f"ComfyUI at {ADDRESS}, {many}", rank=60),)

    def offer(self) -> Offer:
        """What this ComfyUI has now, asked for anew every half minute."""
        known = self.known.get()
        places = {"source_image", "source_mask", "clip_layer"}
        can = places & self._workflow.placeholders if self._workflow else places
        features = {"clip_skip"} if "clip_layer" in can else set()
        if self._workflow is None:
            features.add("hires_fix")
        return Offer(
            models=tuple(known.models),
            max_pixels=self.settings.max_pixels,
            img2img="source_image" in can,
            inpainting="source_mask" in can,
            lora=self.settings.loras and self._workflow is None,
            samplers=tuple(known.samplers),
            karras=known.has_karras,
            features=CENSORS[self.settings.censor].union(features),
            ready=frozenset({self._last_model} & known.models.keys()),
        )

    def make(self, drawing: Drawing, progress: Progress) -> Picture:
        """Have ComfyUI make one picture."""
        refuse_what_is_not_offered(
            drawing,
            self.settings.censor,
            loras=self.settings.loras and self._workflow is None,
        )
        progress(0.0)
        try:
            with ExitStack() as stack:
                called = self._called(drawing, self.known.get(), stack)
                graph = (
                    self._workflow.filled(drawing, called)
                    if self._workflow
                    else graph_of(drawing, called)
                )
                data = self.queue.run(graph, progress)
        except BackendError:
            self.known.forget()  # it may have gone, or what it has may have changed
            raise
        self._last_model = drawing.model
        progress(1.0)
        return Picture(data)

    def close(self) -> None:
        """Close the connections; ComfyUI goes on."""
        self.program.close()

    def _called(self, drawing: Drawing, known: Known, stack: ExitStack) -> Called:
        """What ComfyUI calls the things a drawing names; its pictures are uploaded."""
        if drawing.model not in known.models:
            raise BackendError(f"ComfyUI has no model {drawing.model}.")
        if known.samplers and drawing.sampler not in known.samplers:
            raise BackendError(f"ComfyUI has no sampler {drawing.sampler}.")
        loras = tuple(lora_of(each.name, known.loras, TITLE) for each in drawing.loras)
        always = self._workflow.placeholders if self._workflow else frozenset()
        source, mask = self._uploads.of(drawing, stack, always=always)
        return Called(
            model=known.models[drawing.model],
            sampler=known.samplers.get(drawing.sampler, ""),
            scheduler=scheduler_of(drawing) if known.has_karras else NORMAL,
            loras=loras,
            source=source,
            mask=mask,
        )

    def _ask(self) -> Known:
        """Ask what there is."""
        program, workflow = self.program, self._workflow
        if workflow is None:
            models = by_name(_choices(program, *LOADER))
            samplers = _choices(program, "KSampler", "sampler_name")
            schedulers = _choices(program, "KSampler", "scheduler")
            loras = _choices(program, "LoraLoader", "lora_name") if self.settings.loras else ()
            known = Known(models, _sampler_names(samplers), KARRAS in schedulers, by_name(loras))
        else:
            known = _of_workflow(program, workflow)
        if not known.models:
            raise BackendError(
                f"ComfyUI at {program.address} has no model; put one into its folder"
                " models/checkpoints."
            )
        has_own_sampler = workflow is not None and "sampler" not in workflow.placeholders
        if not (known.samplers or has_own_sampler):
            raise BackendError(f"ComfyUI at {program.address} has no sampler that hordes know.")
        return known


def _of_workflow(program: Program, workflow: Workflow) -> Known:
    """What can be chosen in the owner's workflow; the rest is as it stands there."""
    choices = {
        name: _choices(program, *place) if (place := workflow.place_of(name)) else ()
        for name in ("model", "sampler", "scheduler")
    }
    has_own_model = "model" not in workflow.placeholders
    return Known(
        models={workflow.name: ""} if has_own_model else by_name(choices["model"]),
        samplers=_sampler_names(choices["sampler"]),
        has_karras="scheduler" not in workflow.placeholders or KARRAS in choices["scheduler"],
    )


def _sampler_names(listed: Sequence[str]) -> dict[str, str]:
    return {ours: theirs for ours, theirs in SAMPLERS.items() if theirs in listed}


def _choices(
    program: Program, class_type: str, name: str, *, timeout_s: float = QUESTION_S
) -> tuple[str, ...]:
    """The values an input of a node can have; none when there is no such node."""
    path = f"/object_info/{class_type}"
    nodes = program.get(path, dict[str, NodeInfo], timeout_s=timeout_s)
    if class_type not in nodes:
        return ()
    inputs = nodes[class_type].input
    match inputs.required.get(name) or inputs.optional.get(name):
        case [[*values], *_]:
            return tuple(map(str, values))
        case ["COMBO", {"options": [*values]}, *_]:  # as newer versions say it
            return tuple(map(str, values))
    return ()
