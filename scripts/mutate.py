"""Mutation check: change the code in small ways and see which changes no test notices.

A mutant is one file with one small mistake: `<` for `<=`, `+` for `-`, `and` for `or`, a number
that is one more, a condition turned around, a statement left out. It is tried in a copy of the
tree, with the tests that are nearest to its file first and wider ones after; a mutant that all of
them let pass has *survived*: a test is missing, or the line does nothing.

    make mutate                                        # a sample of everything that is watched
    .venv/bin/python scripts/mutate.py --most 100 --seed 2
    .venv/bin/python scripts/mutate.py --files src/ordu/rules/money.py
    .venv/bin/python scripts/mutate.py --since main    # only lines that were changed since

It ends with 1 when a mutant survived that is not known to be harmless (`HARMLESS`). Libraries for
this exist (mutmut, cosmic-ray); they take the whole suite for every mutant or a database of their
own, and neither knows that a few of our tests see most of what a file can break.
"""

import argparse
import ast
import copy
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

ROOT = Path(__file__).parents[1]
PACKAGE = "src/ordu"
LIMIT_S = 240  # a mutant may make a test run for ever
COPIED = ("src", "tests", "docs", "scripts", "pyproject.toml", "README.md")

# What is watched, and which tests are tried: each group only when the one before let a mutant pass.
NEAR_RULES = ["tests/unit/rules"]
NEAR_ENGINE = ["tests/unit/engine"]
WIDER = [
    ["tests/machines", "-m", "not slow", "-k", "no_order"],
    [
        "tests/unit/kinds",
        *(
            f"tests/api/test_{name}.py"
            for name in ("generate", "kudos", "leaving", "standing", "workers")
        ),
    ],
]
WATCHED: dict[str, list[list[str]]] = {
    **{
        f"rules/{name}.py": [NEAR_RULES, NEAR_ENGINE, *WIDER]
        for name in ("lifecycle", "limits", "matching", "money", "pricing", "ranking", "trust")
    },
    "store/ledger.py": [["tests/store/test_ledger.py"], NEAR_ENGINE, *WIDER],
    **{
        f"engine/{name}.py": [NEAR_ENGINE, *WIDER]
        for name in (
            "books", "checkin", "claim", "editing", "end", "lanes", "leaving", "place",
            "progress", "rewards", "running", "settle", "suspicion", "timeouts", "transfer",
        )
    },
}  # fmt: skip

# Survivors that change nothing anybody could see, by what was changed.
HARMLESS: dict[str, str] = {}


@dataclass(frozen=True)
class Mutant:
    """One file with one mistake."""

    path: str  # below the package
    line: int
    before: str
    after: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}  {self.before}  ->  {self.after}"


# Making them

COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult, ast.Mod: ast.Mult, ast.LShift: ast.RShift, ast.RShift: ast.LShift,
}  # fmt: skip


def changed(node: ast.AST) -> Iterator[ast.AST]:
    """The ways in which one node can be wrong."""
    yield from changed_value(node)
    yield from changed_step(node)


def changed_value(node: ast.AST) -> Iterator[ast.AST]:
    """The ways in which an expression can be wrong."""
    match node:
        case ast.Compare(ops=[operator]) if type(operator) in COMPARED:
            yield _with(node, ops=[COMPARED[type(operator)]()])
        case ast.BinOp() if type(node.op) in COMPUTED and not _is_union(node):
            yield _with(node, op=COMPUTED[type(node.op)]())
        case ast.BoolOp():
            yield _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
        case ast.UnaryOp(op=ast.Not()):
            yield node.operand
        case ast.Constant(value=bool()):
            yield _with(node, value=not node.value)
        case ast.Constant(value=int()):
            yield _with(node, value=node.value + 1)
        case ast.IfExp():
            yield _with(node, body=node.orelse, orelse=node.body)


