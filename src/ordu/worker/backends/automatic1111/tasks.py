"""Tasks: having a picture drawn, watching it, letting go of it.

A call that draws is answered when the picture is done, so it waits in a thread while this one asks
how far it is. Everybody who uses the program waits for each other, its owner included, and an
interrupt stops whatever is drawn at that moment. So the program is interrupted only when it is
known that ours is drawn: by its id, or, where ids are not known, because nothing else was drawn
when ours began.
"""

import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from ordu.worker.backends import BackendError
from ordu.worker.backends.automatic1111.messages import (
    AllProgress,
    Image2Image,
    Images,
    Problem,
    State,
    TaskProgress,
    Text2Image,
)
from ordu.worker.backends.programs import Declined, Program, failure, in_background

POLL_S = 0.5
LET_GO_S = 30.0  # for how long a picture that nobody wants is looked after
GRACE_S = 30.0  # the call itself may take so much longer, so that the limit here is the one

T = TypeVar("T")


@dataclass(frozen=True)
class Standing:
    """Where a picture is."""

    is_ours: bool  # the program draws it now
    share: float = 0.0


class Tasks:
    """Pictures that one program draws."""

    def __init__(self, program: Program, timeout_s: float) -> None:
        self.clock: Callable[[], float] = time.monotonic
        self.poll_s = POLL_S
        self._program = program
        self._timeout_s = timeout_s

    def draw(self, wish: Text2Image, tell: Callable[[float], None]) -> str:
        """The picture of a wish, in Base64.

        `tell` hears the share done, and may raise to have the program stop.

        Raises:
            BackendError: it could not be made; OutOfMemoryError: because it was too large.
        """
        path = "/sdapi/v1/img2img" if isinstance(wish, Image2Image) else "/sdapi/v1/txt2img"
        before = self._state()
        was_idle = before is not None and before.is_idle
        call = in_background(lambda: self.ask(path, wish, Images, self._timeout_s), "ordu-a1111")
        try:
            self._watch(call, wish.force_task_id, tell, was_idle=was_idle)
            images = call.result().images
        except BaseException:
            self._let_go(call, wish.force_task_id, was_idle=was_idle)
            raise
        after = self._state()
        if after is not None and after.was_cut_short:
            raise BackendError("Somebody interrupted the picture in the program.")
        if not images:
            raise BackendError("The program answered without a picture.")
        return images[0]

    def ask(self, path: str, body: object, kind: type[T], timeout_s: float) -> T:
        """Post what takes long; what the program says of a failure becomes the error."""
        try:
            return self._program.post(path, body, kind, timeout_s=timeout_s + GRACE_S)
        except Declined as error:
            if error.status in {400, 422} or error.status >= 500:
                raise failure(f"{self._program.title} failed", _reason(error)) from error
            raise

    def _watch(
        self, call: "Future[Images]", task_id: str, tell: Callable[[float], None], *, was_idle: bool
    ) -> None:
        deadline = self.clock() + self._timeout_s
        share = 0.0
        while not wait([call], self.poll_s).done:
            share = max(share, self._standing(task_id, was_idle=was_idle).share)
            tell(share)
            if self.clock() >= deadline:
                raise BackendError(
                    f"{self._program.title} took longer than {self._timeout_s:g} s;"
                    " [backends.automatic1111] timeout_s says how long it may."
                )

    def _let_go(self, call: "Future[Images]", task_id: str, *, was_idle: bool) -> None:
        """Interrupt it as soon as it is ours that is drawn."""
        deadline = self.clock() + LET_GO_S
        while not call.done() and self.clock() < deadline:
            if self._standing(task_id, was_idle=was_idle).is_ours:
                with suppress(BackendError):
                    self._program.tell("/sdapi/v1/interrupt", {})
            wait([call], self.poll_s)

    def _standing(self, task_id: str, *, was_idle: bool) -> Standing:
        with suppress(BackendError):
            body = {"id_task": task_id, "id_live_preview": -1, "live_preview": False}
            task = self._program.post("/internal/progress", body, TaskProgress)
            if task.is_known:
                return Standing(task.active, _share(task.progress) if task.active else 0.0)
        if was_idle:
            with suppress(BackendError):
                everything = self._program.get(
                    "/sdapi/v1/progress", AllProgress, params={"skip_current_image": "true"}
                )
                return Standing(is_ours=True, share=_share(everything.progress))
        return Standing(is_ours=was_idle)

    def _state(self) -> State | None:
        """What the program does; None when it does not say."""
        with suppress(BackendError):
            params = {"skip_current_image": "true"}
            return self._program.get("/sdapi/v1/progress", AllProgress, params=params).state
        return None


def _share(progress: float | None) -> float:
    return min(1.0, max(0.0, progress or 0.0))


def _reason(error: Declined) -> str:
    try:
        problem = msgspec.json.decode(error.body, type=Problem)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return str(error)
    detail = problem.detail if isinstance(problem.detail, str) else str(problem.detail)
    return " ".join(filter(None, (problem.error, problem.errors, detail))) or str(error)
