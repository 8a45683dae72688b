"""The cases: for each failpoint what has to be there, what makes a server pass it, and its effect.

`prepare` runs in the test's process, `strike` calls the server that is to die, and `look` tells the
effect apart: it gives the same as before when nothing happened, and `done` when all of it did.
"""

import base64
import json
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from tests.builders import HandClock, a_picture, a_wish, an_act
from tests.conftest import ADMIN_KEY
from tests.crash.stage import Caller, Stage
from tests.unit.engine.test_verbs import a_user, a_worker, popped

from ordu.engine import (
    acts,
    auditing,
    end,
    keepers,
    leaving,
    news,
    once,
    place,
    rewards,
    settle,
    sign_ins,
    sweeper,
    transfer,
)
from ordu.engine.books import give
from ordu.engine.horde import Horde
from ordu.engine.news import NewsChange
from ordu.engine.once import Once
from ordu.engine.settle import Result
from ordu.engine.suspicion import ABORTED_MAX
from ordu.engine.webhooks import forget_deliveries
from ordu.failpoints import name_of
from ordu.images.segments import segments_in
from ordu.rules.lifecycle import Millis, Webhook
from ordu.rules.money import Action, Kudos
from ordu.rules.trust import DAY_MS
from ordu.rules.webhooks import DeliveryState
from ordu.store import givers, stats, users, webhooks
from ordu.store.database import Transaction

Facts = dict[str, Any]
Prepare = Callable[[Horde, HandClock], Awaitable[Facts]]
Strike = Callable[[Caller, Facts], None]
Look = Callable[[Stage], Any]

MINUTE_MS = 60_000
IDENTITY = ("https://id.test", "somebody")
POP = {"name": "attic", "models": ["stable_diffusion"], "bridge_agent": "Ordu:1:x"}
PICTURE = base64.b64encode(a_picture()).decode()


@dataclass(frozen=True)
class Case:
    """What happens around one failpoint."""

    prepare: Prepare | None  # None: there is no horde yet
    look: Look
    done: Any  # what is seen after the whole effect
    strike: Strike | None = None  # a call of the server; None: it dies by itself, or by `chore`
    chore: str = ""  # a chore that is run in a process of its own
    arguments: tuple[str, ...] = ()  # of the server
    again: bool = True  # whether the same call, made again, has the effect that was lost
    undone: Any = None  # what is seen without the effect, where that is not what was before all


# What has to be there


async def ferris(horde: Horde, clock: HandClock) -> Facts:
    """Somebody who has asked for two pictures, a worker, and kudos on all accounts."""
    user = await a_user(horde, kudos=10_000)
    await a_user(horde, "friend")
    admin = await horde.read(lambda tx: users.by_id(tx, 1))
    await horde.write(lambda tx: give(tx, admin, Kudos(10_000), Action.ADMIN, "e1", clock.now()))
    worker = await a_worker(horde, admin)
    request = await place.accept(horde, user, a_wish(n=2))
    return {"user": user.id, "worker": worker.id, "request": request.id}


async def with_job(horde: Horde, clock: HandClock) -> Facts:
    """A picture of it is being drawn."""
    facts = await ferris(horde, clock)
    job = await popped(horde, horde.presence.by_id[facts["worker"]])
    await sweeper.write_presence(horde)
    return facts | {"job": job.id}


async def with_many_jobs(horde: Horde, clock: HandClock) -> Facts:
    """As many jobs as a worker may give up in an hour, and one more."""
    user = await a_user(horde, "asker", concurrency=100)
    worker = await a_worker(horde, await horde.read(lambda tx: users.by_id(tx, 1)))
    for _ in range(ABORTED_MAX + 1):
        await place.accept(horde, user, a_wish())
    await sweeper.write_presence(horde)
    return {"jobs": [(await popped(horde, worker)).id for _ in range(ABORTED_MAX + 1)]}


async def with_old_request(horde: Horde, clock: HandClock) -> Facts:
    """A request whose time is over, with a finished picture."""
    clock.forward(s=-7200)
    facts = await with_job(horde, clock)
    await horde.pictures.put(end.upload_name(facts["job"]), a_picture())
    job = await horde.read(lambda tx: tx.one("SELECT * FROM jobs WHERE id = :id", id=facts["job"]))
    owner = await horde.read(lambda tx: users.by_id(tx, job["owner_id"]))
    running = await settle.find_running(horde, facts["job"], owner)
    await settle.deliver(horde, running, Result(running.id, "1"))
    return facts


