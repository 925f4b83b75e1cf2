"""Dagster metadata of usage and budgets: the same keys for every stage that asks models."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from llma_assets.clickhouse import Database
from llma_assets.ledger.charges import spending, utc_now
from llma_assets.ledger.forecasts import predicted_and_actual
from llma_assets.ledger.usage import usage_totals
from llma_assets.team_day import TeamDay

_NO_BUDGETS: Mapping[str, float | None] = MappingProxyType({})


def spending_metadata(
    database: Database,
    team_day: TeamDay,
    *,
    stage: str,
    budget_usd: float | None,
    theme_budgets_usd: Mapping[str, float | None] = _NO_BUDGETS,
    forecasts: bool = True,
) -> dict[str, Any]:
    """Usage and cost of a stage, with forecast and budget.

    Args:
        budget_usd: the team's budget, None for none.
        theme_budgets_usd: budgets of themes by their ids, None for none; their keys get the theme's id as prefix.
        forecasts: False leaves out what was forecast.

    Returns:
        `input_tokens`, `output_tokens` and `cost_usd` of all runs for the team's day; `predicted_*` and `actual_*`
        where calls were forecast; and where there is a budget, what `budget_metadata` gives.
    """
    totals = usage_totals(database, team_day, stage=stage)
    return {
        "input_tokens": totals.input_tokens,
        "output_tokens": totals.output_tokens,
        "cost_usd": totals.cost_usd,
        **(_forecast_metadata(database, team_day, stage=stage) if forecasts else {}),
        **budget_metadata(database, team_day, budget_usd, theme_budgets_usd),
    }


def budget_metadata(
    database: Database,
    team_day: TeamDay,
    limit_usd: float | None,
    theme_limits_usd: Mapping[str, float | None] = _NO_BUDGETS,
    *,
    now: datetime | None = None,
) -> dict[str, float]:
    """The budget and what counts against it; empty without a budget.

    Args:
        limit_usd: the team's budget.
        theme_limits_usd: budgets of themes by their ids, whose keys get the theme's id as prefix.
    """
    spent_on = (now or utc_now()).date()
    metadata: dict[str, float] = {}
    for theme_id, limit in {"": limit_usd, **theme_limits_usd}.items():
        if limit is None:
            continue
        spent = spending(database, team_day, spent_on, theme_id=theme_id)
        prefix = f"{theme_id}_" if theme_id else ""
        metadata |= {
            f"{prefix}budget_usd": limit,
            f"{prefix}spent_of_day_usd": round(spent.of_day, 6),
            f"{prefix}spent_today_usd": round(spent.on_date, 6),
            f"{prefix}set_aside_usd": round(max(spent.held_of_day, spent.held_on_date), 6),
        }
        if lost := max(spent.lost_of_day, spent.lost_on_date):
            metadata[f"{prefix}perhaps_paid_usd"] = round(lost, 6)
    return metadata


def _forecast_metadata(database: Database, team_day: TeamDay, *, stage: str) -> dict[str, Any]:
    """Forecast and actual of a stage; nothing where there was no forecast."""
    metadata: dict[str, Any] = {}
    for each in predicted_and_actual(database, team_day, stage=stage):
        prefix = f"{each.theme_id}_" if each.theme_id else ""
        metadata |= {
            f"{prefix}predicted_calls": each.calls,
            f"{prefix}actual_calls": each.actual_calls,
            f"{prefix}predicted_input_tokens": each.input_tokens,
            f"{prefix}actual_input_tokens": each.actual_input_tokens,
            f"{prefix}predicted_output_tokens": each.output_tokens,
            f"{prefix}actual_output_tokens": each.actual_output_tokens,
        }
        if each.cost_usd is not None:
            metadata[f"{prefix}predicted_cost_usd"] = round(each.cost_usd, 6)
            metadata[f"{prefix}actual_cost_usd"] = round(each.actual_cost_usd or 0.0, 6)
        else:
            metadata[f"{prefix}cost"] = f"{each.model} has no known price: tokens only"
    return metadata
