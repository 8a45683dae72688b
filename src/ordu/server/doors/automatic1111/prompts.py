"""Prompts: the LoRAs that are written into them as `<lora:name:weight>`."""

import re
from typing import NamedTuple

from ordu.protocol.errors import Refused
from ordu.protocol.params import Lora

TAG = re.compile(r"<(lora|lyco|hypernet):([^<>:]+)((?::[^<>:]*){0,4})>", re.IGNORECASE)
WEIGHT_MAX = 5.0
SEPARATOR = "###"  # in a horde's prompt what follows it is not to be in the picture


class Read(NamedTuple):
    """A prompt without its tags, and the LoRAs that these named."""

    text: str
    loras: tuple[Lora, ...]


def read(prompt: str) -> Read:
    """A prompt as a horde takes it.

    Raises:
        Refused: ValidationFailed, when a tag says what no horde can draw.
    """
    loras = tuple(_lora(found) for found in TAG.finditer(prompt))
    return Read(TAG.sub("", prompt).strip() if loras else prompt, loras)


def joined(prompt: str, negative_prompt: str) -> str:
    """Both prompts in the one text of a horde; a separator that somebody typed is none."""
    wanted, unwanted = (text.replace(SEPARATOR, "##") for text in (prompt, negative_prompt))
    return f"{wanted}{SEPARATOR}{unwanted}" if unwanted.strip() else wanted


def _lora(tag: re.Match[str]) -> Lora:
    kind, name, weights = tag[1].lower(), tag[2].strip(), tag[3].split(":")[1:]
    if kind != "lora":
        raise _refusal(f"This horde cannot draw {tag[0]!r}: only LoRAs, as <lora:name:weight>.")
    if any("=" in weight for weight in weights) or len(weights) > 2 or not name:
        raise _refusal(f"{tag[0]!r} is not <lora:name:weight> or <lora:name:text:model>.")
    clip = _weight(weights[0], tag[0]) if weights else 1.0
    model = _weight(weights[1], tag[0]) if len(weights) > 1 else clip
    return Lora(name=name, model=model, clip=clip)


def _weight(text: str, tag: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        raise _refusal(f"The weight {text!r} in {tag!r} is no number.") from None
    if not -WEIGHT_MAX <= weight <= WEIGHT_MAX:
        raise _refusal(f"The weight in {tag!r} is not between -{WEIGHT_MAX:g} and {WEIGHT_MAX:g}.")
    return weight


def _refusal(words: str) -> Refused:
    return Refused("ValidationFailed", words, errors={"prompt": words})
