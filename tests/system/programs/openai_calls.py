"""A person who uses the official Python package `openai`, unchanged; writes what it got as JSON.

The package reads OPENAI_BASE_URL and OPENAI_API_KEY by itself.
"""

import asyncio
import base64
import json
import os
import sys
import urllib.request
from pathlib import Path
from typing import Any

import openai

FOLDER = Path(sys.argv[1])  # with image.png and mask.png; masked.webp is written there
SMALL: Any = {"prompt": "dunes at sunset", "size": "128x64", "extra_body": {"steps": 2, "seed": 7}}


def magic(data: bytes) -> str:
    """What kind of picture these bytes are."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    return {b"\x89PNG": "png", b"\xff\xd8\xff\xe0": "jpeg"}.get(data[:4], "unknown")


def kinds(answer: Any) -> list[str]:
    return [magic(base64.b64decode(image.b64_json)) for image in answer.data]


def refusal(call: Any) -> dict[str, Any]:
    """How the package says no."""
    try:
        call()
    except openai.APIStatusError as error:
        return {
            "class": type(error).__name__,
            "status": error.status_code,
            "code": error.code,
            "param": error.param,
            "has_id": bool(error.request_id),
        }
    return {"class": None}


def generate(client: openai.OpenAI) -> dict[str, Any]:
    plain = client.images.generate(**SMALL)
    several = client.images.generate(n=2, model="best", output_format="png", **SMALL)
    linked = client.images.generate(response_format="url", model="fast", **SMALL)
    with urllib.request.urlopen(linked.data[0].url) as reply:
        data = reply.read()
    raw = client.images.with_raw_response.generate(
        quality="low", background="auto", moderation="auto", user="me", **SMALL
    )
    return {
        "plain": kinds(plain),
        "size": plain.size,
        "seed": plain.data[0].seed,
        "tokens": plain.usage.total_tokens,
        "several": kinds(several),
        "format": several.output_format,
        "linked": magic(data),
        "raw": [raw.status_code, bool(raw.request_id), kinds(raw.parse())],
    }


def stream(client: openai.OpenAI) -> list[list[str]]:
    with client.images.generate(stream=True, partial_images=2, n=2, **SMALL) as events:
        return [[each.type, magic(base64.b64decode(each.b64_json))] for each in events]


def edit(client: openai.OpenAI) -> dict[str, Any]:
    image, mask = FOLDER / "image.png", FOLDER / "mask.png"
    masked = client.images.edit(image=image.open("rb"), mask=mask.open("rb"), **SMALL)
    (FOLDER / "masked.webp").write_bytes(base64.b64decode(masked.data[0].b64_json))
    listed = client.images.edit(image=[image.open("rb")], input_fidelity="high", **SMALL)
    with client.images.edit(image=image.open("rb"), stream=True, **SMALL) as events:
        streamed = [each.type for each in events]
    wanted = {"image": image.open("rb"), "n": 1, "size": "256x256"}
    varied = client.images.create_variation(extra_body={"steps": 2}, **wanted)
    return {
        "masked": kinds(masked),
        "listed": kinds(listed),
        "streamed": streamed,
        "varied": kinds(varied),
    }


def refusals(client: openai.OpenAI) -> dict[str, Any]:
    images = client.images
    stranger = client.with_options(api_key="sk-nobody-knows-this-one")
    return {
        "bad key": refusal(stranger.models.list),
        "bad size": refusal(lambda: images.generate(prompt="a", size="100x100")),
        "unknown model": refusal(lambda: images.generate(prompt="a", model="dall-e-3")),
        "unknown field": refusal(lambda: images.generate(prompt="a", extra_body={"colour": 1})),
        "two pictures": refusal(
            lambda: images.edit(image=[b"a", b"b"], prompt="a"),
        ),
        "no such model": refusal(lambda: client.models.retrieve("nothing/like it")),
        "nobody can": refusal(lambda: images.generate(prompt="a", size="3072x3072")),
    }


async def beside(many: int) -> int:
    """The asynchronous client, several calls at once."""
    async with openai.AsyncOpenAI() as client:
        answers = await asyncio.gather(*(client.images.generate(**SMALL) for _ in range(many)))
    return sum(len(kinds(answer)) for answer in answers)


if __name__ == "__main__":
    with openai.OpenAI(timeout=60) as client:
        told = {
            "version": openai.__version__,
            "models": sorted(model.id for model in client.models.list()),
            "model": client.models.retrieve("best").to_dict(),
            "generate": generate(client),
            "stream": stream(client),
            "edit": edit(client),
            "refusals": refusals(client),
        }
    told["beside"] = asyncio.run(beside(3))
    assert os.environ["OPENAI_BASE_URL"].startswith("http://127.0.0.1:")
    print(json.dumps(told))
