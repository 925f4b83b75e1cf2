"""A team's money for a day, shared by all stages, threads and processes: set aside before a call, never passed.

Two limits hold at once, both of the same amount: for the day whose traces are worked on, over all runs there ever are;
and for the calendar day (UTC) on which the calls are made, over all days that are worked on. So a day's traffic never
costs more than the budget, and a backfill of thirty days does not cost thirty budgets by tomorrow.

A theme may have a budget of its own, within the team's. A call for it must be within both, in the same two ways: what
is set aside for a theme counts against the theme's budget and against the team's.

What is set aside belongs to a process (`holders`). It is free again once that is known to be dead, or, of a process on
another machine, once nothing was heard of it for a while; only what its calls under way can have cost counts for ever.

How two processes see each other: each writes down what it sets aside (`budget_holds`) before it reads what all have
set aside and spent, and takes it back where that is too much. Of two that do so at once at least one sees the other. On
a replicated cluster that needs reads that see every finished insert (`select_sequential_consistency`).
"""

import math
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from llma_assets.clickhouse import Database
from llma_assets.ledger import queries
from llma_assets.ledger.holders import NOBODY, this_process
from llma_assets.ledger.skips import Skip, clear_skip, record_skip
from llma_assets.ledger.spending import Spending, spending, utc_now
from llma_assets.models import BUDGET, BudgetExhausted, Hold, PriceUnknown
from llma_assets.team_day import TeamDay

SHARES = {"trace_summaries": 0.9}
"""The part of the budget that a stage may use up; 1 for all others. A summary that was paid for is worth nothing if no
money is left to embed it and to name its cluster."""

STEP = 0.05
"""Part of the budget that a process sets aside at once, so that not every call asks the database."""

RENEWAL_S = 300.0
"""A process that was silent for longer asks anew; what it has set aside counts for `LEASE_S` after it was written."""

PATIENCE_S = 30.0
"""How long a call waits for other calls of this process to give back what they did not use."""

_EPSILON = 1e-9


def note_undone(
    database: Database, team_day: TeamDay, *, stage: str, theme_id: str, undone: int, items: int, refusal: str
) -> int:
    """Keep that items wait for money where people look for it; a theme that waits for none has nothing to say.

    Args:
        undone: of `items`, how many were left.
        refusal: why calls were not made, "" where money was not the reason.

    Returns:
        how many items wait for money.
    """
    if not (undone and refusal):
        clear_skip(database, team_id=team_day.team_id, day=team_day.day, stage=stage, theme_id=theme_id)
        return 0
    detail = f"{undone} of {items} items left undone; the next run takes them up if there is money left: {refusal}"
    record_skip(database, Skip(team_day.team_id, team_day.day, stage, theme_id, BUDGET, detail))
    return undone


def release_hold(database: Database, team_day: TeamDay, hold_id: uuid.UUID) -> None:
    """Free what is set aside under an id, after what it was for is stored as spent, or known to cost nothing."""
    for row in database.rows(queries.HOLD, team_id=team_day.team_id, day=team_day.day, hold_id=hold_id):
        database.insert_rows("budget_holds", [{**row, "held_usd": 0.0, "version": row["version"] + 1}])


@dataclass(frozen=True, slots=True)
class _Limit:
    """A budget that each call must keep within: the team's, where `theme_id` is "", or a theme's."""

    theme_id: str
    whole_usd: float
    usd: float  # the part of it that the stage may use


@dataclass(frozen=True, slots=True)
class _Short:
    """A budget that is too small for the next call, and what counts against it."""

    limit: _Limit
    spent: Spending
    own_held: float  # the part of it that this process has set aside


@dataclass(slots=True)
class _Purse:
    """What this process has set aside on one calendar day."""

    hold_id: uuid.UUID
    spent_on: date
    held: float = 0.0  # as it stands in the database
    at_risk: float = 0.0  # the part of it that may be paid for, as it stands in the database
    written_at: float = -math.inf
    under_way: float = 0.0  # for calls that have no answer yet
    unstored: float = 0.0  # what calls cost that model_usage does not show yet
    version: int = 0

    @property
    def used(self) -> float:
        return self.under_way + self.unstored


@dataclass(frozen=True, slots=True)
class _Held:
    """Money of one call; see `Hold`."""

    budget: "DailyBudget"
    purse: _Purse
    most_usd: float
    at: datetime

    def settle(self, charged_usd: float) -> None:
        self.budget._settle(self.purse, self.most_usd, charged_usd)


