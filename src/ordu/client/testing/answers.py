"""What the fake horde answers: the operations of somebody who wants pictures, and some around.

Any other operation is answered with what the test said (`FakeHorde.answer`), or refused by name.
"""

import base64
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import msgspec

from ordu.protocol import events
from ordu.protocol.decoding import decode
from ordu.protocol.errors import Refused
from ordu.protocol.kudos import PostTransferKudosRequest
from ordu.protocol.registration import RegistrationInput
from ordu.protocol.requests import GenerationInput

if TYPE_CHECKING:
    from ordu.client.testing.fake import FakeHorde

# A picture of one grey dot, as PNG.
DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mOor68HAAL+AX6E2KOJAAAAAElFTkSuQmCC"
)
PICTURES = "/pictures/"
NEVER_DONE_LOOKS = 2
WORKER = {"worker_id": "00000000-0000-0000-0000-00000000000a", "worker_name": "fake worker"}


@dataclass(frozen=True)
class Call:
    """One call that came: which operation, and what was sent. The key is not shown."""

    operation: str  # empty for the bytes of a picture
    method: str
    path: str
    body: Any = None  # the JSON that was sent, as plain values
    content: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def apikey(self) -> str | None:
        """The key it was made with."""
        return self.headers.get("apikey")

    @property
    def idempotency_key(self) -> str | None:
        """The key under which it is done once."""
        return self.headers.get("idempotency-key")


@dataclass
class FakeRequest:
    """A request that was placed: what was wished for, and how far it is."""

    id: str
    wanted: GenerationInput
    looks_left: int | None  # None: it is never done
    will_fault: bool
    pictures: list[bytes] = field(default_factory=list, repr=False)
    is_done: bool = False
    is_cancelled: bool = False
    looks: int = 0

    @property
    def is_faulted(self) -> bool:
        """Whether it failed."""
        return self.is_done and self.will_fault

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens to it."""
        return self.is_done or self.is_cancelled


@dataclass(frozen=True)
class Turn:
    """One call to be answered: by which fake, and about which request."""

    fake: "FakeHorde"
    call: Call
    id: str

    @property
    def request(self) -> FakeRequest:
        """The request that the call is about."""
        if self.id not in self.fake.requests:
            raise Refused("RequestNotFound", f"There is no request {self.id}.")
        return self.fake.requests[self.id]


def answer(fake: "FakeHorde", call: Call, id_: str) -> httpx.Response:
    """What this call is answered with."""
    if call.operation in ANSWERS:
        try:
            return ANSWERS[call.operation](Turn(fake, call, id_))
        except Refused as no:
            return refused(no.status, no.rc, no.message, errors=no.errors)
    if call.path.startswith(PICTURES) and call.method == "GET":
        return _picture(fake, call.path.removeprefix(PICTURES))
    if not call.operation:
        return refused(404, "NotFound", f"There is no {call.method} {call.path}.")
    how = f'Say what it answers: fake.answer("{call.operation}", …)'
    return refused(501, "NotImplemented", f"The fake horde has no {call.operation}. {how}")


def as_json(body: Any, status: int = 200, **headers: str) -> httpx.Response:
    """An answer of JSON; underscores in the names of headers stand for dashes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    content = msgspec.json.encode(body)
    return httpx.Response(
        status, content=content, headers={"Content-Type": "application/json", **named}
    )


def refused(
    status: int,
    rc: str,
    message: str,
    retry_after_s: int | None = None,
    errors: Mapping[str, str] | None = None,
) -> httpx.Response:
    """A refusal, as hordes write it."""
    body = {"message": message, "rc": rc} | ({"errors": dict(errors)} if errors else {})
    headers = {} if retry_after_s is None else {"Retry_After": str(retry_after_s)}
    return as_json(body, status, **headers)


def again(response: httpx.Response) -> httpx.Response:
    """The same answer for another call."""
    return httpx.Response(
        response.status_code, content=response.content, headers=response.headers.copy()
    )


