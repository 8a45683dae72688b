"""The horde: what a handler is given to read, to write and to look at.

Made once at the start and handed down. The verbs (`place`, `claim`, `settle`, `end`) are in modules
of their own and take it as their first argument.
"""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakValueDictionary

import msgspec

from ordu.engine import tidings
from ordu.engine.clock import Clock
from ordu.engine.demand import Demand
from ordu.engine.followed import FollowedRequests
from ordu.engine.fresh import Fresh
from ordu.engine.garbage import collected_later
from ordu.engine.idle import IdleWorkers
from ordu.engine.known import Known, Standing
from ordu.engine.lanes import LaneMap, Mapped
from ordu.engine.presence import Presence, Worker
from ordu.engine.running import RunningJobs
from ordu.engine.shares import Shares
from ordu.engine.tally import Tally
from ordu.engine.tidings import AnyItem, Tidings
from ordu.engine.timeouts import Timeouts
from ordu.engine.wakeups import Wakeups
from ordu.images.door import Door
from ordu.images.links import Links, ServerLinks
from ordu.images.looker import Looker
from ordu.images.looks import Miniature
from ordu.images.store import Pictures
from ordu.kinds.catalogue import Catalogue
from ordu.rules.lifecycle import JobId, Millis, RequestId
from ordu.rules.matching import Offer, Requirement, WorkerId
from ordu.rules.money import UserId
from ordu.settings import Origin, ServerSettings
from ordu.store import facts, jobs, lanes, workers
from ordu.store.database import Database, Transaction
from ordu.store.jobs import Job
from ordu.store.requests import Request
from ordu.store.samples import Gauges
from ordu.store.workers import WorkerRow

if TYPE_CHECKING:  # it loads what only a horde that names providers has
    from ordu.openid.provider import Provider

T = TypeVar("T")

MINUTE_MS = 60_000
QUARTERS = 4  # of what all may have, one of which one caller may have


