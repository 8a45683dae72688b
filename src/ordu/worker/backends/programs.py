"""Programs: what the backends share that drive another program of the owner's over its HTTP API.

`Program` asks one address and turns everything that can go wrong into a `BackendError` that says
how to mend it. Each answer is read up to a bound, and each question has a time limit.
"""

import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import PurePosixPath
from typing import Any, Generic, Literal, TypeAlias, TypeVar
from urllib.parse import urlsplit

import httpx
import msgspec

from ordu.settings import about
from ordu.worker.backends import BackendError, Drawing, OutOfMemoryError

T = TypeVar("T")

CONNECT_S = 3.0
QUESTION_S = 30.0  # a program that draws answers slowly
PROBE_S = 0.5
ANSWER_BYTES_MAX = 128 * 1024 * 1024  # LoRAs are listed with all their metadata
REMEMBERED_S = 30.0
WORDS_MAX = 300  # characters of a program's own words in a message
SIDE_STEP = 8  # pixels: what models for pictures are made for
FIRST_PASS_SIDE = 512  # pixels: the shorter side of a first pass is not smaller
OUT_OF_MEMORY = re.compile(
    r"out ?of ?memory|not enough memory|allocation on device|can't allocate memory", re.IGNORECASE
)

Censor: TypeAlias = Literal["refuse", "ignore"]
CENSORS: Mapping[Censor, frozenset[str]] = {
    "refuse": frozenset(),
    "ignore": frozenset({"censor"}),  # its owner answers for what is drawn
}
CENSOR = about(
    "What is done with a job that wants nsfw pictures censored, because the program has no"
    " checker: refuse it, or ignore the wish and send what was drawn."
)
TIMEOUT_S = about("How long one picture may take, waiting for others included.", 1, 86_400)
LORAS = about("Whether jobs with LoRAs are taken; those that are not in its folder fail.")


def is_address(text: str) -> bool:
    """Whether a text is the address of a program: http(s), without user, query and fragment."""
    try:
        parts = urlsplit(text)
        has_port = parts.port is None or parts.port > 0
    except ValueError:
        return False
    is_plain = not (parts.query or parts.fragment or "@" in parts.netloc or re.search(r"\s", text))
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and is_plain and has_port


def addresses_of(urls: Sequence[str]) -> tuple[str, ...]:
    """The addresses in a setting, each once, written alike."""
    return tuple(dict.fromkeys(url.rstrip("/") for url in urls))


class NoAnswer(BackendError):  # noqa: N818 - the name says what it is
    """The program does not answer, or its answer broke off."""


class Declined(BackendError):  # noqa: N818 - the name says what it is
    """The program answered with a status that says no."""

    def __init__(self, message: str, status: int, body: bytes) -> None:
        super().__init__(message)
        self.status = status
        self.body = body


