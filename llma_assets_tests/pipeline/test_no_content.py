"""Traces of which only that they ran was recorded are empty: nothing is asked, clustered or published of them."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from llma_assets.clickhouse import Database
from llma_assets.ledger import list_skips
from llma_assets.rendering import render_generation, render_trace
from llma_assets.settings import Settings
from llma_assets.testing import ChatServer, day_of_traces, write_events
from llma_assets.testing import event as stored_event
from llma_assets_tests.pipeline.runs import Pipeline
from llma_assets_tests.rendering.events import assistant, event, system, user

DAY = date(2026, 11, 7)
NOTHING: list[Any] = [
    None,
    "",
    [],
    {},
    "  \u200b",
    "null",
    "__REDACTED__",
    "<hidden>",
    "***",
    [{"role": "user", "content": None}],
    [{"role": "user", "content": ""}, {"role": "assistant", "content": []}],
    [{"role": "user"}],
    json.dumps([{"role": "user", "content": "[REDACTED]"}]),
    {"messages": [{"role": "user", "content": "", "id": "msg_1"}]},
    [{"type": "text", "text": ""}],
    [{"role": "tool", "content": None}],
    [system("You are a travel agent.")],
    [system("You are a travel agent."), user("[redacted]")],
]
SOMETHING: list[Any] = [
    "hi",
    "?",
    "👍",
    "你好",
    [user("no")],
    [{"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}],
    [{"type": "image_url", "image_url": {"url": "https://x"}}],
    [{"role": "tool", "content": "0"}],
    {"rows": 0},
    {"ok": False},
    json.dumps({"question": "where is my parcel"}),
    [{"role": "user", "content": "I want my empty cart removed"}],
]


def _ids(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)[:50]


@pytest.mark.parametrize("value", NOTHING, ids=_ids)
def test_empty_places_and_their_placeholders_are_no_content(value: Any) -> None:
    generation = event("generation", input=value, output_choices=value, model="gpt-4o", tools=[{"name": "f"}])
    span = event("span", 1, span_name="agent", input_state=value, output_state=value)
    whole = event("trace", 2, trace_name="support", input_state=value)
    assert not render_generation(generation).has_content
    assert not render_trace([generation, span, whole]).has_content
    assert render_trace([generation, span, whole]).text


@pytest.mark.parametrize("value", SOMETHING, ids=_ids)
def test_whatever_was_said_or_done_is_content(value: Any) -> None:
    for made in (event("generation", input=value), event("generation", output=value)):
        assert render_generation(made).has_content
        assert render_trace([made, event("span", span_name="agent")]).has_content
    for made in (
        event("span", input_state=value),
        event("span", output_state=value),
        event("trace", input_state=value),
    ):
        assert render_trace([event("generation", input=None), made]).has_content


@pytest.mark.parametrize(
    "made",
    [
        event("generation", input=None, is_error=True),
        event("generation", error="BadRequestError: 400 invalid_request_error"),
        event("span", http_status=503),
        event("feedback", feedback_text="it was slow"),
        event("evaluation", evaluation_name="tone", evaluation_result=False, evaluation_reasoning="It is rude."),
        event("generation", input=[system("Translate: good morning")], output_choices=[assistant("guten Morgen")]),
        {"uuid": "1", "event": "$ai_generation", "properties": "{broken"},
    ],
    ids=lambda made: str(made["properties"])[-60:],
)
def test_errors_and_what_people_say_of_a_trace_are_content(made: dict[str, Any]) -> None:
    assert render_trace([event("generation", input=None), made]).has_content
    assert made["event"] != "$ai_generation" or render_generation(made).has_content


@pytest.mark.parametrize(
    "made",
    [
        event("span", span_name="search_flights", latency=2.0),
        event("evaluation", evaluation_name="tone", evaluation_result=True),
        event("metric", metric_name="score", metric_value=0.7),
    ],
    ids=lambda made: str(made["event"]),
)
def test_names_verdicts_and_numbers_alone_are_none(made: dict[str, Any]) -> None:
    assert not render_trace([event("generation", input=None), made]).has_content


def private(team_id: int, count: int) -> Iterator[dict[str, Any]]:
    """Generations as PostHog's privacy mode records them."""
    for number in range(count):
        properties = {
            "$ai_trace_id": f"p{number}",
            "$ai_input": None,
            "$ai_output_choices": None,
            "$ai_model": "gpt-4o",
            "$ai_latency": 1 + number / 10,
            "$ai_input_tokens": 10,
            "$ai_total_cost_usd": 0.001,
        }
        when = datetime(2026, 11, 7, 10, tzinfo=UTC) + timedelta(minutes=number)
        yield stored_event(team_id, "$ai_generation", when, properties)


