"""`If-None-Match` as RFC 9110 has it."""

import pytest

from ordu.server import etags


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        pytest.param('"a"', {"a"}, id="a strong one"),
        pytest.param('W/"a"', {"a"}, id="a weak one"),
        pytest.param(' W/"a" , "b,c",\t"d" ', {"a", "b,c", "d"}, id="several, a comma in one"),
        pytest.param(',, "a",, ,"b",', {"a", "b"}, id="empty elements"),
        pytest.param('""', {""}, id="an empty tag"),
        pytest.param(" * ", etags.ANY, id="any"),
        pytest.param("", None, id="nothing"),
        pytest.param(",", None, id="only a comma"),
        pytest.param("a", None, id="no quotes"),
        pytest.param('"a', None, id="half of them"),
        pytest.param('w/"a"', None, id="a small w"),
        pytest.param('W/ "a"', None, id="a gap"),
        pytest.param('"a" "b"', None, id="no comma"),
        pytest.param('"a", *', None, id="any among others"),
        pytest.param('"a b"', None, id="a space inside"),
    ],
)
def test_what_is_read(text, tags):
    assert etags.read(text) == tags


def test_a_long_header_takes_no_longer_than_it_is():
    assert etags.read(" \t" * 30_000 + "x") is None
    assert etags.read('"a",' * 15_000 + "x") is None


@pytest.mark.parametrize(
    ("tags", "is_had"),
    [(None, False), (frozenset({"2"}), False), (frozenset({"1", "2"}), True), (etags.ANY, True)],
)
def test_who_has_a_version(tags, is_had):
    assert etags.has(tags, "1") is is_had
