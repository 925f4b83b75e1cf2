"""Texts depend on where they were read from, and empty traces are an error of the source."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from llma_assets.clickhouse import Database
from llma_assets.rendering import render_partition
from llma_assets.source_catalog import add_source, remove_source, source_named
from llma_assets.stage import Report
from llma_assets.team_day import TeamDay
from llma_assets.teams import TeamOptions
from llma_assets.themes import GENERAL, Filter, matching_items
from llma_assets_tests.sources.spans import DAY, refund
from llma_assets_tests.sources.writers import TOOLS, Tool

pytestmark = pytest.mark.database
TEAM = TeamDay(9, DAY.date())
BY_NAME: dict[str, Tool] = {tool.name: tool for tool in TOOLS}


def texts(database: Database) -> Report:
    return render_partition(
        database,
        TEAM,
        TeamOptions(),
        model_name="offline",
        themes=GENERAL,
        all_themes=GENERAL,
        now=DAY + timedelta(days=2),
        progress=lambda *_: None,
    )


def test_another_source_makes_texts_anew_and_says_how_many(database: Database, store: Database) -> None:
    tool = BY_NAME["otel"]
    tool.create(store)
    tool.write(store, refund())
    tool.write(store, refund("invoice"))
    add_source(database, tool.source(store), by="test", team_id=TEAM.team_id)
    assert "traces_made_anew" not in texts(database).details
    assert texts(database).details["traces_rendered"] == 0

    add_source(database, replace(tool.source(store), user="ServiceName"), by="test")
    report = texts(database)
    assert (report.details["traces_rendered"], report.details["traces_made_anew"]) == (2, 2)
    assert texts(database).details["traces_rendered"] == 0


def test_a_removed_source_is_read_no_more(database: Database, store: Database) -> None:
    tool = BY_NAME["otel"]
    tool.create(store)
    tool.write(store, refund())
    add_source(database, tool.source(store), by="test", team_id=TEAM.team_id)
    remove_source(database, source_named(database, "otel"), by="test")
    assert texts(database).details["traces_found"] == 0


def test_a_day_without_message_text_is_an_error(database: Database, store: Database) -> None:
    tool = BY_NAME["otel-logs"]
    tool.create(store)
    spans = [span for n in range(12) for span in refund(f"t{n}", DAY + timedelta(minutes=n)) if span.kind != "tool"]
    tool.write(store, spans)
    add_source(database, replace(tool.source(store), others={}), by="test", team_id=TEAM.team_id)
    with pytest.raises(RuntimeError, match="OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"):
        texts(database)
    add_source(database, tool.source(store), by="test", team_id=TEAM.team_id)
    report = texts(database)
    assert (report.items, report.details["traces_made_anew"]) == (12, 12)


@pytest.mark.parametrize("name", ["otel", "langfuse", "posthog", "laminar", "opik", "signoz"])
def test_a_model_is_found_by_the_name_that_users_know(name: str, database: Database, store: Database) -> None:
    tool = BY_NAME[name]
    tool.create(store)
    tool.write(store, refund())
    add_source(database, tool.source(store), by="test", team_id=None if tool.numbered else TEAM.team_id)
    team_day = TeamDay(7 if tool.numbered else TEAM.team_id, DAY.date())

    def found(*filters: Filter) -> int:
        theme: Any = replace(GENERAL[0], base_filters=filters)
        return len(matching_items(database, team_day, theme, reach=timedelta(days=1)))

    tokens = Filter("gen_ai.usage.input_tokens", "gt", 9)
    for key in ("gen_ai.request.model", "llm.model_name", "$ai_model"):
        assert found(Filter(key, "exact", "gpt-5"), tokens) == 1
    assert found(Filter("llm.model_name", "exact", "gpt-4")) == 0
    assert found(Filter("$ai_input_tokens", "gt", 100)) == 0
