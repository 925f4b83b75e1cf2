"""Decides which teams are eligible on a day, and why: a pure rule over counts. Queries belong in `eligible_teams`."""

import hashlib
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from typing import Literal

from llma_assets.teams import TeamSettings, why_left_out

DecisionReason = Literal["guaranteed", "active", "skipped", "below_minimum", "not_sampled", "no_recent_events"]
"""Why a team is eligible (the first two) or not."""

DECISION_VERSION = "1"
"""Changes with what is decided about equal counts and settings."""

NO_RECENT_EVENTS: DecisionReason = "no_recent_events"


@dataclass(frozen=True, slots=True)
class TeamStats:
    """Counts of a team in the window.

    Attributes:
        team_id: the team.
        traces: number of distinct trace ids.
        events: number of trigger events, those without a trace id included.
        unreadable: number of these by day whose properties are not a JSON object, so that no stage can read them.
    """

    team_id: int
    traces: int
    events: int
    unreadable: Mapping[date, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TeamDecision:
    """Whether a team is eligible on a day, and why.

    Attributes:
        team_id: the team.
        eligible: whether the team takes part.
        reason: the stored name of the reason.
        detail: the reason as a sentence, with numbers.
        traces: number of distinct trace ids in the window.
        events: number of trigger events in the window.
        first_day: first day of the window, UTC.
        last_day: last day of the window, UTC: the day of the decision.
        unreadable: as in `TeamStats`; not part of the decision and not stored.
    """

    team_id: int
    eligible: bool
    reason: DecisionReason
    detail: str
    traces: int
    events: int
    first_day: date
    last_day: date
    unreadable: Mapping[date, int] = field(default_factory=dict, compare=False)


def window_of(day: date, lookback_days: int) -> tuple[date, date]:
    """First and last day (inclusive) of the window that ends with `day`."""
    return day - timedelta(days=lookback_days - 1), day


def decide(
    stats: Sequence[TeamStats],
    settings: TeamSettings,
    day: date,
    known_team_ids: Collection[int] = (),
) -> list[TeamDecision]:
    """Decide on every team that sent events, is named in the settings, or had a decision before.

    The skip list overrides everything. A guaranteed team with events is eligible, however few its traces are; if they
    are too few to cluster, clustering records a skip. A guaranteed team without events is not eligible. Of the other
    teams, those with enough traces are sampled.

    Args:
        stats: counts of each team in the window; teams without events may be absent.
        settings: guaranteed and skipped teams, and the share of the others.
        day: last day of the window.
        known_team_ids: teams with an earlier decision, which get a row even without events.

    Returns:
        decisions on guaranteed teams in the order of the settings, then on the others by id.
    """
    found = {team.team_id: team for team in stats}
    window = window_of(day, settings.lookback_days)
    guaranteed = list(dict.fromkeys(settings.guaranteed_team_ids))
    others = sorted(({*found, *known_team_ids} | settings.skip_team_ids).difference(guaranteed))
    sampled = _sampled((team for team in others if _has_enough(found.get(team), settings)), settings)
    decisions = []
    for team_id in [*guaranteed, *others]:
        team = found.get(team_id, TeamStats(team_id, 0, 0))
        reason, detail = _reason(team, settings, window, is_sampled=team_id in sampled)
        is_eligible = reason in ("guaranteed", "active")
        decision = TeamDecision(
            team_id, is_eligible, reason, detail, team.traces, team.events, *window, team.unreadable
        )
        decisions.append(decision)
    return decisions


def _reason(
    team: TeamStats, settings: TeamSettings, window: tuple[date, date], *, is_sampled: bool
) -> tuple[DecisionReason, str]:
    minimum = settings.minimum_of(team.team_id)
    if why_left_out(settings, team.team_id) is not None:
        return "skipped", "the team is on the skip list"
    if team.events == 0:
        return NO_RECENT_EVENTS, f"no trace event from {window[0]} to {window[1]}"
    if team.team_id in settings.guaranteed_team_ids:
        return "guaranteed", f"the team is on the guaranteed list; {team.traces} traces"
    if team.traces < minimum:
        unreadable = sum(team.unreadable.values())
        return "below_minimum", f"{team.traces} of {minimum} traces" + (
            f"; {unreadable:,} events cannot be read" * bool(unreadable)
        )
    if not is_sampled:
        return "not_sampled", f"not among the sampled {settings.sample_percentage:.4%} of the active teams"
    return "active", f"{team.traces} traces, at least {minimum} needed"


def _has_enough(team: TeamStats | None, settings: TeamSettings) -> bool:
    return (
        team is not None
        and team.events > 0
        and why_left_out(settings, team.team_id) is None
        and team.traces >= settings.minimum_of(team.team_id)
    )


def _sampled(team_ids: Iterable[int], settings: TeamSettings) -> frozenset[int]:
    """The sampled share of these teams, rounded up.

    A hash of seed and id ranks the teams, so that the sample is stable from day to day but for a few at its edge.
    """
    ranked = sorted(team_ids, key=lambda team_id: _rank(settings.sample_seed, team_id))
    # Through the decimal text: 0.07 of 100 is 7, where floats say 7.000000000000001 and so 8.
    count = math.ceil(Fraction(str(settings.sample_percentage)) * len(ranked))
    return frozenset(ranked[:count])


def _rank(seed: int, team_id: int) -> bytes:
    return hashlib.sha256(f"{seed}:{team_id}".encode()).digest()
