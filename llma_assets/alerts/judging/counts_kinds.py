"""Rules about how much of a cluster there is: escalating, thresholds, shifts of its share."""

import numpy as np
from numpy.typing import NDArray

from llma_assets.alerts.judging.closing import Line, Looked
from llma_assets.alerts.judging.correction import FALSE_ALARMS, binomial_tail, tail
from llma_assets.alerts.judging.expected import Expected, expected, leaned, with_all_days
from llma_assets.alerts.judging.history import Floats, History, there_since
from llma_assets.alerts.rule import Measure, Rule

FLOOR = 20
"""Without any history a value below this is never an alarm."""

RATES_FALSE_ALARMS = 0.05
"""Of rates and shares, whose interval's near end is above the limit already."""

LESS, SURE = 0.75, 1e-4
"""Three quarters of the `times_expected` of a rule are enough where the corrected chance is below this."""

FEW = 10.0
YOUNG_DAYS = 7
CLOSES = 0.7
"""An incident closes below expected + 0.7 k sigma."""


def escalating(rule: Rule, history: History, t: int) -> Looked:
    """The value is above what is expected of it, in a day and in three, and so is its share."""
    found = history.counts(rule.measure)
    since = there_since(history, t)
    scale = _scale(history, rule.measure, t)
    own, by_share = expected_counts(history, rule.measure, t)
    k = np.where(own.weeks < 2, rule.k + 1, float(rule.k))
    weeks = own.weeks
    own, by_share = leaned(own, by_share), leaned(by_share, by_share)
    recent = _recent(history, t)
    count_line, share_line = own.value[:, -1] + k * own.sigma[:, -1], by_share.value[:, -1] + k * by_share.sigma[:, -1]
    times = rule.times_expected or 1.0
    less = max(LESS * times, 1.0)
    told_above = np.maximum(count_line, less * own.value[:, -1])
    low = found.low[:, t]
    long_low = found.low[:, recent].sum(axis=1)
    long_line, long_share_line = (_long_line(each, recent, t, k) for each in (own, by_share))
    long_usual = _long_line(own, recent, t, np.ones(len(k)))
    long_scaled = (found.low * scale)[:, recent].sum(axis=1)
    chance = np.maximum(_chance(low, long_low, own, recent, t), _chance(low, long_scaled, by_share, recent, t))
    line = Line(
        value=found.value[:, t], low=low, high=found.high[:, t], limit=count_line,
        closing=own.value[:, -1] + CLOSES * k * own.sigma[:, -1],
        numbers={
            "expected": own.value[:, -1], "sigma": own.sigma[:, -1], "k": k, "weeks": weeks, "limit": told_above,
            "long_value": long_low, "long_limit": long_line, "long_expected": long_usual,
            "expected_by_share": by_share.value[:, -1],
            "share_limit": share_line,
        },
    )  # fmt: skip
    reasons = (
        (t - since < YOUNG_DAYS * history.scale.day, "it is younger than 7 days: it is new, not escalating"),
        (np.isnan(own.any_day) & (low < FLOOR), f"there is no history, and it is below {FLOOR}"),
        (low <= count_line, f"it is within what is expected of the {history.scale.name}"),
        (low <= less * own.value[:, -1], f"it is not {less:g} times what is expected"),
        (low <= share_line, "the whole team grew: its share is within what is expected"),
        (long_low <= long_line, f"over {history.scale.window} it is within what is expected"),
        (long_scaled <= long_share_line, f"over {history.scale.window} its share is within what is expected"),
        *_impact(rule, history, t),
    )
    asked = t - since >= YOUNG_DAYS * history.scale.day
    return Looked(line, reasons, chance, asked, np.where(low > times * own.value[:, -1], FALSE_ALARMS, SURE))


def expected_counts(history: History, measure: Measure, t: int) -> tuple[Expected, Expected]:
    """What is expected of a measure on column `t` by itself, and where the team grew or shrank as a whole."""
    found = history.counts(measure).value
    known = _known(history, there_since(history, t), t)
    by_share = with_all_days(expected(found * _scale(history, measure, t), known, t, history.scale))
    return with_all_days(expected(found, known, t, history.scale), by_share), by_share


def threshold(rule: Rule, history: History, t: int) -> Looked:
    """The near end of the interval is above each limit that the rule names."""
    found = history.levels(rule.measure)
    previous = _mean(found.value, history, t, by_hour=rule.measure not in ("error_rate", "share"))
    usual = expected(found.value, _known(history, there_since(history, t), t), t, history.scale)
    limits: list[tuple[Floats, str]] = []
    if rule.above is not None:
        limits.append((np.full(len(previous), float(rule.above)), f"{rule.above:g}"))
    if rule.times_previous is not None:
        limits.append((rule.times_previous * previous, f"{rule.times_previous:g} times the seven days before"))
    if rule.times_expected is not None:
        limits.append((rule.times_expected * usual.value[:, -1], f"{rule.times_expected:g} times what is expected"))
    limit = np.max([each for each, _ in limits], axis=0)
    low = found.low[:, t]
    chance = None  # a count is what it is; only rates and shares are guesses
    if rule.measure == "error_rate":
        chance = binomial_tail(history.errors[:, t], history.known[:, t], np.clip(limit, 0.0, 1.0))
    elif rule.measure == "share":
        chance = binomial_tail(history.traces[:, t], np.full(len(low), history.total[t]), np.clip(limit, 0.0, 1.0))
    line = Line(
        value=found.value[:, t], low=low, high=found.high[:, t], limit=limit, closing=limit,
        numbers={
            "previous": previous, "expected": usual.value[:, -1], "weeks": usual.weeks, "limit": limit,
        },
    )  # fmt: skip
    reasons = (
        *((low <= each, f"it is not certainly above {words}") for each, words in limits),
        *_impact(rule, history, t),
    )
    # How many traces and users there are says nothing of a rate of errors.
    enough = (history.traces[:, t] >= rule.min_traces) & (history.users[:, t] >= rule.min_users)
    asked = enough if rule.measure == "error_rate" else None
    return Looked(line, reasons, chance, asked, RATES_FALSE_ALARMS)


