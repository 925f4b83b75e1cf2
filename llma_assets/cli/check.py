"""`llma check`: the rules that the stored rows must obey, the same as in Dagster, with an exit code for CI."""

from datetime import date
from typing import TYPE_CHECKING, Any

import click

from llma_assets.cli.console import emit_json, plain, say, show
from llma_assets.cli.options import date_option, json_option, opened_database, team_option
from llma_assets.cli.queries import TEAMS_OF_DAY

if TYPE_CHECKING:
    from llma_assets.findings import Check, Finding


@click.command()
@date_option
@team_option(required=False, help="This team only.")
@json_option
@click.pass_context
def check(ctx: click.Context, day: date, team_id: int | None, as_json: bool) -> None:
    """Check what is stored for a day.

    Exit code 1 if a rule is broken; a rule that only warns is shown, and does not count. Nothing stored is nothing
    broken: exit code 0, said on stderr.
    """
    from llma_assets.team_day import TeamDay

    rules = all_checks()
    with opened_database() as database:
        teams = [row["team_id"] for row in database.rows(TEAMS_OF_DAY, day=day)] if team_id is None else [team_id]
        findings = [
            (rule, finding)
            for team in teams
            for rule in rules
            for finding in rule.findings(database, TeamDay(team, day))
        ]
    failed = [finding for rule, finding in findings if not finding.passed and not rule.warns]
    if as_json:
        emit_json(
            {
                "date": day.isoformat(),
                "teams": teams,
                "checked": len(findings),
                "failed": len(failed),
                "findings": [_as_json(rule, finding) for rule, finding in findings],
            }
        )
    elif findings:
        for rule, finding in findings:
            mark = "ok  " if finding.passed else "warn" if rule.warns else "FAIL"
            show(f"{mark} {plain(finding.sentence)}")
            if not finding.passed:
                show(f"     {' '.join(rule.description.split())}")
                show(f"     shown by: {' '.join(finding.outcome.query.split())}")
        show(f"{len(findings)} checked, {len(failed)} failed")
    if not findings:
        say(f"Nothing to check: nothing is stored for {day}" + ("." if team_id is None else f" of team {team_id}."))
    if failed:
        ctx.exit(1)


def all_checks() -> "list[Check]":
    """The checks of all rooms, in the order of the graph."""
    from llma_assets.clusters.checks import CHECKS as CLUSTERS
    from llma_assets.discovery.checks import CHECKS as DISCOVERY
    from llma_assets.embeddings.checks import CHECKS as EMBEDDINGS
    from llma_assets.events.checks import CHECKS as EVENTS
    from llma_assets.labels.checks import CHECKS as LABELS
    from llma_assets.rendering.checks import CHECKS as TEXTS
    from llma_assets.summaries.checks import CHECKS as SUMMARIES
    from llma_assets.tasks.checks import CHECKS as TASKS

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
