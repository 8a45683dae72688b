"""What people ask for and what workers offer: bodies of requests and pops, mixed as in a horde."""

import json
import random
from typing import Any

MODELS = [f"model {number}" for number in range(200)]
SIDES = (512, 768, 1024)
PROMPT = "a fox in the snow, oil on canvas, soft light, by a painter of the north, highly detailed"
UNWANTED = "a model that nobody asks for"
UNOFFERED = "a model that nobody offers"


def plain(**more: Any) -> bytes:
    """A request as most are."""
    body = {"prompt": PROMPT, "params": {"n": 1, "steps": 30, "width": 512, "height": 512}}
    return json.dumps(body | more).encode()


def lanes(many: int, worker_ids: list[str], *, is_offered: bool = True) -> list[bytes]:
    """So many requests of which each needs something else of a worker.

    Up to three models, three sizes, some not for everybody's eyes; a tenth has a list of workers, a
    fifth one of workers it refuses. The prompt begins with the number of the lane.
    """
    chance = random.Random(1)
    found: dict[bytes, None] = {}
    while len(found) < many:
        side = chance.choice(SIDES)
        needs = {
            "models": sorted(chance.sample(MODELS, chance.randint(1, 3))),
            "nsfw": chance.random() < 0.3,
            "params": {"n": 1, "steps": 30, "width": side, "height": side},
            **listed(chance, worker_ids),
        }
        if not is_offered:
            needs["models"] = [f"{UNOFFERED} {len(found)}"]
        found[json.dumps(needs).encode()] = None
    return [with_prompt(needs, number) for number, needs in enumerate(found)]


def listed(chance: random.Random, worker_ids: list[str]) -> dict[str, Any]:
    """A list of workers, for some."""
    kind = chance.random()
    if kind >= 0.3 or len(worker_ids) < 10:
        return {}
    return {"workers": sorted(chance.sample(worker_ids, 3)), "worker_blacklist": kind >= 0.1}


def with_prompt(needs: bytes, lane: int) -> bytes:
    """A body with these needs."""
    return f'{{"prompt": "{lane} {PROMPT}", '.encode() + needs[1:]


def lane_of(prompt: str) -> int:
    """The lane of which a job's prompt tells."""
    return int(prompt.partition(" ")[0])


def offer(number: int) -> dict[str, Any]:
    """What a worker of a mixed crowd offers, for its pop."""
    chance = random.Random(number)
    return {
        "models": chance.sample(MODELS, chance.randint(60, 140)),
        "max_pixels": chance.choice((768, 1024, 1024)) ** 2,
        "nsfw": chance.random() < 0.8,
    }
