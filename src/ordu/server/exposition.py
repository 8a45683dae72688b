"""Exposition: numbers as Prometheus reads them (its text format, version 0.0.4).

Every number carries the label `process`, so that those of several processes of one horde can be
told apart (`server.own_port`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ordu.engine.tally import Histogram

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Labels = Mapping[str, str]
ESCAPED = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})


@dataclass(frozen=True)
class Page:
    """The numbers of one process, in the making."""

    process: int
    lines: list[str] = field(default_factory=list)

    def put(
        self, name: str, kind: str, meaning: str, values: float | Mapping[tuple[str, ...], float],
        labels: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        """One number, or one for each value of these labels.

        A counter only goes up while the process lives; a gauge is as it is now.
        """
        self.begin(name, kind, meaning)
        if not isinstance(values, Mapping):
            self.line(name, {}, values)
            return
        for key, value in values.items():
            self.line(name, dict(zip(labels, key, strict=True)), value)

    def put_histogram(
        self, name: str, meaning: str, histograms: Mapping[str, Histogram] | Histogram,
        label: str = "",
    ) -> None:  # fmt: skip
        """How many values were within which bounds; one, or one for each value of a label."""
        self.begin(name, "histogram", meaning)
        if isinstance(histograms, Histogram):
            histograms = {"": histograms}
        for key, histogram in histograms.items():
            labels = {label: key} if label else {}
            below = 0
            for bound, count in zip(histogram.bounds, histogram.counts, strict=False):
                below += count
                self.line(f"{name}_bucket", {**labels, "le": number(bound)}, below)
            below += histogram.counts[-1]
            self.line(f"{name}_bucket", {**labels, "le": "+Inf"}, below)
            self.line(f"{name}_sum", labels, histogram.total)
            self.line(f"{name}_count", labels, below)

    def begin(self, name: str, kind: str, meaning: str) -> None:
        """What the lines that follow mean."""
        self.lines.extend((f"# HELP {name} {meaning}", f"# TYPE {name} {kind}"))

    def line(self, name: str, labels: Labels, value: float) -> None:
        """One number."""
        told = "".join(f',{key}="{text.translate(ESCAPED)}"' for key, text in labels.items())
        self.lines.append(f'{name}{{process="{self.process}"{told}}} {number(value)}')

    def text(self) -> str:
        """All of them."""
        return "\n".join(self.lines) + "\n"


def number(value: float) -> str:
    """A number without needless digits."""
    return str(int(value)) if value == int(value) else repr(float(value))


def by_one(values: Mapping[str, float]) -> Mapping[tuple[str, ...], float]:
    """Numbers by the value of one label."""
    return {(key,): value for key, value in sorted(values.items())}


def by_two(values: Iterable[tuple[str, str, float]]) -> Mapping[tuple[str, ...], float]:
    """Numbers by the values of two labels."""
    return {(first, second): value for first, second, value in sorted(values)}