async def with_empty_lane(horde: Horde, clock: HandClock) -> Facts:
    """A requirement that no request has any more."""
    facts = await with_old_request(horde, clock)
    clock.forward(s=7200)
    await sweeper.expire_requests(horde)
    return facts


async def with_old_statistics(horde: Horde, clock: HandClock) -> Facts:
    """Pictures that were made two hours ago."""
    facts = await with_old_request(horde, clock)
    await sweeper.fold_statistics(horde)
    return facts


async def with_old_answer(horde: Horde, clock: HandClock) -> Facts:
    """A call of a month ago that had an idempotency key."""
    clock.forward(ms=-31 * DAY_MS)
    facts = await ferris(horde, clock)
    user = await horde.read(lambda tx: users.by_id(tx, facts["user"]))
    await transfer.transfer(horde, user, "3", 1, Once("a", "b", "c"))
    return facts


async def with_mail(horde: Horde, clock: HandClock) -> Facts:
    """A picture that a webhook is to be told of, at an address that nobody calls."""
    admin = await horde.read(lambda tx: users.by_id(tx, 1))
    worker = await a_worker(horde, admin)
    await place.accept(horde, admin, a_wish(webhook=Webhook("https://127.0.0.1/hook")))
    job = await popped(horde, worker)
    await horde.pictures.put(end.upload_name(job.id), a_picture())
    await settle.deliver(horde, job, Result(job.id, "1"))
    await sweeper.write_presence(horde)
    return {"job": job.id}


async def with_failed_mail(horde: Horde, clock: HandClock) -> Facts:
    """One that was tried for hours."""
    facts = await with_mail(horde, clock)
    state = DeliveryState.FAILED
    await horde.write(lambda tx: webhooks.end(tx, facts["job"], state, clock.now()))
    return facts


async def with_old_mail(horde: Horde, clock: HandClock) -> Facts:
    """One that was sent a month ago."""
    clock.forward(ms=-31 * DAY_MS)
    return await with_failed_mail(horde, clock)


async def with_deleted(horde: Horde, clock: HandClock) -> Facts:
    """An account that was deleted a month ago."""
    clock.forward(ms=-31 * DAY_MS)
    user = await a_user(horde)
    await leaving.delete_user(horde, user, user.id, an_act(horde))
    return {"user": user.id}


async def with_old_act(horde: Horde, clock: HandClock) -> Facts:
    """Something that was done to a worker two years ago, and why."""
    clock.forward(ms=-730 * DAY_MS)
    facts = await ferris(horde, clock)
    by = acts.by(horde, 1, "put_worker_single", "a reason")
    worker = horde.presence.by_id[facts["worker"]]
    await keepers.edit_worker(horde, worker, keepers.WorkerChange(paused=True), by)
    return facts


async def with_allowance(horde: Horde, clock: HandClock) -> Facts:
    """Somebody whom a month's kudos are due."""
    facts = await ferris(horde, clock)
    change = {"monthly_kudos": 700, "monthly_received_at": clock.now() - 40 * DAY_MS}
    await horde.write(lambda tx: users.change(tx, facts["user"], change))
    return facts


async def with_uptime(horde: Horde, clock: HandClock) -> Facts:
    """A worker that has been here for nearly ten minutes."""
    clock.forward(s=-630)
    admin = await horde.read(lambda tx: users.by_id(tx, 1))
    for _ in range(9):
        await a_worker(horde, admin)
        clock.forward(s=59)
    await a_worker(horde, admin)
    await sweeper.write_presence(horde)
    return {}


async def with_empty_segment(horde: Horde, clock: HandClock) -> Facts:
    """A file of pictures that are all deleted, from two hours ago."""
    clock.forward(s=-7200)
    await horde.pictures.put("gone.webp", a_picture())
    await horde.pictures.delete(["gone.webp"])
    clock.forward(s=7200)
    return {}


