"""Explaining a worker: why it gets no work, what is in demand, and what that would earn."""

from dataclasses import dataclass

from ordu.engine.horde import Horde
from ordu.engine.presence import Worker
from ordu.rules import money, pricing
from ordu.rules.estimates import work_in_an_hour
from ordu.rules.explaining import Standing
from ordu.rules.matching import Reason

MODELS_MAX = 10  # how many models in demand are told


@dataclass(frozen=True)
class Demanded:
    """A model that is asked for, from one worker's side."""

    name: str
    jobs: int
    work: int
    workers: int  # online, that offer it
    has: bool  # whether this worker is one that offers it
    kudos_per_hour: float


@dataclass(frozen=True)
class WorkerExplanation:
    """Why a worker gets no work, or that it should."""

    standing: Standing
    processing: int
    jobs: int  # pictures that wait and that it could draw
    work: int
    competitors: int  # other workers online that offer one of its models
    place: int  # among all of these, the fastest first
    demand: tuple[Demanded, ...]


def explain_worker(horde: Horde, worker: Worker, *, for_owner: bool) -> WorkerExplanation:
    """Why a worker gets no work; what it is at, and a pause, count only for its owner."""
    lanes = horde.lanes
    slots = lanes.view(worker.capability).allowed
    jobs, work = lanes.waiting_by_lane().within(lanes.served_by([worker.capability]))
    processing = len(horde.running.of(worker.id))
    is_paused = worker.is_paused and for_owner
    rivals = competitors(horde, worker)
    return WorkerExplanation(
        standing=Standing(
            is_online=horde.presence.is_here(worker, horde.now()),
            is_in_maintenance=worker.maintenance_text is not None,
            is_paused=is_paused,
            is_busy=for_owner and processing >= worker.offer.threads,
            waiting=len(lanes.requests),
            could_serve=int(lanes.columns.counts[slots].sum()),
            skipped=skipped(horde, worker, is_paused=is_paused),
        ),
        processing=processing,
        jobs=jobs,
        work=work,
        competitors=len(rivals),
        place=1 + sum(1 for rival in rivals if rival.speed > worker.speed),
        demand=in_demand(horde, worker),
    )


def skipped(horde: Horde, worker: Worker, *, is_paused: bool) -> dict[Reason, int]:
    """Requests this worker is not given, by reason, the most first.

    What a pop looks at in single requests only (words, kudos, earlier faults) is not among them.
    """
    many = len(horde.lanes.requests)
    if is_paused:
        return {Reason.PAUSED: many} if many else {}
    found = horde.lanes.skipped(worker.capability)
    return dict(sorted(found.items(), key=lambda each: -each[1]))


def competitors(horde: Horde, worker: Worker) -> list[Worker]:
    """The other workers online that offer one of its models."""
    models = worker.capability.models
    return [
        other
        for other in horde.online()
        if other is not worker
        and other.kind == worker.kind
        and not models.isdisjoint(other.capability.models)
    ]


def in_demand(horde: Horde, worker: Worker) -> tuple[Demanded, ...]:
    """The models for which most work waits."""
    online = horde.online()
    wanted = horde.demand.of(horde.lanes, worker.capability, horde.now())
    found = []
    for model in wanted[:MODELS_MAX]:
        those = [each for each in online if model.name in each.capability.models]
        others = sum(each.speed * each.offer.threads for each in those if each is not worker)
        found.append(
            Demanded(
                name=model.name,
                jobs=model.jobs,
                work=model.work,
                workers=len(those),
                has=model.name in worker.capability.models,
                kudos_per_hour=kudos_per_hour(worker, model.reach, others, horde.settings.tax),
            )
        )
    return tuple(found)


def kudos_per_hour(worker: Worker, reach: int, speed_of_others: float, tax: float) -> float:
    """What the worker would earn in the next hour with what waits for a model.

    Its own speed (the mean of its last deliveries; before the first one an assumed one), times its
    threads, gives how much it could do; what waits now and is within its `reach`, shared by speed
    with the others that offer the model, how much it would get of it. The smaller of the two is
    priced as jobs are, without the operator's factors and less the horde's tax. What is asked for
    meanwhile is not guessed, so a busy model may earn more.
    """
    if not reach:
        return 0.0
    done = work_in_an_hour(worker.speed * worker.offer.threads, reach, speed_of_others)
    return money.exact(pricing.reward(pricing.price(round(done)), tax))
