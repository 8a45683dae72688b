"""Providers from the settings, or one clear line why not."""

import ipaddress
import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ordu.rules.lifecycle import Millis
from ordu.settings import ServerSettings, SettingError

if TYPE_CHECKING:  # it loads what only a horde that names providers has
    from ordu.openid.provider import Provider

log = logging.getLogger(__name__)


def providers(settings: ServerSettings, now: Callable[[], Millis]) -> Mapping[str, "Provider"]:
    """The providers by which people may sign in, by their names in addresses.

    Raises:
        SettingError: the settings do not fit together, or what they need is not installed.
    """
    check(settings)
    if not settings.oidc:
        return {}
    try:
        from ordu.openid.provider import Provider, Told  # noqa: PLC0415 - most have no use for it
    except ModuleNotFoundError as error:
        raise SettingError(
            f"Signing in by OpenID Connect needs {error.name}, which is not installed: "
            "pip install 'ordu[server,oidc]'."
        ) from error
    told = (
        Told(
            key=key,
            name=settings.oidc_names.get(key, key),
            issuer=issuer,
            client_id=settings.oidc_client_ids[key],
            client_secret=settings.oidc_client_secrets.get(key, ""),
            scopes=settings.oidc_scopes,
        )
        for key, issuer in settings.oidc.items()
    )
    return {each.key: Provider(each, settings.oidc_timeout_s, now) for each in told}


def check(settings: ServerSettings) -> None:
    """Refuse settings of providers that do not fit together.

    Raises:
        SettingError: they do not.
    """
    for name in ("oidc_client_ids", "oidc_client_secrets", "oidc_names"):
        for key in getattr(settings, name):
            if key not in settings.oidc:
                raise SettingError(f"Setting {name} names {key}, which the setting oidc does not.")
    for key, issuer in settings.oidc.items():
        if key not in settings.oidc_client_ids:
            raise SettingError(
                f"Setting oidc names {key}, and oidc_client_ids does not say what that provider"
                " calls this horde."
            )
        if not issuer.startswith("https://") and not is_here(issuer):
            log.warning("provider %s is asked by plain http: whoever listens can sign in", key)
    if len(set(settings.oidc.values())) < len(settings.oidc):
        raise SettingError("Setting oidc names one issuer twice.")


def is_here(issuer: str) -> bool:
    """Whether an issuer is on this machine."""
    host = urlsplit(issuer).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
