"""What is shown: results on standard output, progress and remarks on standard error.

Texts from elsewhere (prompts, names, messages) are shown as they are: no markup is read in them.
"""

import shutil
import sys
from functools import cache
from pathlib import Path

from rich.console import Console
from rich.text import Text


@cache
def out() -> Console:
    """Standard output."""
    return Console(highlight=False, markup=False, emoji=False, soft_wrap=True)


@cache
def remarks() -> Console:
    """Standard error."""
    return Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)


def label(name: str, value: str, width: int = 12) -> Text:
    """A line with a name in front: `  address     http://…`."""
    return Text.assemble("  ", (name.ljust(width), "bold"), value)


@cache
def ordu() -> str:
    """What to type for this command here: `ordu`, or `.venv/bin/ordu` where that is not found."""
    here = Path(sys.argv[0])
    found = shutil.which("ordu")
    if here.name != "ordu" or (found and Path(found).resolve() == here.resolve()):
        return "ordu"
    return str(here)


def clean(text: str) -> str:
    """Foreign text without control characters, which could move a terminal's cursor."""
    return "".join(each if each.isprintable() else " " for each in text)
