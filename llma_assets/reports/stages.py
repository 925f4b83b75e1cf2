"""What each stage holds of a team's day, and when it was written: which run to look at, where a number is wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Literal

from llma_assets.clickhouse import Database
from llma_assets.ledger import PastStageRun, run_that_wrote, stage_runs_of_day
from llma_assets.serialization import Day, Moment, Rounded, TeamId, ThemeId
from llma_assets.stage import FAILED
from llma_assets.team_day import TeamDay

Stage = Literal[
    "trace_texts", "trace_summaries", "summary_embeddings", "cluster_assignments", "cluster_labels", "cluster_events"
]
"""The assets of Dagster whose rows these are."""

SHOWN_FAILURES = 10
"""Most failed stages that are shown, the latest."""

# Keys: trace_texts (team_id, day, level, item_id); trace_summaries (team_id, day, theme_id, item_id);
# document_embeddings (team_id, toDate(timestamp), product, …); clustering_runs (team_id, day, theme_id);
# cluster_labels (team_id, day, theme_id, attempt_id, cluster_id); events (team_id, toDate(timestamp), event, uuid).
STAGES_OF_DAY = """
SELECT stage, theme_id, items, failed, written_at
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
        run_id: Dagster's id of the run that wrote it, "" where that is not known.
    """

    stage: Stage
    theme_id: ThemeId
    items: int
    failed: int
    written_at: Moment
    run_id: str


@dataclass(frozen=True, slots=True)
class FailedStage:
    """A stage whose latest work on a day failed as a whole, whatever is stored of it.

    Attributes:
        stage, run_id: the asset, and Dagster's id of the run.
        theme_ids: of the run, none for all that were on.
        error: what it failed by.
        failed_at: when.
        calls, failed_calls: of models, while it was at work.
        cost_usd: of these, as far as it is known.
    """

    stage: str
    run_id: str
    theme_ids: tuple[str, ...]
    error: str
    failed_at: Moment
    calls: int
    failed_calls: int
    cost_usd: Rounded


@dataclass(frozen=True, slots=True)
class StagesReport:
    """The stages of a team's day, in the order in which they work, and those that failed."""

    team_id: TeamId
    day: Day
    stages: tuple[StageOfDay, ...]
    failures: tuple[FailedStage, ...]

    @property
    def last_written_at(self) -> datetime | None:
        """When anything was written last, None without any."""
        return max((each.written_at for each in self.stages), default=None)


# Key of model_usage: (team_id, day, stage, theme_id, model, call_id). A call is at most a second off: its moment is of
# the clock of the process that made it.
USAGE_BETWEEN = """
SELECT count() AS calls, countIf(error != '') AS failed_calls, sum(cost_usd) AS cost_usd
FROM model_usage FINAL
WHERE team_id = {team_id:Int64}
    AND day = {day:Date}
    AND stage = {stage:String}
    AND (empty({themes:Array(String)}) OR theme_id IN {themes:Array(String)})
    AND timestamp >= {from:DateTime64(6, 'UTC')} - INTERVAL 1 SECOND
    AND timestamp <= {until:DateTime64(6, 'UTC')} + INTERVAL 1 SECOND
"""


def stages_report(database: Database, team_day: TeamDay) -> StagesReport:
    """What each stage holds of a day, which run wrote it, and which stages failed."""
    runs = stage_runs_of_day(database, team_day)
    stages = (
        StageOfDay(**row, run_id=run_that_wrote(runs, row["stage"], row["theme_id"], row["written_at"]))
        for row in database.rows(STAGES_OF_DAY, team_id=team_day.team_id, day=team_day.day)
    )
    return StagesReport(team_day.team_id, team_day.day, tuple(stages), _failures(database, team_day, runs))


def _failures(database: Database, team_day: TeamDay, runs: Sequence[PastStageRun]) -> tuple[FailedStage, ...]:
    """Of each stage and themes the latest work, if it failed."""

    def key(each: PastStageRun) -> tuple[str, tuple[str, ...]]:
        return each.stage, each.theme_ids

    latest = [next(of_key) for _, of_key in groupby(sorted(runs, key=key), key)]
    failed = sorted((each for each in latest if each.status == FAILED), key=lambda each: each.started_at)
    found = []
    for each in failed[-SHOWN_FAILURES:]:
        period = {"from": each.started_at, "until": each.ended_at}
        key_of = {"team_id": team_day.team_id, "day": team_day.day, "stage": each.stage, "themes": list(each.theme_ids)}
        (usage,) = database.rows(USAGE_BETWEEN, **key_of, **period)
        cost = {**usage, "cost_usd": usage["cost_usd"] or 0.0}
        found.append(FailedStage(each.stage, each.run_id, each.theme_ids, each.error, each.ended_at, **cost))
    return tuple(found)
