import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordu.rules import money
from ordu.rules.money import Account, Action, Entry, Kudos, Line, UserId, settlement

PAYER, OWNER = UserId(7), UserId(9)


def lines_of(entry: Entry) -> dict[tuple[str, int | None], int]:
    return {(line.account.value, line.user_id): line.amount for line in entry.lines}


def settle(**change):
    values = {
        "payer": PAYER,
        "owner": OWNER,
        "bill": Kudos(600),
        "reward": Kudos(600),
        "available": Kudos(10_000),
        "trusted": True,
    }
    return settlement("settle:j", **values | change)


@pytest.mark.parametrize(
    ("change", "lines"),
    [
        pytest.param({}, {("user", 7): -600, ("user", 9): 600}, id="trusted owner, rich payer"),
        pytest.param(
            {"trusted": False},
            {("user", 7): -600, ("user", 9): 300, ("escrow", 9): 300},
            id="an untrusted owner gets half into escrow",
        ),
        pytest.param(
            {"trusted": False, "reward": Kudos(601), "bill": Kudos(601)},
            {("user", 7): -601, ("user", 9): 301, ("escrow", 9): 300},
            id="half to escrow is rounded down",
        ),
        pytest.param(
            {"available": Kudos(100)},
            {("user", 7): -100, ("user", 9): 600, ("mint", None): -500},
            id="a poor payer gives what there is and mint the rest",
        ),
        pytest.param(
            {"available": Kudos(0)},
            {("user", 9): 600, ("mint", None): -600},
            id="nobody is refused for being poor",
        ),
        pytest.param(
            {"payer": money.ANONYMOUS},
            {("user", 9): 600, ("mint", None): -600},
            id="the anonymous user pays nothing",
        ),
        pytest.param(
            {"censored": True},
            {("user", 9): 600, ("mint", None): -600},
            id="a censored picture is paid in full and costs nothing",
        ),
        pytest.param(
            {"reward": Kudos(500)},
            {("user", 7): -600, ("user", 9): 500, ("burn", None): 100},
            id="the tax is burnt",
        ),
        pytest.param(
            {"bill": Kudos(300)},
            {("user", 7): -300, ("user", 9): 600, ("mint", None): -300},
            id="a low multiplier is made up by mint",
        ),
    ],
)
def test_settlement(change, lines):
    assert lines_of(settle(**change)) == lines


def test_drawing_for_oneself_moves_nothing_in_sum():
    entry = settle(owner=PAYER)
    assert sum(line.amount for line in entry.lines if line.user_id == PAYER) == 0


@given(
    bill=st.integers(0, 10**9),
    reward=st.integers(0, 10**9),
    available=st.integers(-(10**6), 10**9),
    trusted=st.booleans(),
    censored=st.booleans(),
    payer=st.sampled_from([money.ANONYMOUS, PAYER, OWNER]),
)
def test_lines_sum_to_zero_and_nobody_is_overdrawn(
    bill, reward, available, trusted, censored, payer
):
    entry = settle(
        bill=bill,
        reward=reward,
        available=available,
        trusted=trusted,
        censored=censored,
        payer=payer,
    )
    assert sum(line.amount for line in entry.lines) == 0
    taken = -sum(line.amount for line in entry.lines if line.amount < 0 and line.user_id == payer)
    assert 0 <= taken <= max(0, available)
    earned = sum(line.amount for line in entry.lines if line.user_id == OWNER and line.amount > 0)
    assert earned == reward


def test_an_entry_that_does_not_sum_to_zero_cannot_be_made():
    with pytest.raises(AssertionError, match="sum to 5"):
        Entry("odd", (Line(Account.USER, PAYER, Kudos(5)),))


def test_a_transfer_has_two_lines_with_their_actions():
    entry = money.transfer("transfer:t", PAYER, OWNER, Kudos(250))
    assert [(line.user_id, line.amount, line.action) for line in entry.lines] == [
        (PAYER, -250, Action.GIFTED),
        (OWNER, 250, Action.RECEIVED),
    ]


@pytest.mark.parametrize(
    ("hundredths", "whole", "exact"),
    [(0, 0, 0.0), (1, 1, 0.01), (100, 1, 1.0), (101, 2, 1.01), (-150, -1, -1.5)],
)
def test_kudos_on_the_wire(hundredths, whole, exact):
    assert money.whole(Kudos(hundredths)) == whole
    assert money.exact(Kudos(hundredths)) == exact
