"""Lanes: the map of everything that waits, in the event loop's memory.

Thousands of waiting requests share a few *requirements*; all requests with the same one form a
*lane*, sorted by rank. Whether a worker may serve a lane depends on the requirement and the
worker's *capability* alone, so a pop looks at lanes and never at requests: among the lanes it may
serve it takes the best head. `skipped` is the sum of lane sizes by reason.

SQL is the truth and this is the map. A pop *reserves* a few heads here, the writer tries them in
SQL with conditional writes, and after the commit `update` copies what was committed. A wrong map
costs a retry, never a picture given to two workers.
"""

import bisect
import heapq
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ordu.rules.lifecycle import RequestId
from ordu.rules.matching import Capability, LaneKey, Reason, Requirement, why_not
from ordu.rules.money import UserId

VERDICTS_MAX = 2_000  # capabilities whose verdicts are remembered


@dataclass(eq=False, slots=True)
class Waiting:
    """A request of which something waits: `left` pictures, `reserved` of them being given."""

    request_id: RequestId
    user_id: UserId
    rank: int
    work: int  # of one picture
    left: int
    lane: "Lane"
    reserved: int = 0

    @property
    def order(self) -> tuple[int, str]:
        """Sorts the better rank first, and of two equal ranks the older request."""
        return (-self.rank, self.request_id)


@dataclass(eq=False, slots=True)
class Lane:
    """All waiting requests with one requirement, best rank first."""

    key: LaneKey
    requirement: Requirement
    line: list[Waiting] = field(default_factory=list)

    def free(self) -> Iterator[Waiting]:
        """Those of which something can be reserved, best first."""
        return (waiting for waiting in self.line if waiting.left > waiting.reserved)


def order_of(waiting: Waiting) -> tuple[int, str]:
    """The key that lines are sorted by."""
    return waiting.order


class LaneMap:
    """Every waiting request, by lane, by user and by id."""

    def __init__(self) -> None:
        self.lanes: dict[LaneKey, Lane] = {}
        self.requests: dict[RequestId, Waiting] = {}
        self.by_user: dict[UserId, list[Waiting]] = {}
        self.verdicts: dict[Capability, dict[LaneKey, Reason | None]] = {}

    # What was committed

    def update(
        self,
        *,
        request_id: RequestId,
        user_id: UserId,
        rank: int,
        work: int,
        left: int,
        lane_key: LaneKey,
        requirement: Requirement,
    ) -> None:
        """Copy how many pictures of a request wait, as committed."""
        waiting = self.requests.get(request_id)
        if left == 0:
            if waiting is not None:
                self.remove(waiting)
        elif waiting is not None:
            waiting.left = left
        else:
            lane = self.lanes.get(lane_key)
            if lane is None:
                lane = self.lanes[lane_key] = Lane(lane_key, requirement)
            self.insert(Waiting(request_id, user_id, rank, work, left, lane))

    def insert(self, waiting: Waiting) -> None:
        """Put a request into its lane and into its user's list."""
        self.requests[waiting.request_id] = waiting
        bisect.insort(waiting.lane.line, waiting, key=order_of)
        bisect.insort(self.by_user.setdefault(waiting.user_id, []), waiting, key=order_of)

    def remove(self, waiting: Waiting) -> None:
        """Take a request out; a lane or a user with nothing left goes too."""
        del self.requests[waiting.request_id]
        take_out(waiting.lane.line, waiting)
        if not waiting.lane.line:
            del self.lanes[waiting.lane.key]
            for verdicts in self.verdicts.values():
                verdicts.pop(waiting.lane.key, None)
        take_out(self.by_user[waiting.user_id], waiting)
        if not self.by_user[waiting.user_id]:
            del self.by_user[waiting.user_id]

    def forget(self, waiting: Waiting) -> None:
        """Take a request out that SQL does not know as waiting, unless that was done already."""
        if self.requests.get(waiting.request_id) is waiting:
            self.remove(waiting)

    # Who may serve what

    def verdict(self, lane: Lane, capability: Capability) -> Reason | None:
        """`why_not`, remembered."""
        verdicts = self.verdicts.get(capability)
        if verdicts is None:
            if len(self.verdicts) >= VERDICTS_MAX:
                del self.verdicts[next(iter(self.verdicts))]
            verdicts = self.verdicts[capability] = {}
        if lane.key not in verdicts:
            verdicts[lane.key] = why_not(lane.requirement, capability)
        return verdicts[lane.key]

    def open_lanes(self, capability: Capability) -> list[Lane]:
        """The lanes a worker may serve."""
        return [lane for lane in self.lanes.values() if self.verdict(lane, capability) is None]

    def skipped(self, capability: Capability) -> dict[Reason, int]:
        """How many waiting requests a worker may not serve, by reason."""
        counts: dict[Reason, int] = {}
        for lane in self.lanes.values():
            reason = self.verdict(lane, capability)
            if reason is not None:
                counts[reason] = counts.get(reason, 0) + len(lane.line)
        return counts

    # Handing out

    def candidates(self, capability: Capability) -> Iterator[Waiting]:
        """What this worker may be given, best rank first over all lanes."""
        lines = (lane.free() for lane in self.open_lanes(capability))
        return heapq.merge(*lines, key=order_of)

    def candidates_of(
        self, user_ids: Iterable[UserId], capability: Capability
    ) -> Iterator[Waiting]:
        """What this worker may be given of these users' requests, user by user."""
        for user_id in user_ids:
            for waiting in self.by_user.get(user_id, ()):
                is_free = waiting.left > waiting.reserved
                if is_free and self.verdict(waiting.lane, capability) is None:
                    yield waiting

    # Where one stands

    def ahead_of(self, waiting: Waiting, capabilities: Iterable[Capability]) -> tuple[int, int]:
        """Pictures and work that go before a request, in lanes its possible workers also serve.

        The request's own pictures are not counted.
        """
        shared: dict[LaneKey, Lane] = {}
        for capability in capabilities:
            for lane in self.open_lanes(capability):
                shared[lane.key] = lane
        jobs = work = 0
        for lane in shared.values():
            first_behind = bisect.bisect_left(lane.line, waiting.order, key=order_of)
            for other in itertools.islice(lane.line, first_behind):
                jobs += other.left
                work += other.left * other.work
        return jobs, work


def take_out(line: list[Waiting], waiting: Waiting) -> None:
    """Remove one from a sorted line."""
    del line[bisect.bisect_left(line, waiting.order, key=order_of)]
