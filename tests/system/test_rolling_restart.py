"""Server processes are replaced one after the other, and no call of anybody fails."""

import asyncio
import json
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from tests.postgres import PostgresServer
from tests.system.processes import Processes, Running, Server, until

from ordu.client import NotFound

BUSY_CLIENTS = 3  # of each kind
READS = ("/livez", "/readyz", "/api/v2/find_user", "/api/v2/status/models", "/api/v2/workers")
ASK = {"prompt": "a fox", "models": ["none has it"]}
IDLE_S = 0.3  # of a client that thinks between its calls; less than the drain

Round = Callable[[httpx.AsyncClient], Awaitable[list[httpx.Response]]]


@pytest.fixture
def shared_database(postgres: PostgresServer) -> Iterator[str]:
    """The URL of a database that several processes may share."""
    url = postgres.new()
    yield url
    postgres.drop(url)


async def reads(client: httpx.AsyncClient) -> list[httpx.Response]:
    """Calls that change nothing."""
    return [await client.get(path) for path in READS]


async def a_request(client: httpx.AsyncClient) -> list[httpx.Response]:
    """A request from its placing to its end, each call perhaps answered by another process."""
    placed = await client.post("/api/v2/generate/async", json=ASK)
    place = placed.json().get("id")
    check = await client.get(f"/api/v2/generate/check/{place}", headers={"Prefer": "wait=1"})
    return [placed, check, await client.delete(f"/api/v2/generate/status/{place}")]


class Trusting:
    """A client that keeps its connection until an answer says that it is closed.

    Others look whether it was closed meanwhile before they send; this one fails then, as they do
    when it happens a moment after they looked.
    """

    def __init__(self, url: str) -> None:
        self.host, self.port = url.removeprefix("http://").split(":")
        self.stream: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, path: str) -> str:
        """The head of the answer."""
        reader, writer = self.stream or await asyncio.open_connection(self.host, int(self.port))
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {self.host}\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        await reader.readexactly(int(value_of(head, "content-length")))
        self.stream = (reader, writer)
        if value_of(head, "connection") == "close":
            self.close()
        return head

    def close(self) -> None:
        if self.stream is not None:
            self.stream[1].close()
            self.stream = None


def value_of(head: str, name: str) -> str:
    """A header of an answer; empty when it has none."""
    found = [line.split(": ")[1] for line in head.splitlines() if line.startswith(f"{name}: ")]
    return found[0] if found else ""


@dataclass
class Traffic:
    """Clients with kept connections and without second tries, and what they got."""

    url: str
    api_key: str
    round: Round
    answered: int = 0
    failures: list[str] = field(default_factory=list)
    before: set[str] = field(default_factory=set)  # the processes that answered at first
    after: set[str] = field(default_factory=set)  # and at last
    over: threading.Event = field(default_factory=threading.Event)

    async def client(self, idle_s: float) -> None:
        headers = {"apikey": self.api_key}
        async with httpx.AsyncClient(base_url=self.url, headers=headers, timeout=30) as client:
            seen: list[str] = []
            while not self.over.is_set():
                try:
                    for reply in await self.round(client):
                        self.note(reply)
                        seen.append(reply.headers["x-request-id"][:16])
                except httpx.HTTPError as error:
                    self.failures.append(repr(error))
                await asyncio.sleep(idle_s)
            self.before.add(seen[0])
            self.after.add(seen[-1])

    async def trusting(self, idle_s: float) -> None:
        client = Trusting(self.url)
        while not self.over.is_set():
            try:
                head = await client.get("/livez")
                self.answered += 1
                if not head.startswith("http/1.1 200"):
                    self.failures.append(head)
            except (OSError, EOFError) as error:
                self.failures.append(repr(error))
                client.stream = None
            await asyncio.sleep(idle_s)
        client.close()

    def note(self, reply: httpx.Response) -> None:
        self.answered += 1
        if reply.status_code >= 300:
            self.failures.append(f"{reply.url} {reply.status_code} {reply.text}")

    async def clients(self) -> None:
        pauses = [0.0] * BUSY_CLIENTS + [IDLE_S] * 2
        await asyncio.gather(*map(self.client, pauses), *map(self.trusting, pauses))


