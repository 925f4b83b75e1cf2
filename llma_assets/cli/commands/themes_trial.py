"""`llma themes try`: runs a theme on a sample of items. The trial belongs in `reports`."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from llma_assets.cli.errors import WrongUse
from llma_assets.cli.options import Day, json_option, opened_database, team_option
from llma_assets.cli.render.console import emit_report, plain, say, show
from llma_assets.cli.render.teams import team_named

if TYPE_CHECKING:
    from llma_assets.clickhouse import Database
    from llma_assets.reports import TrialItem, TrialReport
    from llma_assets.themes import Theme

SHOWN_BULLETS = 2


@click.command("try")
@team_option()
@click.option("--theme", "theme_id", help="The theme; with --file needed only if the file has several.")
@click.option(
    "--file",
    "path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Read the theme from this YAML file, applied or not.",
)
@click.option("--date", "day", type=Day(), help="Last day (UTC).  [default: the latest with events]")
@click.option("--days", type=click.IntRange(1, 31), help="Days up to --date.  [default: the window of a run]")
@click.option("--sample", "size", type=click.IntRange(1, 200), default=20, show_default=True, help="Number of items.")
@json_option
def try_command(
    team_id: int,
    theme_id: str | None,
    path: Path | None,
    day: date | None,
    days: int | None,
    size: int,
    as_json: bool,
) -> None:
    """Ask a theme's question about a sample of items, and show the answers.

    The sample is the first items that a run would select. Texts, summaries and decisions are not stored. Paid calls are
    recorded: `llma usage` shows them under the stage theme_trial, and they count against the budgets.
    """
    from llma_assets.cli.run.days import days_with_events, window_of_theme
    from llma_assets.cli.run.settings import team_settings
    from llma_assets.models import chat_model
    from llma_assets.reports import paid_trial
    from llma_assets.settings import Settings
    from llma_assets.teams import resolve

    with opened_database() as database:
        theme = _theme(database, team_id, theme_id, path)
        window = window_of_theme(database, team_id, theme, day, days)
        settings = Settings.from_env()
        report = paid_trial(
            database,
            window,
            theme,
            chat_model(settings, theme.model),
            team=resolve(team_settings(), team_id),
            chat_model=settings.chat_model,
            size=size,
            now=datetime.now(UTC),
        )
        if not report.matched:
            say(
                f"Nothing matches on these days. {days_with_events(database, team_id)}; `llma themes preview` counts "
                "what each filter matches."
            )
    emit_report(report) if as_json else _show(report)


def _theme(database: "Database", team_id: int, theme_id: str | None, path: Path | None) -> "Theme":
    """The theme that is meant: of the file, or of those that the team has; it may be switched off."""
    from llma_assets.cli.commands.themes_changes import checked
    from llma_assets.themes import read_document, themes_of, themes_with

    if path is None:
        if theme_id is None:
            raise WrongUse("name a theme by --theme, or a file of themes by --file")
        return themes_of(database, team_id).get(theme_id)
    document = checked(str(path), lambda: read_document(path.read_bytes()))
    themes = checked(str(path), lambda: themes_with(database, team_id, document))
    named = [str(each["theme_id"]) for each in document.themes]
    if theme_id is None and len(named) == 1:
        (theme_id,) = named
    if theme_id not in named:
        meant = f"has no theme {theme_id!r}" if theme_id else "has several themes, or none"
        raise WrongUse(f"{path} {meant}; --theme says which of {', '.join(named) or 'no themes'}")
    return themes[theme_id]


def _show(report: "TrialReport") -> None:
    show(
        f"team {team_named(report.team_id)}, {plain(report.theme_id)} "
        f"(version {report.version}), {report.first_day} to "
        f"{report.until}: {report.matched:,} {report.level}s match, a run would select {report.sampled:,}\n"
    )
    for item in report.items:
        _show_item(item)
    asked = f"{report.relevant:,} of {report.asked:,} are relevant by {report.model}"
    left_out = f"; the theme's rule left out {report.left_out:,} of {report.read:,} first" if report.left_out else ""
    show(asked + left_out)
    if report.not_asked_because:
        say(f"Not all questions were asked: {report.not_asked_because}")
    cost = f"{report.calls:,} calls, {report.cost_usd:.4f} USD, counted in `llma usage`"
    say(f"Nothing was stored{f' but what it cost: {cost}' if report.calls else '; it cost nothing'}.")


def _show_item(item: "TrialItem") -> None:
    if item.status != "generated":
        answer = f"{item.status}: {item.error}"
    else:
        answer = item.title if item.relevant else "not relevant"
    show(f"{plain(item.item_id)}  {plain(answer)}")
    if item.rule is not None:
        agrees = item.relevant in (None, item.rule.relevant)
        show(f"  rule: {'' if agrees else 'disagrees, '}{plain(item.rule.why)}")
    for point in item.bullets[:SHOWN_BULLETS]:
        refs = f" [{plain(point.line_refs)}]" if point.line_refs else ""
        show(f"  - {plain(point.text)}{refs}")
    show()
