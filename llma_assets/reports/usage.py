"""The usage report: tokens and cost of a partition, with forecasts and budgets."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from datetime import date

from llma_assets.clickhouse import Database
from llma_assets.ledger import ForecastComparison, Spending, StageUsage, predicted_and_actual, spending, usage_of_day
from llma_assets.serialization import Amount, Day, TeamId, ThemeId
from llma_assets.team_day import TeamDay
from llma_assets.themes import themes_of


@dataclass(frozen=True, slots=True)
class UsageTotal:
    """The sums of all stages, themes and models; the fields are those of `StageUsage`."""

    calls: int
    failed_calls: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cost_usd: Amount
    unknown_cost_at_most_usd: Amount
    calls_without_price: int

    @classmethod
    def of(cls, usage: Iterable[StageUsage]) -> "UsageTotal":
        """Add up."""
        rows = list(usage)
        return cls(**{each.name: sum(getattr(row, each.name) for row in rows) for each in fields(cls)})


@dataclass(frozen=True, slots=True)
class Budget:
    """A team's daily budget and what counts against it, in USD; the fields after the first are those of `Spending`."""

    daily_usd: Amount
    of_day: Amount
    on_date: Amount
    held_of_day: Amount
    held_on_date: Amount
    lost_of_day: Amount
    lost_on_date: Amount

    @classmethod
    def of(cls, daily_usd: float, spent: Spending) -> "Budget":
        """The budget beside what was spent."""
        return cls(daily_usd, **asdict(spent))


@dataclass(frozen=True, slots=True)
class ThemeBudget:
    """A theme's own budget within its team's; the fields after the first are those of `Budget`."""

    theme_id: ThemeId
    daily_usd: Amount
    of_day: Amount
    on_date: Amount
    held_of_day: Amount
    held_on_date: Amount
    lost_of_day: Amount
    lost_on_date: Amount


@dataclass(frozen=True, slots=True)
class UsageReport:
    """What a team's day cost.

    Attributes:
        usage: by stage, theme and model; the offline models cost nothing and are not counted.
        total: the sums.
        forecasts: predicted and actual of the day's runs.
        budget: None without one.
        theme_budgets: of the themes that have one.
    """

    team_id: TeamId
    day: Day
    usage: tuple[StageUsage, ...]
    total: UsageTotal
    forecasts: tuple[ForecastComparison, ...]
    budget: Budget | None
    theme_budgets: tuple[ThemeBudget, ...]


def usage_report(database: Database, team_day: TeamDay, *, today: date, daily_usd: float | None) -> UsageReport:
    """What a team's day cost so far.

    Args:
        today: the calendar day whose spending counts against the budgets, too.
        daily_usd: the team's budget, None for no limit.
    """
    usage = tuple(usage_of_day(database, team_day))
    return UsageReport(
        team_id=team_day.team_id,
        day=team_day.day,
        usage=usage,
        total=UsageTotal.of(usage),
        forecasts=tuple(predicted_and_actual(database, team_day)),
        budget=None if daily_usd is None else Budget.of(daily_usd, spending(database, team_day, today)),
        theme_budgets=tuple(
            ThemeBudget(
                theme.theme_id,
                theme.daily_budget_usd,
                **asdict(spending(database, team_day, today, theme_id=theme.theme_id)),
            )
            for theme in themes_of(database, team_day.team_id).themes
            if theme.daily_budget_usd is not None
        ),
    )
