"""Explanations as the wire shows them: numbers from the engine, sentences from the rules."""

from ordu.engine import explaining, explaining_worker
from ordu.engine.presence import Worker
from ordu.kinds.image import IMAGE
from ordu.protocol.explanations import (
    ChangeThatHelps,
    DemandedModel,
    NotGiven,
    OfferedModel,
    PassedOver,
    RequestExplanation,
    WorkerExplanation,
)
from ordu.rules import explaining as words
from ordu.rules.explaining import Situation
from ordu.rules.relaxing import Ask
from ordu.rules.rights import WORKER_EXPLAINED, Standing
from ordu.server.views import mega


def request_explanation(found: explaining.Explanation) -> RequestExplanation:
    """Why a request waits."""
    request, now = found.progress.request, found.now
    state = words.state_of(request.state, request.counts)
    situation = Situation(found.online, now.workers, found.free, now.before.jobs, found.why_not)
    return RequestExplanation(
        state=state,
        text=words.why_it_waits(state, situation),
        waiting=request.counts.waiting,
        processing=request.counts.processing,
        queue_position=found.progress.position,
        wait_time=found.progress.wait_s,
        starts_in=seconds(now.starts_s),
        workers_online=found.online,
        workers_able=now.workers,
        workers_free=found.free,
        why_not=[
            PassedOver(reason=word(reason), workers=many, text=words.passed_over(reason, many))
            for reason, many in found.why_not.items()
        ],
        jobs_before=now.before.jobs,
        megapixelsteps_before=mega(now.before.work),
        changes=[change_that_helps(found.ask, change) for change in found.changes],
    )


def change_that_helps(ask: Ask, change: explaining.Change) -> ChangeThatHelps:
    """A change that would start it sooner."""
    return ChangeThatHelps(
        subjects=[*change.subjects],
        set=IMAGE.settings(change.subjects, change.ask),
        text=words.proposal(change.subjects, ask, change.ask, change.models),
        models=[OfferedModel(name=name, workers=many) for name, many in change.models],
        workers=change.then.workers,
        workers_more=change.more,
        jobs_before=change.then.before.jobs,
        starts_in=seconds(change.then.starts_s),
        wait_time=seconds(change.then.takes_s),
    )


def worker_explanation(
    worker: Worker, found: explaining_worker.WorkerExplanation, stands: Standing
) -> WorkerExplanation:
    """Why a worker gets no work, as a caller may see it who stands there."""
    standing = found.standing

    def shows(field: str) -> bool:
        return stands >= WORKER_EXPLAINED[field]

    return WorkerExplanation(
        id=worker.id,
        name=worker.name,
        text=words.why_no_work(standing),
        online=standing.is_online,
        maintenance_mode=standing.is_in_maintenance,
        paused=worker.is_paused if shows("paused") else None,
        processing=found.processing if shows("processing") else None,
        threads=worker.offer.threads,
        waiting_requests=standing.waiting,
        could_serve=standing.could_serve,
        jobs=found.jobs,
        megapixelsteps=mega(found.work),
        skipped=[
            NotGiven(reason=word(reason), requests=many, text=words.not_given(reason, many))
            for reason, many in standing.skipped.items()
        ],
        competitors=found.competitors,
        place=found.place,
        demand=[demanded(each) for each in found.demand],
    )


def demanded(model: explaining_worker.Demanded) -> DemandedModel:
    """A model that requests wait for."""
    return DemandedModel(
        name=model.name,
        jobs=model.jobs,
        megapixelsteps=mega(model.work),
        workers=model.workers,
        offered=model.has,
        kudos_per_hour=model.kudos_per_hour,
    )


def word(reason: str) -> str:
    """A reason as `skipped` has it."""
    return str(reason).replace("-", "_")


def seconds(estimated: float | None) -> int | None:
    """Whole seconds, where something is known."""
    return None if estimated is None else round(estimated)
