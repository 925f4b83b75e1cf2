"""`llma skips` and `llma usage`: why nothing is here, and what was spent."""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

import click

from llma_assets.cli.advice import advice_for
from llma_assets.cli.options import date_option, json_option, opened_database, optional_date, team_option, utc_today
from llma_assets.cli.render.console import emit_report, plain, say, show, show_table, usd

if TYPE_CHECKING:
    from llma_assets.ledger import ForecastComparison, StageUsage
    from llma_assets.reports import Budget, ThemeBudget, UsageReport, UsageTotal


@click.command()
@optional_date
@team_option(required=False, help="This team only.")
@json_option
def skips(day: date | None, team_id: int | None, as_json: bool) -> None:
    """Why there is nothing for a team and a day.

    Who was left out by discovery, which stage had nothing to do, and which items went wrong by themselves.
    """
    from llma_assets.cli.run.days import days_there_are, require_day
    from llma_assets.reports import skips_of_day

    with opened_database() as database:
        day = require_day(database, day, team_id)
        found = skips_of_day(database, day, team_id)
        if not found.skips and not found.decided:
            say(f"Nothing has been run for {day}. {days_there_are(database, team_id, day)}")
        elif not found.skips:
            say(f"Nothing was skipped on {day}" + ("." if team_id is None else f" for team {team_id}."))
    if as_json:
        emit_report(found)
    elif found.skips:
        show_table(
            ("team", "stage", "theme", "item", "reason", "detail"),
            [(each.team_id, each.stage, each.theme_id, each.item_id, each.reason, each.detail) for each in found.skips],
            right=("team",),
        )
        for line in advice_for(each.reason for each in found.skips):
            say(line)


@click.command()
@team_option()
@date_option
@json_option
def usage(team_id: int, day: date, as_json: bool) -> None:
    """Tokens and cost of a team's day, beside what was predicted and what is allowed.

    By stage, theme and model; the offline models cost nothing and are not counted.
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
        say(f"No paid call for team {team_id} on {day}; the offline models cost nothing and are not counted.")
    if total.calls_without_price:
        say(f"{total.calls_without_price:,} calls of models without a known price are not in the sum.")
    if total.unknown_cost_at_most_usd:
        say(
            f"Calls that broke off are not in the sum, either: at most {total.unknown_cost_at_most_usd:.4f} USD, "
            "which count against a budget."
        )
    if report.forecasts:
        _show_forecasts(report.forecasts)
    if report.budget is not None:
        _show_budget("", report.budget, day)
    for each in report.theme_budgets:
        _show_budget(f" of {each.theme_id}", each, day)


def _show_budget(whose: str, budget: "Budget | ThemeBudget", day: date) -> None:
    """A budget and what counts against it."""
    lost = max(budget.lost_of_day, budget.lost_on_date)
    show(
        f"daily budget{plain(whose)} {budget.daily_usd:g} USD: {budget.of_day:.4f} spent for {day}, "
        f"{budget.on_date:.4f} spent today, "
        f"{max(budget.held_of_day, budget.held_on_date):.4f} set aside by runs at work"
        + (f", {lost:.4f} perhaps paid for calls under way when their run was killed" if lost else "")
    )


def _show_usage(report: "UsageReport") -> None:
    """What was spent, a line for each stage, theme and model, and the sum."""
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
    """Predicted and actual of the runs that ended, a line for each stage, theme and model."""
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
        say(f"{unfinished:,} forecasts of runs that did not end, or are at work, are not among them.")
