"""Schemas as servers take them, and answers as models give them."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from llma_assets.models.structured import Unreadable, bounded_schema, read_answer, strict_schema


class Part(BaseModel):
    """A part."""

    title: str = Field(default="", max_length=5)
    pattern: str | None = None


class Whole(BaseModel):
    """A whole."""

    default: str
    parts: list[Part] = []


def objects(node: Any) -> list[dict[str, Any]]:
    if isinstance(node, list):
        return [found for value in node for found in objects(value)]
    if not isinstance(node, dict):
        return []
    own = [node] if node.get("type") == "object" else []
    return own + [found for value in node.values() for found in objects(value)]


def test_every_object_requires_all_its_fields_and_no_others() -> None:
    found = objects(strict_schema(Whole))
    assert len(found) == 2
    for node in found:
        assert node["additionalProperties"] is False
        assert node["required"] == list(node["properties"])


def test_fields_that_are_called_like_keywords_stay() -> None:
    schema = strict_schema(Whole)
    assert set(schema["properties"]) == {"default", "parts"}
    assert set(schema["$defs"]["Part"]["properties"]) == {"title", "pattern"}
    assert "maxLength" not in str(schema)


def test_a_bounded_schema_ends_each_string_and_keeps_the_ends_that_fields_have() -> None:
    class Ends(BaseModel):
        """Ends."""

        own: str = Field(json_schema_extra={"maxLength": 7})
        many: list[str] = Field(json_schema_extra={"maxItems": 3})

    fields = bounded_schema(Ends)["properties"]
    assert fields["own"]["maxLength"] == 7
    assert (fields["many"]["maxItems"], fields["many"]["items"]["maxLength"]) == (3, 400)
    assert "max" not in str(strict_schema(Ends))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", "empty"),
        ("  \n", "empty"),
        ("<think>hmm</think>", "empty"),
        ("no object", "invalid_json"),
        ('{"default": "x"', "invalid_json"),
        ('{"parts": []}', "schema"),
        ('{"default": 1}', "schema"),
        ("{" * 100_000, "invalid_json"),
        ('{"default": "x", "parts": ' + "[" * 50_000, "invalid_json"),
    ],
)
def test_unreadable_answers_are_told_apart(text: str, kind: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read_answer(text, Whole)
    assert caught.value.kind == kind


def test_problems_name_fields_and_no_values_or_invented_keys() -> None:
    with pytest.raises(Unreadable) as caught:
        read_answer('{"default": ["secret"], "parts": [{"title": {"secret": 1}}]}', Whole)
    assert caught.value.problems == ("default: string_type", "parts.0.title: string_type")


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(Unreadable):
        assert isinstance(read_answer(text, Whole), Whole)


@given(st.text(max_size=30), st.text(max_size=30))
def test_an_object_is_found_behind_any_prose_without_braces(before: str, value: str) -> None:
    prose = before.replace("{", "").replace("<", "")
    text = prose + Whole(default=value).model_dump_json() + " and so on }"
    assert read_answer(text, Whole).default == value


def test_an_object_inside_one_that_was_cut_off_is_no_answer() -> None:
    cut = '{"thoughts": [{"default": "x", "parts": []}, {"default": "y'
    assert read_answer(cut, Whole).default == "x"
    with pytest.raises(Unreadable) as caught:
        read_answer(cut, Whole, cut_off=True)
    assert caught.value.kind == "invalid_json"
