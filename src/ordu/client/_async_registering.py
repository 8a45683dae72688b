# Written by hand. scripts/sync_client.py derives _sync_registering.py from it.
"""Getting an account: `post_register`, and the work that a horde may ask for before it.

A horde that asks for work says so when it refuses. The client then gets a challenge, solves it, and
asks again; to other hordes nothing more is said than before.
"""

import itertools
from collections.abc import Callable

from ordu.client import wire
from ordu.client._async_line import AsyncLine
from ordu.client.errors import HordeError
from ordu.client.waiting import async_aside
from ordu.client.wire import Fields, known
from ordu.client.working import AT_ONCE, NEEDED, check_is_bearable, with_work
from ordu.protocol import operations, work
from ordu.protocol.registration import Registered, RegistrationChallenge, RegistrationInput


class AsyncRegistering:
    """How one gets an account at a horde, over one line to it."""

    _line: AsyncLine

    async def get_register_challenge(self) -> RegistrationChallenge:
        """What to solve before an account is made (Ordu only); `post_register` asks by itself.

        Example:
            challenge = await horde.get_register_challenge()
            print(challenge.parts, "parts of", challenge.bits, "bits")
        """
        return await self._line.call(operations.get_register_challenge, RegistrationChallenge)

    async def post_register(
        self,
        payload: RegistrationInput | Fields,
        *,
        idempotency_key: str | None = None,
        on_work: Callable[[float], None] | None = None,
    ) -> Registered:
        """Get an account (Ordu only); its key is in this answer and nowhere else.

        With the same `idempotency_key`, of at least 22 characters, it is the same account. Where
        the horde asks for work it is done here, which may take a minute: `on_work` is told how much
        of it is done, from 0 to 1.

        Example:
            account = await horde.post_register({"username": "lin"})
            print(account.username)
        """
        key = idempotency_key or wire.fresh_key()
        try:
            return await self._register(payload, key)
        except HordeError as error:
            if error.rc != NEEDED:
                raise
        challenge = await self.get_register_challenge()
        numbers = await self._work(challenge, on_work or (lambda _: None))
        return await self._register(with_work(payload, challenge, numbers), key)

    async def _register(self, payload: RegistrationInput | Fields, key: str) -> Registered:
        return await self._line.call(
            operations.post_register, Registered, payload=payload, idempotency_key=key
        )

    async def _work(
        self, challenge: RegistrationChallenge, on_work: Callable[[float], None]
    ) -> list[int]:
        parts, bits = known(challenge.parts, 0), known(challenge.bits, 0)
        check_is_bearable(parts, bits)
        numbers: list[int] = []
        for part in range(parts):
            on_work(part / parts)
            numbers.append(await self._solved(known(challenge.challenge, ""), part, bits))
        on_work(1.0)
        return numbers

    async def _solved(self, challenge: str, part: int, bits: int) -> int:
        for start in itertools.count(step=AT_ONCE):
            numbers = range(start, start + AT_ONCE)
            found = await async_aside(work.solve, challenge, part, bits, numbers)
            if found is not None:
                return found
        raise AssertionError("counting does not end")
