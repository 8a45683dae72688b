"""Every setting of server, worker and client, and the one reader that fills them.

A setting is a field of one of three structs (`server`, `remote`): its bounds, its description and
what may be said about it in a refusal stand in its annotation (`setting`), so that the reader
(`reader`), the command line and the reference all come from the same line. A value comes from the
first place that gives one: flag, environment (`ORDU_` + the name in capitals), file (`ordu.toml`),
default. An empty environment variable gives none. Text is read alike wherever it stands: `on` and
`off` for switches, commas between the items of a list, `name=number` between commas for factors.
"""

from ordu.settings.reader import (
    BACKENDS,
    TABLES,
    WORKER_FILE,
    Origin,
    Reading,
    SettingError,
    Source,
    read,
    settings_file,
)
from ordu.settings.remote import ClientSettings, WorkerSettings
from ordu.settings.server import Baseline, Factor, ServerSettings
from ordu.settings.setting import Setting, Settings, about, as_text, describe

__all__ = [
    "BACKENDS",
    "TABLES",
    "WORKER_FILE",
    "Baseline",
    "ClientSettings",
    "Factor",
    "Origin",
    "Reading",
    "ServerSettings",
    "Setting",
    "SettingError",
    "Settings",
    "Source",
    "WorkerSettings",
    "about",
    "as_text",
    "describe",
    "read",
    "settings_file",
]
