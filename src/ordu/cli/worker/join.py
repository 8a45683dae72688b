"""`ordu worker join`: from nothing to a worker that works, by a few questions.

In this order: the horde, the key, the worker's name, what makes the pictures; then the settings are
written, the backend is tried, what follows is written too, and the worker starts.
"""

import getpass
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from ordu.cli import sure
from ordu.cli.console import clean, ordu
from ordu.cli.failures import FAILED, WRONG_USAGE, Failure
from ordu.cli.options import SettingsCommand, read_options, setting_options
from ordu.cli.worker import reaching, running
from ordu.cli.worker.command import said, set_option
from ordu.cli.worker.finding import Choice, look_around
from ordu.cli.worker.keeping import ALWAYS, SettingsFile, differing
from ordu.cli.worker.opening import Opened, open_backend, table_of
from ordu.cli.worker.questions import Questions
from ordu.cli.worker.reaching import Belongs
from ordu.cli.worker.trying import try_out
from ordu.client import Horde
from ordu.client.wire import known
from ordu.protocol.users import UserDetailsStable
from ordu.settings import WORKER_FILE, WorkerSettings

if TYPE_CHECKING:
    from ordu.worker.backends import Backend

TEST_S = 60.0
NAMES_MAX = 20  # how many names are tried until one is free
USERNAME_LENGTH_MAX = 30
KEY = re.compile(r"[!-~]{1,100}")


@dataclass(frozen=True, slots=True)
class Owner:
    """Who lends this machine."""

    key: str
    user: UserDetailsStable

    @property
    def alias(self) -> str:
        """The name with the number, safe to show."""
        return clean(known(self.user.username, "")) or "an unnamed user"


@click.command(cls=SettingsCommand)
@click.argument("url", required=False)
@setting_options(
    WorkerSettings,
    main=("api_key", "name", "backend"),
    without=("url",),
    config_help="Write the settings to this file. [ordu-worker.toml]",
)
@set_option
@click.option("--yes", is_flag=True, help="Ask nothing: take every default.")
@click.option(
    "--seconds",
    type=click.FloatRange(1, 3600),
    default=TEST_S,
    metavar="NUMBER",
    help="How long the test may take; without it 60.",
)
@click.option("--no-test", is_flag=True, help="Do not try the backend first.")
@click.option("--no-start", is_flag=True, help="Write the settings and do not start the worker.")
@click.option("--with-parent", is_flag=True, hidden=True)
@click.pass_context
def join(
    ctx: click.Context,
    /,
    config: Path | None,
    url: str | None,
    sets: tuple[str, ...],
    yes: bool,
    seconds: float,
    no_test: bool,
    no_start: bool,
    with_parent: bool,
    **given: Any,
) -> None:
    """Lend this machine to the horde at URL.

    Asks for what is missing, tries what makes the pictures, writes ordu-worker.toml and starts the
    worker. Enter takes the default of a question; what is given by an option is not asked.

    \b
    Example: ordu worker join horde.example.org
    """
    given = said(ctx, {"url": url, "config": config, "sets": sets, **given})
    config, sets = given.pop("config"), given.pop("sets")
    file = SettingsFile.of(config)
    questions = Questions(yes=yes)
    opened = answered(questions, given, sets, source_of(file, config))
    save(questions, file, opened)
    backends: list[Backend] = []
    if not no_test:
        opened, backends = tried(file, opened, seconds)
    if no_start:
        for each in backends:
            each.close()
        questions.tell(f"Start it with: {start_command(file)}")
        return
    values = differing(opened.settings, ALWAYS)
    # What was tried has its model in memory, and goes on with it.
    running.run(
        values, (), file.path, debug=False, with_parent=with_parent, backends=backends or None
    )


def source_of(file: SettingsFile, config: Path | None) -> Path | None:
    """Where defaults are read: that file when it is there; None: where a worker would look."""
    if file.path.exists():
        return file.path
    # A file that was named and is not there yet says nothing, and no other speaks for it.
    return Path(os.devnull) if config or os.environ.get("ORDU_CONFIG") else None


