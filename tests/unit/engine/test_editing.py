"""Editing users: what HTTP tests do not reach."""

import pytest

from ordu.engine import editing
from ordu.protocol.users import PutUserSingleRequest


@pytest.mark.parametrize(
    ("before", "is_education", "after"),
    [(30, True, 200), (500, True, 500), (200, False, 30), (40, False, 40), (500, False, 500)],
)
def test_the_concurrency_of_an_account_for_teaching(before, is_education, after):
    assert editing.teaching_concurrency(before, 30, is_education=is_education) == after


@pytest.mark.parametrize("era", ["worker_invite", "worker_invited"])
def test_an_invitation_has_a_name_in_each_era(era):
    change = editing.read_change(PutUserSingleRequest(**{era: 3}))
    assert change.fields == {"worker_invited": 3}
