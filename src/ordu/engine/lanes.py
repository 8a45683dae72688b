"""Lanes: the map of everything that waits, in the event loop's memory.

Thousands of waiting requests share a few *requirements*; all requests with the same one form a
*lane*, sorted by rank. Whether a worker may serve a lane depends on the requirement and the
worker's *capability* alone, so a pop looks at lanes and never at requests: among the lanes it may
serve it takes the best head. `skipped` is the sum of lane sizes by reason.

Lanes are columns: the rank of each lane's head and its length stand in arrays, and a `View` keeps
for each capability why it may not serve which lane. So a pop is a look for the largest number in
an array (docs/adr/0017).

SQL is the truth and this is the map. A pop *reserves* a few heads here, the writer tries them in
SQL with conditional writes, and after the commit `update` copies what was committed. A wrong map
costs a retry, never a picture given to two workers.

A waiting request takes 550 to 600 bytes here, where a hundred thousand or more wait; a lane some
more, and another byte for each capability that is remembered (`bench/lanes.py`).
"""

import bisect
import heapq
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import msgspec
import numpy as np
from sortedcontainers import SortedKeyList

from ordu.engine.positions import LAST_ID, ByLane, Mask, Order, Positions
from ordu.engine.served import Masks, united
from ordu.engine.views import EMPTY, Columns, View
from ordu.rules.lifecycle import RequestId
from ordu.rules.matching import Capability, LaneKey, Reason, Requirement, why_not
from ordu.rules.matching import lane_key as key_of
from ordu.rules.money import UserId
from ordu.store.database import Row

VIEWS_MAX = 2_000  # capabilities that are remembered
VIEW_BYTES_MAX = 64 * 2**20  # for all of them together
GONE_MAX = 4_096  # requests of which nothing waits any more that are remembered as that
EXPECTED_MAX = 4_096
VACANT_MAX = 256  # lanes in which nothing waits that are kept, because something soon will again


@dataclass(eq=False, slots=True)
class Waiting:
    """A request of which something waits: `left` pictures, `reserved` of them being given."""

    request_id: RequestId
    user_id: UserId
    rank: int
    work: int  # of one picture
    left: int
    lane: "Lane"
    order: Order
    changes: int = 0  # how often it had been changed when this was known
    reserved: int = 0

    @property
    def is_free(self) -> bool:
        """Whether something of it can be reserved."""
        return self.left > self.reserved


class Mapped(msgspec.Struct, frozen=True, array_like=True):
    """What the map has of a request: in the order of the columns of `store.lanes.waiting`."""

    request_id: RequestId
    user_id: UserId
    rank: int
    work: int
    left: int
    lane_key: LaneKey
    changes: int


def place_in_line(rank: int, request_id: RequestId) -> Order:
    """Sorts the better rank first, and of two equal ranks the older request."""
    return (-rank, request_id)


def order_of(waiting: Waiting) -> Order:
    """The key that lines are sorted by."""
    return waiting.order


def a_line() -> "SortedKeyList[Waiting]":
    """An empty line."""
    return SortedKeyList(key=order_of)


@dataclass(eq=False, slots=True)
class Lane:
    """All waiting requests with one requirement, best rank first."""

    key: LaneKey
    requirement: Requirement
    slot: int
    line: "SortedKeyList[Waiting]" = field(default_factory=a_line)
    jobs: int = 0  # pictures that wait in it
    work: int = 0  # of all of these

    def free(self) -> Iterator[Waiting]:
        """Those of which something can be reserved, best first."""
        return (waiting for waiting in self.line if waiting.left > waiting.reserved)


