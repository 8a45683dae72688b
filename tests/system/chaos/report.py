"""The log of a run: what was done to the horde, what was asked of it, what it lost."""

from collections import Counter
from typing import Any

import msgspec
from tests.system.chaos.checks import Verdict
from tests.system.chaos.journal import Journal

SHOWN_MAX = 30


class Report(msgspec.Struct):
    """The log, as `--json` writes it."""

    seed: int
    seconds_of_faults: float
    seconds: float
    faults: dict[str, int]
    requests_placed: int
    requests_acknowledged: int
    requests_made_though_never_acknowledged: int
    requests_cancelled: int
    jobs_handed_out: int
    pictures_accepted: int
    pictures_delivered: int
    transfers_acknowledged: int
    lost: list[str]
    paid_twice: list[str]
    wrong: list[str]
    calls: dict[str, dict[str, int]]
    connections_at_most: int
    keepers: int
    story: list[str]

    @classmethod
    def of(
        cls,
        seed: int,
        journal: Journal,
        verdict: Verdict,
        faults_s: float,
        all_s: float,
        connections_max: int,
    ) -> "Report":
        """The log of what was noted and found."""
        calls: dict[str, dict[str, int]] = {}
        for (name, outcome), times in sorted(journal.calls.items()):
            calls.setdefault(name, {})[outcome] = times
        return cls(
            seed=seed,
            seconds_of_faults=round(faults_s, 1),
            seconds=round(all_s, 1),
            faults=dict(sorted(journal.faults.items())),
            requests_placed=journal.asked["requests"],
            requests_acknowledged=len(journal.requests),
            requests_made_though_never_acknowledged=verdict.never_acknowledged,
            requests_cancelled=sum(each.is_cancelled for each in journal.requests.values()),
            jobs_handed_out=len(journal.jobs),
            pictures_accepted=sum(bool(each.rewards) for each in journal.jobs.values()),
            pictures_delivered=verdict.pictures,
            transfers_acknowledged=sum(each.is_acknowledged for each in journal.gifts.values()),
            lost=verdict.lost,
            paid_twice=verdict.twice,
            wrong=verdict.wrong,
            calls=calls,
            connections_at_most=connections_max,
            keepers=verdict.keepers,
            story=journal.story,
        )

    @property
    def is_good(self) -> bool:
        """Whether nothing was lost, paid twice or otherwise wrong."""
        return not (self.lost or self.paid_twice or self.wrong)

    def as_text(self) -> str:
        """The log for people."""
        outcomes: Counter[str] = Counter()
        for by_outcome in self.calls.values():
            outcomes.update(by_outcome)
        rows: list[tuple[str, Any]] = [
            ("seed", self.seed),
            ("seconds of faults", self.seconds_of_faults),
            ("seconds in all", self.seconds),
            ("", ""),
            *self.faults.items(),
            ("", ""),
            ("requests placed", self.requests_placed),
            ("requests acknowledged", self.requests_acknowledged),
            ("  of these cancelled", self.requests_cancelled),
            (
                "requests made though never acknowledged",
                self.requests_made_though_never_acknowledged,
            ),
            ("jobs handed out", self.jobs_handed_out),
            ("pictures accepted, and their workers told so", self.pictures_accepted),
            ("pictures delivered, compared byte for byte", self.pictures_delivered),
            ("transfers acknowledged", self.transfers_acknowledged),
            ("connections to the database at most", self.connections_at_most),
            ("", ""),
            ("lost", len(self.lost)),
            ("paid twice", len(self.paid_twice)),
            ("otherwise wrong", len(self.wrong)),
            ("", ""),
            ("calls made", outcomes.total()),
            *((f"  {name}", times) for name, times in outcomes.most_common()),
        ]
        lines = [f"{name:<48}{value:>10}".rstrip() for name, value in rows]
        for title, found in (
            ("lost", self.lost),
            ("paid twice", self.paid_twice),
            ("wrong", self.wrong),
        ):
            lines += [f"{title}: {each}" for each in found[:SHOWN_MAX]]
        return "\n".join(lines)
