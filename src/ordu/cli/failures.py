"""What went wrong, for a person one line that begins with `ordu:`, for a script an exit code.

    0 it is done · 1 refused or failed · 2 called or set up wrongly · 3 the horde cannot be reached
    130 stopped with Ctrl-C

Errors are known by module and name, so that nothing is loaded for those that cannot have happened.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

FAILED = 1
WRONG_USAGE = 2
UNREACHABLE = 3
INTERRUPTED = 130
TERMINATED = 143

# The first that fits counts.
EXIT_CODES: tuple[tuple[str, str, int], ...] = (
    ("ordu.settings", "SettingError", WRONG_USAGE),
    ("ordu.store.migrations", "SchemaError", WRONG_USAGE),
    ("ordu.backups", "PlaceError", WRONG_USAGE),
    ("ordu.backups", "BackupError", FAILED),
    ("ordu.protocol.errors", "Refused", FAILED),
    ("ordu.client.errors", "Unreachable", UNREACHABLE),
    ("ordu.client.errors", "HordeError", FAILED),
)
# What each extra is for, and the modules that come with it.
EXTRAS = {
    "server": (
        "run a horde",
        {
            *("alembic", "httptools", "jinja2", "PIL", "pybase64", "sqlalchemy"),
            "starlette",
            "uvicorn",
        },
    ),
    "server,postgres": ("use a horde whose books are in PostgreSQL", {"asyncpg", "greenlet"}),
    "worker": ("draw pictures", {"numpy", "PIL"}),
}


class Failure(click.ClickException):
    """An end that is no success: one line for people, a code for scripts."""

    def __init__(self, message: str, exit_code: int = FAILED) -> None:
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc] # one class for all codes, not one each

    def show(self, file: object = None) -> None:
        """Say it on standard error."""
        del file
        if self.message:
            click.echo(f"ordu: {self.message}", err=True)


def of(error: BaseException) -> Failure | None:
    """The failure that an error is; None for one that nobody expects."""
    if isinstance(error, KeyboardInterrupt):
        return Failure("stopped.", INTERRUPTED)
    for module, name, code in EXIT_CODES:
        kind = getattr(sys.modules.get(module), name, None)
        if kind is not None and isinstance(error, kind):
            return Failure(in_words(error), code)
    if isinstance(error, OSError) and error.filename is not None:
        return Failure(f"{error.filename}: {error.strerror or error}.", FAILED)
    return None


def in_words(error: BaseException) -> str:
    """An error's own words, with its `rc` and a line for each field where it has them."""
    message = getattr(error, "message", None) or str(error) or type(error).__name__
    rc = getattr(error, "rc", None)
    fields = getattr(error, "errors", None) or {}
    lines = [f"{message} (rc {rc})" if rc else message]
    return "\n".join(lines + [f"  {field}: {what}" for field, what in fields.items()])


@contextmanager
def extra(name: str, to: str = "") -> Iterator[None]:
    """Around the import of what only an installation with this extra has; `to` says what for."""
    try:
        yield
    except ModuleNotFoundError as error:
        purpose, modules = EXTRAS[name]
        if (error.name or "").partition(".")[0] not in modules:
            raise
        raise Failure(
            f"To {to or purpose} this needs pip install 'ordu[{name}]' ({error.name} is missing).",
            WRONG_USAGE,
        ) from error
