"""What pages read of a day says the same as what is read whole."""

import pytest

from llma_assets.clickhouse import Database
from llma_assets.clock import utc_now
from llma_assets.clusters import EditError, decide_about
from llma_assets.reports import (
    OUTLIERS,
    PublishedClusters,
    cluster_report,
    item_page,
    map_points,
    published_clusters,
)
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


def test_what_people_took_out_of_a_cluster_is_among_the_outliers(database: Database) -> None:
    clusters = {0: ids(0, 6), 1: ids(6, 9), 2: ids(20, 24)}
    for team_id in (1, 2):
        store_run(database, "traces", clusters, team_id=team_id)
    team_day = TeamDay(1, DAY)
    before = published_clusters(database, team_day)
    decide_about(database, 1, "take_out", ["traces-0"], author="me", at=utc_now(), item_id="t1")
    decide_about(database, 1, "merge", ["traces-1"], author="me", at=utc_now(), into="traces-0")
    # Said of the main one, stored in the one that is counted with it.
    decide_about(database, 1, "take_out", ["traces-0"], author="me", at=utc_now(), item_id="t7")
    (run,) = published_clusters(database, team_day).runs
    assert [(each.lineage_id, each.size, each.traces) for each in run.clusters] == [
        ("traces-0", 7, 7),
        ("traces-2", 4, 4),
        ("", 2, 2),
    ]
    assert not {"t1", "t7"} & set(run.clusters[0].item_ids)
    assert set(run.clusters[-1].item_ids) == {"t1", "t7"}
    report = cluster_report(database, team_day, "traces", "traces-0")
    assert report is not None
    assert {each.item_id: each.author for each in report.taken_out} == {"t1": "me", "t7": "me"}
    assert not {"t1", "t7"} & {each.item_id for each in report.typical}
    outliers = item_page(database, team_day, "traces", outliers=True)
    assert outliers is not None
    assert {each.item_id for each in outliers.items} == {"t1", "t7"}
    points = map_points(database, team_day, "traces", published_clusters(database, team_day))
    assert points is not None
    assert sorted(points.cluster.tolist()).count(OUTLIERS) == 2
    # The other team, and whatever is put back, is as before.
    assert described(published_clusters(database, TeamDay(2, DAY))) == described(before)
    for item_id in ("t1", "t7"):
        decide_about(database, 1, "put_back", ["traces-0"], author="me", at=utc_now(), item_id=item_id)
    decide_about(database, 1, "unmerge", ["traces-1"], author="me", at=utc_now())
    assert published_clusters(database, team_day) == before


def test_only_a_member_can_be_taken_out(database: Database) -> None:
    for team_id, first in ((1, 0), (2, 50)):
        store_run(database, "traces", {0: ids(first, first + 6), 1: ids(first + 6, first + 9)}, team_id=team_id)
    for item_id in ("t7", "t51", "' OR 1"):
        with pytest.raises(EditError, match="is not in"):
            decide_about(database, 1, "take_out", ["traces-0"], author="me", at=utc_now(), item_id=item_id)
    with pytest.raises(EditError, match="needs the id of a member"):
        decide_about(database, 1, "take_out", ["traces-0"], author="me", at=utc_now())
    with pytest.raises(EditError, match="no single member"):
        decide_about(database, 1, "hide", ["traces-0"], author="me", at=utc_now(), item_id="t1")


def test_a_cluster_of_which_all_is_taken_out_is_shown_no_more(database: Database) -> None:
    store_run(database, "traces", {0: ids(0, 2), 1: ids(6, 9), -1: ids(30, 31)})
    for item_id in ids(0, 2):
        decide_about(database, 1, "take_out", ["traces-0"], author="me", at=utc_now(), item_id=item_id)
    found = described(published_clusters(database, TeamDay(1, DAY)))
    assert [(each[1], each[3]) for each in found] == [("traces-1", 3), ("", 3)]
