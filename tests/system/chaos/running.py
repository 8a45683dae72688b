"""One run: a horde, a crowd, faults, quiet, and the verdict."""

import asyncio
import random
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.s3 import StandIn
from tests.system.chaos.calling import Addresses
from tests.system.chaos.checks import Verdict, judge, judge_news
from tests.system.chaos.crowd import Crowd
from tests.system.chaos.faults import Faults
from tests.system.chaos.journal import Journal
from tests.system.chaos.report import Report
from tests.system.chaos.stage import OURS, Stage

NOT_ENDED = "SELECT COUNT(*) FROM requests WHERE waiting + processing > 0"
# A job that nobody holds waits until its time is over; a short run has that come sooner.
GIVE_UP = (
    "UPDATE jobs SET due_at = started_at WHERE state = 'running' AND NOT id = ANY($1::text[])"
    " AND started_at < (extract(epoch FROM now()) * 1000)::bigint - 5000 RETURNING id"
)


@dataclass(frozen=True)
class Plan:
    """What a run is to be like."""

    seconds: float = 10.0  # of faults
    seed: int = 7
    clients: int = 8
    workers: int = 9
    pause_s: float = 1.0  # between faults, about
    is_long: bool = False  # PostgreSQL crashes too, and abandoned jobs are waited for
    quiet_s_max: float = 120.0  # for all that was asked for to be made, when faults have ended


class Run:
    """Lives through a plan on a stage. Belongs to one event loop."""

    def __init__(self, stage: Stage, plan: Plan) -> None:
        self.stage = stage
        self.plan = plan
        self.journal = Journal()
        chance = random.Random(plan.seed)
        self.faults = Faults(
            stage, self.journal, random.Random(chance.random()), plan.pause_s, is_long=plan.is_long
        )
        urls = [each.url for each in stage.machines]
        self.addresses = Addresses(urls, self.journal, random.Random(chance.random()))
        self.crowd = Crowd(stage, self.addresses, self.journal, random.Random(chance.random()))
        self.connections_max = 0

    async def go(self) -> Report:
        """Live through it."""
        try:
            await self.crowd.register()
            return await self.live()
        finally:
            await self.addresses.close()

    async def live(self) -> Report:
        """From the first request to the verdict."""
        tasks = [
            *(asyncio.create_task(self.crowd.worker(each)) for each in range(self.plan.workers)),
            *(asyncio.create_task(self.crowd.client(each)) for each in range(self.plan.clients)),
        ]
        watching = asyncio.create_task(self.watch_connections())
        began = time.monotonic()
        try:
            await self.faults.run(self.plan.seconds)
            faults_s = time.monotonic() - began
            self.crowd.is_closing, self.crowd.is_rough = True, False
            await self.become_quiet()
            self.crowd.is_over = True
            _, late = await asyncio.wait(tasks, timeout=max(10.0, self.plan.quiet_s_max / 2))
            if late:
                self.journal.is_wrong(f"{len(late)} clients or workers wait for ever")
            self.note_failures(tasks)
            verdict = await judge(self.stage, self.crowd)
            verdict.wrong += await judge_news(self.crowd)
        finally:
            watching.cancel()
            for task in tasks:
                task.cancel()
            await asyncio.gather(watching, *tasks, return_exceptions=True)
        verdict.wrong = [*self.journal.wrong, *verdict.wrong]
        return self.report(verdict, faults_s, time.monotonic() - began)

    def note_failures(self, tasks: list["asyncio.Task[None]"]) -> None:
        """A task of ours that failed."""
        for task in tasks:
            if task.done() and (error := task.exception()) is not None:
                self.journal.is_wrong(f"{task.get_coro().__qualname__} failed: {error!r}")  # type: ignore[union-attr]

    async def become_quiet(self) -> None:
        """Wait until all that was asked for is made."""
        ends_at = time.monotonic() + self.plan.quiet_s_max
        while time.monotonic() < ends_at:
            if not await self.stage.count(NOT_ENDED):
                return
            if not self.plan.is_long:
                await self.give_up_jobs()
            await asyncio.sleep(0.25)
        left = await self.stage.ask(
            "SELECT id, state, waiting, processing FROM requests WHERE waiting + processing > 0"
        )
        self.journal.is_wrong(
            f"not made after {self.plan.quiet_s_max:.0f} s: {[dict(e) for e in left]}"
        )

    async def give_up_jobs(self) -> None:
        """Let the time of jobs be over that no worker has in hand."""
        held = [each.id for each in self.journal.jobs.values() if each.is_held]
        await self.stage.ask(GIVE_UP, held)

    async def watch_connections(self) -> None:
        """Note how many connections the database has at most."""
        while True:
            with suppress(Exception):
                many = await self.stage.count(f"SELECT COUNT(*) FROM pg_stat_activity WHERE {OURS}")
                self.connections_max = max(self.connections_max, many)
            await asyncio.sleep(1)

    def report(self, verdict: Verdict, faults_s: float, all_s: float) -> Report:
        """The log of the run."""
        return Report.of(
            self.plan.seed, self.journal, verdict, faults_s, all_s, self.connections_max
        )


def run(plan: Plan, folder: Path, *, s3: StandIn | None = None, **how: object) -> Report:
    """Set the stage, live through a plan, and end everything."""
    stage = Stage(folder, s3=s3, **how)  # type: ignore[arg-type]
    try:
        with asyncio.Runner() as runner:
            report = runner.run(Run(stage, plan).go())
    finally:
        stage.close()
    report.wrong += [f"left behind: {each}" for each in stage.left()]
    return report
