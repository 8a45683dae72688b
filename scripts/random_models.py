"""Stable Diffusion models with random weights, for tests and measurements: nothing is downloaded.

They are whole models in the layout of diffusers, in their real size or a tiny one, with a
vocabulary in which every character is a word. What they draw is noise; how long that takes, and how
much memory, is what the real ones take, because neither depends on the weights.

    python scripts/random_models.py FOLDER [--tiny]
"""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from diffusers.pipelines.stable_diffusion import StableDiffusionSafetyChecker
from safetensors.torch import save_file

START, END = "<|startoftext|>", "<|endoftext|>"
RANK = 4  # of the LoRAs
WORDS = {"tiny": 1000, "full": 49408}  # of the vocabulary; the last two mark start and end

PLAIN_UNET: Mapping[str, Mapping[str, Any]] = {
    "full": {
        "sample_size": 64,
        "cross_attention_dim": 768,
        "attention_head_dim": 8,
        "block_out_channels": (320, 640, 1280, 1280),
        "down_block_types": (*["CrossAttnDownBlock2D"] * 3, "DownBlock2D"),
        "up_block_types": ("UpBlock2D", *["CrossAttnUpBlock2D"] * 3),
    },
    "tiny": {
        "sample_size": 16,
        "cross_attention_dim": 32,
        "attention_head_dim": 2,
        "block_out_channels": (8, 8, 8, 8),
        "norm_num_groups": 4,
        "down_block_types": (*["CrossAttnDownBlock2D"] * 3, "DownBlock2D"),
        "up_block_types": ("UpBlock2D", *["CrossAttnUpBlock2D"] * 3),
    },
}
XL_UNET: Mapping[str, Mapping[str, Any]] = {
    "full": {
        "sample_size": 128,
        "cross_attention_dim": 2048,
        "attention_head_dim": (5, 10, 20),
        "block_out_channels": (320, 640, 1280),
        "transformer_layers_per_block": (1, 2, 10),
        "addition_time_embed_dim": 256,
        "projection_class_embeddings_input_dim": 2816,
    },
    "tiny": {
        "sample_size": 16,
        "cross_attention_dim": 64,
        "attention_head_dim": (2, 2, 2),
        "block_out_channels": (8, 8, 8),
        "norm_num_groups": 4,
        "transformer_layers_per_block": (1, 1, 2),
        "addition_time_embed_dim": 8,
        "projection_class_embeddings_input_dim": 6 * 8 + 32,
    },
}
XL_SHAPE: Mapping[str, Any] = {
    "addition_embed_type": "text_time",
    "use_linear_projection": True,
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
}
READERS: Mapping[str, Mapping[str, Any]] = {
    "full": {"hidden_size": 768, "intermediate_size": 3072, "layers": 12, "heads": 12},
    "tiny": {"hidden_size": 32, "intermediate_size": 64, "layers": 4, "heads": 4},
}
READERS_2: Mapping[str, Mapping[str, Any]] = {
    "full": {"hidden_size": 1280, "intermediate_size": 5120, "layers": 32, "heads": 20},
    "tiny": {"hidden_size": 32, "intermediate_size": 64, "layers": 4, "heads": 4},
}


