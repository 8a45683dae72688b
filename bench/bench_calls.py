"""What one server process does: whole lifecycles, empty pops and checks, durable, on SQLite.

Server and load run on the same machine and share its cores. A lifecycle is five calls (async, pop,
submit of a 20 KB picture in Base64, check, status), each answered after its durable commit. Pops
and checks take turns with bare routes of the same framework (`edge.py`).
"""

import argparse
import asyncio
import base64
import io
import random
import sys
from pathlib import Path

from PIL import Image

sys.path.insert(0, str(Path(__file__).parent))

from load import Connection, a_server, an_edge, rate, tell

CONNECTIONS = 20  # each with a worker of its own, as many as one owner may have


def a_picture(number: int) -> str:
    """A picture of about 20 KB, each its own."""
    chance = random.Random(number)
    noise = Image.frombytes("RGB", (48, 48), chance.randbytes(48 * 48 * 3))
    buffer = io.BytesIO()
    noise.resize((512, 512), Image.Resampling.BICUBIC).save(buffer, "WEBP", quality=60)
    return base64.b64encode(buffer.getvalue()).decode()


PICTURES = [a_picture(number) for number in range(CONNECTIONS)]


async def lifecycle(connection: Connection, number: int) -> int:
    """Place, pop, submit, check, status."""
    api = "/api/v2/generate"
    body = {"prompt": "a fox", "params": {"n": 1, "steps": 30}, "models": [f"m{number}"]}
    request = await connection.json("POST", f"{api}/async", body)
    pop = {"name": f"worker {number}", "models": [f"m{number}"], "bridge_agent": "bench:1:-"}
    job = await connection.json("POST", f"{api}/pop", pop)
    result = {"id": job["id"], "generation": PICTURES[number], "seed": 1}
    await connection.json("POST", f"{api}/submit", result)
    await connection.json("GET", f"{api}/check/{request['id']}")
    status = await connection.json("GET", f"{api}/status/{request['id']}")
    assert status["finished"] == 1
    return 1


async def empty_pop(connection: Connection, number: int) -> int:
    """A pop when nothing waits."""
    body = {"name": f"worker {number}", "models": ["m"], "bridge_agent": "bench:1:-"}
    await connection.json("POST", "/api/v2/generate/pop", body)
    return 1


def check_of(request_id: str):
    """A check of a request that waits."""

    async def check(connection: Connection, number: int) -> int:
        await connection.json("GET", f"/api/v2/generate/check/{request_id}")
        return 1

    return check


async def main(runs: int, seconds: float) -> None:
    """Measure in turns, so that a slow moment of the machine meets all of them."""
    figures: dict[str, list[float]] = {}
    with an_edge() as edge:
        async with a_server("--concurrency", "500") as (host, port, process):
            first = await Connection(host, port).open()
            body = {"prompt": "a fox", "models": ["nobody has this"]}
            waiting = (await first.json("POST", "/api/v2/generate/async", body))["id"]
            first.close()
            turns = {
                "lifecycles": ((host, port), lifecycle),
                "empty pops": ((host, port), empty_pop),
                "pops of the bare edge": (edge, empty_pop),
                "checks": ((host, port), check_of(waiting)),
                "checks of the bare edge": (edge, check_of(waiting)),
            }
            for where, work in turns.values():  # to get warm
                await rate(*where, CONNECTIONS, seconds / 4, work)
            for _ in range(runs):
                for name, (where, work) in turns.items():
                    figures.setdefault(name, []).append(
                        await rate(*where, CONNECTIONS, seconds, work)
                    )
            memory = Path(f"/proc/{process.pid}/status").read_text()
    for name, values in figures.items():
        tell(f"{name}, {CONNECTIONS} connections", values)
    resident = next(line for line in memory.splitlines() if line.startswith("VmRSS"))
    print(f"{'memory of the server after that':<46} {int(resident.split()[1]) / 1024:>10,.0f} MB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    options = parser.parse_args()
    asyncio.run(main(options.runs, options.seconds))
