"""The funnel of a theme: how many items reached each stage, from matched to clustered. Exact counts.

Estimates about all matching items belong in `shares`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from llma_assets.clickhouse import Database
from llma_assets.clusters import clustered_since
from llma_assets.reports.shares import Shares, theme_shares
from llma_assets.serialization import Day, FirstDay, TeamId, ThemeId
from llma_assets.summaries import FUNNEL_OF_DAYS
from llma_assets.team_day import TeamDay
from llma_assets.themes import Theme, stored_versions

STEPS = ("matched", "sampled", "screened", "summarised", "relevant", "clustered", "outliers")
"""The stages of the funnel, as fields of `Funnel`."""


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


def funnel(
    database: Database, team_id: int, first_day: date, last_day: date, theme: Theme, *, clusters: bool = True
) -> Funnel:
    """Count a theme's items of the days from `first_day` to `last_day`, both included.

    A run of the last day reads as many days as its window has: of earlier ones nothing is in a cluster of it.

    Args:
        clusters: whether the steps `clustered` and `outliers` are counted.
    """
    (row,) = database.rows(
        FUNNEL_OF_DAYS,
        team_id=team_id,
        theme_id=theme.theme_id,
        version=theme.version,
        versions=list(stored_versions(theme)),
        **{"from": first_day, "until": last_day},
    )
    clustered = {"clustered": 0, "outliers": 0}
    if clusters:
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


@dataclass(frozen=True, slots=True)
class ThemeFunnel:
    """What became of a theme's items over some days.

    Attributes:
        theme_id, version, enabled: which theme.
        first_day, until: the days.
        days_taken: of how many of them the theme has taken its items.
        matched, sampled, screened, summarised, relevant, clustered, outliers: as in `Funnel`.
        shares: of all items that match; None for a theme that asks nothing about relevance, and where nothing is known.
    """

    theme_id: ThemeId
    version: str
    enabled: bool
    first_day: FirstDay
    until: date
    days_taken: int
    matched: int
    sampled: int
    screened: int
    summarised: int
    relevant: int
    clustered: int
    outliers: int
    shares: Shares | None


@dataclass(frozen=True, slots=True)
class FunnelReport:
    """What became of the items of a team's themes, up to a day."""

    team_id: TeamId
    day: Day
    themes: tuple[ThemeFunnel, ...]


def funnel_report(
    database: Database, team_day: TeamDay, themes: Sequence[Theme], *, lookback_days: int, days: int | None = None
) -> FunnelReport:
    """What became of the items of some themes, of the days that end with `team_day`.

    Args:
        themes: of the team.
        lookback_days: the team's window, for themes that have none of their own.
        days: so many days for all of them instead.
    """
    return FunnelReport(
        team_day.team_id,
        team_day.day,
        tuple(_of_theme(database, team_day, (days or theme.lookback_days or lookback_days), theme) for theme in themes),
    )


def _of_theme(database: Database, team_day: TeamDay, days: int, theme: Theme) -> ThemeFunnel:
    first_day = team_day.back(days - 1).day
    counts = funnel(database, team_day.team_id, first_day, team_day.day, theme)
    shares = theme_shares(database, team_day.team_id, first_day, team_day.day, theme)
    return ThemeFunnel(
        theme_id=theme.theme_id,
        version=theme.version,
        enabled=theme.enabled,
        first_day=first_day,
        until=team_day.day,
        days_taken=counts.days,
        **{step: getattr(counts, step) for step in STEPS},
        # Without a question whether it is relevant there is nothing to estimate.
        shares=shares if theme.judged else None,
    )


def funnel_tables(
    database: Database, team_day: TeamDay, themes: Sequence[Theme], steps: Sequence[str], *, lookback_days: int = 1
) -> list[dict[str, Any]]:
    """A row for each theme: how many of its items came how far.

    Args:
        steps: fields of `Funnel`.
        lookback_days: days whose items count, where a theme has no window of its own.
    """
    rows, clusters = [], not {"clustered", "outliers"}.isdisjoint(steps)
    for theme in themes:
        days = lookback_days if lookback_days == 1 else theme.lookback_days or lookback_days
        found = funnel(database, team_day.team_id, team_day.back(days - 1).day, team_day.day, theme, clusters=clusters)
        rows.append({"theme": theme.theme_id, **{step: getattr(found, step) for step in steps}})
    return rows


def by_step(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows of `funnel_tables` turned: a row for each step and a column for each theme, which fits into a page.

    >>> by_step([{"theme": "traces", "matched": 9, "sampled": 5}])
    [{'step': 'matched', 'traces': 9}, {'step': 'sampled', 'traces': 5}]

    A theme of the first column's name hides nothing:

    >>> by_step([{"theme": "step", "matched": 9}])
    [{'step': 'matched', 'theme step': 9}]
    """
    steps = [step for step in rows[0] if step != "theme"] if rows else []
    columns = [(f"theme {row['theme']}" if row["theme"] == "step" else row["theme"], row) for row in rows]
    return [{"step": step, **{column: row[step] for column, row in columns}} for step in steps]