def plain(size: str = "tiny", *, seed: int = 0, channels_in: int = 4) -> Any:
    """A pipeline built like Stable Diffusion 1.5; 9 channels make one that paints into pictures."""
    torch.manual_seed(seed)
    kind = diffusers.StableDiffusionPipeline
    if channels_in == 9:
        kind = diffusers.StableDiffusionInpaintPipeline
    return kind(
        vae=_vae(size, 0.18215, 64),
        text_encoder=transformers.CLIPTextModel(_reader(size, READERS[size], "quick_gelu")),
        tokenizer=None,
        unet=_unet(PLAIN_UNET[size], in_channels=channels_in),
        scheduler=_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def xl(size: str = "tiny", *, seed: int = 0) -> Any:
    """A pipeline built like Stable Diffusion XL."""
    torch.manual_seed(seed)
    second = _reader(size, READERS_2[size], "gelu")
    return diffusers.StableDiffusionXLPipeline(
        vae=_vae(size, 0.13025, 128),
        text_encoder=transformers.CLIPTextModel(_reader(size, READERS[size], "quick_gelu")),
        text_encoder_2=transformers.CLIPTextModelWithProjection(second),
        tokenizer=None,
        tokenizer_2=None,
        unet=_unet({**XL_UNET[size], **XL_SHAPE}),
        scheduler=_scheduler(),
        add_watermarker=False,
    )


def save(pipe: Any, folder: Path, size: str = "tiny", **options: Any) -> Path:
    """Write a pipeline into a folder, its vocabulary with it."""
    pipe.save_pretrained(folder, safe_serialization=True, **options)
    index_path = folder / "model_index.json"
    index = json.loads(index_path.read_text())
    for name in ("tokenizer", "tokenizer_2"):
        if name in index:
            _vocabulary(folder / name, WORDS[size])
            index[name] = ["transformers", "CLIPTokenizer"]
    index_path.write_text(json.dumps(index, indent=2))
    return folder


def save_lora(
    path: Path, pipe: Any, *, seed: int = 0, strength: float = 0.5, with_text: bool = True
) -> None:
    """Write a LoRA for a pipeline, which touches its attention; 0.5 is seen at once."""
    generator = torch.Generator().manual_seed(seed)
    parts = [("unet", pipe.unet, "attn")]
    if with_text:
        parts.append(("text_encoder", pipe.text_encoder, "self_attn"))
    weights: dict[str, torch.Tensor] = {}
    for prefix, network, where in parts:
        for name, module in network.named_modules():
            if where in name and name.endswith(("to_q", "to_v", "q_proj", "v_proj")):
                down = torch.randn(RANK, module.in_features, generator=generator)
                up = torch.randn(module.out_features, RANK, generator=generator)
                weights[f"{prefix}.{name}.lora_A.weight"] = down * strength
                weights[f"{prefix}.{name}.lora_B.weight"] = up * strength
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(weights, path)


def save_checker(folder: Path, *, forbids: bool) -> Path:
    """Write a tiny safety checker that forbids everything, or nothing."""
    vision = {
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "image_size": 32,
        "patch_size": 8,
    }
    config = transformers.CLIPConfig(vision_config=vision, projection_dim=16)
    checker = StableDiffusionSafetyChecker(config)
    with torch.no_grad():
        for name, weights in checker.named_parameters():
            if name.endswith("embeds_weights"):
                weights.fill_(-2.0 if forbids else 2.0)  # thresholds of a cosine, which is -1 to 1
    checker.save_pretrained(folder / "safety_checker", safe_serialization=True)
    side = {"height": 32, "width": 32}
    transformers.CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=side).save_pretrained(
        folder / "feature_extractor"
    )
    return folder


def _unet(shape: Mapping[str, Any], in_channels: int = 4) -> Any:
    return diffusers.UNet2DConditionModel(**{**shape, "in_channels": in_channels}).eval()


def _vae(size: str, scaling_factor: float, latent_side: int) -> Any:
    channels = (128, 256, 512, 512) if size == "full" else (8, 8, 8, 8)
    return diffusers.AutoencoderKL(
        block_out_channels=channels,
        down_block_types=["DownEncoderBlock2D"] * 4,
        up_block_types=["UpDecoderBlock2D"] * 4,
        layers_per_block=2,
        norm_num_groups=32 if size == "full" else 4,
        latent_channels=4,
        sample_size=latent_side * 8 if size == "full" else 64,
        scaling_factor=scaling_factor,
    ).eval()


def _reader(size: str, shape: Mapping[str, Any], act: str) -> Any:
    words = WORDS[size]
    return transformers.CLIPTextConfig(
        vocab_size=words,
        hidden_size=shape["hidden_size"],
        intermediate_size=shape["intermediate_size"],
        num_hidden_layers=shape["layers"],
        num_attention_heads=shape["heads"],
        projection_dim=shape["hidden_size"],
        hidden_act=act,
        bos_token_id=words - 2,
        eos_token_id=words - 1,
        pad_token_id=words - 1,
    )


def _scheduler() -> Any:
    return diffusers.PNDMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        skip_prk_steps=True,
        steps_offset=1,
        set_alpha_to_one=False,
    )


def _vocabulary(folder: Path, words: int) -> None:
    """A reader's words: every printable byte, alone or ending a word, and a few pairs."""
    letters = [chr(code) for code in range(33, 127)]
    pairs = ["th", "an", "in"]
    known = [*letters, *(each + "</w>" for each in letters), *pairs]
    numbers = {each: number for number, each in enumerate(known)}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps({**numbers, START: words - 2, END: words - 1}))
    merges = "\n".join(f"{pair[0]} {pair[1]}" for pair in pairs)
    (folder / "merges.txt").write_text(f"#version: 0.2\n{merges}\n")
    (folder / "tokenizer_config.json").write_text(
        json.dumps(
            {
                "tokenizer_class": "CLIPTokenizer",
                "model_max_length": 77,
                "bos_token": START,
                "eos_token": END,
                "unk_token": END,
                "pad_token": END,
            }
        )
    )


def main() -> None:
    """Write one of each."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tiny", action="store_true")
    asked = parser.parse_args()
    size = "tiny" if asked.tiny else "full"
    save(plain(size), asked.folder / "random-sd", size)
    save(xl(size), asked.folder / "random-xl", size)


if __name__ == "__main__":
    main()
