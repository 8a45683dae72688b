"""Placing a picture request: what is asked for, what it costs, and what its author should know."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from ordu.engine import place, suspicion
from ordu.engine.leaving import check_not_deleted
from ordu.engine.once import Done, Once, Telling
from ordu.engine.outlook import somebody_able
from ordu.kinds.image import IMAGE
from ordu.kinds.image.warnings import warnings
from ordu.protocol.errors import Refused
from ordu.protocol.requests import GenerationInput, RequestWarning
from ordu.rules import money
from ordu.rules.lifecycle import Wish
from ordu.server.call import Call
from ordu.server.ratelimits import address_of
from ordu.store.requests import Request

R = TypeVar("R")


class Placed(NamedTuple):
    """A request that was placed, as it was asked for or made lighter."""

    request: Request
    wish: Wish
    is_lighter: bool = False


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
    price = place.quote(wish, call.user)
    return {"kudos": money.whole(price), "kudos_exact": money.exact(price)}


async def put(call: Call[GenerationInput], wish: Wish, pictures: dict[str, bytes]) -> Placed:
    """Place a wish; who cannot pay for it up front and allows that gets a lighter one."""
    return (await put_once(call, wish, pictures, None, lambda placed: placed, Placed)).reply


async def put_once(
    call: Call[GenerationInput],
    wish: Wish,
    pictures: dict[str, bytes],
    once: Once | None,
    told: Callable[[Placed], R],
    kind: type[R],
) -> Done[Request, R]:
    """The same, and nothing when `once` says that it was done before; `told` makes the answer."""

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


def remarks(call: Call[GenerationInput], placed: Placed) -> dict[str, Any]:
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
    message = {"message": " ".join(messages)} if messages else {}
    return message | ({"warnings": found} if found else {})
