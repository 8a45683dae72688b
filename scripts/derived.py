"""Pages that are derived from the code: written, or with `--check` only compared."""

import sys
from pathlib import Path


def write_or_check(page: Path, text: str) -> int:
    """Write a page, or say whether it is current; the status to exit with."""
    if "--check" in sys.argv:
        if page.exists() and page.read_text(encoding="utf-8") == text:
            return 0
        print(f"{page.name} is not what the code says; run `make pages`.")
        return 1
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(text, encoding="utf-8")
    return 0
