"""A small server of OpenAI's images API that checks what it is sent as the real one does.

Fields, sizes, errors and answers are those of OpenAI's published API description (images create
and edit, models list). Its pictures know no prompt: a blue field whose left half is darker, or the
source image with the transparent part of its mask painted red. Models stand for families that
differ: those that refuse `response_format`, those that need it, those that take any size, and a
server of one's own with fields that OpenAI does not have.

python -m tests.programs.openai_images 8099    serves on that port, with the key `sk-test`
"""

import base64
import io
import json
import re
import socket
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from PIL import Image

KEY = "sk-test"
BLUE, DARK, RED = (40, 90, 200), (20, 45, 100), (220, 30, 30)

GPT = {
    "background", "model", "moderation", "n", "output_compression", "output_format",
    "partial_images", "prompt", "quality", "safety_identifier", "size", "stream", "user",
}  # fmt: skip
DALL_E = {"model", "n", "prompt", "quality", "response_format", "size", "user"}
EDIT = {"image", "mask", "input_fidelity"}
GPT_SIZES = ("1024x1024", "1536x1024", "1024x1536", "auto")
QUALITIES = {"low", "medium", "high", "auto"}


def takes_size(text: str) -> bool:
    """What only newer models take: sides that 16 divides, no side three times the other."""
    width, _, height = text.partition("x")
    sides = sorted(map(int, (width, height)))
    return sides[0] % 16 == 0 and sides[1] % 16 == 0 and sides[1] <= 3 * sides[0]


@dataclass(frozen=True)
class Model:
    """What one model takes."""

    fields: frozenset[str]
    sizes: tuple[str, ...] = ()  # empty: any that `takes` agrees with
    takes: Callable[[str], bool] = lambda text: True
    edits: bool = True


MODELS: Mapping[str, Model] = {
    "gpt-image-1.5": Model(frozenset(GPT), GPT_SIZES),
    "gpt-image-2": Model(frozenset(GPT), takes=takes_size),
    "dall-e-2": Model(frozenset(DALL_E), ("256x256", "512x512", "1024x1024")),
    "dall-e-3": Model(
        frozenset(DALL_E | {"style"}), ("1024x1024", "1792x1024", "1024x1792"), edits=False
    ),
    "strange-1": Model(frozenset(GPT), GPT_SIZES),  # refuses response_format, unlike its name
    "own-sd": Model(
        frozenset(DALL_E | {"seed", "num_inference_steps", "negative_prompt", "guidance_scale"})
    ),
}


class RefusedError(Exception):
    """An answer with an error object."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        kind: str = "invalid_request_error",
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"message": message, "type": kind, "param": param, "code": code}}


class Asked(NamedTuple):
    """One call that was understood."""

    path: str
    fields: dict[str, Any]
    files: dict[str, Image.Image]


@dataclass
class Answer:
    """Given to the next call instead of what it asks for."""

    status: int
    body: Any  # bytes as they are, all else as JSON
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class OpenAIImages:
    """The server as a test sees it."""

    url: str = ""
    key: str = KEY
    models: list[str] = field(default_factory=lambda: [*MODELS, "gpt-5-mini"])
    asked: list[Asked] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    calls: int = 0
    answers: deque[Answer] = field(default_factory=deque)
    links: bool = False  # whether a model that may answers with links even if asked for Base64
    link: str = ""  # what it links to instead of its own picture
    waits: bool = False  # whether calls are held until the caller hangs up
    waiting: threading.Event = field(default_factory=threading.Event)
    hung_up: threading.Event = field(default_factory=threading.Event)
    open: list[socket.socket] = field(default_factory=list)  # connections of calls that are held


@contextmanager
def openai_images(port: int = 0) -> Iterator[OpenAIImages]:
    """The server, running on loopback."""
    state = OpenAIImages()

    class Handler(_Handler):
        api = state

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = False
    state.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    api: OpenAIImages

    def do_GET(self) -> None:
        if not self.path.startswith("/v1/"):
            assert "Authorization" not in self.headers, "a key was sent to a link"
            found = re.fullmatch(r"/pictures/(\d+)x(\d+)\.png", self.path)
            if found:
                self.send(200, a_picture(tuple(map(int, found.groups()))))
            else:
                self.send(404, b"gone")
            return
        self.answered(self.listed)

    def do_POST(self) -> None:
        self.answered(self.drawn)

    def answered(self, act: Callable[[bytes], Any]) -> None:
        self.api.calls += 1
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.api.waits:
            self.connection.settimeout(10)
            self.api.open.append(self.connection)
            self.api.waiting.set()
            if self.connection.recv(1) == b"":
                self.api.hung_up.set()
            return
        if self.api.answers:
            answer = self.api.answers.popleft()
            self.send(answer.status, answer.body, answer.headers)
            return
        try:
            if self.api.key and self.headers.get("Authorization") != f"Bearer {self.api.key}":
                raise RefusedError(
                    401, f"Incorrect API key provided: {self.headers.get('Authorization')}.",
                    code="invalid_api_key",
                )  # fmt: skip
            self.send(200, act(content))
        except RefusedError as refusal:
            self.api.refused.append(str(refusal))
            self.send(refusal.status, refusal.body)

    def listed(self, content: bytes) -> Any:
        if self.path != "/v1/models":
            raise RefusedError(404, f"Invalid URL (GET {self.path})")
        rows = [{"id": name, "object": "model", "owned_by": "test"} for name in self.api.models]
        return {"object": "list", "data": rows}

    def drawn(self, content: bytes) -> Any:
        if self.path == "/v1/images/generations":
            fields, files = json.loads(content), {}
        elif self.path == "/v1/images/edits":
            fields, files = read_form(self.headers["Content-Type"], content)
        else:
            raise RefusedError(404, f"Invalid URL (POST {self.path})")
        check(fields, files, is_edit=self.path.endswith("edits"))
        self.api.asked.append(Asked(self.path, fields, files))
        size = tuple(map(int, fields.get("size", "1024x1024").split("x")))
        picture = edited(files, size) if files else a_picture(size)
        may_link = "response_format" in MODELS[fields["model"]].fields
        if may_link and (self.api.links or fields.get("response_format", "url") == "url"):
            own = f"{self.api.url.removesuffix('/v1')}/pictures/{fields['size']}.png"
            return {"created": 1, "data": [{"url": self.api.link or own}]}
        text = base64.b64encode(picture).decode()
        return {"created": 1, "data": [{"b64_json": text}], "output_format": "png"}

    def send(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def check(fields: Mapping[str, Any], files: Mapping[str, Image.Image], *, is_edit: bool) -> None:
    """Refuse what OpenAI's API refuses."""
    name = fields.get("model", "")
    if name not in MODELS:
        raise RefusedError(
            400, f"The model '{name}' does not exist.", code="model_not_found", param="model"
        )
    model = MODELS[name]
    if is_edit and not model.edits:
        raise RefusedError(
            400, f"The model '{name}' cannot edit.", param="model", code="invalid_value"
        )
    known = model.fields | (EDIT if is_edit else set())
    for each in [*fields, *files]:
        if each not in known:
            raise RefusedError(
                400, f"Unknown parameter: '{each}'.", code="unknown_parameter", param=each
            )
    if not isinstance(fields.get("prompt"), str) or not fields["prompt"]:
        raise RefusedError(400, "Missing required parameter: 'prompt'.", param="prompt")
    check_values(fields, model, is_edit=is_edit)
    if is_edit:
        check_files(files)


