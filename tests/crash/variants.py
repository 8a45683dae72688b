"""More cases: the same writes with other effects, one for each that a failpoint's name hides.

A delivery pays, and may also make its owner trusted; a claim may hand out several pictures. Each
line names its failpoint; what a case is stands in `cases.py`.
"""

import json
from functools import partial
from typing import NamedTuple

from tests.builders import HandClock, a_picture, a_requirement, a_wish, an_act
from tests.crash.cases import (
    ASK,
    JOB_STATE,
    ONE,
    PICTURE,
    POP,
    REQUESTS,
    Case,
    Facts,
    calling,
    ferris,
    pictures,
    submit,
    value,
    with_job,
)
from tests.crash.stage import Caller, Stage
from tests.unit.engine.test_verbs import a_user, a_worker, popped

from ordu.engine import end, leaving, place, sweeper
from ordu.engine.books import book
from ordu.engine.horde import Horde
from ordu.engine.sweeper import ORPHAN_AGE_MS
from ordu.failpoints import name_of
from ordu.rules import money
from ordu.rules.matching import WorkerId
from ordu.rules.money import Kudos
from ordu.rules.results import RATES, Finding
from ordu.rules.trust import DAY_MS
from ordu.server.secret import read_secret
from ordu.store import results, users
from ordu.store.database import Transaction
from ordu.store.users import User

OWNER_KEY = "key-of-an-owner-000022"
OWNER = {"apikey": OWNER_KEY}
NEARLY = Kudos(4_999_999)  # less than the setting `trust_threshold` asks for, by the least
DUE_S = 1_000  # a job that was handed out so long ago is overdue, and its request still there


class Variant(NamedTuple):
    """A case of a failpoint that has another one already."""

    failpoint: str
    case: Case


# What has to be there


async def an_owner(horde: Horde, clock: HandClock, held: Kudos = NEARLY) -> User:
    """Somebody of last month who is not trusted yet, and has earned so much by being here."""
    clock.forward(ms=-10 * DAY_MS)
    owner = await a_user(horde, "owner")
    key_hash = read_secret(horde.settings).hash_of(OWNER_KEY)
    await horde.write(lambda tx: users.set_key_hash(tx, owner.id, key_hash))
    clock.forward(ms=10 * DAY_MS)
    earned = money.uptime("uptime:x:1", owner.id, held, trusted=False)
    await horde.write(lambda tx: book(tx, earned, "e0", clock.now()))
    return owner


async def with_untrusted_worker(horde: Horde, clock: HandClock, held: Kudos = NEARLY) -> Facts:
    """A job of an owner whom its reward makes trusted, unless much less is held."""
    owner = await an_owner(horde, clock, held)
    worker = await a_worker(horde, owner)
    asker = await a_user(horde, kudos=10_000)
    await place.accept(horde, asker, a_wish(work=10**9))
    job = await popped(horde, worker)
    await sweeper.write_presence(horde)
    return {"user": owner.id, "job": job.id}


async def with_hasty_worker(horde: Horde, clock: HandClock) -> Facts:
    """A job of an untrusted worker that was too fast as often as it may be."""
    facts = await with_untrusted_worker(horde, clock, Kudos(100))
    may = RATES[Finding.TOO_FAST].least - 1

    def count(tx: Transaction) -> None:
        worker = tx.one("SELECT id FROM workers")
        assert worker is not None
        results.add(tx, WorkerId(worker["id"]), {Finding.TOO_FAST: may}, horde.now())

    await horde.write(count)
    return facts


async def with_untrusted_uptime(horde: Horde, clock: HandClock) -> Facts:
    """A worker whose next reward for being here makes its owner trusted."""
    owner = await an_owner(horde, clock)
    clock.forward(s=-630)
    for _ in range(9):
        await a_worker(horde, owner)
        clock.forward(s=59)
    await a_worker(horde, owner)
    await sweeper.write_presence(horde)
    return {"user": owner.id}


async def with_faults(horde: Horde, clock: HandClock) -> Facts:
    """A job of a request that one more fault ends."""
    facts = await with_job(horde, clock)
    for _ in range(horde.settings.faults_max - 1):
        await end.fault(horde, facts["job"])
        job = await popped(horde, horde.presence.by_id[facts["worker"]])
        facts |= {"job": job.id}
    return facts


async def with_overdue_job(horde: Horde, clock: HandClock) -> Facts:
    """A job whose worker took too long."""
    clock.forward(s=-DUE_S)
    return await with_job(horde, clock)


async def with_patient_request(horde: Horde, clock: HandClock) -> Facts:
    """A request that admits workers which take three times the time."""
    requirement = a_requirement(admits_extra_slow=True)
    await place.accept(horde, await a_user(horde), a_wish(requirement=requirement))
    return {}


