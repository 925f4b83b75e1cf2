"""The flow of lineages as it is stored: links of runs, under people's decisions, of one team."""

from datetime import UTC, datetime

from llma_assets.clickhouse import Database
from llma_assets.clusters import decide_about
from llma_assets.reports import lineage_flow
from llma_assets_tests.reports.stored_runs import DAY, ids, store_run

NOW = datetime(2026, 11, 8, tzinfo=UTC)


def link(database: Database, team_id: int, lineage_id: str, parents: list[str]) -> None:
    """Say where a stored cluster came from, and that its run has links."""
    for table, column in (("clusters", "inserted_at"), ("clustering_runs", "committed_at")):
        changed = (
            "{parents:Array(String)} AS lineage_parents, 'split' AS lineage_status"
            if table == "clusters"
            else """'{"previous_day": null}' AS lineage"""
        )
        only = "AND lineage_id = {lineage_id:String}" if table == "clusters" else ""
        database.execute(
            f"INSERT INTO {table} SELECT * REPLACE({changed}, now64(6) AS {column}) "  # names of ours
            f"FROM {table} FINAL WHERE team_id = {{team_id:Int64}} {only}",
            team_id=team_id,
            lineage_id=lineage_id,
            parents=parents,
        )


def test_clusters_come_with_what_they_came_from(database: Database) -> None:
    for team_id in (1, 2):
        store_run(database, "traces", {0: ids(0, 6), 1: ids(6, 9), 2: ids(9, 10), -1: ["stray"]}, team_id=team_id)
        link(database, team_id, "traces-1", [f"parent-of-{team_id}"])
    (day,) = lineage_flow(database, 1, "traces", until=DAY, days=5).days
    assert (day.day, day.items) == (DAY, 11)
    found = {each.lineage_id: each for each in day.clusters}
    assert list(found) == ["traces-0", "traces-1", "traces-2"]
    assert (found["traces-1"].parents, found["traces-1"].status) == (("parent-of-1",), "split")
    assert found["traces-0"].share == 6 / 11

    decide_about(database, 1, "merge", ["traces-1"], author="me", at=NOW, into="traces-0")
    decide_about(database, 1, "hide", ["traces-2"], author="me", at=NOW)
    (day,) = lineage_flow(database, 1, "traces", until=DAY, days=5).days
    assert [(each.lineage_id, each.size, each.parents) for each in day.clusters] == [("traces-0", 9, ("parent-of-1",))]
    assert lineage_flow(database, 3, "traces", until=DAY, days=5).days == ()
