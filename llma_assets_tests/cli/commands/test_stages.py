"""`llma stages`: what each stage holds of a day, which run wrote it, and which stages failed."""

import time
from collections.abc import Callable
from datetime import date

import pytest

from llma_assets.clickhouse import Database
from llma_assets.ledger import StageRun, record_stage_runs
from llma_assets.reports import stages_report
from llma_assets.serialization import json_object
from llma_assets.team_day import TeamDay
from llma_assets_tests.cli.commands.test_ledger import store_call
from llma_assets_tests.cli.conftest import Answer, Llma

DAY = date(2026, 11, 7)
HOSTILE = "\x1b[2J[red]x[/red]\n2"
OF_1 = ("stages", "--team", "1", "--date", str(DAY))


def store_text(database: Database, team_id: int, item_id: str) -> None:
    key = {"team_id": team_id, "day": DAY, "level": "trace", "item_id": item_id}
    database.insert_rows("trace_texts", [{**key, "text": "hello"}])


def store_run(database: Database, team_id: int, run_id: str, stage: str, *, error: str = "") -> None:
    """What a run did at a stage within the last and the next minute."""
    now = time.monotonic()
    status = "failed" if error else "done"
    row = StageRun(TeamDay(team_id, DAY), stage, run_id, (), status, error, now - 60, now + 60)
    record_stage_runs(database, [row])


@pytest.fixture
def worked(database: Database) -> Database:
    """Two teams with texts; the summaries of both failed."""
    for team_id, items in ((1, ("a", "b")), (2, ("c",))):
        for item_id in items:
            store_text(database, team_id, item_id)
        store_run(database, team_id, f"texts-of-{team_id}", "trace_texts")
        store_run(database, team_id, f"summaries-of-{team_id}", "trace_summaries", error=f"of {team_id}: {HOSTILE}")
    return database


def test_the_document_is_that_of_the_api_and_of_the_team_alone(
    worked: Database, llma_json: Callable[..., Answer]
) -> None:
    document = llma_json(*OF_1).document
    assert document == json_object(stages_report(worked, TeamDay(1, DAY)))
    (stage,) = document["stages"]
    assert set(stage) == {"stage", "theme", "items", "failed", "written_at", "run_id"}
    assert (document["team"], document["date"]) == (1, str(DAY))
    assert (stage["stage"], stage["items"], stage["failed"], stage["run_id"]) == ("trace_texts", 2, 0, "texts-of-1")
    (failure,) = document["failures"]
    assert (failure["run_id"], failure["error"], failure["calls"]) == ("summaries-of-1", f"of 1: {HOSTILE}", 0)
    fields = {"stage", "run_id", "theme_ids", "error", "failed_at", "calls", "failed_calls", "cost_usd"}
    assert set(failure) == fields


def test_a_table_says_what_is_held_and_stderr_what_failed(worked: Database, llma: Llma) -> None:
    store_call(worked, 1)
    store_call(worked, 2, team_id=2, cost_usd=99.0)
    shown = llma(*OF_1)
    assert shown.exit_code == 0
    header, held = shown.stdout.splitlines()
    assert header.split() == ["stage", "theme", "number", "failed", "last", "written", "run"]
    assert (held.split()[0], held.split()[1], held.split()[-1]) == ("trace_texts", "2", "texts-of-1")
    failed, advice = shown.stderr.splitlines()
    assert failed.startswith("trace_summaries failed at ")
    assert "in run summaries-of-1: of 1: \\x1b[2J[red]x[/red]\\x0a2; calls of models: 1, failed: 0" in failed
    assert failed.endswith(", paid: 0.2500 USD")
    assert advice == f"What is missing is made by the next run: `llma run --team 1 --date {DAY}`"
    assert "of-2" not in shown.output


def test_a_day_without_anything_says_so(worked: Database, llma: Llma, llma_json: Callable[..., Answer]) -> None:
    nothing = ("stages", "--team", "1", "--date", "2026-11-01")
    shown = llma(*nothing)
    assert (shown.stdout, shown.exit_code) == ("", 0)
    assert shown.stderr.startswith("No stage holds anything of team 1 on 2026-11-01. ")
    assert llma_json(*nothing).document == {"team": 1, "date": "2026-11-01", "stages": [], "failures": []}
