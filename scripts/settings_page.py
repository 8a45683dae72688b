"""Write the reference of settings from the settings themselves, so that the two never differ.

python scripts/settings_page.py            writes docs/reference/settings.md
python scripts/settings_page.py --check    writes nothing; exit status 1 when it is not current

Names, flags, bounds and descriptions come from `ordu.settings.describe`; only the words around the
tables stand here.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from ordu.settings import (
    TABLES,
    ClientSettings,
    ServerSettings,
    Setting,
    Settings,
    WorkerSettings,
    as_text,
    describe,
)

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "settings.md"

HEADINGS: dict[type[Settings], str] = {
    ServerSettings: "Server",
    WorkerSettings: "Worker",
    ClientSettings: "Client and commands",
}

INTRODUCTION = """\
# Settings

<!-- Written by scripts/settings_page.py from src/ordu/settings/. Edit that, run the script. -->

Every setting can be given in three ways. The first that gives a value counts:

1. a flag of the command, `--port 7002`;
2. an environment variable, `ORDU_PORT=7002`; an empty one gives nothing;
3. a file, `port = 7002` in the table `[server]`, `[worker]` or `[client]`. The file is the one
   named by `--config`, else by `ORDU_CONFIG`, else `ordu.toml` in the current folder.

Otherwise the default holds. A value that is not allowed stops the start with one line that says
which setting, where the value came from, and what is allowed. So do a name in the file that is no
setting and a variable that is nearly one of ours.

As text, a switch is `on` or `off` (`true`, `yes`, `1` and `false`, `no`, `0` do too), a list has
commas between its items, factors are `name=number` with commas between. In the file, switches,
numbers and lists may also be written as TOML has them.
"""


def main() -> int:
    """Write the page, or compare it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="only say whether it is current")
    check = parser.parse_args().check
    current = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    if current == page():
        return 0
    if check:
        print(f"Not current: {PAGE.name}. Run scripts/settings_page.py.", file=sys.stderr)
        return 1
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
    return 0


def page() -> str:
    """The whole page."""
    parts = [INTRODUCTION, *(section(kind) for kind in HEADINGS)]
    return "\n".join(parts)


def section(kind: type[Settings]) -> str:
    """The settings of one program, one row each."""
    title = f"## {HEADINGS[kind]}: `[{TABLES[kind]}]`"
    head = "| setting | flag | variable | takes | default | what it is |\n|---|---|---|---|---|---|"
    rows = "\n".join(f"| {' | '.join(map(in_cell, cells(each)))} |" for each in describe(kind))
    return f"{title}\n\n{head}\n{rows}\n"


def cells(setting: Setting) -> Iterator[str]:
    """One row of the table."""
    default = as_text(setting.default)
    yield f"`{setting.name}`"
    yield f"`{setting.flag}`"
    yield f"`{setting.environment}`"
    yield setting.type_words
    yield f"`{default}`" if default else "(nothing)"
    yield setting.description + (" Never shown." if setting.is_secret else "")


def in_cell(text: str) -> str:
    """Text that does not end its cell."""
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main())