@pytest.fixture
def models() -> Iterator[ChatServer]:
    with ChatServer() as running:
        yield running


@pytest.fixture
def pipeline(
    environment: Settings, database: Database, models: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> Pipeline:
    monkeypatch.setenv("OPENAI_BASE_URL", models.url)
    monkeypatch.setenv("LLMA_CHAT_MODEL", "small-model")
    monkeypatch.setenv("LLMA_EMBEDDING_MODEL", "offline")
    return Pipeline(database)


def texts_of(pipeline: Pipeline, *stages: str) -> None:
    """Texts alone, and the stages asked for."""
    pipeline.texts(1, DAY, DAY, asset_selection=[dg.AssetKey(stage) for stage in ("trace_texts", *stages)])


def test_a_day_of_privacy_mode_costs_nothing_and_says_what_to_switch(pipeline: Pipeline, models: ChatServer) -> None:
    write_events(pipeline.database, private(1, 25))
    write_events(pipeline.database, day_of_traces(2, DAY, 3))
    with pytest.raises(dg.Failure, match="25 of 25 traces and 12 of 12 generations have neither input nor output"):
        pipeline.texts(1, DAY, DAY)

    assert models.requests == []
    assert pipeline.published() == []
    for table in ("trace_summaries", "document_embeddings", "clustering_runs"):
        assert pipeline.row_counts()[table] == 0
    skips = {(each.stage, each.theme_id): each for each in list_skips(pipeline.database, day=DAY, team_id=1)}
    texts = skips["trace_texts", ""]
    assert texts.reason == "no_content"
    assert "25 of 25 traces and 12 of 12 generations" in texts.detail
    assert "privacy_mode" in texts.detail


def test_beside_them_what_has_content_is_asked_about_alone(pipeline: Pipeline, models: ChatServer) -> None:
    write_events(pipeline.database, private(1, 25))
    write_events(pipeline.database, day_of_traces(1, DAY, 4))
    write_events(pipeline.database, private(2, 3))
    texts_of(pipeline, "trace_summaries")
    asked = pipeline.database.rows("SELECT item_id, theme_id FROM trace_summaries FINAL ORDER BY theme_id, item_id")
    assert [row["item_id"] for row in asked if row["theme_id"] == "traces"] == [f"trace-{DAY}-{n}" for n in range(4)]
    assert "p0" not in json.dumps([request.body for request in models.requests], default=str)
    (skip,) = [each for each in list_skips(pipeline.database, day=DAY) if each.stage == "trace_texts"]
    assert "25 of 29 traces" in skip.detail
    assert "privacy_mode" not in skip.detail


def test_an_item_selected_before_it_was_known_to_be_empty_is_selected_no_more(pipeline: Pipeline) -> None:
    database = pipeline.database
    write_events(database, private(1, 2))
    write_events(database, day_of_traces(1, DAY, 2))
    texts_of(pipeline, "trace_summaries")
    taken = "SELECT item_id FROM theme_items FINAL WHERE team_id = 1 AND theme_id = 'traces' AND taken ORDER BY item_id"
    assert [row["item_id"] for row in database.rows(taken)] == [f"trace-{DAY}-{n}" for n in range(2)]
    row = database.rows("SELECT * EXCEPT inserted_at FROM theme_items FINAL WHERE theme_id = 'traces' LIMIT 1")[0]
    database.insert_rows("theme_items", [{**row, "item_id": "p0", "taken": True, "screened": True}])
    texts_of(pipeline, "trace_summaries")
    assert [row["item_id"] for row in database.rows(taken)] == [f"trace-{DAY}-{n}" for n in range(2)]


def test_once_everything_has_content_there_is_no_skip(pipeline: Pipeline) -> None:
    write_events(pipeline.database, private(1, 1))
    texts_of(pipeline)
    assert [each.reason for each in list_skips(pipeline.database, day=DAY) if each.stage == "trace_texts"]
    when = datetime(2026, 11, 7, 11, tzinfo=UTC)
    said = {"$ai_trace_id": "p0", "$ai_span_name": "say", "$ai_output_state": "the parcel is lost"}
    write_events(pipeline.database, [stored_event(1, "$ai_span", when, said)])
    texts_of(pipeline)
    (skip,) = [each for each in list_skips(pipeline.database, day=DAY) if each.stage == "trace_texts"]
    assert skip.detail.startswith("1 of 1 generations")
