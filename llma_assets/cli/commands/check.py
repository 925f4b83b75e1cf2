"""`llma check`: runs the data checks that Dagster runs, too, with an exit code for CI."""

from datetime import date
from typing import TYPE_CHECKING, Any

import click

from llma_assets.cli.options import json_option, opened_database, optional_date, team_option
from llma_assets.cli.queries import TEAMS_OF_DAY
from llma_assets.cli.render.console import emit_json, hinted, plain, say, show

if TYPE_CHECKING:
    from llma_assets.findings import Check, Finding

MARKS = FAILED, WARNED, PASSED = "FAIL", "warn", "ok"
"""In the order in which they are shown."""


@click.command()
@optional_date
@team_option(required=False, help="This team only.")
@click.option("--failed", "only_failed", is_flag=True, help="Show only checks that failed.")
@json_option
@click.pass_context
def check(ctx: click.Context, day: date | None, team_id: int | None, only_failed: bool, as_json: bool) -> None:
    """Check the stored results of a day.

    Exit code 1 if a check fails; a check that only warns does not change the exit code. Failures come first. A day
    without results passes, with a message on stderr.
    """
    from llma_assets.cli.run.days import days_with_results, require_day
    from llma_assets.team_day import TeamDay

    rules = all_checks()
    with opened_database() as database:
        day = require_day(database, day, team_id)
        stored = [row["team_id"] for row in database.rows(TEAMS_OF_DAY, day=day)]
        teams = stored if team_id is None else [team_id]
        findings = [
            (rule, finding)
            for team in teams
            for rule in rules
            for finding in rule.findings(database, TeamDay(team, day))
        ]
        if not stored or team_id not in (None, *stored):
            whose = "" if team_id is None else f" of team {team_id}"
            say(f"Nothing to check: nothing is stored for {day}{whose}. {days_with_results(database, team_id, day)}")
    findings.sort(key=lambda found: MARKS.index(_mark(*found)))
    failed = [finding for rule, finding in findings if _mark(rule, finding) == FAILED]
    warned = [finding for rule, finding in findings if _mark(rule, finding) == WARNED]
    shown = findings[: len(failed)] if only_failed else findings
    if as_json:
        emit_json(
            {
                "date": day.isoformat(),
                "teams": teams,
                "checked": len(findings),
                "failed": len(failed),
                "findings": [_as_json(rule, finding) for rule, finding in shown],
                "warned": len(warned),
            }
        )
    elif findings:
        for rule, finding in shown:
            _show(rule, finding)
        show(f"{len(findings)} checked, {len(failed)} failed, {len(warned)} to look at")
    if failed:
        ctx.exit(1)


def _mark(rule: "Check", finding: "Finding") -> str:
    return PASSED if finding.passed else WARNED if rule.warns else FAILED


def _show(rule: "Check", finding: "Finding") -> None:
    show(f"{_mark(rule, finding):4} {plain(hinted(finding.sentence))}")
    if not finding.passed:
        show(f"     {' '.join(rule.description.split())}")
        show(f"     shown by: {' '.join(finding.outcome.query.split())}")


def all_checks() -> "list[Check]":
    """The checks of all rooms, in the order of the graph."""
    from llma_assets.clusters import CHECKS as CLUSTERS
    from llma_assets.discovery import CHECKS as DISCOVERY
    from llma_assets.embeddings import CHECKS as EMBEDDINGS
    from llma_assets.events import CHECKS as EVENTS
    from llma_assets.labels import CHECKS as LABELS
    from llma_assets.rendering import CHECKS as TEXTS
    from llma_assets.summaries import CHECKS as SUMMARIES
    from llma_assets.tasks import CHECKS as TASKS

    return [*DISCOVERY, *TEXTS, *SUMMARIES, *EMBEDDINGS, *CLUSTERS, *LABELS, *EVENTS, *TASKS]


def _as_json(rule: "Check", finding: "Finding") -> dict[str, Any]:
    return {
        "asset": finding.asset,
        "check": finding.check,
        "team": finding.team_day.team_id,
        "theme": finding.outcome.theme_id,
        "passed": finding.passed,
        "blocking": rule.blocking,
        "warns": rule.warns,
        "expected": str(finding.outcome.expected),
        "found": str(finding.outcome.found),
        "query": " ".join(finding.outcome.query.split()),
    }
