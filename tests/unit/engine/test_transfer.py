"""Transfers: what each is booked as, how long a repeated call is answered, how long a pause is."""

import msgspec
import pytest
from tests.unit.engine.test_verbs import a_user

from ordu.engine import transfer
from ordu.engine.once import Once, forget_answers
from ordu.protocol.errors import Refused
from ordu.store import ledger

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(("is_education", "action"), [(False, "gifted"), (True, "donated")])
async def test_a_transfer_is_booked_as_what_it_is(horde, is_education, action):
    giver = await a_user(horde, "giver", kudos=1000)
    await a_user(horde, "taker", is_education=is_education)
    await transfer.transfer(horde, giver, "taker#3", 4)
    lines = await horde.read(
        lambda tx: tx.all("SELECT action FROM lines WHERE user_id = 2 AND amount < 0")
    )
    assert [row["action"] for row in lines] == [action]
    assert await horde.read(ledger.audit) == []


@pytest.mark.parametrize(("age_ms", "moved"), [(0, 4), (1, 8)])
async def test_a_repeated_call_is_answered_for_thirty_days(horde, clock, age_ms, moved):
    giver = await a_user(horde, "giver", kudos=1000)
    taker = await a_user(horde, "taker")
    call = Once("2 transfer", "key", "body")
    await transfer.transfer(horde, giver, "taker#3", 4, call)
    clock.forward(s=30 * 86_400)
    clock.forward(ms=age_ms)
    await forget_answers(horde)
    done = await transfer.transfer(horde, giver, "taker#3", 4, call)
    assert (done.reply, done.is_again) == (4, moved == 4)
    balance = await horde.read(lambda tx: tx.one("SELECT kudos FROM users WHERE id = 3"))
    assert (balance["kudos"], taker.kudos) == (moved * 100, 0)


async def test_a_pause_is_told_in_whole_seconds_that_suffice(horde, clock):
    horde.settings = msgspec.structs.replace(horde.settings, rate_limits=True)
    giver = await a_user(horde, "giver", kudos=1000)
    taker = await a_user(horde, "taker", kudos=1000)
    await transfer.transfer(horde, giver, "taker#3", 4)
    clock.forward(ms=60_000 - 1001)
    with pytest.raises(Refused) as refused:
        await transfer.transfer(horde, taker, "giver#2", 4)
    assert (refused.value.rc, refused.value.retry_after_s) == ("TooFastKudosTransfers", 2)
