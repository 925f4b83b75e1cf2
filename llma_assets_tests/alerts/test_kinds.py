"""Each kind of rule beside escalating and new ones, from stored rows to the sentence of a preview and of `why`."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from llma_assets.alerts import Rule, preview, stored_decisions
from llma_assets.clickhouse import Database
from llma_assets.team_day import TeamDay
from llma_assets.themes import TRACES
from llma_assets_tests.alerts.planted import LAST, MINE, OTHER, plant_days
from llma_assets_tests.alerts.test_day import judged
from llma_assets_tests.databases import PlantedOnce

QUIET = [12, 13, 12, 11, 12, 6, 5] * 7
BUDGET_USD = 10.0


def changed(database: Database) -> None:
    """Seven weeks in which each kind happens once; and another team, of which the same rows say something else."""
    counts = {
        "aaaa-gone": [*QUIET[:-14], *[0] * 14],
        "bbbb-split": QUIET,
        "cccc-part": [*[0] * 48, 6],
        "dddd-into": QUIET,
        "eeee-ends": [*QUIET[:-1], 0],
        "ffff-share": [*QUIET[:-3], 40, 30, 30],
    }
    plant_days(database, counts, ended={LAST: {"eeee-ends": "dddd-into"}}, parents={LAST: {"cccc-part": "bbbb-split"}})
    plant_days(database, dict.fromkeys(("aaaa-gone", "bbbb-split", "dddd-into"), QUIET), team_id=OTHER)
    waiting = [
        {
            "team_id": MINE, "day": LAST, "theme_id": TRACES.theme_id, "item_id": f"waiting-{number}",
            "version": TRACES.version, "inclusion_probability": 1.0, "taken": True, "screened": True,
        }
        for number in range(60)
    ]  # fmt: skip
    database.insert_rows("theme_items", waiting)
    for team_id, cost in ((MINE, 9.0), (OTHER, 90.0)):
        call = {
            "team_id": team_id, "day": LAST, "stage": "trace_summaries", "theme_id": TRACES.theme_id, "model": "m",
            "call_id": uuid4(), "item_id": "", "input_tokens": 1, "output_tokens": 1, "cost_usd": cost,
            "duration_s": 1.0, "error": "", "timestamp": datetime.combine(LAST, datetime.min.time(), UTC),
        }  # fmt: skip
        database.insert_rows("model_usage", [call])
    weeks = [(MINE, 7 * back) for back in range(1, 5)] + [(OTHER, 7 * back) for back in range(5)]
    events = [
        {
            "uuid": uuid4(), "event": "$ai_generation", "team_id": team_id, "distinct_id": "u",
            "timestamp": datetime.combine(LAST - timedelta(days=back), datetime.min.time(), UTC), "properties": "{}",
        }
        for team_id, back in weeks
    ]  # fmt: skip
    database.insert_rows("events", events)


KINDS = {
    "gone": (Rule("gone", "gone"), "aaaa-gone", "0 traces on 2026-11-22"),
    "split": (Rule("split", "split"), "bbbb-split", "1 split off it on 2026-11-22"),
    "merged": (Rule("merged", "merged"), "dddd-into", "1 became part of it on 2026-11-22"),
    "share_shift": (Rule("share_shift", "share_shift"), "ffff-share", "% of the traces of 2026-11-22"),
    "noise": (Rule("noise", "noise", above=0.02), "", "4% of the items of 2026-11-22 are in no cluster"),
    "coverage": (Rule("coverage", "coverage"), "", "44% of the items of 2026-11-22 are in the results"),
    "spend": (Rule("spend", "spend"), "", "9.00 of 10.00 USD a day were spent on 2026-11-22, 90%"),
    "nothing_arrived": (Rule("nothing_arrived", "nothing_arrived"), "", "0 events on 2026-11-22"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_fires_and_is_said_plainly(database: Database, planted_once: PlantedOnce, kind: str) -> None:
    planted_once(changed)
    rule, subject, said = KINDS[kind]
    days = preview(database, TeamDay(MINE, LAST), rule, 1, budget_usd=BUDGET_USD)
    sentences = [line for day in days for line in day.said]
    assert any(said in line for line in sentences), sentences
    judged(database, rule, budget_usd=BUDGET_USD)
    told = [each for each in stored_decisions(database, MINE, LAST, LAST) if each.verdict == "opened"]
    assert subject in {each.subject for each in told}
    assert len(told) == len(sentences)
    rule = replace(rule, above=0.5) if kind == "noise" else rule
    quiet = judged(database, rule, team_id=OTHER, budget_usd=1_000.0, dry_run=True)
    assert {each.verdict for each, _ in quiet.decisions} == {"quiet"}
    assert all(each.reason for each, _ in quiet.decisions)


def test_a_rule_about_the_team_is_judged_once_whatever_its_themes(
    database: Database, planted_once: PlantedOnce
) -> None:
    planted_once(changed)
    found = judged(database, KINDS["spend"][0], budget_usd=None, dry_run=True)
    assert [(each.theme_id, each.verdict, each.reason) for each, _ in found.decisions] == [
        ("", "quiet", "the team has no daily budget")
    ]


def test_each_kind_has_a_sentence() -> None:
    for rule, _, _ in KINDS.values():
        assert rule.sentence.startswith("Tell when ")
        assert rule.sentence.endswith(".")
