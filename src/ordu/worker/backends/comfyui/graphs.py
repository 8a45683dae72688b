"""Graphs: the nodes ComfyUI runs for a drawing, as it takes them in its API format.

Every node here is one of those that come with ComfyUI. A graph is built from the loader of the
model to the picture; a link names a node and the number of one of its outputs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec

from ordu.worker.backends import Drawing
from ordu.worker.backends.programs import first_pass

SAMPLERS: Mapping[str, str] = {  # the horde's names; PLMS and dpmsolver are not in ComfyUI
    "k_lms": "lms",
    "k_heun": "heun",
    "k_euler": "euler",
    "k_euler_a": "euler_ancestral",
    "k_dpm_2": "dpm_2",
    "k_dpm_2_a": "dpm_2_ancestral",
    "k_dpm_fast": "dpm_fast",
    "k_dpm_adaptive": "dpm_adaptive",
    "k_dpmpp_2s_a": "dpmpp_2s_ancestral",
    "k_dpmpp_2m": "dpmpp_2m",
    "k_dpmpp_sde": "dpmpp_sde",
    "lcm": "lcm",
    "DDIM": "ddim",
}
WITHOUT_KARRAS = frozenset({"DDIM"})
KARRAS = "karras"
NORMAL = "normal"
GROW_MASK_PIXELS = 6  # of what is painted beside a picture, so that its edge is not seen

Link: TypeAlias = tuple[str, int]


class Node(msgspec.Struct, frozen=True):
    """One node: what it is, and its values and links by name."""

    class_type: str
    inputs: dict[str, Any]


Nodes: TypeAlias = dict[str, Node]


@dataclass(frozen=True)
class Called:
    """What ComfyUI calls the things that a drawing names."""

    model: str  # its file
    sampler: str
    scheduler: str
    loras: tuple[str, ...] = ()  # their files, in the order of the drawing's
    source: str = ""  # the uploaded source image
    mask: str = ""  # the uploaded mask


class Graph:
    """Nodes that are added one after the other."""

    def __init__(self) -> None:
        self.nodes: Nodes = {}

    def add(self, class_type: str, **inputs: object) -> Link:
        """Add a node; the link to its first output."""
        name = str(len(self.nodes) + 1)
        self.nodes[name] = Node(class_type, inputs)
        return name, 0


def scheduler_of(drawing: Drawing) -> str:
    """The noise schedule of a drawing, as ComfyUI calls it."""
    return KARRAS if drawing.karras and drawing.sampler not in WITHOUT_KARRAS else NORMAL


def graph_of(drawing: Drawing, called: Called) -> Nodes:
    """The nodes that make a drawing."""
    graph = Graph()
    loader, _ = graph.add("CheckpointLoaderSimple", ckpt_name=called.model)
    vae = (loader, 2)
    model, clip = _with_loras(graph, (loader, 0), (loader, 1), drawing, called)
    if drawing.clip_skip > 1:
        clip = graph.add("CLIPSetLastLayer", clip=clip, stop_at_clip_layer=-drawing.clip_skip)
    sampling = {
        "model": model,
        "positive": graph.add("CLIPTextEncode", text=drawing.prompt, clip=clip),
        "negative": graph.add("CLIPTextEncode", text=drawing.negative_prompt, clip=clip),
        "seed": drawing.seed,
        "steps": drawing.steps,
        "cfg": max(0.0, drawing.cfg_scale),  # it takes no less
        "sampler_name": called.sampler,
        "scheduler": called.scheduler,
    }
    if called.source:
        picture = _from_source(graph, sampling, vae, drawing, called)
    else:
        picture = _from_nothing(graph, sampling, vae, drawing)
    graph.add("PreviewImage", images=picture)  # unlike SaveImage it fills no folder
    return graph.nodes


def _with_loras(
    graph: Graph, model: Link, clip: Link, drawing: Drawing, called: Called
) -> tuple[Link, Link]:
    for lora, file in zip(drawing.loras, called.loras, strict=True):
        loader, _ = graph.add(
            "LoraLoader",
            model=model,
            clip=clip,
            lora_name=file,
            strength_model=lora.model,
            strength_clip=lora.clip,
        )
        model, clip = (loader, 0), (loader, 1)
    return model, clip


def _from_nothing(graph: Graph, sampling: dict[str, Any], vae: Link, drawing: Drawing) -> Link:
    """A picture from noise, in two passes where a hires fix is asked for."""
    small = first_pass(drawing.width, drawing.height) if drawing.hires_fix else None
    width, height = small or (drawing.width, drawing.height)
    latent = graph.add("EmptyLatentImage", width=width, height=height, batch_size=1)
    drawn = graph.add("KSampler", latent_image=latent, denoise=1.0, **sampling)
    if small:
        large = graph.add(
            "LatentUpscale",
            samples=drawn,
            upscale_method="bislerp",
            width=drawing.width,
            height=drawing.height,
            crop="disabled",
        )
        strength = drawing.hires_fix_denoising_strength
        drawn = graph.add("KSampler", latent_image=large, denoise=strength, **sampling)
    return graph.add("VAEDecode", samples=drawn, vae=vae)


def _from_source(
    graph: Graph, sampling: dict[str, Any], vae: Link, drawing: Drawing, called: Called
) -> Link:
    """A picture from the source image: all of it drawn again, or what the mask shows."""
    source = graph.add("LoadImage", image=called.source)
    strength = drawing.denoising_strength
    if not called.mask:
        latent = graph.add("VAEEncode", pixels=source, vae=vae)
        drawn = graph.add("KSampler", latent_image=latent, denoise=strength, **sampling)
        return graph.add("VAEDecode", samples=drawn, vae=vae)
    mask = graph.add("LoadImageMask", image=called.mask, channel="red")
    if drawing.source_processing == "outpainting":  # there is nothing below the mask to start from
        strength = 1.0
        latent = graph.add(
            "VAEEncodeForInpaint",
            pixels=source,
            vae=vae,
            mask=mask,
            grow_mask_by=GROW_MASK_PIXELS,
        )
    else:
        encoded = graph.add("VAEEncode", pixels=source, vae=vae)
        latent = graph.add("SetLatentNoiseMask", samples=encoded, mask=mask)
    drawn = graph.add("KSampler", latent_image=latent, denoise=strength, **sampling)
    decoded = graph.add("VAEDecode", samples=drawn, vae=vae)
    return graph.add(  # what the mask does not show stays as it was, to the pixel
        "ImageCompositeMasked",
        destination=source,
        source=decoded,
        x=0,
        y=0,
        resize_source=False,
        mask=mask,
    )
