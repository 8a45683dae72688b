"""How a command reaches a horde."""

from ordu.client import AsyncHorde
from ordu.settings import SettingError


def connect(url: str, api_key: str, timeout_s: float = 60.0) -> AsyncHorde:
    """The horde at this address, seen with this key."""
    try:
        return AsyncHorde(url, api_key or None, timeout_s=timeout_s)
    except ValueError as error:
        raise SettingError(f"Setting url: {error}.") from error
