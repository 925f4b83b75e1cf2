"""`llma themes preview`: the page and the object, and what it says a theme's own model would cost."""

from collections.abc import Callable
from datetime import date

import pytest

from llma_assets.clickhouse import Database
from llma_assets.testing import day_of_traces, write_events
from llma_assets.themes import apply, read_document
from llma_assets_tests.cli.conftest import Answer, Llma
from llma_assets_tests.reports.test_trial import COUNTS

DAY = date(2026, 11, 7)
ASKED = ("themes", "preview", "--team", "1", "--theme", "mine", "--date", "2026-11-07", "--days", "1")
FILE = """
themes:
  - theme_id: mine
    prompt: Look.
    model: gpt-4.1-nano
    filters: [{key: $ai_trace_id, operator: is_set}, {key: $ai_model, value: no-such-model}]
"""


@pytest.fixture
def traffic(database: Database) -> Database:
    for team_id in (1, 2):
        write_events(database, day_of_traces(team_id, DAY, 12 * team_id))
    return database


def test_each_filter_is_counted_alone_and_all_together_and_one_that_matches_nothing_is_explained(
    traffic: Database, llma: Llma
) -> None:
    apply(traffic, 1, read_document(FILE), "ann")
    before = traffic.rows(COUNTS)
    result = llma(*ASKED)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == "mine, team 1, 2026-11-07: 12 traces"
    counts = [line.split()[-2:] for line in result.stdout.splitlines()[2:5]]
    assert counts == [["12", "100.0%"], ["0", "0.0%"], ["0", "0.0%"]]
    assert "Filter 2 alone matches 0 traces" in result.stderr
    assert traffic.rows(COUNTS) == before


def test_a_model_of_the_themes_own_is_priced_whatever_the_others_are_asked_by(
    traffic: Database, llma_json: Callable[..., Answer]
) -> None:
    apply(traffic, 1, read_document(FILE.replace(", {key: $ai_model, value: no-such-model}", "")), "ann")
    document = llma_json(*ASKED).document
    assert (document["model"], document["matched"], document["taken"], document["calls"]) == (
        "gpt-4.1-nano",
        12,
        12,
        12,
    )
    assert document["cost_usd"] > 0
    assert len(document["examples"]) == 10


def test_a_theme_that_there_is_not_is_wrong_use(llma: Llma) -> None:
    result = llma(*ASKED)
    assert result.exit_code == 2
    assert "team 1 has no theme 'mine'" in result.stderr
