"""Limits on what one user may have waiting, and how long a job may take."""

from ordu.protocol.errors import Refused

PIXELSTEPS_PER_TTL_SECOND = 131_072  # 512 × 512 pixels for half a step (protocol sheet 11 §4)
TTL_BASE_S = 30
WORKERS_UNTRUSTED = 3  # who has more than these, one more is refused: so four fit, as elsewhere
WORKERS_TRUSTED = 20


def check_concurrency(waiting: int, n: int, concurrency: int) -> None:
    """Refuse a request that would have more of its user's pictures waiting than allowed."""
    if waiting + n > concurrency:
        raise Refused(
            "TooManyPrompts",
            f"You have {waiting} pictures waiting and ask for {n} more; at most {concurrency} may "
            "wait at once. Try again when some of them have been taken by a worker.",
        )


def check_worker_count(many: int, invited: int, *, is_trusted: bool) -> None:
    """Refuse a user one more worker who has as many as they may (protocol sheet 22 §1)."""
    if not is_trusted and many > WORKERS_UNTRUSTED:
        raise Refused(
            "TooManyWorkers",
            f"You have {many} workers. More than that takes being trusted, which comes with kudos "
            "earned; or delete one.",
        )
    if many > max(WORKERS_TRUSTED, invited):
        raise Refused(
            "TooManyWorkersTrusted",
            f"You have {many} workers. Ask the operators of this horde for more, or delete one.",
        )


def check_worker_address(many: int, most: int, invited: int, *, is_trusted: bool) -> None:
    """Refuse one more worker at an address where there are as many as may be."""
    allowed = max(WORKERS_TRUSTED if is_trusted else most, invited)
    if many > allowed:
        raise Refused(
            "TooManySameIPs",
            f"{many} workers come from your address already. Ask the operators of this horde.",
        )


def job_ttl_s(pixelsteps: int, ttl_s_min: int, times: int = 1) -> int:
    """How long a worker may take for a job, in seconds; `times` as long for what is known slow."""
    return max(ttl_s_min, times * (TTL_BASE_S + pixelsteps // PIXELSTEPS_PER_TTL_SECOND))
