"""How often a lineage was seen, by day: of all traces that its theme looked at, and of all their users."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from llma_assets.clickhouse import Database
from llma_assets.clusters import standings_of, taken_out_by_lineage
from llma_assets.insights.effect import DayRate
from llma_assets.insights.queries import LINEAGE_BY_DAY, RUNS_OF_THEME


@dataclass(frozen=True, slots=True)
class Rates:
    """Two series of the same days, oldest first.

    Attributes:
        traces: traces, or sessions of replays, that have it.
        users: users that have it; without days where users are unknown.
    """

    traces: tuple[DayRate, ...]
    users: tuple[DayRate, ...]


def lineage_rates(
    database: Database, team_id: int, theme_id: str, lineage_ids: Collection[str], first_day: date, last_day: date
) -> Rates:
    """The daily rates of lineages that count as one.

    Args:
        lineage_ids: all of them.
        first_day, last_day: items of these days, in the runs of these days.
    """
    period = {"team_id": team_id, "theme_id": theme_id, "from": first_day, "until": last_day}
    runs = list(database.rows(RUNS_OF_THEME, **period))
    if not runs:
        return Rates((), ())
    taken_out = taken_out_by_lineage(standings_of(database, team_id), lineage_ids)
    rows = list(
        database.rows(
            LINEAGE_BY_DAY,
            **period,
            level=runs[-1]["level"],
            attempt_ids=[run["attempt_id"] for run in runs],
            lineage_ids=sorted(lineage_ids),
            taken_out=sorted({item_id for lineage_id, item_id in taken_out if lineage_id in lineage_ids}),
        )
    )
    return Rates(
        tuple(DayRate(row["day"], row["traces_in"], row["traces"]) for row in rows),
        tuple(DayRate(row["day"], row["users_in"], row["users"]) for row in rows if row["users"]),
    )
