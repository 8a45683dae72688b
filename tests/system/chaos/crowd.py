"""The crowd: clients that ask for pictures and give kudos, workers that make them.

Each is a small task that goes on through everything. What they do is drawn from the run's seed.
"""

import asyncio
import base64
import hashlib
import io
import itertools
import random
import time
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import TypeVar

from PIL import Image
from tests.system.chaos.calling import Addresses, GaveUp, Refusal
from tests.system.chaos.journal import Gift, Handed, Journal, Placed
from tests.system.chaos.stage import ADMIN_KEY, Stage

from ordu.client import AsyncHorde, HordeError, wire
from ordu.client.events import Ended
from ordu.client.wire import Answer, known
from ordu.protocol import operations
from ordu.protocol.jobs import GenerationPayload

T = TypeVar("T")

SIDE = 64
PAYERS, OWNERS = 5, 3
KUDOS = 50_000_000
WAIT_S = 4
LONG_WAIT_S = 15  # more than what is lost takes to be found
WORK_S = 0.3  # at most
FOUND_S_MAX = 13.0  # what changed so long ago is known everywhere, whoever was killed
LAST_CHANGE = """
SELECT extract(epoch FROM now())::float - GREATEST(MAX(started_at), MAX(ended_at)) / 1000.0
FROM jobs WHERE request_id = $1
"""


@dataclass
class User:
    """Somebody with a key."""

    id: int
    key: str