class DailyBudget:
    """What one stage of one run may spend for a team's day: an `Allowance`. Safe to use from several threads.

    Attributes:
        refusal: why the last call that was not allowed was not, "" while all were.
    """

    def __init__(
        self,
        database: Database,
        team_day: TeamDay,
        *,
        stage: str,
        limit_usd: float | None,
        theme_id: str = "",
        theme_limit_usd: float | None = None,
        clock: Callable[[], datetime] = utc_now,
        new_id: Callable[[], uuid.UUID] = uuid.uuid4,
        patience_s: float = PATIENCE_S,
        is_of_batch: bool = False,
    ) -> None:
        """
        Args:
            limit_usd: the team's budget, None for no limit; the stage may use its share of it.
            theme_id: what the calls are for.
            theme_limit_usd: the theme's own budget, None for none; the stage may use the same share of it.
            is_of_batch: what is set aside is for batches, and outlives this process.
        """
        self._is_of_batch = is_of_batch
        self.refusal = ""
        self._database = database
        self._team_day = team_day
        self._stage = stage
        self._theme_id = theme_id
        self._limit_usd = math.inf if limit_usd is None else limit_usd
        self._theme_limit_usd = math.inf if theme_limit_usd is None else theme_limit_usd
        share = SHARES.get(stage, 1.0)
        self._limits = [
            _Limit(of_theme, whole, share * whole)
            for of_theme, whole in (("", self._limit_usd), (theme_id, self._theme_limit_usd))
            if math.isfinite(whole)
        ]
        self._step = STEP * min((limit.usd for limit in self._limits), default=0.0)
        self._clock = clock
        self._new_id = new_id
        self._patience_s = patience_s
        self._purses: dict[date, _Purse] = {}
        self._changed = threading.Condition()

    def hold(self, model: str, most_usd: float | None) -> Hold:
        """Set money aside for one call; see `Allowance.hold`."""
        if most_usd is None:
            raise PriceUnknown(
                f"nobody knows what {model!r} costs, so "
                + " and ".join(f"{self._whose(limit)} ({limit.whole_usd:g} USD)" for limit in self._limits)
                + " cannot be kept. Give the model a price in the file that LLMA_PRICES_FILE names (0 for a server of "
                "your own), or "
                + " and ".join(
                    "take daily_budget_usd off the theme"
                    if limit.theme_id
                    else "set daily_budget_usd = inf for the team"
                    for limit in self._limits
                )
            )
        until = time.monotonic() + self._patience_s
        with self._changed:
            while True:
                at = self._clock()
                purse = self._purse(at.date())
                short = self._set_aside(purse, most_usd)
                if short is None:
                    purse.under_way += most_usd
                    return _Held(self, purse, most_usd, at)
                left_s = until - time.monotonic()
                if purse.under_way <= _EPSILON or left_s <= 0:
                    self.refusal = self._why(purse, short, most_usd)
                    raise BudgetExhausted(self.refusal)
                self._changed.wait(left_s)

    def stored(self, charged_usd: Mapping[date, float]) -> None:
        """Say that calls have been stored in `model_usage`: what they cost by the day that paid."""
        with self._changed:
            for spent_on, amount in charged_usd.items():
                purse = self._purse(spent_on)
                purse.unstored = max(0.0, purse.unstored - amount)
                # What has moved to model_usage is set aside no longer: the sum of both must not grow by it.
                wanted = max(purse.used, min(purse.held - amount, purse.used + self._step))
                if purse.held > wanted + _EPSILON or purse.at_risk > purse.used + _EPSILON:
                    self._write(purse, wanted if wanted > _EPSILON else 0.0)

    def close(self) -> None:
        """Give back what is not in use. Calls under way keep theirs."""
        with self._changed:
            self._step = 0.0
            for purse in self._purses.values():
                self._lower(purse, purse.used)

    def _settle(self, purse: _Purse, most_usd: float, charged_usd: float) -> None:
        with self._changed:
            purse.under_way = max(0.0, purse.under_way - most_usd)
            purse.unstored += charged_usd
            self._changed.notify_all()

    def _purse(self, spent_on: date) -> _Purse:
        if spent_on not in self._purses:
            self._purses[spent_on] = _Purse(self._new_id(), spent_on)
        return self._purses[spent_on]

    def _set_aside(self, purse: _Purse, most_usd: float) -> _Short | None:
        """See that `most_usd` more is set aside in the database; else say which budget is too small for it."""
        need = purse.used + most_usd
        if purse.held > 0 and time.monotonic() - purse.written_at > RENEWAL_S:
            # Whoever cannot see this process may have counted its money as free.
            self._write(purse, purse.held)
            short = self._shortage(purse, 0.0)
            if short is not None:
                self._write(purse, purse.used)
                return short
        if need <= purse.held + _EPSILON:
            if need > purse.at_risk + _EPSILON:
                self._write(purse, purse.held, coming_usd=most_usd)
            return None
        before = purse.held
        short = None
        for wanted in (need + self._step, need):
            # A first look costs nothing but a read, and spares a write where all is spent.
            short = self._shortage(purse, wanted - purse.held)
            if short is not None:
                continue
            self._write(purse, wanted, coming_usd=most_usd)
            short = self._shortage(purse, 0.0)
            if short is None:
                return None
            self._write(purse, before)
        return short

    def _lower(self, purse: _Purse, wanted: float) -> None:
        if purse.held > wanted + _EPSILON:
            self._write(purse, wanted if wanted > _EPSILON else 0.0)

    def _write(self, purse: _Purse, held_usd: float, *, coming_usd: float = 0.0) -> None:
        """Set aside so much; `coming_usd` is for a call that is about to be made."""
        purse.version += 1  # also of a write that may have failed
        holder = NOBODY if self._is_of_batch else this_process()
        at_risk_usd = 0.0 if self._is_of_batch else min(held_usd, purse.used + coming_usd)
        row = {
            "team_id": self._team_day.team_id,
            "day": self._team_day.day,
            "spent_on": purse.spent_on,
            "hold_id": purse.hold_id,
            "stage": self._stage,
            "theme_id": self._theme_id,
            "held_usd": held_usd,
            "limit_usd": self._limit_usd,
            "theme_limit_usd": self._theme_limit_usd,
            "version": purse.version,
            "machine": holder.machine,
            "pid": holder.pid,
            "pid_started": holder.pid_started,
            "at_risk_usd": at_risk_usd,
        }
        self._database.insert_rows("budget_holds", [row])
        purse.held, purse.at_risk, purse.written_at = held_usd, at_risk_usd, time.monotonic()

    def _shortage(self, purse: _Purse, more_usd: float) -> _Short | None:
        """The first budget that is too small for so much more than is set aside and spent by all."""
        for limit in self._limits:
            spent = spending(self._database, self._team_day, purse.spent_on, theme_id=limit.theme_id)
            if spent.most + more_usd > limit.usd + _EPSILON:
                return _Short(limit, spent, purse.held)
        return None

    def _whose(self, limit: _Limit) -> str:
        team = f"team {self._team_day.team_id}"
        return (
            f"the daily budget of theme {limit.theme_id!r} of {team}"
            if limit.theme_id
            else f"the daily budget of {team}"
        )

    def _why(self, purse: _Purse, short: _Short, most_usd: float) -> str:
        """What counts against a budget that is too small for the next call, and adds up to more than it."""
        limit, spent = short.limit, short.spent
        digits = 4 if limit.usd >= 0.01 else 6

        def usd(amount: float) -> str:
            return f"{amount:.{digits}f}"

        # Of this process what calls are under way for, not what it set aside beyond that.
        own = purse.used - short.own_held
        of_day = (spent.of_day, spent.lost_of_day, spent.held_of_day + own)
        on_date = (spent.on_date, spent.lost_on_date, spent.held_on_date + own)
        is_day = sum(of_day) >= sum(on_date)
        paid, lost, held = of_day if is_day else on_date
        parts = [f"{usd(paid)} is spent for {self._team_day.day}" if is_day else f"{usd(paid)} was spent today"]
        if lost > _EPSILON:
            parts.append(f"{usd(lost)} may have been, by calls that were under way when their run was killed")
        if held > _EPSILON:
            parts.append(f"{usd(held)} is set aside by runs at work")
        share = f", of which {self._stage} may use {usd(limit.usd)}" if limit.usd < limit.whole_usd else ""
        return (
            f"{self._whose(limit)} is {usd(limit.whole_usd)} USD{share}; {', '.join(parts)}, "
            f"and the next call may cost {usd(most_usd)}: {usd(paid + lost + held + most_usd)} in all"
        )
