"""What each stage holds of a team's day, and when it was written: which run to look at, where a number is wrong."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from llma_assets.clickhouse import Database
from llma_assets.serialization import Day, Moment, TeamId, ThemeId
from llma_assets.team_day import TeamDay

Stage = Literal[
    "trace_texts", "trace_summaries", "summary_embeddings", "cluster_assignments", "cluster_labels", "cluster_events"
]
"""The assets of Dagster whose rows these are."""

# Keys: trace_texts (team_id, day, level, item_id); trace_summaries (team_id, day, theme_id, item_id);
# document_embeddings (team_id, toDate(timestamp), product, …); clustering_runs (team_id, day, theme_id);
# cluster_labels (team_id, day, theme_id, attempt_id, cluster_id); events (team_id, toDate(timestamp), event, uuid).
STAGES_OF_DAY = """
SELECT place, stage, theme_id, items, failed, written_at
FROM
(
    SELECT 1 AS place, 'trace_texts' AS stage, '' AS theme_id, count() AS items, toUInt64(0) AS failed,
        max(inserted_at) AS written_at
    FROM trace_texts FINAL
    WHERE team_id = {team_id:Int64} AND day = {day:Date}
    UNION ALL
    SELECT 2, 'trace_summaries', theme_id, countIf(status != 'failed'), countIf(status = 'failed'), max(inserted_at)
    FROM trace_summaries FINAL
    WHERE team_id = {team_id:Int64} AND day = {day:Date}
    GROUP BY theme_id
    UNION ALL
    SELECT 3, 'summary_embeddings', replaceOne(rendering, 'llm_traces_summary_', ''), uniqExact(document_id), 0,
        max(inserted_at)
    FROM document_embeddings
    WHERE team_id = {team_id:Int64} AND toDate(timestamp) = {day:Date}
    GROUP BY rendering
    UNION ALL
    SELECT 4, 'cluster_assignments', theme_id, toUInt64(clusters), 0, committed_at
    FROM clustering_runs FINAL
    WHERE team_id = {team_id:Int64} AND day = {day:Date}
    UNION ALL
    SELECT 5, 'cluster_labels', theme_id, countIf(status != 'failed'), countIf(status = 'failed'), max(inserted_at)
    FROM cluster_labels FINAL
    WHERE team_id = {team_id:Int64}
        AND day = {day:Date}
        AND cluster_id >= 0
        AND (theme_id, attempt_id) IN
        (
            SELECT theme_id, attempt_id
            FROM clustering_runs FINAL
            WHERE team_id = {team_id:Int64} AND day = {day:Date}
        )
    GROUP BY theme_id
    UNION ALL
    SELECT 6, 'cluster_events', JSONExtractString(properties, '$ai_analysis_theme_id') AS theme, count(), 0,
        max(inserted_at)
    FROM events FINAL
    WHERE team_id = {team_id:Int64}
        AND toDate(timestamp) = {day:Date}
        AND event IN ('$ai_trace_clusters', '$ai_generation_clusters')
    GROUP BY theme
)
WHERE items > 0 OR failed > 0
ORDER BY place, theme_id
"""


@dataclass(frozen=True, slots=True)
class StageOfDay:
    """What a stage holds of a day.

    Attributes:
        stage: the asset.
        theme_id: "" where it is about all themes.
        items: texts, summaries, embeddings, clusters, names or published events.
        failed: items with an error in their place.
        written_at: the latest of these rows.
    """

    stage: Stage
    theme_id: ThemeId
    items: int
    failed: int
    written_at: Moment


@dataclass(frozen=True, slots=True)
class StagesReport:
    """The stages of a team's day, in the order in which they work."""

    team_id: TeamId
    day: Day
    stages: tuple[StageOfDay, ...]

    @property
    def last_written_at(self) -> datetime | None:
        """When anything was written last, None without any."""
        return max((each.written_at for each in self.stages), default=None)


def stages_report(database: Database, team_day: TeamDay) -> StagesReport:
    """What each stage holds of a day."""
    rows = database.rows(STAGES_OF_DAY, team_id=team_day.team_id, day=team_day.day)
    stages = (StageOfDay(r["stage"], r["theme_id"], r["items"], r["failed"], r["written_at"]) for r in rows)
    return StagesReport(team_day.team_id, team_day.day, tuple(stages))
