"""Write what an installed horde is made of, as CycloneDX (`make sbom`).

    .venv-audit/bin/python scripts/sbom.py .venv/bin/python dist/ordu.cdx.json

It lists what `ordu[all]` needs, directly or not, with version, licence and who needs whom, as the
environment of that Python has it, and the hashes of the lock file. What only tests and builds need
is not in it. The same environment and lock give the same bytes. No network is needed.
"""

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, TypeAlias

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements" / "run.txt"
ROOT_REF = "root-component"
VERSION = "1.6"
TIMEOUT_S = 120

Locked: TypeAlias = dict[str, dict[str, list[str]]]


def main() -> int:
    """Write the file; complain when it would not be valid."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("python", help="the Python of an environment with ordu[all]")
    parser.add_argument("out", type=Path)
    given = parser.parse_args()
    locked = hashes_in(LOCK.read_text("utf-8"))
    bom = with_hashes(only_needed(environment(given.python), set(locked)), locked)
    text = json.dumps(bom, indent=2, sort_keys=True) + "\n"
    if problem := JsonStrictValidator(SchemaVersion.from_version(VERSION)).validate_str(text):
        print(f"It is no valid CycloneDX: {problem}", file=sys.stderr)
        return 1
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(text, encoding="utf-8")
    print(f"{given.out}: {len(bom['components'])} components, valid CycloneDX {VERSION}")
    return 0


def environment(python: str) -> dict[str, Any]:
    """Everything that is installed beside this Python."""
    done = subprocess.run(  # noqa: S603 - our own tools
        [
            *(sys.executable, "-m", "cyclonedx_py", "environment", python),
            *("--pyproject", str(ROOT / "pyproject.toml"), "--output-reproducible"),
            *("--of", "JSON", "--sv", VERSION),
        ],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=True,
    )
    bom: dict[str, Any] = json.loads(done.stdout)
    return bom


def only_needed(bom: dict[str, Any], locked: set[str]) -> dict[str, Any]:
    """The same with only what the root needs, directly or not, of what the lock file has.

    What is installed beside it, and some package can use but need not have, is left out.
    """
    names = {each["bom-ref"]: name_of(each) for each in bom["components"]}
    needs = {each["ref"]: each.get("dependsOn", []) for each in bom["dependencies"]}
    needed: set[str] = set()
    open_ = [ROOT_REF]
    while open_:
        ref = open_.pop()
        if ref in needed or (ref != ROOT_REF and names[ref] not in locked):
            continue
        needed.add(ref)
        open_ += needs.get(ref, [])
    return bom | {
        "components": [each for each in bom["components"] if each["bom-ref"] in needed],
        "dependencies": [
            each | {"dependsOn": sorted(needed.intersection(each.get("dependsOn", [])))}
            for each in bom["dependencies"]
            if each["ref"] in needed
        ],
    }


def name_of(component: dict[str, Any]) -> str:
    """The name of a package as lock files write it."""
    return re.sub(r"[-_.]+", "-", component["name"]).lower()


def hashes_in(lock: str) -> Locked:
    """What a lock file allows: the hashes of the files of each version, by the package's name.

    A package may have several versions, for one Python or another.
    """
    found: Locked = {}
    hashes: list[str] = []
    for line in lock.splitlines():
        if named := re.match(r"([a-z0-9-]+)==([^\s;\\]+)", line):
            hashes = []
            found.setdefault(named[1], {})[named[2]] = hashes
        hashes += re.findall(r"--hash=sha256:([0-9a-f]{64})", line)
    return found


def with_hashes(bom: dict[str, Any], locked: Locked) -> dict[str, Any]:
    """The same with the hashes of the files that may be installed.

    Raises:
        SystemExit: the environment has another version than the lock file.
    """
    for each in bom["components"]:
        hashes = locked[name_of(each)].get(each["version"])
        if hashes is None:
            raise SystemExit(f"{each['bom-ref']} is not in {LOCK.name}: make setup")
        each.setdefault("externalReferences", []).append(
            {
                "type": "distribution",
                "url": each["purl"],
                "comment": "SHA-256 of each file of the package that the lock file allows",
                "hashes": [{"alg": "SHA-256", "content": digest} for digest in sorted(hashes)],
            }
        )
    return bom


if __name__ == "__main__":
    sys.exit(main())