@dataclass
class Crowd:
    """Everybody who calls the horde."""

    stage: Stage
    addresses: Addresses
    journal: Journal
    chance: random.Random
    payers: list[User] = field(default_factory=list)
    owners: list[User] = field(default_factory=list)
    is_closing: bool = False  # nothing is asked for any more
    is_over: bool = False  # and nothing is made
    is_rough: bool = True  # they vanish and hang up
    amounts: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    async def register(self) -> None:
        """Make the users; payers have kudos, owners may have many workers."""
        for number in range(PAYERS + OWNERS):
            name = f"{'payer' if number < PAYERS else 'owner'}{number}"
            found = await self.addresses.insist(
                "post_register", lambda horde, name=name: horde.post_register({"username": name})
            )
            key = known(found.api_key, "")
            me = await self.addresses.insist(
                "get_find_user", lambda horde, key=key: horde.get_find_user(key)
            )
            user = User(known(me.id, 0), key)
            (self.payers if number < PAYERS else self.owners).append(user)
        for user in self.payers:
            body = {"username": str(user.id), "amount": KUDOS}
            await self.addresses.insist(
                "post_award_kudos",
                lambda horde, body=body: horde.post_award_kudos(body, ADMIN_KEY),
            )
        for user in self.owners:
            change = {"trusted": True, "worker_invited": 100_000}
            await self.addresses.insist(
                "put_user_single",
                lambda horde, user=user, change=change: horde.put_user_single(
                    str(user.id), change, ADMIN_KEY
                ),
            )

    # Clients

    async def client(self, number: int) -> None:
        """Ask for pictures, and look what becomes of them, until told to stop."""
        payer = self.payers[number % len(self.payers)]
        ways = [self.poll, self.wait, self.listen, self.leave]
        while not self.is_closing:
            with suppress(GaveUp):
                placed = await self.place(payer)
                if placed is None:
                    continue
                if self.chance.random() < 0.1:
                    await self.cancel(placed)
                await self.chance.choice(ways)(placed)
                if placed.is_seen_done and self.chance.random() < 0.3:
                    await self.look_at(placed)
                if self.chance.random() < 0.2:
                    await self.give(payer)

    async def place(self, payer: User) -> Placed | None:
        """A request that was acknowledged; None when that is not known."""
        n = self.chance.randint(1, 4)
        body = {
            "prompt": f"a fox, the {next(self.numbers)}.",
            "params": {"width": SIDE, "height": SIDE, "steps": self.chance.randint(1, 9), "n": n},
            "nsfw": False,
            "r2": self.chance.random() < 0.5,
        }
        self.journal.asked["requests"] += 1
        found = await self.addresses.once(
            "post_async_generate", lambda horde: horde.post_async_generate(body, payer.key)
        )
        if found is None:
            await asyncio.sleep(self.chance.uniform(0.05, 0.3))
            return None
        placed = Placed(known(found.id, ""), payer.id, n)
        self.journal.requests[placed.id] = placed
        return placed

    async def cancel(self, placed: Placed) -> None:
        """Take a request back."""
        placed.is_cancel_asked = True
        await self.insist_on(
            placed, "delete_async_status", lambda horde: horde.delete_async_status(placed.id)
        )
        placed.is_cancelled = True

    async def insist_on(self, placed: Placed, name: str, ask):
        """Ask something about a request, which is there."""
        try:
            return await self.addresses.insist(name, ask)
        except Refusal as refusal:
            self.journal.is_wrong(f"{name} of request {placed.id} was refused: {refusal}")
            raise GaveUp(name) from refusal

    async def poll(self, placed: Placed) -> None:
        """Ask again and again for a while."""
        for _ in range(12):
            check = await self.insist_on(
                placed, "get_async_check", lambda horde: horde.get_async_check(placed.id)
            )
            if known(check.done, default=False):
                placed.is_seen_done = True
                return
            await asyncio.sleep(0.25)

    async def wait(self, placed: Placed) -> None:
        """Ask to be answered when something happens."""
        version = None
        wait_s = self.chance.choice([WAIT_S, WAIT_S, LONG_WAIT_S])
        for _ in range(6):
            horde = self.addresses.one()
            found = await self.checked(placed, horde, version, wait_s)
            if found is None:
                await asyncio.sleep(0.2)
                continue
            if found.status == wire.NOT_MODIFIED:
                await self.not_overslept(placed, horde, version, wait_s)
                return
            version = found.headers.get("etag")
            check = wire.read(found, operations.get_async_check.reply, "get_async_check")
            if known(check.done, default=False):
                placed.is_seen_done = True
                return

    async def checked(
        self, placed: Placed, horde: AsyncHorde, version: str | None, wait_s: int
    ) -> Answer | None:
        """The answer to a check that waits for another version than this."""
        more: dict[str, str | None] = {"If-None-Match": version}
        if wait_s:
            more["Prefer"] = f"wait={wait_s}"

        async def ask(horde: AsyncHorde) -> Answer:
            answer = await horde._line.ask(operations.get_async_check, more, ids={"id": placed.id})
            return answer if answer.status == wire.NOT_MODIFIED else wire.succeeded(answer)

        try:
            return await self.addresses.once(
                "get_async_check, waiting", ask, wait_s=wait_s, at=horde
            )
        except Refusal as refusal:
            self.journal.is_wrong(f"a check of request {placed.id} was refused: {refusal}")
            raise GaveUp("check") from refusal

    async def not_overslept(
        self, placed: Placed, horde: AsyncHorde, version: str | None, wait_s: int
    ) -> None:
        """Whoever waited long and was told that nothing happened must not find that it has."""
        if wait_s < LONG_WAIT_S:
            return
        again = await self.checked(placed, horde, version, 0)
        if again is not None and again.status != wire.NOT_MODIFIED:
            ago_s = (await self.stage.ask(LAST_CHANGE, placed.id))[0][0]
            if ago_s is not None and ago_s > FOUND_S_MAX:
                self.journal.is_wrong(
                    f"a check of {placed.id} waited on, though it had changed {ago_s:.0f} s ago"
                )

    async def listen(self, placed: Placed) -> None:
        """Be told what happens."""
        horde, calls = self.addresses.one(), self.journal.calls
        try:
            async with (
                asyncio.timeout(LONG_WAIT_S),
                aclosing(horde.events(placed.id)) as events,
            ):
                async for event in events:
                    if isinstance(event, Ended):
                        placed.is_seen_done = event.progress.is_over
                        calls["get_async_events", "to its end"] += 1
        except TimeoutError:
            calls["get_async_events", "left early"] += 1
        except HordeError as error:
            calls["get_async_events", type(error).__name__] += 1
            if error.status is not None and error.status != 503:
                self.journal.is_wrong(f"the events of {placed.id} were refused: {error}")

    async def leave(self, placed: Placed) -> None:
        """Come back much later."""
        await asyncio.sleep(self.chance.uniform(0, 0.2))

    async def look_at(self, placed: Placed) -> None:
        """Get all pictures of a request that is done."""
        for data in await self.pictures(placed):
            with Image.open(io.BytesIO(data)) as image:
                assert image.size == (SIDE, SIDE)

    async def pictures(self, placed: Placed) -> list[bytes]:
        """The bytes of the pictures that a request has."""
        found = []
        status = await self.insist_on(
            placed, "get_async_status", lambda horde: horde.get_async_status(placed.id)
        )
        for each in known(status.generations, []):
            link = known(each.img, "")
            data = await self.insist_on(
                placed, "get_picture", lambda horde, link=link: horde.fetch(link)
            )
            found.append(data)
        return found

    async def give(self, payer: User) -> None:
        """Give somebody kudos, once."""
        taker = self.chance.choice([each for each in self.payers if each is not payer])
        gift = Gift(payer.id, taker.id, next(self.amounts))
        self.journal.gifts[gift.amount] = gift
        body = {"username": str(taker.id), "amount": gift.amount}
        key = f"gift-{gift.amount}"
        try:
            await self.addresses.insist(
                "post_transfer_kudos",
                lambda horde: horde.post_transfer_kudos(body, payer.key, idempotency_key=key),
            )
        except Refusal as refusal:
            self.journal.is_wrong(f"a transfer was refused: {refusal}")
            return
        gift.is_acknowledged = True

    # Workers

    async def worker(self, number: int) -> None:
        """Make pictures until told to stop."""
        owner = self.owners[number % len(self.owners)]
        name, calls_itself = f"worker {number}", itertools.count(2)
        while not self.is_over:
            try:
                handed = await self.pop(owner, name, 1 + (number % 3))
                if handed is None:
                    continue
                if self.is_rough and self.chance.random() < 0.02:
                    self.journal.fault("worker vanishes with its jobs", name)
                    self.let_go(handed)
                    name = f"worker {number}, the {next(calls_itself)}."
                    continue
                try:
                    await self.make(owner, handed)
                finally:
                    self.let_go(handed)
            except Refusal as refusal:
                if refusal.rc != "WorkerMaintenance":
                    self.journal.is_wrong(f"{name} was refused a job: {refusal}")
                    await asyncio.sleep(1)
                name = f"worker {number}, the {next(calls_itself)}."
            except GaveUp:
                continue

    async def pop(self, owner: User, name: str, amount: int) -> GenerationPayload | None:
        """Jobs, if there are any."""
        wait_s = self.chance.choice([0, WAIT_S, WAIT_S])
        body = {
            "name": name,
            "models": ["stable_diffusion"],
            "max_pixels": SIDE * SIDE,
            "bridge_agent": "Ordu:1:x",
            "amount": amount,
        }

        async def ask(horde: AsyncHorde) -> GenerationPayload:
            prefer = f"wait={wait_s}" if wait_s else None
            return await horde.post_job_pop(body, owner.key, prefer=prefer)

        if self.is_rough and wait_s and self.chance.random() < 0.05:
            with suppress(TimeoutError):
                async with asyncio.timeout(self.chance.uniform(0.01, 0.3)):
                    found = await self.addresses.once("post_job_pop", ask, wait_s=wait_s)
                    return None if found is None else self.handed(owner, found)
            self.journal.fault("worker hangs up while it waits")
            return None
        found = await self.addresses.once("post_job_pop", ask, wait_s=wait_s)
        if found is None or not known(found.id, ""):
            await asyncio.sleep(
                self.chance.uniform(0.02, 0.3) if found is None or not wait_s else 0
            )
            return None
        return self.handed(owner, found)

    def handed(self, owner: User, found: GenerationPayload) -> GenerationPayload | None:
        """Note the jobs that came with an answer."""
        if not known(found.id, ""):
            return None
        for job_id in known(found.ids, []):
            if job_id in self.journal.jobs:
                self.journal.is_wrong(f"job {job_id} was handed out twice")
            ttl_s = float(known(found.ttl, 0))
            self.journal.jobs[job_id] = Handed(job_id, owner.id, time.monotonic(), ttl_s)
        return found

    def let_go(self, found: GenerationPayload) -> None:
        """Nobody works on these jobs any more."""
        for job_id in known(found.ids, []):
            self.journal.jobs[job_id].is_held = False

    async def make(self, owner: User, found: GenerationPayload) -> None:
        """Make the pictures of these jobs and bring them, some of them twice."""
        await asyncio.sleep(self.chance.uniform(0, WORK_S))
        links = known(found.r2_uploads, [])
        for job_id, link in zip(known(found.ids, []), links, strict=True):
            job = self.journal.jobs[job_id]
            first = a_picture(next(self.numbers))
            by_link = self.chance.random() < 0.4
            if by_link and not await self.upload(link, first):
                by_link = False
            deliveries = [self.submit(owner, job, first, is_uploaded=by_link)]
            if self.is_rough and self.chance.random() < 0.1:
                self.journal.fault("job brought twice at once, to both addresses")
                second = a_picture(next(self.numbers))
                here, there = self.addresses.hordes
                deliveries[0].close()
                deliveries = [
                    self.submit(owner, job, first, is_uploaded=by_link, at=here),
                    self.submit(owner, job, second, is_uploaded=False, at=there),
                ]
            await asyncio.gather(*deliveries)

    async def upload(self, link: str, picture: bytes) -> bool:
        """Put a picture to its link; False when that did not go."""

        async def put(horde: AsyncHorde) -> bool:
            await horde.upload(link, picture)
            return True

        for _ in range(20):
            if await self.addresses.once("put_picture", put):
                return True
            await asyncio.sleep(0.3)
        return False

    async def submit(
        self,
        owner: User,
        job: Handed,
        picture: bytes,
        *,
        is_uploaded: bool,
        at: AsyncHorde | None = None,
    ) -> None:
        """Bring a picture, until the horde says what became of it."""
        mark = fingerprint(picture)
        job.sent.add(mark)
        text = "R2" if is_uploaded else base64.b64encode(picture).decode()
        body = {"id": job.id, "generation": text, "seed": 1, "state": "ok"}
        try:
            found = await self.addresses.insist(
                "post_job_submit", lambda horde: horde.post_job_submit(body, owner.key), at=at
            )
        except Refusal as refusal:
            job.is_known_done |= refusal.rc == "DuplicateGen"
            is_late = refusal.rc == "AbortedGen" and job.is_late
            if refusal.rc != "DuplicateGen" and not is_late:
                self.journal.is_wrong(f"a picture of job {job.id} was refused: {refusal}")
            return
        except GaveUp:
            self.journal.is_wrong(f"a picture of job {job.id} could not be brought")
            return
        job.rewards.append(known(found.reward, 0.0))
        job.accepted, job.is_known_done = mark, True


def a_picture(number: int) -> bytes:
    """A picture that no other number has."""
    buffer = io.BytesIO()
    colour = (number >> 16 & 255, number >> 8 & 255, number & 255)
    Image.new("RGB", (SIDE, SIDE), colour).save(buffer, "PNG")
    return buffer.getvalue()


def fingerprint(picture: bytes) -> str:
    """What a picture is known by."""
    return hashlib.sha256(picture).hexdigest()
