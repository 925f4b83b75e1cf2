"""Each theme's clusters are its own: its options, its window, its version, and only what it takes."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
import pytest

from llma_assets.clickhouse import Database
from llma_assets.clusters.checks import CHECKS
from llma_assets.clusters.options import engine_config, sample_size
from llma_assets.clusters.partition import RunOptions, store_clusters
from llma_assets.clusters.store.cluster_members import members_of
from llma_assets.clusters.store.clustering_runs import committed_run
from llma_assets.clusters.store.clusters import clusters_of
from llma_assets.ledger import list_skips
from llma_assets.reports import by_step, funnel_tables
from llma_assets.reports.trend_queries import LINKED_RUNS
from llma_assets.stage import ThemesFailed, silent
from llma_assets.team_day import TeamDay
from llma_assets.themes import TRACES, Theme, ThemeClustering
from llma_assets_tests.clusters.planted import MODEL, item_id, plant, run_day, stored_run
from llma_assets_tests.databases import PlantedOnce

DAY = date(2026, 11, 7)
BEFORE = DAY - timedelta(days=1)
OWN = Theme("own", "trace", "Say what broke.", clustering=ThemeClustering("kmeans", min_k=2, max_k=2, min_items=5))
CHANGED = replace(OWN, prompt="Say what broke, and why.")


def cluster(database: Database, *themes: Theme, team_id: int = 1, day: date = DAY, **options: Any) -> dict[str, Any]:
    """Cluster the themes as a run without further options does; returns its metadata."""
    report = store_clusters(
        database,
        TeamDay(team_id, day),
        model_name=MODEL,
        lookback_days=7,
        options=RunOptions(**options),
        themes=themes,
        progress=silent,
    )
    return dict(report.details)


def topics(database: Database, theme: Theme = OWN, *, team_id: int = 1, day: date = DAY) -> set[str]:
    """The topics of a run's members."""
    return {member["item_id"][0] for member in members_of(database, stored_run(database, team_id, day, theme))}


def test_a_run_groups_a_theme_as_the_theme_wants_unless_it_is_told_otherwise() -> None:
    given = RunOptions(method="hdbscan", min_items=3).of(OWN)
    assert given == replace(OWN.clustering, method="hdbscan", min_items=3)
    assert RunOptions().of(OWN) == OWN.clustering
    assert RunOptions().of(TRACES) == ThemeClustering()
    assert RunOptions(min_k=9).of(TRACES).max_k == 9
    assert RunOptions(max_k=2).of(TRACES).min_k == 2


def test_a_graph_takes_more_items_than_the_other_methods_unless_the_theme_says_how_many() -> None:
    sizes = [sample_size(ThemeClustering(method)) for method in ("graph", "kmeans", "hdbscan")]
    assert sizes == [20_000, 2_000, 2_000]
    assert sample_size(ThemeClustering(max_samples=7)) == 7
    assert engine_config(ThemeClustering("kmeans", min_k=4, max_k=5)).max_k == 5


def test_a_theme_reads_its_own_space_by_its_own_options(database: Database) -> None:
    for team_id in (1, 2):
        plant(database, team_id, DAY, {"A": 12, "B": 9}, theme=OWN, version=OWN.version)
        plant(database, team_id, DAY, {"C": 15, "D": 15})
    told = cluster(database, TRACES, OWN)
    assert topics(database) == {"A", "B"}
    assert topics(database, TRACES) == {"C", "D"}
    assert (stored_run(database, 1, DAY, OWN).method, stored_run(database, 1, DAY).method) == ("kmeans", "graph")
    assert told["own_clusters"] == 2
    assert committed_run(database, TeamDay(2, DAY), "own") is None


def test_the_funnel_is_told_of_each_theme_down_to_its_clusters(database: Database) -> None:
    for team_id in (1, 2):
        plant(database, team_id, DAY, {"A": 4 + 4 * team_id, "B": 8}, theme=OWN, version=OWN.version)
    few = replace(OWN, theme_id="few")
    cluster(database, OWN, few)
    steps = ("matched", "sampled", "screened", "summarised", "relevant", "clustered", "outliers")
    records = funnel_tables(database, TeamDay(1, DAY), (OWN, few), steps, lookback_days=7)
    assert [(each["theme"], each["clustered"]) for each in records] == [("own", 16), ("few", 0)]
    assert list(records[0]) == ["theme", *steps]
    assert by_step(records)[5] == {"step": "clustered", "own": 16, "few": 0}


