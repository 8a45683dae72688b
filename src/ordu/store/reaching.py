"""Why a PostgreSQL database cannot be used, in a line that says what to change.

The words of the driver are for those who program it. An operator has mistyped a host, forgotten to
make the database, or may not write to it; each of these has its own line here. No line has a
password in it.
"""

import socket
from urllib.parse import urlsplit

import asyncpg

from ordu.settings.setting import without_password
from ordu.store.migrations.postgres import OLDEST, TooOldError
from ordu.store.postgres import UNREACHABLE

CANNOT_BE_USED = (*UNREACHABLE, TooOldError)  # when it is opened
GIVEN_UP = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError)  # later


def why_not(url: str, error: BaseException) -> str:
    """The line for this error of the database at this address."""
    return f"The database {without_password(url)} cannot be used: {in_words(url, error)}"


def in_words(url: str, error: BaseException) -> str:
    """What is wrong, and what to do about it."""
    said = f"{without_password(str(error)) or type(error).__name__}."
    match error:
        case TooOldError():
            said = f"it is PostgreSQL {error}, and a horde needs {OLDEST} or newer."
        case socket.gaierror():
            said = f"its host {host_of(url)} is not known here; is it spelt right?"
        case ConnectionRefusedError() | FileNotFoundError():
            said = "nothing listens there; is it running, and are host and port right?"
        case TimeoutError():
            said = "it does not answer; do host and port lead to it, through every firewall?"
        case asyncpg.PostgresError():
            said = refused(error)
        case ValueError():  # whose words may have a part of the password in them
            said = (
                "that is no address of a database. It is postgresql://USER:PASSWORD@HOST:PORT/NAME,"
                " and in a password @ is written %40, / %2F, : %3A, ? %3F, # %23 and % %25."
            )
    return said


def refused(error: asyncpg.PostgresError) -> str:
    """What the server said, and what to do about it."""
    said = (str(error).splitlines() or [type(error).__name__])[0]
    match error:
        case asyncpg.InvalidAuthorizationSpecificationError():  # a wrong password is one as well
            todo = "Are user and password right, and does pg_hba.conf let them in from here?"
        case asyncpg.InvalidCatalogNameError():
            todo = "Make it first: `createdb NAME`, as a user who may."
        case asyncpg.InsufficientPrivilegeError():
            todo = "Let the user own the database, or GRANT it CREATE ON SCHEMA public."
        case asyncpg.TooManyConnectionsError():
            todo = "Raise its max_connections, or lower --database-connections."
        case asyncpg.CannotConnectNowError():
            todo = "Try again in a moment."
        case _:  # of a row that is in the way the detail says which
            return f"{said}: {error.detail}" if getattr(error, "detail", None) else f"{said}."
    return f"{said}. {todo}"


def host_of(url: str) -> str:
    """The host of an address, or nothing where it has none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
