"""`llma skips` and `llma usage`: why nothing is here, and what was spent."""

from datetime import date

import click

from llma_assets.cli.console import emit_json, say, show_table
from llma_assets.cli.options import date_option, json_option, opened_database, team_option
from llma_assets.cli.queries import USAGE_OF_DAY

DISCOVERY = "eligible_teams"


@click.command()
@date_option
@team_option(required=False, help="This team only.")
@json_option
def skips(day: date, team_id: int | None, as_json: bool) -> None:
    """Why there is nothing for a team and a day.

    Who was left out by discovery, and which stage had nothing to do.
    """
    from llma_assets.discovery import stored_decisions
    from llma_assets.ledger import list_skips

    with opened_database() as database:
        found = [
            {
                "team": decision.team_id,
                "stage": DISCOVERY,
                "theme": "",
                "reason": decision.reason,
                "detail": decision.detail,
            }
            for decision in stored_decisions(database, day)
            if not decision.eligible and team_id in (None, decision.team_id)
        ] + [
            {
                "team": skip.team_id,
                "stage": skip.stage,
                "theme": skip.theme_id,
                "reason": skip.reason,
                "detail": skip.detail,
            }
            for skip in list_skips(database, day=day, team_id=team_id)
        ]
    found.sort(key=lambda row: (row["team"], row["stage"] != DISCOVERY, row["stage"], row["theme"]))
    if as_json:
        emit_json({"date": day.isoformat(), "skips": found})
    elif found:
        show_table(
            ("team", "stage", "theme", "reason", "detail"), [tuple(row.values()) for row in found], right=("team",)
        )
    else:
        say(f"Nothing was skipped on {day}" + ("." if team_id is None else f" for team {team_id}."))


@click.command()
@team_option()
@date_option
@json_option
def usage(team_id: int, day: date, as_json: bool) -> None:
    """Tokens and cost of a team's day.

    By stage, theme and model; the offline models cost nothing and are not counted.
    """
    with opened_database() as database:
        rows = database.rows(USAGE_OF_DAY, team_id=team_id, day=day)
    for row in rows:
        row["duration_s"] = round(row["duration_s"], 3)
    summed = ("calls", "failed_calls", "input_tokens", "output_tokens", "cost_usd", "calls_without_price")
    total = {name: sum(row[name] for row in rows) for name in summed}
    if as_json:
        emit_json({"team": team_id, "date": day.isoformat(), "usage": rows, "total": total})
        return
    if not rows:
        say(f"No paid call for team {team_id} on {day}; the offline models cost nothing and are not counted.")
        return
    lines = [*rows, {"stage": "total", "theme": "", "model": "", **total}]
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
    if total["calls_without_price"]:
        say(f"{total['calls_without_price']:,} calls of models without a known price are not in the sum.")
