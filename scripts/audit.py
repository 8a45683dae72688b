"""Ask whether anything in the lock files is known to be vulnerable (`make audit`).

    .venv-audit/bin/python scripts/audit.py            for people: no network is said and forgiven
    .venv-audit/bin/python scripts/audit.py --strict   for a daily run: what was not asked fails too

pip-audit asks the advisories of PyPI, so this needs the network. It never runs among the tests.
Exit status: 0 nothing is known, or nobody could be asked; 1 something is known; 2 strict, and
something could not be asked.
"""

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ("run", "diffusers", "dev", "audit")  # what runs first
TIMEOUT_S = 300


@dataclass
class Found:
    """What is known of one lock file; `why` says why nobody could be asked at all."""

    audited: int = 0
    skipped: list[str] = field(default_factory=list)
    vulnerable: list[str] = field(default_factory=list)
    why: str = ""


def main() -> int:
    """Audit each lock file and say what is known."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--strict", action="store_true", help="fail where nobody could be asked")
    is_strict = parser.parse_args().strict
    found = {lock: audit(ROOT / "requirements" / f"{lock}.txt") for lock in LOCKS}
    for lock, each in found.items():
        print(f"requirements/{lock}.txt: {in_words(each)}")
    return exit_status(list(found.values()), is_strict=is_strict)


def audit(lock: Path) -> Found:
    """Ask about everything in one lock file."""
    command = [
        *(sys.executable, "-m", "pip_audit", "--requirement", str(lock)),
        *("--require-hashes", "--disable-pip", "--format", "json", "--progress-spinner", "off"),
    ]
    try:
        done = subprocess.run(  # noqa: S603 - our own tool
            command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return Found(why=f"no answer in {TIMEOUT_S} s")
    try:
        return read(json.loads(done.stdout))
    except (ValueError, KeyError, TypeError):
        last = (done.stderr.strip().splitlines() or ["pip-audit said nothing"])[-1]
        return Found(why=last[:300])


def read(report: dict[str, Any]) -> Found:
    """What pip-audit reports; it calls those "skipped" which its source does not know."""
    found = Found()
    for each in report["dependencies"]:
        if "skip_reason" in each:
            found.skipped.append(each["name"])
            continue
        found.audited += 1
        found.vulnerable += [
            f"{each['name']} {each['version']}: {known['id']}, mended in"
            f" {', '.join(known['fix_versions']) or 'no version yet'}"
            for known in each["vulns"]
        ]
    return found


def in_words(found: Found) -> str:
    """What is known of a lock file, for people."""
    if found.why or not found.audited:
        why = found.why or "the advisories know none of them; is this PyPI?"
        return f"NOT AUDITED: {why}"
    lines = [f"{found.audited} packages audited, {len(found.vulnerable)} weaknesses are known"]
    lines += found.vulnerable
    if found.skipped:
        lines.append(f"not audited: {', '.join(found.skipped)}")
    return "\n  ".join(lines)


def exit_status(found: list[Found], *, is_strict: bool) -> int:
    """0, or why not."""
    if any(each.vulnerable for each in found):
        return 1
    is_whole = all(each.audited and not each.skipped and not each.why for each in found)
    return 2 if is_strict and not is_whole else 0


if __name__ == "__main__":
    sys.exit(main())