def answered(
    questions: Questions, given: Mapping[str, Any], sets: tuple[str, ...], source: Path | None
) -> Opened:
    """The settings after all questions."""
    without_url = {name: value for name, value in given.items() if name != "url"}
    before = read_options(WorkerSettings, without_url, source).values
    url = ask_address(questions, given["url"], before.url)
    with Horde(url, timeout_s=reaching.TIMEOUT_S) as horde:
        owner = ask_owner(questions, horde, given["api_key"], before.api_key)
        name = ask_name(questions, horde, owner, given["name"], before.name)
    choice = ask_backend(questions, given["backend"], before.backend)
    settings = msgspec.structs.replace(
        before, url=url, api_key=owner.key, name=name, backend=choice.backend
    )
    return open_backend(settings, sets, source, choice.settings)


# -- the questions -----------------------------------------------------------------------------


def ask_address(questions: Questions, given: str | None, before: str) -> str:
    """The address at which the horde answers."""
    if given:
        url = reaching.reach(given)
    else:
        url = questions.ask("Address of the horde", before, reaching.reach)
    is_open = url.startswith("http://") and "https" not in (given or "")
    questions.tell(f"There is a horde at {url}" + (", not encrypted" if is_open else ""))
    return url


def ask_owner(questions: Questions, horde: Horde, given: str | None, before: str) -> Owner:
    """Whose kudos it will be: by a key there is, or a new account."""

    def check(key: str) -> Owner | None:
        if not key:
            return None
        user = reaching.owner_of(horde, key) if KEY.fullmatch(key) else None
        if user is None:
            raise Failure(f"Nobody at {horde.url} can run workers with this key.")
        return Owner(key, user)

    if given:
        owner = check(given)
    else:
        found = reaching.owner_of(horde, before)
        if before and found is None:
            questions.tell("The key in your settings is not known there.", "yellow")
        enter = f"that of {clean(known(found.username, ''))}" if found else "get an account"
        default = before if found else ""
        owner = questions.ask("Your key there", default, check, hidden=True, enter=enter)
    if owner is None:
        owner = new_owner(questions, horde, check)
    questions.tell(f"Kudos go to {owner.alias}")
    return owner


def new_owner(questions: Questions, horde: Horde, check: Any) -> Owner:
    """A new account; where the horde makes none this way, a key that was got otherwise."""

    def on_work(done: float) -> None:
        if done == 0:
            questions.tell(
                "This horde asks each newcomer for some computing; it takes a moment.", "yellow"
            )

    def registered(name: str) -> Owner | None:
        made = reaching.register(horde, name, on_work)
        if made is None:
            return None
        key = known(made.api_key, "")
        return Owner(key, UserDetailsStable(username=made.username, id=made.id, worker_ids=[]))

    owner = questions.ask("Name for your account", usual_username(), registered)
    if owner is not None:
        if sure.has_terminal():  # elsewhere it would stay in a log
            questions.tell(f"Your key, shown only now and kept in the settings: {owner.key}")
        return owner
    where = f"This horde gives keys on its pages: register at {horde.url}/register"
    if questions.is_quiet:
        raise Failure(f"{where}, then say --api-key.", FAILED)
    questions.tell(f"{where}, then come back with the key.")

    def some_key(key: str) -> Owner:
        found: Owner | None = check(key)
        if found is None:
            raise Failure("It needs a key.")
        return found

    return questions.ask("Your key there", "", some_key, hidden=True, enter="none yet")


def usual_username() -> str:
    """What the person at this machine is called here."""
    try:
        name = reaching.acceptable(getpass.getuser())
    except (KeyError, OSError, ImportError):
        name = ""
    return name[:USERNAME_LENGTH_MAX].rstrip() or "owner"


