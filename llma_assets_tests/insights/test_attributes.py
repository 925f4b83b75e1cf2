"""What sets the clusters of a stored run apart, read from the events of its traces on the real server."""

import gzip
import json
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest

from llma_assets.clickhouse import Database
from llma_assets.clusters import Run, committed_run, runs_of_day
from llma_assets.insights import Counts, find_attributes, store_attributes, stored_attributes
from llma_assets.insights.attributes import compare, without_measures
from llma_assets.insights.queries import TRACES_BY_CLUSTER, VALUES_BY_CLUSTER
from llma_assets.stage import silent
from llma_assets.team_day import TeamDay
from llma_assets.teams import TeamOptions
from llma_assets.themes import TRACES
from llma_assets_tests.reports.stored_runs import DAY, ids, store_run

AIRLINE = Path(__file__).parents[2].parent / "shared/data/airline_agent.events.jsonl.gz"
LABELS = AIRLINE.with_name("airline_agent.labels.json")
THEME = "traces"


def event(
    trace_id: str, properties: dict[str, Any], *, team_id: int = 1, name: str = "$ai_generation"
) -> dict[str, Any]:
    return {
        "uuid": uuid4(),
        "event": name,
        "team_id": team_id,
        "distinct_id": f"user-{trace_id}",
        "timestamp": datetime(DAY.year, DAY.month, DAY.day, 8, tzinfo=UTC),
        "properties": json.dumps({"$ai_trace_id": trace_id, **properties}),
    }


def run_of(database: Database, team_id: int = 1) -> Run:
    run = committed_run(database, TeamDay(team_id, DAY), THEME)
    assert run is not None
    return run


def plant(database: Database) -> None:
    """Two clusters of twenty traces, the first on a small model with a tool that fails; of team 2 the second is."""
    for team_id in (1, 2):
        store_run(database, THEME, {0: ids(0, 20), 1: ids(20, 40)}, team_id=team_id)
        rows = []
        for number in range(40):
            is_first = (number < 20) == (team_id == 1)
            trace_id = f"t{number}"
            model = {"$ai_model": "small" if is_first else "large", "$ai_latency": number + 0.25, "plan": "free"}
            rows.append(event(trace_id, {**model, "mail": "anna@example.org" if is_first else ""}, team_id=team_id))
            if is_first:
                error = {
                    "$ai_span_name": "search",
                    "$ai_is_error": True,
                    "$ai_error": f"No flight HAT{number} for 'Bo'",
                }
                rows.append(event(trace_id, error, team_id=team_id, name="$ai_span"))
        database.insert_rows("events", rows)


def test_models_tools_and_errors_that_differ_are_found_and_stored(database: Database) -> None:
    plant(database)
    assert stored_attributes(database, run_of(database)) is None
    found = find_attributes(database, run_of(database))
    told = {(each.cluster_id, each.name, each.value) for each in found.found}
    assert told == {
        (0, "$ai_model", "small"),
        (0, "$ai_is_error", "true"),
        (0, "tool", "search"),
        (0, "failed tool", "search"),
        (0, "error", "No flight … for …"),
        (1, "$ai_model", "large"),
    }
    assert found.traces == 40
    assert stored_attributes(database, run_of(database)) == found
    assert stored_attributes(database, run_of(database, 2)) is None, "the other team's run was not looked at"
    other = find_attributes(database, run_of(database, 2))
    assert {each.cluster_id for each in other.found if each.value == "small"} == {1}


def test_private_values_are_told_only_where_the_team_hides_nothing(database: Database) -> None:
    plant(database)
    values = {each.value for each in find_attributes(database, run_of(database)).found}
    assert "anna@example.org" not in values
    values = {each.value for each in find_attributes(database, run_of(database), redact=False).found}
    assert "anna@example.org" in values
    again = find_attributes(database, run_of(database))
    assert "anna@example.org" not in {each.value for each in again.found}, "what is hidden since is made anew"


