"""Results: what is made of a picture that a machine delivers (docs/adr/0035).

Whoever takes the picture in says what was seen of it (`rules.results.Seen`). What is odd is counted
in the transaction that settles the job, and so is the suspicion that may follow. What was refused
has no such transaction: it is kept in memory and written in batches.

Where audits by replication have their place: a picture drawn a second time by another machine, with
the same seed, is compared with the first (`images.looks.likeness`), and a difference is one more
`Finding` with a rate of its own. What is counted, judged and shown needs nothing more.
"""

from collections.abc import Callable, Mapping

from ordu.engine import suspicion
from ordu.engine.horde import Horde
from ordu.engine.presence import Made
from ordu.images.looks import Miniature, likeness
from ordu.protocol.errors import Refused
from ordu.rules.lifecycle import Millis
from ordu.rules.matching import WorkerId
from ordu.rules.money import UserId
from ordu.rules.results import SUSPECTED_FOR, Finding, Seen, Wanted, findings, is_too_many
from ordu.store import results, workers
from ordu.store.database import Transaction
from ordu.store.jobs import Job

# Why a picture is refused where nothing odd is taken (`strict_results`).
REFUSALS: Mapping[Finding, str] = {
    Finding.OTHER_SIZE: "has another size than was asked for. Send it in the size of the job.",
    Finding.BLANK: "has one colour only. Look at what your backend draws.",
    Finding.SOURCE: "is the source image. Draw with the strength of the job.",
    Finding.REPEAT: "is one that this worker has sent before. Draw with the seed of the job.",
    Finding.TOO_FAST: "came sooner than any machine makes it.",
}


def like_earlier(horde: Horde, job: Job, miniature: Miniature) -> float:
    """How much a picture is like one that the same worker made of another seed lately.

    It is remembered from then on. A picture of the same seed may well be alike: people change a
    word of their prompt and keep the seed.
    """
    worker = horde.presence.by_id.get(job.worker_id)
    if worker is None:
        return 0.0
    others = [made for made in worker.made if made.seed != job.seed]
    worker.made.append(Made(job.seed, miniature))
    return max((likeness(made.miniature, miniature) for made in others), default=0.0)


def odd(
    seen: Seen | None, wanted: Callable[[bytes], Wanted] | None, body: bytes, *, is_too_fast: bool
) -> frozenset[Finding]:
    """What is odd about a delivery; without `seen` only how fast it came is looked at."""
    found = frozenset({Finding.TOO_FAST} if is_too_fast else ())
    return found if seen is None or wanted is None else found | findings(wanted(body), seen)


def refuse(found: frozenset[Finding]) -> None:
    """Refuse a picture of which this was found, where nothing odd is taken."""
    first = next((finding for finding in Finding if finding in found), None)
    if first is not None:
        raise Refused("BadPicture", f"The picture {REFUSALS[first]}")


def count(
    tx: Transaction,
    worker_id: WorkerId,
    owner_id: UserId,
    found: frozenset[Finding],
    now: Millis,
    *,
    suspects: bool,
) -> suspicion.Suspicion | None:
    """Count what was found, and the suspicion of what is too much."""
    if not found or workers.locked(tx, worker_id) is None:  # it was deleted meanwhile
        return None
    results.add(tx, worker_id, dict.fromkeys(found, 1), now)
    if not suspects:
        return None
    counts = results.in_window(tx, worker_id, now)
    delivered = counts.get(results.DELIVERED, 0) + 1  # this one is counted a moment later
    times, is_paused = 0, False
    for finding in sorted(found):
        if is_too_many(finding, counts[finding], delivered):
            reason = SUSPECTED_FOR[finding]
            suspected = suspicion.suspect(tx, worker_id, owner_id, reason, now)
            times += suspected is not None
            is_paused |= suspected is not None and suspected.is_paused
    return suspicion.Suspicion(is_paused, times) if times else None


# Refused


async def write_refusals(horde: Horde) -> None:
    """Write down how many pictures were refused since the last round."""
    refused = dict(horde.refused)
    if not refused:
        return
    now = horde.now()

    def write(tx: Transaction) -> None:
        for worker_id, many in sorted(refused.items()):
            if workers.locked(tx, worker_id) is not None:
                results.add(tx, worker_id, {results.REFUSED: many}, now)

    await horde.write(write, lambda _: horde.refused.subtract(refused))
    horde.refused = +horde.refused
