"""Infotexts: how a picture was drawn, as the text that this API puts into its files; and back.

Three parts: the prompt, a line that begins with `Negative prompt: `, and a line of names and values
between commas. A value with a comma, a colon or a line in it stands in quotes, as in JSON.
"""

import json
import re
from collections.abc import Iterator, Mapping

NEGATIVE = "Negative prompt: "
LENGTH_MAX = 100_000  # of a text that is read
PAIR = re.compile(r'([A-Za-z0-9][^:,"\n]{0,60}): ("(?:[^"\\]|\\.)*"|[^,]*)(?:, |,|$)')
LEAST_PAIRS = 2  # fewer are a sentence with a colon in it


def written(prompt: str, negative_prompt: str, pairs: Mapping[str, object]) -> str:
    """The text for a picture; pairs without a value are left out."""
    line = ", ".join(
        f"{name}: {_shown(value)}" for name, value in pairs.items() if value not in {None, ""}
    )
    negative = f"{NEGATIVE}{negative_prompt}\n" if negative_prompt else ""
    return f"{prompt}\n{negative}{line}"


def read(text: str) -> dict[str, str]:
    """What a text says, by name; what is none of ours is a prompt as a whole."""
    text = text[:LENGTH_MAX].strip()
    *lines, last = text.split("\n")
    pairs = dict(_pairs(last))
    if len(pairs) < LEAST_PAIRS:
        lines, pairs = text.split("\n"), {}
    wanted, marker, unwanted = "\n".join(lines).partition(NEGATIVE)
    prompts = {"Prompt": wanted.rstrip("\n")}
    if marker:
        prompts["Negative prompt"] = unwanted
    return prompts | pairs


def _pairs(line: str) -> Iterator[tuple[str, str]]:
    for name, value in PAIR.findall(line):
        if value.startswith('"'):
            try:
                yield name.strip(), str(json.loads(value))
                continue
            except ValueError:
                pass
        yield name.strip(), value.strip()


def _shown(value: object) -> str:
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return json.dumps(text, ensure_ascii=False) if re.search(r'[,:\n"]', text) else text
