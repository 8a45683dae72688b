"""How soon a request that is placed is in the hands of a worker that waits for it.

Workers wait with `Prefer: wait=60`; others, who offer another model, wait beside them. From when
the request is sent until the worker has read the whole answer with its job.
"""

import argparse
import asyncio
import statistics
import time

from bench_calls import a_picture
from load import Connection, a_server

WAIT = "Prefer: wait=60\r\n"
POP = "/api/v2/generate/pop"


async def wait_for_job(connection: Connection, name: str, model: str) -> tuple[float, str | None]:
    """Pop, waiting; the moment of the answer and the id of its job."""
    body = {"name": name, "models": [model], "bridge_agent": "bench:1:-"}
    job = await connection.json("POST", POP, body, more=WAIT)
    return time.perf_counter(), job["id"]


async def main(rounds: int, idle: int) -> None:
    """Place one request after the other while a worker waits."""
    took_ms, picture = [], a_picture(1)
    async with a_server("--concurrency", "500") as (host, port, _):
        others = [await Connection(host, port).open() for _ in range(idle)]
        waiting = [
            asyncio.create_task(wait_for_job(each, f"idle {number % 15}", "another"))
            for number, each in enumerate(others)
        ]
        requester, worker = [await Connection(host, port).open() for _ in range(2)]
        for _ in range(rounds):
            popping = asyncio.create_task(wait_for_job(worker, "the worker", "m"))
            await asyncio.sleep(0.02)
            sent_at = time.perf_counter()
            body = {"prompt": "a fox", "models": ["m"]}
            await requester.json("POST", "/api/v2/generate/async", body)
            answered_at, job_id = await popping
            assert job_id, "nobody gave it the job"
            took_ms.append((answered_at - sent_at) * 1000)
            result = {"id": job_id, "generation": picture, "seed": 1}
            await requester.json("POST", "/api/v2/generate/submit", result)
        for task in waiting:
            task.cancel()
    percentiles = statistics.quantiles(took_ms, n=100)
    print(
        f"placed to in the hands of a waiting worker, {idle} others waiting, {rounds} rounds:"
        f" median {statistics.median(took_ms):.1f} ms, p99 {percentiles[98]:.1f} ms"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--idle", type=int, default=200)
    options = parser.parse_args()
    asyncio.run(main(options.rounds, options.idle))