def changed_step(node: ast.AST) -> Iterator[ast.AST]:
    """The ways in which a statement can be wrong."""
    match node:
        case ast.If() | ast.While():
            yield _with(node, test=ast.UnaryOp(ast.Not(), node.test))
        case ast.Expr(value=ast.Call() | ast.Await()) | ast.AugAssign() | ast.Delete():
            yield ast.copy_location(ast.Pass(), node)
        case ast.Return(value=ast.expr()) if not isinstance(node.value, ast.Constant):
            yield _with(node, value=ast.Constant(None))
        case ast.Break():
            yield ast.copy_location(ast.Continue(), node)
        case ast.Continue():
            yield ast.copy_location(ast.Break(), node)


def _with(node: ast.AST, **fields: object) -> ast.AST:
    made = copy.copy(node)
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def _is_union(node: ast.BinOp) -> bool:
    return isinstance(node.left, ast.Constant) and isinstance(node.left.value, str)


def mutants_of(path: str) -> Iterator[Mutant]:
    """Every mutant of a file; what stands in annotations, asserts and messages is left alone."""
    source = (ROOT / PACKAGE / path).read_text(encoding="utf-8")
    tree = ast.parse(source)
    for parent, name, index, node in list(places(tree)):
        for mistake in changed(node):
            _put(parent, name, index, mistake)
            text = ast.unparse(ast.fix_missing_locations(tree))
            _put(parent, name, index, node)
            yield Mutant(path, node.lineno, _short(node), _short(mistake), text)  # type: ignore[attr-defined] # every node that is changed has a place


Place = tuple[ast.AST, str, int | None, ast.AST]


def places(node: ast.AST) -> Iterator[Place]:
    """Every node that may be changed, with where it hangs."""
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list", "keywords_only"}:
            continue
        for index, child in enumerate(value) if isinstance(value, list) else ((None, value),):
            if isinstance(child, ast.Assert | ast.Raise | ast.Import | ast.ImportFrom):
                continue
            if isinstance(child, ast.JoinedStr):
                continue
            if isinstance(child, ast.AST):
                yield node, name, index, child
                yield from places(child)


def _put(parent: ast.AST, name: str, index: int | None, node: ast.AST) -> None:
    if index is None:
        setattr(parent, name, node)
    else:
        getattr(parent, name)[index] = node


def _short(node: ast.AST) -> str:
    text = ast.unparse(ast.fix_missing_locations(copy.deepcopy(node))).splitlines()[0]
    return text if len(text) <= 70 else text[:67] + "..."


# Trying them


class Trees:
    """Copies of the tree, one for each mutant that is tried at the same time."""

    def __init__(self, many: int) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="ordu-mutants-"))
        self.free: Queue[Path] = Queue()
        for number in range(many):
            tree = self.folder / str(number)
            tree.mkdir()
            for name in COPIED:
                source = ROOT / name
                (shutil.copytree if source.is_dir() else shutil.copy)(source, tree / name)
            self.free.put(tree)

    def check_whole(self, paths: set[str]) -> None:
        """Stop where tests fail without any mutant: everything would seem to be killed."""
        tree = self.free.get()
        groups = {tuple(tests) for path in paths for tests in WATCHED[path]}
        failing = [tests for tests in sorted(groups) if run_tests(tree, [*tests]) != "survived"]
        if failing:
            sys.exit(f"These tests fail without a mutant: {failing}.")
        self.free.put(tree)

    def try_out(self, mutant: Mutant) -> str:
        """What becomes of a mutant: killed, slow or survived."""
        tree = self.free.get()
        place = tree / PACKAGE / mutant.path
        whole = place.read_text(encoding="utf-8")
        place.write_text(mutant.text, encoding="utf-8")
        try:
            for tests in WATCHED[mutant.path]:
                outcome = run_tests(tree, tests)
                if outcome != "survived":
                    return outcome
            return "survived"
        finally:
            place.write_text(whole, encoding="utf-8")
            self.free.put(tree)


