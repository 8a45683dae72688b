"""Writes a model as people share them: one file, with the names of the program it was trained in.

The names are those of the first release of Stable Diffusion; `from_single_file` of diffusers reads
them the other way round.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from safetensors.torch import save_file

Rules = Sequence[tuple[str, str]]
UNET: Rules = (
    (r"^time_embedding\.linear_1\.", "time_embed.0."),
    (r"^time_embedding\.linear_2\.", "time_embed.2."),
    (r"^conv_in\.", "input_blocks.0.0."),
    (r"^conv_norm_out\.", "out.0."),
    (r"^conv_out\.", "out.2."),
    (r"^mid_block\.attentions\.0\.", "middle_block.1."),
    (r"^mid_block\.resnets\.0\.", "middle_block.0."),
    (r"^mid_block\.resnets\.1\.", "middle_block.2."),
)
RESNET: Rules = (
    (r"\.norm1\.", ".in_layers.0."),
    (r"\.conv1\.", ".in_layers.2."),
    (r"\.norm2\.", ".out_layers.0."),
    (r"\.conv2\.", ".out_layers.3."),
    (r"\.time_emb_proj\.", ".emb_layers.1."),
    (r"\.conv_shortcut\.", ".skip_connection."),
)
VAE: Rules = (
    (r"\.conv_shortcut\.", ".nin_shortcut."),
    (r"\.conv_norm_out\.", ".norm_out."),
    (r"\.mid_block\.attentions\.0\.", ".mid.attn_1."),
    (r"\.mid_block\.resnets\.0\.", ".mid.block_1."),
    (r"\.mid_block\.resnets\.1\.", ".mid.block_2."),
    (r"\.down_blocks\.(\d)\.resnets\.", r".down.\1.block."),
    (r"\.down_blocks\.(\d)\.downsamplers\.0\.", r".down.\1.downsample."),
    (r"\.group_norm\.", ".norm."),
    (r"\.to_([qkv])\.", r".\1."),
    (r"\.to_out\.0\.", ".proj_out."),
)


def save(pipe: Any, path: Path) -> Path:
    """Write a pipeline built like Stable Diffusion 1 into one file."""
    parts = {
        "model.diffusion_model.": (pipe.unet, _unet_name),
        "first_stage_model.": (pipe.vae, _vae_name),
        "cond_stage_model.transformer.text_model.": (pipe.text_encoder, str),
    }
    weights = {
        prefix + name(key): tensor
        for prefix, (network, name) in parts.items()
        for key, tensor in network.state_dict().items()
    }
    for key, tensor in weights.items():
        # Attention of the decoder was written as convolutions of one pixel.
        if re.search(r"attn_1\.(q|k|v|proj_out)\.weight$", key):
            weights[key] = tensor[:, :, None, None].contiguous()
    save_file(weights, path)
    return path


def _unet_name(key: str) -> str:
    if ".resnets." in key:
        key = _renamed(key, RESNET)
    key = _renamed(key, UNET)
    places = {"resnets": 0, "attentions": 1}
    if found := re.match(r"(down|up)_blocks\.(\d)\.(resnets|attentions)\.(\d)\.(.*)", key):
        side, block, kind, layer, rest = found.groups()
        number = 3 * int(block) + int(layer)
        name = f"input_blocks.{number + 1}" if side == "down" else f"output_blocks.{number}"
        return f"{name}.{places[kind]}.{rest}"
    if found := re.match(r"down_blocks\.(\d)\.downsamplers\.0\.conv\.(.*)", key):
        return f"input_blocks.{3 * (int(found[1]) + 1)}.0.op.{found[2]}"
    if found := re.match(r"up_blocks\.(\d)\.upsamplers\.0\.(.*)", key):
        return f"output_blocks.{3 * int(found[1]) + 2}.{2 if int(found[1]) else 1}.{found[2]}"
    return key


def _vae_name(key: str) -> str:
    key = _renamed(key, VAE)
    if found := re.match(r"decoder\.up_blocks\.(\d)\.(resnets|upsamplers\.0)\.(.*)", key):
        kind = "block" if found[2] == "resnets" else "upsample"
        return f"decoder.up.{3 - int(found[1])}.{kind}.{found[3]}"
    return key


def _renamed(key: str, rules: Rules) -> str:
    for pattern, words in rules:
        key = re.sub(pattern, words, key)
    return key
