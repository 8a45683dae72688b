"""What a model is built like, read from its description or the head of its file, not its weights.

A file of weights has numbers and nothing else: how the networks are put together, and the words of
the reader of prompts, are taken from a model folder of the same build. `Build` is what has to be
the same.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

HEAD_BYTES_MAX = 100_000_000  # the format's own limit
CONFIG_BYTES_MAX = 10_000_000
UNET = "model.diffusion_model."
# The names of pipelines whose models are drawn with; all three tasks share each one's weights.
PLAIN = {
    "StableDiffusionPipeline",
    "StableDiffusionImg2ImgPipeline",
    "StableDiffusionInpaintPipeline",
}
XL = {
    "StableDiffusionXLPipeline",
    "StableDiffusionXLImg2ImgPipeline",
    "StableDiffusionXLInpaintPipeline",
}


class UnusableError(Exception):
    """It is no model that can be drawn with; the message says why."""


@dataclass(frozen=True, slots=True)
class Build:
    """The sizes that tell one build of model from another."""

    is_xl: bool  # two readers of prompts
    text_width: int  # numbers per word
    channels_in: int  # 4, or 9 when it was trained to paint into pictures
    channels: int  # of the first layer


def of_folder(folder: Path) -> Build:
    """The build of a model folder.

    Raises:
        UnusableError: it is not one that can be drawn with.
    """
    name = _json(folder / "model_index.json").get("_class_name")
    if not isinstance(name, str) or name not in PLAIN | XL:
        raise UnusableError(f"{name} is not Stable Diffusion 1, 2 or XL, which this backend draws")
    unet = _json(folder / "unet" / "config.json")
    text_width, channels = unet.get("cross_attention_dim"), unet.get("block_out_channels")
    if not isinstance(text_width, int) or not isinstance(channels, list) or not channels:
        raise UnusableError("its unet/config.json lacks cross_attention_dim or block_out_channels")
    return Build(name in XL, text_width, int(str(unet.get("in_channels", 4))), int(channels[0]))


def of_file(path: Path) -> Build:
    """The build of a single file of weights.

    Raises:
        UnusableError: it is not one that can be drawn with.
    """
    try:
        stat = path.stat()
    except OSError as error:
        raise UnusableError(f"it cannot be read: {error.strerror}") from error
    found = _of_file(path, stat.st_mtime_ns, stat.st_size)
    if isinstance(found, str):
        raise UnusableError(found)
    return found


@lru_cache(maxsize=1024)
def _of_file(path: Path, changed_ns: int, size_bytes: int) -> Build | str:
    """As `of_file`, or why not; a file is read once until it changes."""
    del changed_ns
    try:
        shapes = _shapes(path, size_bytes)
    except (OSError, ValueError) as error:
        return f"it is no .safetensors file: {error}"
    first = shapes.get(UNET + "input_blocks.0.0.weight", [])
    texts = [
        shape
        for name, shape in shapes.items()
        if name.startswith(UNET) and name.endswith("attn2.to_k.weight")
    ]
    is_xl = any(name.startswith("conditioner.embedders.1.") for name in shapes)
    has_reader = is_xl or any(name.startswith("cond_stage_model.") for name in shapes)
    if len(first) != 4 or not texts or len(texts[0]) != 2 or not has_reader:
        return "it is no whole checkpoint of Stable Diffusion 1, 2 or XL"
    return Build(is_xl, texts[0][1], first[1], first[0])


def _shapes(path: Path, size_bytes: int) -> Mapping[str, list[int]]:
    """The shape of each tensor in a file."""
    with path.open("rb") as opened:
        length = int.from_bytes(opened.read(8), "little")
        if not 2 <= length <= min(HEAD_BYTES_MAX, size_bytes - 8):
            raise ValueError("its head has no sensible length")
        head = json.loads(opened.read(length))
    if not isinstance(head, dict):
        raise ValueError("its head is no table")  # noqa: TRY004 - bad content, like the others
    tensors = {name: each for name, each in head.items() if name != "__metadata__"}
    return {
        name: [int(side) for side in each["shape"]]
        for name, each in tensors.items()
        if isinstance(each, dict) and isinstance(each.get("shape"), list)
    }


def _json(path: Path) -> Mapping[str, object]:
    try:
        if path.stat().st_size > CONFIG_BYTES_MAX:
            raise UnusableError(f"{path.name} is far too large")
        content = json.loads(path.read_text())
    except OSError as error:
        raise UnusableError(f"{path.name} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UnusableError(f"{path.name} is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise UnusableError(f"{path.name} is no table")
    return content