async def with_deleted_now(horde: Horde, clock: HandClock) -> Facts:
    """An account that can be restored."""
    user = await a_user(horde)
    await leaving.delete_user(horde, user, user.id, an_act(horde))
    return {"user": user.id}


async def with_leaver(horde: Horde, clock: HandClock) -> Facts:
    """An account with a worker that was deleted a month ago."""
    clock.forward(ms=-31 * DAY_MS)
    user = await a_user(horde)
    await a_worker(horde, user)
    await leaving.delete_user(horde, user, user.id, an_act(horde))
    return {"user": user.id}


async def with_orphan(horde: Horde, clock: HandClock) -> Facts:
    """A picture of no job, from long ago."""
    clock.forward(ms=-2 * ORPHAN_AGE_MS)
    await horde.pictures.put("orphan.webp", a_picture())
    return {}


# What is called


def upload(caller: Caller) -> tuple[str, str]:
    """Pop; the job, and the link that takes its picture."""
    answer = caller.call("POST", "/generate/pop", json=POP).json()
    return answer["id"], answer["r2_upload"]


def put_picture(caller: Caller, facts: Facts) -> None:
    """Put a picture to its link."""
    _, link = upload(caller)
    caller.die_at(lambda: caller.http.put(link, content=a_picture()))


def submit_uploaded(caller: Caller, facts: Facts) -> None:
    """Deliver a picture that was put to its link before."""
    job, link = upload(caller)
    assert caller.http.put(link, content=a_picture()).status_code == 200
    submit(caller, {"job": job}, generation="R2")


def wait_for_it(caller: Caller, facts: Facts) -> None:
    """Ask, and wait for the picture, where a worker is that could make it."""
    caller.call("POST", "/generate/pop", json=POP | {"nsfw": True})
    caller.die("POST", "/generate/sync", json=ASK)


def withheld(caller: Caller, facts: Facts) -> None:
    """Deliver word that the picture is not to be seen."""
    submit(caller, facts, gen_metadata=[{"type": "censorship", "value": "csam"}])


def as_owner(method: str, path: str, body: Facts) -> partial[None]:
    """A call of the owner; `{name}` in its body stands for a fact."""

    def call(caller: Caller, facts: Facts) -> None:
        filled = {key: each.format(**facts) if isinstance(each, str) else each
                  for key, each in body.items()}  # fmt: skip
        caller.die_at(
            lambda: caller.http.request(method, f"/api/v2{path}", json=filled, headers=OWNER)
        )

    return partial(call)


# What is seen


def row(sql: str):
    """All columns of the first row that a query gives."""

    def look(stage: Stage) -> tuple[object, ...] | None:
        found = stage.look(lambda tx: tx.one(sql))
        return None if found is None else tuple(found)

    return look


def sources(stage: Stage) -> tuple[int, bool]:
    """How many requests there are, and whether the second one has its picture."""
    many = REQUESTS(stage)
    return many, many == 2 and pictures("_src")(stage) == 1


COUNTS = row("SELECT waiting, processing, lost, cancelled FROM requests")
PAID_TRANSFERS = row(
    "SELECT kudos, (SELECT COUNT(*) FROM transfers), (SELECT COUNT(*) FROM answers)"
    " FROM users WHERE id = 2"
)
OWNER_STANDS = row(
    "SELECT is_trusted, evaluating_kudos, kudos >= 5000000 FROM users WHERE username = 'owner'"
)
MANY_STEPS = ASK | {"params": {"width": 512, "height": 512, "steps": 200}}
DELIVERY = {"id": "{job}", "generation": PICTURE, "seed": 1}
WITH_KEY = {"headers": {"Idempotency-Key": "k"}}


def asked_with_key(stage: Stage) -> tuple[int, list[str]]:
    """How many requests there are, and which of them kept answers name."""
    rows = stage.look(lambda tx: tx.all("SELECT reply FROM answers"))
    told = [json.loads(bytes(each["reply"]))["id"] for each in rows]
    there = stage.look(lambda tx: {each["id"] for each in tx.all("SELECT id FROM requests")})
    return len(there), [request_id in there for request_id in told]


