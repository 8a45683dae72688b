"""What an explanation costs as the queue grows: of a request, and of a worker.

No server: the engine alone with its map, a horde of many workers of which each offers something
else. A clock that is moved by hand lets each tenth explanation find everything a second old, and a
lane more than before.
"""

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from typing import Any

from lanes import MODELS, capability, requirements

from ordu.engine.explaining import explain
from ordu.engine.explaining_worker import explain_worker
from ordu.engine.horde import Horde
from ordu.engine.known import Standing
from ordu.engine.presence import Worker
from ordu.kinds.image import IMAGE
from ordu.kinds.image.drawing import DrawingRequest, encode
from ordu.rules.lifecycle import Counts, Millis, RequestId, RequestState
from ordu.rules.matching import LaneKey, Offer, Requirement, WorkerId, lane_key
from ordu.rules.money import Kudos, UserId
from ordu.server.run import open_horde
from ordu.settings import ServerSettings
from ordu.store.requests import Request

WORKERS = 200
ROUNDS = 200
ROUNDS_A_SECOND = 10
LANES_MAX = 10_000


class HandClock:
    """A clock that is moved by hand."""

    moment = Millis(1_760_000_000_000)

    def now(self) -> Millis:
        """What it shows."""
        return self.moment


class Filled:
    """A horde with so many requests in so many lanes, and workers that are here."""

    def __init__(self, horde: Horde, clock: HandClock, waiting: int, lanes: int) -> None:
        self.horde = horde
        self.clock = clock
        self.chance = random.Random(1)
        self.wanted = [(lane_key(each), each) for each in requirements(lanes, self.chance)]
        self.waiting = waiting
        horde.lanes.load((self.row(number) for number in range(waiting)), dict(self.wanted))
        for number in range(WORKERS):
            self.add_worker(number)
        self.workers = list(horde.presence.by_id.values())

    def lane(self, number: int) -> tuple[LaneKey, Requirement]:
        """The lane of a request."""
        return self.wanted[number % len(self.wanted)]

    def row(self, number: int) -> dict[str, Any]:
        """A request, as SQL has it."""
        return {
            "id": f"{number:036}",
            "user_id": number % 5000,
            "rank": -10 * number,
            "work": 512 * 512 * 30,
            "waiting": 1,
            "changes": 0,
            "lane_key": self.lane(number)[0],
        }

    def add_worker(self, number: int) -> None:
        """One more worker, which offers something else than the others."""
        offered = capability(number, self.chance)
        worker_id = WorkerId(f"worker {number}")
        now = self.clock.now()
        self.horde.presence.add(
            Worker(
                id=worker_id,
                user_id=UserId(number),
                name=worker_id,
                kind="image",
                offer=Offer(capability=offered),
                created_at=now,
                seen_at=now,
            )
        )

    def know(self, number: int) -> RequestId:
        """A request as if it had been read from SQL a moment ago."""
        key, requirement = self.lane(number)
        row = self.row(number)
        side = int(requirement.pixels**0.5)
        drawing = DrawingRequest(
            prompt="a fox",
            width=side,
            height=side,
            steps=30,
            sampler_name="k_euler",
            cfg_scale=5.0,
            karras=True,
        )
        request = Request(
            id=row["id"],
            user_id=UserId(row["user_id"]),
            kind="image",
            state=RequestState.OPEN,
            lane_key=key,
            rank=row["rank"],
            created_at=self.clock.now(),
            expires_at=Millis(self.clock.now() + 1_200_000),
            counts=Counts(waiting=1, processing=0, finished=0, lost=0, cancelled=0),
            faults=0,
            work=row["work"],
            price=Kudos(600),
            bill=Kudos(600),
            charged=Kudos(0),
            ttl_ms=150_000,
            seed=None,
            seed_step=0,
            wants_links=False,
            is_upfront=False,
            body=encode(drawing),
        )
        standing = Standing(request, (), requirement)
        self.horde.known.requests.put(request.id, standing, self.clock.now())
        return request.id

    async def of_a_request(self, number: int) -> None:
        """Explain one of the last, which have most before them."""
        request_id = self.know(self.waiting - 1 - number * 7 % (self.waiting // 2))
        found = await explain(self.horde, request_id, IMAGE.has_word, IMAGE.ask)
        assert found.chances.online == WORKERS

    async def of_a_worker(self, number: int) -> None:
        """Explain a worker."""
        worker = self.workers[number % len(self.workers)]
        assert explain_worker(self.horde, worker, for_owner=True).demand

    def a_second_later(self, number: int) -> None:
        """Time goes by, the workers stay, and a request comes that asks for what nobody did."""
        self.clock.moment = Millis(self.clock.moment + 1000)
        for worker in self.workers:
            worker.seen_at = self.clock.moment
        requirement = Requirement(kind="image", models=frozenset({MODELS[0]}), pixels=64 + number)
        self.horde.lanes.update(
            request_id=RequestId(f"{self.waiting + number:036}"),
            user_id=UserId(0),
            rank=0,
            work=64 * 64,
            left=1,
            lane_key=lane_key(requirement),
            requirement=requirement,
        )

    async def measured(self, work: Callable[[int], Awaitable[None]]) -> tuple[float, ...]:
        """Milliseconds of the first call, then the median, the 99th percentile and the most."""
        took = []
        for number in range(ROUNDS + 1):
            if number % ROUNDS_A_SECOND == 0:
                self.a_second_later(number)
            start = time.perf_counter()
            await work(number)
            took.append((time.perf_counter() - start) * 1e3)
        first, *rest = took
        return first, statistics.median(rest), statistics.quantiles(rest, n=100)[98], max(rest)


async def measure(waiting: int, lanes: int) -> str:
    """A line of the table."""
    clock = HandClock()
    with tempfile.TemporaryDirectory() as folder:
        settings = ServerSettings(data=folder)
        async with open_horde(settings, "http://horde.test", clock=clock) as opened:
            filled = Filled(opened.horde, clock, waiting, lanes)
            cells = [
                "{:8.1f} {:7.2f} {:7.2f} {:7.1f}".format(*await filled.measured(work))
                for work in (filled.of_a_request, filled.of_a_worker)
            ]
    return f"{waiting:>9,} in {lanes:>6,}  {'   '.join(cells)}"


def main(sizes: list[int]) -> None:
    """Measure and print a table."""
    head = "   first  median     p99    most"
    print(f"ms; {WORKERS} workers, {len(MODELS)} models")
    print(f"{'':>20}{'of a request':<32}   of a worker\n{'':>20}{head}   {head}")
    for waiting in sizes:
        print(asyncio.run(measure(waiting, min(waiting // 10, LANES_MAX))), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=[1_000, 100_000])
    main(parser.parse_args().sizes)