def share_shift(rule: Rule, history: History, t: int) -> Looked:
    """The share is above or below what is expected, by k sigma in a day and k - 1 in three."""
    found, since = history.counts("traces"), there_since(history, t)
    known = _known(history, since, t)
    scale = _growth(found.value, history.total, t)
    usual = with_all_days(expected(found.value * scale, known, t, history.scale))
    k = np.where(usual.weeks < 2, rule.k + 1, float(rule.k))
    mean, sigma = usual.value[:, -1], usual.sigma[:, -1]
    away = np.maximum(found.low[:, t] - mean, mean - found.high[:, t]) / sigma
    recent = _recent(history, t)
    at = [usual.value.shape[1] - 1 - (t - each) for each in recent]
    long = (found.value * scale)[:, recent].sum(axis=1) - usual.value[:, at].sum(axis=1)
    long_away = np.abs(long) / np.sqrt((usual.sigma[:, at] ** 2).sum(axis=1))
    upper = tail(found.low[:, t], mean, sigma, usual.weeks)
    lower = 1 - tail(found.high[:, t] + 1, mean, sigma, usual.weeks)
    chance = 2 * np.minimum(upper, lower)
    share = history.levels("share")
    line = Line(
        value=share.value[:, t], low=share.low[:, t], high=share.high[:, t], limit=k, closing=CLOSES * k, compared=away,
        numbers={
            "expected": mean / max(history.total[t], 1.0), "sigma": sigma / max(history.total[t], 1.0), "k": k,
            "weeks": usual.weeks, "sigmas_away": away, "long_sigmas_away": long_away,
        },
    )  # fmt: skip
    reasons = (
        (t - since < YOUNG_DAYS * history.scale.day, "it is younger than 7 days: it is new"),
        (np.isnan(usual.any_day), "there is no history"),
        (away <= k, f"its share is within what is expected of the {history.scale.name}"),
        (long_away <= k - 1, f"over {history.scale.window} its share is within what is expected"),
        *_impact(rule, history, t),
    )
    asked = t - since >= YOUNG_DAYS * history.scale.day
    return Looked(line, reasons, np.minimum(chance, 1.0), asked)


def _known(history: History, since: NDArray[np.intp], t: int) -> NDArray[np.bool_]:
    columns = np.arange(history.days)
    return history.complete[None, :] & (columns[None, :] >= since[:, None]) & (columns <= t)[None, :]


def _growth(values: Floats, total: Floats, t: int) -> Floats:
    """(lineages, days) how many times as much as on each day the other lineages have on day `t`.

    Of the others, because a spike would raise the whole that it is a share of; a few are added, so that a lineage that
    is nearly alone is judged by itself.
    """
    others = np.maximum(total[None, :] - values, 0.0) + FEW
    found: Floats = others[:, t : t + 1] / others
    return found


def _scale(history: History, measure: Measure, t: int) -> Floats:
    found = history.counts(measure).value
    return _growth(found, found.sum(axis=0) if measure != "traces" else history.total, t)


def _recent(history: History, t: int) -> list[int]:
    """The complete ones of the long window's days."""
    return [each for each in range(max(t - history.scale.long + 1, 0), t + 1) if history.complete[each]]


def _long_line(usual: Expected, recent: list[int], t: int, k: Floats) -> Floats:
    at = [usual.value.shape[1] - 1 - (t - each) for each in recent]
    found: Floats = usual.value[:, at].sum(axis=1) + (k - 1) * np.sqrt((usual.sigma[:, at] ** 2).sum(axis=1))
    return found


def _chance(low: Floats, long_low: Floats, usual: Expected, recent: list[int], t: int) -> Floats:
    """The chance of so much in the short window, or in the long one if it says more; twice the smaller: two looks."""
    at = [usual.value.shape[1] - 1 - (t - each) for each in recent]
    day = tail(low, usual.value[:, -1], usual.sigma[:, -1], usual.weeks)
    long_sigma = np.sqrt((usual.sigma[:, at] ** 2).sum(axis=1))
    long = tail(long_low, usual.value[:, at].sum(axis=1), long_sigma, usual.weeks)
    found: Floats = np.minimum(2 * np.minimum(day, long), 1.0)
    return found


def _mean(values: Floats, history: History, t: int, *, by_hour: bool) -> Floats:
    """Mean of the complete days among the seven before; 0 of none.

    Of hours, that of the hours of seven days; with `by_hour` of the same hour of each.
    """
    step = history.scale.day if by_hour else 1
    before = (t - back for back in range(step, history.scale.week + 1, step))
    days = [each for each in before if each >= 0 and history.complete[each]]
    return values[:, days].mean(axis=1) if days else np.zeros(len(values))


def _impact(rule: Rule, history: History, t: int) -> tuple[tuple[NDArray[np.bool_], str], ...]:
    return (
        (history.traces[:, t] < rule.min_traces, f"fewer than {rule.min_traces} traces"),
        (history.users[:, t] < rule.min_users, f"fewer than {rule.min_users} users"),
    )
