"""How far the work on a team's day is, from what is stored: no run is asked, so it holds for runs on any machine."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import PlainSerializer

from llma_assets.clickhouse import Database
from llma_assets.serialization import Day, FirstDay, TeamId, ThemeId
from llma_assets.team_day import TeamDay
from llma_assets.themes import Theme

ACTIVE_FOR = timedelta(minutes=2)
"""Stages store in pieces; without a new row for so long none is taken to be on, even if no run said that it ended."""

OptionalMoment = Annotated[datetime | None, PlainSerializer(lambda at: at and at.isoformat(), return_type=str | None)]
Step = Literal["waiting", "texts", "summaries", "embeddings", "names", "done", "skipped"]

# Keys: theme_days (team_id, day, theme_id); trace_summaries (team_id, day, theme_id, item_id);
# clustering_runs (team_id, day, theme_id); clusters and cluster_labels (…, attempt_id, cluster_id).
PROGRESS = """
WITH
    asked AS
    (
        SELECT theme_id, sum(screened) AS asked, max(inserted_at) AS at
        FROM theme_days FINAL
        WHERE team_id = {team_id:Int64} AND day BETWEEN {from:Date} AND {day:Date}
        GROUP BY theme_id
    ),
    answered AS
    (
        SELECT theme_id, countIf(status = 'generated') AS answered, countIf(status = 'failed') AS failed,
            max(inserted_at) AS at
        FROM trace_summaries FINAL
        WHERE team_id = {team_id:Int64} AND day BETWEEN {from:Date} AND {day:Date}
        GROUP BY theme_id
    ),
    runs AS
    (
        SELECT theme_id, attempt_id, items, clusters, committed_at
        FROM clustering_runs FINAL
        WHERE team_id = {team_id:Int64} AND day = {day:Date}
    ),
    named AS
    (
        SELECT theme_id, uniqExact(cluster_id) AS named, max(inserted_at) AS at
        FROM cluster_labels FINAL
        WHERE team_id = {team_id:Int64}
            AND day = {day:Date}
            AND (theme_id, attempt_id) IN (SELECT theme_id, attempt_id FROM runs)
            AND cluster_id >= 0
        GROUP BY theme_id
    )
SELECT
    theme_id,
    asked.asked AS asked,
    answered.answered AS answered,
    answered.failed AS failed,
    runs.items AS items,
    runs.clusters AS clusters,
    named.named AS named,
    nullIf(runs.committed_at, toDateTime64(0, 6, 'UTC')) AS committed_at,
    greatest(asked.at, answered.at, named.at, runs.committed_at) AS last_row_at
FROM asked
FULL JOIN answered USING (theme_id)
FULL JOIN runs USING (theme_id)
FULL JOIN named USING (theme_id)
ORDER BY theme_id
"""

# Keys: trace_texts (team_id, day, level, item_id);
# document_embeddings (team_id, toDate(timestamp), product, document_type, model_name, rendering, document_id);
# finished_runs (team_id, day, run_group).
SHARED = """
SELECT
    (
        SELECT max(inserted_at)
        FROM trace_texts
        WHERE team_id = {team_id:Int64} AND day BETWEEN {from:Date} AND {day:Date}
    ) AS texts_at,
    (
        SELECT max(inserted_at)
        FROM document_embeddings
        WHERE team_id = {team_id:Int64} AND toDate(timestamp) BETWEEN {from:Date} AND {day:Date}
    ) AS vectors_at,
    (
        SELECT max(inserted_at)
        FROM finished_runs
        WHERE team_id = {team_id:Int64} AND day BETWEEN {from:Date} AND {day:Date} + {reach:UInt16}
    ) AS ended_at
"""


@dataclass(frozen=True, slots=True)
class ThemeProgress:
    """How far a theme is.

    Attributes:
        asked: items of the window that it asks about.
        answered, failed: of these, with a summary, and with an error instead.
        items, clusters: of its clustering of the day; 0 before there is one.
        named: clusters that have a name.
        committed_at: when the clustering was published, None before.
        step: what comes next, or `done`.
    """

    theme_id: ThemeId
    asked: int
    answered: int
    failed: int
    items: int
    clusters: int
    named: int
    committed_at: OptionalMoment
    step: Step

    @property
    def share(self) -> float:
        """Of its questions the share that has an outcome; 1 once it is clustered."""
        if self.committed_at is not None:
            return 1.0
        return min(1.0, (self.answered + self.failed) / self.asked) if self.asked else 0.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the work on a team's day is.

    Attributes:
        first_day: of the window.
        is_running: whether something was stored in the last two minutes, and no run has ended since.
        last_row_at: when something was stored last, None for never.
        themes: those that are switched on or have rows.
    """

    team_id: TeamId
    day: Day
    first_day: FirstDay
    is_running: bool
    last_row_at: OptionalMoment
    themes: tuple[ThemeProgress, ...]

    @property
    def version(self) -> str:
        """Changes whenever there are other results to show."""
        return "|".join(f"{each.theme_id} {each.committed_at} {each.named}" for each in self.themes)


def progress_report(
    database: Database, team_day: TeamDay, themes: Sequence[Theme], *, lookback_days: int, now: datetime
) -> Progress:
    """How far the work on a team's day is.

    Args:
        themes: of the team; those that are off are left out unless they have rows.
        lookback_days: the team's window.
        now: the present moment.
    """
    first = team_day.back(lookback_days - 1).day
    period = {"team_id": team_day.team_id, "day": team_day.day, "from": first}
    rows = {row["theme_id"]: row for row in database.rows(PROGRESS, **period)}
    (shared,) = database.rows(SHARED, **period, reach=lookback_days)
    moments = [row["last_row_at"] for row in rows.values()] + [shared["texts_at"], shared["vectors_at"]]
    last = max((at for at in moments if at is not None and at.year > 1970), default=None)
    has_ended = last is not None and shared["ended_at"] >= last
    # In both directions: the clock of the database may be ahead.
    is_running = last is not None and not has_ended and abs(now - last) < ACTIVE_FOR
    ids = [theme.theme_id for theme in themes if theme.enabled or theme.theme_id in rows]
    return Progress(
        team_day.team_id,
        team_day.day,
        first,
        is_running,
        last,
        tuple(_theme(theme_id, rows.get(theme_id)) for theme_id in ids),
    )


def _theme(theme_id: str, row: dict[str, object] | None) -> ThemeProgress:
    if row is None:
        return ThemeProgress(theme_id, 0, 0, 0, 0, 0, 0, None, "waiting")
    kept = {name: value for name, value in row.items() if name not in ("theme_id", "last_row_at")}
    return ThemeProgress(theme_id, **kept, step=_step(kept))  # type: ignore[arg-type]  # columns of the statement


def _step(row: dict[str, object]) -> Step:
    asked, done = int(str(row["asked"])), int(str(row["answered"])) + int(str(row["failed"]))
    if row["committed_at"] is not None:
        return "done" if row["named"] == row["clusters"] else "names"
    if not asked:
        return "texts"
    return "summaries" if done < asked else "embeddings"
