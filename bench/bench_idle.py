"""What a server does while many wait and nothing happens: its share of a core, and its memory.

Workers wait for jobs with `Prefer: wait=60`, clients for changes of their requests, others follow
theirs as streams of events. Nobody could serve the requests. What the server uses is read from
`/proc`, before they wait and while they do.
"""

import argparse
import asyncio
import json
import os
import resource
from pathlib import Path

from load import Connection, a_server

WAIT = "Prefer: wait=60\r\n"
POP = "/api/v2/generate/pop"
FOLLOWERS = 20  # of each request
AT_ONCE = 200  # connections that are opened together
TICKS_A_S = os.sysconf("SC_CLK_TCK")


def used_s(pid: int) -> float:
    """Seconds of a core that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_A_S


def memory_mb(pid: int) -> float:
    """The memory of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    raise LookupError("VmRSS")


async def share(pid: int, seconds: float) -> float:
    """The share of a core that a process uses from now on, in per cent."""
    before = used_s(pid)
    await asyncio.sleep(seconds)
    return 100 * (used_s(pid) - before) / seconds


async def waits(connection: Connection, method: str, path: str, body: bytes, more: str) -> None:
    """Send a call that is answered late or never."""
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: {connection.host}\r\n"
        f"apikey: administrator-key-0022\r\n{more}Content-Length: {len(body)}\r\n\r\n"
    )
    connection.writer.write(head.encode() + body)
    await connection.writer.drain()


async def has_answer(connection: Connection) -> bool:
    """Whether something came back already."""
    try:
        await asyncio.wait_for(connection.reader.read(1), 0.001)
    except TimeoutError:
        return False
    return True


async def begin(host: str, port: int, calls: list[tuple[str, str, bytes, str]]) -> list[Connection]:
    """Send all of these, each on a connection of its own."""
    opened: list[Connection] = []
    for start in range(0, len(calls), AT_ONCE):
        some = calls[start : start + AT_ONCE]
        fresh = await asyncio.gather(*(Connection(host, port).open() for _ in some))
        await asyncio.gather(*(waits(each, *call) for each, call in zip(fresh, some, strict=True)))
        opened += fresh
    return opened


async def main(pops: int, checks: int, streams: int, seconds: float) -> None:
    """Measure the server alone, and with those that wait."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    async with a_server("--concurrency", "100000") as (host, port, process):
        admin = await Connection(host, port).open()
        invited = {"worker_invited": pops + 1, "concurrency": 100_000}
        await admin.json("PUT", "/api/v2/users/1", invited)
        body = {"prompt": "a fox", "models": ["nobody has it"]}
        ids = [
            (await admin.json("POST", "/api/v2/generate/async", body))["id"]
            for _ in range(max(checks, streams) // FOLLOWERS)
        ]
        alone, small = await share(process.pid, 3), memory_mb(process.pid)
        calls: list[tuple[str, str, bytes, str]] = []
        for number in range(pops):
            offer = {"name": f"idle {number}", "models": ["m"], "bridge_agent": "bench:1:-"}
            calls.append(("POST", POP, json.dumps(offer).encode(), WAIT))
        for number in range(checks):
            path = f"/api/v2/generate/check/{ids[number % len(ids)]}"
            calls.append(("GET", path, b"", WAIT))
        for number in range(streams):
            path = f"/api/v2/generate/status/{ids[number % len(ids)]}/events"
            calls.append(("GET", path, b"", ""))
        opened = await begin(host, port, calls)
        await asyncio.sleep(3)
        waiting, large = await share(process.pid, seconds), memory_mb(process.pid)
        assert not any([await has_answer(each) for each in opened[: pops + checks : 100]])
        print(
            f"{pops} pops, {checks} checks and {streams} streams wait: {waiting:.1f} % of a core"
            f" (alone {alone:.1f} %), {large - small:.0f} MB"
        )
        for each in opened:
            each.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pops", type=int, default=1_000)
    parser.add_argument("--checks", type=int, default=10_000)
    parser.add_argument("--streams", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=10)
    options = parser.parse_args()
    asyncio.run(main(options.pops, options.checks, options.streams, options.seconds))