VARIANTS: dict[str, Variant] = {
    "its price is held": Variant(
        "accept",
        Case(
            ferris,
            row("SELECT waiting, bill FROM requests WHERE is_upfront = 1"),
            (1, 4_000),
            calling("POST", "/generate/async", MANY_STEPS),
        ),
    ),
    "three pictures are asked for": Variant(
        "accept",
        Case(
            ferris,
            value("SELECT waiting FROM requests WHERE user_id = 1"),
            3,
            calling("POST", "/generate/async", ASK | {"params": {"n": 3}}),
        ),
    ),
    "it may be asked for again": Variant(
        "accept",
        Case(
            ferris,
            asked_with_key,
            (2, [True]),
            calling("POST", "/generate/async", ASK, **WITH_KEY),
        ),
    ),
    "its caller waits for the picture": Variant(
        "accept", Case(ferris, REQUESTS, 2, wait_for_it, again=False)
    ),
    "it comes with a picture": Variant(
        "accept",
        Case(
            ferris,
            sources,
            (2, True),
            calling("POST", "/generate/async", ASK | {"source_image": PICTURE}),
            again=False,
        ),
    ),
    "two pictures at once": Variant(
        "take",
        Case(
            ferris,
            COUNTS,
            (0, 2, 0, 0),
            calling("POST", "/generate/pop", POP | {"amount": 2, "max_pixels": 1024 * 1024}),
        ),
    ),
    "three times the time": Variant(
        "take",
        Case(
            with_patient_request,
            row("SELECT due_at - started_at FROM jobs"),
            (450_000,),
            calling("POST", "/generate/pop", POP | {"extra_slow_worker": True}),
        ),
    ),
    "the picture was uploaded": Variant(
        "deliver",
        Case(ferris, value("SELECT finished FROM requests"), 1, submit_uploaded, again=False),
    ),
    "the picture is withheld": Variant(
        "deliver",
        Case(with_job, row("SELECT state, censored FROM jobs"), ("done", 1), withheld),
    ),
    "its owner becomes trusted": Variant(
        "deliver",
        Case(
            with_untrusted_worker,
            OWNER_STANDS,
            (1, 0, 1),
            as_owner("POST", "/generate/submit", DELIVERY),
        ),
    ),
    "it came too fast": Variant(
        "deliver",
        Case(
            with_hasty_worker,
            row("SELECT state, suspicion FROM jobs JOIN workers ON workers.id = worker_id"),
            ("done", 1),
            as_owner("POST", "/generate/submit", DELIVERY),
            arguments=("--rate-limits", "on", "--too-fast-megapixelsteps-per-s", "1"),
        ),
    ),
    "the last fault a request may have": Variant(
        "fault",
        Case(with_faults, COUNTS, (0, 0, 2, 0), partial(submit, state="faulted", generation="x")),
    ),
    "its time was over": Variant("fault", Case(with_overdue_job, JOB_STATE, "faulted")),
    "one of two is being drawn": Variant(
        "cancel",
        Case(with_job, COUNTS, (0, 1, 0, 1), calling("DELETE", "/generate/status/{request}")),
    ),
    "a picture is uploaded": Variant(
        "put_picture", Case(ferris, pictures(".webp"), 1, put_picture)
    ),
    "a picture of no job": Variant(
        "delete_pictures",
        Case(with_orphan, pictures(".webp"), 0, chore=name_of(sweeper.remove_orphans)),
    ),
    "being here makes its owner trusted": Variant(
        "reward_uptime",
        Case(
            with_untrusted_uptime, OWNER_STANDS, (1, 0, 1), as_owner("POST", "/generate/pop", POP)
        ),
    ),
    "its escrow becomes spendable": Variant(
        "edit",
        Case(
            with_untrusted_worker,
            OWNER_STANDS,
            (1, 0, 0),
            calling("PUT", "/users/{user}", {"trusted": True}),
        ),
    ),
    "kudos for every month": Variant(
        "edit",
        Case(
            ferris,
            row("SELECT kudos, monthly_kudos FROM users WHERE id = 2"),
            (10_700, 700),
            calling("PUT", "/users/2", {"monthly_kudos": 7}),
        ),
    ),
    "a deleted account is restored": Variant(
        "edit",
        Case(
            with_deleted_now,
            value("SELECT deleted_at IS NULL FROM users WHERE id = 2"),
            1,
            calling("PUT", "/users/2", {"undelete": True}),
        ),
    ),
    "a deleted account is wiped": Variant(
        "delete_user",
        Case(
            with_leaver,
            row("SELECT is_wiped, (SELECT COUNT(*) FROM workers) FROM users WHERE id = 2"),
            (1, 0),
            calling("DELETE", "/users/2"),
        ),
    ),
    "a transfer with a key": Variant(
        "transfer",
        Case(
            ferris,
            PAID_TRANSFERS,
            (10_500, 1, 1),
            calling("POST", "/kudos/transfer", ONE, **WITH_KEY),
        ),
    ),
    "an award with a key": Variant(
        "award",
        Case(
            ferris,
            PAID_TRANSFERS,
            (10_500, 0, 1),
            calling("POST", "/kudos/award", ONE, **WITH_KEY),
        ),
    ),
}
