"""Assemble, start and stop: every object of a server is made here, once, and handed down."""

import asyncio
import ipaddress
import logging
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from ordu import failpoints
from ordu.engine import accounts, garbage
from ordu.engine.auditing import Auditor
from ordu.engine.clock import Clock, SystemClock
from ordu.engine.courier import Courier
from ordu.engine.elsewhere import Elsewhere
from ordu.engine.fresh import Fresh
from ordu.engine.horde import Horde
from ordu.engine.presence import Presence
from ordu.engine.sweeper import Sweeper
from ordu.engine.tidings import Tidings
from ordu.images.door import Door
from ordu.images.links import ServerLinks
from ordu.images.store import Pictures, open_store
from ordu.kinds.catalogue import read_catalogue
from ordu.openid import configured as openid
from ordu.outside.guard import Resolver
from ordu.outside.post import Post
from ordu.server.app import make_app
from ordu.server.connections import Config, Connections
from ordu.server.listening import Started, addresses, files_max, inherited, listen
from ordu.server.own_port import take_own_port
from ordu.server.secret import Secret, check_fingerprint, read_secret
from ordu.server.stopping import Server, stops_within_s
from ordu.server.vitals import watch_lag
from ordu.settings import Origin, ServerSettings, SettingError
from ordu.settings.setting import without_password
from ordu.store.database import Database
from ordu.store.groups import GroupedDatabase
from ordu.store.migrations import SchemaError, bring_up_to_date
from ordu.store.sqlite import Sqlite

UNFINISHED = ".restoring"  # in a data folder into which a backup is being brought back

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Opened:
    """A horde that is open, with its secret."""

    horde: Horde
    secret: Secret
    new_admin_key: str | None
    elsewhere: Elsewhere | None  # where the horde may have other processes


@asynccontextmanager
async def open_horde(
    settings: ServerSettings,
    base_url: str,
    *,
    clock: Clock | None = None,
    fresh: Fresh | None = None,
    resolver: Resolver | None = None,
    origins: Mapping[str, Origin] | None = None,
) -> AsyncIterator[Opened]:
    """Open everything a horde has, and close it again in the right order.

    Raises:
        SettingError: the secret is not this database's, or the models file, the providers, the
            place of pictures or the failpoint cannot be used.
        SchemaError: the schema does not fit and may not be changed.
    """
    failpoint = armed()
    make_folder(Path(settings.data))
    catalogue = read_catalogue(settings.models_path(), only_listed=settings.only_listed_models)
    secret = read_secret(settings)
    clock = clock or SystemClock()
    providers = openid.providers(settings, clock.now)
    pictures = await open_pictures(settings, clock, failpoint)
    database = await open_database(settings, pictures.flush, failpoint)
    own = ServerLinks(secret.key("links"), base_url, settings.link_lifetime_s, clock.now)
    horde = Horde(
        settings=settings,
        database=database,
        pictures=pictures,
        links=pictures.links(settings.link_lifetime_s) or own,
        server_links=own,
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
        providers=providers,
        origins=origins or {},
    )
    try:
        await check_secret(horde, secret)
        new_key = await ensure_administrator(horde, secret)
        async with joined(horde, database) as elsewhere:
            await horde.load()
            if elsewhere is not None:
                elsewhere.begin()
            yield Opened(horde, secret, new_key, elsewhere)
            await asyncio.gather(*horde.errands, return_exceptions=True)
    finally:
        await asyncio.gather(*horde.errands, return_exceptions=True)
        await horde.database.stop()
        pictures.close()


@asynccontextmanager
async def joined(horde: Horde, database: Database) -> AsyncIterator[Elsewhere | None]:
    """Join the other processes of the horde, if it may have any: hear them from now on."""
    if not horde.settings.is_postgres:
        yield None
        return
    from ordu.store import reaching  # noqa: PLC0415 - as in `open_postgres`
    from ordu.store.channel import PostgresChannel  # noqa: PLC0415 - the same
    from ordu.store.postgres import PostgresDatabase  # noqa: PLC0415 - the same

    assert isinstance(database, PostgresDatabase)
    elsewhere = Elsewhere(horde)
    channel = PostgresChannel(
        horde.settings.database_direct or horde.settings.database,
        on_text=lambda text: elsewhere.hear(told.read(text)),
        on_return=lambda: told.missed(),  # noqa: PLW0108 - it is made after the channel
    )
    horde.tidings = told = Tidings(secrets.token_hex(8), channel, elsewhere.missed)
    database.on_doubt = elsewhere.missed
    try:
        await channel.start()
    except reaching.CANNOT_BE_USED as error:
        raise SettingError(reaching.why_not(channel.url, error)) from error
    try:
        yield elsewhere
    finally:
        await elsewhere.stop()
        told.flush()
        await channel.stop()


