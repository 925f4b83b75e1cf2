"""`llma clusters relink`: chains that were left broken for the sake of decisions are mended when asked for."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from llma_assets.clickhouse import Database
from llma_assets.clusters import Edit, store_edit
from llma_assets_tests.cli.conftest import Answer, Llma
from llma_assets_tests.clusters.planted import lineages, plant, run_day
from llma_assets_tests.databases import PlantedOnce

pytestmark = pytest.mark.slow

FIRST = date(2026, 11, 2)
TOPICS = {"A": 12, "B": 9}


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def ids(database: Database, when: date, team_id: int = 1) -> dict[str, str]:
    return {topic: row["lineage_id"] for topic, row in lineages(database, team_id, when).items()}


def relink(llma_json: Callable[..., Answer], first: int, last: int, *options: str) -> Answer:
    return llma_json(
        "clusters", "relink", "--team", "1", "--from", day(first).isoformat(), "--to", day(last).isoformat(), *options
    )


def a_broken_chain(database: Database) -> None:
    """Day 8 was run before days 0 and 7, too far from day 0 to hand its ids back. The other team likewise.

    Somebody hid a cluster of it meanwhile, so that it was not linked again by itself.
    """
    for team_id in (1, 2):
        for number in (8, 0, 7):
            plant(database, team_id, day(number), TOPICS)
            run_day(database, team_id, day(number), 2)
            if number == 8:
                hidden = Edit("traces", ids(database, day(8), team_id)["A"], "hide", "", "", "test", datetime.now(UTC))
                store_edit(database, team_id, hidden)
    assert not set(ids(database, day(8)).values()) & set(ids(database, day(7)).values())


@pytest.fixture
def broken(database: Database, planted_once: PlantedOnce) -> Database:
    planted_once(a_broken_chain)
    return database


def test_a_broken_chain_is_mended(broken: Database, llma_json: Callable[..., Answer]) -> None:
    other_team = ids(broken, day(8), 2)
    document = relink(llma_json, 0, 8).document
    assert [(run["date"], run["changed"], len(run["replaced"])) for run in document["runs"]][-1] == (
        "2026-11-10",
        True,
        2,
    )
    assert not any(run["changed"] for run in document["runs"][:-1])
    assert ids(broken, day(8)) == ids(broken, day(0))
    assert ids(broken, day(8), 2) == other_team


def test_linking_again_what_is_linked_writes_nothing(broken: Database, llma_json: Callable[..., Answer]) -> None:
    relink(llma_json, 0, 8)
    before = broken.value("SELECT count() FROM clusters"), broken.value("SELECT count() FROM clustering_runs")
    assert not any(run["changed"] for run in relink(llma_json, 0, 8).document["runs"])
    assert (broken.value("SELECT count() FROM clusters"), broken.value("SELECT count() FROM clustering_runs")) == before


def test_a_dry_run_stores_nothing(broken: Database, llma_json: Callable[..., Answer]) -> None:
    before = ids(broken, day(8))
    document = relink(llma_json, 8, 8, "--dry-run").document
    assert [len(run["replaced"]) for run in document["runs"]] == [2]
    assert ids(broken, day(8)) == before


def test_runs_from_before_lineages_get_them(database: Database, llma_json: Callable[..., Answer]) -> None:
    for number in range(3):
        plant(database, 1, day(number), TOPICS)
        run_day(database, 1, day(number), 2)
    columns = "team_id, day, theme_id, attempt_id, cluster_id, size, centroid, centroid_x, centroid_y"
    database.insert_rows("clusters", database.rows(f"SELECT {columns} FROM clusters FINAL"))
    assert set(ids(database, day(1)).values()) == {""}
    relink(llma_json, 0, 2)
    assert "" not in ids(database, day(0)).values()
    assert ids(database, day(0)) == ids(database, day(1)) == ids(database, day(2))


def test_decisions_about_an_id_that_goes_are_listed(
    broken: Database, llma: Llma, llma_json: Callable[..., Answer]
) -> None:
    gone = ids(broken, day(8))["A"]
    llma("clusters", "rename", gone, "Money back", "--team", "1")
    assert relink(llma_json, 8, 8).document["decisions_lost"] == [gone]


def test_days_in_the_wrong_order_are_wrong_use_and_no_runs_are_said(llma: Llma) -> None:
    assert llma("clusters", "relink", "--team", "1", "--from", "2026-11-03", "--to", "2026-11-02").exit_code == 2
    nothing = llma("clusters", "relink", "--team", "1", "--from", "2026-11-02", "--to", "2026-11-03")
    assert nothing.exit_code == 0
    assert "has no clusters" in nothing.stderr
