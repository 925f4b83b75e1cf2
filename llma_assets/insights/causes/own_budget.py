"""The budget of a theme's causes, within those of the theme and the team."""

import threading
from dataclasses import dataclass
from datetime import datetime

from llma_assets.models import Allowance, BudgetExhausted, Hold


@dataclass(frozen=True, slots=True)
class _Held:
    budget: "CausesBudget"
    inner: Hold
    most_usd: float

    @property
    def at(self) -> datetime:
        return self.inner.at

    def settle(self, charged_usd: float) -> None:
        self.inner.settle(charged_usd)
        self.budget.give_back(self.most_usd - charged_usd)


class CausesBudget:
    """An `Allowance` within another one. Safe to use from several threads.

    Args:
        outer: the budget of theme and team.
        left_usd: what is left of the theme's budget for causes.

    Attributes:
        refusal: why the last refused call was refused by this budget, "" if none was.
    """

    def __init__(self, outer: Allowance, left_usd: float) -> None:
        self._outer, self._left, self._lock = outer, left_usd, threading.Lock()
        self.refusal = ""

    def hold(self, model: str, most_usd: float | None) -> Hold:
        """Set money aside for one call; see `Allowance.hold`."""
        with self._lock:
            if most_usd is not None and most_usd > self._left:
                self.refusal = f"a call can cost {most_usd:.4f} USD, and {self._left:.4f} of causes_budget_usd are left"
                raise BudgetExhausted(self.refusal)
            held = self._outer.hold(model, most_usd)
            self._left -= most_usd or 0.0
        return _Held(self, held, most_usd or 0.0)

    def give_back(self, usd: float) -> None:
        """What a call did not use is free again."""
        with self._lock:
            self._left += usd
