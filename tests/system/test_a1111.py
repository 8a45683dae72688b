"""The door of /sdapi/v1 with real processes: a program uses a horde, and a horde uses a horde."""

import base64
import io
import json
import threading

import httpx
import pytest
from PIL import Image, ImageChops, ImageStat
from tests.system.processes import Processes, Server, until

SIZE = {"width": 512, "height": 384}
DIFFERENCE_MAX = 4.0  # of a colour of 0 to 255, in the mean: both were WebP on the way


class Program:
    """A program that was written for a local AUTOMATIC1111, with its address and login changed."""

    def __init__(self, server: Server, key: str) -> None:
        self.url, self.login = server.url, ("me", key)

    def get(self, path: str):
        return self.call("GET", path, None)

    def post(self, path: str, **body):
        return self.call("POST", path, body)

    def call(self, method: str, path: str, body):
        url = f"{self.url}/sdapi/v1/{path}"
        reply = httpx.request(method, url, json=body, auth=self.login, timeout=60)
        return reply.raise_for_status().json()


@pytest.fixture
def horde(ordu: Processes) -> tuple[Server, str]:
    server = ordu.server()
    key = server.register("friend")
    ordu.worker(server, key)
    return server, key


def picture(reply) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(reply["images"][0])))


def difference(one: Image.Image, other: Image.Image) -> float:
    changes = ImageChops.difference(one.convert("RGB"), other.convert("RGB"))
    return max(ImageStat.Stat(changes).mean)


def test_a_program_draws_with_a_horde(horde):
    program = Program(*horde)
    names = [each["model_name"] for each in program.get("sd-models")]
    assert "sketch" in names
    program.post("options", sd_model_checkpoint="sketch")

    first = program.post("txt2img", prompt="dunes at sunset", seed=3, steps=10, **SIZE)
    image = picture(first)
    assert (image.format, image.size) == ("PNG", (512, 384))
    assert "Seed: 3, Size: 512x384, Model: sketch" in image.info["parameters"]

    again = program.post(
        "img2img", prompt="night", init_images=first["images"], denoising_strength=0.6, **SIZE
    )
    assert json.loads(again["info"])["denoising_strength"] == 0.6
    assert difference(picture(again), image) > DIFFERENCE_MAX


def test_a_program_watches_and_interrupts(horde):
    program, watcher = Program(*horde), Program(*horde)
    replies = []
    body = {"prompt": "sea", "n_iter": 20, "width": 1024, "height": 1024, "steps": 50}
    drawing = threading.Thread(target=lambda: replies.append(program.post("txt2img", **body)))
    drawing.start()
    seen = until(lambda: watcher.get("progress")["progress"], "progress")
    assert 0 < seen < 1
    until(lambda: watcher.get("progress")["state"]["job_no"], "a finished picture")
    watcher.post("interrupt")
    drawing.join(60)
    assert 1 <= len(replies[0]["images"]) < 20
    assert watcher.get("progress")["state"]["job_count"] == 0


def test_a_horde_draws_with_another_horde(ordu, horde):
    """Our own backend for such programs, pointed at the door: the other side of the same API."""
    inner, key = horde
    outer = ordu.server(data="outer")
    outer_key = outer.register("friend")
    worker = ordu.worker(
        outer, outer_key, "--backend", "automatic1111", "--set", f"url={inner.url}",
        "--set", "user=me", ORDU_AUTOMATIC1111_PASSWORD=key,
    )  # fmt: skip
    assert "sketch" in [each["title"] for each in Program(outer, outer_key).get("sd-models")]

    asked = {"prompt": "map", "seed": 5, "steps": 10, "sampler_name": "Euler a"} | SIZE
    asked |= {"override_settings": {"sd_model_checkpoint": "sketch"}}
    through = picture(Program(outer, outer_key).post("txt2img", **asked))
    assert "Seed: 5, Size: 512x384, Model: sketch, Worker: attic" in through.info["parameters"]
    straight = picture(Program(inner, key).post("txt2img", **asked))
    assert difference(through, straight) < DIFFERENCE_MAX, worker.said()

    source = Program(outer, outer_key).post(
        "img2img", init_images=Program(inner, key).post("txt2img", **asked)["images"],
        denoising_strength=0.6, **asked | {"prompt": "night"},
    )  # fmt: skip
    assert difference(picture(source), straight) > DIFFERENCE_MAX
