"""Names of models this machine has heard of, kept for shell completion, which asks no horde.

They are heard when somebody looks at a horde or gets a picture from one. A file that cannot be read
or written only means that nothing is completed.
"""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

MODELS_MAX = 1000
NAME_CHARACTERS_MAX = 255
FILE_BYTES_MAX = 1024 * 1024


def models_file() -> Path:
    """Where they are kept: `~/.local/state/ordu/models`, unless `XDG_STATE_HOME` says otherwise."""
    named = os.environ.get("XDG_STATE_HOME", "")
    state = Path(named) if named.startswith("/") else Path.home() / ".local" / "state"
    return state / "ordu" / "models"


def known_models() -> list[str]:
    """The names that were heard of, the newest first."""
    try:
        with models_file().open("rb") as file:
            text = file.read(FILE_BYTES_MAX).decode("utf-8", "replace")
    except (OSError, RuntimeError):  # no home
        return []
    return [line for line in text.splitlines() if line][:MODELS_MAX]


def remember_models(names: Iterable[str]) -> None:
    """Keep these names too."""
    heard = [name for name in dict.fromkeys(names) if _is_name(name)]
    before = known_models()
    after = list(dict.fromkeys([*heard, *before]))[:MODELS_MAX]
    if not heard or set(after) == set(before):
        return
    with suppress(OSError, RuntimeError):
        path = models_file()
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(f".{os.getpid()}")
        new.write_text("".join(f"{name}\n" for name in after), encoding="utf-8")
        new.replace(path)


def _is_name(name: str) -> bool:
    return 0 < len(name) <= NAME_CHARACTERS_MAX and name.isprintable()
