"""A workflow of the owner's own: a graph in ComfyUI's API format with placeholders in it.

A value that is exactly a placeholder becomes a number or a text; inside a longer text it is put in
as text. Each text is gone through once: a placeholder inside somebody's prompt stays what it is.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from ordu.worker.backends import BackendError, Drawing
from ordu.worker.backends.comfyui.graphs import Called, Node, Nodes

FILE_BYTES_MAX = 4 * 1024 * 1024
PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
PLACEHOLDERS = (
    "prompt",
    "negative_prompt",
    "width",
    "height",
    "steps",
    "cfg_scale",
    "seed",
    "sampler",
    "scheduler",
    "model",
    "denoising_strength",
    "clip_layer",
    "source_image",
    "source_mask",
)
NEEDED = ("prompt", "seed")  # without a seed ComfyUI has nothing new to draw
WHOLE = ("model", "sampler", "scheduler", "seed")  # values that act, not parts of some name
WORKFLOW = "In [backends.comfyui] workflow: "


class Workflow:
    """A workflow that was read and checked."""

    def __init__(self, name: str, nodes: Nodes) -> None:
        self.name = name  # what it is offered as when it does not say {model}
        self.nodes = nodes
        self.placeholders = frozenset(
            name for _, _, value in _values(nodes) for name in _placeholders(value)
        )

    def place_of(self, placeholder: str) -> tuple[str, str] | None:
        """The kind of the first node, and its input, that is exactly this placeholder."""
        places = (
            (node.class_type, name)
            for node, name, value in _values(self.nodes)
            if value == f"{{{placeholder}}}"
        )
        return next(places, None)

    def filled(self, drawing: Drawing, called: Called) -> Nodes:
        """The graph of a drawing."""
        values = _values_of(drawing, called)
        return {
            name: Node(
                node.class_type,
                {key: _filled(value, values) for key, value in node.inputs.items()},
            )
            for name, node in self.nodes.items()
        }


def read_workflow(path: Path) -> Workflow:
    """The workflow in a file.

    Raises:
        BackendError: it cannot be read or used; the message says how to mend that.
    """
    try:
        with path.open("rb") as opened:
            text = opened.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        raise BackendError(f"{WORKFLOW}{path}: {reason}.") from error
    if len(text) > FILE_BYTES_MAX:
        raise BackendError(f"{WORKFLOW}{path} has more than {FILE_BYTES_MAX // 1024**2} MiB.")
    try:
        nodes = msgspec.json.decode(text, type=dict[str, Node])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BackendError(
            f"{WORKFLOW}{path} is no graph in ComfyUI's API format; save it by"
            " Workflow > Export (API)."
        ) from error
    workflow = Workflow(path.stem, nodes)
    _check(workflow, path)
    return workflow


def _check(workflow: Workflow, path: Path) -> None:
    missing = [name for name in NEEDED if name not in workflow.placeholders]
    if missing:
        words = " and ".join(f"{{{name}}}" for name in missing)
        raise BackendError(f"{WORKFLOW}{path} says {words} nowhere; put it where it belongs.")
    for _, key, value in _values(workflow.nodes):
        whole = PLACEHOLDER.fullmatch(value) if isinstance(value, str) else None
        if whole and whole[1] not in PLACEHOLDERS:
            known = ", ".join(PLACEHOLDERS)
            raise BackendError(f"{WORKFLOW}{path}: {key} = {value} is unknown; known are {known}.")
    for name in WHOLE:
        if name in workflow.placeholders and workflow.place_of(name) is None:
            raise BackendError(f"{WORKFLOW}{path}: {{{name}}} has to be a value of its own.")
    if "source_mask" in workflow.placeholders and "source_image" not in workflow.placeholders:
        raise BackendError(f"{WORKFLOW}{path} says {{source_mask}} but {{source_image}} nowhere.")


def _values(nodes: Nodes) -> Iterator[tuple[Node, str, Any]]:
    for node in nodes.values():
        for name, value in node.inputs.items():
            yield node, name, value


def _placeholders(value: object) -> list[str]:
    """Those of ours in a value; other words in braces are the workflow's own."""
    found = PLACEHOLDER.findall(value) if isinstance(value, str) else []
    return [name for name in found if name in PLACEHOLDERS]


def _filled(value: object, values: Mapping[str, object]) -> object:
    if not isinstance(value, str):
        return value
    whole = PLACEHOLDER.fullmatch(value)
    if whole:
        return values[whole[1]]
    return PLACEHOLDER.sub(lambda each: str(values.get(each[1], each[0])), value)


def _values_of(drawing: Drawing, called: Called) -> dict[str, object]:
    return {
        "prompt": drawing.prompt,
        "negative_prompt": drawing.negative_prompt,
        "width": drawing.width,
        "height": drawing.height,
        "steps": drawing.steps,
        "cfg_scale": drawing.cfg_scale,
        "seed": drawing.seed,
        "sampler": called.sampler,
        "scheduler": called.scheduler,
        "model": called.model,
        "denoising_strength": drawing.denoising_strength if drawing.source_image else 1.0,
        "clip_layer": -drawing.clip_skip,
        "source_image": called.source,
        "source_mask": called.mask,
    }
