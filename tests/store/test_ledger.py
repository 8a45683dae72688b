import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import NOON

from ordu.rules import money
from ordu.rules.money import Action, Kudos, UserId
from ordu.store import history, ledger, users
from ordu.store.migrations import bring_up_to_date
from ordu.store.sqlite import SqliteTransaction, connect


@pytest.fixture(scope="module")
def connection(tmp_path_factory):
    path = tmp_path_factory.mktemp("ledger") / "ledger.sqlite3"
    bring_up_to_date(path)
    connection = connect(path)
    tx = SqliteTransaction(connection)
    for user_id in (2, 3, 4):
        users.add(tx, user_id=user_id, username="u", key_hash=None, concurrency=30, now=NOON)
    yield connection
    connection.close()


@pytest.fixture
def tx(connection):
    connection.execute("BEGIN")
    yield SqliteTransaction(connection)
    connection.execute("ROLLBACK")


def give(tx, user_id, amount, event="admin:1"):
    ledger.post(
        tx, money.adjustment(event, UserId(user_id), Kudos(amount), Action.ADMIN), event, NOON
    )


def test_an_entry_moves_balances(tx):
    give(tx, 2, 1000)
    ledger.post(tx, money.transfer("transfer:1", UserId(2), UserId(3), Kudos(400)), "t1", NOON)
    assert users.by_id(tx, UserId(2)).kudos == 600
    assert users.by_id(tx, UserId(3)).kudos == 400
    assert ledger.audit(tx) == []


def test_the_same_event_cannot_pay_twice(tx):
    give(tx, 2, 1000)
    with pytest.raises(ledger.AlreadyPosted):
        give(tx, 2, 1000)
    assert users.by_id(tx, UserId(2)).kudos == 1000


def test_no_balance_falls_below_zero(tx):
    give(tx, 2, 100)
    with pytest.raises(AssertionError, match="cannot change"):
        ledger.post(tx, money.transfer("transfer:1", UserId(2), UserId(3), Kudos(101)), "t", NOON)


def test_the_audit_finds_a_balance_that_nobody_booked(tx):
    give(tx, 2, 100)
    tx.run("UPDATE users SET kudos = kudos + 5 WHERE id = 3")
    assert ledger.audit(tx) == ["user of user 3 is 5 and its lines sum to 0"]


def test_the_audit_finds_an_entry_that_does_not_sum_to_zero(tx):
    give(tx, 2, 100)
    tx.run("UPDATE lines SET amount = amount - 1 WHERE user_id IS NULL")
    assert ledger.audit(tx) == ["entry admin:1 does not sum to zero but to -1"]


@settings(max_examples=50, deadline=None)
@given(
    moves=st.lists(
        st.tuples(
            st.sampled_from([2, 3, 4]),
            st.sampled_from([2, 3, 4]),
            st.integers(0, 500),
            st.booleans(),
        ),
        max_size=20,
    )
)
def test_balances_equal_a_dictionary_that_does_the_same(connection, moves):
    connection.execute("BEGIN")
    tx = SqliteTransaction(connection)
    oracle = {(account, user): 0 for account in ("user", "escrow") for user in (2, 3, 4)}
    for number, (payer, owner, bill, trusted) in enumerate(moves):
        entry = money.settlement(
            f"settle:{number}",
            payer=UserId(payer),
            owner=UserId(owner),
            bill=Kudos(bill),
            reward=Kudos(bill),
            available=Kudos(oracle["user", payer]),
            trusted=trusted,
        )
        ledger.post(tx, entry, f"e{number}", NOON)
        held = 0 if trusted else bill // 2
        oracle["user", payer] -= min(bill, oracle["user", payer])
        oracle["user", owner] += bill - held
        oracle["escrow", owner] += held
    for user_id in (2, 3, 4):
        user = users.by_id(tx, UserId(user_id))
        assert user.kudos == oracle["user", user_id]
        assert user.evaluating_kudos == oracle["escrow", user_id]
        found = history.between(tx, UserId(user_id), 1, history.newest(tx, UserId(user_id)) + 1)
        assert [each.place for each in found] == list(range(len(found), 0, -1))
        balance = 0
        for each in reversed(found):
            balance += each.amount
            assert each.balance == balance
        assert balance == user.kudos
        assert sum(each.evaluating for each in found) == user.evaluating_kudos
    assert ledger.audit(tx) == []
    connection.execute("ROLLBACK")
