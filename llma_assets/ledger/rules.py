"""Checks that spending is within the budget; each room that spends makes them checks of its asset."""

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any

from llma_assets.clickhouse import Database
from llma_assets.findings import Outcome
from llma_assets.ledger import queries
from llma_assets.ledger.charges import spending
from llma_assets.team_day import TeamDay

_CENT_FRACTION = 1e-6


def spending_within_budget(database: Database, team_day: TeamDay) -> Iterator[Outcome]:
    """What was spent for a team's day, and on each calendar day that paid for it, is at most the budget of that time.

    Calls of unknown cost count with their maximum. Days without a budget are not checked.
    """
    rows = [row for row in _limits(database, team_day) if not row["limit_of"]]
    for row in rows:
        spent = spending(database, team_day, row["spent_on"])
        yield _outcome(spent.on_date, row["on_date"], f"on {row['spent_on']}")
    if rows:
        yield _outcome(spent.of_day, max(row["of_day"] for row in rows), f"for {team_day.day}")


def theme_spending_within_budget(database: Database, team_day: TeamDay) -> Iterator[Outcome]:
    """What was spent for a theme is at most the theme's own budget, in the same two ways.

    Themes without a budget of their own are not checked.
    """
    rows = [row for row in _limits(database, team_day) if row["limit_of"]]
    for theme_id, days in groupby(rows, key=itemgetter("limit_of")):
        limits = list(days)
        for row in limits:
            spent = spending(database, team_day, row["spent_on"], theme_id=theme_id)
            yield _outcome(spent.on_date, row["on_date"], f"on {row['spent_on']}", theme_id)
        yield _outcome(spent.of_day, max(row["of_day"] for row in limits), f"for {team_day.day}", theme_id)


def _limits(database: Database, team_day: TeamDay) -> list[dict[str, Any]]:
    if not database.may_hold("budget_holds", team_day.team_id, team_day.day, team_day.day):
        return []
    return database.rows(queries.LIMITS, team_id=team_day.team_id, day=team_day.day)


def _outcome(spent_usd: float, limit_usd: float, when: str, theme_id: str = "") -> Outcome:
    return Outcome(
        passed=spent_usd <= limit_usd + _CENT_FRACTION,
        expected=f"at most {limit_usd:.4f} USD {when}",
        found=f"{spent_usd:.4f} USD",
        query=queries.SPENT,
        theme_id=theme_id,
    )
