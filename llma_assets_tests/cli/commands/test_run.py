"""`llma run`, and what the other commands show of it: the whole graph on small traffic."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from click.testing import CliRunner

from llma_assets.cli.main import cli
from llma_assets.cli.render.progress import PlainProgress
from llma_assets.clickhouse import Database
from llma_assets.defs.instance import opened_instance
from llma_assets.settings import Settings
from llma_assets.testing import day_of_traces, trace, write_events
from llma_assets_tests.cli.conftest import Answer, Llma
from llma_assets_tests.databases import PlantedOnce

pytestmark = pytest.mark.slow

DAY = date(2026, 11, 7)
COUNTED = ("events", "trace_texts", "trace_summaries", "document_embeddings", "cluster_members", "clustering_runs")


def traffic_of_two_teams(database: Database) -> None:
    """Team 1 with 24 traces in two days, team 2 with 3 traces of the same ids."""
    write_events(database, day_of_traces(1, DAY, 12))
    write_events(database, day_of_traces(1, DAY - timedelta(days=6), 12))
    write_events(database, day_of_traces(2, DAY, 3))


@pytest.fixture
def traffic(database: Database, planted_once: PlantedOnce) -> Database:
    planted_once(traffic_of_two_teams)
    return database


@pytest.fixture
def two_days(database: Database, settings: Settings) -> Database:
    """The same traffic for runs that look back two days: what they show is not in the number of days."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    (settings.data_dir / "teams.toml").write_text("lookback_days = 2\n")
    for team_id, day, count in ((1, DAY, 12), (1, DAY - timedelta(days=1), 12), (2, DAY, 3)):
        write_events(database, day_of_traces(team_id, day, count))
    return database


def a_run(database: Database) -> Any:
    """Traffic, and a run of team 1; returns the document of `--json`."""
    traffic_of_two_teams(database)
    done = CliRunner().invoke(cli, ["run", "--team", "1", "--date", str(DAY), "--json"], prog_name="llma")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def row_counts(database: Database) -> dict[str, int]:
    return {table: database.value("SELECT count() FROM {t:Identifier}", t=table) for table in COUNTED}


def test_a_run_prints_clusters_and_times_and_is_recorded_in_the_instance(
    traffic: Database, llma: Llma, settings: Settings
) -> None:
    result = llma("run", "--team", "1", "--date", str(DAY))
    assert result.exit_code == 0, result.output
    assert "team 1, 2026-11-07, traces: 24 items in" in result.stdout
    assert "cluster_assignments" in result.stdout
    assert "dagster" not in result.stderr.lower()
    with opened_instance(settings) as instance:
        runs = {run.job_name: run for run in instance.get_runs()}
        assert {name: run.status for name, run in runs.items()} == dict.fromkeys(
            ("discovery_job", "texts_job", "clusters_job"), dg.DagsterRunStatus.SUCCESS
        )
        assert instance.get_dynamic_partitions("teams") == ["1"]
        materialized = instance.get_materialized_partitions(dg.AssetKey("summary_embeddings"))
        assert len(materialized) == 7
    assert (settings.data_dir / "dagster" / "dagster.yaml").exists()


def test_the_documents_of_run_and_clusters_have_the_documented_shape(
    database: Database, llma_json: Callable[..., Answer], planted_once: PlantedOnce
) -> None:
    ran = planted_once(a_run)
    assert list(ran) == ["date", "duration_s", "teams"]
    (team,) = ran["teams"]
    assert list(team) == [
        "team", "status", "reason", "detail", "first_day", "dagster_runs", "themes", "left", "stages", "runs",
        "actions",
    ]  # fmt: skip
    assert (team["status"], team["first_day"], len(team["dagster_runs"])) == ("done", "2026-11-01", 2)

    shown = llma_json("clusters", "--team", "1", "--date", str(DAY)).document
    assert list(shown) == ["team", "date", "runs"]
    assert shown["runs"] == team["runs"]
    assert [(run["theme"], run["level"]) for run in shown["runs"]] == [
        ("traces", "trace"),
        ("generations", "generation"),
    ]
    for run in shown["runs"]:
        assert list(run) == [
            "run_id", "level", "theme", "theme_version", "earlier_version", "items", "skipped_reason", "quality",
            "lineage", "hidden_clusters", "clusters", "held_back_clusters",
        ]  # fmt: skip
        assert run["skipped_reason"] is None
        for cluster in run["clusters"]:
            assert list(cluster) == [
                "cluster_id", "lineage_id", "lineage_status", "lineage_confidence", "lineage_parents", "size", "title",
                "description", "item_ids", "renamed", "locked", "hidden", "merged_lineage_ids", "traces", "template",
                "disclosure",
            ]  # fmt: skip
            assert cluster["size"] == len(cluster["item_ids"])
        ids = [item_id for cluster in run["clusters"] for item_id in cluster["item_ids"]]
        assert len(ids) == len(set(ids)) == run["items"] == 24

    cut = llma_json("clusters", "--team", "1", "--date", str(DAY), "--level", "trace", "--limit-examples", "1")
    (only,) = cut.document["runs"]
    assert all(len(cluster["item_ids"]) == 1 for cluster in only["clusters"])
    assert [cluster["size"] for cluster in only["clusters"]] == [
        cluster["size"] for cluster in shown["runs"][0]["clusters"]
    ]


