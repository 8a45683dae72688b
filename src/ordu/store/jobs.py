"""Jobs in SQL: which worker has which picture, and how it ended."""

import itertools

import msgspec

from ordu.rules.lifecycle import JobId, JobState, Millis, RequestId
from ordu.rules.matching import WorkerId
from ordu.rules.money import UserId
from ordu.store.database import Row, Transaction

COLUMNS = (
    "id, request_id, worker_id, worker_name, owner_id, ordinal, state, model, seed, started_at,"
    " due_at, has_agent, ended_at, result_seed, censored, metadata, picture"
)


class Job(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """One job, as the database has it; the fields are in the order of `COLUMNS`.

    `ordinal` says which of the request's pictures it is.
    """

    id: JobId
    request_id: RequestId
    worker_id: WorkerId
    worker_name: str
    owner_id: UserId
    ordinal: int
    state: JobState
    model: str
    seed: int
    started_at: Millis
    due_at: Millis
    has_agent: bool  # the pop named its program; one of 2022 does not (protocol sheet 60 §1.6)
    ended_at: Millis | None = None
    result_seed: str | None = None
    censored: bool = False
    metadata: str | None = None
    picture: str | None = None  # its name in the picture store; None for the usual


def read_row(row: Row) -> Job:
    """A row as a job."""
    return msgspec.convert(tuple(row), Job, strict=False)


def add(tx: Transaction, job: Job) -> None:
    """Add a running job."""
    tx.run(
        "INSERT INTO jobs (id, request_id, worker_id, worker_name, owner_id, ordinal, state, model,"
        " seed, started_at, due_at, has_agent) VALUES (:id, :request_id, :worker_id, :worker_name,"
        " :owner_id, :ordinal, :state, :model, :seed, :started_at, :due_at, :has_agent)",
        id=job.id,
        request_id=job.request_id,
        worker_id=job.worker_id,
        worker_name=job.worker_name,
        owner_id=job.owner_id,
        ordinal=job.ordinal,
        state=job.state,
        model=job.model,
        seed=job.seed,
        started_at=job.started_at,
        due_at=job.due_at,
        has_agent=job.has_agent,
    )


def by_id(tx: Transaction, job_id: str) -> Job | None:
    """The job of this id."""
    row = tx.one(f"SELECT {COLUMNS} FROM jobs WHERE id = :id", id=job_id)
    return None if row is None else read_row(row)


def of_request(tx: Transaction, request_id: RequestId) -> list[Job]:
    """All jobs of a request, oldest first."""
    rows = tx.all(
        f"SELECT {COLUMNS} FROM jobs WHERE request_id = :id ORDER BY id",
        id=request_id,
    )
    return [read_row(row) for row in rows]


def done_after(tx: Transaction, after: str, most: int) -> list[Job]:
    """Settled jobs in the order of their ids, from behind this one on."""
    rows = tx.all(
        f"SELECT {COLUMNS} FROM jobs WHERE id > :after AND state = 'done' ORDER BY id LIMIT :most",
        after=after,
        most=most,
    )
    return [read_row(row) for row in rows]


def free_ordinal(tx: Transaction, request_id: RequestId) -> int:
    """The lowest number of a picture that no job makes or has made."""
    rows = tx.all(
        "SELECT ordinal FROM jobs WHERE request_id = :id AND state <> 'faulted'", id=request_id
    )
    held = {row["ordinal"] for row in rows}
    return next(ordinal for ordinal in itertools.count() if ordinal not in held)


def finish(
    tx: Transaction,
    job_id: JobId,
    now: Millis,
    *,
    seed: str,
    censored: bool,
    metadata: str | None,
    picture: str | None,
) -> Job | None:
    """End a running job as done; None when it does not run any more."""
    row = tx.one(
        "UPDATE jobs SET state = 'done', ended_at = :now, result_seed = :seed,"
        " censored = :censored, metadata = :metadata, picture = :picture"
        " WHERE id = :id AND state = 'running'"
        f" RETURNING {COLUMNS}",
        id=job_id,
        now=now,
        seed=seed,
        censored=censored,
        metadata=metadata,
        picture=picture,
    )
    return None if row is None else read_row(row)


def fault(tx: Transaction, job_id: JobId, now: Millis) -> bool:
    """End a running job as faulted; False when it does not run any more."""
    changed = tx.run(
        "UPDATE jobs SET state = 'faulted', ended_at = :now WHERE id = :id AND state = 'running'",
        id=job_id,
        now=now,
    )
    return changed == 1


def remove_running(tx: Transaction, job_id: JobId) -> bool:
    """Forget a job that never reached its worker; False when it does not run any more."""
    return tx.run("DELETE FROM jobs WHERE id = :id AND state = 'running'", id=job_id) == 1


def overdue(tx: Transaction, now: Millis, most: int) -> list[JobId]:
    """Running jobs whose time is over."""
    rows = tx.all(
        "SELECT id FROM jobs WHERE state = 'running' AND due_at <= :now ORDER BY due_at"
        " LIMIT :most",
        now=now,
        most=most,
    )
    return [JobId(row["id"]) for row in rows]


def running(tx: Transaction) -> list[tuple[Job, int]]:
    """Every running job, and how much work it is."""
    columns = ", ".join(f"jobs.{name.strip()}" for name in COLUMNS.split(","))
    rows = tx.all(
        f"SELECT requests.work, {columns} FROM jobs"
        " JOIN requests ON requests.id = jobs.request_id WHERE jobs.state = 'running'"
    )
    return [
        (msgspec.convert(values[1:], Job, strict=False), values[0]) for values in map(tuple, rows)
    ]


def running_load(tx: Transaction) -> tuple[int, int]:
    """How many jobs run in the whole horde, and how much work that is."""
    row = tx.one(
        "SELECT COUNT(*) AS jobs, COALESCE(SUM(requests.work), 0) AS work FROM jobs"
        " JOIN requests ON requests.id = jobs.request_id WHERE jobs.state = 'running'"
    )
    assert row is not None
    return int(row["jobs"]), int(row["work"])


def leave(tx: Transaction, owner_id: UserId, name: str, now: Millis) -> None:
    """An owner's workers are gone: what they make is overdue, and they are called this."""
    tx.run(
        "UPDATE jobs SET worker_name = :name,"
        " due_at = CASE state WHEN 'running' THEN CAST(:now AS BIGINT) ELSE due_at END"
        " WHERE owner_id = :owner_id",
        owner_id=owner_id,
        name=name,
        now=now,
    )