async def with_old_givers(horde: Horde, clock: HandClock) -> Facts:
    """What somebody gave two months ago."""
    then = Millis(clock.now() - 62 * DAY_MS)
    await horde.write(lambda tx: stats.append(tx, givers.gave(then, 1, Kudos(5), pictures=1)))
    await sweeper.fold_statistics(horde)
    return {}


async def with_news(horde: Horde, clock: HandClock) -> Facts:
    """A piece of news."""
    act, piece = an_act(horde), NewsChange(newspiece="It moves.")
    return {"news": (await news.put_news(horde, None, piece, act)).id}


async def with_identity(horde: Horde, clock: HandClock) -> Facts:
    """Somebody who signed in by a provider, with a key of their own, and a browser long ago."""
    facts = await ferris(horde, clock)
    await horde.write(lambda tx: users.set_key_hash(tx, facts["user"], "h1:own"))
    await sign_ins.link(horde, facts["user"], "h1:own", *IDENTITY)
    await sign_ins.sign_in(horde, *IDENTITY, "h1:browser")
    return facts


async def with_old_browser(horde: Horde, clock: HandClock) -> Facts:
    """The same, half a year ago."""
    clock.forward(ms=-180 * DAY_MS)
    return await with_identity(horde, clock)


# What is seen


def value(sql: str) -> Look:
    """The first column of the first row that a query gives."""

    def look(tx: Transaction) -> Any:
        row = tx.one(sql)
        return None if row is None else next(iter(dict(row).values()))

    return lambda stage: stage.look(look)


def pictures(end: str) -> Look:
    """How many pictures the store has whose names end like this."""
    return lambda stage: sum(name.endswith(end) for name in stage.pictures())


def segments(stage: Stage) -> int:
    """How many files of pictures there are."""
    return len(list(segments_in(stage.picture_folder)))


def is_new(stage: Stage) -> tuple[bool, int]:
    """Whether there is a horde: it remembers a secret, and has so many users."""
    secrets = stage.peek("SELECT COUNT(*) FROM facts WHERE name = 'secret fingerprint'")
    return bool(secrets), stage.peek("SELECT COUNT(*) FROM users") or 0


# What is called


def calling(method: str, path: str, body: object = None, **given: Any) -> Strike:
    """One call; `{name}` in the path stands for a fact."""
    return lambda caller, facts: caller.die(method, path.format(**facts), json=body, **given)


def submit(caller: Caller, facts: Facts, **more: object) -> None:
    body = {"id": facts["job"], "generation": PICTURE, "seed": 1} | more
    caller.die("POST", "/generate/submit", json=body)


def give_up_too_many(caller: Caller, facts: Facts) -> None:
    """Give all jobs up; the last one is too many."""
    *bearable, last = ({"id": job, "state": "faulted", "generation": "x"} for job in facts["jobs"])
    for body in bearable:
        caller.call("POST", "/generate/submit", json=body)
    caller.die("POST", "/generate/submit", json=last)


def ask_for_what_is_not_drawn(caller: Caller, facts: Facts) -> None:
    """Somebody new asks for it."""
    account = caller.http.post("/register", json={"username": "corro"}).json()
    headers = {"apikey": account["api_key"]}
    caller.die("POST", "/generate/async", json={"prompt": "a naked toddler"}, headers=headers)


def hang_up(caller: Caller, facts: Facts) -> None:
    """Pop, and hang up before the answer."""
    body = json.dumps(POP)
    with socket.create_connection((caller.http.base_url.host, caller.http.base_url.port)) as line:
        line.sendall(
            f"POST /api/v2/generate/pop HTTP/1.1\r\nHost: x\r\napikey: {ADMIN_KEY}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
        )


def register(caller: Caller, facts: Facts) -> None:
    """Make an account."""
    caller.die_at(lambda: caller.http.post("/register", json={"username": "corro"}))


ASK = {"prompt": "a fox"}
ONE = {"username": "2", "amount": 5}
KUDOS_OF_2 = value("SELECT kudos FROM users WHERE id = 2")
REQUESTS = value("SELECT COUNT(*) FROM requests")
WORKERS = value("SELECT COUNT(*) FROM workers")
JOB_STATE = value("SELECT state FROM jobs")
WAITING = value("SELECT waiting FROM requests")
NEWCOMERS = value("SELECT COUNT(*) FROM users WHERE username = 'corro'")
SUSPICION = value("SELECT suspicion FROM users WHERE username = 'corro'")