@contextmanager
def traffic(url: str, api_key: str | None, each: Round) -> Iterator[Traffic]:
    """Traffic that goes on for the block, and has begun when it begins."""
    traffic = Traffic(url, api_key or "", each)
    thread = threading.Thread(target=lambda: asyncio.run(traffic.clients()))
    thread.start()
    try:
        until(lambda: traffic.answered > 100, "the clients to be busy")
        yield traffic
    finally:
        traffic.over.set()
        thread.join()


def rolling_restarts(server: Running, so_far: int) -> None:
    """One more rolling restart, to its end."""
    server.send(signal.SIGHUP)
    done = "the rolling restart is done"
    until(lambda: server.said().count(done) > so_far, "the rolling restart", 60)


def assert_no_call_failed(traffic: Traffic) -> None:
    assert traffic.failures == []
    assert traffic.before.isdisjoint(traffic.after), "all were to be answered by new processes"
    assert traffic.answered > 200


def two_on_one_file(ordu: Processes) -> Server:
    """Two real servers on one SQLite file, for calls that read."""
    ready = ordu.folder / "ready.json"
    program = Path(__file__).with_name("two_on_one_file.py")
    running = ordu.program("two", sys.executable, str(program), "horde", str(ready))
    until(lambda: ready.exists() or running.process.poll() is not None, "the first process")
    facts = json.loads(ready.read_bytes())
    until(lambda: "process 2 is ready" in running.said(), "the second process")
    places = (facts["url"], facts["admin_key"], ordu.folder / "horde")
    return Server(running.name, running.process, running.log, *places)


def test_no_call_fails_while_real_servers_are_replaced(ordu):
    server = two_on_one_file(ordu)
    with traffic(server.url, server.admin_key, reads) as clients:
        rolling_restarts(server, so_far=0)
        rolling_restarts(server, so_far=1)
    assert_no_call_failed(clients)
    server.send(signal.SIGTERM)
    assert server.end() == 0


def test_lines_of_each_process_have_its_number(ordu):
    server = two_on_one_file(ordu)
    with server.horde("a-wrong-key") as horde, pytest.raises(NotFound):
        horde.get_find_user()
    server.send(signal.SIGTERM)
    assert server.end() == 0
    lines = [json.loads(each) for each in server.said().splitlines() if each.startswith("{")]
    assert {each["process"] for each in lines} & {1, 2}


def test_what_is_wrong_is_said_once_and_not_tried_again(ordu):
    (ordu.folder / "horde").write_text("this is no folder", "utf-8")
    program = Path(__file__).with_name("two_on_one_file.py")
    running = ordu.program("two", sys.executable, str(program), "horde", "ready.json")
    assert running.end() == 1
    assert running.said().count("\n") == 1
    assert running.said().startswith("ordu: horde: ")


def test_no_process_is_left_when_the_supervisor_is_killed(ordu):
    server = two_on_one_file(ordu)
    server.process.kill()
    until(lambda: ordu.left() == [], "the processes to end")


def test_no_call_fails_while_processes_on_one_database_are_replaced(ordu, shared_database):
    server = ordu.server(
        *("--processes", "2", "--database", shared_database, "--drain-s", "1"),
    )
    until(lambda: "process 2 is ready" in server.said(), "the second process")
    with traffic(server.url, server.admin_key, a_request) as clients:
        rolling_restarts(server, so_far=0)
    assert_no_call_failed(clients)
    server.send(signal.SIGTERM)
    assert server.end() == 0


def test_several_processes_on_sqlite_are_refused_in_one_line(ordu):
    done = ordu.run("serve", "--processes", "2", "--port", "0")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "--database postgresql://" in done.stderr
    assert not (ordu.folder / "horde").exists()


def test_a_drain_of_one_server_is_ended_by_a_second_signal(ordu):
    server = ordu.server("--drain-s", "600")
    with httpx.Client(base_url=server.url) as client:
        server.send(signal.SIGTERM)
        until(lambda: client.get("/readyz").status_code == 503, "the drain")
        reply = client.get("/livez")
        assert (reply.status_code, reply.headers["connection"]) == (200, "close")
        server.send(signal.SIGTERM)
        assert server.end() == 0


def test_ctrl_c_does_not_drain(ordu):
    server = ordu.server("--drain-s", "600")
    server.send(signal.SIGINT)
    assert server.end() == 0
