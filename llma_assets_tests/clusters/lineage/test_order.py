"""Days that are run out of order have the lineages of those that are run in order, and no decision is lost for it."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from typing import Any

import orjson
import pytest

from llma_assets.clickhouse import Database
from llma_assets.clusters import Edit, made, store_edit
from llma_assets.stage import Report
from llma_assets_tests.clusters.planted import lineages, plant, run_day, stored_run

FIRST = date(2026, 11, 2)
MIXED = {"A": 12, "B": 9, "C": 6}
DAYS = (MIXED, MIXED, {"A": 12, "B": 9, "X": 14}, {"A": 40, "X": 14}, {"A": 12, "X": 14, "Y": 20})
"""C fades, X and Y are new, A grows, B ends."""
CLUSTERS = (3, 3, 4, 4, 5)


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def run_in_order(database: Database, team_id: int, order: Sequence[int], *, method: str = "kmeans") -> list[Report]:
    """Plant all days, then run them one by one."""
    for number, topics in enumerate(DAYS):
        plant(database, team_id, day(number), topics)
    return [run_day(database, team_id, day(number), CLUSTERS[number], method=method) for number in order]


def story(database: Database, team_id: int) -> list[dict[str, Any]]:
    """What became of each topic on each day; a lineage is called by the first topic and day that has it."""
    names: dict[str, str] = {}
    told = []
    for number in range(len(DAYS)):
        run = stored_run(database, team_id, day(number))
        rows = lineages(database, team_id, day(number))
        for topic, row in sorted(rows.items()):
            names.setdefault(row["lineage_id"], f"{topic}{number}")
        summary = orjson.loads(run.lineage)
        told.append(
            {
                "after": summary["previous_day"],
                "ended": sorted(names[each["lineage_id"]] for each in summary["ended"]),
                **{
                    topic: (
                        names[row["lineage_id"]],
                        row["lineage_status"],
                        sorted(names[parent] for parent in row["lineage_parents"]),
                        round(row["lineage_confidence"], 6),
                    )
                    for topic, row in rows.items()
                },
            }
        )
    return told


def test_a_backfill_out_of_order_has_the_lineages_of_one_in_order(database: Database) -> None:
    run_in_order(database, 1, range(5))
    in_order = story(database, 1)
    assert {each[1] for told in in_order for each in told.values() if isinstance(each, tuple)} >= {"new", "continued"}
    for team_id, order in enumerate(((4, 3, 2, 1, 0), (2, 4, 0, 3, 1)), start=2):
        reports = run_in_order(database, team_id, order)
        assert story(database, team_id) == in_order, order
        assert "linked again" in reports[-1].details["traces_later_days"]


@pytest.mark.slow
@pytest.mark.parametrize("method", [pytest.param("kmeans", marks=pytest.mark.exhaustive), "graph"])
def test_every_order_has_the_lineages_of_the_right_one(database: Database, method: str) -> None:
    run_in_order(database, 1, range(5), method=method)
    in_order = story(database, 1)
    for team_id, order in enumerate(list(permutations(range(5)))[7::40], start=2):
        run_in_order(database, team_id, order, method=method)
        assert story(database, team_id) == in_order, order


def test_days_in_order_link_nothing_again(database: Database) -> None:
    reports = run_in_order(database, 1, range(5))
    rows = [database.rows(f"SELECT * FROM {table} ORDER BY ALL") for table in ("clusters", "clustering_runs")]
    reports += [run_day(database, 1, day(number), CLUSTERS[number]) for number in (4, 0, 2)]
    assert not any("traces_later_days" in report.details for report in reports)
    assert rows == [database.rows(f"SELECT * FROM {table} ORDER BY ALL") for table in ("clusters", "clustering_runs")]


def test_a_later_day_beyond_the_window_is_linked_too(database: Database) -> None:
    for team_id in (1, 2):
        for number in (12, 0, 7):
            plant(database, team_id, day(number), MIXED)
    for number in (12, 0, 7):
        run_day(database, 1, day(number), 3)
        run_day(database, 2, day(7), 3)
    ids = [{topic: row["lineage_id"] for topic, row in lineages(database, 1, day(n)).items()} for n in (0, 7, 12)]
    assert ids[0] == ids[1] == ids[2]
    assert {row["lineage_status"] for row in lineages(database, 2, day(7)).values()} == {"new"}


def test_a_killed_run_is_made_up_for_by_the_next(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    run_in_order(database, 1, range(5))
    in_order = story(database, 1)
    run_in_order(database, 2, (1, 2, 3, 4))
    with monkeypatch.context() as patched:

        def dies(*_: object) -> None:
            raise KeyboardInterrupt

        patched.setattr("llma_assets.clusters.partition.link_later_days", dies)
        with pytest.raises(KeyboardInterrupt):
            run_day(database, 2, day(0), CLUSTERS[0])
    assert story(database, 2) != in_order
    assert run_day(database, 2, day(0), CLUSTERS[0]).details["traces_status"] == "unchanged"
    assert story(database, 2) == in_order


def test_what_people_decided_about_stays_and_the_way_out_is_said(database: Database) -> None:
    for number in (20, 0, 10):
        plant(database, 1, day(number), MIXED)
    run_day(database, 1, day(20), 3)
    decided = lineages(database, 1, day(20))["A"]["lineage_id"]
    store_edit(database, 1, Edit("traces", decided, "rename", "Money back", "", "test", datetime.now(UTC)))
    run_day(database, 1, day(0), 3)
    before = lineages(database, 1, day(20))
    report = run_day(database, 1, day(10), 3)
    assert lineages(database, 1, day(20)) == before
    assert report.details["traces_later_days"] == (
        "run after later days, and people decided about 1 of their lineages; "
        "`llma clusters relink --team 1 --from 2026-11-22 --to 2026-12-10` links them again all the same"
    )


def test_a_run_that_is_linked_again_is_as_old_as_it_was(database: Database) -> None:
    run_in_order(database, 1, (0, 1, 3, 4))
    before = [stored_run(database, 1, day(number)).committed_at for number in (3, 4)]
    run_day(database, 1, day(2), CLUSTERS[2])
    after = [stored_run(database, 1, day(number)) for number in (3, 4)]
    assert orjson.loads(after[0].lineage)["previous_day"] == day(2).isoformat()
    assert all(run.committed_at - then <= timedelta(microseconds=1) for run, then in zip(after, before, strict=True))


def test_of_two_runs_at_once_one_sees_the_other(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Day 2 is linked to day 1; before it is stored, day 0 comes, and links day 1 again."""
    for number in (12, 0, 20):
        plant(database, 1, day(number), MIXED)
    run_day(database, 1, day(12), 3)
    with monkeypatch.context() as patched:
        real = made.publish_runs

        def publish(*arguments: Any, **options: Any) -> None:
            patched.setattr("llma_assets.clusters.made.publish_runs", real)
            run_day(database, 1, day(0), 3)
            real(*arguments, **options)

        patched.setattr("llma_assets.clusters.made.publish_runs", publish)
        run_day(database, 1, day(20), 3)
    ids = [{topic: row["lineage_id"] for topic, row in lineages(database, 1, day(n)).items()} for n in (0, 12, 20)]
    assert ids[0] == ids[1] == ids[2]
    assert orjson.loads(stored_run(database, 1, day(20)).lineage)["ended"] == []
