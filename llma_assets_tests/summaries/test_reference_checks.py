"""The checks of references and of relevance: judged for each theme and team alone, references by the stored text."""

import hashlib
import json
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg

from llma_assets.clickhouse import Database
from llma_assets.defs.checks import check_result
from llma_assets.findings import Check, Finding
from llma_assets.summaries.checks import CHECKS, MANY_ITEMS
from llma_assets.team_day import TeamDay
from llma_assets.testing import write_texts

DAY = date(2026, 11, 7)
TEAM = TeamDay(1, DAY)
TEXT = "L01: support\nL02: [1] USER\nL05: Where is my order?\nL12: L13: is no line of its own"


def check(name: str) -> Check:
    return next(each for each in CHECKS if each.name == name)


def write_summary(
    database: Database,
    item_id: str,
    refs: list[str],
    *,
    team_day: TeamDay = TEAM,
    theme_id: str = "traces",
    text: str = TEXT,
    notes: list[str] | None = None,
    given: int = 0,
    kept: int = 0,
    status: str = "generated",
    relevant: bool = True,
) -> None:
    def points(of: list[str]) -> str:
        return json.dumps([{"text": 'It says "L99".', "line_refs": line_refs} for line_refs in of])

    row: dict[str, Any] = {
        "team_id": team_day.team_id,
        "day": team_day.day,
        "theme_id": theme_id,
        "level": "trace",
        "item_id": item_id,
        "status": status,
        "relevant": relevant,
        "bullets": points(refs),
        "interesting_notes": points(notes or []),
        "text_hash": hashlib.sha256(text.encode()).hexdigest(),
        "refs_total": given,
        "refs_valid": kept,
        "trace_timestamp": datetime(2026, 11, 7, 8, tzinfo=UTC),
    }
    database.insert_rows("trace_summaries", [row])


def findings(database: Database, name: str = "line_references_exist", team_day: TeamDay = TEAM) -> list[Finding]:
    return check(name).findings(database, team_day)


def found(database: Database) -> dict[str, tuple[bool, str]]:
    return {each.outcome.theme_id: (each.passed, str(each.outcome.found)) for each in findings(database)}


def test_references_to_lines_of_the_text_pass_also_beside_gaps(database: Database) -> None:
    write_texts(database, TEAM, {"a": TEXT})
    write_summary(database, "a", ["L01, L05-12", "", "L02"], notes=["L12"])
    assert found(database) == {"traces": (True, "0 of 1 summaries with one")}


def test_a_reference_to_an_omitted_line_to_none_or_in_no_form_fails_and_names_the_item(database: Database) -> None:
    bad = {
        "omitted": "L03",
        "beyond": "L01-99",
        "inner": "L13",
        "form": "lines 1 to 2",
        "note": "",
        "huge": "L" + "9" * 40,
    }
    write_texts(database, TEAM, dict.fromkeys([*bad, "good"], TEXT))
    for item_id, refs in bad.items():
        write_summary(database, item_id, ["L01", refs], notes=["L4"] if item_id == "note" else [])
    write_summary(database, "good", ["L01"])
    passed, words = found(database)["traces"]
    assert not passed
    assert words.startswith("6 of 7 summaries with one, such as ")
    assert "good" not in words


def test_a_summary_of_a_text_that_changed_since_is_not_checked(database: Database) -> None:
    write_texts(database, TEAM, {"a": TEXT, "b": TEXT})
    write_summary(database, "a", ["L99"], text="L99: as it was")
    write_summary(database, "b", ["L01"])
    write_summary(database, "expired", ["L7"], text="L7: gone")
    assert found(database) == {"traces": (True, "0 of 1 summaries with one; 2 without their text")}


def test_themes_teams_and_failed_items_are_distinguished(database: Database) -> None:
    for team_day in (TEAM, TeamDay(2, DAY)):
        write_texts(database, team_day, {"a": TEXT})
    write_summary(database, "a", ["L01"])
    write_summary(database, "a", ["L99"], theme_id="other")
    write_summary(database, "a", ["L99"], team_day=TeamDay(2, DAY))
    write_summary(database, "failed", ["L99"], status="failed")
    assert {theme: passed for theme, (passed, _) in found(database).items()} == {"other": False, "traces": True}
    assert findings(database, team_day=TeamDay(3, DAY)) == []


def test_the_share_of_true_references_is_stated_and_a_small_one_warns(database: Database) -> None:
    write_summary(database, "a", [], given=10, kept=10)
    write_summary(database, "b", [], given=10, kept=7)
    write_summary(database, "a", [], theme_id="silent")
    silent, traces = findings(database, "few_false_references")
    assert (silent.passed, silent.outcome.found) == (True, "no references given")
    assert (traces.passed, traces.outcome.found) == (False, "85.0%, 17 of 20")
    assert check("few_false_references").warns
    assert check_result(check("few_false_references"), [traces]).severity == dg.AssetCheckSeverity.WARN
    write_summary(database, "b", [], given=10, kept=8)
    assert findings(database, "few_false_references")[1].passed


def test_a_theme_that_finds_nothing_among_many_items_warns(database: Database) -> None:
    for number in range(MANY_ITEMS):
        write_summary(database, f"item-{number}", [], theme_id="misses", relevant=False)
        write_summary(database, f"item-{number}", [], theme_id="finds", relevant=number == 7)
        write_summary(database, f"item-{number}", [], theme_id="misses", team_day=TeamDay(2, DAY))
    write_summary(database, "one", [], theme_id="young", relevant=False)
    outcomes = {finding.outcome.theme_id: finding for finding in findings(database, "themes_find_something")}
    assert {theme_id: finding.passed for theme_id, finding in outcomes.items()} == {
        "finds": True,
        "misses": False,
        "young": True,
    }
    assert outcomes["misses"].outcome.found == f"0 of {MANY_ITEMS} relevant"
    assert check("themes_find_something").warns
    (other,) = findings(database, "themes_find_something", team_day=TeamDay(2, DAY))
    assert other.passed
