"""Explanations as the wire shows them: numbers from the engine, sentences from the rules."""

from msgspec.structs import asdict

from ordu.engine import explaining, explaining_worker
from ordu.engine.presence import Worker
from ordu.kinds.image import IMAGE
from ordu.protocol.explanations import (
    ChangeThatHelps,
    DemandedModel,
    NotGiven,
    OfferedModel,
    PassedOver,
    RequestChances,
    RequestExplanation,
    RequestOutlook,
    WorkerExplanation,
)
from ordu.rules import explaining as words
from ordu.rules import money, pricing
from ordu.rules.explaining import Situation
from ordu.rules.money import Kudos
from ordu.rules.relaxing import Ask
from ordu.rules.rights import WORKER_EXPLAINED, Standing
from ordu.server.views import mega


def request_explanation(found: explaining.Explanation) -> RequestExplanation:
    """Why a request waits."""
    request, chances = found.progress.request, found.chances
    now = chances.now
    state = words.state_of(request.state, request.counts)
    return RequestExplanation(
        state=state,
        text=words.why_it_waits(state, situation_of(chances)),
        waiting=request.counts.waiting,
        processing=request.counts.processing,
        queue_position=found.progress.position,
        wait_time=found.progress.wait_s,
        starts_in=seconds(now.starts_s),
        megapixelsteps_before=mega(now.before.work),
        **asdict(chances_view(chances)),
    )


def request_outlook(
    chances: explaining.Chances, price: Kudos, available: Kudos | None
) -> RequestOutlook:
    """What would become of a request; `available` is for one that is to be paid up front."""
    now = chances.now
    return RequestOutlook(
        text=words.why_it_waits("waiting", situation_of(chances)),
        queue_position=now.before.jobs + 1,
        wait_time=seconds(now.takes_s),
        starts_in=seconds(now.starts_s),
        **asdict(chances_view(chances)),
        upfront=available is not None,
        kudos_available=None if available is None else money.exact(available),
        affordable=available is None or pricing.suffices(price, available),
    )


def chances_view(chances: explaining.Chances) -> RequestChances:
    """Who could serve a request, and what would start it sooner."""
    return RequestChances(
        workers_online=chances.online,
        workers_able=chances.now.workers,
        workers_free=chances.free,
        why_not=passed_over(chances),
        jobs_before=chances.now.before.jobs,
        changes=[change_that_helps(chances.ask, change) for change in chances.changes],
    )


def situation_of(chances: explaining.Chances) -> Situation:
    """What a sentence about a request that waits is made from."""
    now = chances.now
    return Situation(chances.online, now.workers, chances.free, now.before.jobs, chances.why_not)


def passed_over(chances: explaining.Chances) -> list[PassedOver]:
    """Why workers are passed over, the most first."""
    return [
        PassedOver(reason=word(reason), workers=many, text=words.passed_over(reason, many))
        for reason, many in chances.why_not.items()
    ]


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