def run_tests(tree: Path, tests: list[str]) -> str:
    """Whether these tests fail in this tree."""
    marks = [] if "-m" in tests else ["-m", "not slow"]
    command = [
        sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *marks, *tests,
    ]  # fmt: skip
    ours = {"PYTHONPATH": str(tree / "src"), "PYTHONDONTWRITEBYTECODE": "1", "MUTANT": "1"}
    try:
        done = subprocess.run(  # noqa: S603 - our own tests
            command,
            cwd=tree,
            env=os.environ | ours,
            capture_output=True,
            timeout=LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "slow"
    assert done.returncode in {0, 1, 2}, done.stdout.decode()[-2000:] + done.stderr.decode()[-2000:]
    return "survived" if done.returncode == 0 else "killed"


def lines_since(revision: str) -> dict[str, set[int]]:
    """The lines of each watched file that were changed since a revision."""
    diff = subprocess.run(  # noqa: S603 - a revision, as git takes it
        ["git", "diff", "--unified=0", revision, "--", PACKAGE],  # noqa: S607
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    found: dict[str, set[int]] = {}
    path = ""
    for line in diff.splitlines():
        if line.startswith("+++ "):
            path = line.removeprefix("+++ b/").removeprefix(f"{PACKAGE}/")
        elif hunk := re.match(r"@@ -\S+ \+(\d+)(?:,(\d+))? @@", line):
            first, many = int(hunk[1]), int(hunk[2] or 1)
            found.setdefault(path, set()).update(range(first, first + many))
    return found


def chosen(options: argparse.Namespace) -> list[Mutant]:
    """The mutants that are asked for."""
    prefix = f"{PACKAGE}/"
    paths = [name.removeprefix(prefix) for name in options.files] or list(WATCHED)
    unknown = [path for path in paths if path not in WATCHED]
    if unknown:
        sys.exit(f"Not watched: {', '.join(unknown)}. Watched are: {', '.join(WATCHED)}.")
    mutants = [mutant for path in paths for mutant in mutants_of(path)]
    if options.since:
        lines = lines_since(options.since)
        mutants = [each for each in mutants if each.line in lines.get(each.path, ())]
    if options.most and len(mutants) > options.most:
        mutants = random.Random(options.seed).sample(mutants, options.most)  # noqa: S311
    return sorted(mutants, key=lambda each: (each.path, each.line))


def main() -> int:
    """Try the mutants and say what became of them."""
    parser = argparse.ArgumentParser(description="See which small mistakes no test notices.")
    parser.add_argument("--files", nargs="*", default=[], help="only these files")
    parser.add_argument("--since", help="only lines that were changed since this revision")
    parser.add_argument("--most", type=int, default=0, help="a random sample of so many")
    parser.add_argument("--seed", type=int, default=1, help="of the sample")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="at the same time")
    options = parser.parse_args()
    mutants = chosen(options)
    print(f"{len(mutants)} mutants", flush=True)
    trees = Trees(options.jobs)
    trees.check_whole({mutant.path for mutant in mutants})
    counts: Counter[tuple[str, str]] = Counter()
    survived = []
    with ThreadPoolExecutor(options.jobs) as pool:
        tried = zip(mutants, pool.map(trees.try_out, mutants), strict=True)
        for number, (mutant, outcome) in enumerate(tried, 1):
            is_harmless = outcome == "survived" and str(mutant).split("  ", 1)[1] in HARMLESS
            counts[mutant.path, "harmless" if is_harmless else outcome] += 1
            if number % 20 == 0:
                print(f"{number} of {len(mutants)} tried", flush=True)
            if outcome == "survived" and not is_harmless:
                survived.append(mutant)
                print(mutant, flush=True)
    shutil.rmtree(trees.folder)
    report(counts)
    return 1 if survived else 0


def report(counts: Counter[tuple[str, str]]) -> None:
    """The numbers, a line for each file."""
    outcomes = ("killed", "slow", "survived", "harmless")
    print(f"\n{'file':24}" + "".join(f"{outcome:>10}" for outcome in outcomes))
    for path in sorted({path for path, _ in counts}):
        print(f"{path:24}" + "".join(f"{counts[path, outcome]:>10}" for outcome in outcomes))
    sums = [sum(many for (_, each), many in counts.items() if each == out) for out in outcomes]
    print(f"{'all':24}" + "".join(f"{many:>10}" for many in sums))


if __name__ == "__main__":
    sys.exit(main())
