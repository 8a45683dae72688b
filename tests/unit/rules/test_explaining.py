"""Words for people: each reason and subject has some, and the right sentence is chosen."""

import pytest
from tests.builders import a_requirement

from ordu.rules import explaining
from ordu.rules.explaining import Situation, Standing, why_it_waits, why_no_work
from ordu.rules.lifecycle import Counts, RequestState
from ordu.rules.matching import Reason
from ordu.rules.relaxing import Ask, Subject

OPEN = RequestState.OPEN


def test_every_reason_and_subject_has_words():
    assert explaining.OF_WORKERS.keys() == {*Reason, explaining.RESTING}
    assert explaining.OF_REQUESTS.keys() == set(Reason)
    assert explaining.OF_SUBJECTS.keys() == set(Subject)
    valued = {Subject.SIZE, Subject.STEPS, Subject.SAMPLER}
    # How a LoRA is named is for its author to know.
    assert explaining.SET_TO.keys() == set(Subject) - valued - {Subject.LORA_VERSIONS}


@pytest.mark.parametrize("many", [1, 2])
def test_every_sentence_can_be_said_of_one_and_of_several(many):
    said = [explaining.passed_over(reason, many) for reason in explaining.OF_WORKERS]
    said += [explaining.not_given(reason, many) for reason in explaining.OF_REQUESTS]
    assert all(text.startswith(f"{many} ") and text.endswith(".") for text in said)
    assert not any("{" in text for text in said)


def test_verbs_agree():
    assert explaining.passed_over(Reason.MODELS, 1) == "1 worker has none of the models asked for."
    assert explaining.passed_over(Reason.MODELS, 1200) == (
        "1,200 workers have none of the models asked for."
    )


@pytest.mark.parametrize("subject", Subject)
def test_every_change_is_a_sentence(subject):
    old, new = (Ask(a_requirement(), width, 512, 50) for width in (512, 448))
    said = explaining.proposal([subject], old, new)
    assert said[0].isupper()
    assert said.endswith(".")
    assert "{" not in said


def test_a_proposal_names_values_and_models():
    old, new = (Ask(a_requirement(), width, 512, 50) for width in (512, 448))
    assert explaining.proposal([Subject.SIZE, Subject.NSFW], old, new) == (
        "Make it 448×512 instead of 512×512 and do not mark it nsfw."
    )
    assert explaining.proposal([Subject.MODELS], old, new, [("a", 2), ("b", 1)]) == (
        "Take any model, or name one of these as well: a (2 workers), b (1 worker)."
    )


def counts(**change):
    none = dict.fromkeys(("waiting", "processing", "finished", "lost", "cancelled"), 0)
    return Counts(**none | change)


@pytest.mark.parametrize(
    ("state", "count", "expected"),
    [
        (OPEN, {"waiting": 1, "processing": 1}, "waiting"),
        (OPEN, {"processing": 1}, "processing"),
        (OPEN, {"finished": 1}, "done"),
        (RequestState.FAULTED, {"lost": 1, "processing": 1}, "faulted"),
        (RequestState.CANCELLED, {"cancelled": 1}, "cancelled"),
        (RequestState.CANCELLED, {"cancelled": 1, "processing": 1}, "processing"),
    ],
)
def test_state(state, count, expected):
    assert explaining.state_of(state, counts(**count)) == expected


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        (Situation(0, 0, 0, 0, {}), "No worker is online."),
        (
            Situation(3, 0, 0, 0, {Reason.NSFW: 2, Reason.MODELS: 1}),
            "None of the workers online can serve it. 2 workers take nothing marked nsfw.",
        ),
        (Situation(3, 2, 0, 1, {}), "2 workers could serve it; 1 picture waits before it."),
        (Situation(3, 1, 1, 0, {}), "1 worker could serve it; one that is free gets it"),
        (Situation(3, 1, 0, 0, {}), "1 worker could serve it; it is next, and all of them"),
    ],
)
def test_why_it_waits(situation, expected):
    assert why_it_waits("waiting", situation).startswith(expected)


@pytest.mark.parametrize("state", ["processing", "done", "faulted", "cancelled"])
def test_what_does_not_wait_is_told_so(state):
    assert why_it_waits(state, Situation(0, 0, 0, 0, {})) == explaining.OVER[state]


def a_standing(**change):
    usual = {
        "is_online": True,
        "is_in_maintenance": False,
        "is_paused": False,
        "is_busy": False,
        "waiting": 3,
        "could_serve": 2,
        "skipped": {Reason.MODELS: 1},
    }
    return Standing(**usual | change)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"is_online": False, "is_paused": True}, "It is away"),
        ({"is_paused": True, "is_in_maintenance": True}, "A moderator has paused it"),
        ({"is_in_maintenance": True}, "It is in maintenance"),
        ({"waiting": 0, "could_serve": 0, "skipped": {}}, "Nothing waits on this horde."),
        (
            {"could_serve": 0, "skipped": {Reason.NSFW: 1, Reason.MODELS: 2}},
            "3 requests wait, and it can serve none. 2 requests ask for models",
        ),
        ({"is_busy": True}, "2 requests wait that it could serve; it is at as many"),
        ({}, "2 requests wait that it could serve; it gets one when it asks"),
    ],
)
def test_why_no_work(change, expected):
    assert why_no_work(a_standing(**change)).startswith(expected)
