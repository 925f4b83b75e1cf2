"""`llma skips` and `llma usage`: why nothing is here, and what was spent."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

import click

from llma_assets.cli.options import date_option, json_option, opened_database, optional_date, team_option, utc_today
from llma_assets.cli.queries import USAGE_OF_DAY
from llma_assets.cli.render.console import emit_json, plain, say, show, show_table
from llma_assets.cli.ways_out import ways_out

DISCOVERY = "eligible_teams"


@click.command()
@optional_date
@team_option(required=False, help="This team only.")
@json_option
def skips(day: date | None, team_id: int | None, as_json: bool) -> None:
    """Why there is nothing for a team and a day.

    Who was left out by discovery, which stage had nothing to do, and which items went wrong by themselves.
    """
    from llma_assets.cli.run.days import days_there_are, require_day
    from llma_assets.discovery import stored_decisions
    from llma_assets.ledger import list_item_skips, list_skips

    with opened_database() as database:
        day = require_day(database, day, team_id)
        found = [
            _skip(each.team_id, DISCOVERY, "", each.reason, each.detail)
            for each in stored_decisions(database, day)
            if not each.eligible and team_id in (None, each.team_id)
        ]
        found += [
            _skip(each.team_id, each.stage, each.theme_id, each.reason, each.detail)
            for each in list_skips(database, day=day, team_id=team_id)
        ]
        found += [
            _skip(each.team_id, each.stage, each.theme_id, each.reason, each.detail, each.level, each.item_id)
            for each in list_item_skips(database, day=day, team_id=team_id)
        ]
        if not found and not stored_decisions(database, day):
            say(f"Nothing has been run for {day}. {days_there_are(database, team_id, day)}")
        elif not found:
            say(f"Nothing was skipped on {day}" + ("." if team_id is None else f" for team {team_id}."))
    found.sort(key=lambda row: (row["team"], row["stage"] != DISCOVERY, row["stage"], row["theme"], row["item"]))
    if as_json:
        emit_json({"date": day.isoformat(), "skips": found})
    elif found:
        show_table(
            ("team", "stage", "theme", "item", "reason", "detail"),
            [tuple(row[name] for name in ("team", "stage", "theme", "item", "reason", "detail")) for row in found],
            right=("team",),
        )
        for line in ways_out(str(row["reason"]) for row in found):
            say(line)


def _skip(
    team: int, stage: str, theme: str, reason: str, detail: str, level: str = "", item: str = ""
) -> dict[str, Any]:
    return {
        "team": team,
        "stage": stage,
        "theme": theme,
        "level": level,
        "item": item,
        "reason": reason,
        "detail": detail,
    }


@click.command()
@team_option()
@date_option
@json_option
def usage(team_id: int, day: date, as_json: bool) -> None:
    """Tokens and cost of a team's day, beside what was predicted and what is allowed.

    By stage, theme and model; the offline models cost nothing and are not counted.
    """
    from llma_assets.cli.run.settings import team_settings
    from llma_assets.ledger import predicted_and_actual, spending
    from llma_assets.team_day import TeamDay
    from llma_assets.themes import themes_of

    with opened_database() as database:
        rows = database.rows(USAGE_OF_DAY, team_id=team_id, day=day)
        forecasts = [asdict(each) for each in predicted_and_actual(database, TeamDay(team_id, day))]
        spent = spending(database, TeamDay(team_id, day), utc_today())
        theme_budgets = [
            {
                "theme": theme.theme_id,
                "daily_usd": theme.daily_budget_usd,
                **asdict(spending(database, TeamDay(team_id, day), utc_today(), theme_id=theme.theme_id)),
            }
            for theme in themes_of(database, team_id).themes
            if theme.daily_budget_usd is not None
        ]
    budget_usd = team_settings().options_of(team_id).daily_budget_usd
    for row in rows:
        row["duration_s"] = round(row["duration_s"], 3)
        row["unknown_cost_at_most_usd"] = row["unknown_cost_at_most_usd"] or 0.0
    summed = (
        "calls",
        "failed_calls",
        "input_tokens",
        "output_tokens",
        "cached_tokens",
        "cost_usd",
        "unknown_cost_at_most_usd",
        "calls_without_price",
    )
    total = {name: sum(row[name] for row in rows) for name in summed}
    budget = None if budget_usd is None else {"daily_usd": budget_usd, **asdict(spent)}
    if as_json:
        forecasts = [
            {"theme" if name == "theme_id" else name: value for name, value in each.items()} for each in forecasts
        ]
        emit_json(
            {
                "team": team_id,
                "date": day.isoformat(),
                "usage": rows,
                "total": total,
                "forecasts": forecasts,
                "budget": budget,
                "theme_budgets": theme_budgets,
            }
        )
        return
    if rows:
        _show_usage([*rows, {"stage": "total", "theme": "", "model": "", **total}])
    else:
        say(f"No paid call for team {team_id} on {day}; the offline models cost nothing and are not counted.")
    if total["calls_without_price"]:
        say(f"{total['calls_without_price']:,} calls of models without a known price are not in the sum.")
    if total["unknown_cost_at_most_usd"]:
        say(
            f"Calls that broke off are not in the sum, either: at most {total['unknown_cost_at_most_usd']:.4f} USD, "
            "which count against a budget."
        )
    if forecasts:
        _show_forecasts(forecasts)
    for whose, each in [("", budget), *((f" of {each['theme']}", each) for each in theme_budgets)]:
        if each is not None:
            lost = max(each["lost_of_day"], each["lost_on_date"])
            show(
                f"daily budget{plain(whose)} {each['daily_usd']:g} USD: {each['of_day']:.4f} spent for {day}, "
                f"{each['on_date']:.4f} spent today, "
                f"{max(each['held_of_day'], each['held_on_date']):.4f} set aside by runs at work"
                + (f", {lost:.4f} perhaps paid for calls under way when their run was killed" if lost else "")
            )


def _show_usage(lines: Sequence[Mapping[str, Any]]) -> None:
    """What was spent, a line for each stage, theme and model, and the sum."""
    show_table(
        ("stage", "theme", "model", "calls", "failed", "tokens in", "tokens out", "USD"),
        [
            (
                row["stage"],
                row["theme"],
                row["model"],
                f"{row['calls']:,}",
                f"{row['failed_calls']:,}",
                f"{row['input_tokens']:,}",
                f"{row['output_tokens']:,}",
                f"{row['cost_usd']:.4f}",
            )
            for row in lines
        ],
        right=("calls", "failed", "tokens in", "tokens out", "USD"),
    )


def _show_forecasts(forecasts: Sequence[Mapping[str, Any]]) -> None:
    """Predicted and actual of the runs that ended, a line for each stage, theme and model."""
    show()
    show_table(
        ("predicted / actual", "theme", "model", "calls", "tokens in", "tokens out", "USD"),
        [
            (
                each["stage"],
                each["theme_id"],
                each["model"],
                *(
                    f"{each[name]:,} / {each['actual_' + name]:,}"
                    for name in ("calls", "input_tokens", "output_tokens")
                ),
                f"{_usd(each['cost_usd'])} / {_usd(each['actual_cost_usd'])}",
            )
            for each in forecasts
        ],
        right=("calls", "tokens in", "tokens out", "USD"),
    )
    unfinished = sum(each["unfinished"] for each in forecasts)
    if unfinished:
        say(f"{unfinished:,} forecasts of runs that did not end, or are at work, are not among them.")


def _usd(cost: float | None) -> str:
    return "-" if cost is None else f"{cost:.4f}"
