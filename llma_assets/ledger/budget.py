"""The daily budget of a team, shared by all stages, threads and processes: reserved before each call, never exceeded.

Two limits of the same amount hold at once: for the day of the traces, over all runs; and for the calendar day (UTC) of
the calls, over all days of traces. So a day's traffic never costs more than the budget, and a backfill of thirty days
does not spend thirty budgets at once.

A theme may have its own budget within that of the team. Its calls must be within both: reservations for a theme count
against the budgets of the theme and of the team.

A reservation belongs to a process (`holders`). It is released once the process is known to be dead, or, for a process
on another machine, once it has not renewed it for a while. What calls under way may have cost counts for ever.

How processes see each other: each stores its reservation (`budget_holds`) before it reads the reservations and spending
of all, and withdraws it if the sum is too high. Of two that do so at the same time at least one sees the other. On a
cluster reads see every finished insert (`Database.sequential`).
"""

import math
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from llma_assets.clickhouse import Database
from llma_assets.ledger.charges import spending, utc_now
from llma_assets.ledger.holders import NO_PROCESS, this_process
from llma_assets.ledger.holds import Reservation
from llma_assets.ledger.limits import Limit, Shortage, price_unknown, why_refused
from llma_assets.models import BudgetExhausted, Hold, PriceUnknown
from llma_assets.team_day import TeamDay

STAGE_SHARES = {"trace_summaries": 0.9}
"""The share of the budget that a stage may use; 1 for all others. Some money must be left to embed summaries and to
label their clusters."""

STEP_SHARE = 0.05
"""Share of the budget that a process reserves at once, so that not every call needs the database."""

RENEWAL_S = 300.0
"""A process that was silent for longer asks anew; what it has set aside counts for `LEASE_S` after it was written."""

MAX_WAIT_S = 30.0
"""How long a call waits for other calls of this process to release what they did not use."""

_EPSILON = 1e-9


@dataclass(frozen=True, slots=True)
class _Held:
    """The reservation of one call; see `Hold`."""

    budget: "DailyBudget"
    reservation: Reservation
    most_usd: float
    at: datetime

    def settle(self, charged_usd: float) -> None:
        self.budget._settle(self.reservation, self.most_usd, charged_usd)


