"""`llma clusters apart`: what sets clusters apart, as a person and as a program reads it."""

from collections.abc import Callable

from llma_assets.clickhouse import Database
from llma_assets_tests.cli.conftest import Answer, Llma
from llma_assets_tests.insights.test_attributes import plant
from llma_assets_tests.reports.stored_runs import DAY


def test_values_that_differ_are_shown_of_the_team_alone(
    database: Database, llma: Llma, llma_json: Callable[..., Answer]
) -> None:
    plant(database)
    shown = llma("clusters", "apart", "--team", "1", "--date", DAY.isoformat())
    assert shown.exit_code == 0
    assert "$ai_model: small" in shown.stdout
    assert "100% of 20" in shown.stdout
    (run,) = llma_json("clusters", "apart", "--team", "2", "--date", DAY.isoformat()).document["runs"]
    small = {each["cluster_id"] for each in run["clusters"] for found in each["found"] if found["value"] == "small"}
    assert small == {1}


def test_a_day_without_clusters_says_which_days_have_some(database: Database, llma: Llma) -> None:
    plant(database)
    shown = llma("clusters", "apart", "--team", "1", "--date", "2026-10-01")
    assert "Team 1 has clusters of 2026-11-07" in shown.stderr
