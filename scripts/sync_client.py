"""Derive the sync client from the async one, so that the two can never differ.

    python scripts/sync_client.py            writes src/ordu/client/_sync*.py
    python scripts/sync_client.py --check    writes nothing; exit status 1 when they are not current

`unasync` takes `async` and `await` away and replaces names by the table below, except in
docstrings, whose examples are put right here; ruff puts imports and lines in order. What cannot be
derived by renaming stands in modules that both share.
"""

import argparse
import difflib
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import unasync

ROOT = Path(__file__).resolve().parent.parent
CLIENT = ROOT / "src" / "ordu" / "client"
FILES = {
    "_async.py": "_sync.py",
    "_async_line.py": "_sync_line.py",
    "_async_links.py": "_sync_links.py",
    "_async_operations.py": "_sync_operations.py",
    "_async_registering.py": "_sync_registering.py",
    "_async_request.py": "_sync_request.py",
    "_async_sign_ins.py": "_sync_sign_ins.py",
    "_async_running.py": "_sync_running.py",
    "_async_stream.py": "_sync_stream.py",
    "_async_surroundings.py": "_sync_surroundings.py",
    "_async_webhooks.py": "_sync_webhooks.py",
}

# Names that start with Async and have no entry begin with Sync afterwards (AsyncLine, …).
NAMES = {
    "AsyncBaseTransport": "BaseTransport",
    "AsyncClient": "Client",
    "AsyncHorde": "Horde",
    "_async_line": "_sync_line",
    "_async_links": "_sync_links",
    "_async_operations": "_sync_operations",
    "_async_registering": "_sync_registering",
    "_async_request": "_sync_request",
    "_async_sign_ins": "_sync_sign_ins",
    "_async_running": "_sync_running",
    "_async_stream": "_sync_stream",
    "_async_surroundings": "_sync_surroundings",
    "_async_webhooks": "_sync_webhooks",
    "aclose": "close",
    "aclosing": "closing",
    "aiter_bytes": "iter_bytes",
    "async_aside": "sync_aside",
    "async_many": "sync_many",
    "async_shielded": "sync_shielded",
    "async_sleep": "sync_sleep",
}
NOTE = "# Derived from {source} by scripts/sync_client.py: edit that, then `make sync-client`.\n"


def main() -> int:
    """Write the derived files, or compare them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="only say whether they are current")
    check = parser.parse_args().check
    outdated = [
        name for name, text in derive().items() if not _settle(CLIENT / name, text, check=check)
    ]
    if outdated and check:
        print(f"Not current: {', '.join(outdated)}. Run `make sync-client`.", file=sys.stderr)
        return 1
    return 0


def derive() -> dict[str, str]:
    """The derived files as they should be, by name."""
    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder) / "before", Path(folder) / "after"
        before.mkdir()
        for source, target in FILES.items():
            _, _, text = (CLIENT / source).read_text(encoding="utf-8").partition("\n")
            (before / target).write_text(NOTE.format(source=source) + text, encoding="utf-8")
        rule = unasync.Rule(f"{before}/", f"{after}/", NAMES)
        unasync.unasync_files([str(before / target) for target in FILES.values()], [rule])
        return {
            target: _in_shape(target, _told((after / target).read_text(encoding="utf-8")))
            for target in FILES.values()
        }


def _told(text: str) -> str:
    """The text with its docstrings made sync too; nothing else in it has these words by now."""
    text = re.sub(r"\bawait |\basync (?=with |for |def )", "", text)
    return re.sub(r"\bAsyncHorde\b|\baclos(?:e|ing)\b", lambda name: NAMES[name[0]], text)


def _in_shape(name: str, text: str) -> str:
    """The text with imports and lines as ruff wants them in a file of this name."""
    first_party = '--config=lint.isort.known-first-party=["ordu"]'  # also when it is not there yet
    for step in (["check", "--quiet", "--select=I", "--fix", first_party], ["format"]):
        command = [Path(sys.executable).with_name("ruff"), *step]
        text = subprocess.run(  # noqa: S603 - our own tool
            [*command, f"--stdin-filename={CLIENT / name}", "-"],
            input=text,
            stdout=subprocess.PIPE,
            check=True,
            cwd=ROOT,
            encoding="utf-8",
        ).stdout
    return text


def _settle(path: Path, text: str, *, check: bool) -> bool:
    """Whether the file had this text; when not, write it, or with `check` show the difference."""
    current = path.read_text(encoding="utf-8") if path.exists() else ""
    if current == text:
        return True
    if check:
        lines = current.splitlines(keepends=True), text.splitlines(keepends=True)
        sys.stderr.writelines(difflib.unified_diff(*lines, str(path.name), "derived"))
    else:
        path.write_text(text, encoding="utf-8")
    return False


if __name__ == "__main__":
    sys.exit(main())
