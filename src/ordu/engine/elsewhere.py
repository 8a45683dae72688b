"""Elsewhere: what happens in other processes of the same horde, brought into this one's memory.

Tidings are applied as they come. What they cannot be trusted for is compared with SQL: a page of
what waits each round, in both directions, and the rest every ten rounds, so that what was lost
heals; after a gap that was noticed all of it at once. Workers that are heard of elsewhere are read
from SQL once a round, so who is here is known with a delay of about two rounds.
"""

import asyncio
import bisect
import logging
from collections.abc import Iterable, Mapping

import msgspec

from ordu.engine import tidings
from ordu.engine.horde import Horde, mapped_of, worker_from
from ordu.engine.lanes import Mapped
from ordu.engine.presence import Worker
from ordu.engine.tidings import AnyItem
from ordu.protocol.errors import Refused
from ordu.rules.lifecycle import Millis, RequestId
from ordu.rules.matching import LaneKey, Offer, Requirement, WorkerId
from ordu.store import facts, jobs, lanes, requests, workers
from ordu.store.database import Row, Transaction
from ordu.store.workers import WorkerRow

log = logging.getLogger(__name__)

PAGE = 2_000  # requests that are compared with SQL in one round
UNREAD_MAX = 100_000  # tidings that wait to be applied; with more, all is compared instead
# Signs of life are looked for so far back: they are committed late, and by clocks that differ.
OVERLAP_MS = 10_000
RARELY = 10  # so many rounds lie between comparisons of what changes seldom


