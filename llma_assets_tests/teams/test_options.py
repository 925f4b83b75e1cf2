"""What `teams.toml` says reaches the stages: when traces are selected, how many, what is hidden; or nothing is done."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from llma_assets.settings import Settings
from llma_assets.testing import day_of_traces, trace, write_events
from llma_assets_tests.pipeline.runs import Pipeline, told

DAY = date(2026, 11, 7)
STAGES = ("trace_texts", "trace_summaries")
TEXTS = "SELECT team_id, level, text FROM trace_texts FINAL ORDER BY team_id, level, item_id"


def set_teams(settings: Settings, text: str) -> None:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    (settings.data_dir / "teams.toml").write_text(text)


def texts(pipeline: Pipeline) -> Counter[tuple[int, str]]:
    return Counter((row["team_id"], row["level"]) for row in pipeline.database.rows(TEXTS))


def test_a_pattern_that_cannot_be_used_stops_its_team_with_the_reason_and_no_other_team(
    pipeline: Pipeline, settings: Settings
) -> None:
    set_teams(settings, '[teams.1]\nredaction_patterns = ["case-(\\\\d+"]\n')
    for team_id in (1, 2):
        write_events(pipeline.database, day_of_traces(team_id, DAY, 2))
    stopped = pipeline.texts(1, DAY, DAY, stages=STAGES, raise_on_error=False)
    assert not stopped.success
    (failure,) = [event for event in stopped.all_events if event.is_step_failure]
    said = failure.step_failure_data.user_failure_data.description
    assert "teams.1.redaction_patterns: extra pattern 0 cannot be used: missing )" in said
    assert pipeline.texts(2, DAY, DAY, stages=STAGES).success
    assert texts(pipeline) == {(2, "trace"): 2, (2, "generation"): 2}
    assert pipeline.row_counts()["trace_summaries"] == 4


def test_a_pattern_of_a_team_hides_what_it_matches_in_the_texts_of_this_team(
    pipeline: Pipeline, settings: Settings
) -> None:
    set_teams(settings, '[teams.1]\nredaction_patterns = ["ticket-\\\\d+"]\n')
    for team_id in (1, 2):
        write_events(
            pipeline.database, trace(team_id, "t", datetime(2026, 11, 7, 8, tzinfo=UTC), request="See ticket-4711")
        )
        pipeline.texts(team_id, DAY, DAY, stages=STAGES[:1])
    shown = {row["team_id"]: "ticket-4711" in row["text"] for row in pipeline.database.rows(TEXTS)}
    assert shown == {1: False, 2: True}


@pytest.mark.slow
def test_the_limits_of_an_hour_are_those_of_the_team(pipeline: Pipeline, settings: Settings) -> None:
    set_teams(settings, "max_traces_per_hour = 3\n[teams.1]\nmax_generations_per_hour = 0\n")
    for team_id in (1, 2):
        write_events(pipeline.database, day_of_traces(team_id, DAY, 6))
        result = pipeline.texts(team_id, DAY, DAY, stages=STAGES)
    assert texts(pipeline) == {(1, "trace"): 3, (2, "trace"): 3, (2, "generation"): 6}
    (event,) = result.asset_materializations_for_node("trace_texts")
    shown = told(event.metadata)
    assert (shown["traces_found"], shown["traces_sampled"], shown["traces_estimated"]) == (6, 3, 6.0)
    assert shown["traces_lowest_probability"] == 0.5
    (event,) = result.asset_materializations_for_node("trace_summaries")
    assert told(event.metadata)["traces_valid_line_refs_share"] == 1.0


@pytest.mark.slow
def test_a_trace_is_selected_once_it_is_quiet_for_its_team(pipeline: Pipeline, settings: Settings) -> None:
    set_teams(settings, "[teams.1]\nquiet_minutes = 5\n")
    when = datetime(2026, 11, 7, 8, tzinfo=UTC)
    for team_id in (1, 2):
        write_events(pipeline.database, trace(team_id, "t", when))
    taken = []
    for minutes in (5, 6, 31):
        pipeline.now = when + timedelta(minutes=minutes)
        for team_id in (1, 2):
            pipeline.texts(team_id, DAY, DAY, stages=STAGES[:1])
        taken.append({team_id for team_id, level in texts(pipeline) if level == "trace"})
    assert taken == [set(), {1}, {1, 2}]
