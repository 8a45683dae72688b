"""Explaining a request: why it waits, who could serve it, what would start it sooner.

It asks the map of lanes and the workers that are here, and walks neither the queue nor all sets of
changes: what keeps each worker from the request (`rules.relaxing.obstacles`) says at once which
single changes, and which pairs, would let it take it.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

from ordu.engine.books import found
from ordu.engine.claim import HasWord
from ordu.engine.horde import Horde
from ordu.engine.lanes import Waiting
from ordu.engine.outlook import outlook_of, taken_together
from ordu.engine.presence import Worker
from ordu.engine.progress import Progress, ahead, progress_of, standing_of
from ordu.kinds.catalogue import Catalogue
from ordu.rules import ranking, relaxing
from ordu.rules.estimates import Before, is_sooner, starts_s, takes_s
from ordu.rules.explaining import RESTING, WhyNot
from ordu.rules.matching import Capability, Reason, Requirement, why_not
from ordu.rules.relaxing import Ask, Subject
from ordu.store.database import Transaction
from ordu.store.requests import Request

CHANGES_MAX = 8  # how many changes are told
PAIRS_MAX = 10  # how many pairs of changes are tried where no single one helps
BLACKLISTS_MAX = 100  # how many different ones are read; workers of one program share theirs

AskOf: TypeAlias = Callable[[bytes, Requirement, Catalogue], Ask]
Subjects: TypeAlias = frozenset[Subject]


@dataclass(frozen=True)
class Estimate:
    """Who could serve something, what goes before it, and when it would begin and end."""

    workers: int
    before: Before
    starts_s: float | None  # None: nobody could serve it
    takes_s: float | None


@dataclass(frozen=True)
class Change:
    """What could be asked for instead, and what would come of it."""

    subjects: tuple[Subject, ...]
    ask: Ask
    more: int  # workers more than now
    models: tuple[tuple[str, int], ...]  # that could be named, and how many of these have each
    then: Estimate


@dataclass(frozen=True)
class Chances:
    """Who could serve something, why the others could not, and what would start it sooner."""

    ask: Ask
    online: int
    free: int  # of those that could serve it
    why_not: dict[WhyNot, int]  # workers, by why they are passed over
    now: Estimate
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Explanation:
    """Why a request is where it is."""

    progress: Progress
    chances: Chances


@dataclass
class Workforce:
    """The workers that are here, by what keeps them from a request."""

    able: list[Worker] = field(default_factory=list)
    passed: list[tuple[Worker, WhyNot]] = field(default_factory=list)
    reachable: dict[Subjects, list[Worker]] = field(default_factory=dict)  # by what to ease


async def explain(horde: Horde, request_id: str, has_word: HasWord, ask_of: AskOf) -> Explanation:
    """Why a request is where it is. `has_word` and `ask_of` are its kind's.

    Raises:
        Refused: RequestNotFound.
    """
    progress = await progress_of(horde, request_id)
    request = progress.request
    requirement = (await standing_of(horde, request.id)).requirement
    before = Before(*ahead(horde, request, outlook_of(horde, requirement, request.user_id)))
    ask = ask_of(request.body, requirement, horde.catalogue)
    waiting = horde.lanes.requests.get(request.id)
    objects = await objections(horde, request, has_word)
    return Explanation(progress, chances_of(horde, request, ask, objects, before, waiting))


async def foresee(
    horde: Horde, request: Request, requirement: Requirement, has_word: HasWord, ask_of: AskOf
) -> Chances:
    """What would become of a request if it were placed now; it is not.

    It would come last of those with its rank (`place.drafted`).
    """
    outlook = outlook_of(horde, requirement, request.user_id)
    served = horde.lanes.served_by(outlook.capabilities)
    before = Before(*horde.lanes.ahead_by_lane(request.rank).within(served))
    ask = ask_of(request.body, requirement, horde.catalogue)
    objects = await objections(horde, request, has_word)
    return chances_of(horde, request, ask, objects, before, None)


def chances_of(
    horde: Horde,
    request: Request,
    ask: Ask,
    objects: Callable[[Worker], WhyNot | None],
    before: Before,
    waiting: Waiting | None,
) -> Chances:
    """What the workers that are here mean for a request: `waiting`, done, or not placed yet."""
    workforce = sort_workers(horde, request, ask, objects)
    pictures = request.counts.waiting
    now = estimate(horde, workforce.able, before, pictures, request.work)
    search = Search(horde, request, waiting, ask, now, workforce) if pictures else None
    return Chances(
        ask=ask,
        online=len(workforce.able) + len(workforce.passed),
        free=sum(1 for worker in workforce.able if is_free(horde, worker)),
        why_not=dict(Counter(reason for _, reason in workforce.passed).most_common()),
        now=now,
        changes=search.best() if search is not None else (),
    )


# Who is here


def sort_workers(
    horde: Horde, request: Request, ask: Ask, objects: Callable[[Worker], WhyNot | None]
) -> Workforce:
    """The workers that are here, by what keeps them from this request."""
    workforce = Workforce()
    for worker in horde.presence.here(horde.now()):
        if not worker.takes_from_all and worker.user_id != request.user_id:
            workforce.passed.append((worker, RESTING))
        elif reason := why_not(ask.requirement, worker.capability):
            workforce.passed.append((worker, reason))
            subjects = relaxing.obstacles(ask, worker.capability)
            if subjects and objects(worker) is None:
                workforce.reachable.setdefault(subjects, []).append(worker)
        elif objection := objects(worker):
            workforce.passed.append((worker, objection))
        else:
            workforce.able.append(worker)
    return without_failed(workforce, horde.failures.get(request.id, ()))


def without_failed(workforce: Workforce, failed: Collection[str]) -> Workforce:
    """Those that failed it do not get it again while somebody else could take it."""
    others = [worker for worker in workforce.able if worker.id not in failed]
    if others and len(others) < len(workforce.able):
        tried = [worker for worker in workforce.able if worker.id in failed]
        workforce.passed += [(worker, Reason.FAILED_BEFORE) for worker in tried]
        workforce.able = others
    return workforce


async def objections(
    horde: Horde, request: Request, has_word: HasWord
) -> Callable[[Worker], WhyNot | None]:
    """What a worker has against a request that no requirement can say (`claim.objection`)."""
    is_poor = False
    if any(worker.offer.requires_kudos for worker in horde.presence.here(horde.now())):
        is_poor = await horde.read(partial(cannot_pay, request=request))
    hit: dict[tuple[str, ...], bool] = {}

    def objection(worker: Worker) -> WhyNot | None:
        offer = worker.offer
        friends = (worker.user_id, *offer.priority_user_ids)
        if offer.requires_kudos and is_poor and request.user_id not in friends:
            return Reason.KUDOS
        words = offer.blacklist
        if words and words not in hit and len(hit) < BLACKLISTS_MAX:
            hit[words] = has_word(request.body, words)
        return Reason.BLACKLIST if hit.get(words, False) else None

    return objection


def cannot_pay(tx: Transaction, request: Request) -> bool:
    """Whether a requester has not the kudos for one job."""
    user = found(tx, request.user_id)
    return not user.is_trusted and user.kudos < request.bill


def is_free(horde: Horde, worker: Worker) -> bool:
    """Whether a worker is at fewer pictures than it makes at once."""
    return len(horde.running.of(worker.id)) < worker.offer.threads


def estimate(
    horde: Horde, able: Sequence[Worker], before: Before, pictures: int, work: float
) -> Estimate:
    """When these workers would do so many pictures, after what goes before them."""
    crew = taken_together(horde, able, horde.now()).crew
    if not pictures:
        return Estimate(len(able), before, None, None)
    return Estimate(
        len(able), before, starts_s(crew, before), takes_s(crew, before, pictures, work)
    )


# What would start it sooner


class Search:
    """Looks for the smallest changes that would start a request sooner.

    A placed request cannot be changed, so each is judged as if it were placed anew now, with the
    same priority: behind what has come since.
    """

    def __init__(
        self,
        horde: Horde,
        request: Request,
        waiting: Waiting | None,
        ask: Ask,
        now: Estimate,
        workforce: Workforce,
    ) -> None:
        self.horde = horde
        self.request = request
        self.ask = ask
        self.now = now
        self.able = workforce.able
        self.reachable = workforce.reachable
        moment = horde.now()
        growth = horde.settings.priority_growth_per_s
        rank = ranking.placed_later(request.rank, moment - request.created_at, growth)
        self.served = horde.lanes.served_by({each.capability for each in self.able})
        self.ahead = horde.lanes.ahead_by_lane(rank)
        if waiting is not None:
            self.leave_out(waiting)

    def leave_out(self, waiting: Waiting) -> None:
        """It would not wait for itself."""
        slot = waiting.lane.slot
        if slot < len(self.ahead.jobs):
            self.ahead.jobs[slot] = max(0, self.ahead.jobs[slot] - waiting.left)
            self.ahead.work[slot] = max(0, self.ahead.work[slot] - waiting.left * waiting.work)

    def best(self) -> tuple[Change, ...]:
        """The changes that help, those that start it soonest first; or the best pair of two."""
        groups = sorted(self.reachable.items(), key=lambda each: (-len(each[1]), sorted(each[0])))
        singles = list(self.those_that_help(each for each in groups if len(each[0]) == 1))
        if singles:
            return tuple(sorted(singles, key=soonest)[:CHANGES_MAX])
        pairs = [each for each in groups if len(each[0]) == 2][:PAIRS_MAX]
        return tuple(sorted(self.those_that_help(pairs), key=soonest)[:1])

    def those_that_help(
        self, groups: Iterable[tuple[Subjects, Sequence[Worker]]]
    ) -> Iterator[Change]:
        """What would come of letting each of these groups of workers have it, where that helps."""
        for subjects, workers in groups:
            change = self.judge(subjects, workers)
            if change is not None and is_sooner(change.then.starts_s, self.now.starts_s):
                yield change

    def judge(self, subjects: Subjects, workers: Sequence[Worker]) -> Change | None:
        """What would come of easing these subjects for these workers."""
        eased = relaxing.relaxed(self.ask, subjects, offers(workers))
        if eased is None:
            return None
        fresh = [each for each in workers if can(eased, each)]
        kept = self.able
        if Subject.SAMPLER in subjects:  # the others must know the new one
            kept = [each for each in self.able if can(eased, each)]
        served = self.served | self.horde.lanes.served_by({each.capability for each in fresh})
        before = Before(*self.ahead.within(served))
        work = self.request.work * eased.amount / (self.ask.amount or 1)
        able = [*kept, *fresh]
        asks_models = Subject.MODELS in subjects
        models = relaxing.models_offered(eased, offers(fresh)) if asks_models else ()
        return Change(
            subjects=tuple(sorted(subjects)),
            ask=eased,
            more=len(able) - len(self.able),
            models=tuple(models),
            then=estimate(self.horde, able, before, self.request.counts.waiting, work),
        )


def offers(workers: Iterable[Worker]) -> list[Capability]:
    """What these workers offer."""
    return [worker.capability for worker in workers]


def can(ask: Ask, worker: Worker) -> bool:
    """Whether a worker could take a request that asks for this."""
    return why_not(ask.requirement, worker.capability) is None


def soonest(change: Change) -> tuple[float, float, int]:
    """Sorts what starts sooner first, then what is done sooner, then what more could serve."""
    starts, takes = change.then.starts_s, change.then.takes_s
    assert starts is not None, "what helps starts at some time"
    assert takes is not None, "what starts takes some time"
    return starts, takes, -change.then.workers
