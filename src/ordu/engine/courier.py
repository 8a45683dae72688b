"""The courier: takes what is to be delivered to webhooks and sends it, beside everything else.

Each process has one. It takes a delivery for a while in SQL, so no two send the same at once, and
when a process dies, another sends it after that while: at least once, never lost. It is woken by
what happens here and looks by itself for what others left.

One that hangs holds a seat for `webhook_timeout_s`. No host and no user may have all of them, so
others are served meanwhile (`rules.webhooks`).
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
import pybase64

from ordu.engine.horde import Horde
from ordu.engine.webhooks import key_label, secrets_that_sign
from ordu.outside.post import Post, Posted
from ordu.protocol.errors import Refused
from ordu.protocol.webhooks import WebhookGeneration, signed_headers
from ordu.rules.lifecycle import Millis
from ordu.rules.webhooks import SEATS, DeliveryState, Due, busy, chosen, outcome
from ordu.store import requests, webhooks
from ordu.store.database import Transaction
from ordu.store.webhooks import Attempt, Delivery

log = logging.getLogger(__name__)

LOOK_S = 1.0  # between looks for what other processes left and what is due again
TAKEN_MS = 60_000  # beyond the time for sending: for the picture, the database, a stall
FAREWELL_S = 2.0  # for what is on its way when the process stops
CHANCE_LIMIT = 2**32

Keys = Callable[[str], bytes]  # the key of a label (`server.secret`)


@dataclass(eq=False)
class Courier:
    """Sends what is due until it is cancelled."""

    horde: Horde
    post: Post
    keys: Keys
    under_way: dict[str, tuple[Due, "asyncio.Task[None]"]] = field(default_factory=dict)

    async def run(self) -> None:
        """Deliver for ever; at the end what is on its way gets a moment, then is given back."""
        try:
            while True:
                self.horde.mail.clear()
                try:
                    is_more = await self.round()
                except Refused as refused:
                    log.warning("webhooks have to wait: %s", refused.message)
                    is_more = False
                except Exception:
                    log.exception("looking for webhooks failed")
                    is_more = False
                if not is_more:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(LOOK_S):
                            await self.horde.mail.wait()
        finally:
            await self.stop()

    async def round(self) -> bool:
        """Take what is due, as far as there are seats, and begin to send it.

        Returns whether something was taken: then there may be more.
        """
        if len(self.under_way) >= SEATS:
            return False
        horde, now = self.horde, self.horde.now()
        seated = [due for due, _ in self.under_way.values()]
        found = await horde.read(lambda tx: webhooks.due(tx, now, busy(seated)))
        wanted = [each for each in chosen(found, seated) if each.id not in self.under_way]
        if not wanted:
            return False
        by_id = {each.id: each for each in wanted}
        for delivery in await take_mail(horde, [*by_id], self.post.timeout_s):
            task = asyncio.create_task(self.send(delivery))
            self.under_way[delivery.id] = by_id[delivery.id], task
        return True

    async def send(self, delivery: Delivery) -> None:
        """Send one, and keep how that went; a fault of ours counts as an attempt, too."""
        try:
            began = self.horde.now()
            try:
                posted = await self.attempt(delivery)
            except Refused as refused:  # the picture store or the database cannot now
                posted = Posted(None, refused.message)
            except Exception:
                log.exception("webhook %s could not be sent", delivery.id)
                posted = Posted(None, "something broke on this horde's side")
            await keep_attempt(self.horde, delivery, posted, began)
        except Refused as refused:  # it is sent again when the time is over for which it was taken
            log.warning("how webhook %s went cannot be kept: %s", delivery.id, refused.message)
        finally:
            self.under_way.pop(delivery.id, None)
            self.horde.mail.set()

    async def attempt(self, delivery: Delivery) -> Posted:
        """Send one now, signed."""
        body = await body_of(self.horde, delivery)
        secret = await self.horde.read(lambda tx: webhooks.signing_secret(tx, delivery.user_id))
        now = self.horde.now()
        numbers = secrets_that_sign(secret, now)
        keys = [self.keys(key_label(delivery.user_id, number)) for number in numbers]
        headers = signed_headers(keys, delivery.id, now // 1000, body)
        return await self.post.send(delivery.url, headers, body)

    async def settled(self) -> None:
        """Wait until nothing is on its way."""
        while self.under_way:
            await asyncio.gather(*(task for _, task in self.under_way.values()))

    async def stop(self) -> None:
        """Let what is on its way arrive within a moment; the rest goes back for others."""
        tasks = [task for _, task in self.under_way.values()]
        if tasks:
            await asyncio.wait(tasks, timeout=FAREWELL_S)
        left = [*self.under_way]
        for _, task in [*self.under_way.values()]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if left:
            with contextlib.suppress(Refused):
                await return_mail(self.horde, left)


async def take_mail(horde: Horde, delivery_ids: list[str], timeout_s: float) -> list[Delivery]:
    """Take these for as long as sending can last; those that nobody else has taken."""
    now = horde.now()
    until = Millis(now + round(timeout_s * 1000) + TAKEN_MS)

    def take_each(tx: Transaction) -> list[Delivery]:
        taken = (webhooks.take(tx, each, now, until) for each in sorted(delivery_ids))
        return [each for each in taken if each is not None]

    return await horde.write(take_each)


async def return_mail(horde: Horde, delivery_ids: list[str]) -> None:
    """Give these back, for another process or the next start."""

    def return_each(tx: Transaction) -> None:
        for each in sorted(delivery_ids):
            webhooks.let_go(tx, each)

    await horde.write(return_each)


async def body_of(horde: Horde, delivery: Delivery) -> bytes:
    """What is sent: the message, with a link to the picture that works now, or its bytes."""
    if delivery.picture is None:
        return delivery.body.encode()
    message = msgspec.json.decode(delivery.body, type=WebhookGeneration)
    picture = await picture_of(horde, delivery, delivery.picture)
    return msgspec.json.encode(msgspec.structs.replace(message, img=picture))


async def picture_of(horde: Horde, delivery: Delivery, name: str) -> str | None:
    """A picture as in the status of its request; None when it is kept no longer."""
    if delivery.wants_links and horde.sends_links:
        is_there = await horde.pictures.size(name) is not None
        return await horde.links.get_url(name) if is_there else None
    data = await horde.pictures.get(name)
    return None if data is None else pybase64.b64encode_as_string(data)


async def keep_attempt(horde: Horde, delivery: Delivery, posted: Posted, began: Millis) -> None:
    """Keep how an attempt went and what becomes of the delivery."""
    now = horde.now()
    after = outcome(posted.status, delivery.tries, horde.fresh.choice() / CHANCE_LIMIT)
    attempt = Attempt(
        number=delivery.attempts,
        began_at=began,
        took_ms=max(0, now - began),
        status=posted.status,
        error=words_of(posted, after.state),
    )

    def write(tx: Transaction) -> None:
        if after.state is DeliveryState.GONE:  # requests are locked first
            requests.forget_webhook(tx, delivery.request_id)
            webhooks.end_waiting_of(tx, delivery.request_id, now)
        webhooks.note(tx, delivery.id, attempt)
        if after.pause_ms is None:
            webhooks.end(tx, delivery.id, after.state, now)
        else:
            webhooks.put_off(tx, delivery.id, Millis(now + after.pause_ms))

    await horde.write(write, lambda _: count(horde, after.state, delivery, attempt))


def words_of(posted: Posted, state: DeliveryState) -> str | None:
    """Why an attempt failed, for people; None when it did not."""
    if state is DeliveryState.DELIVERED:
        return None
    if posted.status is None:
        return posted.error
    if state is DeliveryState.GONE:
        return "the receiver answered 410 Gone: nothing more of this request is sent"
    if 300 <= posted.status < 400:
        return f"the receiver answered {posted.status}; redirects are not followed"
    return f"the receiver answered {posted.status}; 200 to 299 says that it has the message"


def count(horde: Horde, state: DeliveryState, delivery: Delivery, attempt: Attempt) -> None:
    """Count an attempt, and log one that failed; the address may hold secrets and is not logged."""
    tally = horde.tally
    if state is DeliveryState.DELIVERED:
        tally.delivered += 1
        return
    tally.failed += 1
    if state is not DeliveryState.WAITING:
        tally.given_up += 1
    what = (delivery.id, delivery.host, attempt.number, attempt.error)
    log.info("webhook %s to %s, attempt %d: %s", *what)
