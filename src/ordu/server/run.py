"""Assemble, start and stop: every object of a server is made here, once, and handed down."""

import asyncio
import ipaddress
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from ordu import failpoints
from ordu.engine import accounts
from ordu.engine.clock import Clock, SystemClock
from ordu.engine.fresh import Fresh
from ordu.engine.horde import Horde
from ordu.engine.presence import Presence
from ordu.engine.sweeper import Sweeper
from ordu.images.door import Door, Resolver, resolve
from ordu.images.links import Links
from ordu.images.store import open_store
from ordu.kinds.catalogue import read_catalogue
from ordu.server.app import make_app
from ordu.server.listening import Started, addresses, inherited, listen
from ordu.server.onewrite import Protocol
from ordu.server.secret import Secret, check_fingerprint, read_secret
from ordu.server.stopping import Server, stops_within_s
from ordu.settings import ServerSettings, SettingError
from ordu.store.database import Database
from ordu.store.migrations import SchemaError, bring_up_to_date
from ordu.store.sqlite import Sqlite

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Opened:
    """A horde that is open, with its secret."""

    horde: Horde
    secret: Secret
    new_admin_key: str | None


@asynccontextmanager
async def open_horde(
    settings: ServerSettings,
    base_url: str,
    *,
    clock: Clock | None = None,
    fresh: Fresh | None = None,
    resolver: Resolver = resolve,
) -> AsyncIterator[Opened]:
    """Open everything a horde has, and close it again in the right order.

    Raises:
        SettingError: the secret is not this database's, or the models file or the failpoint
            cannot be used.
        SchemaError: the schema does not fit and may not be changed.
    """
    failpoint = armed()
    path = prepare(settings)
    catalogue = read_catalogue(settings.models_path(), only_listed=settings.only_listed_models)
    if bring_up_to_date(path, may_migrate=settings.migrate):
        log.info("brought the schema of %s up to date", path)
    secret = read_secret(settings)
    clock = clock or SystemClock()
    pictures = open_store(settings.pictures_url(), clock.now, failpoint)
    horde = Horde(
        settings=settings,
        database=Database(Sqlite(path), before_commit=pictures.flush, failpoint=failpoint),
        pictures=pictures,
        links=Links(secret.key("links"), base_url, settings.link_lifetime_s),
        door=Door(
            timeout_s=settings.source_timeout_s,
            bytes_max=settings.source_bytes_max,
            hosts=settings.source_hosts,
            resolver=resolver,
        ),
        clock=clock,
        fresh=fresh or Fresh(),
        presence=Presence(settings.worker_stale_s),
        catalogue=catalogue,
    )
    horde.database.start()
    try:
        await check_secret(horde, secret)
        new_key = await ensure_administrator(horde, secret)
        await horde.load()
        yield Opened(horde, secret, new_key)
    finally:
        await asyncio.gather(*horde.errands, return_exceptions=True)
        await horde.database.stop()
        pictures.close()


def prepare(settings: ServerSettings) -> Path:
    """Make the data folder, and return where the database is."""
    Path(settings.data).mkdir(mode=0o700, parents=True, exist_ok=True)
    return settings.database_path()


def armed() -> failpoints.Failpoint | None:
    """The failpoint that a test has set.

    Raises:
        SettingError: there is none of that name.
    """
    try:
        return failpoints.armed(os.environ)
    except ValueError as error:
        raise SettingError(str(error)) from error


async def check_secret(horde: Horde, secret: Secret) -> None:
    """Refuse the secret of another horde; a new horde remembers its own.

    Raises:
        SettingError: it is not this database's.
    """
    await horde.write(lambda tx: check_fingerprint(tx, secret))


async def ensure_administrator(horde: Horde, secret: Secret) -> str | None:
    """Make the first users; returns the administrator's key when one was made up now."""
    given = horde.settings.admin_key
    key = given or horde.fresh.key()
    is_new = await accounts.ensure_first_users(horde, secret.hash_of(key), renew=bool(given))
    return key if is_new and not given else None


async def nothing() -> None:
    """Nobody has to be waited for."""


async def serve(
    settings: ServerSettings,
    ready: Callable[[Started], None],
    farewell: Callable[[], Awaitable[None]] = nothing,
    descriptor: int | None = None,
) -> None:
    """Serve until told to stop: then take nothing new, finish what is in hand, and close.

    `ready` is called once calls are answered. `farewell` is awaited before the first is refused,
    so that a worker of this process can deliver what it holds. `descriptor` is that of a socket
    which listens already, where several processes share it.
    """
    with listen(settings) if descriptor is None else inherited(descriptor) as listener:
        url, local_url = addresses(settings, listener)
        async with open_horde(settings, url) as opened:
            server = Server(configured(settings, opened), opened.horde, farewell)
            sweeping = asyncio.create_task(Sweeper(opened.horde).run())
            within_s = stops_within_s(settings)
            try:
                ready(Started(url, local_url, settings.data, opened.new_admin_key, within_s))
                await server.serve(sockets=[listener])
            finally:
                sweeping.cancel()
                await asyncio.gather(sweeping, return_exceptions=True)


def configured(settings: ServerSettings, opened: Opened) -> uvicorn.Config:
    """Uvicorn as we use it: the event loop, signals and logs are ours."""
    return uvicorn.Config(
        make_app(opened.horde, opened.secret),
        loop="none",
        http=Protocol,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=[*settings.trusted_proxies, *mapped(settings.trusted_proxies)],
        timeout_graceful_shutdown=settings.grace_s,
    )


def mapped(networks: Iterable[str]) -> list[str]:
    """These networks of version 4 as a socket that also serves version 6 sees them."""
    read = map(ipaddress.ip_network, networks)
    return [
        f"::ffff:{net.network_address}/{net.prefixlen + 96}" for net in read if net.version == 4
    ]


__all__ = ["SchemaError", "SettingError", "Started", "open_horde", "serve"]
