"""`llma retry`: lists dead letters (items that failed in several runs), and requeues them. The rules belong in
`summaries`.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from llma_assets.cli.errors import WrongUse
from llma_assets.cli.options import Day, json_option, opened_database, team_option
from llma_assets.cli.render.console import emit_report, say, show_table
from llma_assets.cli.render.teams import team_named

if TYPE_CHECKING:
    from llma_assets.clickhouse import Database
    from llma_assets.reports import RetryReport, RetryRun
    from llma_assets.summaries import DeadLetter


@click.command()
@team_option()
@click.option("--date", "day", type=Day(), help="Only items of this day (UTC).  [default: all days]")
@click.option("--theme", "theme_id", help="Only items of this theme.")
@click.option("--item", "item_ids", multiple=True, metavar="ID", help="Only this item; may be repeated.")
@click.option("--list", "only_list", is_flag=True, help="Only show the items and why they failed.")
@click.option("--dry-run", is_flag=True, help="Show what would be requeued; change nothing.")
@click.option("--run", "run_now", is_flag=True, help="Requeue the items, and run the texts_job of their days now.")
@click.option("-v", "--verbose", is_flag=True, help="With --run: show Dagster's own log on stderr.")
@json_option
@click.pass_context
def retry(
    ctx: click.Context,
    team_id: int,
    day: date | None,
    theme_id: str | None,
    item_ids: tuple[str, ...],
    only_list: bool,
    dry_run: bool,
    run_now: bool,
    verbose: bool,
    as_json: bool,
) -> None:
    """Requeue items that failed in three runs.

    Runs leave out such items. The command sets their failures to zero, so that the next run of their day asks the model
    about them again. A new text, prompt or model has the same effect without this command.
    """
    from llma_assets.cli.commands.run import require_partition
    from llma_assets.cli.run.settings import team_settings
    from llma_assets.reports import retry_report
    from llma_assets.settings import Settings
    from llma_assets.teams import resolve

    if run_now and (only_list or dry_run):
        raise WrongUse("--run changes items; it cannot be used with --list or --dry-run")
    if run_now:
        resolve(team_settings(), team_id)
    chosen: dict[str, Any] = {"day": day, "theme_id": theme_id, "item_ids": item_ids}
    with opened_database() as database:
        report = retry_report(database, team_id, action="listed" if only_list else "dry_run", **chosen)
        if run_now:
            for each in sorted({item.day for item in report.dead_letters}):
                require_partition(each, Settings.from_env().oldest_day)
        if not (only_list or dry_run):
            report = retry_report(database, team_id, action="brought_back", **chosen)
            if run_now and report.dead_letters:
                report = replace(report, runs=tuple(_run(database, team_id, report.dead_letters, verbose)))
    unknown, runs = report.unknown_items, report.runs
    if as_json:
        emit_report(report)
    else:
        _show(report)
    if unknown:
        say(f"Not a dead letter: {', '.join(unknown)}. `llma retry --team {team_id} --list` lists all")
    if unknown or any(run.error for run in runs):
        ctx.exit(1)


def _run(database: "Database", team_id: int, items: "Sequence[DeadLetter]", verbose: bool) -> "list[RetryRun]":
    """Make texts, summaries and embeddings of each day, for the themes of the requeued items."""
    from llma_assets.cli.render.progress import shown_progress
    from llma_assets.cli.run.runner import runner_of
    from llma_assets.defs.instance import opened_instance
    from llma_assets.reports import RetryRun
    from llma_assets.settings import Settings
    from llma_assets.team_day import TeamDay

    themes: dict[date, set[str]] = {}
    for item in items:
        themes.setdefault(item.day, set()).add(item.theme_id)
    with opened_instance(Settings.from_env()) as instance, shown_progress(lines=verbose) as progress:
        runner = runner_of(instance, database, progress=progress, verbose=verbose)
        done = {day: runner.run_texts(TeamDay(team_id, day), sorted(themes[day])) for day in sorted(themes)}
    return [RetryRun(day, job_run.run_id, job_run.error) for day, job_run in done.items()]


def _show(report: "RetryReport") -> None:
    team_id, items = report.team_id, report.dead_letters
    if not items:
        say(f"No dead letters of team {team_named(team_id)} here: every item has a summary, or the next run tries it.")
        return
    show_table(
        ("date", "theme", "item", "failures", "last failure (UTC)", "reason"),
        [
            (
                item.day,
                item.theme_id,
                item.item_id,
                item.failures,
                f"{item.last_failed_at:%Y-%m-%d %H:%M}",
                item.reason,
            )
            for item in items
        ],
        right=("failures",),
    )
    days = sorted({item.day for item in items})
    if report.action == "dry_run":
        say(f"{len(items)} items of {len(days)} days would be requeued; nothing was changed.")
    elif report.action == "brought_back" and not report.runs:
        say(f"{len(items)} items requeued. The next run of their day tries them again:")
        for day in days:
            say(f"  llma run --team {team_id} --date {day}")
    for run in report.runs:
        outcome = f"failed: {run.error}" if run.error else "done; the next clustering includes the new summaries"
        say(f"{run.day}: {outcome} (Dagster's run {run.run_id})")
