"""`ordu generate` and `ordu status` where nothing answers, or somebody else does."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

REFUSAL = {
    "message": "Your size will not do.",
    "rc": "InvalidSize",
    "errors": {"params.width": "must be a multiple of 64"},
}


class Refusing(BaseHTTPRequestHandler):
    """A horde that refuses everything."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps(REFUSAL).encode()
        self.send_response(400)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def refusing() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Refusing)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def nobody() -> str:
    return "http://127.0.0.1:9"


def test_generate_refused(call, refusing):
    result = call("generate", "a fox", "--url", refusing, "--out", "pictures/")
    assert result.exit_code == 1
    assert result.stderr == (
        "ordu: Your size will not do. (rc InvalidSize)\n  params.width: must be a multiple of 64\n"
    )
    assert list(Path("pictures").iterdir()) == []


@pytest.mark.parametrize("command", [["generate", "a fox"], ["status"]])
def test_horde_that_is_not_there(call, nobody, command):
    result = call(*command, "--url", nobody)
    assert result.exit_code == 3
    assert result.stderr.startswith(f"ordu: {nobody} cannot be reached")


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param([], id="no prompt"),
        pytest.param(["a fox", "--sampler", "magic"], id="sampler that nobody has"),
        pytest.param(["a fox", "--out", "{sed}"], id="field that there is not"),
        pytest.param(["a fox", "--source-image", "gone.webp"], id="source that is not there"),
        pytest.param(["a fox", "--width", "wide"], id="width that is no number"),
        pytest.param(["a fox", "--url", "ftp://x"], id="no address"),
    ],
)
def test_generate_called_wrongly(call, arguments):
    assert call("generate", *arguments).exit_code == 2


@pytest.mark.parametrize(
    ("backend", "words"),
    [
        ("nope", "There is no backend 'nope'. Installed: automatic1111, comfyui, "),
        ("os:nope", "The backend os:nope is not there"),
        ("no_module:X", "The backend no_module:X cannot be loaded"),
    ],
)
def test_worker_without_its_backend(call, backend, words):
    result = call("worker", "--backend", backend)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"ordu: {words}")


def test_worker_says_that_the_sketch_is_no_model(call):
    text = " ".join(call("worker", "--help").output.split())
    assert "is no neural model" in text
    words = call("worker", "--words").output
    assert "dune" in words
    assert "lighthouse" in words
