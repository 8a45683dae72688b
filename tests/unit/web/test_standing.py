"""The sentence on top of the first page: true, and in whole words, for every state."""

import pytest

from ordu.web.language import Language, Words
from ordu.web.standing import Standing, sentence


@pytest.mark.parametrize(
    ("standing", "said"),
    [
        pytest.param(
            Standing(machines=0, paused=0, waiting=0, is_closed=False),
            "No machine is here. Lend one, and this horde can draw.",
            id="nobody",
        ),
        pytest.param(
            Standing(machines=0, paused=0, waiting=1, is_closed=False),
            "No machine is here, and 1 picture waits for one.",
            id="a picture and no machine",
        ),
        pytest.param(
            Standing(machines=0, paused=0, waiting=7, is_closed=False),
            "No machine is here, and 7 pictures wait for one.",
            id="pictures and no machine",
        ),
        pytest.param(
            Standing(machines=1, paused=0, waiting=0, is_closed=False),
            "1 machine is here. Nobody is waiting: ask now and you are first in line.",
            id="a machine with nothing to do",
        ),
        pytest.param(
            Standing(machines=41, paused=3, waiting=1234, is_closed=False),
            "41 machines are here, 3 of them paused. 1,234 pictures wait.",
            id="some are paused",
        ),
        pytest.param(
            Standing(machines=41, paused=3, waiting=87, is_closed=False, drawing=11, wait_s=110.2),
            "41 machines are here, 11 of them drawing. 87 pictures wait; a new one takes about"
            " 1 min 50 s.",
            id="some draw",
        ),
        pytest.param(
            Standing(machines=1, paused=0, waiting=1, is_closed=False, drawing=1, wait_s=0.2),
            "1 machine is here, and it is drawing. 1 picture waits; a new one takes about 1 s.",
            id="the only one draws",
        ),
        pytest.param(
            Standing(machines=2, paused=0, waiting=0, is_closed=False, drawing=1),
            "2 machines are here, 1 of them drawing. Nobody is waiting: ask now and you are first"
            " in line.",
            id="one draws, and it is not known how fast",
        ),
        pytest.param(
            Standing(machines=2, paused=0, waiting=0, is_closed=False, wait_s=8.0),
            "2 machines are here. Nobody is waiting; a new picture takes about 8 s.",
            id="nobody waits",
        ),
        pytest.param(
            Standing(machines=1, paused=1, waiting=1, is_closed=False),
            "1 machine is here, and it is paused. 1 picture waits.",
            id="the only one is paused",
        ),
        pytest.param(
            Standing(machines=2, paused=2, waiting=0, is_closed=False),
            "2 machines are here, all of them paused. Nobody is waiting.",
            id="all are paused",
        ),
        pytest.param(
            Standing(machines=2, paused=0, waiting=0, is_closed=True),
            "Closed for maintenance. Come back a little later.",
            id="closed",
        ),
        pytest.param(
            Standing(machines=2, paused=0, waiting=5, is_closed=True),
            "Closed for maintenance. What you asked for before is kept.",
            id="closed with something waiting",
        ),
    ],
)
def test_sentence(standing, said):
    sentences = sentence(Words(Language.EN), standing)
    parts = [sentences.first, sentences.lit, sentences.second]
    assert " ".join(filter(None, parts)) == said


def test_every_sentence_is_said_in_german():
    standing = Standing(machines=1, paused=1, waiting=1234, is_closed=False)
    sentences = sentence(Words(Language.DE), standing)
    assert f"{sentences.first} {sentences.second}" == (
        "1 Maschine ist da, und sie pausiert. 1.234 Bilder warten."
    )
