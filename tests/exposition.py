"""Prometheus's text format (version 0.0.4), read as strictly as it is described."""

import re
from dataclasses import dataclass, field

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"')
SAMPLE = re.compile(
    rf"({NAME})(?:\{{((?:{LABEL.pattern})(?:,(?:{LABEL.pattern}))*)\}})? ([0-9.e+-]+|\+Inf)"
)
ENDINGS = {"histogram": ("_bucket", "_sum", "_count")}


@dataclass
class Metric:
    """One metric with its samples, by name and labels."""

    kind: str
    meaning: str
    samples: dict[tuple[str, frozenset[tuple[str, str]]], float] = field(default_factory=dict)


def read(text: str) -> dict[str, Metric]:
    """All metrics of a page by name."""
    assert text.endswith("\n")
    found: dict[str, Metric] = {}
    name = ""
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name, meaning = line.removeprefix("# HELP ").split(" ", 1)
            assert re.fullmatch(NAME, name), line
            assert name not in found, f"{name} comes twice"
            found[name] = Metric("", meaning)
        elif line.startswith("# TYPE "):
            typed, kind = line.removeprefix("# TYPE ").split(" ")
            assert typed == name, line
            assert kind in {"counter", "gauge", "histogram"}, line
            found[name].kind = kind
        else:
            keep(found[name], name, line)
    for name, metric in found.items():
        check(name, metric)
    return found


def keep(metric: Metric, name: str, line: str) -> None:
    sample = SAMPLE.fullmatch(line)
    assert sample, f"no sample: {line!r}"
    assert sample[1] in [name + end for end in ENDINGS.get(metric.kind, ("",))], line
    labels = LABEL.findall(sample[2] or "")
    assert len({key for key, _ in labels}) == len(labels), line
    key = (sample[1], frozenset(labels))
    assert key not in metric.samples, f"twice: {line}"
    metric.samples[key] = float(sample[sample.lastindex or 0])


def check(name: str, metric: Metric) -> None:
    """What is promised of each kind."""
    if metric.kind == "counter":
        assert name.endswith("_total"), name
        assert min(metric.samples.values(), default=0) >= 0
    if metric.kind == "histogram":
        check_histogram(name, metric)


def check_histogram(name: str, metric: Metric) -> None:
    """Buckets only grow, and the last is the count."""
    counts = {
        labels: n for (sample, labels), n in metric.samples.items() if sample.endswith("_count")
    }
    for labels, count in counts.items():
        buckets = {}
        for (sample, theirs), many in metric.samples.items():
            rest = {key: value for key, value in theirs if key != "le"}
            if sample == f"{name}_bucket" and rest == dict(labels):
                buckets[float(dict(theirs)["le"].replace("+Inf", "inf"))] = many
        in_order = [buckets[bound] for bound in sorted(buckets)]
        assert in_order == sorted(in_order)
        assert buckets[float("inf")] == count


def value(metrics: dict[str, Metric], name: str, **labels: str) -> float:
    """The one sample of a metric that has these labels, the process's aside."""
    (metric,) = (each for key, each in metrics.items() if name.startswith(key) and
                 name.removeprefix(key) in ("", *ENDINGS["histogram"]))  # fmt: skip
    (found,) = (
        number
        for (sample, theirs), number in metric.samples.items()
        if sample == name and {k: v for k, v in theirs if k != "process"} == labels
    )
    return found
