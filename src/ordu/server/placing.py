"""Placing a picture request: what is asked for, what it costs, and what its author should know."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import msgspec
from msgspec import UNSET

from ordu.engine import place, suspicion
from ordu.engine.explaining import foresee
from ordu.engine.leaving import check_not_deleted
from ordu.engine.once import Done, Once, Telling
from ordu.engine.outlook import somebody_able
from ordu.kinds.image import IMAGE
from ordu.kinds.image.warnings import warnings
from ordu.protocol.errors import Refused
from ordu.protocol.explanations import RequestOutlook
from ordu.protocol.requests import GenerationInput, RequestAsync, RequestWarning
from ordu.rules import money
from ordu.rules.lifecycle import RequestId, Wish
from ordu.rules.money import Kudos
from ordu.server.call import Call
from ordu.server.explanations import request_outlook
from ordu.server.ratelimits import address_of
from ordu.store.requests import Request

R = TypeVar("R")


class Placed(NamedTuple):
    """A request that was placed, as it was asked for or made lighter."""

    request: Request
    wish: Wish
    is_lighter: bool = False


class Told(msgspec.Struct, frozen=True):
    """What its author is told of a placed request; kept where the same call may be made again."""

    id: RequestId
    price: Kudos
    message: str | None = None
    warnings: list[RequestWarning] = []

    def reply(self) -> RequestAsync:
        """The same on the wire."""
        return RequestAsync(
            id=self.id,
            **price_fields(self.price),
            message=self.message or UNSET,
            warnings=self.warnings or UNSET,
        )


def wish_of(call: Call[GenerationInput], body: GenerationInput) -> Wish:
    """What the caller asks for with this body."""
    return IMAGE.wish(body, call.user, call.horde.settings, call.horde.catalogue)


async def admitted(call: Call[GenerationInput]) -> Wish:
    """What the caller asks for, when the caller may ask and it may be drawn.

    Whoever asks for what is not drawn has to wait before asking again.
    """
    check_not_deleted(call.user)
    address = address_of(call.http)
    call.horde.timeouts.check(address, call.horde.now())
    try:
        return wish_of(call, call.body)
    except Refused as refused:
        if refused.rc == "CorruptPrompt":
            await suspicion.count_prompt(call.horde, call.user, address)
        raise


def price_of(call: Call[GenerationInput], wish: Wish) -> dict[str, Any]:
    """The fields that tell what a wish costs in all."""
    return price_fields(place.quote(wish, call.user))


async def outlook_of(call: Call[GenerationInput], wish: Wish) -> RequestOutlook:
    """What would become of a wish if it were placed now."""
    horde, user = call.horde, call.user
    draft = place.drafted(wish, user, RequestId(""), place.terms_of(horde), horde.now())
    chances = await foresee(horde, draft, wish.requirement, IMAGE.has_word, IMAGE.ask)
    available = None
    if draft.is_upfront:
        available = await horde.read(lambda tx: place.available(tx, user))
    return request_outlook(chances, place.quote(wish, user), available)


def price_fields(price: Kudos) -> dict[str, Any]:
    """The fields that tell a price."""
    return {"kudos": money.whole(price), "kudos_exact": money.exact(price)}


async def put_once(
    call: Call[GenerationInput],
    wish: Wish,
    pictures: dict[str, bytes],
    once: Once | None,
    told: Callable[[Placed], R],
    kind: type[R],
) -> Done[Request, R]:
    """Place a wish; who cannot pay for it up front and allows that gets a lighter one.

    Nothing is placed when `once` says that it was done before; `told` makes the answer.
    """

    async def accept(wish: Wish, *, is_lighter: bool) -> Done[Request, R]:
        telling: Telling[Request, R] = Telling(
            lambda request: told(Placed(request, wish, is_lighter)), kind
        )
        return await place.accept(call.horde, call.user, wish, pictures, once, telling)

    try:
        return await accept(wish, is_lighter=False)
    except Refused as refused:
        if refused.rc != "KudosUpfront" or not call.body.allow_downgrade:
            raise
        return await accept(wish_of(call, IMAGE.lighter(call.body)), is_lighter=True)


def told(call: Call[GenerationInput], placed: Placed) -> Told:
    """What is said of a request that was placed."""
    price = place.quote(placed.wish, call.user)
    return Told(placed.request.id, price, *remarks(call, placed))


def remarks(call: Call[GenerationInput], placed: Placed) -> tuple[str | None, list[RequestWarning]]:
    """What the author of a placed request should know, where there is anything."""
    horde, messages = call.horde, []
    found = warnings(call.body, horde.catalogue)
    if placed.is_lighter:
        messages.append("Your kudos do not suffice for all you asked for: it was made lighter.")
    if not horde.modes.get("raid_mode") and not somebody_able(
        horde, placed.wish.requirement, call.user.id
    ):
        messages.append(
            "No worker that is online now can serve this request. It is kept for "
            f"{horde.settings.request_lifetime_s // 60} minutes in case one comes; other models or "
            "a smaller size may help."
        )
        found.insert(0, RequestWarning(code="NoAvailableWorker", message=messages[-1]))
    return " ".join(messages) or None, found
