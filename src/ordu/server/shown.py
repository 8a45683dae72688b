"""How a request and its pictures are shown: the fields of check, status and the events."""

from typing import Any

import msgspec

from ordu.engine.progress import Progress
from ordu.protocol.requests import GenerationMetadata, GenerationStable
from ordu.rules import money
from ordu.store.jobs import Job


def counted(progress: Progress) -> dict[str, Any]:
    """The fields that check, status and the events share."""
    request = progress.request
    counts = request.counts
    return {
        "finished": counts.finished,
        "processing": counts.processing,
        "restarted": request.faults,
        "waiting": counts.waiting,
        "done": progress.done,
        "faulted": progress.faulted,
        "wait_time": progress.wait_s,
        "queue_position": progress.position,
        "kudos": money.whole(request.charged),
        "kudos_exact": money.exact(request.charged),
        "is_possible": progress.is_possible,
    }


def generation(job: Job, picture: str) -> GenerationStable:
    """One finished picture, which is a link or Base64."""
    metadata = msgspec.json.decode(job.metadata or "[]", type=list[GenerationMetadata])
    return GenerationStable(
        img=picture,
        seed=job.result_seed or str(job.seed),
        id=job.id,
        censored=job.censored,
        state="ok",
        gen_metadata=metadata,
        worker_id=job.worker_id,
        worker_name=job.worker_name,
        model=job.model,
    )
