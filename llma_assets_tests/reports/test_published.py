"""What pages read of a day says the same as what is read whole."""

from llma_assets.clickhouse import Database
from llma_assets.clock import utc_now
from llma_assets.clusters import decide_about
from llma_assets.reports import PublishedClusters, published_clusters
from llma_assets.team_day import TeamDay
from llma_assets_tests.reports.stored_runs import DAY, ids, store_run


def described(found: PublishedClusters) -> list[tuple[object, ...]]:
    """All that is shown of each cluster but its members."""
    return [
        (each.cluster_id, each.lineage_id, each.title, each.size, each.traces, each.merged_lineage_ids)
        for run in found.runs
        for each in run.clusters
    ]


def test_some_examples_of_each_cluster_change_nothing_else(database: Database) -> None:
    # Two items a trace, and a trace in two clusters, which people merge: it counts once.
    clusters = {0: ids(0, 6), 1: ids(5, 9), 2: ids(20, 24), -1: ids(30, 32)}
    for team_id in (1, 2):
        store_run(database, "traces", clusters, team_id=team_id, trace_of=lambda item: f"trace-{int(item[1:]) // 2}")
    decide_about(database, 1, "merge", ["traces-1"], author="me", at=utc_now(), into="traces-0")
    team_day = TeamDay(1, DAY)
    whole, some = published_clusters(database, team_day), published_clusters(database, team_day, examples=1)
    assert described(some) == described(whole)
    assert whole.runs[0].clusters[0].traces == 5
    none = published_clusters(database, team_day, examples=0)
    assert described(none) == described(whole)
    by_id = {each.cluster_id: each for each in some.runs[0].clusters}
    assert [len(by_id[number].item_ids) for number in (2, -1)] == [1, 1]
    assert by_id[2].item_ids == whole.with_examples(1).runs[0].clusters[1].item_ids