def make_folder(path: Path) -> None:
    """Make the data folder, for its owner only, unless it is there.

    Raises:
        SettingError: what is there is the half of a horde.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if (path / UNFINISHED).exists():
        raise SettingError(
            f"A backup is being brought back into {path}, or was and did not get to its end."
            " Wait for that, or empty the folder and run `ordu restore` again."
        )


async def open_database(
    settings: ServerSettings, flush: Callable[[], None], failpoint: failpoints.Failpoint | None
) -> Database:
    """The database of the settings, with the newest schema; `flush` keeps what commits rely on.

    Raises:
        SettingError: it cannot be reached, or what it needs is not installed.
        SchemaError: the schema does not fit and may not be changed.
    """
    if settings.is_postgres:
        return await open_postgres(settings, failpoint)
    path = settings.database_path()
    if bring_up_to_date(path, may_migrate=settings.migrate):
        log.info("brought the schema of %s up to date", path)
    grouped = GroupedDatabase(Sqlite(path), before_commit=flush, failpoint=failpoint)
    await grouped.start()
    return grouped


async def open_postgres(
    settings: ServerSettings, failpoint: failpoints.Failpoint | None
) -> Database:
    """The PostgreSQL database of the settings; its driver is loaded only for it."""
    try:
        from ordu.store import postgres, reaching  # noqa: PLC0415 - most hordes have no use for it
        from ordu.store.migrations import postgres as schema  # noqa: PLC0415 - the same
    except ModuleNotFoundError as error:
        raise SettingError(
            f"A horde on PostgreSQL needs {error.name}, which is not installed: "
            "pip install 'ordu[server,postgres]'."
        ) from error
    url = settings.database_direct or settings.database
    try:
        if await schema.bring_up_to_date(url, may_migrate=settings.migrate):
            log.info("brought the schema of %s up to date", without_password(url))
        url = settings.database
        database = postgres.PostgresDatabase(
            url,
            connections_max=settings.database_connections,
            is_pooled=bool(settings.database_direct),
            failpoint=failpoint,
        )
        await database.start()
    except reaching.CANNOT_BE_USED as error:
        raise SettingError(reaching.why_not(url, error)) from error
    return database


async def open_pictures(
    settings: ServerSettings, clock: Clock, failpoint: failpoints.Failpoint | None
) -> Pictures:
    """The place of pictures, which can be used.

    Raises:
        SettingError: it cannot.
    """
    try:
        pictures = open_store(
            settings.pictures_url(), clock.now, failpoint, is_shared=settings.is_postgres
        )
        await pictures.check()
    except ValueError as error:
        raise SettingError(f"Setting images: {error}") from error
    return pictures


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
    origins: Mapping[str, Origin] | None = None,
    number: int = 0,
) -> None:
    """Serve until told to stop: then take nothing new, finish what is in hand, and close.

    `ready` is called once calls are answered. `farewell` is awaited before the first is refused,
    so that a worker of this process can deliver what it holds. `descriptor` is that of a socket
    which listens already, where several processes share it, and `number` what this one is called.
    `origins` say where each setting comes from.
    """
    with listen(settings) if descriptor is None else inherited(descriptor) as listener:
        url, local_url = addresses(settings, listener)
        async with open_horde(settings, url, origins=origins) as opened:
            garbage.leave_alone()
            opened.horde.process = number
            server = Server(configured(settings, opened), opened.horde, farewell)
            chores = [
                asyncio.create_task(Sweeper(opened.horde, opened.elsewhere).run()),
                asyncio.create_task(courier(opened).run()),
                asyncio.create_task(Auditor(opened.horde).run()),
                asyncio.create_task(watch_lag(opened.horde.tally.lag_s)),
                asyncio.create_task(take_own_port(server, opened.horde)),
            ]
            within_s = stops_within_s(settings)
            try:
                ready(Started(url, local_url, settings.data, opened.new_admin_key, within_s))
                await server.serve(sockets=[listener])
            finally:
                for chore in chores:
                    chore.cancel()
                await asyncio.gather(*chores, return_exceptions=True)


def courier(opened: Opened, resolver: Resolver | None = None) -> Courier:
    """Who sends what is due to webhooks."""
    settings = opened.horde.settings
    post = Post(
        timeout_s=settings.webhook_timeout_s, hosts=settings.webhook_hosts, resolver=resolver
    )
    return Courier(opened.horde, post, opened.secret.key)


def configured(settings: ServerSettings, opened: Opened) -> Config:
    """Uvicorn as we use it: the event loop, signals and logs are ours."""
    return Config(
        make_app(opened.horde, opened.secret),
        Connections(settings, files_max()),
        loop="none",
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
