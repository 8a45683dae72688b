"""What is measured: a server of ours that is started here, or any other that is named by `--url`.

Ours gets a fresh folder, a free loopback port, and people: owners with workers, and requesters. Of
another one nothing is known but its address and the keys of such people.
"""

import asyncio
import contextlib
import json
import os
import resource
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from itertools import cycle, islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from home import Home, a_home
from load import Address, Connection
from proc import owners, servers

ADMIN_KEY = "administrator-key-0022"
START_S_MAX = 120
LOOK_AGAIN_S = 0.005
APART_TRIES = 200  # connections at most
OPTIONS = (
    *("--rate-limits", "off", "--request-lifetime-s", "86400", "--concurrency", "300"),
    # All come from one address here.
    *("--connections-max", "100000", "--connections-per-address", "0", "--waits-per-caller", "0"),
)
WORKERS_EACH = 20  # as many as a trusted owner may have
REQUESTERS = 20  # at least
WAITING_EACH = 30
GENERATE = "/api/v2/generate"


@dataclass(frozen=True)
class Person:
    """Somebody with a key."""

    key: str
    id: int = 0  # 0: not known


@dataclass(frozen=True)
class Target:
    """A server that runs, and people it knows."""

    address: Address
    owners: tuple[Person, ...] = ()
    requesters: tuple[Person, ...] = ()
    pid: int | None = None
    processes: int = 1  # that answer calls
    workers_each: int = WORKERS_EACH

    @property
    def workers(self) -> int:
        """How many workers there can be."""
        return len(self.owners) * self.workers_each

    def worker(self, number: int) -> tuple[str, str]:
        """The name of a worker and its owner's key; where there are fewer, they take turns."""
        number %= self.workers
        return f"bench worker {number}", self.owners[number // self.workers_each].key

    def requester(self, number: int) -> str:
        """The key of the requester of this number; there are fewer, so they take turns."""
        return self.requesters[number % len(self.requesters)].key

    def pop(self, number: int, models: list[str], *, prefer: str = "", **more: Any) -> bytes:
        """A pop of a worker that offers these models."""
        name, key = self.worker(number)
        body = {"name": name, "models": models, "bridge_agent": "bench:1:-", **more}
        data = json.dumps(body).encode()
        return self.address.call("POST", f"{GENERATE}/pop", key=key, body=data, more=prefer)

    def place(self, number: int, body: bytes) -> bytes:
        """A request of a requester."""
        key = self.requester(number)
        return self.address.call("POST", f"{GENERATE}/async", key=key, body=body)

    def submit(self, number: int, job_id: str, picture: bytes) -> bytes:
        """The picture of a job, from a worker."""
        head = b'{"id":"' + job_id.encode() + b'","seed":1,"generation":"'
        body = head + picture + b'"}'
        key = self.worker(number)[1]
        return self.address.call("POST", f"{GENERATE}/submit", key=key, body=body)

    def check(self, request_id: str, *, prefer: str = "") -> bytes:
        """A check of a request."""
        return self.address.call("GET", f"{GENERATE}/check/{request_id}", more=prefer)

    def status(self, request_id: str) -> bytes:
        """The whole state of a request, with its pictures."""
        return self.address.call("GET", f"{GENERATE}/status/{request_id}")

    def knowing(self, other: "Target") -> "Target":
        """This server with the people of another, in whose folder it was started."""
        return replace(self, owners=other.owners, requesters=other.requesters)

    def at(self, address: Address) -> "Target":
        """The same calls to another server."""
        return replace(self, address=address)


@contextlib.asynccontextmanager
async def a_target(given: Namespace, owners: int = 5, waiting: int = 0) -> AsyncIterator[Target]:
    """The server that is named by `--url`, or one of ours with people for so many requests."""
    allow_many_connections()
    if given.url:
        yield named(given)
        return
    async with a_home(given) as home, a_server(home) as target:
        yield await with_people(target, owners, waiting)


def named(given: Namespace) -> Target:
    """The server that is named by `--url`."""
    if not (given.owner and given.requester):
        sys.exit("With --url, say who works and who asks: --owner KEY and --requester KEY.")
    url = urlsplit(given.url)
    if url.scheme != "http" or not url.hostname:
        sys.exit("The load speaks plain HTTP: --url http://HOST:PORT.")
    return Target(
        address=Address(url.hostname, url.port or 80),
        owners=tuple(map(Person, given.owner)),
        requesters=tuple(map(Person, given.requester)),
        pid=given.pid,
        workers_each=given.workers_each,
    )


def only_ours(given: Namespace, why: str) -> None:
    """End here when a server was named and this cannot be measured from outside."""
    if given.url:
        sys.exit(f"This cannot be measured with --url: {why}")


@contextlib.asynccontextmanager
async def a_server(home: Home) -> AsyncIterator[Target]:
    """A server of ours that answers calls; it ends when we do, whatever happens."""
    ready = home.data / "ready.json"
    ready.unlink(missing_ok=True)
    command = [sys.executable, "-m", "ordu.cli", "serve", "--data", str(home.data), "--port", "0"]
    environment = os.environ | {
        "ORDU_ADMIN_KEY": ADMIN_KEY,
        "ORDU_LOG_LEVEL": "warning",
        "ORDU_DATABASE": home.database,
        "ORDU_PROCESSES": str(home.processes),
    }
    process = subprocess.Popen(
        [*command, *OPTIONS, "--ready-file", str(ready), "--with-parent"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        env=environment,
    )
    try:
        address = await served(process, ready)
        target = Target(address, pid=process.pid, processes=home.processes)
        if home.processes > 1:
            await all_answer(target)
        yield target
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, 60)


async def served(process: subprocess.Popen[bytes], ready: Path) -> Address:
    """Where a server is that has been started, once it answers a call."""
    deadline = time.monotonic() + START_S_MAX
    while not ready.exists():
        assert process.poll() is None, "the server did not start"
        assert time.monotonic() < deadline, "the server took too long to start"
        await asyncio.sleep(LOOK_AGAIN_S)
    url = urlsplit(json.loads(ready.read_bytes())["url"])
    address = Address(str(url.hostname), int(url.port or 0))
    async with address.connections(1) as (connection,):
        await connection.ask(address.call("GET", "/api/v2/status/heartbeat"))
    return address


async def all_answer(target: Target) -> None:
    """Wait until each process of a server answers: it says that it is ready when the first does."""
    deadline = time.monotonic() + START_S_MAX
    seen: set[int | None] = set()
    while len(seen - {None}) < target.processes:
        assert time.monotonic() < deadline, "not all processes of the server answer"
        await asyncio.sleep(LOOK_AGAIN_S)
        async with target.address.connections(4 * target.processes) as opened:
            seen.update(await answering(target, opened))


async def answering(target: Target, opened: list[Connection]) -> list[int | None]:
    """Which process answers on each of these connections."""
    assert target.pid is not None
    heartbeat = target.address.call("GET", "/api/v2/status/heartbeat")
    await asyncio.gather(*(each.ask(heartbeat) for each in opened))
    return owners(opened, servers(target.pid))


@contextlib.asynccontextmanager
async def apart(target: Target) -> AsyncIterator[tuple[Connection, Connection]]:
    """Two connections that different processes answer, where there are several."""
    async with contextlib.AsyncExitStack() as stack:
        opened = list(await stack.enter_async_context(target.address.connections(2)))
        if target.processes == 1:
            yield opened[0], opened[1]
            return
        heartbeat = target.address.call("GET", "/api/v2/status/heartbeat")
        for _ in range(APART_TRIES):
            by_process = dict(zip(await answering(target, opened), opened, strict=True))
            if len(by_process) > 1:
                first, second, *_ = by_process.values()
                yield first, second
                return
            # Whoever has these is kept busy, so that another process takes the next one.
            busy = asyncio.gather(*(each.ask(heartbeat) for each in opened))
            opened += await stack.enter_async_context(target.address.connections(1))
            await busy
    raise AssertionError("one process has taken all connections")


async def with_people(target: Target, owners: int, waiting: int) -> Target:
    """A server of ours with owners who may have many workers, and requesters for so many requests.

    Each has as many waiting as a user may by default.
    """
    many = owners + max(REQUESTERS, waiting // WAITING_EACH + 1)
    people = tuple(Person(user["api_key"], user["id"]) for user in await registered(target, many))
    trusted = [
        target.address.call(
            "PUT", f"/api/v2/users/{owner.id}", key=ADMIN_KEY, body=b'{"trusted": true}'
        )
        for owner in people[:owners]
    ]
    await each(target, trusted)
    return replace(target, owners=people[:owners], requesters=people[owners:])


async def registered(target: Target, many: int) -> list[Any]:
    """So many new users."""
    names = [json.dumps({"username": f"person {number}"}).encode() for number in range(many)]
    accept = "Accept: application/json\r\n"
    calls = [target.address.call("POST", "/register", body=name, more=accept) for name in names]
    return await each(target, calls, 1)  # the next user's number is looked for: many would collide


async def each(target: Target, calls: list[bytes], connections: int = 32) -> list[Any]:
    """What is answered to these calls, in their order; many are on the way at once."""
    answers: list[Any] = [None] * len(calls)
    async with target.address.connections(min(connections, len(calls))) as opened:

        async def every_nth(first: int) -> None:
            for number in range(first, len(calls), len(opened)):
                answer = await opened[first].ask(calls[number])
                answers[number] = json.loads(answer.body)

        await asyncio.gather(*map(every_nth, range(len(opened))))
    return answers


async def wait_in_queue(target: Target, bodies: list[bytes], many: int) -> list[str]:
    """Place so many requests through the API, with these bodies in turn; their ids."""
    calls = [target.place(number, body) for number, body in enumerate(islice(cycle(bodies), many))]
    return [answer["id"] for answer in await each(target, calls)]


async def worker_ids(target: Target) -> list[str]:
    """The ids of the workers that are here, by their names."""
    workers = (await each(target, [target.address.call("GET", "/api/v2/workers")]))[0]
    return [worker["id"] for worker in sorted(workers, key=lambda worker: worker["name"])]


# The process


def allow_many_connections() -> None:
    """Let this process, and a server it starts, have as many files open as it may."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
