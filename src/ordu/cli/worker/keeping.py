"""The worker's settings file: written for its owner only, since it holds the key, and never lost.

Only what differs from the defaults is in it. What other tables say is kept; a file that somebody
wrote by hand is copied first, because its comments are not.
"""

import os
import shutil
import tomllib
from collections.abc import Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile

from ordu.cli.failures import Failure
from ordu.settings import BACKENDS, TABLES, WORKER_FILE, Settings, WorkerSettings, describe
from ordu.settings.writing import Place, as_toml

ALWAYS = frozenset({"url", "name", "backend"})  # said even where they are the defaults
COPIES_MAX = 100
OWNER_ONLY = 0o600
HEAD = "# Settings of this machine's worker, with a secret key: keep the file to yourself.\n"


class SettingsFile:
    """The file a worker's settings are written to."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve() if path.is_symlink() else path
        self.copy: Path | None = None  # of what was there before
        self._is_ours = False

    @classmethod
    def of(cls, config: Path | None) -> "SettingsFile":
        """The file that `ordu worker` will read: as named, or in the current folder."""
        return cls(config or Path(os.environ.get("ORDU_CONFIG") or WORKER_FILE))

    def save(self, settings: WorkerSettings, table: str, backend_settings: Settings) -> None:
        """Write it; `table` is the name that the settings of the backend are kept under.

        Raises:
            Failure: it is there and cannot be read, or there are too many copies.
            OSError: it cannot be written.
        """
        content = self._content()
        content[TABLES[WorkerSettings]] = differing(settings, ALWAYS)
        backends = content.get(BACKENDS)
        backends = dict(backends) if isinstance(backends, Mapping) else {}
        backends[table] = differing(backend_settings)
        content[BACKENDS] = {name: values for name, values in backends.items() if values}
        if not content[BACKENDS]:
            del content[BACKENDS]
        comments = {
            **_comments((TABLES[WorkerSettings],), type(settings)),
            **_comments((BACKENDS, table), type(backend_settings), table),
        }
        self._write(HEAD + as_toml(content, comments))

    def _content(self) -> dict[str, object]:
        try:
            return tomllib.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise Failure(f"{self.path} is no TOML, and is left as it is: {error}.") from error

    def _write(self, text: str) -> None:
        """Replace the file in one step; what was there before this command is copied once."""
        if not self._is_ours and self.path.exists() and self.path.read_text("utf-8") != text:
            self.copy = self._copy()
        self._is_ours = True
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # A temporary file is for its owner only from the moment it is there.
        with NamedTemporaryFile(
            "w", encoding="utf-8", dir=self.path.parent, prefix=self.path.name, delete=False
        ) as file:
            file.write(text)
        try:
            Path(file.name).replace(self.path)
        except OSError:
            Path(file.name).unlink(missing_ok=True)
            raise

    def _copy(self) -> Path:
        for number in range(COPIES_MAX):
            copy = self.path.with_name(f"{self.path.name}.bak{number or ''}")
            if not copy.exists():
                shutil.copy2(self.path, copy)
                copy.chmod(OWNER_ONLY)
                return copy
        raise Failure(f"There are {COPIES_MAX} copies of {self.path}: remove some.")


def differing(settings: Settings, always: frozenset[str] = frozenset()) -> dict[str, object]:
    """The settings whose value is not the default, and those to be said always."""
    return {
        each.name: getattr(settings, each.name)
        for each in describe(type(settings))
        if each.name in always or getattr(settings, each.name) != each.default
    }


def _comments(place: Place, kind: type[Settings], group: str = "") -> dict[Place, str]:
    return {(*place, each.name): each.description for each in describe(kind, group)}
