"""Schemas in words: every type and bound the documents use can be read aloud."""

import pytest

from ordu.web.schemas import Field, fields_of, takes


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "string"}, "text"),
        ({"type": "string", "minLength": 1, "maxLength": 255}, "text, 1 to 255 characters"),
        ({"type": "string", "minLength": 1}, "text, at least 1 character"),
        ({"type": "string", "maxLength": 1000}, "text, at most 1,000 characters"),
        ({"type": "string", "format": "date-time"}, "date with time"),
        ({"type": "boolean"}, "true or false"),
        (
            {"type": "integer", "minimum": 64, "maximum": 3072, "multipleOf": 64},
            "whole number, 64 to 3,072, in steps of 64",
        ),
        ({"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1}, "whole number"),
        ({"type": "number", "minimum": -40, "maximum": 100}, "number, −40 to 100"),
        ({"type": "number", "minimum": 0, "maximum": 0.5}, "number, 0 to 0.5"),
        ({"type": "number", "exclusiveMinimum": 0}, "number, more than 0"),
        (
            {"type": "number", "exclusiveMinimum": 0, "maximum": 9},
            "number, more than 0, at most 9",
        ),
        ({"enum": ["a", "b"], "type": "string"}, "one of a, b"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "text, or null"),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, "whole number or text"),
        (
            {"type": "array", "items": {"type": "string", "maxLength": 9}, "maxItems": 1000},
            "list of texts of at most 9 characters; at most 1,000",
        ),
        ({"type": "array", "items": {"enum": ["a", "b"]}}, "list of a, b"),
        ({"type": "array", "items": {"$ref": "#/x/Part"}}, "list of objects"),
        ({"$ref": "#/x/Part"}, "object"),
        ({"type": "object", "additionalProperties": {"type": "string"}}, "object of texts"),
    ],
)
def test_takes(schema, words):
    assert takes(schema) == words


SCHEMAS = {
    "Base": {"properties": {"id": {"type": "string"}}, "required": ["id"]},
    "Whole": {
        "allOf": [
            {"$ref": "#/x/Base"},
            {
                "properties": {
                    "parts": {"type": "array", "items": {"$ref": "#/x/Part"}},
                    "maybe": {"anyOf": [{"$ref": "#/x/Part"}, {"type": "null"}]},
                    "again": {"$ref": "#/x/Whole"},
                    "steps": {"type": "integer", "default": 30, "description": "How many."},
                }
            },
        ]
    },
    "Part": {"properties": {"seed": {"type": "string"}}},
}


def test_fields_are_laid_out_flat_with_what_is_inherited_and_what_is_inside():
    fields = fields_of({"$ref": "#/x/Whole"}, SCHEMAS)
    assert [field.name for field in fields] == [
        "id",
        "parts",
        "parts[].seed",
        "maybe",
        "maybe.seed",
        "again",
        "steps",
    ]
    assert [field.name for field in fields if field.is_required] == ["id"]
    assert fields[-1] == Field("steps", "whole number", "How many.", default="30")


def test_a_list_is_laid_out_as_what_it_has():
    listed = {"type": "array", "items": {"$ref": "#/x/Part"}}
    assert [field.name for field in fields_of(listed, SCHEMAS)] == ["seed"]


def test_a_field_knows_what_it_is_within():
    field = Field("generations[].seed", "text", "")
    assert (field.within, field.own_name) == ("generations[].", "seed")
    assert Field("id", "text", "").within == ""
