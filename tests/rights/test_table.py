"""Who may do what: every call of the reviewed table (`table.toml`), really made.

First everybody calls who is to be refused, and the database must be the same afterwards in every
row of every table. Then those who may, and what they changed is mended after each.
"""

import pytest
from tests.rights import rules
from tests.rights.calls import IDENTITIES, OTHERS, OWN, call_of, key_of
from tests.rights.rules import YES
from tests.rights.world import COMMENT, CONTACT, SECRETS

from ordu.protocol.operations import BY_NAME, TABLE
from ordu.protocol.operations.later import LATER
from ordu.store import ledger

pytestmark = pytest.mark.anyio

RIGHTS = rules.read()
CASES = [
    pytest.param(rule, operation, whose, id=f"{operation} {whose or ''}".strip())
    for rule in RIGHTS.rules
    for operation in rule.operations
    for whose in rule.whose
]
# Who have none of their own, because they have no account or share one.
HAVE_NONE = {OWN: {"nobody", "guest"}, "the administrator's": {"administrator"}}
STRANGERS = set(IDENTITIES) - {"moderator", "administrator"}


async def made(world, rule, operation, whose, identity):
    """Make a call; what is wrong with its answer, and what was called."""
    call, row = call_of(world, operation, identity, whose), BY_NAME[operation]
    if call is None:
        return None, None
    expected = rule.answers[identity]
    reply = await world.call(call.method, call.path, key_of(world, identity), **call.more)
    found = YES if reply.is_success else reply.json()["rc"]
    hidden = SECRETS if expected != YES else ()
    if identity in STRANGERS and whose != OWN and operation != "get_find_user":
        hidden = (*hidden, CONTACT, COMMENT)
    shown = {text for text in hidden if text in reply.text}
    is_status = reply.status_code in ({row.status} if found == YES else row.refusals)
    words = f"{identity}: {reply.status_code} {found}, not {expected} {shown or ''}"
    return call, None if found == expected and is_status and not shown else words


def identities_of(rule, *, may):
    return [each for each in IDENTITIES if (rule.answers.get(each) == YES) is may]


@pytest.mark.parametrize(("rule", "operation", "whose"), CASES)
async def test_who_may(world, rule, operation, whose):
    before = await world.everything()
    mistakes = []
    for identity in identities_of(rule, may=False):
        if identity in rule.answers:
            _, wrong = await made(world, rule, operation, whose, identity)
            mistakes.append(wrong)
    assert await world.everything() == before, "who was refused has changed something"
    for identity in identities_of(rule, may=True):
        call, wrong = await made(world, rule, operation, whose, identity)
        mistakes.append(wrong)
        if call is not None and call.method != "GET":
            await mend(world, operation, identity, call)
    assert [each for each in mistakes if each] == []


async def mend(world, operation, identity, call):
    """Bring back what a call has changed."""
    people = {identity: world.people.get(identity), "": call.about}
    await world.mend(*{each.id: each for each in people.values() if each}.values())
    if operation in {"put_horde_modes", "put_horde_news", "delete_horde_news"}:
        await world.mend_horde()
    if operation == "post_job_submit" and identity not in {"flagged", "deleted"}:
        await world.running_job(call.about)


async def test_no_call_of_all_has_moved_kudos_out_of_the_books(world):
    assert await world.horde.read(ledger.audit) == []


@pytest.mark.parametrize("row", LATER, ids=lambda row: row.name)
async def test_what_is_not_served_is_refused_for_everybody_alike(world, row):
    path = row.path.replace("{", "").replace("}", "")
    for identity in IDENTITIES:
        reply = await world.call(row.method, path, key_of(world, identity))
        assert (reply.status_code, reply.json()["rc"]) == (501, "NotImplemented")


# The table itself


def test_every_operation_is_judged():
    judged = {operation for rule in RIGHTS.rules for operation in rule.operations}
    assert judged == BY_NAME.keys()
    assert set(RIGHTS.identities) == set(IDENTITIES)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_an_operation_is_judged_once_for_each_thing_it_may_be_about(row):
    judged = [
        (whose, rule)
        for rule in RIGHTS.rules
        for whose in rule.whose
        if row.name in rule.operations
    ]
    whose = [each for each, _ in judged]
    assert len(whose) == len(set(whose))
    assert {rule.key for _, rule in judged} == {row.key.value}
    if "{user_id}" in row.path:
        assert set(OTHERS) | {OWN} <= set(whose)
    elif "{" in row.path and "{model_name}" not in row.path:
        assert {OWN, "another's"} <= set(whose)


@pytest.mark.parametrize(("rule", "operation", "whose"), CASES)
def test_every_identity_is_judged(rule, operation, whose):
    assert set(IDENTITIES) - set(rule.answers) <= HAVE_NONE.get(whose, set())
    rcs = {*BY_NAME[operation].rcs, *BY_NAME[operation].common_rcs, YES}
    assert set(rule.answers.values()) <= rcs