def with_key(response: httpx.Response, key: str) -> httpx.Response:
    """The answer, with the key that its call came with."""
    response.headers["Idempotency-Key"] = key
    return response


# -- requests ----------------------------------------------------------------------------------


def _place(turn: Turn) -> httpx.Response:
    fake, wanted = turn.fake, decode(GenerationInput, turn.call.content)
    price = fake.price * wanted.params.n
    if wanted.dry_run:
        return as_json({"kudos": price})
    request = _new(fake, wanted)
    headers = {}
    if fake.has_events:
        path = f"/api/v2/generate/status/{request.id}/events"
        headers["Link"] = f'<{path}>; rel="monitor"'
    return as_json({"id": request.id, "kudos": price}, 202, **headers)


def _place_and_wait(turn: Turn) -> httpx.Response:
    request = _new(turn.fake, decode(GenerationInput, turn.call.content))
    if request.looks_left is None:
        request.is_cancelled = True
        return refused(410, "RequestExpired", "The request was not done in time.")
    _finish(turn.fake, request)
    return as_json(_status(turn.fake, request))


def _new(fake: "FakeHorde", wanted: GenerationInput) -> FakeRequest:
    id_ = f"00000000-0000-0000-0000-{len(fake.requests) + 1:012}"
    request = FakeRequest(id_, wanted, fake.looks_of(wanted), fake.takes_fault())
    fake.requests[id_] = request
    return request


def _check(turn: Turn) -> httpx.Response:
    return as_json(_progress(turn.fake, _look(turn.fake, turn.request)))


def _read_status(turn: Turn) -> httpx.Response:
    return as_json(_status(turn.fake, _look(turn.fake, turn.request)))


def _cancel(turn: Turn) -> httpx.Response:
    request = turn.request
    request.is_cancelled = not request.is_done
    return as_json(_status(turn.fake, request))


def _look(fake: "FakeHorde", request: FakeRequest) -> FakeRequest:
    """The request as it is now; it goes on with each look, whatever time it is."""
    if not request.is_over:
        request.looks += 1
        if request.looks_left is not None and request.looks > request.looks_left:
            _finish(fake, request)
    return request


def _finish(fake: "FakeHorde", request: FakeRequest) -> None:
    finished = request.wanted.params.n - request.will_fault
    request.pictures = [fake.draw(request.wanted) for _ in range(finished)]
    request.is_done = True
    fake.kudos -= fake.price * finished


def _progress(fake: "FakeHorde", request: FakeRequest) -> dict[str, Any]:
    n = request.wanted.params.n
    is_waiting = not request.is_over and request.looks < 2
    return {
        "waiting": n if is_waiting else 0,
        "processing": n if not is_waiting and not request.is_over else 0,
        "finished": len(request.pictures),
        "restarted": 0,
        "done": request.is_over and not request.is_faulted,
        "faulted": request.is_faulted,
        "wait_time": 0 if request.is_over else 1,
        "queue_position": 1 if is_waiting else 0,
        "kudos": fake.price * len(request.pictures),
        "is_possible": True,
    }


def _status(fake: "FakeHorde", request: FakeRequest) -> dict[str, Any]:
    generations = [_generation(request, number) for number in range(len(request.pictures))]
    return {**_progress(fake, request), "generations": generations, "shared": False}


def _generation(request: FakeRequest, number: int) -> dict[str, Any]:
    data = request.pictures[number]
    link = f"http://fake.horde{PICTURES}{request.id}/{number}"
    return {
        **WORKER,
        "img": link if request.wanted.r2 else base64.b64encode(data).decode("ascii"),
        "id": f"{request.id}-{number}",
        "seed": request.wanted.params.seed or str(number + 1),
        "model": next(iter(request.wanted.models), "stable_diffusion"),
        "state": "ok",
        "censored": False,
        "gen_metadata": [],
    }


