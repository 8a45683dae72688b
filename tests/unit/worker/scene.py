"""A worker's horde that is a function, a backend that draws nothing, and all that happens."""

import asyncio
import random
from collections import deque
from collections.abc import Callable
from typing import Any

import httpx
import msgspec

from ordu.client import AsyncHorde
from ordu.settings import WorkerSettings
from ordu.worker.backends import Backend, Drawing, Offer, Picture, Progress
from ordu.worker.events import Began, Drawn, Event, Idle
from ordu.worker.gate import Gate
from ordu.worker.loop import Worker

UPLOAD = "http://pictures.test/up.webp"
REFUSED = httpx.ConnectError("refused")


def no(status: int, rc: str | None = None, message: str = "No.") -> httpx.Response:
    return httpx.Response(status, json={"message": message, "rc": rc})


WEBP = b"RIFF....WEBP"


class FakeBackend(Backend):
    """Draws its prompt; `make` can be replaced."""

    def __init__(self, device: str = "") -> None:
        self.device = device
        self.drawn: list[Drawing] = []
        self.draw: Callable[[Drawing], bytes] = lambda drawing: WEBP + drawing.prompt.encode()
        self.can = Offer(models=("sdxl",), max_pixels=512 * 512)

    def offer(self) -> Offer:
        return self.can

    def make(self, drawing: Drawing, progress: Progress) -> Picture:
        self.drawn.append(drawing)
        progress(0.5)
        return Picture(self.draw(drawing))


class Scene:
    """A worker, its horde, its backend, and everything that happened.

    Pops are answered from `jobs`; a job is a dict, a refusal a response or an exception. When they
    are used up the horde is idle, and the worker is asked to stop at its second idle pop.
    """

    def __init__(self, *further: Backend, gate: Gate | None = None, **settings: Any) -> None:
        self.jobs: deque[Any] = deque()
        self.submits: deque[Any] = deque()  # answers to the next submits; then a reward
        self.uploads: deque[Any] = deque()
        self.delivered: list[dict[str, Any]] = []
        self.on_submit: Callable[[], dict[str, Any]] = lambda: {"reward": 4.5}
        self.fetched = 0
        self.uploaded: list[bytes] = []
        self.pops: list[dict[str, Any]] = []
        self.wishes: list[str] = []  # how long each pop was to wait
        self.events: list[Event] = []
        self.slept: list[float] = []
        self.now_s = 0.0
        self.idle_pops_until_stop = 2
        self.stop = asyncio.Event()
        self.gate = gate
        self.settings = WorkerSettings(
            **{"name": "attic", "poll_interval_s": 2.0, "prefetch": 0, **settings}
        )
        self.backends: list[Any] = [FakeBackend(), *further]
        self.replace_far(self.far)

    @property
    def backend(self) -> Any:
        """The first device."""
        return self.backends[0]

    def replace_backend(self, backend: Backend) -> None:
        """Have the first device be another one."""
        self.backends[0] = backend
        self.worker = self.a_worker()

    def replace_far(self, far: Callable[[httpx.Request], Any]) -> None:
        """Have the horde answer otherwise."""
        self.horde = AsyncHorde("http://horde.test", "k", transport=httpx.MockTransport(far))
        self.worker = self.a_worker()

    def a_worker(self) -> Worker:
        return Worker(
            self.horde,
            self.backends,
            self.settings,
            gate=self.gate,
            on_event=self.events.append,
            sleep=self.sleep,
            clock=lambda: self.now_s,
            chance=random.Random(7),
        )

    async def run(self) -> list[Event]:
        """Let the worker work until it is idle; what it told, without idleness."""
        await asyncio.wait_for(self.worker.run(self.stop), 10)
        return [event for event in self.events if not isinstance(event, Idle | Began | Drawn)]

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now_s += seconds
        await asyncio.sleep(0)

    def far(self, call: httpx.Request) -> httpx.Response:
        match call.method, call.url.path:
            case "POST", "/api/v2/generate/pop":
                self.pops.append(msgspec.json.decode(call.content))
                self.wishes.append(call.headers["prefer"])
                return self.answer(self.jobs, self.idle)
            case "POST", "/api/v2/generate/submit":
                assert call.headers["apikey"] == "k"
                self.delivered.append(msgspec.json.decode(call.content))
                return self.answer(self.submits, self.on_submit)
            case "PUT", "/up.webp":
                assert "apikey" not in call.headers
                self.uploaded.append(call.content)
                return self.answer(self.uploads, dict)
            case "GET", "/source.webp":
                self.fetched += 1
                return httpx.Response(200, content=b"source")
        raise AssertionError(call)

    def answer(self, answers: deque[Any], usual: Callable[[], dict[str, Any]]) -> httpx.Response:
        answer = answers.popleft() if answers else usual()
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)

    def idle(self) -> dict[str, Any]:
        self.idle_pops_until_stop -= 1
        if self.idle_pops_until_stop <= 0:
            self.stop.set()
        return {"id": None, "ids": [], "payload": {}, "skipped": {"nsfw": 3, "models": 0}}


def a_job(number: int = 1, **changes: Any) -> dict[str, Any]:
    payload = {"prompt": f"fox {number}###rain", "ddim_steps": 9, "seed": str(number)}
    return {"id": f"job-{number}", "payload": payload, "model": "sdxl", "skipped": {}, **changes}


def kinds(events: list[Event]) -> list[type[Event]]:
    return [type(event) for event in events]
