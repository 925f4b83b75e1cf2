"""SQL and reading for the overlap of two themes: traces that a theme evaluated, and those of its clusters."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from llma_assets.clickhouse import Database
from llma_assets.clusters import (
    NOISE_LABEL,
    NOTHING,
    Run,
    clusters_of,
    committed_run,
    counted_as,
    members_of,
    standings_of,
)
from llma_assets.reports.overlap import Crossing, cross
from llma_assets.team_day import TeamDay

Among = Literal["looked_at", "in_both"]
"""The traces that are compared: all that both themes looked at, or only those that are in a cluster of both."""

# A theme has looked at an item that it has an answer about, or that its rule left out before the question; not at one
# that it no longer takes. Keys: trace_summaries (team_id, day, theme_id, item_id), theme_items (team_id, day, theme_id,
# item_id), trace_texts (team_id, day, level, item_id).
LOOKED_AT = """
SELECT DISTINCT trace_id
FROM
(
    SELECT trace_id
    FROM trace_summaries FINAL
    WHERE team_id = {team_id:Int64}
        AND day BETWEEN {from:Date} AND {until:Date}
        AND theme_id = {theme_id:String}
        AND status = 'generated'
        AND (day, item_id) NOT IN
        (
            SELECT day, item_id
            FROM theme_items FINAL
            WHERE team_id = {team_id:Int64}
                AND day BETWEEN {from:Date} AND {until:Date}
                AND theme_id = {theme_id:String}
                AND NOT taken
        )
    UNION ALL
    SELECT trace_id
    FROM trace_texts FINAL
    WHERE team_id = {team_id:Int64}
        AND day BETWEEN {from:Date} AND {until:Date}
        AND level = {level:String}
        AND (day, item_id) IN
        (
            SELECT day, item_id
            FROM theme_items FINAL
            WHERE team_id = {team_id:Int64}
                AND day BETWEEN {from:Date} AND {until:Date}
                AND theme_id = {theme_id:String}
                AND taken
                AND NOT screened
        )
)
WHERE trace_id != ''
"""


class NotClusteredError(LookupError):
    """A theme has no clusters on the day; the message says which."""


@dataclass(frozen=True, slots=True)
class CrossedThemes:
    """Two themes of a team's day.

    Attributes:
        first_run, second_run: the committed runs that are compared.
        first_day: of the days that both read; what only one of them read is left out.
        among: which traces are compared.
        crossing: what came of it. A cluster's key is the lineage that it counts as, or its number where it has none.
    """

    first_run: Run
    second_run: Run
    first_day: date
    among: Among
    crossing: Crossing


def cross_themes(
    database: Database, team_day: TeamDay, first_theme: str, second_theme: str, *, among: Among = "looked_at"
) -> CrossedThemes:
    """Which clusters of two themes share traces more than chance would, in the runs of a day.

    What people merged is one cluster, and what they hid is left out. A theme of generations is compared by the traces
    of its items.

    Raises:
        NotClusteredError: a theme has no clusters on the day.
    """
    runs = []
    for theme_id in (first_theme, second_theme):
        run = committed_run(database, team_day, theme_id)
        if run is None or not run.items:
            raise NotClusteredError(f"theme {theme_id!r} has no clusters of team {team_day.team_id} on {team_day.day}")
        runs.append(run)
    first_day = max(run.window_start.date() for run in runs)
    ones, others = (_traces_by_cluster(database, run, first_day) for run in runs)
    looked_at = [
        _looked_at(database, run, first_day).union(*of_run.values())
        for run, of_run in zip(runs, (ones, others), strict=True)
    ]
    traces = looked_at[0] & looked_at[1]
    if among == "in_both":
        traces &= set[str]().union(*ones.values()) & set[str]().union(*others.values())
    return CrossedThemes(runs[0], runs[1], first_day, among, cross(ones, others, traces))


def _traces_by_cluster(database: Database, run: Run, first_day: date) -> Mapping[str, set[str]]:
    """Trace ids by cluster, outliers in none of them."""
    decided = standings_of(database, run.team_id)
    keys = {
        row["cluster_id"]: counted_as(row["lineage_id"], decided) if row["lineage_id"] else str(row["cluster_id"])
        for row in clusters_of(database, run)
        if row["cluster_id"] != NOISE_LABEL
    }
    found: dict[str, set[str]] = {key: set() for key in keys.values() if not decided.get(key, NOTHING).hidden}
    for member in members_of(database, run):
        key = keys.get(member["cluster_id"])
        if key in found and member["item_day"] >= first_day:
            found[key].add(member["trace_id"])
    return found


def _looked_at(database: Database, run: Run, first_day: date) -> set[str]:
    rows = database.rows(
        LOOKED_AT,
        team_id=run.team_id,
        theme_id=run.theme_id,
        level=run.level,
        **{"from": first_day, "until": run.day},
    )
    return {row["trace_id"] for row in rows}