def test_values_of_fewer_users_than_the_privacy_minimum_are_left_out(database: Database) -> None:
    plant(database)
    assert find_attributes(database, run_of(database), least_users=21).found == ()
    assert find_attributes(database, run_of(database), least_users=20).found


def test_nothing_is_told_of_a_cluster_that_is_shown_without_examples(database: Database) -> None:
    plant(database)
    find_attributes(database, run_of(database))
    database.execute(
        "ALTER TABLE clusters UPDATE disclosure = 'without_examples' WHERE team_id = 1 AND cluster_id = 0 "
        "SETTINGS mutations_sync = 2"
    )
    stored = stored_attributes(database, run_of(database))
    assert stored is not None
    assert {each.cluster_id for each in stored.found} == {1}


def test_measures_are_no_attributes_but_a_status_is() -> None:
    status = [Counts("$ai_http_status", str(200 + number), {0: 5}) for number in range(3)]
    measure = [Counts("took", str(number / 8), {0: 5}) for number in range(13)]
    assert without_measures([*status, *measure]) == status


@pytest.mark.skipif(not AIRLINE.exists(), reason="needs ../shared/data")
def test_tools_and_errors_of_runs_that_failed(database: Database) -> None:
    """As clusters: the rewarded runs of the airline's agent, and those without a reward."""
    reward = {trace: label["reward"] for trace, label in json.loads(LABELS.read_text()).items()}
    store_run(
        database,
        THEME,
        {0: [each for each in reward if reward[each] > 0], 1: [each for each in reward if not reward[each]]},
    )
    with gzip.open(AIRLINE, "rt") as lines:
        events = [json.loads(line) for line in lines]
    spans = [each for each in events if each["event"] == "$ai_span"]
    database.insert_rows(
        "events",
        [
            {
                **each,
                "timestamp": datetime(DAY.year, DAY.month, DAY.day, 8, tzinfo=UTC),
                "properties": json.dumps(each["properties"]),
            }
            for each in spans
        ],
    )
    found = find_attributes(database, run_of(database))
    counted = defaultdict[str, set[str]](set)
    for each in spans:
        counted[each["properties"]["$ai_span_name"]].add(each["properties"]["$ai_trace_id"])
    for each in found.found:
        if each.name == "tool":
            assert each.traces == sum((reward[trace] > 0) == (each.cluster_id == 0) for trace in counted[each.value])
    told = {(each.cluster_id, each.name, each.value) for each in found.found}
    assert {(0, "tool", "transfer_to_human_agents"), (1, "tool", "book_reservation")} <= told
    assert (1, "failed tool", "book_reservation") in told


def test_what_two_themes_ask_is_asked_together_and_found_as_alone(database: Database) -> None:
    plant(database)
    for team_id in (1, 2):
        store_run(database, "own", {0: ids(0, 10), 1: ids(10, 40)}, team_id=team_id)
    alone = {run.theme_id: compare(database, run)[0] for run in runs_of_day(database, TeamDay(1, DAY))}
    reader = database.between_writes()
    themes = [replace(TRACES, theme_id=theme_id) for theme_id in (THEME, "own")]
    statements = list[str]()
    asked = Database.rows

    def rows(self: Database, sql: str, /, **parameters: Any) -> list[dict[str, Any]]:
        statements.append(sql.partition("LIMIT")[0])
        return asked(self, sql, **parameters)

    with patch.object(Database, "rows", rows):
        store_attributes(reader, TeamDay(1, DAY), themes=themes, team=TeamOptions(), progress=silent)
    for sql in (VALUES_BY_CLUSTER, TRACES_BY_CLUSTER):
        assert sum(each.startswith(sql.partition("LIMIT")[0].rstrip()) for each in statements) == 1
    for theme_id, found in alone.items():
        run = next(each for each in runs_of_day(database, TeamDay(1, DAY)) if each.theme_id == theme_id)
        assert found.found
        assert stored_attributes(database, run) == found
    assert stored_attributes(database, run_of(database, 2)) is None
