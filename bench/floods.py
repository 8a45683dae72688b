"""What honest people notice of a flood: their whole lifecycles beside it and without it.

A server with its bounds and limits as they come. Four requesters, each with an address and a key,
place, have it popped, submitted and look at the picture, all the time; that is measured without a
flood, beside each flood, and between them without one again. A flood is a program of its own on the
same cores, so it also takes what a flood from elsewhere would not.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from statistics import median

from load import Address, Connection, run
from pictures import Pictures
from proc import memory_mb
from target import allow_many_connections, served

HONEST = 4
PAUSE_S = 0.8  # between two lifecycles of one requester: 2 a second may be placed
MANY = 250
GENERATE = "/api/v2/generate"


async def connect(address: Address, source: str) -> Connection:
    """A connection from this address."""
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(
        Connection, address.host, address.port, local_addr=(source, 0)
    )
    return connection


# The floods


async def hammer(
    address: Address, source: str, call: Callable[[], bytes], seen: Counter[int]
) -> None:
    """Make this call again and again from one address; where it is hung up on, come back."""
    while True:
        connection = None
        try:
            connection = await connect(address, source)
            while True:
                answer = await connection.send(call())
                seen[answer.status] += 1
        except (OSError, ValueError, AssertionError):
            seen[0] += 1
            await asyncio.sleep(0.01)
        finally:
            if connection is not None:
                connection.close()


async def hold(address: Address, source: str, raw: bytes, seen: Counter[int]) -> None:
    """Say this and then nothing; where it is hung up on, come back."""
    while True:
        try:
            reader, writer = await asyncio.open_connection(
                address.host, address.port, local_addr=(source, 0)
            )
            seen[1] += 1
            writer.write(raw)
            while await reader.read(65536):
                pass
        except OSError:
            pass
        seen[0] += 1
        await asyncio.sleep(0.05)


def flood(name: str, address: Address, key: str, request_id: str) -> list[Awaitable[None]]:
    """What a flood of this name does, all at once."""
    seen = SEEN
    one = itertools.repeat("127.9.0.1")
    many = (f"127.10.{n // 250}.{1 + n % 250}" for n in itertools.count())
    wish = json.dumps({"prompt": "a fox", "models": ["of the flood"]}).encode()
    place = address.call("POST", f"{GENERATE}/async", key=key, body=wish)
    check = address.call("GET", f"{GENERATE}/check/{request_id}")
    wait = address.call("GET", f"{GENERATE}/check/{request_id}", more="Prefer: wait=60\r\n")
    events = address.call("GET", f"{GENERATE}/status/{request_id}/events")
    large = address.call("POST", f"{GENERATE}/async", key=key, body=b" " * 8_000_000)
    numbers = itertools.count()

    def register() -> bytes:
        body = json.dumps({"username": f"flood {next(numbers)}"}).encode()
        return address.call("POST", "/register", body=body, more="Accept: application/json\r\n")

    hammered = {
        "requests of one key at one address": (place, one, MANY),
        "requests of one key at many addresses": (place, many, MANY),
        "polls of one address": (check, one, MANY),
        "polls of many addresses": (check, many, MANY),
        "large bodies of many addresses": (large, many, 40),
    }
    if name in hammered:
        raw, sources, n = hammered[name]
        return [hammer(address, next(sources), lambda: raw, seen) for _ in range(n)]
    if name == "registrations of many addresses":
        return [hammer(address, next(many), register, seen) for _ in range(MANY)]
    held = {
        "waits of one address": (wait, one, MANY),
        "events of one address": (events, one, MANY),
        "silent connections of many addresses": (b"", many, 4000),
        "halves of bodies of many addresses": (large[:200_000], many, 1000),
    }
    raw, sources, n = held[name]
    return [hold(address, next(sources), raw, seen) for _ in range(n)]


FLOODS = (
    "requests of one key at one address",
    "requests of one key at many addresses",
    "polls of one address",
    "polls of many addresses",
    "registrations of many addresses",
    "waits of one address",
    "events of one address",
    "large bodies of many addresses",
    "halves of bodies of many addresses",
    "silent connections of many addresses",
)
SEEN: Counter[int] = Counter()


async def be_flood(name: str, address: Address, key: str, request_id: str) -> None:
    """Flood until the one who started us hangs up."""
    allow_many_connections()
    tasks = [asyncio.ensure_future(each) for each in flood(name, address, key, request_id)]
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    print(json.dumps(dict(SEEN)), flush=True)


# The honest


async def lifecycles(
    address: Address, number: int, keys: tuple[str, str], picture: bytes, until_s: float
) -> list[float]:
    """How long each whole lifecycle of one requester takes, in milliseconds; -1: refused."""
    took = []
    model = f"honest {number}"
    wish = json.dumps({"prompt": "a fox", "models": [model]}).encode()
    offer = {"name": f"attic {number}", "models": [model], "bridge_agent": "bench:1:-"}
    source = f"127.20.0.{number + 1}"
    while time.perf_counter() < until_s:
        began = time.perf_counter()
        connection = None
        try:
            connection = await connect(address, source)
            async with asyncio.timeout(30):
                call = address.call("POST", f"{GENERATE}/async", key=keys[0], body=wish)
                placed = json.loads((await connection.ask(call)).body)["id"]
                body = json.dumps(offer).encode()
                call = address.call("POST", f"{GENERATE}/pop", key=keys[1], body=body)
                job = json.loads((await connection.ask(call)).body)["id"]
                body = b'{"id":"' + job.encode() + b'","seed":1,"generation":"' + picture + b'"}'
                call = address.call("POST", f"{GENERATE}/submit", key=keys[1], body=body)
                await connection.ask(call)
                await connection.ask(address.call("GET", f"{GENERATE}/status/{placed}"))
            took.append((time.perf_counter() - began) * 1000)
        except (AssertionError, OSError, TimeoutError, AttributeError) as error:
            print(f"    an honest lifecycle failed: {str(error)[-150:]}", file=sys.stderr)
            took.append(-1.0)
        finally:
            if connection is not None:
                connection.close()
        await asyncio.sleep(PAUSE_S)
    return took


async def measured(
    address: Address, people: list[tuple[str, str]], seconds: float
) -> tuple[float, float, int, int]:
    """Median and worst of the honest in these seconds, how many were served, and how many not."""
    picture = Pictures(8).text()
    until_s = time.perf_counter() + seconds
    tasks = (lifecycles(address, n, keys, picture, until_s) for n, keys in enumerate(people))
    took = list(itertools.chain.from_iterable(await asyncio.gather(*tasks)))
    good = [each for each in took if each >= 0]
    return median(good or [0]), max(good or [0]), len(good), len(took) - len(good)


@contextlib.asynccontextmanager
async def a_server(folder: Path) -> AsyncIterator[tuple[Address, int]]:
    """A server with everything as it comes."""
    folder.mkdir()
    ready = folder / "ready.json"
    command = [sys.executable, "-m", "ordu.cli", "serve", "--data", str(folder), "--port", "0"]
    process = subprocess.Popen(
        [*command, "--ready-file", str(ready), "--with-parent"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        # The workers here are quicker than any real one.
        env=os.environ | {"ORDU_LOG_LEVEL": "warning", "ORDU_TOO_FAST_MEGAPIXELSTEPS_PER_S": "0"},
    )
    try:
        yield await served(process, ready), process.pid
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, 60)


async def a_key(address: Address, name: str, source: str) -> str:
    """A new user's key."""
    connection = await connect(address, source)
    body = json.dumps({"username": name}).encode()
    more = "Accept: application/json\r\n"
    answer = await connection.ask(address.call("POST", "/register", body=body, more=more))
    connection.close()
    return str(json.loads(answer.body)["api_key"])


