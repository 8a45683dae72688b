"""What a stored picture belongs to: which ones are wanted, and which ones must be there."""

from collections.abc import Iterator

from ordu.engine.end import picture_name
from ordu.rules.lifecycle import JobId, JobState, RequestId
from ordu.store import jobs, requests, webhooks
from ordu.store.database import Transaction

PAGE = 1_000


def is_wanted(tx: Transaction, name: str) -> bool:
    """Whether a stored picture belongs to something that is there."""
    owner, _, part = name.partition("_")
    if part:
        return requests.by_id(tx, RequestId(owner)) is not None
    job_id = JobId(name.partition(".")[0])
    job = jobs.by_id(tx, job_id)
    if job is None:  # its request is gone, and a webhook may still be waiting for it
        return webhooks.is_waiting(tx, job_id)
    return job.state is JobState.RUNNING or name == picture_name(job)


def is_promised(tx: Transaction, name: str) -> bool:
    """Whether somebody was told that this picture is ready, and it may still be asked for."""
    job = jobs.by_id(tx, JobId(name.partition(".")[0]))
    return job is not None and job.state is JobState.DONE and name == picture_name(job)


def promised(tx: Transaction) -> Iterator[str]:
    """The names of all pictures that must be there: those of settled jobs."""
    after = ""
    while page := jobs.done_after(tx, after, PAGE):
        yield from (picture_name(job) for job in page)
        after = page[-1].id
