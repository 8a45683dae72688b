"""What a horde says before a worker works for it: that it is there, whose a key is, whose a name.

Hordes of either era are asked: where one lacks an operation, the answer is that nobody can tell.
"""

import ipaddress
import platform
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from ordu.cli.failures import UNREACHABLE, WRONG_USAGE, Failure
from ordu.client import Horde, HordeError, NotFound, UnknownKey
from ordu.client.errors import NotImplementedByHorde, Unreachable
from ordu.client.wire import ANONYMOUS_KEY, known, root_of
from ordu.protocol.registration import Registered, RegistrationInput
from ordu.protocol.users import UserDetailsStable
from ordu.protocol.workers import WorkerDetailsStable

TIMEOUT_S = 10.0  # for a call while somebody waits at a prompt
NAME_LENGTH_MAX = 100
ANONYMOUS_ID = 0
METHOD_NOT_ALLOWED = 405


class Belongs(Enum):
    """Whose a worker's name is."""

    NOBODY = "free"
    YOU = "yours"
    ANOTHER = "somebody else's"
    UNKNOWN = "not to be found out"


@dataclass(frozen=True, slots=True)
class Named:
    """What the horde says about a worker's name."""

    belongs: Belongs
    worker: WorkerDetailsStable | None = None


# -- its address -------------------------------------------------------------------------------


def addresses_of(text: str) -> list[str]:
    """The addresses that a person may have meant, the likeliest first.

    Without `http://` or `https://` a machine nearby is taken to speak http, one far away https.

    Raises:
        Failure: it is no address.
    """
    text = text.strip()
    given = [text] if "://" in text else [f"{scheme}://{text}" for scheme in _schemes(text)]
    try:
        return [root_of(each) for each in given]
    except ValueError as error:
        raise Failure(
            f"{text or 'Nothing'} is no address of a horde; one looks like"
            " https://horde.example.org or 192.168.1.20:7001.",
            WRONG_USAGE,
        ) from error


def _schemes(text: str) -> tuple[str, str]:
    host, _, port = text.partition("/")[0].rpartition(":") if _has_port(text) else (text, "", "")
    is_near = "." not in host or _is_private(host) or host.endswith((".local", ".lan", ".home"))
    return ("http", "https") if port != "443" and (is_near or port) else ("https", "http")


def _has_port(text: str) -> bool:
    return text.partition("/")[0].rpartition(":")[2].isdigit()


def _is_private(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.partition("/")[0].strip("[]")).is_private
    except ValueError:
        return False


def reach(text: str, timeout_s: float = TIMEOUT_S) -> str:
    """The address at which a horde answers, of those that were meant.

    Raises:
        Failure: none does; it says why.
    """
    failures = []
    for address in addresses_of(text):
        with Horde(address, timeout_s=timeout_s) as horde:
            try:
                has_pulse(horde)
            except HordeError as error:
                failures.append(error)
            else:
                return address
    # Of two ways that do not work, what an answer said is worth more than that there was none.
    worst = next((each for each in failures if not isinstance(each, Unreachable)), failures[0])
    if isinstance(worst, Unreachable):
        raise Failure(worst.message, UNREACHABLE)
    raise Failure(f"What answers at {text} is no horde: {worst.message}", UNREACHABLE)


def has_pulse(horde: Horde) -> None:
    """Return when a horde answers there; those of 2022 have modes and no heartbeat.

    Raises:
        HordeError: it does not.
    """
    try:
        horde.get_heartbeat()
    except NotFound:
        horde.get_horde_modes()


# -- a key -------------------------------------------------------------------------------------


def owner_of(horde: Horde, key: str) -> UserDetailsStable | None:
    """Who has this key; None when nobody has, or it is the one of all who have no account."""
    if not key or key == ANONYMOUS_KEY:
        return None
    try:
        user = horde.get_find_user(key)
    except (NotFound, UnknownKey):
        return None
    return None if known(user.id, 1) == ANONYMOUS_ID else user


def register(horde: Horde, username: str, on_work: Callable[[float], None]) -> Registered | None:
    """A new account; None when this horde makes none over its API.

    `on_work` is told how much of the work is done that the horde asks for, if it does, from 0 to 1.

    Raises:
        HordeError: not with this name, or not now.
    """
    try:
        return horde.post_register(RegistrationInput(username=username), on_work=on_work)
    except (NotFound, NotImplementedByHorde):
        return None
    except HordeError as error:
        if error.status == METHOD_NOT_ALLOWED:
            return None
        raise


# -- a worker's name ---------------------------------------------------------------------------


def acceptable(name: str) -> str:
    """A name as hordes take it: printable, blanks only between words, not too long."""
    shown = "".join(each if each.isprintable() else " " for each in name)
    return " ".join(shown.split())[:NAME_LENGTH_MAX].rstrip()


def usual_name() -> str:
    """This machine's name, as a worker can have it."""
    return acceptable(platform.node().partition(".")[0]) or "worker"


def whose_is(horde: Horde, name: str, key: str, user: UserDetailsStable | None) -> Named:
    """Whose worker has this name."""
    try:
        worker = horde.get_worker_single_name(name, key)
    except NotFound as error:
        if error.rc not in {None, "NotFound"}:  # those are said about a path it does not have
            return Named(Belongs.NOBODY)
        return _among_those_online(horde, name, user)
    except HordeError:
        return Named(Belongs.UNKNOWN)
    return Named(_belongs(worker, user), worker)


def _among_those_online(horde: Horde, name: str, user: UserDetailsStable | None) -> Named:
    """For hordes that know no workers by name: those that are not online cannot be seen."""
    try:
        workers = horde.get_workers()
    except HordeError:
        return Named(Belongs.UNKNOWN)
    worker = next((each for each in workers if known(each.name, "") == name), None)
    if worker is None:
        return Named(Belongs.UNKNOWN)
    return Named(_belongs(worker, user), worker)


def _belongs(worker: WorkerDetailsStable, user: UserDetailsStable | None) -> Belongs:
    if user is None:
        return Belongs.UNKNOWN
    workers = known(user.worker_ids, None)
    owner = known(worker.owner, "")
    if known(worker.id, "") in (workers or ()) or (owner and owner == known(user.username, "")):
        return Belongs.YOU
    # A horde that tells no list, not even to its owner, leaves it open.
    return Belongs.UNKNOWN if workers is None and not owner else Belongs.ANOTHER