def check_values(fields: Mapping[str, Any], model: Model, *, is_edit: bool) -> None:
    if fields.get("n", 1) != ("1" if is_edit else 1):
        raise RefusedError(400, f"Invalid type for 'n': {fields['n']!r}.", param="n")
    size = fields.get("size", "1024x1024")
    is_right = size in model.sizes if model.sizes else re.fullmatch(r"\d+x\d+", size)
    if not is_right or not model.takes(size):
        raise RefusedError(400, f"Invalid value: '{size}'.", code="invalid_value", param="size")
    if fields.get("response_format", "url") not in {"url", "b64_json"}:
        raise RefusedError(400, "Invalid value for 'response_format'.", param="response_format")
    if fields.get("quality", "auto") not in QUALITIES:
        raise RefusedError(400, f"Invalid value: '{fields['quality']}'.", param="quality")
    for each in ("seed", "num_inference_steps", "output_compression"):
        if each in fields and not re.fullmatch(r"\d+", str(fields[each])):
            raise RefusedError(400, f"Invalid type for '{each}'.", param=each)


def check_files(files: Mapping[str, Image.Image]) -> None:
    if "image" not in files:
        raise RefusedError(400, "Missing required parameter: 'image'.", param="image")
    mask = files.get("mask")
    if mask is not None and mask.size != files["image"].size:
        raise RefusedError(400, "The mask must have the size of the image.", param="mask")
    if mask is not None and "A" not in mask.getbands():
        raise RefusedError(400, "The mask must have an alpha channel.", param="mask")


def read_form(kind: str, content: bytes) -> tuple[dict[str, Any], dict[str, Image.Image]]:
    """The fields and pictures of a form."""
    head = f"Content-Type: {kind}\r\n\r\n".encode()
    form: Message = BytesParser(policy=HTTP).parsebytes(head + content)
    if not form.is_multipart():
        raise RefusedError(400, "The body must be multipart/form-data.")
    fields: dict[str, Any] = {}
    files: dict[str, Image.Image] = {}
    for part in form.get_payload():
        assert isinstance(part, Message)
        name = str(part.get_param("name", header="content-disposition"))
        name = "image" if name == "image[]" else name  # both are right; with brackets for several
        data = part.get_payload(decode=True)
        assert isinstance(data, bytes)
        if part.get_filename():
            files[name] = Image.open(io.BytesIO(data))
            if files[name].format != "PNG" or part.get_content_type() != "image/png":
                raise RefusedError(400, "Invalid file: it must be a PNG.", param=name)
            files[name].load()
        else:
            fields[name] = data.decode()
    return fields, files


def a_picture(size: tuple[int, ...]) -> bytes:
    """A blue field, darker in its left half."""
    image = Image.new("RGB", (size[0], size[1]), BLUE)
    image.paste(DARK, (0, 0, size[0] // 2, size[1]))
    return as_png(image)


def edited(files: Mapping[str, Image.Image], size: tuple[int, ...]) -> bytes:
    """The source image, red where the mask is transparent, and a little lighter everywhere else."""
    image = files["image"].convert("RGB").resize((size[0], size[1]))
    image = image.point(lambda level: min(level + 20, 255))
    if "mask" in files:
        alpha = files["mask"].getchannel("A").resize((size[0], size[1]))
        image.paste(RED, mask=alpha.point(lambda level: 255 - level))
    return as_png(image)


def as_png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


if __name__ == "__main__":
    with openai_images(int(sys.argv[1])) as running:
        print(running.url, flush=True)
        threading.Event().wait()
