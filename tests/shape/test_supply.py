"""What a horde is built from: locked, of licences that fit ours, listed, and asked about."""

import json
import re
import subprocess
import sys
from importlib.metadata import Distribution, distributions
from pathlib import Path

import pytest
from scripts import audit

ROOT = Path(__file__).parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
AUDIT = ROOT / ".venv-audit"

# What may stand beside Apache-2.0 in one program. MPL-2.0 binds only changed files of its own.
FITTING = {
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0", "ISC", "MIT",
    "MIT-0", "MIT-CMU", "MPL-2.0", "PSF-2.0", "Python-2.0", "Unlicense", "Zlib",
}  # fmt: skip
# How packages without an SPDX expression say the same.
IN_OTHER_WORDS = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
# What names none, and why it fits.
READ_BY_HAND = {"axe-playwright-python": "MIT", "python-dateutil": "Apache-2.0"}


def named_in(lock: Path) -> set[str]:
    lines = lock.read_text(encoding="utf-8").splitlines()
    return {found[1] for line in lines if (found := re.match(r"([a-z0-9-]+)==", line))}


INSTALLED = {
    re.sub(r"[-_.]+", "-", each.metadata["Name"]).lower(): each for each in distributions()
}


def licences_of(name: str, package: Distribution) -> set[str]:
    """Every licence a package names; of alternatives all of them."""
    if name in READ_BY_HAND:
        return {READ_BY_HAND[name]}
    about = package.metadata
    if expression := about.get("License-Expression"):
        return set(re.split(r"\s+(?:AND|OR)\s+|[()]", expression)) - {""}
    kinds = [each for each in about.get_all("Classifier") or [] if each.startswith("License ::")]
    said = {each.rpartition(" :: ")[2] for each in kinds} - {"DFSG approved", "OSI Approved"}
    return {IN_OTHER_WORDS.get(each, each) for each in said} or {about.get("License") or "none"}


@pytest.mark.parametrize("lock", ["run", "dev"])
def test_every_licence_fits_ours(lock):
    names = named_in(ROOT / "requirements" / f"{lock}.txt")
    here = {name: licences_of(name, INSTALLED[name]) for name in names & INSTALLED.keys()}
    assert len(here) > 40
    assert {name: found for name, found in here.items() if found - FITTING} == {}


def test_all_that_runs_is_installed_and_so_was_looked_at():
    assert named_in(ROOT / "requirements" / "run.txt") - INSTALLED.keys() <= {"tzdata", "colorama"}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.stem)
def test_every_line_of_a_lock_file_is_pinned_and_hashed(lock):
    text = re.sub(r"\\\n\s*", " ", lock.read_text(encoding="utf-8"))
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    assert lines
    assert [
        line[:60]
        for line in lines
        if not re.match(r"[a-z0-9.-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", line)
    ] == []


@pytest.mark.parametrize("target", ["run", "dev", "sdk", "openai", "tools", "diffusers", "audit"])
def test_what_is_locked_is_installed_by_its_hashes(target):
    makefile = re.sub(r"\\\n\s*", " ", (ROOT / "Makefile").read_text(encoding="utf-8"))
    lines = [
        line
        for line in makefile.splitlines()
        if f"requirements/{target}.txt" in line and "install" in line
    ]
    assert lines
    assert [line for line in lines if "--require-hashes" not in line] == []


# What pip-audit says, and what we make of it

CLEAN = {"dependencies": [{"name": "click", "version": "8.5.1", "vulns": []}], "fixes": []}
KNOWN = {
    "dependencies": [
        {"name": "click", "version": "8.5.1", "vulns": []},
        {
            "name": "old",
            "version": "1.0",
            "vulns": [{"id": "PYSEC-2026-1", "fix_versions": ["1.1"], "aliases": []}],
        },
    ]
}
ELSEWHERE = {"dependencies": [{"name": "click", "skip_reason": "Dependency not found on PyPI"}]}


@pytest.mark.parametrize(
    ("report", "words", "status", "strict"),
    [
        pytest.param(CLEAN, "1 packages audited, 0 weaknesses", 0, 0, id="nothing is known"),
        pytest.param(KNOWN, "old 1.0: PYSEC-2026-1, mended in 1.1", 1, 1, id="a weakness"),
        pytest.param(ELSEWHERE, "NOT AUDITED", 0, 2, id="another index than PyPI"),
    ],
)
def test_what_an_audit_finds_is_told(report, words, status, strict):
    found = audit.read(report)
    assert words in audit.in_words(found)
    assert audit.exit_status([found], is_strict=False) == status
    assert audit.exit_status([found], is_strict=True) == strict


def test_without_network_an_audit_says_so_and_fails_nothing():
    found = audit.Found(why="no answer in 300 s")
    assert audit.in_words(found) == "NOT AUDITED: no answer in 300 s"
    assert audit.exit_status([found], is_strict=False) == 0
    assert audit.exit_status([found], is_strict=True) == 2


@pytest.mark.slow
def test_what_a_horde_is_made_of_is_listed_in_a_valid_document(tmp_path):
    if not (AUDIT / ".made").exists():
        pytest.skip("what lists it is not installed: make setup-audit")
    outs = [tmp_path / "first.json", tmp_path / "second.json"]
    for out in outs:
        done = subprocess.run(
            [AUDIT / "bin/python", "scripts/sbom.py", sys.executable, out],
            cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "valid CycloneDX 1.6" in done.stdout
    assert outs[0].read_bytes() == outs[1].read_bytes()
    bom = json.loads(outs[0].read_bytes())
    listed = {re.sub(r"[-_.]+", "-", each["name"]).lower() for each in bom["components"]}
    assert {"httpx", "starlette", "cryptography", "pillow", "anyio"} <= listed
    assert not listed & {"pytest", "moto", "ruff", "hatchling"}
    assert all(each["licenses"] for each in bom["components"])
    assert all(each["externalReferences"][-1]["hashes"] for each in bom["components"])
