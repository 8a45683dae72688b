"""What each rc means: none is forgotten, and each has an address of its own."""

import re

import pytest

from ordu.protocol.errors import RC, Family
from ordu.protocol.problems import ADVICE, ADVICE_OF, TITLES, advice, type_of


def test_every_rc_has_a_title_and_every_family_advice():
    assert list(TITLES) == list(RC)
    assert ADVICE.keys() == set(Family)
    assert ADVICE_OF.keys() <= RC.keys()


@pytest.mark.parametrize("rc", RC)
def test_a_title_is_a_short_sentence_without_its_dot(rc):
    assert re.fullmatch(r"[A-Z][^\n|<>]{5,75}[^.]", TITLES[rc])
    assert advice(rc).endswith(".")


def test_types_are_addresses_and_all_different():
    types = [type_of(rc) for rc in RC]
    assert len(set(types)) == len(RC)
    assert all(re.fullmatch(r"/problems/[A-Za-z.%0-9]+", each) for each in types)
    assert type_of("Image styleNotFound") == "/problems/Image%20styleNotFound"
