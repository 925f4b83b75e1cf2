"""Texts for themes in real runs: what the run tells of them, and what a run for some themes leaves to the others."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import dagster as dg
import pytest

from llma_assets.clickhouse import Database
from llma_assets.defs.jobs import TEXTS_STAGES, run_config
from llma_assets.rendering.queries import TEXTS_MADE
from llma_assets.settings import Settings
from llma_assets.testing import day_of_traces, write_events
from llma_assets.themes.changes import apply
from llma_assets.themes.document import Document
from llma_assets_tests.pipeline.runs import Pipeline, told

DAY = date(2026, 11, 7)
REFUNDS = {
    "theme_id": "refunds",
    "name": "Refunds",
    "level": "trace",
    "prompt": "Say which refund was refused, and why.",
    "filters": [{"key": "$ai_input", "operator": "icontains", "value": "refund"}],
}
AGAIN = {**REFUNDS, "theme_id": "refunds_again", "name": "Refunds again"}
OFF = [{"theme_id": theme_id, "enabled": False} for theme_id in ("traces", "generations")]


@pytest.fixture
def pipeline(environment: Settings, database: Database) -> Pipeline:
    write_events(database, day_of_traces(1, DAY, 12))
    write_events(database, day_of_traces(2, DAY, 8))
    return Pipeline(database)


def run(
    pipeline: Pipeline, *theme_ids: str, team_id: int = 1, stages: Sequence[str] = ("trace_texts",)
) -> dict[str, dict[str, Any]]:
    """Stages of the day; what each tells."""
    result = pipeline.texts(team_id, DAY, DAY, stages=stages, run_config=run_config(stages, theme_ids))
    return {
        event.asset_key.to_user_string(): told(event.step_materialization_data.materialization.metadata)
        for event in result.get_asset_materialization_events()
        if isinstance(event.asset_key, dg.AssetKey)
    }


def test_a_run_tells_how_many_texts_were_there_already(pipeline: Pipeline) -> None:
    apply(pipeline.database, 1, Document((REFUNDS, AGAIN)), "me")
    first, again = (run(pipeline)["trace_texts"] for _ in range(2))
    assert (first["texts_wanted_by_themes"], first["texts_rendered"], first["texts_reused"]) == (30, 24, 6)
    assert (again["texts_wanted_by_themes"], again["texts_rendered"], again["texts_hit_rate"]) == (30, 0, 1.0)


def test_with_the_general_themes_off_only_what_matches_is_rendered_and_asked_about(pipeline: Pipeline) -> None:
    apply(pipeline.database, 1, Document((*OFF, REFUNDS)), "me")
    told = run(pipeline, stages=("trace_texts", "trace_summaries"))
    assert (told["trace_texts"]["traces_sampled"], told["trace_texts"]["traces_matching_beside"]) == (0, 3)
    assert told["trace_texts"]["items"] == 3
    assert told["trace_texts"]["traces_found"] == 12
    funnel = {record.data["step"]: record.data["refunds"] for record in told["trace_summaries"]["funnel"].records}
    assert {step: funnel[step] for step in ("matched", "sampled", "screened")} == {
        "matched": 3,
        "sampled": 3,
        "screened": 3,
    }
    run(pipeline, team_id=2)
    counts = pipeline.database.rows("SELECT team_id, count() AS n FROM trace_texts GROUP BY team_id ORDER BY team_id")
    assert [row["n"] for row in counts] == [3, 16]


def test_a_theme_that_nothing_matches_says_so(pipeline: Pipeline) -> None:
    nothing = [{"key": "nowhere", "operator": "is_set"}]
    apply(pipeline.database, 1, Document((*OFF, {**REFUNDS, "filters": nothing})), "me")
    assert run(pipeline)["trace_texts"]["reason"] == "nothing_matches"


def test_a_team_with_all_themes_off_has_no_texts_and_is_told_why(pipeline: Pipeline) -> None:
    apply(pipeline.database, 1, Document(tuple(OFF)), "me")
    told = run(pipeline)["trace_texts"]
    assert (told["items"], told["status"], told["reason"]) == (0, "skipped", "no_theme_on")


def test_a_run_for_one_theme_leaves_the_days_sample_to_the_general_ones(pipeline: Pipeline) -> None:
    apply(pipeline.database, 1, Document((REFUNDS,)), "me")
    told = run(pipeline, "refunds")["trace_texts"]
    assert (told["traces_sampled"], told["traces_matching_beside"], told["generations_sampled"]) == (0, 3, 0)
    assert pipeline.database.rows(TEXTS_MADE, team_id=1, day=DAY) == []
    told = run(pipeline, "traces", "generations")["trace_texts"]
    assert (told["traces_sampled"], told["traces_matching_beside"]) == (12, 0)
    assert len(pipeline.database.rows(TEXTS_MADE, team_id=1, day=DAY)) == 1


def test_a_finished_day_with_themes_writes_nothing_a_second_time(pipeline: Pipeline) -> None:
    apply(pipeline.database, 1, Document((REFUNDS, {"theme_id": "error_analysis", "enabled": True})), "me")
    run(pipeline, stages=TEXTS_STAGES)
    before = pipeline.row_counts()
    assert before["theme_items"] == 12 + 12 + 3 + 12
    assert before["theme_days"] == 4
    run(pipeline, stages=TEXTS_STAGES)
    assert pipeline.row_counts() == before
