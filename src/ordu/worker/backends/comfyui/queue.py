"""ComfyUI's queue: placing a graph, waiting for its picture, taking it back.

ComfyUI has one queue for everybody who uses it, its owner included. What waits is deleted from it,
what runs is interrupted, and both only when it is ours. Where a picture stands is asked for; how
far it is, is heard meanwhile.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import uuid4

import msgspec

from ordu.worker.backends import BackendError
from ordu.worker.backends.comfyui.graphs import Nodes
from ordu.worker.backends.comfyui.hearing import Hearing
from ordu.worker.backends.programs import Declined, Program, failure, in_short

POLL_S = 0.5
SAVED = "output"  # the type of pictures that a workflow is for


class Placed(msgspec.Struct):
    """The answer to a graph that was taken."""

    prompt_id: str


class Fault(msgspec.Struct):
    """What is wrong, in general or with one input of a node."""

    message: str = ""
    details: str = ""


class NodeFaults(msgspec.Struct):
    """What is wrong with a node."""

    errors: list[Fault] = []
    class_type: str = ""


class NotPlaced(msgspec.Struct):
    """The answer to a graph that cannot be run."""

    error: Fault | str = ""
    node_errors: dict[str, NodeFaults] | list[Any] = {}


class Waiting(msgspec.Struct):
    """Everybody's graphs; each is a list whose second item is its id."""

    queue_running: list[list[Any]] = []
    queue_pending: list[list[Any]] = []


class Image(msgspec.Struct):
    """Where a picture lies in ComfyUI's folders."""

    filename: str
    subfolder: str = ""
    type: str = SAVED


class Output(msgspec.Struct):
    """What a node put out."""

    images: list[Image] = []


class Status(msgspec.Struct):
    """How it went, with messages of a kind and its data."""

    status_str: str = ""
    messages: list[tuple[str, dict[str, Any]]] = []


class Finished(msgspec.Struct):
    """A graph in the history: it was run, as far as it went."""

    outputs: dict[str, Output] = {}
    status: Status | None = None  # old versions do not say


class Queue:
    """The queue of one ComfyUI, for one picture at a time in each thread."""

    def __init__(self, program: Program, timeout_s: float) -> None:
        self.clock: Callable[[], float] = time.monotonic
        self.poll_s = POLL_S
        self._program = program
        self._timeout_s = timeout_s

    def run(self, graph: Nodes, tell: Callable[[float], None]) -> bytes:
        """The picture of a graph.

        `tell` hears the share done, and may raise to have the graph taken back.

        Raises:
            BackendError: it could not be made; OutOfMemoryError: because it was too large.
        """
        prompt_id = str(uuid4())  # ours where ComfyUI is new enough to take it
        client_id = uuid4().hex  # what is told to a client is about its own pictures
        try:
            with Hearing(self._program, client_id, graph) as hearing:
                prompt_id = self._place(graph, prompt_id, client_id)
                finished = self._wait(prompt_id, hearing, tell)
            picture = self._picture(finished)
        except BaseException:
            self._take_back(prompt_id)
            raise
        with suppress(BackendError):  # prompts of others are no business of the owner's history
            self._program.tell("/history", {"delete": [prompt_id]})
        return picture

    def _place(self, graph: Nodes, prompt_id: str, client_id: str) -> str:
        body = {"prompt": graph, "client_id": client_id, "prompt_id": prompt_id}
        try:
            return self._program.post("/prompt", body, Placed).prompt_id
        except Declined as error:
            if error.status == 400:
                raise failure("ComfyUI cannot run the graph", _reason(error.body)) from error
            raise

    def _wait(self, prompt_id: str, hearing: Hearing, tell: Callable[[float], None]) -> Finished:
        deadline = self.clock() + self._timeout_s
        was_missing = False
        while (finished := self._finished(prompt_id)) is None:
            if not self._is_anywhere(prompt_id):
                if was_missing:
                    raise BackendError(
                        "ComfyUI has lost the picture: it was restarted, or its owner deleted it."
                    )
                was_missing = True  # or it was finished just between the two questions
                continue
            was_missing = False
            tell(hearing.share)
            if self.clock() >= deadline:
                raise BackendError(
                    f"ComfyUI took longer than {self._timeout_s:g} s; [backends.comfyui]"
                    " timeout_s says how long it may."
                )
            hearing.listen(self.poll_s)
        return finished

    def _finished(self, prompt_id: str) -> Finished | None:
        history = self._program.get(f"/history/{prompt_id}", dict[str, Finished])
        return history.get(prompt_id)

    def _is_anywhere(self, prompt_id: str) -> bool:
        """Whether it waits or runs."""
        waiting = self._program.get("/queue", Waiting)
        return _is_in(waiting.queue_pending + waiting.queue_running, prompt_id)

    def _picture(self, finished: Finished) -> bytes:
        if finished.status is not None and finished.status.status_str == "error":
            raise _what_happened(finished.status)
        images = [image for output in finished.outputs.values() for image in output.images]
        if not images:
            raise BackendError("ComfyUI ran the graph, but it put out no picture.")
        saved = (image for image in images if image.type == SAVED)  # previews may be of the way
        image = next(saved, images[0])
        return self._program.fetch("/view", msgspec.to_builtins(image))

    def _take_back(self, prompt_id: str) -> None:
        """Delete it while it waits, so that it cannot begin; then interrupt it if it runs."""
        with suppress(BackendError):
            self._program.tell("/queue", {"delete": [prompt_id]})
            running = self._program.get("/queue", Waiting).queue_running
            if _is_in(running, prompt_id):
                # Old versions do not read which one is meant, hence the look before.
                self._program.tell("/interrupt", {"prompt_id": prompt_id})


def _is_in(items: list[list[Any]], prompt_id: str) -> bool:
    return any(len(item) > 1 and item[1] == prompt_id for item in items)


def _reason(body: bytes) -> str:
    """What is wrong with a graph, node by node."""
    try:
        answer = msgspec.json.decode(body, type=NotPlaced)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return in_short(body.decode("utf-8", "replace"))
    nodes = answer.node_errors if isinstance(answer.node_errors, dict) else {}
    parts = [
        f"{node.class_type}: {_words(fault)}" for node in nodes.values() for fault in node.errors
    ]
    return "; ".join(parts) or (
        answer.error if isinstance(answer.error, str) else _words(answer.error)
    )


def _words(fault: Fault) -> str:
    return f"{fault.message} ({fault.details})" if fault.details else fault.message


def _what_happened(status: Status) -> BackendError:
    for kind, data in status.messages:
        if kind == "execution_interrupted":
            return BackendError("Somebody interrupted the picture in ComfyUI.")
        if kind == "execution_error":
            said = [str(data.get(key, "")) for key in ("exception_type", "exception_message")]
            where = data.get("node_type", "a node")
            return failure(f"ComfyUI failed at {in_short(str(where))}", " ".join(said))
    return BackendError("ComfyUI failed and does not say why.")