class Elsewhere:
    """Brings what other processes committed into the memory of this one."""

    def __init__(self, horde: Horde) -> None:
        self.horde = horde
        self.unread: list[AnyItem] = []
        self.applying: asyncio.Task[None] | None = None
        self.cursor = RequestId("")  # up to here SQL was compared with the map in this pass
        self.mine: list[RequestId] = []  # what was in the map when this pass began
        self.is_loaded = False  # until then what comes is kept
        self.is_behind = False  # something was missed: compare all at once
        self.rounds = 0
        self.met_at = Millis(0)

    # Tidings

    def hear(self, items: Iterable[AnyItem]) -> None:
        """Apply what another process tells, in the order in which it comes."""
        self.unread.extend(items)
        if len(self.unread) > UNREAD_MAX:
            self.unread.clear()
            self.is_behind = True
        self.apply_soon()

    def begin(self) -> None:
        """The map is loaded: apply what has come since that began."""
        self.is_loaded = True
        self.apply_soon()

    async def stop(self) -> None:
        """Apply no more."""
        self.is_loaded = False
        if self.applying is not None:
            self.applying.cancel()
            await asyncio.gather(self.applying, return_exceptions=True)

    def apply_soon(self) -> None:
        """Have what has come applied."""
        if self.is_loaded and self.unread and (self.applying is None or self.applying.done()):
            self.applying = asyncio.get_running_loop().create_task(self.apply_all())

    def missed(self) -> None:
        """Some tidings did not come."""
        self.is_behind = True

    async def apply_all(self) -> None:
        """Apply what has come; requirements that are new here are read first."""
        while self.unread:
            items, self.unread = self.unread, []
            try:
                await self.apply_some(items)
            except Refused as refused:
                log.warning("tidings could not be applied: %s", refused.message)
                self.is_behind = True

    async def apply_some(self, items: list[AnyItem]) -> None:
        """Apply some of what has come.

        Raises:
            Refused: `Unavailable`, the database cannot be asked.
        """
        changed = [each for each in items if isinstance(each, tidings.Changed)]
        await self.know({each.mapped.lane_key for each in changed if each.mapped.left})
        for item in items:
            try:
                self.apply(item)
            except Exception:
                log.exception("what another process told could not be applied")
        edited = (each.worker_id for each in items if isinstance(each, tidings.Edited))
        for worker_id in dict.fromkeys(edited):
            await self.read_again(worker_id)
        if any(isinstance(each, tidings.Switched) for each in items):
            self.horde.modes = await self.horde.read(facts.modes)

    def apply(self, item: AnyItem) -> None:
        """Bring one thing into memory."""
        horde = self.horde
        match item:
            case tidings.Changed():
                self.hear_of_request(item)
            case tidings.Begun():
                horde.running.begin(item.job, item.work)
            case tidings.Ended():
                horde.running.end(item.worker_id, item.job_id)
            case tidings.Failed():
                horde.failures.setdefault(item.request_id, set()).add(item.worker_id)
            case tidings.Delivered():
                horde.note_delivery(item.at, item.work)
                worker = horde.presence.by_id.get(item.worker_id)
                if worker is not None:
                    horde.presence.note_speed(worker, item.speed)
            case tidings.Rekeyed():
                horde.known.forget_users(frozenset({item.user_id}))
            case tidings.Offended():
                horde.timeouts.offence(item.address, item.at)
            case tidings.Edited() | tidings.Switched():
                pass  # read from SQL, once for all of them
            case _:
                hear = horde.hears.get(type(item))
                if hear is not None:
                    hear(item)

    def hear_of_request(self, item: tidings.Changed) -> None:
        """Bring how much waits of a request into the map, and tell those who wait for it."""
        horde, mapped = self.horde, item.mapped
        request_id = mapped.request_id
        requirement = horde.lanes.requirement(mapped.lane_key)
        if requirement is not None:
            horde.map_request(mapped, requirement)
        elif not mapped.left:
            horde.lanes.note_gone(request_id, mapped.changes)
        if item.is_over:
            horde.failures.pop(request_id, None)
        self.has_changed(request_id)

    async def know(self, lane_keys: set[LaneKey]) -> None:
        """Read the requirements of lanes that are new here."""
        lanes_here = self.horde.lanes
        new = [key for key in lane_keys if lanes_here.requirement(key) is None]
        if new:
            found = await self.horde.read(lambda tx: lanes.requirements(tx, new))
            for key, requirement in found.items():
                lanes_here.expect(key, requirement)

    async def read_again(self, worker_id: WorkerId) -> None:
        """A worker was changed elsewhere, or removed."""
        row = await self.horde.read(lambda tx: workers.by_id(tx, worker_id))
        if row is None:
            self.horde.presence.remove(worker_id)
        else:
            self.meet(row, is_edited=True)

    # Comparing with SQL

    async def round(self) -> None:
        """Compare a page, or all when something was missed; meet who was heard of elsewhere."""
        self.rounds += 1
        is_thorough = self.rounds % RARELY == 0
        if is_thorough:
            self.met_at = Millis(0)  # meet all that are here, and see what was edited
        await self.meet_all()
        if self.is_behind:
            log.warning("tidings were missed: comparing all that waits with the database")
            await self.catch_up()
            return
        await self.compare_page()
        if is_thorough:
            await self.compare_the_rest()

    async def catch_up(self) -> None:
        """Compare everything; what is missed meanwhile, or cannot be read, the next time again."""
        self.is_behind = False
        try:
            await self.compare_all()
        except BaseException:
            self.is_behind = True
            raise

    async def compare_all(self) -> None:
        """Compare everything from the beginning."""
        self.cursor = RequestId("")
        self.met_at = Millis(0)
        self.horde.known.forget_all()
        await self.meet_all()
        await self.compare_page()
        while self.cursor:
            await self.compare_page()
        await self.compare_the_rest()
        self.horde.wakeups.tell_all()
        self.horde.idle.tell_all()

    async def compare_the_rest(self) -> None:
        """Compare what there is little of.

        Who dies between a commit and its tidings leaves a loss that nobody notices.
        """
        self.horde.modes = await self.horde.read(facts.modes)
        await self.compare_jobs()
        await self.forget_failures()

    async def compare_page(self) -> None:
        """Compare the next page of what waits, by id, with the same part of the map."""
        map_here = self.horde.lanes
        if not self.cursor:
            self.mine = sorted(map_here.requests)
        after = self.cursor
        rows, found = await self.horde.read(lambda tx: self.page_after(tx, after))
        for key, requirement in found.items():
            map_here.expect(key, requirement)
        for row in rows:
            self.take_row(row)
        is_last = len(rows) < PAGE
        self.cursor = RequestId("") if is_last else RequestId(rows[-1]["id"])
        first = bisect.bisect_right(self.mine, after)
        end = len(self.mine) if is_last else bisect.bisect_right(self.mine, self.cursor)
        there = {row["id"] for row in rows}
        doubtful = [
            each for each in self.mine[first:end] if each not in there and each in map_here.requests
        ]
        if doubtful:
            await self.look_again(doubtful)

    def page_after(
        self, tx: Transaction, after: RequestId
    ) -> tuple[list[Row], Mapping[LaneKey, Requirement]]:
        """The next page of what waits, with the requirements that are new here."""
        rows = lanes.waiting_after(tx, after, PAGE)
        keys = {LaneKey(row["lane_key"]) for row in rows}
        new = [key for key in keys if self.horde.lanes.requirement(key) is None]
        return rows, lanes.requirements(tx, new)

    async def look_again(self, request_ids: list[RequestId]) -> None:
        """Nothing seems to wait of these, and the map says otherwise: ask for each of them."""
        found = await self.horde.read(
            lambda tx: {each: requests.by_id(tx, each) for each in request_ids}
        )
        for request_id, request in found.items():
            waiting = self.horde.lanes.requests.get(request_id)
            if waiting is not None and request is None:
                self.horde.lanes.forget(waiting)
                self.has_changed(request_id)
            elif waiting is not None and request is not None:
                self.bring(mapped_of(request), waiting.lane.requirement)

    def take_row(self, row: Row) -> None:
        """Bring a row that waits into the map; what is newer there stays."""
        requirement = self.horde.lanes.requirement(row["lane_key"])
        if requirement is not None:
            self.bring(Mapped(*row), requirement)

    def bring(self, mapped: Mapped, requirement: Requirement) -> None:
        """Bring what SQL says of a request into the map.

        Should that be news, nobody was told: who committed it may have been killed before it could.
        """
        if self.horde.map_request(mapped, requirement):
            self.has_changed(mapped.request_id)

    def has_changed(self, request_id: RequestId) -> None:
        """Have those look who wait for this request."""
        self.horde.known.requests.forget(request_id)
        self.horde.wakeups.tell(request_id)

    async def compare_jobs(self) -> None:
        """Know the jobs that run as SQL does; those that change at this moment may be missed."""
        running = self.horde.running
        before = set(running.by_id)
        rows = {job.id: (job, work) for job, work in await self.horde.read(jobs.running)}
        for job_id in before - rows.keys():
            known = running.by_id.get(job_id)
            if known is not None:
                running.end(known.job.worker_id, job_id)
                self.has_changed(known.job.request_id)
        for job_id in rows.keys() - running.by_id.keys() - before:
            running.begin(*rows[job_id])

    async def forget_failures(self) -> None:
        """Forget who failed requests that are gone."""
        failures = self.horde.failures
        doubtful = [each for each in failures if each not in self.horde.lanes.requests]
        if doubtful:
            gone = await self.horde.read(
                lambda tx: [each for each in doubtful if requests.by_id(tx, each) is None]
            )
            for request_id in gone:
                failures.pop(request_id, None)

    # Workers

    async def meet_all(self) -> None:
        """Know the workers that were heard of elsewhere since the last round.

        In the first round, and then when all are compared, also know what was edited of them, and
        who was removed.
        """
        is_first = self.met_at == 0
        since = Millis(max(self.met_at, self.horde.now() - self.horde.presence.stale_ms))
        now = self.horde.now()
        doubtful = list(self.horde.presence.by_id) if is_first else []
        rows = await self.horde.read(lambda tx: workers.seen_since(tx, since))
        for row in rows:
            self.meet(row, is_edited=is_first)
        self.met_at = Millis(now - OVERLAP_MS)
        there = {row.id for row in rows}
        for worker_id in doubtful:
            if worker_id not in there:
                await self.read_again(worker_id)

    def meet(self, row: WorkerRow, *, is_edited: bool = False) -> None:
        """Know of a worker what the database knows, where that is newer."""
        presence = self.horde.presence
        worker = presence.by_id.get(row.id)
        if worker is None:
            if self.horde.now() - row.seen_at < presence.stale_ms:
                presence.add(worker_from(row))
            return
        if row.seen_at > worker.seen_at:
            was_here = presence.is_here(worker, self.horde.now())
            if renew(worker, row) or not was_here:
                presence.changed()
        if is_edited:
            edit(worker, row)
            if worker.name != row.name:
                presence.rename(worker, row.name)
            presence.changed()


def renew(worker: Worker, row: WorkerRow) -> bool:
    """A worker was heard of elsewhere later than here; says whether it offers something else."""
    worker.seen_at = row.seen_at
    worker.uptime_s = max(worker.uptime_s, row.uptime_s)
    worker.uptime_rewarded_s = max(worker.uptime_rewarded_s, row.uptime_rewarded_s)
    if row.offer == worker.offer_text:
        return False
    worker.offer_text = row.offer
    before, worker.offer = worker.offer, msgspec.json.decode(row.offer, type=Offer)
    worker.said = None
    return worker.offer != before


def edit(worker: Worker, row: WorkerRow) -> None:
    """A worker was changed elsewhere by its owner, by a moderator or by a rule."""
    worker.is_paused = row.is_paused
    worker.maintenance_text = row.maintenance_text
    worker.info = row.info
    worker.suspicion = row.suspicion
