"""What was missed of a request: whatever is cut off and resumed, each picture comes once."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.builders import NOON

from ordu.client.events import Block, Blocks
from ordu.engine.progress import Progress
from ordu.rules.lifecycle import Counts, JobId, JobState, Millis, RequestId, RequestState, is_done
from ordu.rules.matching import LaneKey, WorkerId
from ordu.rules.money import Kudos, UserId
from ordu.server.missed import Seen, missed
from ordu.store.jobs import Job
from ordu.store.requests import Request

N = 6


def a_job(ordinal: int, ended_at: int | None) -> Job:
    return Job(
        id=JobId(f"job-{ordinal}"),
        request_id=RequestId("r"),
        worker_id=WorkerId("w"),
        worker_name="attic",
        owner_id=UserId(1),
        ordinal=ordinal,
        state=JobState.RUNNING if ended_at is None else JobState.DONE,
        model="m",
        seed=ordinal,
        started_at=NOON,
        due_at=NOON,
        has_agent=True,
        ended_at=None if ended_at is None else Millis(ended_at),
    )


def a_progress(finished: list[int], running: list[int] = [], **changes: Any) -> Progress:  # noqa: B006
    """A request of so many pictures, these of them finished in this order."""
    counts = Counts(
        waiting=N - len(finished) - len(running),
        processing=len(running),
        finished=len(finished),
        lost=0,
        cancelled=0,
    )
    request = a_request(counts=counts, **changes)
    done = is_done(request.state, counts)
    jobs = [a_job(ordinal, NOON + place) for place, ordinal in enumerate(finished)]
    return Progress(
        request=request,
        jobs=(*jobs, *(a_job(each, None) for each in running)),
        done=done,
        faulted=request.state is RequestState.FAULTED,
        position=7 if counts.waiting else 0,
        wait_s=60,
        is_possible=True,
    )


def a_request(**changes: Any) -> Request:
    plain = {
        "id": RequestId("r"),
        "user_id": UserId(1),
        "kind": "image",
        "lane_key": LaneKey(b"k"),
        "rank": 0,
        "work": 1,
        "price": Kudos(1),
        "bill": Kudos(1),
        "charged": Kudos(0),
        "ttl_ms": 1,
        "seed": None,
        "seed_step": 0,
        "wants_links": True,
        "is_upfront": False,
        "created_at": NOON,
        "expires_at": NOON,
        "state": RequestState.OPEN,
        "faults": 0,
        "body": b"{}",
    }
    return Request(**plain | changes)


def told(seen: Seen, progress: Progress, *, with_place: bool = True) -> tuple[list[Block], Seen]:
    data, seen = missed(seen, progress, lambda job: f"/{job.id}", with_place=with_place)
    return Blocks().feed(data), seen


def test_nothing_is_told_twice():
    progress = a_progress([3], [4])
    blocks, seen = told(Seen(), progress)
    assert [each.name for each in blocks] == ["picture", "processing", "position"]
    assert blocks[-1].id == str(seen)
    assert told(seen, progress) == ([], seen)


def test_a_wait_that_hardly_changed_is_no_news():
    _, seen = told(Seen(), a_progress([]))
    assert not told(seen._replace(wait_s=58), a_progress([]))[0]
    assert [each.name for each in told(seen._replace(wait_s=50), a_progress([]))[0]] == ["position"]
    assert not told(seen._replace(wait_s=50), a_progress([]), with_place=False)[0]


STEPS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), max_size=10)


@given(order=st.permutations(range(N)), steps=STEPS)
def test_whoever_comes_back_is_sent_exactly_what_was_missed(order, steps):
    """A reader sees the request now and then, and loses the connection after any event."""
    seen, finished = Seen(), 0
    kept: list[Block] = []
    for more, few in [*steps, (N, 2 * N)]:
        finished = min(N, finished + more)
        blocks, _ = told(seen, a_progress(list(order[:finished])))
        kept += blocks[:few]
        seen = Seen.read(kept[-1].id) if kept else seen
    pictures = [json.loads(each.data)["id"] for each in kept if each.name == "picture"]
    assert pictures == [f"job-{each}" for each in order]
    assert [each.name for each in kept].count("done") == 1
