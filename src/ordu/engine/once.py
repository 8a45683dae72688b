"""Once: a call that is made again has its effect once, and is answered as it was the first time.

Whoever hears no answer does not know whether anything happened. A call with an `Idempotency-Key`
may be made again: what it is answered is written in the transaction of its effect, so there is
never one without the other, wherever a server dies. A call of the same key that comes meanwhile,
also to another process, waits in its own transaction for the first one's end, and then gets its
answer; when the first was refused, nothing was kept, and the second is as if it were the first.

A kept answer is a result like any other and is told after its commit: of two calls in one group of
writes the second must not be answered when the commit of both fails.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec

from ordu.engine.horde import Horde
from ordu.protocol.errors import Refused
from ordu.rules.lifecycle import Millis
from ordu.store import answers
from ordu.store.answers import Kept
from ordu.store.database import Transaction

T = TypeVar("T")
R = TypeVar("R")

DAY_MS = 86_400_000
ROUNDS_MAX = 20  # batches of answers that are dropped in one go


@dataclass(frozen=True)
class Once:
    """A call that is to have its effect once: whose, by what key, with what body."""

    scope: str
    key_hash: str
    fingerprint: str


@dataclass(frozen=True)
class Telling(Generic[T, R]):
    """How an effect is answered: `told` makes the answer, `kind` is its type, for one that is read.

    `lifetime_ms` is how long the same call gets it again; it is forgotten soon after.
    """

    told: Callable[[T], R]
    kind: type[R]
    lifetime_ms: int = DAY_MS


@dataclass(frozen=True)
class Done(Generic[T, R]):
    """What a call is answered, and its effect; None when that was an earlier call's."""

    reply: R
    result: T | None = None

    @property
    def is_again(self) -> bool:
        """Whether the same call was made before."""
        return self.result is None


def once(
    tx: Transaction,
    call: Once | None,
    now: Millis,
    effect: Callable[[Transaction], T],
    telling: Telling[T, R],
) -> Done[T, R]:
    """Have an effect and keep its answer; or the answer alone, when this call was made before.

    The key is taken before anything else is looked at or locked, so that a twin waits there.

    Raises:
        Refused: IdempotencyKeyConflict, when the key came with another body before; and whatever
            the effect is refused with.
    """
    if call is None:
        result = effect(tx)
        return Done(telling.told(result), result)
    kept_until = Millis(now + telling.lifetime_ms)
    if not answers.begin(tx, call.scope, call.key_hash, call.fingerprint, kept_until):
        kept = answers.kept(tx, call.scope, call.key_hash)
        assert kept is not None, "a key that is taken has an answer"
        return Done(read(kept, call, telling.kind))
    result = effect(tx)
    reply = telling.told(result)
    answers.finish(tx, call.scope, call.key_hash, msgspec.json.encode(reply))
    return Done(reply, result)


def read(kept: Kept, call: Once, kind: type[R]) -> R:
    """What was answered before; it was the same call if it had the same body."""
    if kept.fingerprint != call.fingerprint:
        raise Refused(
            "IdempotencyKeyConflict",
            "This Idempotency-Key came with another body before. Use a new key for a new call.",
        )
    return msgspec.json.decode(kept.reply, type=kind)


async def before(horde: Horde, call: Once | None, kind: type[R]) -> R | None:
    """What this call was answered before, if it was: looked at before all that may have changed.

    Raises:
        Refused: IdempotencyKeyConflict.
    """
    if call is None:
        return None
    scope, key_hash = call.scope, call.key_hash
    kept = await horde.read(lambda tx: answers.kept(tx, scope, key_hash))
    return None if kept is None else read(kept, call, kind)


async def forget_answers(horde: Horde) -> None:
    """A chore: drop the answers that are kept no longer."""
    now = horde.now()
    for _ in range(ROUNDS_MAX):
        dropped = await horde.write(lambda tx: answers.forget(tx, now))
        if dropped < answers.FORGET_MAX:
            break