@dataclass(eq=False)
class Horde:
    """Everything one server process has."""

    settings: ServerSettings
    database: Database
    pictures: Pictures
    links: Links  # what clients are given
    server_links: ServerLinks  # what this server answers
    door: Door
    clock: Clock
    fresh: Fresh
    presence: Presence
    catalogue: Catalogue
    looker: Looker = field(default_factory=Looker)
    refused: Counter[WorkerId] = field(default_factory=Counter)  # pictures, not yet written down
    miniatures: OrderedDict[RequestId, Miniature] = field(default_factory=OrderedDict)  # of sources
    providers: Mapping[str, "Provider"] = field(default_factory=dict)  # by which people sign in
    lanes: LaneMap = field(default_factory=LaneMap)
    running: RunningJobs = field(default_factory=RunningJobs)
    wakeups: Wakeups = field(default_factory=Wakeups)
    known: Known = field(init=False)
    demand: Demand = field(default_factory=Demand)
    timeouts: Timeouts = field(default_factory=Timeouts)
    modes: dict[str, bool] = field(default_factory=dict)
    delivered: deque[tuple[Millis, int]] = field(default_factory=deque)  # when, how much work
    gauges: tuple[Millis, Gauges] | None = None  # how it stood, and when (`engine.sampling`)
    failures: dict[RequestId, set[WorkerId]] = field(default_factory=dict)  # who failed what
    hears: dict[type, Callable[[Any], None]] = field(
        default_factory=dict
    )  # other tidings than ours
    forgets: list[Callable[[Millis], None]] = field(default_factory=list)  # memories with addresses
    spread: float = 1.0  # among how many heads a pop chooses (`engine.claim`)
    hands: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary)
    errands: set[asyncio.Task[None]] = field(default_factory=set)  # done though nobody waits
    mail: asyncio.Event = field(default_factory=asyncio.Event)  # there may be webhooks to send
    tally: Tally = field(default_factory=Tally)
    process: int = 0  # its number, where there are several under one socket
    is_leaving: bool = False  # whoever calls is to go to another server, where there is one
    is_replaced: bool = False  # by another process at the same address, which is ready
    is_stopping: bool = False
    tidings: Tidings | None = None  # None where this process is the only one of its horde
    origins: Mapping[str, Origin] = field(default_factory=dict)  # where settings come from
    started_at: Millis = field(init=False)
    idle: IdleWorkers = field(init=False)
    followed: FollowedRequests = field(init=False)
    waits: Shares = field(init=False)  # calls that wait for something to happen
    sync_waits: Shares = field(init=False)  # those that wait for their own pictures
    bodies: Shares = field(init=False)  # bytes of bodies that are held

    def __post_init__(self) -> None:
        """Be told what changes of what is remembered."""
        self.started_at = self.clock.now()
        self.known = Known(is_shared=self.settings.is_postgres)
        self.database.on_users_changed = self.known.forget_users
        self.database.on_counted = self.tally.note_committed
        self.database.on_commit = self.tally.note_commit
        self.idle = IdleWorkers(self.lanes)
        self.followed = FollowedRequests(self.wakeups)
        settings = self.settings
        self.waits = Shares(settings.waits_per_caller)
        self.sync_waits = Shares(0)  # `server.synchronous` says how many
        # One body always fits, however little there is.
        least = settings.request_body_bytes_max
        self.bodies = Shares(
            max(least, settings.bodies_bytes_max // QUARTERS), max(least, settings.bodies_bytes_max)
        )

    @property
    def version(self) -> int:
        """Goes up whenever something changes of what workers are here and what they are at."""
        return self.presence.version + self.presence.paces + self.running.version

    @property
    def is_keeper(self) -> bool:
        """Whether this process does the chores there must be one of in the whole horde."""
        return self.tidings is None or self.tidings.channel.is_keeper

    @property
    def sends_links(self) -> bool:
        """Whether pictures go out as links: some programs take them by https only (sheet 60)."""
        return self.links.is_https or not self.settings.links_need_https

    def now(self) -> Millis:
        """The present moment."""
        return self.clock.now()

    async def read(self, operation: Callable[[Transaction], T]) -> T:
        """Run a read."""
        return await self.database.read(operation)

    async def write(
        self,
        operation: Callable[[Transaction], T],
        publish: Callable[[T], None] | None = None,
        abandon: Callable[[], None] | None = None,
    ) -> T:
        """Run a write and return its result once it is durable."""
        return await self.database.write(operation, publish, abandon)

    async def probe(self) -> None:
        """Read, and write nothing, to see whether both work; that costs no flush.

        After a commit that failed it is also what finds out that writing works again, when nobody
        else writes because we are not ready.

        Raises:
            Refused: `Unavailable`, one of them does not.
        """
        await self.read(facts.modes)
        await self.database.write(lambda _: None)

    def errand(self, work: Coroutine[Any, Any, None]) -> None:
        """Have something done to its end, whoever leaves meanwhile."""
        task = asyncio.get_running_loop().create_task(work)
        self.errands.add(task)
        task.add_done_callback(self.errands.discard)

    def leave(self, *, is_replaced: bool = False) -> None:
        """The end is near: those who can wait elsewhere as well are answered now."""
        self.is_leaving, self.is_replaced = True, is_replaced
        self.wakeups.tell_all()
        self.idle.tell_all()

    def stop(self) -> None:
        """The end begins: all who wait for something are answered now."""
        self.is_leaving = self.is_stopping = True
        self.wakeups.tell_all()
        self.idle.tell_all()

    def picture_name(self, job_id: str) -> str | None:
        """A name for a picture of this job that is to be settled; None for the usual.

        Where several processes may settle at once, each picture has a name of its own, and the
        settled job says which it was: a second one never takes the place of the one that was paid.
        """
        return f"{job_id}.{self.fresh.choice():08x}.webp" if self.settings.is_postgres else None

    def one_hand(self, job_id: str) -> asyncio.Lock:
        """Held by whoever brings something for this job, from looking at it to the last write.

        Else a second picture, let in while the job still ran, could take the place of the one that
        was paid for.
        """
        return self.hands.setdefault(job_id, asyncio.Lock())

    def publish_placed(self, request: Request, requirement: Requirement) -> None:
        """Copy a request that was placed into the map and the memory."""
        self.tally.placed += 1
        self.tally.pictures_placed += request.counts.n
        self.publish_request(request, requirement)
        self.known.requests.put(request.id, Standing(request, (), requirement), self.now())

    def publish_request(
        self, request: Request, requirement: Requirement, changed: Iterable[Job] | None = None
    ) -> None:
        """Copy a committed request into the map and tell those who wait for it."""
        self.map_request(mapped_of(request), requirement)
        self.publish_progress(request, changed)

    def map_request(self, mapped: Mapped, requirement: Requirement) -> int:
        """Copy how much waits of a request into the map; returns how much more that is.

        As many idle workers look as pictures wait more.
        """
        before = self.lanes.requests.get(mapped.request_id)
        waited = 0 if before is None else before.left
        self.lanes.update(**msgspec.structs.asdict(mapped), requirement=requirement)
        after = self.lanes.requests.get(mapped.request_id)
        more = (0 if after is None else after.left) - waited
        if after is not None and more > 0 and self.idle.waiters:
            self.idle.tell(after.lane, after.user_id, more)
        return more

    def publish_progress(self, request: Request, changed: Iterable[Job] | None) -> None:
        """Tell those who wait for a request that something was committed of it.

        `changed` are the jobs that were added or changed; None when that is not known.
        """
        if changed is None:
            self.known.requests.forget(request.id)
        else:
            self.known.requests.renew(request.id, lambda it: it.with_jobs(request, changed))
        if request.counts.waiting == 0 and request.counts.processing == 0:
            self.failures.pop(request.id, None)
        self.wakeups.tell(request.id)
        if request.webhook is not None:
            self.mail.set()
        if self.tidings is not None:  # on SQLite nothing is made that nobody hears
            is_over = request.counts.waiting == 0 and request.counts.processing == 0
            self.tidings.tell(tidings.Changed(mapped_of(request), is_over))

    def begin_jobs(self, begun: Iterable[Job], work: int) -> None:
        """Workers have got jobs of so much work each."""
        for job in begun:
            self.tally.handed_out += 1
            self.running.begin(job, work)
            self.tell(tidings.Begun(job, work))

    def end_job(self, worker_id: WorkerId, job_id: JobId) -> None:
        """A job runs no more, however it ended."""
        self.running.end(worker_id, job_id)
        self.tell(tidings.Ended(worker_id, job_id))

    def note_failure(self, request_id: RequestId, worker_id: WorkerId) -> None:
        """Remember that a worker failed a request, so that others try first."""
        self.tally.faulted += 1
        self.failures.setdefault(request_id, set()).add(worker_id)
        self.tell(tidings.Failed(request_id, worker_id))

    def note_speed(self, worker_id: WorkerId, now: Millis, work: int, speed: float) -> None:
        """Remember that a worker has brought so much work, so fast."""
        self.tally.settled += 1
        self.tally.work_settled += work
        self.note_delivery(now, work)
        worker = self.presence.by_id.get(worker_id)
        if worker is not None:
            self.presence.note_speed(worker, speed)
        self.tell(tidings.Delivered(worker_id, now, work, speed))

    def end_pauses(self, user_id: UserId) -> None:
        """A user's paused workers work again."""
        for worker_id in self.presence.end_pauses(user_id):
            self.tell(tidings.Edited(worker_id))

    def clear_suspicion(self, user_id: UserId) -> None:
        """A user's workers are suspected no more; a paused one stays paused."""
        for worker_id in self.presence.clear_suspicion(user_id):
            self.tell(tidings.Edited(worker_id))

    def remove_worker(self, worker_id: WorkerId) -> None:
        """A worker is forgotten."""
        self.presence.remove(worker_id)
        self.tell(tidings.Edited(worker_id))

    def tell(self, item: AnyItem) -> None:
        """Tell the other processes of the horde, where there are any."""
        if self.tidings is not None:
            self.tidings.tell(item)

    def note_delivery(self, now: Millis, work: int) -> None:
        """Remember a delivery for a minute."""
        self.delivered.append((now, work))
        while self.delivered[0][0] <= now - MINUTE_MS:
            self.delivered.popleft()

    def delivered_in_past_minute(self) -> int:
        """How much work was delivered in the past minute, through this process."""
        since = self.now() - MINUTE_MS
        return sum(work for moment, work in self.delivered if moment > since)

    def online(self) -> list[Worker]:
        """The workers that are here and take from all."""
        return [worker for worker in self.presence.here(self.now()) if worker.takes_from_all]

    async def load(self) -> None:
        """Make the map and the presence from what SQL says."""
        with collected_later():
            await self.read(self.load_map)
        since = Millis(self.now() - self.presence.stale_ms)
        for row in await self.read(lambda tx: workers.seen_since(tx, since)):
            self.presence.add(worker_from(row))

    def load_map(self, tx: Transaction) -> None:
        """Make the map of lanes, the running jobs and the modes."""
        self.modes = facts.modes(tx)
        self.lanes.load(lanes.waiting(tx), lanes.with_waiting(tx))
        for job, work in jobs.running(tx):
            self.running.begin(job, work)

    async def find_worker(self, worker_id: str) -> Worker | None:
        """A worker, here or away."""
        known = self.presence.by_id.get(WorkerId(worker_id))
        if known is not None:
            return known
        row = await self.read(lambda tx: workers.by_id(tx, worker_id))
        return None if row is None else worker_from(row)


def mapped_of(request: Request) -> Mapped:
    """What the map has of a request."""
    return Mapped(
        request_id=request.id,
        user_id=request.user_id,
        rank=request.rank,
        work=request.work,
        left=request.counts.waiting,
        lane_key=request.lane_key,
        changes=request.changes,
    )


def worker_from(row: WorkerRow) -> Worker:
    """A worker as the database remembers it."""
    return Worker(
        id=row.id,
        user_id=row.user_id,
        name=row.name,
        kind=row.kind,
        offer=msgspec.json.decode(row.offer, type=Offer),
        created_at=row.created_at,
        seen_at=row.seen_at,
        uptime_s=row.uptime_s,
        uptime_rewarded_s=row.uptime_rewarded_s,
        is_paused=row.is_paused,
        maintenance_text=row.maintenance_text,
        info=row.info,
        suspicion=row.suspicion,
    )
