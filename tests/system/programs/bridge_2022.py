"""A small bridge as they were in October 2022, written from what the protocol sheets tell of them.

It pops with `bridge_version` and without `bridge_agent`, knows no upload links, delivers base64
with the seed as text and its key in the body as well, and reads nothing but `message` of an error.
Whatever goes wrong is tried again after a pause; only a 404 makes it drop a picture.

Everything it does is a line on standard output. `BRIDGE_HOLD` names a file that, while it is there,
keeps it at its drawing.
"""

import base64
import io
import os
import time
from pathlib import Path
from typing import Any

import httpx
from PIL import Image

URL = os.environ["BRIDGE_URL"]
KEY = os.environ["ORDU_API_KEY"]
HOLD = Path(os.environ["BRIDGE_HOLD"])
PAUSE_S = 0.2  # of the real ones: 2 to 10
POP = {
    "name": "cellar",
    "max_pixels": 512 * 512,
    "priority_usernames": [],
    "nsfw": True,
    "blacklist": [],
    "models": ["stable_diffusion"],
    "allow_img2img": True,
    "allow_unsafe_ip": True,
    "bridge_version": 3,
}


def say(*words: object) -> None:
    print(*words, flush=True)


def call(path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """The status and the answer; no status where nobody answers."""
    try:
        reply = httpx.post(f"{URL}/api/v2{path}", json=body, headers={"apikey": KEY}, timeout=10)
    except httpx.TransportError:
        return 0, {"message": "nobody answers"}
    return reply.status_code, reply.json()


def draw(payload: dict[str, Any]) -> str:
    """The picture in base64; it fails where one of the old keys is missing."""
    for key in ("prompt", "ddim_steps", "sampler_name", "cfg_scale", "seed"):
        assert payload[key] is not None, key
    while HOLD.exists():
        time.sleep(0.05)
    buffer = io.BytesIO()
    size = (payload["width"], payload["height"])
    Image.new("RGB", size, "olive").save(buffer, "WEBP")
    return base64.b64encode(buffer.getvalue()).decode()


def deliver(job: dict[str, Any]) -> None:
    """Until it is taken, or nobody knows it any more."""
    submit = {
        "id": job["id"],
        "generation": draw(job["payload"]),
        "api_key": KEY,
        "seed": str(job["payload"]["seed"]),
        "max_pixels": POP["max_pixels"],
    }
    while True:
        status, answer = call("/generate/submit", submit)
        if status == 200:
            say("paid", answer["reward"])
            return
        say("submit", status, answer["message"])
        if status == 404:
            say("dropped", job["id"])
            return
        time.sleep(PAUSE_S)


def main() -> None:
    while True:
        status, job = call("/generate/pop", POP)
        if status != 200:
            say("pop", status, job["message"])
        elif job["id"] is None:
            say("nothing to do")
        else:
            say("job", job["id"])
            deliver(job)
            continue
        time.sleep(PAUSE_S)


if __name__ == "__main__":
    main()
