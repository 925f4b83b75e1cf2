"""`llma retry`: lists items that failed in several runs, and requeues them. The rules belong in `summaries`."""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from llma_assets.cli.errors import WrongUse
from llma_assets.cli.options import Day, json_option, opened_database, team_option
from llma_assets.cli.render.console import emit_json, say, show_table

if TYPE_CHECKING:
    from llma_assets.clickhouse import Database
    from llma_assets.defs.runner import JobRun
    from llma_assets.summaries import DeadLetter


@click.command()
@team_option()
@click.option("--date", "day", type=Day(), help="Items of this day only, UTC; all days without it.")
@click.option("--theme", "theme_id", help="Items of this theme only.")
@click.option("--item", "item_ids", multiple=True, metavar="ID", help="This item only; may be repeated.")
@click.option("--list", "only_list", is_flag=True, help="Show them, with the reason of each; change nothing.")
@click.option("--dry-run", is_flag=True, help="Show what would be brought back; change nothing.")
@click.option("--run", "run_now", is_flag=True, help="Bring them back, and run their days' texts_job at once.")
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
    """Bring back items that failed in three runs and are no longer tried.

    They begin at zero failures: the next run of their day asks the model about them again. A new text, prompt or
    model does the same without this command.
    """
    from llma_assets.cli.commands.run import require_partition
    from llma_assets.cli.run.settings import team_settings
    from llma_assets.settings import Settings
    from llma_assets.summaries import dead_letters, requeue
    from llma_assets.teams import resolve

    if run_now and (only_list or dry_run):
        raise WrongUse("--run brings items back; --list and --dry-run change nothing")
    if run_now:
        resolve(team_settings(), team_id)
    runs: list[tuple[date, JobRun]] = []
    with opened_database() as database:
        letters = dead_letters(database, team_id, day=day, theme_id=theme_id, item_ids=item_ids)
        days = sorted({letter.day for letter in letters})
        if not (only_list or dry_run):
            if run_now:
                for each in days:
                    require_partition(each, Settings.from_env().oldest_day)
            requeue(database, letters)
            if run_now and days:
                runs = _run(database, team_id, letters, verbose)
    action = "listed" if only_list else "dry_run" if dry_run else "brought_back"
    unknown = [item_id for item_id in item_ids if item_id not in {letter.item_id for letter in letters}]
    if as_json:
        emit_json(_document(team_id, action, letters, unknown, runs))
    else:
        _show(team_id, action, letters, runs)
    if unknown:
        say(f"No dead letter: {', '.join(unknown)}. `llma retry --team {team_id} --list` shows those that there are")
    if unknown or any(job_run.error for _, job_run in runs):
        ctx.exit(1)


def _run(
    database: "Database", team_id: int, letters: "Sequence[DeadLetter]", verbose: bool
) -> "list[tuple[date, JobRun]]":
    """Texts, summaries and embeddings of each day, of the themes whose items were brought back."""
    from llma_assets.cli.render.progress import shown_progress
    from llma_assets.cli.run.runner import runner_of
    from llma_assets.defs.instance import opened_instance
    from llma_assets.settings import Settings
    from llma_assets.team_day import TeamDay

    themes: dict[date, set[str]] = {}
    for letter in letters:
        themes.setdefault(letter.day, set()).add(letter.theme_id)
    with opened_instance(Settings.from_env()) as instance, shown_progress(lines=verbose) as progress:
        runner = runner_of(instance, database, progress=progress, verbose=verbose)
        return [(day, runner.run_texts(TeamDay(team_id, day), sorted(themes[day]))) for day in sorted(themes)]


def _document(
    team_id: int,
    action: str,
    letters: "Sequence[DeadLetter]",
    unknown: Sequence[str],
    runs: "Sequence[tuple[date, JobRun]]",
) -> dict[str, Any]:
    return {
        "team": team_id,
        "action": action,
        "dead_letters": [
            {
                "date": letter.day.isoformat(),
                "theme": letter.theme_id,
                "item": letter.item_id,
                "reason": letter.reason,
                "failures": letter.failures,
                "last_failed_at": letter.last_failed_at.isoformat(),
            }
            for letter in letters
        ],
        "unknown_items": list(unknown),
        "runs": [
            {"date": day.isoformat(), "dagster_run": job_run.run_id, "error": job_run.error} for day, job_run in runs
        ],
    }


def _show(team_id: int, action: str, letters: "Sequence[DeadLetter]", runs: "Sequence[tuple[date, JobRun]]") -> None:
    if not letters:
        say(f"No dead letters of team {team_id} here: every item has its summary, or will be tried by the next run.")
        return
    show_table(
        ("date", "theme", "item", "failures", "last time (UTC)", "reason"),
        [
            (
                letter.day,
                letter.theme_id,
                letter.item_id,
                letter.failures,
                f"{letter.last_failed_at:%Y-%m-%d %H:%M}",
                letter.reason,
            )
            for letter in letters
        ],
        right=("failures",),
    )
    days = sorted({letter.day for letter in letters})
    if action == "dry_run":
        say(f"{len(letters)} items of {len(days)} days would be brought back; nothing was changed.")
    elif action == "brought_back" and not runs:
        say(f"{len(letters)} items brought back. The next run of their day tries them again:")
        for day in days:
            say(f"  llma run --team {team_id} --date {day}")
    for day, job_run in runs:
        outcome = f"failed: {job_run.error}" if job_run.error else "done; the next clustering takes up what is new"
        say(f"{day}: {outcome} (Dagster's run {job_run.run_id})")
