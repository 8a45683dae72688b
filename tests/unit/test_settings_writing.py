"""Settings as TOML: what is written reads as the same, with a comment where one is given."""

import math
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordu.settings.writing import as_toml

SCALARS = (
    st.text()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.datetimes()
    | st.dates()
    | st.times()
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
TABLES = st.dictionaries(st.text(), VALUES, max_size=5)


@given(TABLES)
def test_what_is_written_reads_as_the_same(content):
    assert tomllib.loads(as_toml(content)) == content


@given(st.text(min_size=1), st.text())
def test_a_comment_changes_nothing(name, comment):
    content = {"worker": {name: 1}}
    assert tomllib.loads(as_toml(content, {("worker", name): comment})) == content


def test_comments_stand_above_their_values():
    content = {"worker": {"url": "http://a", "jobs": 2}, "backends": {"x": {"on": True}}}
    comments = {("worker", "jobs"): "At\nonce.", ("backends", "x", "on"): "Whether."}
    assert as_toml(content, comments) == (
        '[worker]\nurl = "http://a"\n# At once.\njobs = 2\n\n[backends.x]\n# Whether.\non = true\n'
    )


def test_not_a_number_is_kept():
    assert math.isnan(tomllib.loads(as_toml({"a": math.nan}))["a"])


def test_what_toml_does_not_know_is_refused():
    with pytest.raises(TypeError, match="TOML has no NoneType"):
        as_toml({"a": None})