def test_a_second_run_runs_nothing_until_something_changes(
    database: Database, llma_json: Callable[..., Answer], planted_once: PlantedOnce
) -> None:
    first = planted_once(a_run)
    before = row_counts(database)
    (second,) = llma_json("run", "--team", "1", "--date", str(DAY)).document["teams"]
    assert second["runs"] == first["teams"][0]["runs"]
    assert (second["status"], second["dagster_runs"], second["stages"]) == ("done", [], {})
    assert second["themes"][0]["detail"] == "nothing has changed since the last run"
    assert row_counts(database) == before
    write_events(database, trace(1, "late", datetime(2026, 11, 7, 20, tzinfo=UTC)))
    (third,) = llma_json("run", "--team", "1", "--date", str(DAY)).document["teams"]
    assert (len(third["dagster_runs"]), third["runs"][0]["items"]) == (2, 25)


def test_without_a_change_all_of_a_run_writes_no_row(
    database: Database, llma_json: Callable[..., Answer], planted_once: PlantedOnce
) -> None:
    planted_once(a_run)
    database.execute("TRUNCATE TABLE finished_runs")
    before = row_counts(database)
    (second,) = llma_json("run", "--team", "1", "--date", str(DAY)).document["teams"]
    assert len(second["dagster_runs"]) == 2
    assert row_counts(database) == before


def test_a_team_below_the_minimum_is_not_run_and_its_reason_is_recorded(
    traffic: Database, llma: Llma, llma_json: Callable[..., Answer]
) -> None:
    ran = llma_json("run", "--team", "2", "--date", str(DAY))
    assert ran.code == 0
    (team,) = ran.document["teams"]
    assert (team["status"], team["reason"], team["dagster_runs"]) == ("skipped", "below_minimum", [])
    assert traffic.value("SELECT count() FROM trace_texts") == 0

    skips = llma_json("skips", "--date", str(DAY), "--team", "2").document
    assert list(skips) == ["date", "skips"]
    assert [(row["team"], row["stage"], row["theme"], row["reason"]) for row in skips["skips"]] == [
        (2, "eligible_teams", "", "below_minimum"),
        (2, "cluster_assignments", "generations", "below_minimum"),
        (2, "cluster_assignments", "traces", "below_minimum"),
    ]
    shown = llma_json("clusters", "--team", "2", "--date", str(DAY)).document
    assert [(run["items"], run["skipped_reason"], run["clusters"]) for run in shown["runs"]] == [
        (0, "below_minimum", []),
        (0, "below_minimum", []),
    ]
    assert "3 of 20 traces" in llma("clusters", "--team", "2", "--date", str(DAY)).stdout


def test_a_team_without_events_is_not_run_and_that_is_no_failure(
    database: Database, llma_json: Callable[..., Answer]
) -> None:
    ran = llma_json("run", "--team", "77", "--date", str(DAY))
    (team,) = ran.document["teams"]
    assert (ran.code, team["status"], team["reason"]) == (0, "skipped", "no_recent_events")


def test_a_team_on_the_skip_list_is_not_run(
    traffic: Database, llma_json: Callable[..., Answer], settings: Settings
) -> None:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    (settings.data_dir / "teams.toml").write_text("skip_team_ids = [1]\n")
    ran = llma_json("run", "--team", "1", "--date", str(DAY))
    (team,) = ran.document["teams"]
    assert (ran.code, team["status"], team["reason"]) == (0, "skipped", "skipped")
    assert traffic.value("SELECT count() FROM trace_texts") == 0


def test_all_takes_the_eligible_teams_and_no_other(two_days: Database, llma_json: Callable[..., Answer]) -> None:
    document = llma_json("run", "--all", "--date", str(DAY)).document
    assert [team["team"] for team in document["teams"]] == [1]


def test_all_without_an_eligible_team_says_so(database: Database, llma: Llma) -> None:
    result = llma("run", "--all", "--date", str(DAY))
    assert result.exit_code == 0
    assert "No team is eligible on 2026-11-07" in result.stderr


