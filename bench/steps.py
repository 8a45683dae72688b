"""Where the time of a lifecycle goes: processor time of each of its calls, and how much is SQL.

The whole application in this process, without sockets: calls come in as the HTTP server hands them
over. Each step is made for many requests before the next, sixty-four calls at once, so that they
share commits as in a horde that is busy. Told is the time of the event loop's thread, which is what
binds; the thread that commits waits for the disk beside it. What HTTP itself takes is measured by
the edge (`edge.py`): parsing, sockets, and the framework.

On PostgreSQL the time of this thread and of the database's processes are told, and how many
statements a call makes besides BEGIN and COMMIT. Then what the other processes of the horde are
told of a lifecycle, and what it takes one of them to bring that into its memory.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import uvloop
from figures import add_database, check_database
from home import Home, a_home
from pictures import Pictures
from proc import cpu_s
from wishes import plain

from ordu.engine import garbage
from ordu.server.app import make_app
from ordu.server.run import Opened, open_horde
from ordu.settings import ServerSettings
from ordu.store.sqlite import SqliteTransaction, SqliteWriter

KEY = "administrator-key-0022"
URL = "http://127.0.0.1:7001"
GENERATE = "/api/v2/generate"
AT_ONCE = 64
STEPS = ("place", "pop", "submit", "check", "status")
PEOPLE = 20  # each asks, and has a worker
SQL = (
    (SqliteTransaction, ("run", "run_many", "one", "all")),
    (SqliteWriter, ("savepoint", "keep")),
)


class Placed(msgspec.Struct):
    """What is read of the answer to a request or to a pop."""

    id: str


class SqlClock:
    """Counts statements and the time that they take; on PostgreSQL that is not ours alone."""

    def __init__(self, timed: Any = SQL) -> None:
        self.spent_ns = self.statements = 0
        for owner, methods in timed:
            for method in methods:
                setattr(owner, method, self.timed(getattr(owner, method)))

    def timed(self, real: Callable[..., Any]) -> Callable[..., Any]:
        """The same, with a look at the clock before and after."""

        def run(*arguments: Any, **values: Any) -> Any:
            began = time.perf_counter_ns()
            self.statements += 1
            try:
                return real(*arguments, **values)
            finally:
                self.spent_ns += time.perf_counter_ns() - began

        return run


class Calls:
    """Calls of an application in this process."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, method: str, path: str, body: bytes = b"", key: str = KEY) -> bytes:
        """The body of an answer."""
        answers: list[Any] = []
        bodies = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Any:
            return bodies.pop() if bodies else await asyncio.get_running_loop().create_future()

        async def send(message: Any) -> None:
            answers.append(message)

        headers = [
            (b"host", b"127.0.0.1:7001"),
            (b"apikey", key.encode()),
            (b"accept", b"application/json"),
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

    def __init__(self, call: Calls, keys: list[str], many: int) -> None:
        self.call = call
        self.keys = keys
        self.pictures = Pictures(50)
        self.bodies = [plain(models=[f"model {n % PEOPLE}"]) for n in range(many)]
        self.requests: list[str] = [""] * many
        self.jobs: list[str] = [""] * many

    async def place(self, n: int) -> None:
        """Ask for a picture."""
        answer = await self.call(
            "POST", f"{GENERATE}/async", self.bodies[n], self.keys[n % len(self.keys)]
        )
        self.requests[n] = msgspec.json.decode(answer, type=Placed).id

    async def pop(self, n: int) -> None:
        """Ask for a job."""
        number = n % PEOPLE
        body = {"name": f"worker {number}", "models": [f"model {number}"], "bridge_agent": "b:1:-"}
        answer = await self.call(
            "POST", f"{GENERATE}/pop", msgspec.json.encode(body), self.owner(n)
        )
        self.jobs[n] = msgspec.json.decode(answer, type=Placed).id

    def owner(self, n: int) -> str:
        """The key of a worker's owner, who is not who asked."""
        return self.keys[(n + 1) % len(self.keys)]

    async def submit(self, n: int) -> None:
        """Bring the picture."""
        body = b'{"id":"%s","seed":1,"generation":"%s"}' % (
            self.jobs[n].encode(), self.pictures.text(),
        )  # fmt: skip
        await self.call("POST", f"{GENERATE}/submit", body, self.owner(n))

    async def check(self, n: int) -> None:
        """Ask how far it is."""
        await self.call("GET", f"{GENERATE}/check/{self.requests[n]}")

    async def status(self, n: int) -> None:
        """Fetch the picture."""
        await self.call("GET", f"{GENERATE}/status/{self.requests[n]}")


@dataclass
class Spent:
    """What one call of a step takes."""

    thread_us: float
    sql_us: float
    statements: float
    database_us: float


async def spent(work: Callable[[int], Any], many: int, sql: SqlClock, pid: int | None) -> Spent:
    """What one call of this step takes, of many."""
    numbers = iter(range(many))

    async def keep_on() -> None:
        for number in numbers:
            await work(number)

    sql.spent_ns = sql.statements = 0
    there = cpu_s(pid) if pid else 0
    began = time.thread_time_ns()
    await asyncio.gather(*(keep_on() for _ in range(AT_ONCE)))
    took = time.thread_time_ns() - began
    there = (cpu_s(pid) if pid else 0) - there
    return Spent(
        took / many / 1e3, sql.spent_ns / many / 1e3, sql.statements / many, there / many * 1e6
    )


async def measure(
    opened: Opened, many: int, runs: int, sql: SqlClock, pid: int | None
) -> dict[str, list[Spent]]:
    """What each step takes, once a run."""
    found: dict[str, list[Spent]] = {step: [] for step in STEPS}
    call = Calls(make_app(opened.horde, opened.secret))
    keys = [await registered(call, number) for number in range(PEOPLE)]
    for run in range(runs + 1):  # the first makes it warm
        horde = Horde(call, keys, many)
        for step in STEPS:
            took = await spent(getattr(horde, step), many, sql, pid)
            found[step] += [took] if run else []
    return found


async def registered(call: Calls, number: int) -> str:
    """The key of somebody new, who is trusted: pictures of strangers are decoded first."""
    answer = await call("POST", "/register", b'{"username": "person %d"}' % number)
    person = msgspec.json.decode(answer)
    await call("PUT", f"/api/v2/users/{person['id']}", b'{"trusted": true}')
    return str(person["api_key"])


def settings_of(home: Home) -> ServerSettings:
    """A horde without limits on calls."""
    return ServerSettings(
        data=str(home.data),
        database=home.database,
        admin_key=KEY,
        rate_limits=False,
        concurrency=100_000,
    )


async def on_sqlite(home: Home, many: int, runs: int) -> None:
    """Measure, and print a table."""
    async with open_horde(settings_of(home), URL) as opened:
        garbage.leave_alone()  # as a server does
        found = await measure(opened, many, runs, SqlClock(), None)
    print("µs of the event loop's thread, median of the runs; of these in SQL")
    for step, took in found.items():
        print(
            f"{step:<8} {median(each.thread_us for each in took):7.1f}"
            f" {median(each.sql_us for each in took):7.1f}"
        )


async def on_postgres(home: Home, many: int, runs: int) -> None:
    """The same, with what else there is to know."""
    from ordu.store.postgres import PostgresTransaction  # noqa: PLC0415 - only here

    sql = SqlClock(((PostgresTransaction, ("run", "run_many", "one", "all")),))
    texts: list[str] = []
    async with open_horde(settings_of(home), URL) as opened:
        garbage.leave_alone()
        assert opened.horde.tidings is not None
        channel = opened.horde.tidings.channel
        send = channel.send

        def overheard(text: str) -> None:
            texts.append(text)
            send(text)

        channel.send = overheard  # type: ignore[method-assign] # to count what is sent
        found = await measure(opened, many, runs, sql, home.postgres_pid)
    print("µs of the event loop's thread, statements, µs of PostgreSQL; median of the runs")
    for step, took in found.items():
        print(
            f"{step:<8} {median(each.thread_us for each in took):7.1f}"
            f" {median(each.statements for each in took):7.1f}"
            f" {median(each.database_us for each in took):7.1f}"
        )
    async with open_horde(settings_of(home), URL) as another:
        took_us = await applied_us(another, texts)
    lifecycles = many * (runs + 1)
    many_bytes = sum(map(len, texts)) / lifecycles
    print(
        f"tidings of a lifecycle: {many_bytes:,.0f} bytes,"
        f" {took_us / lifecycles:.1f} µs to bring them into the memory of another process"
    )


async def applied_us(another: Opened, texts: list[str]) -> float:
    """How long it takes another process to read and apply these."""
    assert another.horde.tidings is not None
    assert another.elsewhere is not None
    began = time.thread_time_ns()
    for text in texts:
        another.elsewhere.hear(another.horde.tidings.read(text))
        while another.elsewhere.unread:
            await asyncio.sleep(0)
    return (time.thread_time_ns() - began) / 1e3


def median(values: Any) -> float:
    """The middle one."""
    return float(statistics.median(values))


async def main(given: argparse.Namespace) -> None:
    """Measure on the database that was said."""
    async with a_home(given) as home:
        work = on_postgres if home.database else on_sqlite
        await work(home, given.many, given.runs)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_database(parser)
    parser.add_argument("--many", type=int, default=1_000)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    given.processes = 1
    check_database(given.database, given.processes)
    uvloop.run(main(given))
