"""`llma themes funnel` and `cross`: shapes, words, other teams, and the way out of what cannot be shown."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from llma_assets.clickhouse import Database
from llma_assets.themes import Theme, apply, document_of
from llma_assets_tests.cli.conftest import Answer, Llma
from llma_assets_tests.databases import PlantedOnce
from llma_assets_tests.reports import test_shares
from llma_assets_tests.reports.stored_runs import ids, store_run

DAY = date(2026, 11, 7)
WHERE = ("--team", "1", "--date", "2026-11-07")
ERRORS = Theme(theme_id="errors", level="trace", prompt="What failed?")
UX = replace(ERRORS, theme_id="ux", prompt="What annoyed?")


def a_sampled_theme(database: Database) -> None:
    """A theme that took 20 items, each of which stands for two; a quarter of them is relevant."""
    apply(database, 1, document_of([ERRORS]), "a test")
    for team_id in (1, 2):
        test_shares.store(
            database,
            [(f"t{number}", 0.5, True, number % 4 == 0) for number in range(20 * team_id)],
            team_id=team_id,
            theme=ERRORS,
        )
    numbers = {"matched": 41, "sampled": 20, "screened": 20, "sample_rate": 0.5}
    key = {"team_id": 1, "day": DAY, "theme_id": "errors", "version": ERRORS.version}
    database.insert_rows("theme_days", [{**key, **numbers}])


@pytest.fixture
def sampled(database: Database, planted_once: PlantedOnce) -> Database:
    planted_once(a_sampled_theme)
    return database


def test_the_funnel_counts_and_estimates(sampled: Database, llma_json: Callable[..., Answer]) -> None:
    document = llma_json("themes", "funnel", *WHERE, "--theme", "errors").document
    (theme,) = document["themes"]
    assert list(theme) == [
        "theme", "version", "enabled", "from", "until", "days_taken", "matched", "sampled", "screened", "summarised",
        "relevant", "clustered", "outliers", "shares",
    ]  # fmt: skip
    assert (theme["from"], theme["until"]) == ("2026-11-01", "2026-11-07")
    assert [theme[step] for step in ("matched", "sampled", "summarised", "relevant")] == [41, 20, 20, 5]
    assert theme["shares"]["items"] == pytest.approx(40.0)
    relevant = theme["shares"]["relevant"]
    assert (relevant["value"], relevant["estimate"]) == (0.25, True)
    assert 0.0 < relevant["low"] < 0.25 < relevant["high"] < 1.0


def test_an_estimate_is_called_one_and_has_its_interval(sampled: Database, llma: Llma) -> None:
    result = llma("themes", "funnel", *WHERE, "--theme", "errors")
    assert "about 25.0% (" in result.stdout
    assert "Shares of all matching items are estimates" in result.stderr


def test_without_a_name_all_themes_that_are_on_are_shown(sampled: Database, llma_json: Callable[..., Answer]) -> None:
    shown = [each["theme"] for each in llma_json("themes", "funnel", *WHERE).document["themes"]]
    assert shown == ["traces", "generations", "errors"]


def test_a_theme_that_took_nothing_says_what_to_do(database: Database, llma: Llma) -> None:
    told = llma("themes", "funnel", *WHERE, "--theme", "ux_issues").stderr
    assert "ux_issues has selected no items yet: it is off; `llma themes enable ux_issues --team 1`" in told
    assert llma("themes", "funnel", *WHERE, "--theme", "ux_isues").exit_code == 2


def two_crossing_themes(database: Database) -> None:
    """Two themes of two teams; the first clusters of the first team's go together."""
    apply(database, 1, document_of([ERRORS, UX]), "a test")
    store_run(database, "errors", {0: ids(0, 20), 1: ids(20, 60)}, looked_at=ids(60, 200))
    store_run(database, "ux", {0: ids(0, 25), 1: ids(100, 103)}, looked_at=ids(25, 200))
    store_run(database, "errors", {0: ids(0, 20)}, looked_at=ids(20, 40), team_id=2)
    key = {"team_id": 1, "day": DAY, "theme_id": "errors"}
    (run,) = database.rows(
        "SELECT attempt_id FROM clustering_runs WHERE team_id = {team_id:Int64} AND theme_id = 'errors'", team_id=1
    )
    label = {"cluster_id": 0, "title": "Tools that \x1b[31mfail", "description": "", "status": "generated", "error": ""}
    database.insert_rows("cluster_labels", [{**key, **run, **label, "model": "x"}])


@pytest.fixture
def crossed(database: Database, planted_once: PlantedOnce) -> Database:
    planted_once(two_crossing_themes)
    return database


def test_pairs_that_go_together_are_shown_by_their_names(crossed: Database, llma: Llma) -> None:
    result = llma("themes", "cross", *WHERE, "--themes", "errors", "ux")
    assert result.exit_code == 0
    assert "200 traces that both looked at; 60 in a cluster of errors, 28 of ux, 25 of both" in result.stdout
    (row,) = [line for line in result.stdout.splitlines() if line.endswith("more")]
    assert row.startswith("Tools that \\x1b[31mfail (20)  Cluster 0 (25)")
    assert row.split()[6:9] == ["(25)", "20", "2.5"]
    assert "1 of 2 pairs share more traces than chance predicts" in result.stderr
    assert "1 clusters have too few" in result.stderr


def test_the_document_of_a_crossing_has_the_documented_shape(
    crossed: Database, llma_json: Callable[..., Answer]
) -> None:
    document = llma_json("themes", "cross", *WHERE, "--themes", "errors", "ux", "--among", "in-both").document
    assert list(document) == [
        "team", "date", "themes", "from", "among", "traces", "in_first", "in_second", "in_both",
        "clusters_too_small", "pairs",
    ]  # fmt: skip
    assert (document["among"], document["traces"]) == ("in-both", 25)
    assert list(document["pairs"][0]) == [
        "first", "second", "shared", "expected", "lift", "lift_low", "lift_high", "p_value", "q_value",
        "more_than_chance",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("themes", "code", "told"),
    [
        (("errors", "errors"), 2, "give two different themes"),
        (("errors", "uxx"), 2, "has no theme 'uxx'"),
        (("errors", "generations"), 1, "'generations' has no clusters of team 1 on 2026-11-07; `llma skips"),
    ],
)
def test_what_cannot_be_crossed_is_said(
    crossed: Database, llma: Llma, themes: tuple[str, str], code: int, told: str
) -> None:
    result = llma("themes", "cross", *WHERE, "--themes", *themes)
    assert (result.exit_code, result.stdout) == (code, "")
    assert told in result.stderr
