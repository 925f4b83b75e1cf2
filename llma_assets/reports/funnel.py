"""What became of a theme's items over some days, from those that matched to those in a cluster; counted, not guessed.

What the items stand for, where they are a sample, belongs to whoever reports it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from llma_assets.clickhouse import Database
from llma_assets.clusters import clustered_since
from llma_assets.summaries import FUNNEL_OF_DAYS
from llma_assets.team_day import TeamDay
from llma_assets.themes import Theme, stored_versions


@dataclass(frozen=True, slots=True)
class Funnel:
    """How many items came how far, under the theme's present version; no number is larger than the one before.

    Attributes:
        matched: match the filters and are relevant to the theme before, if there is one. For a theme that looks at the
            sample of the hours: those of the sample that do.
        sampled: have a text and are in the theme's sample.
        screened: were not left out by its rule, and so are asked about.
        summarised: have their answer.
        relevant: of these, those that the theme concerns.
        clustered: are in a cluster of the run that is published for the last day.
        outliers: are in that run, and in no cluster.
        days: of how many days the theme has taken its items.
    """

    matched: int = 0
    sampled: int = 0
    screened: int = 0
    summarised: int = 0
    relevant: int = 0
    clustered: int = 0
    outliers: int = 0
    days: int = 0


def funnel(database: Database, team_id: int, first_day: date, last_day: date, theme: Theme) -> Funnel:
    """Count a theme's items of the days from `first_day` to `last_day`, both included.

    A run of the last day reads as many days as its window has: of earlier ones nothing is in a cluster of it.
    """
    (row,) = database.rows(
        FUNNEL_OF_DAYS,
        team_id=team_id,
        theme_id=theme.theme_id,
        version=theme.version,
        versions=list(stored_versions(theme)),
        **{"from": first_day, "until": last_day},
    )
    clustered = clustered_since(database, TeamDay(team_id, last_day), theme.theme_id, theme.version, first_day)
    return Funnel(
        matched=row["matched"],
        sampled=row["sampled"],
        screened=row["screened"],
        summarised=row["summarised"],
        relevant=row["relevant"],
        clustered=clustered["clustered"],
        outliers=clustered["outliers"],
        days=row["days"],
    )


def funnel_tables(
    database: Database, team_day: TeamDay, themes: Sequence[Theme], steps: Sequence[str], *, lookback_days: int = 1
) -> list[dict[str, Any]]:
    """A row for each theme: how many of its items came how far.

    Args:
        steps: fields of `Funnel`.
        lookback_days: days whose items count, where a theme has no window of its own.
    """
    rows = []
    for theme in themes:
        days = lookback_days if lookback_days == 1 else theme.lookback_days or lookback_days
        found = funnel(database, team_day.team_id, team_day.back(days - 1).day, team_day.day, theme)
        rows.append({"theme": theme.theme_id, **{step: getattr(found, step) for step in steps}})
    return rows


def by_step(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows of `funnel_tables` turned: a row for each step and a column for each theme, which fits into a page.

    >>> by_step([{"theme": "traces", "matched": 9, "sampled": 5}])
    [{'step': 'matched', 'traces': 9}, {'step': 'sampled', 'traces': 5}]
    """
    steps = [step for step in rows[0] if step != "theme"] if rows else []
    return [{"step": step, **{row["theme"]: row[step] for row in rows}} for step in steps]
