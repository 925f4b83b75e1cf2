"""Summaries on the wire are forgiven much; mended, they are within all limits."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from llma_assets.models import strict_schema
from llma_assets.summaries import LineNumbers, Mode, SummaryPoint, TraceSummary, clean_summary, shorten
from llma_assets.summaries.schema import LIMITS, TEXT_CHARS, TITLE_CHARS, TITLE_WORDS

LINES = LineNumbers.of("L1: a\nL2: b\nL3: c")


def wire(**changes: Any) -> TraceSummary:
    fields: dict[str, Any] = {"title": "A title", "bullets": [{"text": "Something", "line_refs": "L1"}], **changes}
    return TraceSummary.model_validate(fields)


def test_a_title_of_more_than_ten_words_is_cut_at_a_word() -> None:
    title = clean_summary(
        wire(title="one two three four five six seven eight nine ten, eleven"), LINES, "detailed"
    ).title
    assert title == "one two three four five six seven eight nine ten"


def test_a_title_without_spaces_is_cut_too() -> None:
    assert len(clean_summary(wire(title="x" * 500), LINES, "detailed").title) <= TITLE_CHARS


def test_false_references_are_dropped_and_counted_and_their_point_stays() -> None:
    summary = clean_summary(
        wire(
            bullets=[{"text": "true", "line_refs": "L1-2, L9"}, {"text": "false", "line_refs": "L77"}],
            interesting_notes=[{"text": "note", "line_refs": "L3"}],
        ),
        LINES,
        "detailed",
    )
    assert [(point.text, point.line_refs) for point in summary.bullets] == [("true", "L1-2"), ("false", "")]
    assert (summary.refs_total, summary.refs_valid) == (4, 2)


@pytest.mark.parametrize("mode", ["minimal", "detailed"])
def test_more_points_than_the_mode_allows_are_cut(mode: Mode) -> None:
    many = [{"text": f"point {n}", "line_refs": "L1"} for n in range(40)]
    summary = clean_summary(wire(bullets=many, interesting_notes=many), LINES, mode)
    limits = LIMITS[mode]
    assert (len(summary.bullets), len(summary.interesting_notes)) == (limits.most_bullets, limits.most_notes)
    assert summary.refs_total == limits.most_bullets + limits.most_notes


def test_points_that_say_nothing_are_left_out() -> None:
    summary = clean_summary(wire(bullets=[{"text": " \n "}, {"text": "said"}]), LINES, "detailed")
    assert [point.text for point in summary.bullets] == ["said"]


@pytest.mark.parametrize(
    "loose",
    [
        {"bullets": ["plain text"]},
        {"bullets": [{"text": "x", "line_refs": ["L1", "L2"]}]},
        {"bullets": [{"text": "x", "line_refs": None}]},
        {"bullets": None},
        {"interesting_notes": None},
        {"flow_diagram": None},
        {"flow_diagram": ["user", "search"]},
        {"unknown": 1},
    ],
)
def test_loose_shapes_are_read(loose: dict[str, Any]) -> None:
    assert wire(**loose).title == "A title"


@pytest.mark.parametrize(
    "broken", [{"title": None}, {"title": "  "}, {"title": 5}, {"bullets": "one"}, {"bullets": [5]}, {"bullets": [{}]}]
)
def test_broken_shapes_are_refused_so_that_the_model_is_asked_again(broken: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        wire(**broken)


def test_the_schema_that_is_sent_asks_for_every_field() -> None:
    schema = strict_schema(TraceSummary)
    assert schema["required"] == ["title", "flow_diagram", "bullets", "interesting_notes"]
    assert schema["$defs"]["SummaryPoint"]["required"] == ["text", "line_refs"]
    assert schema["$defs"]["SummaryPoint"]["properties"]["line_refs"]["type"] == "string"


def test_control_characters_and_direction_marks_do_not_pass() -> None:
    summary = clean_summary(wire(title="a\x00b\x1b[31m \u202ec", flow_diagram="x\ny"), LINES, "detailed")
    assert summary.title == "a b c"
    assert summary.flow_diagram == "x y"


@given(st.text(max_size=2_000), st.integers(5, 700))
def test_shortened_text_is_one_line_within_its_limit(text: str, most: int) -> None:
    short = shorten(text, most)
    assert len(short) <= most
    assert len(short.splitlines()) <= 1
    assert shorten(short, most) == short


@pytest.mark.heavy
@given(
    st.builds(
        TraceSummary,
        title=st.text(min_size=1).filter(lambda text: text.strip() != ""),
        flow_diagram=st.text(),
        bullets=st.lists(st.builds(SummaryPoint, text=st.text(), line_refs=st.text()), max_size=15),
        interesting_notes=st.lists(st.builds(SummaryPoint, text=st.text(), line_refs=st.text()), max_size=15),
    ),
    st.sampled_from(["minimal", "detailed"]),
)
def test_whatever_a_model_says_the_cleaned_summary_is_within_limits(said: TraceSummary, mode: Mode) -> None:
    summary = clean_summary(said, LINES, mode)
    assert len(summary.title.split()) <= TITLE_WORDS
    assert len(summary.flow_diagram) <= TEXT_CHARS
    assert len(summary.bullets) <= LIMITS[mode].most_bullets
    assert all(0 < len(point.text) <= TEXT_CHARS for point in summary.bullets + summary.interesting_notes)
    assert 0 <= summary.refs_valid <= summary.refs_total