def _picture(fake: "FakeHorde", name: str) -> httpx.Response:
    id_, _, number = name.partition("/")
    request = fake.requests.get(id_)
    if request is None or not number.isdigit() or int(number) >= len(request.pictures):
        return refused(404, "NotFound", "There is no such picture.")
    return httpx.Response(200, content=request.pictures[int(number)])


def _events(turn: Turn) -> httpx.Response:
    """All that happens, told while it is read; one that is never done has only its beginning."""
    if not turn.fake.has_events:
        raise Refused("NotFound", "This horde tells no events.")
    told = _told(turn.fake, turn.request)
    return httpx.Response(
        200, stream=_Stream(told), headers={"Content-Type": f"{events.STREAM}; charset=utf-8"}
    )


def _told(fake: "FakeHorde", request: FakeRequest) -> Iterator[tuple[str, dict[str, Any]]]:
    looks_max = NEVER_DONE_LOOKS if request.looks_left is None else request.looks_left
    if not request.is_over:
        yield events.QUEUED, _progress(fake, request)
    while not request.is_over and request.looks <= looks_max:
        _look(fake, request)
        if request.looks == 2 and not request.is_over:
            yield events.PROCESSING, _progress(fake, request)
    if request.is_over:
        status = _status(fake, request)
        yield from ((events.PICTURE, generation) for generation in status.pop("generations"))
        yield events.DONE, {**status, "state": _state(request)}


class _Stream(httpx.SyncByteStream, httpx.AsyncByteStream):
    """Events as bytes, each made when it is asked for."""

    def __init__(self, told: Iterator[tuple[str, dict[str, Any]]]) -> None:
        self._told = enumerate(told, 1)

    def __iter__(self) -> Iterator[bytes]:
        for number, (name, data) in self._told:
            said = msgspec.json.encode(data)
            yield b"event: %s\nid: %d\ndata: %s\n\n" % (name.encode(), number, said)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for block in self:
            yield block


def _state(request: FakeRequest) -> str:
    if request.is_cancelled:
        return "cancelled"
    return "faulted" if request.is_faulted else "done"


# -- around them -------------------------------------------------------------------------------


def _user(turn: Turn) -> httpx.Response:
    return as_json({"username": "fake#1", "id": 1, "kudos": turn.fake.kudos, "trusted": False})


def _register(turn: Turn) -> httpx.Response:
    wanted = decode(RegistrationInput, turn.call.content)
    number = sum(each.operation == "post_register" for each in turn.fake.calls) + 1
    name = f"{wanted.username}#{number}"
    return as_json({"username": name, "id": number, "api_key": f"key-{number:018}"}, 201)


def _transfer(turn: Turn) -> httpx.Response:
    fake, amount = turn.fake, decode(PostTransferKudosRequest, turn.call.content).amount
    if amount > fake.kudos:
        raise Refused("KudosTransferNotEnough", f"You have {fake.kudos:g} kudos, not {amount}.")
    fake.kudos -= amount
    return as_json({"transferred": amount})


def _models(turn: Turn) -> httpx.Response:
    named = [{"name": name, "count": 1, "type": "image", "queued": 0} for name in turn.fake.models]
    return as_json(named)


def _load(turn: Turn) -> httpx.Response:
    open_ = sum(not request.is_over for request in turn.fake.requests.values())
    return as_json({"queued_requests": open_, "worker_count": 1})


def _heartbeat(_: Turn) -> httpx.Response:
    return as_json({"message": "OK", "version": "fake"})


ANSWERS: Mapping[str, Callable[[Turn], httpx.Response]] = {
    "post_async_generate": _place,
    "post_sync_generate": _place_and_wait,
    "get_async_check": _check,
    "get_async_status": _read_status,
    "get_async_events": _events,
    "delete_async_status": _cancel,
    "get_find_user": _user,
    "post_register": _register,
    "post_transfer_kudos": _transfer,
    "get_models": _models,
    "get_horde_load": _load,
    "get_heartbeat": _heartbeat,
}
