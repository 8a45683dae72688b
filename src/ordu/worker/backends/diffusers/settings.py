"""What the backend diffusers is told: `[backends.diffusers]`, or `--set NAME=VALUE`."""

import re
from typing import Annotated, Literal

from ordu.settings import Settings, about
from ordu.settings.server import PIXELS_MAX

DEVICE = re.compile(r"cuda:\d{1,2}|mps|cpu")


def _is_device(name: str) -> bool:
    return DEVICE.fullmatch(name) is not None


class DiffusersSettings(Settings, frozen=True, kw_only=True):
    """Where the models are, and what of this machine they may use."""

    folder: Annotated[
        str,
        about("Folder of models: folders in the layout of diffusers, and .safetensors files."),
    ] = "models"
    model_paths: Annotated[
        tuple[str, ...],
        about("More models: folders, files, or ids such as org/name in the Hugging Face cache."),
    ] = ()
    loras: Annotated[str, about("Folder of LoRAs (.safetensors); empty: none are offered.")] = ""
    devices: Annotated[
        tuple[str, ...],
        about(
            "What to draw on; empty: all graphics cards found, else the processor.",
            allowed="cuda:0, cuda:1, …, mps or cpu, with commas between",
            check=_is_device,
        ),
    ] = ()
    precision: Annotated[
        Literal["auto", "fp32", "fp16", "bf16"],
        about("Numbers that models are kept in; auto: fp16 on CUDA and ROCm, else fp32."),
    ] = "auto"
    memory_gib: Annotated[
        float,
        about(
            "GiB of each device that models kept loaded may take; 0: all but what drawing needs.",
            0,
            1024,
        ),
    ] = 0.0
    safety_checker: Annotated[
        str,
        about(
            "What censors where a job asks for it: on (the checker that came with a model), off,"
            " or the folder of one."
        ),
    ] = "on"
    vae_tiling: Annotated[
        Literal["auto", "on", "off"],
        about("Develop pictures in tiles, to save memory; auto: those that did not fit before."),
    ] = "auto"
    max_pixels: Annotated[
        int, about("The largest picture to offer; 0: by the device's memory.", 0, PIXELS_MAX)
    ] = 0
