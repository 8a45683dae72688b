"""`ordu restore`: bring a backup back into an empty place, or prove that it can be."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from ordu.cli import interrupts
from ordu.cli.failures import WRONG_USAGE, Failure, extra
from ordu.cli.options import SettingsCommand, read_options, setting_options
from ordu.settings import ServerSettings

if TYPE_CHECKING:
    from ordu.backups.checking import Checked
    from ordu.backups.restoring import Restored


@click.command(cls=SettingsCommand)
@click.argument("source", metavar="FROM", type=click.Path(path_type=Path))
@click.option(
    "--to",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The data folder of the horde: a new one, or an empty one.",
)
@click.option(
    "--check",
    is_flag=True,
    help="Only prove that it can be brought back, in a temporary place; TMPDIR says where.",
)
@setting_options(ServerSettings, only=("database", "database_direct", "images"))
def restore(config: Path | None, source: Path, to: Path | None, check: bool, **given: Any) -> None:
    """Bring the backup FROM back into an empty place, or prove that it can be.

    FROM is what `ordu backup` made; of a folder of backups it is the newest.

    Checksums and books are proved, and the books brought up to date, before anything counts; what
    is there already is never overwritten. With --database the books go there: a backup of SQLite
    can be brought back into PostgreSQL, and the other way round.

    \b
    Examples: ordu restore --check /backups/today
              ordu restore /backups/today --to horde
    """
    if check == (to is not None):
        raise Failure("Say where it is to go with --to DIR, or only --check it.", WRONG_USAGE)
    settings = read_options(ServerSettings, given, config).values
    if settings.is_postgres and not check:
        with extra("server,postgres"):
            from ordu.store.moving import postgres  # noqa: F401 - says what is not installed
    with extra("server"):
        from ordu.backups import checking, keeping, reading, restoring
    from ordu.cli.backup import give_way
    from ordu.cli.console import remarks
    from ordu.cli.move import Board

    source = keeping.newest_in(source)
    with reading.opened(source) as backup, Board(remarks(), with_lines=False) as board:
        if to is None:
            give_way()
            show_check(source, interrupts.run(checking.check(backup, settings.secret, board)))
            return
        place = msgspec.structs.replace(settings, data=str(to))
        show(source, place, interrupts.run(restoring.restore(backup, place, board)))


def age(made_at: int) -> str:
    """How long ago something was."""
    from ordu.cli.worker.words import duration

    return duration(time.time() - made_at / 1000)


def show_check(source: Path, checked: "Checked") -> None:
    """Say what was proved."""
    from ordu.cli.backup import about
    from ordu.cli.console import label, out

    console, manifest = out(), checked.restored.manifest
    console.print(f"{source} can be brought back", style="bold green")
    for name, text in {**about(manifest), "age": age(manifest.made_at)}.items():
        console.print(label(name, text))
    console.print(
        f"All {len(manifest.files) + 1:,} files are what they were. The books are in order:"
        f" {checked.restored.entries:,} entries. A horde was opened on it and answered"
        f" {checked.answered} calls. This took {checked.took_s:.1f} s."
    )


def show(source: Path, place: ServerSettings, restored: "Restored") -> None:
    """Say what was done, what is lost, and what is to be done next."""
    from ordu.cli.console import label, ordu, out
    from ordu.settings.setting import without_password

    console, manifest = out(), restored.manifest
    moment = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(manifest.made_at / 1000))
    console.print(f"Brought {source} back to {place.data}", style="bold green")
    pictures = "were not in the backup"
    if restored.pictures is not None:
        pictures = f"{restored.pictures:,}"
    lines = {
        "books": f"{sum(manifest.rows.values()):,} rows in"
        f" {without_password(place.database) or place.database_path()}; in order,"
        f" {restored.entries:,} entries",
        "pictures": pictures,
        "secret": secret_in_words(place, restored),
        "lost": f"everything after {moment}, {age(manifest.made_at)} ago",
    }
    for name, text in lines.items():
        console.print(label(name, text))
    if not restored.has_secret:
        console.print(
            f"Before the first start put the secret of that horde into the file {place.data}/secret"
            " or into ORDU_SECRET. Without it no key is known."
        )
    if restored.pictures is None and manifest.pictures_at:
        console.print(
            f"The pictures stayed at {without_password(manifest.pictures_at)}: start with the same"
            " --images."
        )
    database = f" --database '{without_password(place.database)}'" if place.database else ""
    console.print(f"Start it: {ordu()} serve --data {place.data}{database}")


def secret_in_words(place: ServerSettings, restored: "Restored") -> str:
    """Where the secret is now."""
    if place.secret:
        return "the one of ORDU_SECRET"
    return f"in {place.data}/secret" if restored.has_secret else "MISSING"
