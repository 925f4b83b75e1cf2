"""How each theme of a team is: what it looked at lately, what that cost, and whether anything is wrong with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

from llma_assets.clickhouse import Database
from llma_assets.serialization import Amount, TeamId, ThemeId
from llma_assets.themes import Theme

DAYS = 7
LATE_AFTER = timedelta(days=2)
"""A daily theme whose last run is older than that, counted from the team's last, is late."""

State = Literal["off", "fine", "no_run", "late", "deferred", "failing"]

# Keys: trace_summaries (team_id, day, theme_id, item_id); model_usage (team_id, day, stage, theme_id, model, call_id);
# skips (team_id, day, stage, theme_id).
THEME_STATES = """
SELECT
    theme_id, sum(answered) AS answered, sum(failed) AS failed, sum(cost) AS cost_usd,
    argMax(reason, (day, reason != '')) AS last_reason, argMax(detail, (day, reason != '')) AS last_detail,
    maxIf(day, reason != '') AS reason_day
FROM
(
    SELECT theme_id, day, countIf(status = 'generated') AS answered, countIf(status = 'failed') AS failed,
        toFloat64(0) AS cost, '' AS reason, '' AS detail
    FROM trace_summaries FINAL
    WHERE team_id = {team_id:Int64} AND day BETWEEN {from:Date} AND {until:Date}
    GROUP BY theme_id, day
    UNION ALL
    SELECT theme_id, day, 0, 0, sum(coalesce(cost_usd, at_most_usd, 0)), '', ''
    FROM model_usage FINAL
    WHERE team_id = {team_id:Int64} AND day BETWEEN {from:Date} AND {until:Date}
    GROUP BY theme_id, day
    UNION ALL
    SELECT theme_id, day, 0, 0, 0, reason, detail
    FROM skips FINAL
    WHERE team_id = {team_id:Int64} AND day BETWEEN {from:Date} AND {until:Date} AND theme_id != '' AND reason != ''
)
GROUP BY theme_id
ORDER BY theme_id
"""


@dataclass(frozen=True, slots=True)
class ThemeState:
    """A theme over the days up to one.

    Attributes:
        answered, failed: its questions, by what came of them.
        cost_usd: of all its stages.
        state: `no_run` of one that is on and was never clustered; `late`; `deferred` and `failing` by its last skip, or
            where questions failed.
        why: in words, "" for fine and off.
        day: of which day that is, None where it is of no day in particular.
    """

    theme_id: ThemeId
    answered: int
    failed: int
    cost_usd: Amount
    state: State
    why: str
    day: date | None


@dataclass(frozen=True, slots=True)
class ThemeStates:
    """The themes of a team."""

    team_id: TeamId
    first_day: date
    last_day: date
    themes: tuple[ThemeState, ...]


def theme_states(
    database: Database,
    team_id: int,
    themes: Sequence[Theme],
    last_runs: Mapping[str, Mapping[str, Any]],
    last_day: date,
) -> ThemeStates:
    """What each theme did in the week up to a day.

    Args:
        last_runs: by theme_id, as `llma_assets.clusters.last_runs` reads them.
        last_day: the team's last day with clusters, or today.
    """
    first_day = last_day - timedelta(days=DAYS - 1)
    rows = database.rows(THEME_STATES, team_id=team_id, **{"from": first_day, "until": last_day})
    found = {row["theme_id"]: row for row in rows}
    states = tuple(
        _state(theme, found.get(theme.theme_id), last_runs.get(theme.theme_id), last_day) for theme in themes
    )
    return ThemeStates(team_id, first_day, last_day, states)


def _state(theme: Theme, row: Mapping[str, Any] | None, run: Mapping[str, Any] | None, last_day: date) -> ThemeState:
    answered, failed = (row["answered"], row["failed"]) if row else (0, 0)
    state, why, day = _health(theme, row, run, last_day)
    return ThemeState(theme.theme_id, answered, failed, row["cost_usd"] if row else 0, state, why, day)


def _health(
    theme: Theme, row: Mapping[str, Any] | None, run: Mapping[str, Any] | None, last_day: date
) -> tuple[State, str, date | None]:
    if not theme.enabled:
        return "off", "", None
    if row and row["last_reason"]:
        is_deferred = "budget" in row["last_reason"] or "defer" in row["last_reason"]
        said = row["last_reason"].replace("_", " ") + (f": {row['last_detail']}" if row["last_detail"] else "")
        return ("deferred" if is_deferred else "failing"), said, row["reason_day"]
    if run is None:
        return "no_run", "no run has clustered it yet", None
    if row and row["failed"]:
        return "failing", f"{row['failed']:,} of {row['failed'] + row['answered']:,} questions failed", None
    if theme.schedule != "manual" and last_day - run["last_day"] >= LATE_AFTER and theme.covers(last_day):
        return "late", "other themes ran since", run["last_day"]
    return "fine", "", None
