"""`ordu generate` through a real server and worker: asked in full, inspected, asked again."""

import io
import json
from pathlib import Path
from typing import Any

from PIL import Image
from tests.builders import a_picture
from tests.system.processes import Processes, Server


def printed(ordu: Processes, server: Server, key: str, *arguments: str) -> Any:
    """What a command prints as JSON that succeeds."""
    done = ordu.run(*arguments, "--json", ORDU_URL=server.url, ORDU_API_KEY=key)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def pixels(path: Path) -> bytes:
    with Image.open(io.BytesIO(path.read_bytes())) as image:
        return image.convert("RGBA").tobytes()


def test_asked_for_in_full_inspected_and_asked_for_again(ordu):
    server = ordu.server()
    artist, owner = server.register("artist"), server.register("owner")
    ordu.worker(server, owner)
    (ordu.folder / "prompts.txt").write_text("dunes at sunset\nmoon over the sea\n")

    wish = (
        "generate", "--prompts", "prompts.txt", "--negative", "people", "--n", "2",
        "--width", "192", "--height", "128", "--steps", "12", "--cfg-scale", "6.5", "--seed", "7",
        "--seed-variation", "5", "--sampler", "k_euler", "--no-karras", "--tiling",
        "--model", "sketch", "--not-worker", owner_of_nothing(server, owner),
        "--out", "out/{prompt}-{n}-{model}", "--grid", "--preview", "blocks", "--censor",
    )  # fmt: skip
    (price, _) = printed(ordu, server, artist, *wish, "--dry-run")
    assert price["kudos"] > 0
    made = printed(ordu, server, artist, *wish)
    paths = [ordu.folder / each["path"] for each in made]
    assert [each.stem for each in paths] == [
        "dunes-at-sunset-1-sketch", "dunes-at-sunset-2-sketch",
        "moon-over-the-sea-3-sketch", "moon-over-the-sea-4-sketch",
    ]  # fmt: skip
    assert len({each["seed"] for each in made}) == 2
    with Image.open(ordu.folder / "out/dunes-at-sunset-1-sketch-grid.webp") as grid:
        assert grid.size == (2 * 192 + 8, 2 * 128 + 8)

    (facts,) = printed(ordu, server, artist, "inspect", made[1]["path"])
    request, origin = facts["parameters"]["request"], facts["parameters"]["picture"]
    assert request["prompt"] == "dunes at sunset###people"
    assert request["params"]["sampler_name"] == "k_euler"
    assert (request["params"]["tiling"], request["params"]["karras"]) == (True, False)
    assert (origin["model"], origin["worker_name"]) == ("sketch", "attic")
    assert origin["seed"] == made[1]["seed"]

    (again,) = printed(ordu, server, artist, "generate", "--like", made[1]["path"])
    assert again["seed"] == made[1]["seed"]
    assert pixels(ordu.folder / again["path"]) == pixels(paths[1])
    (other,) = printed(ordu, server, artist, "generate", "--like", made[1]["path"], "--any-seed")
    assert pixels(ordu.folder / other["path"]) != pixels(paths[1])

    (ordu.folder / "source.webp").write_bytes(a_picture(192, 128, "navy"))
    begun = ("generate", "night", "--source-image", "source.webp", "--denoising-strength", "0.4")
    (over,) = printed(ordu, server, artist, *begun, "--width", "192", "--height", "128")
    (facts,) = printed(ordu, server, artist, "inspect", over["path"])
    assert facts["parameters"]["began_from_picture"] is True


def owner_of_nothing(server: Server, key: str) -> str:
    """A second worker, which takes no jobs here: it only lets itself be known by name."""
    with server.horde(key) as horde:
        horde.post_job_pop(
            {
                "name": "not this one", "models": ["nothing"], "max_pixels": 4096,
                "bridge_agent": "Ordu:1:x",
            }
        )  # fmt: skip
    return "not this one"


def test_refused_with_the_option_before_anything_is_sent(ordu):
    done = ordu.run("generate", "a fox", "--width", "100", ORDU_URL="http://127.0.0.1:9")
    assert done.returncode == 2
    assert "--width: 100 is not a multiple of 64" in done.stderr
