"""The horde: that it answers, knows the key, and takes this worker under its name."""

import shlex
import time
from collections.abc import Callable, Generator, Iterator
from email.utils import parsedate_to_datetime

import httpx

from ordu.cli.console import ordu
from ordu.cli.failures import in_words
from ordu.cli.worker.findings import Finding, bad, good, unknown, warning
from ordu.cli.worker.reaching import TIMEOUT_S, Belongs, has_pulse, owner_of, whose_is
from ordu.client import Horde, HordeError
from ordu.client.wire import known, root_of
from ordu.protocol import operations
from ordu.protocol.status import HordeModes
from ordu.protocol.users import UserDetailsStable
from ordu.protocol.workers import WorkerDetailsStable
from ordu.settings import WorkerSettings
from ordu.worker.jobs import name_of

CLOCK_S_MAX = 30.0  # that clocks may differ
SLOW_S = 2.0


def check_horde(settings: WorkerSettings) -> Generator[Finding, None, dict[str, float] | None]:
    """All that the horde says; gives for which models how much waits, None where it is silent."""
    with Horde(settings.url, settings.api_key or None, timeout_s=TIMEOUT_S) as horde:
        began = time.monotonic()
        try:
            has_pulse(horde)
        except HordeError as error:
            yield bad("horde", in_words(error), "Look at url in the settings, and at the network.")
            return None
        yield answered(horde.url, time.monotonic() - began)
        yield from check_clock(horde.url)
        modes = yield from check_modes(horde)
        user = yield from check_key(horde, settings.api_key)
        if user is not None:
            is_closed = modes is not None and modes.invite_only_mode is True
            yield from check_name(horde, settings, user, invite_only=is_closed)
        try:
            return demand_of(horde)
        except HordeError:
            yield unknown("demand", "the horde does not tell which models are asked for")
            return None


def answered(url: str, took_s: float) -> Finding:
    """That it answers, and how fast."""
    words = f"{url} answers in {took_s * 1000:.0f} ms"
    if took_s > SLOW_S:
        return warning("horde", words, "The network or the horde is slow; pictures will arrive.")
    return good("horde", words)


def check_clock(url: str, now: Callable[[], float] = time.time) -> Iterator[Finding]:
    """Whether its clock and ours agree, by the date of an answer; nothing when it says none."""
    try:
        response = httpx.get(root_of(url) + operations.get_heartbeat.path, timeout=TIMEOUT_S)
        theirs = parsedate_to_datetime(response.headers["date"]).timestamp()
    except (httpx.HTTPError, KeyError, ValueError):
        return
    ahead_s = now() - theirs
    if abs(ahead_s) > CLOCK_S_MAX:
        way = "ahead of" if ahead_s > 0 else "behind"
        words = f"this machine's clock is {abs(ahead_s):.0f} s {way} the horde's"
        yield warning("clock", words, "Set it, or have it set: links to pictures end by the clock.")


def check_modes(horde: Horde) -> Generator[Finding, None, HordeModes | None]:
    """Whether the horde itself takes requests; gives its modes."""
    try:
        modes = horde.get_horde_modes()
    except HordeError:
        yield unknown("modes", "the horde does not tell its modes")
        return None
    if modes.maintenance_mode is True:
        words = "the horde is in maintenance: it takes no new requests"
        yield warning("modes", words, "Wait; there will be work again.")
    return modes


def check_key(horde: Horde, key: str) -> Generator[Finding, None, UserDetailsStable | None]:
    """Whose the key is, and whether they may run workers; gives the user."""
    mend = f"{ordu()} worker join {horde.url} gets you one."
    if not key:
        yield bad("key", "there is no key in the settings: kudos would go nowhere", mend)
        return None
    try:
        user = owner_of(horde, key)
    except HordeError as error:
        yield unknown("key", f"the horde does not say whose it is: {in_words(error)}")
        return None
    if user is None:
        yield bad("key", "nobody with this key can run workers there", mend)
        return None
    name = known(user.username, "") or "an unnamed user"
    if user.deleted is True:
        yield bad("key", f"the account of {name} is deleted", mend)
    elif user.flagged is True:
        words = f"the account of {name} is under review: its workers are given no work"
        yield bad("key", words, "Ask the horde's moderators.")
    else:
        yield good("key", f"it is that of {name}")
    return user


def check_name(
    horde: Horde, settings: WorkerSettings, user: UserDetailsStable, *, invite_only: bool
) -> Iterator[Finding]:
    """Whose the worker's name is, and how the worker of that name stands."""
    name = name_of(settings)
    named = whose_is(horde, name, settings.api_key, user)
    mend = "Choose another name in the settings."
    match named.belongs:
        case Belongs.ANOTHER:
            yield bad("name", f"{name} is somebody else's worker there", mend)
        case Belongs.UNKNOWN:
            yield unknown("name", f"whose worker {name} is, this horde does not tell")
        case Belongs.NOBODY:
            yield good("name", f"{name} is free; the worker has not been there yet")
            if invite_only and not known(user.worker_invited, 0):
                words = "the horde takes new workers by invitation only, and you have none"
                yield bad("workers", words, "Ask its moderators for an invitation.")
        case Belongs.YOU:
            yield good("name", f"{name} is yours")
    if named.belongs is Belongs.YOU and named.worker is not None:
        yield from check_standing(horde.url, name, named.worker)


def check_standing(url: str, name: str, worker: WorkerDetailsStable) -> Iterator[Finding]:
    """Whether the horde gives this worker work."""
    if worker.maintenance_mode is True:
        words = "the worker is in maintenance: it is given no work but its owner's"
        notes = [known(each.message, "") for each in known(worker.messages, None) or []]
        if said := " · ".join(note for note in notes if note):
            words = f"{words} ({said})"
        ends = f"workers edit {shlex.quote(name)} --no-maintenance --url {url} --api-key YOURS"
        yield warning("standing", words, f"{ordu()} {ends} ends it.")
    if worker.paused is True:
        words = "the worker is paused by a moderator: it is given no work but its owner's"
        yield warning("standing", words, "Only the horde's moderators can end that: ask them.")
    if worker.flagged is True:
        words = "the horde holds the worker's owner under suspicion"
        yield warning("standing", words, "Ask the horde's moderators.")
    if suspicious := known(worker.suspicious, 0):
        words = f"there is suspicion against the worker ({suspicious})"
        yield warning("standing", words, "Pictures that come too fast or fail are the usual cause.")


def demand_of(horde: Horde) -> dict[str, float]:
    """Which models are known there, and how much waits for each."""
    # Some hordes count texts among them; an image worker's models are told by their type.
    return {
        known(each.name, ""): known(each.queued, 0.0) or known(each.jobs, 0.0)
        for each in horde.get_models()
        if known(each.type, "image") == "image"
    }
