"""Write the reference of settings from the settings themselves, so that the two never differ.

python scripts/settings_page.py            writes docs/reference/settings.md
python scripts/settings_page.py --check    writes nothing; exit status 1 when it is not current

Names, flags, bounds and descriptions come from `ordu.settings.describe`; only the words around the
tables stand here.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from derived import write_or_check

from ordu.settings import (
    BACKENDS,
    TABLES,
    ClientSettings,
    ServerSettings,
    Setting,
    Settings,
    WorkerSettings,
    as_text,
    describe,
)
from ordu.worker.backends import installed, load

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
   named by `--config`, else by `ORDU_CONFIG`, else `ordu.toml` in the current folder. A worker
   reads `ordu-worker.toml` instead, where there is one.

Otherwise the default holds. A value that is not allowed stops the start with one line that says
which setting, where the value came from, and what is allowed. So do a name in the file that is no
setting and a variable that is nearly one of ours.

As text, a switch is `on` or `off` (`true`, `yes`, `1` and `false`, `no`, `0` do too), a list has
commas between its items, factors are `name=number` with commas between. In the file, switches,
numbers and lists may also be written as TOML has them.
"""

BACKENDS_INTRODUCTION = """\
## Backends

What a worker's backend is told stands in a table of its own and has variables of its own. On the
command line it is `ordu worker --set NAME=VALUE`, as often as needed. What each backend can do
stands in [backends](backends/README.md).
"""


def main() -> int:
    """Write the page, or compare it."""
    return write_or_check(PAGE, page())


def page() -> str:
    """The whole page."""
    parts = [INTRODUCTION]
    parts += [section(f"{HEADINGS[kind]}: `[{TABLES[kind]}]`", describe(kind)) for kind in HEADINGS]
    parts.append(BACKENDS_INTRODUCTION)
    for name in installed():
        if settings := describe(load(name).settings_type, name):
            parts.append(section(f"Backend {name}: `[{BACKENDS}.{name}]`", settings))
    return "\n".join(parts)


def section(title: str, settings: Sequence[Setting]) -> str:
    """A table of settings, one row each."""
    head = "| setting | flag | variable | takes | default | what it is |\n|---|---|---|---|---|---|"
    rows = "\n".join(f"| {' | '.join(map(in_cell, cells(each)))} |" for each in settings)
    return f"## {title}\n\n{head}\n{rows}\n"


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
