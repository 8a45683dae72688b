"""A horde with one of everybody, and everything that somebody can have.

Each person has a worker, a request that waits, a job that their worker is at, a delivery to a
webhook, an identity at a provider and a browser that is signed in. `mend` brings back what a call
has changed or taken, so that one horde serves thousands of calls.
"""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from tests.builders import NOON, HandClock, a_picture
from tests.conftest import ADMIN_KEY

from ordu.engine.horde import worker_from
from ordu.openid.provider import Document
from ordu.rules.lifecycle import Millis
from ordu.rules.money import ADMINISTRATOR, UserId
from ordu.server.app import make_app
from ordu.server.run import Opened, open_horde
from ordu.settings import ServerSettings
from ordu.store import facts, identities, sign_ins, users, workers
from ordu.store.database import Transaction
from ordu.store.identities import Identity
from ordu.store.moving.catalog import tables_of_the_schema
from ordu.store.users import EDITABLE, User
from ordu.store.workers import WorkerRow

HOST = "http://horde.test"
PROVIDER = "http://127.0.0.1:9"
GUEST_KEY = "0000000000"
WRONG_KEY = "no-such-key-0000000022"
# What is written for few: nobody who is refused may be shown any of it.
CONTACT, COMMENT, PROMPT = "for-moderators@horde.test", "a note among us", "a fox in secret"
SECRETS = (CONTACT, COMMENT, PROMPT)
PICTURE = base64.b64encode(a_picture(64, 64)).decode()
MODES = ("maintenance_mode", "invite_only_mode", "raid_mode")
RICH = 1_000_000
TABLES = [table.name for table in tables_of_the_schema()]

# Who is there beside the guests, and what was changed of each. The administrator is user 1.
PEOPLE: dict[str, dict[str, Any]] = {
    "administrator": {},
    "user": {},
    "owner": {"has_public_workers": True},
    "education": {"is_education": True},
    "flagged": {"is_flagged": True},
    "deleted": {"deleted_at": NOON},
    "moderator": {"is_moderator": True},
    "browser": {},
    "another": {"suspicion": 1},
    "another-moderator": {"is_moderator": True},
}


@dataclass
class Account:
    """Somebody with a key and nothing else."""

    user: User
    key: str

    @property
    def id(self) -> UserId:
        return self.user.id

    @property
    def alias(self) -> str:
        return f"{self.user.username}#{self.user.id}"


@dataclass
class Person(Account):
    """Somebody with an account, and what is theirs."""

    browser_key: str
    worker: WorkerRow
    job_id: str  # which their worker is at
    request_id: str  # which waits
    drawn_id: str  # of the request that is done
    delivery_id: str
    identity: Identity
    picture: str  # the link to one that was drawn for them
    upload: str  # the link to which their worker puts its picture