def test_a_dry_run_writes_nothing(traffic: Database, llma_json: Callable[..., Answer], settings: Settings) -> None:
    document = llma_json("run", "--team", "1", "--team", "2", "--date", str(DAY), "--dry-run").document
    assert [(team["team"], team["eligible"], team["traces"]) for team in document["teams"]] == [
        (1, True, 24),
        (2, False, 3),
    ]
    assert document["dry_run"] is True
    assert traffic.value("SELECT count() FROM eligible_teams") == 0
    assert not (settings.data_dir / "dagster").exists()


def test_the_options_reach_the_clustering(two_days: Database, llma: Llma) -> None:
    result = llma("run", "--team", "1", "--date", str(DAY), "--method", "kmeans", "--min-k", "2", "--max-k", "2")
    assert result.exit_code == 0, result.output
    params = [json.loads(row["params"]) for row in two_days.rows("SELECT params FROM clustering_runs FINAL")]
    assert [(each["method"], each["min_k"], each["max_k"]) for each in params] == [("kmeans", 2, 2)] * 2


def test_a_failed_stage_is_a_failure_with_its_reason(
    two_days: Database, llma: Llma, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMA_CHAT_MODEL", "gpt-4.1-nano")
    result = llma("run", "--team", "1", "--date", str(DAY))
    assert result.exit_code == 1
    assert "OPENAI_API_KEY" in result.stderr
    assert "Traceback" not in result.output


def test_ctrl_c_within_a_stage_ends_with_130_and_a_failed_run(
    two_days: Database, llma: Llma, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(PlainProgress, "__call__", interrupted)
    result = llma("run", "--team", "1", "--date", str(DAY))
    assert result.exit_code == 130
    assert result.stderr.splitlines()[1:] == [
        "Error: interrupted; stored results are kept, and it is safe to run the command again"
    ]
    with opened_instance(settings) as instance:
        assert {run.job_name: run.status for run in instance.get_runs()} == {
            "discovery_job": dg.DagsterRunStatus.SUCCESS,
            "texts_job": dg.DagsterRunStatus.FAILURE,
        }


def test_the_window_ends_at_the_oldest_day(database: Database, llma_json: Callable[..., Answer]) -> None:
    first = date(2026, 1, 2)
    write_events(database, day_of_traces(1, first, 20))
    (team,) = llma_json("run", "--team", "1", "--date", str(first)).document["teams"]
    assert (team["status"], team["first_day"]) == ("done", "2026-01-01")


def test_a_dagster_home_that_is_broken_is_one_line(
    database: Database, llma: Llma, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "dagster.yaml").write_text("nonsense: true\n")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    result = llma("run", "--team", "1", "--date", str(DAY))
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith("Error: the Dagster instance of")
    assert "Traceback" not in result.output


def test_check_passes_after_a_run_and_fails_on_a_zero_item_event(
    database: Database, llma: Llma, llma_json: Callable[..., Answer], planted_once: PlantedOnce
) -> None:
    planted_once(a_run)
    passed = llma_json("check", "--date", str(DAY))
    assert (passed.code, passed.document["failed"]) == (0, 0)
    assert passed.document["checked"] == len(passed.document["findings"]) > 8
    assert list(passed.document) == ["date", "teams", "checked", "failed", "findings", "warned"]
    assert list(passed.document["findings"][0]) == [
        "asset", "check", "team", "theme", "passed", "blocking", "warns", "expected", "found", "query",
    ]  # fmt: skip

    empty = {"$ai_analysis_theme_id": "traces", "$ai_total_items_analyzed": 0, "$ai_clusters": []}
    event = next(iter(trace(2, "any", noon(), request="x")))
    write_events(database, [{**event, "event": "$ai_trace_clusters", "properties": json.dumps(empty)}])
    failed = llma_json("check", "--date", str(DAY))
    assert failed.code == 1
    broken = [row for row in failed.document["findings"] if not row["passed"]]
    assert {(row["team"], row["check"]) for row in broken} >= {(2, "no_empty_events")}
    shown = llma("check", "--date", str(DAY)).stdout.splitlines()
    assert shown[0].startswith("FAIL cluster_events.no_empty_events (team 2, ")
    only = llma("check", "--date", str(DAY), "--failed").stdout.splitlines()
    assert {line[:4] for line in only[:-1]} == {"FAIL", "    "}
    assert only[-1] == shown[-1]
    assert llma("check", "--date", str(DAY), "--team", "1").exit_code == 0


def noon() -> datetime:
    return datetime(DAY.year, DAY.month, DAY.day, 12, tzinfo=UTC)


def test_checking_nothing_says_so_and_passes(llma: Llma, llma_json: Callable[..., Answer]) -> None:
    answer = llma_json("check", "--date", "2026-03-03")
    assert (answer.code, answer.document["checked"], answer.document["findings"]) == (0, 0, [])
    assert "Nothing to check" in llma("check", "--date", "2026-03-03").stderr
