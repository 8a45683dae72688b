"""The reference: whole, and with examples that work."""

import msgspec
import pytest

from ordu.protocol import operations
from ordu.protocol.decoding import decode
from ordu.web import examples, reference

WITH_BODY = [row for row in operations.TABLE if row.request is not None]


def test_every_operation_stands_in_exactly_one_group():
    shown = [entry.name for group in reference.groups("") for entry in group.entries]
    assert sorted(shown) == sorted(operations.BY_NAME)


def test_every_subject_is_about_something_that_is_there():
    families = {row.family for row in operations.TABLE}
    named = [family for _, _, subject in reference.SUBJECTS for family in subject]
    assert sorted(named) == sorted(families)


def test_an_anchor_is_used_once():
    groups = reference.groups("")
    anchors = [group.anchor for group in groups] + list(operations.BY_NAME) + ["calling"]
    assert len(anchors) == len(set(anchors))


@pytest.mark.parametrize("row", WITH_BODY, ids=lambda row: row.name)
def test_the_body_of_an_example_is_what_the_operation_takes(row):
    body = examples.BODIES[row.name]
    decode(row.request, msgspec.json.encode(body))
    assert body.keys() <= {field.encode_name for field in msgspec.structs.fields(row.request)}


def test_no_example_is_of_an_operation_that_takes_no_body():
    assert examples.BODIES.keys() == {row.name for row in WITH_BODY}


@pytest.mark.parametrize("row", operations.TABLE, ids=lambda row: row.name)
def test_an_example_can_be_pasted(row):
    said = examples.curl(row, "http://horde.test")
    assert "{" not in said.splitlines()[0]
    assert said.count("'") in {0, 2}
    assert all(line.endswith(" \\") for line in said.splitlines()[:-1])
    assert ("apikey" in said) is (row.key is operations.Key.REQUIRED)


def test_a_body_and_an_answer_have_their_fields():
    entries = {entry.name: entry for group in reference.groups("") for entry in group.entries}
    placing = entries["post_async_generate"]
    assert placing.body is not None
    assert {"prompt", "params", "params.steps"} <= {field.name for field in placing.body.fields}
    users = entries["get_users"].answer
    assert users is not None
    assert (users.name, users.is_list) == ("UserDetailsStable", True)
    picture = entries["get_picture"].answer
    assert picture is not None
    assert picture.media_type.startswith("image/")


def test_a_refusal_has_its_three_fields():
    assert [field.name for field in reference.refusal_fields()] == [
        "message",
        "rc",
        "errors",
        "type",
        "title",
        "status",
        "detail",
        "instance",
    ]