class World:
    """The horde and who is in it."""

    def __init__(self, opened: Opened, client: httpx.AsyncClient) -> None:
        self.horde, self.secret, self.client = opened.horde, opened.secret, client
        self.people: dict[str, Person] = {}
        self.newcomer: Account
        self.news_id = 0

    # Calls

    async def call(self, method: str, path: str, key: str | None, **more: Any) -> httpx.Response:
        """A call with this key."""
        headers = more.pop("headers", {}) | ({} if key is None else {"apikey": key})
        return await self.client.request(method, path, headers=headers, **more)

    async def done(self, method: str, path: str, key: str | None, **more: Any) -> Any:
        """The answer to a call that is taken."""
        reply = await self.call(method, path, key, **more)
        assert reply.is_success, reply.text
        return reply.json()

    async def ask(self, key: str, model: str, **more: Any) -> str:
        """Place a request for this model; its id."""
        body = {
            "prompt": PROMPT,
            "models": [model],
            "params": {"width": 64, "height": 64},
            "r2": True,
        }
        placed = await self.done("POST", "/api/v2/generate/async", key, json=body | more)
        return str(placed["id"])

    async def pop(self, key: str, worker: str) -> dict[str, Any]:
        """Have a worker that draws what is named like it ask for a job."""
        body = {
            "name": worker,
            "models": [worker],
            "max_pixels": 1048576,
            "bridge_agent": "Ordu:1:x",
            "nsfw": True,
        }
        popped: dict[str, Any] = await self.done("POST", "/api/v2/generate/pop", key, json=body)
        return popped

    async def submit(self, key: str, job_id: str) -> None:
        """Have a worker bring its picture."""
        body = {"id": job_id, "generation": PICTURE, "seed": 1}
        await self.done("POST", "/api/v2/generate/submit", key, json=body)

    async def everything(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table."""

        def read(tx: Transaction) -> dict[str, list[tuple[Any, ...]]]:
            return {
                name: [tuple(row) for row in tx.all(f"SELECT * FROM {name} ORDER BY 1, 2")]
                for name in TABLES
            }

        return await self.horde.read(read)

    # Making

    async def furnish(self) -> None:
        """Make everybody and everything."""
        for name, changes in PEOPLE.items():
            if name == "administrator":
                admin = await self.horde.read(lambda tx: users.by_id(tx, ADMINISTRATOR))
                assert admin is not None
                account = Account(admin, ADMIN_KEY)
            else:
                account = await self.register(name)
            self.people[name] = await self.with_things(name, account, changes)
        self.newcomer = await self.register("newcomer")
        await self.mend_horde()

    async def register(self, name: str) -> Account:
        """Somebody new."""
        made = await self.done("POST", "/register", None, json={"username": name})
        user = await self.horde.read(lambda tx: users.by_id(tx, made["id"]))
        assert user is not None
        return Account(user, made["api_key"])

    async def with_things(self, name: str, account: Account, changes: dict[str, Any]) -> Person:
        """The same with one of everything."""
        worker, key, user_id = f"worker of {name}", account.key, account.id
        about = {"contact": CONTACT, "admin_comment": COMMENT, "kudos": RICH}
        await self.done("PUT", f"/api/v2/users/{user_id}", ADMIN_KEY, json=about)
        drawn = await self.ask(key, worker, webhook="http://bot.test/hook")
        await self.submit(key, (await self.pop(key, worker))["id"])
        status = await self.done("GET", f"/api/v2/generate/status/{drawn}", None)
        await self.ask(key, worker)
        job = await self.pop(key, worker)
        log = await self.done("GET", "/api/v2/webhooks/deliveries", key)
        now, horde = self.horde.now(), self.horde

        def write(tx: Transaction) -> tuple[User, WorkerRow | None]:
            if changes:
                users.change(tx, user_id, changes)
            return users.locked(tx, user_id)[user_id], workers.by_name(tx, worker)

        request_id = await self.ask(key, worker)
        user, row = await horde.write(write)
        assert row is not None
        person = Person(
            user=user,
            key=key,
            browser_key=f"key-of-a-browser-{user_id:05}",
            worker=row,
            job_id=job["id"],
            request_id=request_id,
            drawn_id=drawn,
            delivery_id=log["deliveries"][0]["id"],
            identity=Identity(
                id=f"identity-of-{name}",
                issuer="http://127.0.0.1:10",
                subject=name,
                user_id=user_id,
                created_at=now,
            ),
            picture=status["generations"][0]["img"].removeprefix(HOST),
            upload=job["r2_upload"].removeprefix(HOST),
        )
        await self.mend(person)
        return person

    async def running_job(self, person: Person) -> None:
        """Give somebody's worker another job, when the one it was at has ended."""
        job = self.horde.running.job(person.job_id)
        if job is None:
            await self.ask(ADMIN_KEY, person.worker.name)
            job = await self.pop(person.key, person.worker.name)
            person.job_id, person.upload = job["id"], job["r2_upload"].removeprefix(HOST)

    # Mending

    async def mend(self, *people: Account) -> None:
        """Bring back what these people are and have."""

        def write(tx: Transaction) -> None:
            users.locked(tx, *(person.id for person in people))
            for person in people:
                self.mend_one(tx, person)

        await self.horde.write(write)
        for person in people:
            if isinstance(person, Person):
                self.horde.presence.remove(person.worker.id)
                self.horde.presence.add(worker_from(person.worker))

    def mend_one(self, tx: Transaction, person: Account) -> None:
        """The same in a transaction."""
        proof, now = self.secret.hash_of, self.horde.now()
        users.change(tx, person.id, {name: getattr(person.user, name) for name in EDITABLE})
        users.set_key_hash(tx, person.id, proof(person.key))
        if not isinstance(person, Person):
            return
        identities.add(tx, person.identity)
        sign_ins.end_all(tx, person.id)
        sign_ins.add(
            tx,
            key_hash=proof(person.browser_key),
            user_id=person.id,
            now=now,
            expires_at=Millis(now + 10**9),
        )
        if workers.by_id(tx, person.worker.id) is None:
            workers.add(tx, person.worker)
        said = {"name": person.worker.name, "is_paused": False, "maintenance_text": None}
        workers.change(tx, person.worker.id, said | {"info": None})

    async def mend_horde(self) -> None:
        """Bring back the modes and the news."""
        off = dict.fromkeys(MODES, False)
        await self.horde.write(lambda tx: facts.set_modes(tx, off))
        self.horde.modes.update(off)
        news = {"newspiece": "We are open."}
        piece = await self.done("PUT", "/api/v2/status/news", ADMIN_KEY, json=news)
        self.news_id = piece["id"]

    async def everybody(self) -> None:
        """Bring everything back."""
        await self.mend(*self.people.values(), self.newcomer)
        await self.running_job(self.people["owner"])
        await self.mend_horde()


@asynccontextmanager
async def a_world(folder: str, database_url: str) -> AsyncIterator[World]:
    """A horde with everybody, at NOON."""
    settings = ServerSettings(
        data=folder,
        admin_key=ADMIN_KEY,
        rate_limits=False,
        database=database_url,
        database_connections=4,
        webhook_hosts=("bot.test",),
        oidc={"company": PROVIDER},
        oidc_client_ids={"company": "ordu"},
        concurrency=100_000,
        concurrency_anonymous=100_000,
    )

    async def nowhere(host: str, port: int) -> list[str]:
        return []

    async with open_horde(settings, HOST, clock=HandClock(), resolver=nowhere) as opened:
        # What the provider says of itself is known, so that nobody is asked.
        document = Document(PROVIDER, f"{PROVIDER}/a", f"{PROVIDER}/t", f"{PROVIDER}/k")
        opened.horde.providers["company"]._document = (opened.horde.now(), document)
        app = make_app(opened.horde, opened.secret)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=HOST) as client:
            world = World(opened, client)
            await world.furnish()
            yield world
