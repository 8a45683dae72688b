"""The looks of the doctor, in the order in which they are taken."""

from collections.abc import Iterator

from ordu.cli.doctor import address, folder, kept
from ordu.cli.doctor.finding import Look
from ordu.settings import Reading, ServerSettings


def looks(reading: Reading[ServerSettings], *, quick: bool) -> Iterator[Look]:
    """All of them."""
    settings = reading.values
    yield Look("settings file", lambda: folder.settings_file(reading))
    yield Look("data folder", lambda: folder.data(settings))
    yield Look("database", lambda: kept.database(settings, quick=quick))
    yield Look("secret", lambda: kept.secret(settings))
    yield Look("secret's database", lambda: kept.fingerprint(settings), "database")
    yield Look("clock", lambda: kept.clock(settings), "database")
    yield Look("chores", lambda: kept.chores(settings), "database")
    yield Look("books", lambda: kept.books(settings, quick=quick), "database")
    yield Look("pictures", lambda: kept.pictures(settings))
    yield Look("disk", lambda: folder.disk(settings))
    yield Look("backups", lambda: kept.backups(settings), "database")
    yield Look("limits", folder.limits)
    yield Look("server", lambda: address.server(settings))
    yield Look("public address", lambda: address.public(settings))
    yield Look("proxies", lambda: address.proxies(settings))