def ask_name(
    questions: Questions, horde: Horde, owner: Owner, given: str | None, before: str
) -> str:
    """A name for the worker that is free, or its owner's already."""

    def check(text: str) -> str:
        name = reaching.acceptable(text)
        if not name:
            raise Failure("A worker's name needs at least one visible character.", WRONG_USAGE)
        named = reaching.whose_is(horde, name, owner.key, owner.user)
        if named.belongs is Belongs.ANOTHER:
            raise Failure(f"{name} is somebody else's worker there: choose another name.", FAILED)
        if named.belongs is Belongs.YOU and named.worker and named.worker.online is True:
            questions.tell(
                f"{name} is yours and online: if it runs elsewhere, give this one another name.",
                "yellow",
            )
        return name

    if given:
        name = check(given)
    else:
        usual = before or free_name(horde, owner)
        name = questions.ask("Name of this worker", usual, check)
    questions.tell(f"The worker is called {clean(name)}")
    return name


def free_name(horde: Horde, owner: Owner) -> str:
    """This machine's name, or the first like it that is nobody else's."""
    usual = reaching.usual_name()
    names = [usual, *(f"{usual}-{number}" for number in range(2, NAMES_MAX + 1))]
    for name in names:
        if reaching.whose_is(horde, name, owner.key, owner.user).belongs is not Belongs.ANOTHER:
            return name
    raise Failure(f"{usual} and {NAMES_MAX - 1} names like it are taken: say --name.", FAILED)


def ask_backend(questions: Questions, given: str | None, before: str) -> Choice:
    """What makes the pictures: of what is on this machine, the best first."""
    if given:
        found = look_around([given]).choices if ":" not in given else ()
        return found[0] if found else Choice(given, given)
    looked = look_around()
    choices = proposed(looked.choices, before)
    if not choices:
        raise Failure("No backend is installed: pip install 'ordu[worker]'.", WRONG_USAGE)
    for name, why in looked.silent.items():
        questions.tell(f"Not looked for: {name} ({clean(why)})", "dim")
    title = "What makes pictures on this machine:"
    chosen = choices[questions.choose(title, [choice.words for choice in choices])]
    questions.tell(f"Pictures are made by {clean(chosen.words)}")
    return chosen


def proposed(found: Sequence[Choice], before: str) -> list[Choice]:
    """What is proposed, the default first: what was chosen before, if it was chosen at all."""
    choices = list(found)
    if before != WorkerSettings().backend:
        choices.sort(key=lambda choice: choice.backend != before)
        if not choices or choices[0].backend != before:
            choices.insert(0, Choice(before, f"{before}, as before"))
    return choices


# -- what is done with the answers -------------------------------------------------------------


def save(questions: Questions, file: SettingsFile, opened: Opened) -> None:
    """Write the settings and say where they are."""
    write(file, opened)
    kept = f"; what was there before is in {file.copy}" if file.copy else ""
    questions.tell(f"The settings are in {file.path}, which only you can read{kept}")


def write(file: SettingsFile, opened: Opened) -> None:
    """Write the settings."""
    file.save(opened.settings, table_of(opened.settings.backend), opened.backend_settings)


def tried(file: SettingsFile, opened: Opened, seconds: float) -> "tuple[Opened, list[Backend]]":
    """Try the backend and write what follows; it is still open on each of its devices."""
    try:
        backends = running.open_backends(opened)
        better = try_out(opened, backends, seconds)
    except Failure as failure:
        hint = f"Your answers are kept: mend it, then {ordu()} worker join again."
        raise Failure(f"{failure.message}\n{hint}", failure.exit_code) from failure
    if better.settings != opened.settings:
        write(file, better)
    return better, backends


def start_command(file: SettingsFile) -> str:
    """What to type to start the worker."""
    where = "" if file.path == Path(WORKER_FILE) else f" --config {file.path}"
    return f"{ordu()} worker{where}"