async def beside(
    name: str, address: Address, people: list[tuple[str, str]], seconds: float, more: list[str]
) -> tuple[tuple[float, float, int, int], dict[str, int]]:
    """The same beside a flood, and what the flood was answered."""
    command = [sys.executable, __file__, "--flood", name, address.host, str(address.port), *more]
    program = await asyncio.create_subprocess_exec(
        *command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert program.stdin is not None
    assert program.stdout is not None
    await program.stdout.readline()
    try:
        await asyncio.sleep(0.5)
        found = await measured(address, people, seconds)
    finally:
        program.stdin.write(b"\n")
        said = await program.stdout.readline()
        await program.wait()
    return found, json.loads(said or b"{}")


async def main(seconds: float, only: list[str]) -> None:
    """Measure all floods."""
    allow_many_connections()
    with tempfile.TemporaryDirectory(prefix="ordu-floods-") as folder:
        async with a_server(Path(folder) / "horde") as (address, pid):
            people = [
                (
                    await a_key(address, f"asks {n}", f"127.21.0.{n + 1}"),
                    await a_key(address, f"owns {n}", f"127.21.1.{n + 1}"),
                )
                for n in range(HONEST)
            ]
            key = await a_key(address, "floods", "127.21.2.1")
            wish = json.dumps({"prompt": "a fox", "models": ["of the flood"]}).encode()
            connection = await connect(address, "127.21.2.2")
            call = address.call("POST", f"{GENERATE}/async", key=key, body=wish)
            request_id = json.loads((await connection.ask(call)).body)["id"]
            connection.close()
            await measured(address, people, 2)
            print(
                "| beside | median ms | worst ms | served | not | memory MB | flood was answered |"
            )
            print("|---|---|---|---|---|---|---|", flush=True)
            for name in only or FLOODS:
                tell("nothing", await measured(address, people, seconds), memory_mb(pid), {})
                found, said = await beside(name, address, people, seconds, [key, request_id])
                tell(name, found, memory_mb(pid), said)
            await asyncio.sleep(1)
            tell("nothing", await measured(address, people, seconds), memory_mb(pid), {})


def tell(
    name: str, found: tuple[float, float, int, int], memory: float, said: dict[str, int]
) -> None:
    """A line of the table; 0 are hang-ups."""
    middle, worst, good, bad = found
    answers = ", ".join(f"{status}: {many:,}" for status, many in sorted(said.items()))
    print(
        f"| {name} | {middle:.0f} | {worst:.0f} | {good} | {bad} | {memory:.0f} | {answers} |",
        flush=True,
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--flood"]:
        _, _, flood_name, host, port, flood_key, flood_id = sys.argv
        run(be_flood(flood_name, Address(host, int(port)), flood_key, flood_id))
        sys.exit()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8, help="for each line of the table")
    parser.add_argument("only", nargs="*", help="floods; all, if none is named")
    given = parser.parse_args()
    run(main(given.seconds, given.only))