def test_a_theme_looks_back_as_far_as_it_wants(database: Database) -> None:
    plant(database, 1, DAY, {"A": 6, "B": 6}, theme=OWN, version=OWN.version)
    plant(database, 1, DAY - timedelta(days=9), {"C": 6}, theme=OWN, version=OWN.version)
    plant(database, 2, DAY - timedelta(days=9), {"D": 6}, theme=OWN, version=OWN.version)
    cluster(database, OWN)
    first = stored_run(database, 1, DAY, OWN)
    assert topics(database) == {"A", "B"}
    cluster(database, replace(OWN, lookback_days=10))
    assert topics(database) == {"A", "B", "C"}
    assert stored_run(database, 1, DAY, OWN).window_start.date() == DAY - timedelta(days=9)
    assert stored_run(database, 1, DAY, OWN).attempt_id != first.attempt_id


def test_items_of_another_version_are_left_out_and_counted_unless_they_are_mixed(database: Database) -> None:
    plant(database, 1, DAY, {"A": 8, "B": 8}, theme=OWN, version=CHANGED.version)
    plant(database, 1, BEFORE, {"C": 7}, theme=OWN, version=OWN.version)
    plant(database, 2, BEFORE, {"D": 7}, theme=OWN, version=OWN.version)
    told = cluster(database, CHANGED)
    assert topics(database) == {"A", "B"}
    assert told["own_items_of_other_versions"] == 7
    assert "own_items_of_other_versions" not in cluster(database, CHANGED, mix_versions=True)
    assert topics(database) == {"A", "B", "C"}
    assert orjson.loads(stored_run(database, 1, DAY, OWN).params)["mix_versions"] is True


def test_a_general_theme_reads_what_was_embedded_before_there_were_versions_while_it_is_as_it_was(
    database: Database,
) -> None:
    plant(database, 1, DAY, {"A": 10})
    plant(database, 1, DAY, {"B": 10}, version=TRACES.version)
    plant(database, 1, DAY, {"C": 10}, version="another")
    run_day(database, 1, DAY, 2)
    assert topics(database, TRACES) == {"A", "B"}
    changed = replace(TRACES, prompt="Say how the user felt.")
    plant(database, 1, DAY, {"D": 10, "E": 10}, version=changed.version)
    run_day(database, 1, DAY, 2, theme=changed)
    assert topics(database, TRACES) == {"D", "E"}


def test_with_too_few_items_of_the_present_version_the_reason_says_where_the_others_are(database: Database) -> None:
    plant(database, 1, DAY, {"A": 2}, theme=OWN, version=CHANGED.version)
    plant(database, 1, DAY, {"B": 30}, theme=OWN, version=OWN.version)
    cluster(database, CHANGED)
    (skip,) = list_skips(database, day=DAY, team_id=1)
    assert (skip.theme_id, skip.reason) == ("own", "too_few_items")
    assert skip.detail == "2 of 5 items in the window, 30 more under earlier versions of the theme"


def test_clusters_of_a_changed_theme_begin_lineages_anew_and_say_so(database: Database) -> None:
    for day, theme in ((BEFORE, OWN), (DAY, CHANGED)):
        plant(database, 1, day, {"A": 10, "B": 10}, theme=OWN, version=theme.version)
    plant(database, 2, BEFORE, {"A": 10, "B": 10}, theme=OWN, version=OWN.version)
    plant(database, 2, DAY, {"A": 10, "B": 10}, theme=OWN, version=OWN.version)
    for team_id, second in ((1, CHANGED), (2, OWN)):
        cluster(database, OWN, team_id=team_id, day=BEFORE)
        cluster(database, second, team_id=team_id)

    def lineages(team_id: int, day: date) -> set[str]:
        run = stored_run(database, team_id, day, OWN)
        return {row["lineage_id"] for row in clusters_of(database, run)}

    assert not lineages(1, BEFORE) & lineages(1, DAY)
    assert lineages(2, BEFORE) == lineages(2, DAY)
    note = orjson.loads(stored_run(database, 1, DAY, OWN).lineage)["note"]
    assert f"theme version: {OWN.version} before, {CHANGED.version} now" in note
    assert orjson.loads(stored_run(database, 2, DAY, OWN).lineage)["note"] == ""


def test_a_second_run_of_a_theme_writes_nothing(database: Database) -> None:
    plant(database, 1, DAY, {"A": 8, "B": 8}, theme=OWN, version=OWN.version)
    cluster(database, OWN)
    rows = database.value("SELECT count() FROM cluster_members")
    assert cluster(database, OWN)["own_status"] == "unchanged"
    assert database.value("SELECT count() FROM cluster_members") == rows


