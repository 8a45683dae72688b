"""Backends in a real worker of a real horde: of somebody else's package, a program, an endpoint.

The package is the one that `docs/reference/backends/write-your-own.md` shows, installed by pip as
it stands there.
"""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from tests.programs.openai_images import KEY, openai_images
from tests.system.processes import Processes, until

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reference/backends/write-your-own.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^```\w+ ([\w.]+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
DRAW = """
import json, sys
from PIL import Image
for line in sys.stdin:
    job = json.loads(line)
    Image.new("RGB", (job["width"], job["height"]), "teal").save(job["out"])
    print("{}", flush=True)
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that pip has installed the page's package into."""
    folder = tmp_path_factory.mktemp("rings")
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--no-deps", "--no-index", "--no-build-isolation", "--target", folder / "site"),
            str(folder),
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder / "site"


HANGS = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if len(sys.argv) == 1:
    subprocess.Popen([sys.executable, __file__, "child"])
else:
    open("began", "w").close()
time.sleep(600)
"""


def drawn(ordu: Processes, model: str, *options: str, **environment: str) -> Image.Image:
    """A picture that a horde's client gets of a worker with these options."""
    server = ordu.server()
    key = server.register("friend")
    worker = ordu.worker(server, key, *options, **environment)
    done = ordu.run(
        "generate", "a fox", "--model", model, "--width", "256", "--height", "192",
        "--out", "pictures/", ORDU_URL=server.url, ORDU_API_KEY=key,
    )  # fmt: skip
    assert done.returncode == 0, (done.stderr, worker.said())
    (file,) = (ordu.folder / "pictures").iterdir()
    image = Image.open(file)
    assert image.size == (256, 192)
    worker.send(signal.SIGTERM)
    assert worker.end() == 0, worker.said()
    assert [each for each in ordu.left() if "draw.py" in each] == []
    return image.convert("RGB")


def test_the_page_shows_two_files():
    assert set(FILES) == {"ordu_rings.py", "pyproject.toml"}


def test_the_backend_of_the_page_is_installed_and_draws_in_a_worker(ordu, installed):
    image = drawn(
        ordu, "rings", "--backend", "rings", "--set", "rings=20", PYTHONPATH=str(installed)
    )
    assert image.getpixel((2, 2)) == (255, 255, 255)  # outside the rings
    assert len({image.getpixel((x, 96)) for x in range(36, 128)}) > 20


def test_the_backend_of_the_page_without_a_package_is_named_by_its_class(ordu):
    (ordu.folder / "ordu_rings.py").write_text(FILES["ordu_rings.py"], encoding="utf-8")
    (ordu.folder / "ordu-worker.toml").write_text("[backends.RingsBackend]\nrings = 1\n")
    image = drawn(
        ordu, "rings", "--backend", "ordu_rings:RingsBackend", PYTHONPATH=str(ordu.folder)
    )
    colours = {image.getpixel((x, 96)) for x in range(60, 128)}
    assert max(abs(a - b) for one in colours for a, b in zip(one, min(colours), strict=True)) < 9


def test_a_program_that_stays_draws_in_a_worker(ordu):
    (ordu.folder / "draw.py").write_text(DRAW)
    image = drawn(
        ordu, "teal", "--backend", "command", "--set", f"run={sys.executable},draw.py",
        "--set", "models=teal", "--set", "stays=on",
    )  # fmt: skip
    assert max(abs(a - b) for a, b in zip(image.getpixel((9, 9)), (0, 128, 128), strict=True)) < 9


@pytest.mark.parametrize("stays", ["off", "on"])
def test_nothing_runs_on_when_the_worker_is_told_twice_to_stop(ordu, stays):
    """The program and its child hang, and listen to nobody."""
    (ordu.folder / "hangs.py").write_text(HANGS)
    server = ordu.server()
    key = server.register("friend")
    worker = ordu.worker(
        server, key, "--backend", "command", "--set", f"run={sys.executable},hangs.py",
        "--set", "models=m", "--set", f"stays={stays}",
    )  # fmt: skip
    with server.horde(key) as horde:
        horde.post_async_generate({"prompt": "a fox", "models": ["m"]})
        until((ordu.folder / "began").exists, "the program")
    for _ in range(2):
        worker.send(signal.SIGTERM)
        until(lambda: "stopping" in worker.said(), "the worker to hear")
    assert worker.end() == 130, worker.said()
    until(lambda: not [each for each in ordu.left() if "hangs.py" in each], "the end of all")


def test_an_endpoint_draws_in_a_worker(ordu):
    with openai_images() as api:
        image = drawn(
            ordu, "gpt-image-1.5", "--backend", "openai", "--set", f"url={api.url}",
            "--set", "models=gpt-image-1.5", "--set", "sizes=1024x1024,1536x1024",
            ORDU_OPENAI_API_KEY=KEY,
        )  # fmt: skip
    assert [asked.fields["size"] for asked in api.asked] == ["1536x1024"]
    left, right = (image.getpixel((x, 96)) for x in (40, 200))
    assert left[2] < 130 < right[2]  # darker in its left half
