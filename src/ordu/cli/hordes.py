"""How a command reaches a horde."""

from collections.abc import Iterator
from contextlib import contextmanager

from ordu.client import AsyncHorde, Horde
from ordu.settings import ClientSettings, SettingError, WorkerSettings


def connect(settings: ClientSettings | WorkerSettings, timeout_s: float = 60.0) -> AsyncHorde:
    """The horde that is meant by these settings."""
    with _address_read():
        return AsyncHorde(
            settings.url,
            settings.api_key or None,
            timeout_s=timeout_s,
            private_links=settings.private_links,
        )


def connect_plainly(settings: ClientSettings) -> Horde:
    """The same for a command that asks one thing after the other."""
    with _address_read():
        return Horde(
            settings.url,
            settings.api_key or None,
            timeout_s=settings.timeout_s,
            private_links=settings.private_links,
        )


@contextmanager
def _address_read() -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise SettingError(f"Setting url: {error}.") from error