def test_a_theme_with_impossible_options_fails_alone(database: Database) -> None:
    broken = replace(OWN, theme_id="broken", clustering=replace(OWN.clustering, min_k=0))
    for theme in (OWN, broken):
        plant(database, 1, DAY, {"A": 8, "B": 8}, theme=theme, version=theme.version)
    with pytest.raises(ThemesFailed, match=r"1 of 2 themes failed: broken \(InvalidConfigError: .*min_k"):
        cluster(database, broken, OWN)
    assert topics(database) == {"A", "B"}
    assert committed_run(database, TeamDay(1, DAY), "broken") is None


def test_a_theme_that_is_not_run_any_more_keeps_its_history(database: Database) -> None:
    for theme in (OWN, TRACES):
        plant(database, 1, BEFORE, {"A": 12, "B": 12}, theme=theme, version=theme.version)
    cluster(database, TRACES, OWN, day=BEFORE)
    cluster(database, TRACES)
    assert topics(database, day=BEFORE) == {"A", "B"}
    assert committed_run(database, TeamDay(1, DAY), "own") is None
    runs = database.rows(LINKED_RUNS, team_id=1, **{"from": BEFORE, "until": DAY})
    assert [(row["theme_id"], row["day"]) for row in runs] == [("own", BEFORE), ("traces", BEFORE), ("traces", DAY)]


def outside(database: Database, team_id: int = 1) -> list[tuple[bool, Any]]:
    (check,) = [check for check in CHECKS if check.name == "only_what_the_theme_takes"]
    assert check.blocking
    return [(each.passed, each.outcome.found) for each in check.findings(database, TeamDay(team_id, DAY))]


def leave_out(
    database: Database,
    item: str,
    *,
    team_id: int = 1,
    version: str = OWN.version,
    at: datetime | None = None,
    **kept: Any,
) -> None:
    """Store that the theme does not take an item."""
    row = {
        "team_id": team_id,
        "day": DAY,
        "theme_id": "own",
        "item_id": item,
        "version": version,
        "inclusion_probability": 1.0,
        "taken": False,
        "screened": False,
        "inserted_at": at or datetime(2026, 1, 1, tzinfo=UTC),
        **kept,
    }
    database.insert_rows("theme_items", [row])


def judge_irrelevant(database: Database, item: str, *, team_id: int = 1, version: str = OWN.version) -> None:
    """Store that an item has nothing to do with the theme."""
    row = {
        "team_id": team_id,
        "day": DAY,
        "theme_id": "own",
        "level": "trace",
        "item_id": item,
        "trace_id": item,
        "generation_id": "",
        "content_hash": "",
        "status": "generated",
        "error": "",
        "model": "m",
        "mode": "detailed",
        "title": "",
        "flow_diagram": "",
        "bullets": "[]",
        "interesting_notes": "[]",
        "relevant": False,
        "theme_version": version,
        "text_length": 1,
        "event_count": 1,
        "trace_timestamp": datetime(2026, 11, 7, tzinfo=UTC),
        "batch_run_id": "",
        "inserted_at": datetime(2026, 1, 1, tzinfo=UTC),
    }
    database.insert_rows("trace_summaries", [row])


def two_clustered_teams(database: Database) -> None:
    """Two teams with equal items in a run each."""
    for team_id in (1, 2):
        plant(database, team_id, DAY, {"A": 8, "B": 8}, theme=OWN, version=OWN.version)
        cluster(database, OWN, team_id=team_id)


@pytest.fixture
def clustered(database: Database, planted_once: PlantedOnce) -> Database:
    planted_once(two_clustered_teams)
    return database


NOTHING = {"not_taken": 0, "irrelevant": 0}


def test_an_item_that_the_theme_does_not_take_is_found_in_its_run(clustered: Database) -> None:
    leave_out(clustered, item_id("A", DAY, 0))
    leave_out(clustered, item_id("B", DAY, 1), taken=True)
    judge_irrelevant(clustered, item_id("B", DAY, 2))
    leave_out(clustered, "in no cluster")
    assert outside(clustered) == [(False, {"not_taken": 2, "irrelevant": 1})]
    assert outside(clustered, 2) == [(True, NOTHING)]


def test_what_was_decided_after_a_run_or_under_another_version_is_no_fault_of_it(clustered: Database) -> None:
    leave_out(clustered, item_id("A", DAY, 0), at=datetime(2099, 1, 1, tzinfo=UTC))
    leave_out(clustered, item_id("A", DAY, 1), version=CHANGED.version)
    judge_irrelevant(clustered, item_id("A", DAY, 2), version=CHANGED.version)
    assert outside(clustered) == [(True, NOTHING)]