class LaneMap:
    """Every waiting request, by lane, by user and by id."""

    def __init__(self) -> None:
        self.lanes: dict[LaneKey, Lane] = {}
        self.vacant: OrderedDict[LaneKey, Lane] = OrderedDict()
        self.requests: dict[RequestId, Waiting] = {}
        self.gone: OrderedDict[RequestId, int] = OrderedDict()  # the newest, after how many changes
        self.by_user: dict[UserId, dict[int, list[Waiting]]] = {}  # by the slot of its lane
        self.expected: OrderedDict[LaneKey, Requirement] = OrderedDict()  # of lanes to come
        self.columns: Columns[Lane] = Columns()
        self.positions = Positions()
        self.masks = Masks()
        self.views: OrderedDict[Capability, View] = OrderedDict()
        self.jobs = 0  # pictures that wait
        self.work = 0  # of all of these

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
        changes: int = 0,
    ) -> None:
        """Copy how many pictures of a request wait, as committed.

        What is older than what is known is let be: with several writers, it may come late.
        """
        waiting = self.requests.get(request_id)
        if changes < (self.gone.get(request_id, 0) if waiting is None else waiting.changes):
            return
        if left == 0:
            self.note_gone(request_id, changes)
            if waiting is not None:
                self.remove(waiting)
        elif waiting is not None:
            waiting.changes = changes
            more = left - waiting.left
            self.count(waiting, more)
            waiting.left = left
            self.positions.change(waiting.order, more, more * waiting.work)
            self.refresh(waiting.lane)
        else:
            lane = self.lanes.get(lane_key)
            if lane is None:
                lane = self.open_lane(lane_key, requirement)
            order = place_in_line(rank, request_id)
            self.insert(Waiting(request_id, user_id, rank, work, left, lane, order, changes))

    def note_gone(self, request_id: RequestId, changes: int) -> None:
        """Remember for a while that nothing of a request waited after so many changes."""
        self.gone[request_id] = changes
        if len(self.gone) > GONE_MAX:
            self.gone.popitem(last=False)

    def load(self, rows: Iterable[Row], requirements: Mapping[LaneKey, Requirement]) -> None:
        """Fill an empty map with all that waits; sorts once instead of a million times."""
        all_of_them: list[Waiting] = []
        for row in rows:
            key = row["lane_key"]
            lane = self.lanes.get(key) or self.open_lane(key, requirements[key])
            order = place_in_line(row["rank"], row["id"])
            waiting = Waiting(
                row["id"],
                row["user_id"],
                row["rank"],
                row["work"],
                row["waiting"],
                lane,
                order,
                row["changes"],
            )
            all_of_them.append(waiting)
        all_of_them.sort(key=order_of)
        lines: dict[LaneKey, list[Waiting]] = {}
        for waiting in all_of_them:
            lines.setdefault(waiting.lane.key, []).append(waiting)
            self.note(waiting).append(waiting)
        for key, line in lines.items():
            self.lanes[key].line.update(line)
            self.refresh(self.lanes[key])
        self.positions.load(
            [each.order for each in all_of_them],
            [each.lane.slot for each in all_of_them],
            ([each.left for each in all_of_them], [each.left * each.work for each in all_of_them]),
        )

    def requirement(self, key: LaneKey) -> Requirement | None:
        """The requirement of a lane that there is, was a while ago, or will be."""
        lane = self.lanes.get(key) or self.vacant.get(key)
        return self.expected.get(key) if lane is None else lane.requirement

    def expect(self, key: LaneKey, requirement: Requirement) -> None:
        """Something is going to wait in this lane."""
        self.expected[key] = requirement
        if len(self.expected) > EXPECTED_MAX:
            self.expected.popitem(last=False)

    def open_lane(self, key: LaneKey, requirement: Requirement) -> Lane:
        """A lane for a requirement that has none, or the one it had a while ago."""
        self.expected.pop(key, None)
        lane = self.vacant.pop(key, None)
        if lane is None:
            lane = Lane(key, requirement, self.columns.next_slot())
            self.columns.add(lane.slot, lane)
        self.lanes[key] = lane
        return lane

    def vacate(self, lane: Lane) -> None:
        """Nothing waits in a lane any more: keep it for a while, with the verdicts on it."""
        del self.lanes[lane.key]
        self.columns.set(lane.slot, None, 0)
        self.vacant[lane.key] = lane
        if len(self.vacant) > VACANT_MAX:
            _, oldest = self.vacant.popitem(last=False)
            self.columns.remove(oldest.slot)

    def insert(self, waiting: Waiting) -> None:
        """Put a request into its lane and into its user's lines."""
        lane, left = waiting.lane, waiting.left
        bisect.insort(self.note(waiting), waiting, key=order_of)
        self.positions.add(waiting.order, lane.slot, left, left * waiting.work)
        lane.line.add(waiting)
        self.refresh(lane)

    def note(self, waiting: Waiting) -> list[Waiting]:
        """Count a request that comes in; returns its user's line, into which it has to be put."""
        lane = waiting.lane
        self.requests[waiting.request_id] = waiting
        self.count(waiting, waiting.left)
        return self.by_user.setdefault(waiting.user_id, {}).setdefault(lane.slot, [])

    def remove(self, waiting: Waiting) -> None:
        """Take a request out; a lane or a user with nothing left goes too."""
        lane = waiting.lane
        del self.requests[waiting.request_id]
        lane.line.remove(waiting)
        self.positions.remove(waiting.order)
        self.count(waiting, -waiting.left)
        lines = self.by_user[waiting.user_id]
        own = lines[lane.slot]
        del own[bisect.bisect_left(own, waiting.order, key=order_of)]
        if not own:
            del lines[lane.slot]
            if not lines:
                del self.by_user[waiting.user_id]
        if lane.line:
            self.refresh(lane)
        else:
            self.vacate(lane)

    def forget(self, waiting: Waiting) -> None:
        """Take a request out that SQL does not know as waiting, unless that was done already."""
        if self.requests.get(waiting.request_id) is waiting:
            self.remove(waiting)

    def count(self, waiting: Waiting, jobs: int) -> None:
        """Count so many pictures more (or fewer) of a request."""
        work = jobs * waiting.work
        waiting.lane.jobs += jobs
        waiting.lane.work += work
        self.jobs += jobs
        self.work += work

    def refresh(self, lane: Lane) -> None:
        """Note a lane's head and length in the columns."""
        head = next(lane.free(), None)
        self.columns.set(lane.slot, None if head is None else head.rank, len(lane.line))

    # Reservations

    def reserve(self, waiting: Waiting) -> None:
        """One picture of a request is being given to a worker."""
        waiting.reserved += 1
        self.refresh_known(waiting)

    def release(self, waiting: Waiting) -> None:
        """It was given, or it was not; the commit says which."""
        waiting.reserved -= 1
        assert waiting.reserved >= 0, f"request {waiting.request_id} was released twice"
        self.refresh_known(waiting)

    def refresh_known(self, waiting: Waiting) -> None:
        """Note the head of a request's lane, unless it has left the lane meanwhile."""
        if self.requests.get(waiting.request_id) is waiting:
            self.refresh(waiting.lane)

    # Who may serve what

    def view(self, capability: Capability) -> View:
        """What a worker may serve, up to date."""
        view = self.views.get(capability)
        if view is None:
            room = max(1, min(VIEWS_MAX, VIEW_BYTES_MAX // max(1, self.columns.size)))
            while len(self.views) >= room:
                self.views.popitem(last=False)
            view = self.views[capability] = View(capability)
        else:
            self.views.move_to_end(capability)
        view.catch_up(self.columns)
        return view

    def verdict(self, lane: Lane, capability: Capability) -> Reason | None:
        """`why_not`, remembered."""
        return self.view(capability).verdict(lane.slot)

    def can_serve(self, requirement: Requirement) -> Callable[[Capability], bool]:
        """Says who may serve this; where something waits for it, as far as known from memory."""
        lane = self.lanes.get(key_of(requirement))

        def can(capability: Capability) -> bool:
            if lane is None or capability not in self.views:
                return why_not(requirement, capability) is None
            return self.view(capability).may_serve(lane.slot)

        return can

    def skipped(self, capability: Capability) -> dict[Reason, int]:
        """How many waiting requests a worker may not serve, by reason."""
        return self.view(capability).skipped(self.columns)

    # Handing out

    def candidates(self, capability: Capability) -> Iterator[Waiting]:
        """What this worker may be given, best rank first over all lanes."""
        slots = self.view(capability).allowed
        ranks = self.columns.ranks[slots]
        lines: dict[int, Iterator[Waiting]] = {}
        heads: dict[int, Waiting] = {}
        while len(ranks) and (best := ranks.max()) != EMPTY:
            ties = np.flatnonzero(ranks == best).tolist()
            for index in ties:
                if index not in heads:
                    lines[index] = self.columns.lanes[slots[index]].free()
                    heads[index] = next(lines[index])
            chosen = min(ties, key=lambda index: heads[index].order)
            yield heads.pop(chosen)
            following = next(lines[chosen], None)
            if following is not None:
                heads[chosen] = following
            ranks[chosen] = EMPTY if following is None else following.rank

    def candidates_of(
        self, user_ids: Iterable[UserId], capability: Capability
    ) -> Iterator[Waiting]:
        """What this worker may be given of these users' requests, user by user."""
        for user_id in user_ids:
            lines = self.by_user.get(user_id)
            if lines:
                view = self.view(capability)
                own = [
                    [each for each in line if each.is_free]
                    for slot, line in lines.items()
                    if view.may_serve(slot)
                ]
                yield from heapq.merge(*own, key=order_of)

    # Where one stands

    def ahead_of(self, waiting: Waiting, capabilities: frozenset[Capability]) -> tuple[int, int]:
        """Pictures and work that go before a request, in lanes its possible workers also serve.

        The request's own pictures are not counted.
        """
        lanes = (self.columns.log_end, self.columns.room)
        served = self.masks.get(capabilities, lanes)
        if served is None:
            served = self.served_by(capabilities)
            self.masks.put(capabilities, lanes, served)
        return self.positions.before(waiting.order, served)

    def ahead_by_lane(self, rank: int) -> ByLane:
        """What would go before a request of this rank that came last, lane by lane."""
        return self.positions.by_lane((-rank, LAST_ID))

    def waiting_by_lane(self) -> ByLane:
        """All that waits, lane by lane."""
        return ByLane(*(each.copy() for each in self.positions.total))

    def served_by(self, capabilities: Iterable[Capability]) -> Mask:
        """For each slot, whether any of these may serve its lane."""
        return united([self.view(each).bits for each in capabilities], self.columns.room)
