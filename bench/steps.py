"""Where the time of a lifecycle goes: processor time of each of its calls, and how much is SQL.

The whole application in this process, without sockets: calls come in as the HTTP server hands them
over. Each step is made for many requests before the next, sixty-four calls at once, so that they
share commits as in a horde that is busy. Told is the time of the event loop's thread, which is what
binds; the thread that commits waits for the disk beside it. What HTTP itself takes is measured by
the edge (`edge.py`): parsing, sockets, and the framework.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any

import msgspec
import uvloop
from pictures import Pictures
from wishes import plain

from ordu.server.app import make_app
from ordu.server.run import open_horde
from ordu.settings import ServerSettings
from ordu.store.sqlite import SqliteTransaction, SqliteWriter

KEY = "administrator-key-0022"
GENERATE = "/api/v2/generate"
AT_ONCE = 64
STEPS = ("place", "pop", "submit", "check", "status")
WORKERS = 20  # as many as one owner may have
SQL = (
    (SqliteTransaction, ("run", "run_many", "one", "all")),
    (SqliteWriter, ("savepoint", "keep")),
)


class Placed(msgspec.Struct):
    """What is read of the answer to a request or to a pop."""

    id: str


class SqlClock:
    """Counts the time that statements take."""

    def __init__(self) -> None:
        self.spent_ns = 0
        for owner, methods in SQL:
            for method in methods:
                setattr(owner, method, self.timed(getattr(owner, method)))

    def timed(self, real: Callable[..., Any]) -> Callable[..., Any]:
        """The same, with a look at the clock before and after."""

        def run(*arguments: Any, **values: Any) -> Any:
            began = time.perf_counter_ns()
            try:
                return real(*arguments, **values)
            finally:
                self.spent_ns += time.perf_counter_ns() - began

        return run


class Calls:
    """Calls of an application in this process."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, method: str, path: str, body: bytes = b"") -> bytes:
        """The body of an answer."""
        answers: list[Any] = []
        bodies = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Any:
            return bodies.pop() if bodies else await asyncio.get_running_loop().create_future()

        async def send(message: Any) -> None:
            answers.append(message)

        headers = [
            (b"host", b"127.0.0.1:7001"),
            (b"apikey", KEY.encode()),
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ]
        scope = {
            "type": "http", "method": method, "path": path, "query_string": b"",
            "headers": headers, "client": ("127.0.0.1", 7), "scheme": "http",
        }  # fmt: skip
        await self.app(scope, receive, send)
        assert answers[0]["status"] < 300, answers
        return bytes(answers[1]["body"])


class Horde:
    """Requests that go through all steps together."""

    def __init__(self, call: Calls, many: int) -> None:
        self.call = call
        self.pictures = Pictures(50)
        self.bodies = [plain(models=[f"model {n % WORKERS}"]) for n in range(many)]
        self.requests: list[str] = [""] * many
        self.jobs: list[str] = [""] * many

    async def place(self, n: int) -> None:
        """Ask for a picture."""
        answer = await self.call("POST", f"{GENERATE}/async", self.bodies[n])
        self.requests[n] = msgspec.json.decode(answer, type=Placed).id

    async def pop(self, n: int) -> None:
        """Ask for a job."""
        number = n % WORKERS
        body = {"name": f"worker {number}", "models": [f"model {number}"], "bridge_agent": "b:1:-"}
        answer = await self.call("POST", f"{GENERATE}/pop", msgspec.json.encode(body))
        self.jobs[n] = msgspec.json.decode(answer, type=Placed).id

    async def submit(self, n: int) -> None:
        """Bring the picture."""
        body = b'{"id":"%s","seed":1,"generation":"%s"}' % (
            self.jobs[n].encode(), self.pictures.text(),
        )  # fmt: skip
        await self.call("POST", f"{GENERATE}/submit", body)

    async def check(self, n: int) -> None:
        """Ask how far it is."""
        await self.call("GET", f"{GENERATE}/check/{self.requests[n]}")

    async def status(self, n: int) -> None:
        """Fetch the picture."""
        await self.call("GET", f"{GENERATE}/status/{self.requests[n]}")


async def spent_us(work: Callable[[int], Any], many: int, sql: SqlClock) -> tuple[float, float]:
    """Microseconds that one call of this step takes, and that its statements do."""
    numbers = iter(range(many))

    async def keep_on() -> None:
        for number in numbers:
            await work(number)

    sql.spent_ns, began = 0, time.thread_time_ns()
    await asyncio.gather(*(keep_on() for _ in range(AT_ONCE)))
    took = time.thread_time_ns() - began
    return took / many / 1e3, sql.spent_ns / many / 1e3


async def main(many: int, runs: int) -> None:
    """Measure, and print a table."""
    sql = SqlClock()
    found: dict[str, list[tuple[float, float]]] = {step: [] for step in STEPS}
    with tempfile.TemporaryDirectory(prefix="ordu-bench-") as data:
        settings = ServerSettings(data=data, admin_key=KEY, rate_limits=False, concurrency=100_000)
        async with open_horde(settings, "http://127.0.0.1:7001") as opened:
            call = Calls(make_app(opened.horde, opened.secret))
            for run in range(runs + 1):  # the first makes it warm
                horde = Horde(call, many)
                for step in STEPS:
                    took = await spent_us(getattr(horde, step), many, sql)
                    found[step] += [took] if run else []
    print("µs of the event loop's thread, median of the runs; of these in SQL")
    for step, figures in found.items():
        whole, in_sql = (statistics.median(each) for each in zip(*figures, strict=True))
        print(f"{step:<8} {whole:7.1f} {in_sql:7.1f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--many", type=int, default=1_000)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    uvloop.run(main(options.many, options.runs))