class DailyBudget:
    """What one stage of one run may spend for a team's day: an `Allowance`. Safe to use from several threads.

    Attributes:
        refusal: why the last refused call was refused, "" if none was.
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
        max_wait_s: float = MAX_WAIT_S,
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
        self._database = database.sequential()
        self._team_day = team_day
        self._stage = stage
        self._theme_id = theme_id
        self._limit_usd = math.inf if limit_usd is None else limit_usd
        self._theme_limit_usd = math.inf if theme_limit_usd is None else theme_limit_usd
        share = STAGE_SHARES.get(stage, 1.0)
        self._limits = [
            Limit(team_day.team_id, of_theme, whole, share * whole)
            for of_theme, whole in (("", self._limit_usd), (theme_id, self._theme_limit_usd))
            if math.isfinite(whole)
        ]
        self._step = STEP_SHARE * min((limit.usd for limit in self._limits), default=0.0)
        self._clock = clock
        self._new_id = new_id
        self._max_wait_s = max_wait_s
        self._reservations: dict[date, Reservation] = {}
        self._changed = threading.Condition()

    def hold(self, model: str, most_usd: float | None) -> Hold:
        """Reserve money for one call; see `Allowance.hold`."""
        if most_usd is None:
            raise PriceUnknown(price_unknown(model, self._limits))
        until = time.monotonic() + self._max_wait_s
        with self._changed:
            while True:
                at = self._clock()
                reservation = self._reservation(at.date())
                short = self._set_aside(reservation, most_usd)
                if short is None:
                    reservation.under_way += most_usd
                    return _Held(self, reservation, most_usd, at)
                left_s = until - time.monotonic()
                if reservation.under_way <= _EPSILON or left_s <= 0:
                    self.refusal = why_refused(
                        short,
                        stage=self._stage,
                        day=self._team_day.day,
                        used_usd=reservation.used,
                        most_usd=most_usd,
                    )
                    raise BudgetExhausted(self.refusal)
                self._changed.wait(left_s)

    def stored(self, charged_usd: Mapping[date, float]) -> None:
        """Say that calls have been stored in `model_usage`: what they cost by the day that paid."""
        with self._changed:
            for spent_on, amount in charged_usd.items():
                reservation = self._reservation(spent_on)
                reservation.unstored = max(0.0, reservation.unstored - amount)
                # What has moved to model_usage is set aside no longer: the sum of both must not grow by it.
                wanted = max(reservation.used, min(reservation.held - amount, reservation.used + self._step))
                if reservation.held > wanted + _EPSILON or reservation.at_risk > reservation.used + _EPSILON:
                    self._write(reservation, wanted if wanted > _EPSILON else 0.0)

    def close(self) -> None:
        """Release what is not in use. Calls under way keep their part."""
        with self._changed:
            self._step = 0.0
            for reservation in self._reservations.values():
                self._lower(reservation, reservation.used)

    def _settle(self, reservation: Reservation, most_usd: float, charged_usd: float) -> None:
        with self._changed:
            reservation.under_way = max(0.0, reservation.under_way - most_usd)
            reservation.unstored += charged_usd
            self._changed.notify_all()

    def _reservation(self, spent_on: date) -> Reservation:
        if spent_on not in self._reservations:
            self._reservations[spent_on] = Reservation(self._new_id(), spent_on)
        return self._reservations[spent_on]

    def _set_aside(self, reservation: Reservation, most_usd: float) -> Shortage | None:
        """See that `most_usd` more is set aside in the database; else say which budget is too small for it."""
        need = reservation.used + most_usd
        if reservation.held > 0 and time.monotonic() - reservation.written_at > RENEWAL_S:
            # Processes that cannot see this one may have counted its money as free.
            self._write(reservation, reservation.held)
            short = self._shortage(reservation, 0.0)
            if short is not None:
                self._write(reservation, reservation.used)
                return short
        if need <= reservation.held + _EPSILON:
            if need > reservation.at_risk + _EPSILON:
                self._write(reservation, reservation.held, coming_usd=most_usd)
            return None
        before = reservation.held
        short = None
        for wanted in (need + self._step, need):
            # A first look costs nothing but a read, and spares a write where all is spent.
            short = self._shortage(reservation, wanted - reservation.held)
            if short is not None:
                continue
            self._write(reservation, wanted, coming_usd=most_usd)
            short = self._shortage(reservation, 0.0)
            if short is None:
                return None
            self._write(reservation, before)
        return short

    def _lower(self, reservation: Reservation, wanted: float) -> None:
        if reservation.held > wanted + _EPSILON:
            self._write(reservation, wanted if wanted > _EPSILON else 0.0)

    def _write(self, reservation: Reservation, held_usd: float, *, coming_usd: float = 0.0) -> None:
        """Set aside so much; `coming_usd` is for a call that is about to be made."""
        reservation.version += 1  # also of a write that may have failed
        holder = NO_PROCESS if self._is_of_batch else this_process()
        at_risk_usd = 0.0 if self._is_of_batch else min(held_usd, reservation.used + coming_usd)
        row = {
            "team_id": self._team_day.team_id,
            "day": self._team_day.day,
            "spent_on": reservation.spent_on,
            "hold_id": reservation.hold_id,
            "stage": self._stage,
            "theme_id": self._theme_id,
            "held_usd": held_usd,
            "limit_usd": self._limit_usd,
            "theme_limit_usd": self._theme_limit_usd,
            "version": reservation.version,
            "machine": holder.machine,
            "pid": holder.pid,
            "pid_started": holder.pid_started,
            "at_risk_usd": at_risk_usd,
        }
        self._database.insert_rows("budget_holds", [row])
        reservation.held, reservation.at_risk, reservation.written_at = held_usd, at_risk_usd, time.monotonic()

    def _shortage(self, reservation: Reservation, more_usd: float) -> Shortage | None:
        """The first budget that is too small for so much more than is set aside and spent by all."""
        for limit in self._limits:
            spent = spending(self._database, self._team_day, reservation.spent_on, theme_id=limit.theme_id)
            if spent.most + more_usd > limit.usd + _EPSILON:
                return Shortage(limit, spent, reservation.held)
        return None
