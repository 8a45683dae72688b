"""What takes remembering: what was there before, and what was promised to whom."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ordu.engine.end import upload_name
from ordu.rules.lifecycle import JobState, RequestState
from ordu.rules.money import ANONYMOUS
from ordu.simulation.invariants import Invariant, demand
from ordu.store.database import Row, Transaction

JOB_STEPS = {
    (JobState.RUNNING, JobState.DONE),
    (JobState.RUNNING, JobState.FAULTED),
}
REQUEST_STEPS = {
    (RequestState.OPEN, RequestState.FAULTED),
    (RequestState.OPEN, RequestState.CANCELLED),
}
NEVER_LESS = ("finished", "lost", "cancelled", "faults", "charged", "expires_at")
NEVER_CHANGED = ("user_id", "created_at", "price", "bill", "rank", "n")


PAID = (
    "SELECT jobs.id, jobs.censored, requests.bill, requests.user_id AS payer,"
    " (SELECT -COALESCE(SUM(amount), 0) FROM lines WHERE entry_id = entries.id"
    " AND user_id = requests.user_id AND account = 'user' AND amount < 0) AS paid,"
    " (SELECT COALESCE(SUM(amount), 0) FROM lines JOIN entries AS older"
    " ON older.id = lines.entry_id AND older.rowid < entries.rowid"
    " WHERE user_id = requests.user_id AND account = 'user') AS had"
    " FROM entries JOIN jobs ON entries.event = 'settle:' || jobs.id"
    " JOIN requests ON requests.id = jobs.request_id"
    " WHERE entries.rowid > :seen AND requests.user_id <> :anonymous AND NOT EXISTS"
    " (SELECT 1 FROM requests AS held WHERE held.user_id = requests.user_id AND is_upfront = 1)"
)


@dataclass
class Gift:
    """A transfer that somebody asked for with a key; its amount is nobody else's."""

    source: int
    target: int
    amount: int  # whole kudos
    answers: list[object] = field(default_factory=list)


