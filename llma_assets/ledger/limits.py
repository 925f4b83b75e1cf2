"""Budget limits of calls, and the messages of refused calls. No database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from llma_assets.ledger.charges import Spending

_EPSILON = 1e-9


@dataclass(frozen=True, slots=True)
class Limit:
    """A budget that limits each call: that of the team if `theme_id` is "", else that of the theme."""

    team_id: int
    theme_id: str
    whole_usd: float
    usd: float  # the share that the stage may use

    def __str__(self) -> str:
        team = f"the daily budget of team {self.team_id}"
        return f"the daily budget of theme {self.theme_id!r} of team {self.team_id}" if self.theme_id else team


@dataclass(frozen=True, slots=True)
class Shortage:
    """A budget that is too small for the next call, and what counts against it."""

    limit: Limit
    spent: Spending
    own_held: float  # the part that this process has reserved


def price_unknown(model: str, limits: Sequence[Limit]) -> str:
    """The message for a model without a price under a budget, with the possible fixes."""
    budgets = " and ".join(f"{limit} ({limit.whole_usd:g} USD)" for limit in limits)
    alternatives = " and ".join(
        "remove daily_budget_usd from the theme" if limit.theme_id else "set daily_budget_usd = inf for the team"
        for limit in limits
    )
    return (
        f"no price is known for {model!r}, so {budgets} cannot be kept. Give the model a price in the file that "
        f"LLMA_PRICES_FILE names (0 for a server of your own), or {alternatives}"
    )


def why_refused(shortage: Shortage, *, stage: str, day: date, used_usd: float, most_usd: float) -> str:
    """What counts against a budget that is too small for the next call, and adds up to more than it.

    Args:
        stage, day: what the call is for.
        used_usd: what this process has under way, or has not stored yet.
        most_usd: what the next call can cost.
    """
    limit, spent = shortage.limit, shortage.spent
    digits = 4 if limit.usd >= 0.01 else 6

    def usd(amount: float) -> str:
        return f"{amount:.{digits}f}"

    # Of this process what calls are under way for, not what it set aside beyond that.
    own = used_usd - shortage.own_held
    of_day = (spent.of_day, spent.lost_of_day, spent.held_of_day + own)
    on_date = (spent.on_date, spent.lost_on_date, spent.held_on_date + own)
    is_day = sum(of_day) >= sum(on_date)
    paid, lost, held = of_day if is_day else on_date
    parts = [f"{usd(paid)} is spent for {day}" if is_day else f"{usd(paid)} was spent today"]
    if lost > _EPSILON:
        parts.append(f"{usd(lost)} may have been, by calls that were under way when their run was killed")
    if held > _EPSILON:
        parts.append(f"{usd(held)} is set aside by runs at work")
    share = f", of which {stage} may use {usd(limit.usd)}" if limit.usd < limit.whole_usd else ""
    return (
        f"{limit} is {usd(limit.whole_usd)} USD{share}; {', '.join(parts)}, "
        f"and the next call may cost {usd(most_usd)}: {usd(paid + lost + held + most_usd)} in all"
    )
