"""Prompts longer than a model reads at once.

The readers of Stable Diffusion take 75 tokens, and diffusers cuts off what is more. Here a long
prompt is split between words into pieces that fit, each is read by itself, and what was read is put
one after the other. Short prompts are left to the pipeline.
"""

from typing import Any

import torch

from ordu.worker.backends import Drawing
from ordu.worker.backends.diffusers.loading import Loaded

PIECES_MAX = 8  # 600 tokens; what is more is left out
WORD_CHARACTERS_MAX = 16  # a longer "word" is cut: each character can be four tokens


def arguments(loaded: Loaded, drawing: Drawing, clip_skip: int | None) -> dict[str, Any]:
    """What the pipeline is told about the prompts: as text, or as read by us."""
    wanted = _pieces(loaded, drawing.prompt)
    unwanted = _pieces(loaded, drawing.negative_prompt)
    many = max(len(wanted), len(unwanted))
    if many == 1:
        return {
            "prompt": drawing.prompt,
            "negative_prompt": drawing.negative_prompt or None,
            "clip_skip": clip_skip,
        }
    wanted += [""] * (many - len(wanted))
    unwanted += [""] * (many - len(unwanted))
    guided = drawing.cfg_scale > 1
    read = [
        _read(loaded, *pair, clip_skip=clip_skip, guided=guided)
        for pair in zip(wanted, unwanted, strict=True)
    ]
    return _joined(read)


def _pieces(loaded: Loaded, prompt: str) -> list[str]:
    """The prompt in pieces that are read whole; at least one."""
    readers = [loaded.pipe.tokenizer, getattr(loaded.pipe, "tokenizer_2", None)]
    reader = next(each for each in readers if each is not None)
    room = min(int(reader.model_max_length), 77) - 2  # without the marks of beginning and end
    if _count(reader, prompt) <= room:
        return [prompt]
    pieces: list[str] = []
    words: list[str] = []
    used = 0
    for word in _words(prompt):
        tokens = _count(reader, word)
        if used + tokens > room and words:
            pieces.append(" ".join(words))
            words, used = [], 0
            if len(pieces) == PIECES_MAX:
                return pieces
        words.append(word)
        used += tokens
    return [*pieces, " ".join(words)] if words else pieces


def _words(prompt: str) -> list[str]:
    size = WORD_CHARACTERS_MAX
    return [
        word[start : start + size] for word in prompt.split() for start in range(0, len(word), size)
    ]


def _count(reader: Any, text: str) -> int:
    return len(reader(text, add_special_tokens=False, truncation=False).input_ids)


def _read(
    loaded: Loaded, wanted: str, unwanted: str, *, clip_skip: int | None, guided: bool
) -> tuple[Any, ...]:
    pipe = loaded.pipe
    read: tuple[Any, ...] = pipe.encode_prompt(
        prompt=wanted,
        negative_prompt=unwanted,
        device=pipe.device,
        num_images_per_prompt=1,
        do_classifier_free_guidance=guided,
        clip_skip=clip_skip,
    )
    return read


def _joined(read: list[tuple[Any, ...]]) -> dict[str, Any]:
    """What was read of all pieces, one after the other; of the summary the first counts."""
    names = (
        "prompt_embeds",
        "negative_prompt_embeds",
        "pooled_prompt_embeds",
        "negative_pooled_prompt_embeds",
    )
    found: dict[str, Any] = {}
    for index, name in enumerate(names[: len(read[0])]):
        parts = [each[index] for each in read]
        if parts[0] is not None:
            found[name] = parts[0] if "pooled" in name else torch.cat(parts, dim=1)
    return found
