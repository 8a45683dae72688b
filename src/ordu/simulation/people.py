"""People: they ask for pictures, look after them, think better of it, and give each other kudos."""

import random
from collections.abc import Sequence

from ordu.engine import end, place, progress, transfer
from ordu.engine.horde import Horde
from ordu.engine.once import Once
from ordu.kinds.image.drawing import DrawingRequest, encode
from ordu.protocol.errors import Refused
from ordu.rules import pricing
from ordu.rules.lifecycle import RequestId, Wish
from ordu.rules.matching import Feature, Requirement
from ordu.rules.money import UserId
from ordu.simulation.history import Gift
from ordu.simulation.network import Network
from ordu.simulation.server import Gone
from ordu.simulation.stage import Stage
from ordu.store import users
from ordu.store.requests import Request
from ordu.store.users import User

THINKING_MS_MAX = 12_000
TRIES = 4
SIZES = (256, 512, 1024)


def a_wish(chance: random.Random, *, ttl_ms: int) -> Wish:
    """Something to ask for."""
    side, steps = chance.choice(SIZES), chance.choice((10, 30, 50))
    drawing = DrawingRequest(
        prompt=chance.choice(("a fox", "a lighthouse", "rain")),
        width=side,
        height=side,
        steps=steps,
        sampler_name="k_euler_a",
        cfg_scale=5.0,
        karras=True,
    )
    requirement = Requirement(
        kind="image",
        models=chance.choice((frozenset(), frozenset({"old"}), frozenset({"old", "new"}))),
        pixels=side * side,
        features=chance.choice((frozenset[str](), frozenset[str]({Feature.TILING}))),
        nsfw=chance.random() < 0.2,
        trusted_only=chance.random() < 0.1,
    )
    work = side * side * steps
    return Wish(
        kind="image",
        requirement=requirement,
        n=chance.randrange(1, 5),
        work=work,
        price=pricing.price(work),
        ttl_ms=ttl_ms,
        seed=chance.choice((None, 7)),
        seed_step=1,
        wants_links=False,
        body=encode(drawing),
        is_heavy=chance.random() < 0.3,
    )


async def caller(horde: Horde, user_id: UserId) -> User:
    """Who is calling, as a handler is told."""
    user = await horde.read(lambda tx: users.by_id(tx, user_id))
    assert user is not None, "users are never removed"
    return user


class Person:
    """Somebody with a key who wants pictures."""

    def __init__(
        self,
        name: str,
        user_id: UserId,
        others: Sequence[UserId],
        stage: Stage,
        network: Network,
    ) -> None:
        self.name = name
        self.user_id = user_id
        self.others = [other for other in others if other != user_id]
        self.network = network
        self.agenda = stage.agenda
        self.chance = stage.chance
        self.history = stage.history
        self.story = stage.story
        self.lifetime_ms = stage.settings.request_lifetime_s * 1000
        self.thinking_ms_max = THINKING_MS_MAX * stage.pace
        self.requests: list[RequestId] = []
        self.is_content = False  # wants nothing new
        self.next()

    def next(self) -> None:
        """Do something in a while."""
        self.agenda.after(self.chance.randrange(1, self.thinking_ms_max), self.act)

    def act(self) -> None:
        """Do one of the things people do."""
        if self.is_content:
            return
        acts = [self.ask, self.ask, self.ask]
        if self.requests:
            acts += [self.look, self.look, self.cancel]
        if self.others and self.user_id:
            acts += [self.give]
        self.chance.choice(acts)()
        self.next()

    def ask(self) -> None:
        """Ask for pictures."""
        wish = a_wish(self.chance, ttl_ms=self.chance.choice((10_000, 30_000, 90_000)))
        sources = {"src": b"source"} if self.chance.random() < 0.2 else None

        async def verb(horde: Horde) -> Request:
            user = await caller(horde, self.user_id)
            place.check_open(horde)
            request = await place.accept(horde, user, wish, sources)
            self.story.name(request.id, "request")
            return request

        def answered(outcome: object) -> None:
            if isinstance(outcome, Request):
                self.requests.append(outcome.id)
                self.history.placed[outcome.id] = outcome.created_at + self.lifetime_ms

        self.network.call(self.name, f"asks for {wish.n} pictures", verb, answered)

    def look(self) -> None:
        """Look how far a request is."""
        request_id = self.chance.choice(self.requests)

        def answered(outcome: object) -> None:
            if isinstance(outcome, Refused) and outcome.rc == "RequestNotFound":
                self.requests = [each for each in self.requests if each != request_id]

        self.network.call(
            self.name,
            f"looks after {request_id}",
            lambda horde: progress.progress_of(horde, request_id),
            answered,
        )

    def cancel(self) -> None:
        """Want no more of a request."""
        request_id = self.chance.choice(self.requests)

        def answered(outcome: object) -> None:
            if isinstance(outcome, Request):
                self.history.cancelled.add(request_id)

        self.network.call(
            self.name,
            f"cancels {request_id}",
            lambda horde: end.cancel(horde, request_id),
            answered,
        )

    def give(self) -> None:
        """Give somebody kudos, with a key, again and again until an answer comes."""
        amount = len(self.history.gifts) + 1  # so that each gift can be told from all others
        gift = Gift(self.user_id, self.chance.choice(self.others), amount)
        self.history.gifts.append(gift)
        self.give_again(gift, TRIES)

    def give_again(self, gift: Gift, tries: int) -> None:
        """Make a gift with its key."""
        key = Once(f"transfer:{self.user_id}", f"key-{gift.amount}", f"body-{gift.amount}")

        async def verb(horde: Horde) -> int:
            user = await caller(horde, self.user_id)
            target = f"x#{gift.target}"
            return (await transfer.transfer(horde, user, target, gift.amount, key)).reply

        def answered(outcome: object) -> None:
            if isinstance(outcome, int):
                gift.answers.append(outcome)
            if tries > 1 and (isinstance(outcome, Gone) or self.chance.random() < 0.2):
                self.give_again(gift, tries - 1)

        self.network.call(
            self.name, f"gives user {gift.target} {gift.amount} kudos", verb, answered
        )
