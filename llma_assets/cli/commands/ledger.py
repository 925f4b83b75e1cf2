"""`llma skips` and `llma usage`: why results are missing, and what was spent."""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

import click

from llma_assets.cli.advice import advice_for
from llma_assets.cli.options import date_option, json_option, opened_database, optional_date, team_option, utc_today
from llma_assets.cli.render.console import emit_report, plain, say, show, show_table, usd
from llma_assets.cli.render.teams import team_named

if TYPE_CHECKING:
    from llma_assets.ledger import ForecastComparison, StageUsage
    from llma_assets.reports import Budget, ThemeBudget, UsageReport, UsageTotal


@click.command()
@optional_date
@team_option(required=False, help="This team only.")
@json_option
def skips(day: date | None, team_id: int | None, as_json: bool) -> None:
    """Show why results of a day are missing.

    It lists teams that discovery left out, stages that had nothing to do, and items that failed, each with its reason.
    """
    from llma_assets.cli.run.days import days_with_results, require_day
    from llma_assets.reports import skips_of_day

    with opened_database() as database:
        day = require_day(database, day, team_id)
        found = skips_of_day(database, day, team_id)
        if not found.skips and not found.decided:
            say(f"Nothing has been run for {day}. {days_with_results(database, team_id, day)}")
        elif not found.skips:
            say(f"Nothing was skipped on {day}" + ("." if team_id is None else f" for team {team_named(team_id)}."))
    if as_json:
        emit_report(found)
    elif found.skips:
        show_table(
            ("team", "stage", "theme", "item", "reason", "detail"),
            [
                (team_named(each.team_id), each.stage, each.theme_id, each.item_id, each.reason, each.detail)
                for each in found.skips
            ],
        )
        for line in advice_for(each.reason for each in found.skips):
            say(line)


@click.command()
@team_option()
@date_option
@json_option
def usage(team_id: int, day: date, as_json: bool) -> None:
    """Show tokens and cost of a day, with forecast and budget.

    By stage, theme and model. Offline models are free and not listed.
    """
    from llma_assets.cli.run.settings import team_settings
    from llma_assets.reports import usage_report
    from llma_assets.team_day import TeamDay

    daily_usd = team_settings().options_of(team_id).daily_budget_usd
    with opened_database() as database:
        report = usage_report(database, TeamDay(team_id, day), today=utc_today(), daily_usd=daily_usd)
    if as_json:
        emit_report(report)
        return
    total = report.total
    if report.usage:
        _show_usage(report)
    else:
        say(f"No paid call for team {team_named(team_id)} on {day}; offline models are free and not listed.")
    if total.calls_without_price:
        say(f"{total.calls_without_price:,} calls of models without a known price are not in the total.")
    if total.unknown_cost_at_most_usd:
        say(
            f"Aborted calls are not in the total: they may have cost {total.unknown_cost_at_most_usd:.4f} USD at most, "
            "which counts against a budget."
        )
    if report.forecasts:
        _show_forecasts(report.forecasts)
    if report.budget is not None:
        _show_budget("", report.budget, day)
    for each in report.theme_budgets:
        _show_budget(f" of {each.theme_id}", each, day)


def _show_budget(whose: str, budget: "Budget | ThemeBudget", day: date) -> None:
    """Print a budget and what counts against it."""
    lost = max(budget.lost_of_day, budget.lost_on_date)
    show(
        f"daily budget{plain(whose)} {budget.daily_usd:g} USD: {budget.of_day:.4f} spent for {day}, "
        f"{budget.on_date:.4f} spent today, "
        f"{max(budget.held_of_day, budget.held_on_date):.4f} reserved by active runs"
        + (f", up to {lost:.4f} for calls under way when their run was killed" if lost else "")
    )


def _show_usage(report: "UsageReport") -> None:
    """Print usage by stage, theme and model, and the total."""
    lines: list[tuple[tuple[str, str, str], StageUsage | UsageTotal]] = [
        *(((each.stage, each.theme_id, each.model), each) for each in report.usage),
        (("total", "", ""), report.total),
    ]
    show_table(
        ("stage", "theme", "model", "calls", "failed", "tokens in", "tokens out", "USD"),
        [
            (
                *names,
                f"{each.calls:,}",
                f"{each.failed_calls:,}",
                f"{each.input_tokens:,}",
                f"{each.output_tokens:,}",
                f"{each.cost_usd:.4f}",
            )
            for names, each in lines
        ],
        right=("calls", "failed", "tokens in", "tokens out", "USD"),
    )


def _show_forecasts(forecasts: "Sequence[ForecastComparison]") -> None:
    """Print forecast and actual usage of the runs that ended, by stage, theme and model."""
    show()
    show_table(
        ("predicted / actual", "theme", "model", "calls", "tokens in", "tokens out", "USD"),
        [
            (
                each.stage,
                each.theme_id,
                each.model,
                f"{each.calls:,} / {each.actual_calls:,}",
                f"{each.input_tokens:,} / {each.actual_input_tokens:,}",
                f"{each.output_tokens:,} / {each.actual_output_tokens:,}",
                f"{usd(each.cost_usd)} / {usd(each.actual_cost_usd)}",
            )
            for each in forecasts
        ],
        right=("calls", "tokens in", "tokens out", "USD"),
    )
    unfinished = sum(each.unfinished for each in forecasts)
    if unfinished:
        say(f"{unfinished:,} forecasts are not listed: their runs are active, or were killed.")
