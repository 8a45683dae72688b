"""The official packages `openai`, in Python and JavaScript, unchanged, against a real server."""

import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.system.processes import Processes, Server

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-openai"
JAVASCRIPT = Path(__file__).parent / "openai-js"
PROGRAMS = Path(__file__).parent / "programs"
CLOSED = "http://127.0.0.1:9"  # the port of "discard", which nobody serves any more


def skip_unless_made(folder: Path, stamp: Path) -> None:
    """Skip the test with the reason for which the package is not there."""
    why_not = folder / ".why-not"
    if why_not.exists():
        pytest.skip(f"openai could not be installed: {why_not.read_text()[-500:]}")
    if not stamp.exists():
        pytest.skip("openai has an environment of its own, which is not made: make setup-openai")


def settings(ordu: Processes, server: Server) -> dict[str, str]:
    """Where the package finds its server; everything else it might call is a closed door."""
    return {
        "OPENAI_BASE_URL": f"{server.url}/v1",
        "OPENAI_API_KEY": server.register("artist"),
        "HOME": str(ordu.folder),
        "HTTP_PROXY": CLOSED,
        "HTTPS_PROXY": CLOSED,
        "NO_PROXY": "127.0.0.1",
    }


def pictures(folder: Path) -> None:
    """A picture to edit, and a mask whose left half is transparent."""
    Image.new("RGB", (128, 64), "teal").save(folder / "image.png")
    mask = Image.new("RGBA", (128, 64), "black")
    mask.paste((0, 0, 0, 0), (0, 0, 64, 64))
    buffer = io.BytesIO()
    mask.save(buffer, "PNG")
    (folder / "mask.png").write_bytes(buffer.getvalue())


def told_by(ordu: Processes, *command: str) -> dict[str, Any]:
    """What a program that calls the package says it got."""
    server = ordu.server()
    backend = ("--backend", "painting_backend:PaintingBackend")
    ordu.worker(server, server.register("owner"), *backend)
    pictures(ordu.folder)
    calling = ordu.program("openai", *command, str(ordu.folder), **settings(ordu, server))
    assert calling.end(within_s=100) == 0, calling.said()
    assert "not on loopback" not in calling.said()
    found: dict[str, Any] = json.loads(calling.said().splitlines()[-1])
    return found


def no(name: str, status: int, code: str, param: str | None) -> dict[str, Any]:
    """A refusal as both packages see it."""
    return {"class": name, "status": status, "code": code, "param": param, "has_id": True}


def check_painted(path: Path) -> None:
    """The left half was painted anew, because it is transparent in the mask; the right was not."""
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    assert picture.size == (128, 64)
    assert picture.getpixel((20, 30)) == (255, 165, 0)
    assert picture.getpixel((110, 30)) == (0, 128, 128)


def check(told: dict[str, Any]) -> None:
    """What both packages are to have got."""
    assert told["models"] == ["best", "fast", "orange paint", "stable_diffusion"]
    assert (told["model"]["id"], told["model"]["object"]) == ("best", "model")
    generated = told["generate"]
    generated.pop("raw", None)
    assert generated == {
        "plain": ["webp"],
        "size": "128x64",
        "seed": "7",
        "tokens": 0,
        "several": ["png", "png"],
        "format": "png",
        "linked": "webp",
    }
    assert told["stream"] == [["image_generation.completed", "webp"]] * 2
    assert told["edit"] == {
        "masked": ["webp"],
        "listed": ["webp"],
        "streamed": ["image_edit.completed"],
        "varied": ["webp"],
    }
    assert told["refusals"] == {
        "bad key": no("AuthenticationError", 401, "invalid_api_key", None),
        "bad size": no("BadRequestError", 400, "invalid_value", "size"),
        "unknown model": no("NotFoundError", 404, "model_not_found", "model"),
        "unknown field": no("BadRequestError", 400, "unknown_parameter", "colour"),
        "two pictures": no("BadRequestError", 400, "invalid_value", "image"),
        "no such model": no("NotFoundError", 404, "model_not_found", "model"),
        "nobody can": no("InternalServerError", 503, "NoValidWorkers", None),
    }


def test_the_python_package_is_served(ordu: Processes) -> None:
    skip_unless_made(PYTHON, PYTHON / ".made")
    python = str(PYTHON / "bin" / "python")
    programs = [str(PROGRAMS / each) for each in ("on_loopback.py", "openai_calls.py")]
    told = told_by(ordu, python, *programs)
    assert told["generate"]["raw"] == [200, True, ["webp"]]
    assert told["beside"] == 3
    check(told)
    check_painted(ordu.folder / "masked.webp")


def test_the_javascript_package_is_served(ordu: Processes) -> None:
    skip_unless_made(JAVASCRIPT, JAVASCRIPT / "node_modules" / ".made")
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not on this machine.")
    check(told_by(ordu, node, str(JAVASCRIPT / "calls.js")))
    check_painted(ordu.folder / "masked.webp")
