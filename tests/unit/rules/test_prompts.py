from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordu.protocol.errors import Refused
from ordu.rules import prompts


@pytest.mark.parametrize(
    "prompt",
    [
        "a naked child",
        "NUDE, (schoolgirl:1.3), masterpiece",
        "a nüde tèen",
        "n a k e d little girl",
        "a 13 year old, topless",
        "sexy 9yo",
        "n4ked ch1ld",
        "lo\u200bli, nsfw",
        "hentai_loli",
    ],
)
def test_sexual_content_with_minors_is_refused(prompt):
    with pytest.raises(Refused) as refused:
        prompts.check(prompt)
    assert (refused.value.rc, refused.value.status) == ("CorruptPrompt", 400)


@pytest.mark.parametrize(
    "prompt",
    [
        "a child flying a kite",
        "a nude statue of Venus",
        "the teacher reads to the children",
        "a 20 year old whisky on a table",
        "a naked mole rat",
        "kidney beans, erotic poetry on a shelf",
        "a fox in snow ### child, nude",
        "",
    ],
)
def test_what_is_not_is_drawn(prompt):
    prompts.check(prompt)


@pytest.mark.parametrize("prompt", ["a DRAGON", "dràgon, red", "d r a g o n", "(dragon:1.2)"])
def test_an_operators_words(prompt):
    with pytest.raises(Refused, match="operators of this horde"):
        prompts.check(prompt, ["castle", "Dragon"])
    prompts.check("a dragonfly", ["dragon"])


@given(st.text(max_size=400))
def test_any_text_can_be_looked_at(prompt):
    with suppress(Refused):
        prompts.check(prompt, ["x"])