def witness(tx: Transaction) -> int:
    """How many accounts there are of which the server said that they are made."""
    row = tx.one("SELECT COUNT(*) AS many FROM users WHERE username = 'witness'")
    return int(row["many"])


BROWSERS = value("SELECT COUNT(*) FROM sign_ins")
IDENTITIES = value("SELECT COUNT(*) FROM identities")
NEWS = value("SELECT COUNT(*) FROM news")
# Those of one person at a provider, in a process of their own: no provider is asked.
CASES: dict[str, Case] = {
    "check_books": Case(
        ferris,
        value("SELECT COUNT(*) FROM facts WHERE name = 'books'"),
        1,
        chore=name_of(auditing.check_books),
    ),
    "delete_news": Case(with_news, NEWS, 0, calling("DELETE", "/status/news?id={news}")),
    "forget_browsers": Case(with_old_browser, BROWSERS, 0, chore=name_of(sign_ins.forget_browsers)),
    "forget_old_givers": Case(
        with_old_givers,
        value("SELECT COUNT(*) FROM totals WHERE subject LIKE 'gave:%'"),
        0,
        chore=name_of(sweeper.forget_old_givers),
    ),
    "keep_sample": Case(ferris, value("SELECT COUNT(*) FROM samples"), 4, chore="sample_now"),
    "link": Case(ferris, IDENTITIES, 1, chore="link_administrator"),
    "make_account": Case(ferris, IDENTITIES, 1, chore="make_corro"),
    "put_news": Case(ferris, NEWS, 1, calling("PUT", "/status/news", {"newspiece": "It moves."})),
    "replace_key": Case(with_identity, BROWSERS, 0, calling("POST", "/users/2/key")),
    "sign_in": Case(with_identity, BROWSERS, 2, chore="sign_somebody_in"),
    "sign_out": Case(with_identity, BROWSERS, 0, chore="sign_somebody_out"),
    "unlink": Case(with_identity, IDENTITIES, 0, chore="unlink_somebody"),
    "accept": Case(ferris, REQUESTS, 2, calling("POST", "/generate/async", ASK)),
    "award": Case(ferris, KUDOS_OF_2, 10_500, calling("POST", "/kudos/award", ONE)),
    "cancel": Case(ferris, WAITING, 0, calling("DELETE", "/generate/status/{request}")),
    "check_secret": Case(None, is_new, (True, 0), again=False),  # then it also gets its users
    "count_aborted": Case(
        with_many_jobs,
        value("SELECT maintenance_text IS NOT NULL FROM workers"),
        1,
        give_up_too_many,
        again=False,  # they are counted in memory
    ),
    "count_prompt": Case(ferris, SUSPICION, 1, ask_for_what_is_not_drawn, again=False, undone=0),
    "delete_user": Case(
        ferris,
        value("SELECT deleted_at IS NOT NULL FROM users WHERE id = 2"),
        1,
        calling("DELETE", "/users/2"),
    ),
    "deliver": Case(with_job, JOB_STATE, "done", submit),
    "edit": Case(
        ferris,
        KUDOS_OF_2,
        10_700,
        calling("PUT", "/users/2", {"kudos": 7, "contact": "at home", "trusted": True}),
    ),
    "edit_worker": Case(
        ferris,
        value("SELECT info FROM workers"),
        "loft",
        calling("PUT", "/workers/{worker}", {"info": "loft"}),
    ),
    "ensure_first_users": Case(None, is_new, (True, 2), undone=(True, 0)),
    "expire": Case(with_old_request, REQUESTS, 0),
    "erase": Case(
        ferris,
        value("SELECT is_wiped FROM users WHERE id = 2"),
        1,
        chore="erase_somebody",
    ),
    "fault": Case(with_job, JOB_STATE, "faulted", partial(submit, state="faulted", generation="x")),
    "find_or_add": Case(
        ferris, WORKERS, 2, calling("POST", "/generate/pop", POP | {"name": "loft"})
    ),
    "fold": Case(
        ferris, value("SELECT COUNT(*) FROM learnt"), 0, chore=name_of(sweeper.fold_statistics)
    ),
    "forget_act_words": Case(
        with_old_act,
        value("SELECT COUNT(*) FROM acts WHERE reason IS NOT NULL"),
        0,
        chore=name_of(acts.forget_act_words),
    ),
    "forget_answers": Case(
        with_old_answer,
        value("SELECT COUNT(*) FROM answers"),
        0,
        chore=name_of(once.forget_answers),
    ),
    "forget_deliveries": Case(
        with_old_mail,
        value("SELECT COUNT(*) FROM deliveries"),
        0,
        chore=name_of(forget_deliveries),
    ),
    "forget_empty": Case(
        with_empty_lane,
        value("SELECT COUNT(*) FROM lanes"),
        0,
        chore=name_of(sweeper.forget_lanes),
    ),
    "give_back": Case(ferris, WAITING, 2, hang_up, again=False, undone=1),
    "keep_attempt": Case(
        with_mail,
        value("SELECT COUNT(*) FROM attempts"),
        1,
        chore="send_mail",
        again=False,  # it is taken for a minute; then it is sent again
    ),
    "move_old_statistics": Case(
        with_old_statistics,
        value("SELECT COUNT(*) FROM totals WHERE subject LIKE 'made:m:%'"),
        0,
        chore=name_of(sweeper.move_old_statistics),
    ),
    "pay_one": Case(with_allowance, KUDOS_OF_2, 10_700, chore=name_of(rewards.pay_monthly)),
    "register": Case(
        ferris, value("SELECT COUNT(*) FROM users WHERE username = 'corro'"), 1, register
    ),
    "remove_worker": Case(ferris, WORKERS, 0, calling("DELETE", "/workers/{worker}")),
    "replay": Case(
        with_failed_mail,
        value("SELECT state FROM deliveries"),
        "waiting",
        calling("POST", "/webhooks/deliveries/{job}/replay"),
    ),
    "return_mail": Case(
        with_mail, value("SELECT attempts - tries FROM deliveries"), 1, chore="give_mail_back"
    ),
    "reward_uptime": Case(
        with_uptime,
        value("SELECT kudos FROM users WHERE id = 1"),
        5_200,
        calling("POST", "/generate/pop", POP),
    ),
    "rotate_secret": Case(
        ferris,
        value("SELECT webhook_secret FROM users WHERE id = 1"),
        1,
        calling("POST", "/webhooks/secret"),
    ),
    "set_modes": Case(
        ferris,
        value("SELECT value FROM facts WHERE name = 'mode:raid_mode'"),
        "on",
        calling("PUT", "/status/modes", {"raid_mode": True}),
    ),
    "take": Case(ferris, WAITING, 1, calling("POST", "/generate/pop", POP)),
    "take_mail": Case(with_mail, value("SELECT attempts FROM deliveries"), 1, chore="send_mail"),
    "transfer": Case(ferris, KUDOS_OF_2, 10_500, calling("POST", "/kudos/transfer", ONE)),
    "wipe_deleted": Case(
        with_deleted,
        value("SELECT is_wiped FROM users WHERE id = 2"),
        1,
        chore=name_of(leaving.wipe_deleted),
    ),
    "write_presence": Case(
        ferris,
        value("SELECT offer LIKE '%\"threads\":7%' FROM workers"),
        1,
        lambda caller, _: caller.call_or_die("POST", "/generate/pop", json=POP | {"threads": 7}),
        again=False,  # written a moment later, by a chore
    ),
    "write_refusals": Case(
        ferris,
        value("SELECT amount FROM totals WHERE name = 'refused'"),
        3,
        chore="write_down_refusals",
    ),
    "put_picture": Case(with_job, pictures(".webp"), 1, submit),
    "put_source": Case(
        ferris,
        pictures("_src"),
        1,
        calling("POST", "/generate/async", ASK | {"source_image": PICTURE}),
    ),
    "delete_pictures": Case(
        with_old_request,
        pictures(".webp"),
        0,
        again=False,  # their request is gone: they are removed an hour later, as of no job
    ),
    "tidy_pictures": Case(with_empty_segment, segments, 0, chore=name_of(sweeper.remove_orphans)),
}
