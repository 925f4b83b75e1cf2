"""The offline summary of a theme: made of what the rule found, each reference true, the same each time."""

import gzip
from collections import defaultdict
from pathlib import Path
from typing import Any

import orjson
import pytest

from llma_assets.rendering import RenderOptions, item_facts, render_trace
from llma_assets.summaries import LineNumbers, TraceSummary, clean_summary
from llma_assets.summaries.extractive import extract_summary
from llma_assets.summaries.rule_summary import theme_summary
from llma_assets.summaries.rules import Facts, Norms, Spread, applies
from llma_assets.summaries.schema import LIMITS
from llma_assets.themes.theme import Rule
from llma_assets_tests.summaries.conversations import Turn, conversation

SHARED = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
FAILED: tuple[Turn, ...] = (
    ("user", "Please book seat 14C to Oslo."),
    ("call", "book_seat", {"seat": "14C"}),
    ("error", "book_seat", "payment amount does not add up: 305"),
    ("assistant", "Unfortunately, I am unable to add a pet to it."),
    ("user", "That's not what I asked for."),
    ("assistant", "Sorry."),
)


def summary(rule: Rule, *turns: Turn, facts: Facts | None = None, norms: Norms | None = None) -> TraceSummary:
    text = conversation(*turns)
    verdict = applies(rule, text, facts or Facts(), norms or Norms())
    assert verdict.relevant
    return theme_summary(text, "detailed", verdict)


def test_the_title_of_an_error_names_the_tool_and_what_it_said_without_numbers() -> None:
    assert summary("errors", *FAILED).title == "Book seat: payment amount does not add up"


def test_the_title_of_a_feature_request_says_what_cannot_be_done() -> None:
    turns: tuple[Turn, ...] = (
        ("user", "Bring my dog"),
        ("assistant", "Sorry, I am unable to add a pet to booking B7."),
    )
    assert summary("feature_requests", *turns).title == "Cannot add a pet to booking"


def test_the_title_of_trouble_says_what_the_user_wanted() -> None:
    turns: tuple[Turn, ...] = (
        ("user", "I want to cancel my trip to Oslo."),
        ("assistant", "Which one?"),
        ("user", "Let me talk to a human."),
    )
    assert summary("ux", *turns).title == "User asks for a person: Cancel my trip to Oslo"


def test_the_title_of_something_slow_says_what_it_was_about() -> None:
    norms = Norms(latency_s=Spread(100, 10.0, 20.0))
    made = summary("performance", *FAILED, facts=Facts(latency_s=99.0), norms=norms)
    assert made.title == "Slow: Book seat 14C to Oslo"


def test_two_items_that_differ_in_numbers_alone_have_one_title() -> None:
    other = tuple((*turn[:2], "payment amount does not add up: 417") if turn[0] == "error" else turn for turn in FAILED)
    assert summary("errors", *FAILED).title == summary("errors", *other).title


def test_what_was_found_comes_first_and_what_was_asked_last() -> None:
    bullets = summary("errors", *FAILED).bullets
    assert bullets[0].text == "Error (book seat): payment amount does not add up: 305"
    assert bullets[-1].text == 'Asked: "Please book seat 14C to Oslo."'
    assert all(bullet.line_refs for bullet in bullets)


def test_what_is_found_twice_is_reported_once_with_both_lines() -> None:
    again = (*FAILED[:3], ("call", "book_seat", {"seat": "15A"}), *FAILED[2:3])
    first = summary("errors", *again).bullets[0]
    assert len(first.line_refs.split(", ")) == 2


def test_where_only_numbers_tell_the_whole_text_is_summarised() -> None:
    text = conversation(("user", "Where is Oslo?"), ("assistant", "In Norway."))
    verdict = applies("errors", text, Facts(error_count=1), Norms())
    assert theme_summary(text, "minimal", verdict) == extract_summary(text, "minimal")


def _some_real_texts(name: str, most: int) -> list[tuple[str, Facts]]:
    path = SHARED / f"{name}.events.jsonl.gz"
    if not path.exists():
        pytest.skip("shared data is not there")
    traces: dict[str, list[dict[str, Any]]] = defaultdict(list)
    with gzip.open(path) as lines:
        for line in lines:
            event = orjson.loads(line)
            trace_id = event["properties"]["$ai_trace_id"]
            if trace_id in traces or len(traces) < most:
                traces[trace_id].append(event)
    found = []
    for events in traces.values():
        facts = item_facts(events)
        numbers = Facts(facts.cost_usd, facts.latency_s, facts.tokens, facts.error_count, facts.event_count)
        found.append((render_trace(events, RenderOptions()).text, numbers))
    return found


@pytest.mark.heavy
@pytest.mark.parametrize("name", ["airline_agent", "service_dialogues"])
def test_on_real_traces_every_reference_is_true_and_the_summary_within_its_limits(name: str) -> None:
    rules: tuple[Rule, ...] = ("errors", "ux", "feature_requests", "performance", "success")
    few = Spread(40, 0.001, 0.001)
    norms = Norms(few, few, few, few)
    made = 0
    for text, facts in _some_real_texts(name, 40):
        for rule in rules:
            verdict = applies(rule, text, facts, norms)
            if not verdict.relevant:
                continue
            wire = theme_summary(text, "detailed", verdict)
            mended = clean_summary(wire, LineNumbers.of(text), "detailed")
            assert mended.refs_total == mended.refs_valid
            assert 0 < len(mended.bullets) == len(wire.bullets) <= LIMITS["detailed"].most_bullets
            assert wire == theme_summary(text, "detailed", applies(rule, text, facts, norms))
            made += 1
    assert made >= 40
