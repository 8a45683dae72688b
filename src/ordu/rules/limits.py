"""Limits on what one user may have waiting, and how long a job may take."""

from ordu.protocol.errors import Refused

PIXELSTEPS_PER_TTL_SECOND = 131_072  # 512 × 512 pixels for half a step (protocol sheet 11 §4)
TTL_BASE_S = 30


def check_concurrency(waiting: int, n: int, concurrency: int) -> None:
    """Refuse a request that would have more of its user's pictures waiting than allowed."""
    if waiting + n > concurrency:
        raise Refused(
            "TooManyPrompts",
            f"You have {waiting} pictures waiting and ask for {n} more; at most {concurrency} may "
            "wait at once. Try again when some of them have been taken by a worker.",
        )


def job_ttl_s(pixelsteps: int, ttl_s_min: int) -> int:
    """How long a worker may take for a job, in seconds."""
    return max(ttl_s_min, TTL_BASE_S + pixelsteps // PIXELSTEPS_PER_TTL_SECOND)
