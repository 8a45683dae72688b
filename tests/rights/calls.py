"""A call of each operation that is right in everything but perhaps in who makes it, or about what.

What a call is about is somebody's: one's own, another's, a moderator's, the administrator's, or the
guests'. An operation that is about nothing of anybody's has one call.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.builders import a_picture
from tests.rights.world import GUEST_KEY, PICTURE, WRONG_KEY, Person, World

from ordu.protocol.operations import BY_NAME

# The identities of the table; the keys of `World.people` or those without an account of their own.
NOBODY, GUEST, WRONG = "nobody", "guest", "wrong key"
WITHOUT_ACCOUNT = {NOBODY: None, GUEST: GUEST_KEY, WRONG: WRONG_KEY}
IDENTITIES = (
    *WITHOUT_ACCOUNT,
    "user",
    "owner",
    "education",
    "flagged",
    "deleted",
    "browser",
    "moderator",
    "administrator",
)
OTHERS = {
    "another's": "another",
    "a moderator's": "another-moderator",
    "the administrator's": "administrator",
}
OWN, GUESTS = "own", "the guests'"


@dataclass(frozen=True)
class Call:
    """A call without who makes it. `about` is the person whose things may have changed."""

    method: str
    path: str
    more: Mapping[str, Any] = field(default_factory=dict)
    about: Person | None = None


def key_of(world: World, identity: str) -> str | None:
    """The key with which an identity calls."""
    if identity in WITHOUT_ACCOUNT:
        return WITHOUT_ACCOUNT[identity]
    person = world.people[identity]
    return person.browser_key if identity == "browser" else person.key


def target_of(world: World, identity: str, whose: str) -> Person | None:
    """Whom a call is about; None where this identity has none of its own, or is that person."""
    if whose == OWN:
        return world.people.get(identity)
    name = OTHERS[whose]
    return None if name == identity else world.people[name]


def call_of(world: World, name: str, identity: str, whose: str | None) -> Call | None:
    """The call of an operation by an identity about what is whose; None: there is no such thing."""
    row = BY_NAME[name]
    make = CALLS.get(name, {})
    if whose is None:
        said = make(world) if callable(make) else make
        return Call(row.method, row.path, said)
    if whose == GUESTS or (whose == OWN and identity == GUEST):
        if "{user_id}" not in row.path or "{identity_id}" in row.path:
            return None
        return Call(row.method, row.path.format(user_id=0), make if isinstance(make, dict) else {})
    target = target_of(world, identity, whose)
    if target is None:
        return None
    path, said = PATHS.get(name, path_of)(row.path, target), {}
    if name in ABOUT:
        said = ABOUT[name](target)
    elif isinstance(make, dict):
        said = make
    return Call(row.method, path, said, target)


def path_of(path: str, target: Person) -> str:
    """A path about something of this person's."""
    is_delivery = "/deliveries/" in path
    return path.format(
        user_id=target.id,
        worker_id=target.worker.id,
        worker_name=target.worker.name,
        identity_id=target.identity.id,
        id=target.delivery_id if is_delivery else target.request_id,
    )


# Operations whose path is not made of the ids in it.
PATHS: Mapping[str, Callable[[str, Person], str]] = {
    "get_async_events": lambda path, target: path.format(id=target.drawn_id),
    "get_picture": lambda _, target: target.picture,
    "put_picture": lambda _, target: target.upload,
}
# Bodies that name what the call is about.
ABOUT: Mapping[str, Callable[[Person], dict[str, Any]]] = {
    "post_job_pop": lambda target: {"json": {"name": target.worker.name, "models": ["nothing"]}},
    "post_job_submit": lambda target: {
        "json": {"id": target.job_id, "generation": PICTURE, "seed": 1}
    },
    "put_picture": lambda _: {"content": a_picture(64, 64)},
}


def about_another(world: World) -> dict[str, Any]:
    """Kudos for another."""
    return {"json": {"username": world.people["another"].alias, "amount": 1}}


# What goes with a call besides: the same for everybody, or made of the world.
CALLS: Mapping[str, dict[str, Any] | Callable[[World], dict[str, Any]]] = {
    "post_async_generate": {"json": {"prompt": "a rug"}},
    "post_sync_generate": {"json": {"prompt": "a rug", "dry_run": True}},
    "put_user_single": {"json": {"contact": "new@horde.test"}},
    "put_worker_single": {"json": {"info": "under the roof"}},
    "post_transfer_kudos": about_another,
    "post_award_kudos": about_another,
    "put_horde_modes": {"json": {"invite_only": True}},
    "put_horde_news": {"json": {"newspiece": "We moved."}},
    "delete_horde_news": lambda world: {"params": {"id": world.news_id}},
    "post_register": {"json": {"username": "somebody"}},
    "post_user_identity": {"json": {"provider": "company"}},
    "get_model_single": {},
}