class Program:
    """One address of a program, and what is said when it does not do as it should.

    `title` is the program's name, `table` the one with its settings.
    """

    def __init__(
        self, title: str, table: str, address: str, login: tuple[str, str] | None = None
    ) -> None:
        self.title = title
        self.address = address
        self._table = table
        # Without what the environment says of proxies: it is the owner's own program, mostly here.
        self._client = httpx.Client(base_url=address, auth=login, trust_env=False)

    def get(
        self,
        path: str,
        kind: type[T],
        *,
        params: Mapping[str, str] | None = None,
        timeout_s: float = QUESTION_S,
    ) -> T:
        """What a path answers.

        Raises:
            NoAnswer: nothing, or nothing in time.
            Declined: no.
            BackendError: something else than is expected of this program.
        """
        return self._decoded(self._call("GET", path, timeout_s, params=params), kind, path)

    def fetch(self, path: str, params: Mapping[str, str]) -> bytes:
        """The bytes a path answers; raises as `get`."""
        return self._call("GET", path, QUESTION_S, params=params)

    def post(self, path: str, body: object, kind: type[T], *, timeout_s: float = QUESTION_S) -> T:
        """What a path answers to a body; raises as `get`."""
        answer = self._call(
            "POST",
            path,
            timeout_s,
            content=msgspec.json.encode(body),
            headers={"Content-Type": "application/json"},
        )
        return self._decoded(answer, kind, path)

    def tell(self, path: str, body: object) -> None:
        """Post something whose answer says nothing; raises as `get`."""
        self._call("POST", path, QUESTION_S, json=body)

    def upload(
        self, path: str, fields: Mapping[str, str], name: str, data: bytes, kind: type[T]
    ) -> T:
        """Post a PNG as a form does; raises as `get`."""
        files = {"image": (name, data, "image/png")}
        return self._decoded(
            self._call("POST", path, QUESTION_S, data=dict(fields), files=files), kind, path
        )

    def upgraded(
        self, path: str, params: Mapping[str, str], headers: Mapping[str, str]
    ) -> httpx.Response:
        """The answer to an upgrade to another protocol, with the connection; to be closed.

        Raises:
            NoAnswer: there is none, or it is not upgraded.
        """
        timeout = httpx.Timeout(CONNECT_S)
        request = self._client.build_request(
            "GET", path, params=params, headers=headers, timeout=timeout
        )
        try:
            reply = self._client.send(request, stream=True)
        except (httpx.HTTPError, RuntimeError) as error:
            raise NoAnswer(f"{self.title} at {self.address} broke off.") from error
        if reply.status_code != 101:
            reply.close()
            raise NoAnswer(f"{self.title} at {self.address} does not upgrade {path}.")
        return reply

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _call(self, method: str, path: str, timeout_s: float, **content: Any) -> bytes:
        timeout = httpx.Timeout(timeout_s, connect=min(CONNECT_S, timeout_s))
        try:
            with self._client.stream(method, path, timeout=timeout, **content) as reply:
                body = self._read(reply)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise NoAnswer(
                f"{self.title} does not answer at {self.address}; start it, or set"
                f" [{self._table}] url."
            ) from error
        except httpx.TimeoutException as error:
            raise NoAnswer(
                f"{self.title} at {self.address} did not answer within {timeout_s:g} s."
            ) from error
        except (httpx.HTTPError, RuntimeError) as error:  # RuntimeError: closed meanwhile
            raise NoAnswer(
                f"{self.title} at {self.address} broke off: {str(error) or type(error).__name__}."
            ) from error
        if reply.is_success:
            return body
        raise self._declined(path, reply.status_code, body)

    def _read(self, reply: httpx.Response) -> bytes:
        body = bytearray()
        for chunk in reply.iter_bytes():
            body += chunk
            if len(body) > ANSWER_BYTES_MAX:
                raise BackendError(
                    f"{self.title} at {self.address} answers with more than"
                    f" {ANSWER_BYTES_MAX // 1024**2} MiB, which is not read."
                )
        return bytes(body)

    def _declined(self, path: str, status: int, body: bytes) -> BackendError:
        if status in {401, 403}:
            message = (
                f"{self.title} at {self.address} does not let this worker in ({status}); where it"
                f" wants a user and a password, set them in [{self._table}]."
            )
        else:
            said = in_short(body.decode("utf-8", "replace")) or "without a word"
            message = f"{self.title} at {self.address} answers {path} with {status}: {said}"
        return Declined(message, status, body)

    def _decoded(self, body: bytes, kind: type[T], path: str) -> T:
        try:
            return msgspec.json.decode(body, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:  # ValidationError is one
            raise BackendError(
                f"What answers at {self.address}{path} is no {self.title}, or one of a version"
                f" that is not understood: {error}."
            ) from error


class Remembered(Generic[T]):
    """An answer that is asked for again only after a while. Errors are not remembered."""

    def __init__(self, ask: Callable[[], T], clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._ask = ask
        self._answer: tuple[float, T] | None = None
        self._lock = threading.Lock()

    def get(self) -> T:
        """The answer, not older than half a minute; raises what asking raises."""
        with self._lock:
            if self._answer is None or self.clock() - self._answer[0] >= REMEMBERED_S:
                self._answer = None  # when asking fails there is none
                self._answer = (self.clock(), self._ask())
            return self._answer[1]

    def forget(self) -> None:
        """Ask anew the next time."""
        with self._lock:
            self._answer = None


def in_background(call: Callable[[], T], name: str) -> "Future[T]":
    """Start a call in a thread that nobody waits for when this process ends."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except Exception as error:  # noqa: BLE001 - whoever asks for the result gets it
            future.set_exception(error)

    threading.Thread(target=run, name=name, daemon=True).start()
    return future


def failure(words: str, reason: str) -> BackendError:
    """The error for what a program said when it failed: too little memory, or something else."""
    kind = OutOfMemoryError if OUT_OF_MEMORY.search(reason) else BackendError
    return kind(f"{words}: {in_short(reason) or 'it does not say why'}")


def in_short(text: str) -> str:
    """A program's own words on one line, cut where they become too many."""
    line = "".join(each if each.isprintable() else " " for each in text)
    line = re.sub(r" +", " ", line).strip()
    return line if len(line) <= WORDS_MAX else line[: WORDS_MAX - 1] + "…"


def name_of_file(path: str) -> str:
    """A model's name: that of its file, without folders and ending."""
    return PurePosixPath(path.replace("\\", "/")).stem


def by_name(paths: Sequence[str]) -> dict[str, str]:
    """Files by name; of two with the same name the first."""
    found: dict[str, str] = {}
    for path in paths:
        found.setdefault(name_of_file(path), path)
    return found


def lora_of(name: str, known: Mapping[str, T], title: str) -> T:
    """The LoRA of this name, however its letters are written.

    Raises:
        BackendError: there is none.
    """
    wanted = name_of_lora(name)
    for each, lora in known.items():
        if name_of_lora(each) == wanted:
            return lora
    raise BackendError(f"The LoRA {in_short(name)} is not in the folder of {title}.")


def name_of_lora(name: str) -> str:
    """A LoRA's name as it is compared: without its ending, in small letters."""
    return re.sub(r"\.(safetensors|ckpt|pt)\Z", "", name.casefold())


def refuse_what_is_not_offered(drawing: Drawing, censor: Censor, *, loras: bool) -> None:
    """Refuse what these programs are not asked for, should a horde send it all the same.

    Raises:
        BackendError: the message names it.
    """
    refused = {
        "ControlNet": drawing.control_type is not None,
        "a control map": drawing.image_is_control or drawing.return_control_map,
        "textual inversions": bool(drawing.tis),
        "LoRAs": bool(drawing.loras) and not loras,
        f"the source processing {drawing.source_processing}": drawing.source_image is not None
        and drawing.source_processing not in {"img2img", "inpainting", "outpainting"},
    }
    if asked := [name for name, is_asked in refused.items() if is_asked]:
        raise BackendError(f"The job asks for {', '.join(asked)}, which was not offered.")
    if (
        drawing.width % SIDE_STEP
        or drawing.height % SIDE_STEP
        or drawing.width * drawing.height < 1
    ):
        size = f"{drawing.width} × {drawing.height}"
        raise BackendError(f"Each side has a multiple of {SIDE_STEP} pixels; this has {size}.")
    if drawing.censor_nsfw and censor == "refuse":
        raise BackendError(
            "The job wants nsfw pictures censored, and nothing here can tell which are;"
            " censor = ignore in the backend's settings sends them as they are."
        )


def first_pass(width: int, height: int) -> tuple[int, int] | None:
    """The size that a hires fix draws first; None when the picture is small enough at once."""
    shorter = min(width, height)
    share = max(0.5, FIRST_PASS_SIDE / shorter)
    if share >= 1:
        return None
    return _stepped(width * share), _stepped(height * share)


def _stepped(side: float) -> int:
    return max(1, round(side / SIDE_STEP)) * SIDE_STEP
