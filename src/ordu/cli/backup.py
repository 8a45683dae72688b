"""`ordu backup`: a copy of the whole horde on this machine, made while it works."""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ordu.cli import interrupts
from ordu.cli.failures import FAILED, WRONG_USAGE, Failure, extra
from ordu.cli.here import WHERE, Here, horde_here
from ordu.cli.options import SettingsCommand, read_options, setting_options
from ordu.settings import ServerSettings

if TYPE_CHECKING:
    from ordu.backups.making import Made
    from ordu.backups.manifest import Manifest

NICE = 10


@click.command(cls=SettingsCommand)
@click.argument("to", type=click.Path(path_type=Path))
@click.option(
    "--keep",
    type=click.IntRange(min=1),
    metavar="N",
    help="TO is a folder of backups: make a new one in it, named by the time, keep the newest N.",
)
@click.option(
    "--without-secret",
    is_flag=True,
    help="Leave the installation's secret out. Without it no key is known when it is brought back.",
)
@click.option(
    "--pictures/--without-pictures",
    default=None,
    help="Whether pictures are in it. By default those in a folder are, those on S3 stay there.",
)
@setting_options(ServerSettings, only=(*WHERE, "images", "models_file"))
def backup(
    config: Path | None,
    to: Path,
    keep: int | None,
    without_secret: bool,
    pictures: bool | None,
    **given: Any,
) -> None:
    """Copy the whole horde on this machine to TO, while it works.

    The books of one moment, the pictures they name, the installation's secret, the models file and
    the operator's texts; for a horde on SQLite and on PostgreSQL alike. TO is a new folder, or one
    file when it ends in .tar. It has its name only when it is whole. Whoever reads it can act for
    everybody in the horde: keep it as safe as the horde itself.

    \b
    Examples: ordu backup /backups/today
              ordu backup /backups --keep 14
    """
    settings = read_options(ServerSettings, given, config).values
    here = horde_here(settings)
    with extra("server"):
        from ordu.backups.making import Plan, make
    from ordu.cli.console import remarks
    from ordu.cli.move import Board

    if pictures is None:
        pictures = not settings.images.startswith("s3:")
    give_way()
    secret = None if without_secret else secret_of(settings, here)
    plan = Plan(settings, to, secret, with_pictures=pictures, keep=keep)
    with Board(remarks(), with_lines=False) as board:
        made = interrupts.run(make(plan, board))
    remember(here)
    show(made)
    if made.missing:
        raise Failure(
            f"The backup is made, but {len(made.missing):,} pictures of settled jobs are nowhere,"
            f" such as {made.missing[0]}.",
            FAILED,
        )


def give_way() -> None:
    """Let the horde on this machine go first, when processors are few."""
    os.setpriority(os.PRIO_PROCESS, 0, max(NICE, os.getpriority(os.PRIO_PROCESS, 0)))


def secret_of(settings: ServerSettings, here: Here) -> str:
    """The secret of this horde."""
    from ordu.server.secret import FILE_NAME, FINGERPRINT, Secret
    from ordu.store import facts

    file = Path(settings.data) / FILE_NAME
    text = settings.secret
    if not text and file.is_file():
        text = file.read_text(encoding="utf-8").strip()
    if not text:
        raise Failure(
            f"The installation's secret is not here: {file} does not exist, and ORDU_SECRET is not"
            " set. Say where it is with --data, or leave it out with --without-secret.",
            WRONG_USAGE,
        )
    known = here.read(lambda tx: facts.get(tx, FINGERPRINT))
    if known not in {None, Secret(text).fingerprint()}:
        where = "ORDU_SECRET" if settings.secret else str(file)
        raise Failure(
            f"{where} is not the secret of the horde in {here.name}. Name the data folder that"
            " belongs to it with --data, or leave the secret out with --without-secret.",
            WRONG_USAGE,
        )
    return text


def remember(here: Here) -> None:
    """Tell the horde that there is a backup of this moment, for `/metrics` and `ordu doctor`."""
    from ordu.store import facts

    try:
        here.change(lambda tx: facts.put(tx, facts.BACKUP, str(int(time.time() * 1000))))
    except Failure as failure:  # the backup is whole all the same
        click.echo(f"ordu: that was not noted in the horde: {failure.message}", err=True)


def show(made: "Made") -> None:
    """Say what was made, and what is to be done with it."""
    from ordu.cli.console import label, ordu, out

    console = out()
    console.print(f"Backed up to {made.path}", style="bold green")
    for name, text in about(made.manifest).items():
        console.print(label(name, text))
    for path in made.removed:
        console.print(label("removed", f"{path}, which was older"))
    console.print(f"Prove that it can be brought back: {ordu()} restore --check {made.path}")


def about(manifest: "Manifest") -> dict[str, str]:
    """What a backup is, line by line."""
    from ordu.backups.drafts import in_words
    from ordu.settings.setting import without_password

    found = manifest.pictures
    if found is None:
        at = without_password(manifest.pictures_at) or "where they are"
        pictures = f"NOT in it; they stay at {at}"
    else:
        pictures = f"{found.count:,}, {in_words(found.bytes)}"
        if found.ended:
            pictures += f"; {found.ended:,} of requests that ended meanwhile are not in it"
    secret = (
        "in it: whoever reads this backup can act for everybody. Keep it safe."
        if manifest.has_secret
        else "NOT in it: without it no key is known. Keep it elsewhere."
    )
    return {
        "moment": time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(manifest.made_at / 1000)),
        "books": f"{sum(manifest.rows.values()):,} rows, schema {manifest.schema}, of"
        f" {manifest.database}, {in_words(manifest.files['horde.sqlite3'])}",
        "pictures": pictures,
        "secret": secret,
        "took": f"{manifest.took_ms / 1000:.1f} s, by Ordu {manifest.ordu}",
    }