class History:
    """What a simulation has seen so far."""

    def __init__(self) -> None:
        self.requests: Mapping[str, Row] = {}
        self.jobs: Mapping[str, str] = {}
        self.names: Mapping[str, str] = {}  # of the pictures of jobs
        self.knows_order = True  # whether the database tells the order of entries
        self.uptimes: Mapping[str, int] = {}  # of workers, in seconds
        self.pictures: Mapping[str, bytes | None] = {}  # of finished jobs
        self.entries = 0
        self.placed: dict[str, int] = {}  # promised to its client: the earliest end of a request
        self.settled: dict[str, int] = {}  # promised to a worker: what a job earned
        self.cancelled: set[str] = set()  # promised to its client: nothing of it waits
        self.gifts: list[Gift] = []

    # What was before

    def compare(self, tx: Transaction) -> None:
        """Look at a new moment, and demand that everything has moved forward only."""
        requests = {
            row["id"]: row
            for row in tx.all(
                "SELECT *, waiting + processing + finished + lost + cancelled AS n FROM requests"
            )
        }
        rows = tx.all("SELECT id, state, picture FROM jobs")
        jobs = {row["id"]: row["state"] for row in rows}
        self.names = {row["id"]: row["picture"] or upload_name(row["id"]) for row in rows}
        uptimes = {row["id"]: row["uptime_s"] for row in tx.all("SELECT id, uptime_s FROM workers")}
        row = tx.one("SELECT COUNT(*) AS entries FROM entries")
        assert row is not None
        for request_id, before in self.requests.items():
            if request_id in requests:
                self.compare_request(before, requests[request_id])
        wrong = [
            f"job {job_id} was {before} and is {jobs[job_id]}"
            for job_id, before in self.jobs.items()
            if job_id in jobs and not is_forward(before, jobs[job_id], JOB_STEPS)
        ]
        wrong += [
            f"worker {worker_id} was here for {before} s and then for {uptimes[worker_id]} s"
            for worker_id, before in self.uptimes.items()
            if uptimes.get(worker_id, before) < before
        ]
        if row["entries"] < self.entries:
            wrong.append(f"there were {self.entries} entries, and there are {row['entries']}")
        demand(Invariant.FORWARD, wrong)
        if self.knows_order:
            demand(Invariant.SETTLED_ONCE, self.wrong_prices(tx))
        self.requests, self.jobs, self.uptimes = requests, jobs, uptimes
        self.entries = row["entries"]

    def compare_request(self, before: Row, after: Row) -> None:
        """Demand that a request has moved forward only."""
        name = f"request {before['id']}"
        changed = [
            f"the {each} of {name} was {before[each]} and is {after[each]}"
            for each in NEVER_CHANGED
            if before[each] != after[each]
        ]
        demand(Invariant.COUNTS, changed)
        wrong = [
            f"{each} of {name} was {before[each]} and is {after[each]}"
            for each in NEVER_LESS
            if after[each] < before[each]
        ]
        if not is_forward(before["state"], after["state"], REQUEST_STEPS):
            wrong.append(f"{name} was {before['state']} and is {after['state']}")
        demand(Invariant.FORWARD, wrong)

    def wrong_prices(self, tx: Transaction) -> list[str]:
        """New settlements for which not all of the bill was paid, although it was there.

        What was held for other requests is not known any more, so payers with holds are left out.
        """
        holding = {row["user_id"] for row in self.requests.values() if row["is_upfront"]}
        return [
            f"job {row['id']} cost {row['paid']} of {row['bill']}, and its payer had {row['had']}"
            for row in tx.all(PAID, seen=self.entries, anonymous=ANONYMOUS)
            if row["payer"] not in holding
            and row["paid"] != (0 if row["censored"] else min(row["bill"], max(0, row["had"])))
        ]

    def compare_pictures(self, pictures: Mapping[str, bytes]) -> None:
        """Demand that the pictures of finished jobs are what they were."""
        done = {
            job_id: pictures.get(self.names[job_id])
            for job_id, state in self.jobs.items()
            if state == JobState.DONE
        }
        wrong = [
            f"the picture of job {job_id} was {self.pictures[job_id]!r} and is {picture!r}"
            for job_id, picture in done.items()
            if self.pictures.get(job_id, picture) != picture
        ]
        demand(Invariant.RESULTS, wrong)
        self.pictures = done

    # What was promised

    def check_promises(self, tx: Transaction, now: int) -> None:
        """Demand that everything acknowledged is there."""
        wrong = [
            f"request {request_id} was accepted, may live {end - now} ms more, and is gone"
            for request_id, end in self.placed.items()
            if end > now and request_id not in self.requests
        ]
        wrong += [
            f"request {request_id} was cancelled, and something of it waits"
            for request_id in self.cancelled
            if request_id in self.requests and self.requests[request_id]["waiting"]
        ]
        for job_id, reward in self.settled.items():
            row = tx.one(
                "SELECT COALESCE(SUM(amount), 0) AS earned FROM lines WHERE entry_id IN"
                " (SELECT id FROM entries WHERE event = :event) AND amount > 0"
                " AND account IN ('user', 'escrow')",
                event=f"settle:{job_id}",
            )
            assert row is not None
            if row["earned"] != reward:
                wrong.append(f"job {job_id} was paid {reward}, and the books say {row['earned']}")
        demand(Invariant.DURABLE, wrong)
        self.check_gifts(tx)

    def check_gifts(self, tx: Transaction) -> None:
        """Demand that each key moved its kudos once at most, and once when that was said."""
        for gift in self.gifts:
            row = tx.one(
                "SELECT COUNT(*) AS many FROM transfers WHERE source_id = :source"
                " AND target_id = :target AND amount = :amount * 100",
                source=gift.source,
                target=gift.target,
                amount=gift.amount,
            )
            assert row is not None
            said = f"{gift.amount} kudos from {gift.source} to {gift.target}"
            if row["many"] > 1:
                demand(Invariant.IDEMPOTENT, [f"{said} were moved {row['many']} times"])
            if gift.answers and not row["many"]:
                demand(Invariant.DURABLE, [f"{said} were acknowledged and never moved"])
            if any(answer != gift.amount for answer in gift.answers):
                demand(Invariant.IDEMPOTENT, [f"{said} were answered with {gift.answers}"])


def is_forward(
    before: str,
    after: str,
    steps: set[tuple[JobState, JobState]] | set[tuple[RequestState, RequestState]],
) -> bool:
    """Whether a state stayed or took one of these steps."""
    return before == after or (before, after) in steps
