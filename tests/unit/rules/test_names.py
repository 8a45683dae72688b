import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordu.protocol.errors import Refused
from ordu.rules import names


@pytest.mark.parametrize(
    ("text", "user_id"),
    [
        ("ferris#42", 42),
        ("42", 42),
        ("#7", 7),
        ("a#b#3", 3),
        ("ferris", None),
        ("ferris#", None),
        ("", None),
        ("-1", None),
        ("9" * 30, None),
        ("2147483648", None),
        ("²", None),
    ],
)
def test_user_id_of(text, user_id):
    assert names.user_id_of(text) == user_id


@pytest.mark.parametrize(
    ("text", "name"),
    [("  ferris ", "ferris"), ("a\nb", "a b"), ("a\x00b\u202e", "ab"), ("Zoë 🐪", "Zoë 🐪")],
)
def test_username_is_cleaned(text, name):
    assert names.username(text) == name


@pytest.mark.parametrize(
    ("text", "rc"), [("", "BadRequest"), (" \t", "BadRequest"), ("x" * 31, "TooLongUserName")]
)
def test_username_is_refused(text, rc):
    with pytest.raises(Refused) as refused:
        names.username(text)
    assert refused.value.rc == rc


@given(st.text(max_size=300))
def test_names_are_printable_or_refused(text):
    try:
        name = names.worker_name(text)
    except Refused:
        return
    assert 0 < len(name) <= 100
    assert name == name.strip()
    assert name.isprintable()


@pytest.mark.parametrize(
    ("text", "is_key"),
    [("a" * 22, True), ("A-_9" + "b" * 18, True), ("a" * 21, False), ("é" * 22, False)],
)
def test_is_key(text, is_key):
    assert names.is_key(text) is is_key
