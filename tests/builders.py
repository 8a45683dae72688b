"""Valid values for tests: a test names only what it is about."""

import io
import random
from typing import Any

import msgspec
import pytest
from PIL import Image

from ordu.engine import acts
from ordu.engine.horde import Horde
from ordu.images.headers import PictureFormat
from ordu.rules.lifecycle import Millis, Wish
from ordu.rules.matching import Capability, Feature, Offer, Requirement, WorkerId
from ordu.rules.money import ADMINISTRATOR, Kudos, UserId
from ordu.store.users import User

NOON = Millis(1_760_000_000_000)


# A test of what is so only where there is one writer and reads take no time.
only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def an_act(horde: Horde) -> acts.By:
    """What the administrator does."""
    return acts.by(horde, ADMINISTRATOR, "test")


class HandClock:
    """A clock that is moved by hand."""

    def __init__(self, now: int = NOON) -> None:
        self.moment = Millis(now)

    def now(self) -> Millis:
        return self.moment

    def forward(self, *, s: float = 0, ms: int = 0) -> None:
        self.moment = Millis(int(self.moment + s * 1000 + ms))


def a_requirement(**change: Any) -> Requirement:
    return Requirement(
        **{"kind": "image", "models": frozenset({"stable_diffusion"}), "pixels": 512 * 512} | change
    )


def a_capability(**change: Any) -> Capability:
    return Capability(
        **{
            "kind": "image",
            "worker_id": WorkerId("w1"),
            "models": frozenset({"stable_diffusion"}),
            "pixels_max": 1024 * 1024,
            "features": frozenset(Feature),
        }
        | change
    )


def an_offer(**change: Any) -> Offer:
    return Offer(**{"capability": a_capability(), "agent": "Ordu:1:x"} | change)


def a_user(**change: Any) -> User:
    """A registered user with nothing on the account and no roles."""
    return User(
        **{each.name: False if each.type is bool else None for each in msgspec.structs.fields(User)}
        | {
            "id": UserId(7),
            "username": "ferris",
            "created_at": NOON,
            "kudos": Kudos(0),
            "evaluating_kudos": Kudos(0),
            "concurrency": 30,
            "usage_multiplier": 1.0,
            "worker_invited": 0,
            "monthly_kudos": Kudos(0),
            "suspicion": 0,
        }
        | change
    )


def a_wish(**change: Any) -> Wish:
    return Wish(
        **{
            "kind": "image",
            "requirement": a_requirement(),
            "n": 1,
            "work": 512 * 512 * 30,
            "price": Kudos(600),
            "ttl_ms": 150_000,
            "seed": None,
            "seed_step": 0,
            "wants_links": False,
            "body": b'{"prompt":"a fox","width":512,"height":512,"steps":30,'
            b'"sampler_name":"k_euler_a","cfg_scale":5.0,"karras":true}',
        }
        | change
    )


def an_ordinary_picture(
    seed: int = 0, width: int = 512, height: int = 512, form: str = "WEBP"
) -> bytes:
    """An encoded picture of many colours, another for each seed."""
    chance = random.Random(seed)
    few = Image.frombytes("RGB", (8, 8), chance.randbytes(8 * 8 * 3))
    buffer = io.BytesIO()
    few.resize((width, height), Image.Resampling.BICUBIC).save(buffer, form)
    return buffer.getvalue()


def a_damaged_picture(form: PictureFormat = PictureFormat.WEBP, side: int = 512) -> bytes:
    """An encoded picture whose header is in order, and of which half is missing."""
    data = an_ordinary_picture(0, side, side, form.value.upper())
    half = data[: len(data) // 4 * 2]
    if form is PictureFormat.WEBP:  # a file that says it is whole
        sizes = (len(half) - 8).to_bytes(4, "little"), (len(half) - 20).to_bytes(4, "little")
        return half[:4] + sizes[0] + half[8:16] + sizes[1] + half[20:]
    return half + bytes(len(data) - len(half) - 12) + data[-12:]


def a_picture(
    width: int = 512, height: int = 512, colour: str = "teal", form: str = "WEBP"
) -> bytes:
    """An encoded picture of one colour."""
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(buffer, form)
    return buffer.getvalue()
