"""A stored summary that cannot be read is left out of what a cluster is named from, and named; the others speak."""

from datetime import date

from llma_assets.clickhouse import Database
from llma_assets.clusters.store.cluster_members import members_of
from llma_assets.clusters.store.clusters import clusters_of
from llma_assets.labels.label_inputs import read_label_inputs
from llma_assets.ledger import list_item_skips
from llma_assets.themes import TRACES
from llma_assets_tests.labels.stored import cluster_day, item_id, plant

DAY = date(2026, 11, 7)


def test_one_unreadable_summary_costs_itself(database: Database) -> None:
    for team_id in (1, 2):
        plant(database, team_id, DAY, {"refund": 8, "password": 8})
    run = cluster_day(database, 1, DAY, 2)
    bad = item_id("refund", DAY, 0)
    row = database.rows(
        "SELECT * EXCEPT inserted_at FROM trace_summaries FINAL WHERE team_id = 1 AND item_id = {i:String}", i=bad
    )[0]
    database.insert_rows("trace_summaries", [{**row, "bullets": "[{broken"}])
    inputs = read_label_inputs(database, run, TRACES, clusters_of(database, run), members_of(database, run))
    assert all(cluster.representatives for cluster in inputs.evidence if cluster.cluster_id >= 0)
    (skip,) = list_item_skips(database, day=DAY)
    assert (skip.team_id, skip.stage, skip.item_id, skip.reason) == (1, "cluster_labels", bad, "summary_unreadable")
