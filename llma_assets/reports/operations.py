"""How the pipeline as a whole is doing, over all teams: for whoever runs it. Figures of one team belong elsewhere.

Every query is bounded by days: of what is stored, today and yesterday; of what went wrong and of delays, eight days.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from llma_assets.clickhouse import Database
from llma_assets.embeddings import PRODUCT
from llma_assets.team_day import midnight

WINDOW_DAYS = 8
"""As many days back, today included, failures, skips and delays are looked for."""

# Keys: document_embeddings and events begin with (team_id, toDate(timestamp)), all others with (team_id, day). Without
# FINAL: of a row that was written twice the last time is the same.
LAST_WRITES = """
SELECT stage, team_id, max(written) AS last_at
FROM
(
    SELECT 'eligible_teams' AS stage, team_id, max(inserted_at) AS written
    FROM eligible_teams WHERE day >= {first:Date} GROUP BY team_id
    UNION ALL
    SELECT 'trace_texts', team_id, max(inserted_at) FROM texts_made WHERE day >= {first:Date} GROUP BY team_id
    UNION ALL
    SELECT 'trace_summaries', team_id, max(inserted_at) FROM trace_summaries WHERE day >= {first:Date} GROUP BY team_id
    UNION ALL
    SELECT 'summary_embeddings', team_id, max(inserted_at) FROM document_embeddings
    WHERE product = {product:String} AND timestamp >= {start:DateTime64(6, 'UTC')} GROUP BY team_id
    UNION ALL
    SELECT 'cluster_assignments', team_id, max(committed_at) FROM clustering_runs
    WHERE day >= {first:Date} GROUP BY team_id
    UNION ALL
    SELECT 'cluster_labels', team_id, max(inserted_at) FROM cluster_labels WHERE day >= {first:Date} GROUP BY team_id
    UNION ALL
    SELECT 'cluster_attributes', team_id, max(inserted_at) FROM run_attributes
    WHERE day >= {first:Date} GROUP BY team_id
    UNION ALL
    SELECT 'cluster_events', team_id, max(inserted_at) FROM events
    WHERE event IN ('$ai_trace_clusters', '$ai_generation_clusters') AND timestamp >= {start:DateTime64(6, 'UTC')}
    GROUP BY team_id
    UNION ALL
    SELECT 'tasks', team_id, max(inserted_at) FROM watermarks
    WHERE inserted_at >= {start:DateTime64(6, 'UTC')} GROUP BY team_id
)
GROUP BY stage, team_id
ORDER BY stage, team_id
"""

ITEMS = """
SELECT 'trace_texts' AS stage, team_id, count() AS items
FROM trace_texts FINAL WHERE day >= {first:Date} GROUP BY team_id
UNION ALL
SELECT 'trace_summaries', team_id, countIf(status != 'failed')
FROM trace_summaries FINAL WHERE day >= {first:Date} GROUP BY team_id
UNION ALL
SELECT 'summary_embeddings', team_id, count()
FROM document_embeddings FINAL
WHERE product = {product:String} AND timestamp >= {start:DateTime64(6, 'UTC')} GROUP BY team_id
UNION ALL
SELECT 'cluster_assignments', team_id, sum(clustering_runs.items)
FROM clustering_runs FINAL WHERE day >= {first:Date} GROUP BY team_id
"""

SKIPS = """
SELECT stage, reason, team_id, count() AS skips
FROM skips FINAL
WHERE day >= {first:Date} AND reason != ''
GROUP BY stage, reason, team_id
ORDER BY stage, reason, team_id
"""

FAILED_ITEMS = """
SELECT stage, team_id, sum(found) AS failures
FROM
(
    SELECT toString(stage) AS stage, team_id, count() AS found
    FROM item_skips FINAL WHERE day >= {first:Date} AND reason != '' AND detail != '' GROUP BY stage, team_id
    UNION ALL
    SELECT 'trace_summaries', team_id, count()
    FROM trace_summaries FINAL WHERE day >= {first:Date} AND status = 'failed' GROUP BY team_id
    UNION ALL
    SELECT 'cluster_labels', team_id, count()
    FROM cluster_labels FINAL WHERE day >= {first:Date} AND status = 'failed' GROUP BY team_id
)
GROUP BY stage, team_id
HAVING failures > 0
ORDER BY stage, team_id
"""

# Key of model_usage: (team_id, day, stage, theme_id, model, call_id). A call whose insert was repeated counts once.
CALLS = """
SELECT
    stage, model, team_id,
    count() AS calls,
    countIf(call_error != '') AS failed,
    sum(input_of_call) AS input_tokens,
    sum(output_of_call) AS output_tokens,
    sum(cost_of_call) AS cost_usd,
    sum(seconds_of_call) AS seconds
FROM
(
    SELECT
        stage, model, team_id, call_id,
        any(error) AS call_error,
        any(input_tokens) AS input_of_call,
        any(output_tokens) AS output_of_call,
        any(coalesce(model_usage.cost_usd, model_usage.at_most_usd, 0)) AS cost_of_call,
        any(duration_s) AS seconds_of_call
    FROM model_usage
    WHERE timestamp >= {since:DateTime64(6, 'UTC')}
    GROUP BY team_id, day, stage, theme_id, model, call_id
)
GROUP BY stage, model, team_id
ORDER BY stage, model, team_id
"""

# Days that have ended, on which a team took part, and that have neither clusters nor a reason why there are none.
OWED = """
SELECT team_id, minIf(day, owed) AS oldest, countIf(owed) AS days
FROM
(
    SELECT
        team_id,
        day,
        (team_id, day) NOT IN (SELECT team_id, day FROM clustering_runs WHERE day >= {first:Date})
            AND (team_id, day) NOT IN
            (
                SELECT team_id, day
                FROM skips FINAL
                WHERE day >= {first:Date} AND reason != '' AND reason != {failed:String}
            ) AS owed
    FROM eligible_teams FINAL
    WHERE day >= {first:Date} AND day < {today:Date} AND eligible
)
GROUP BY team_id
ORDER BY team_id
"""


@dataclass(frozen=True, slots=True)
class StageState:
    """What a stage has stored of a team.

    Attributes:
        last_at: when it last stored a row, None where it did not within eight days.
        items: of today and yesterday; None where the stage makes no items.
    """

    stage: str
    team_id: int
    last_at: datetime | None
    items: int | None


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """How many skips of the last eight days have a reason."""

    stage: str
    reason: str
    team_id: int
    skips: int


@dataclass(frozen=True, slots=True)
class FailureCount:
    """How many items of the last eight days failed."""

    stage: str
    team_id: int
    failures: int


@dataclass(frozen=True, slots=True)
class CallCount:
    """Model calls since midnight UTC.

    Attributes:
        failed: of the calls.
        cost_usd: an upper bound where the cost is not known.
        seconds: that all calls took.
    """

    stage: str
    model: str
    team_id: int
    calls: int
    failed: int
    input_tokens: int
    output_tokens: int
    cost_usd: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Lag:
    """How late a team's clusters are.

    Attributes:
        seconds: since the end of the oldest day that is owed, 0 where none is.
        days: that are owed.
    """

    team_id: int
    seconds: float
    days: int


@dataclass(frozen=True, slots=True)
class OperationsReport:
    """The state of the pipeline, each part ordered by its names and teams."""

    measured_at: datetime
    stages: tuple[StageState, ...]
    skips: tuple[ReasonCount, ...]
    failures: tuple[FailureCount, ...]
    calls: tuple[CallCount, ...]
    lags: tuple[Lag, ...]

    def of_teams(self, teams: Collection[int] | None) -> "OperationsReport":
        """The same for some teams alone, None for all."""
        if teams is None:
            return self
        return OperationsReport(
            self.measured_at,
            tuple(each for each in self.stages if each.team_id in teams),
            tuple(each for each in self.skips if each.team_id in teams),
            tuple(each for each in self.failures if each.team_id in teams),
            tuple(each for each in self.calls if each.team_id in teams),
            tuple(each for each in self.lags if each.team_id in teams),
        )


def operations_report(database: Database, now: datetime) -> OperationsReport:
    """How the pipeline is doing at a moment, UTC, over all teams: for operators only."""
    today = now.date()
    first, recent = today - timedelta(days=WINDOW_DAYS - 1), today - timedelta(days=1)
    last = database.rows(LAST_WRITES, first=first, start=midnight(first), product=PRODUCT)
    items = database.rows(ITEMS, first=recent, start=midnight(recent), product=PRODUCT)
    lags = database.rows(OWED, first=first, today=today, failed="failed")
    return OperationsReport(
        now,
        _stages(last, items),
        tuple(ReasonCount(**row) for row in database.rows(SKIPS, first=first)),
        tuple(FailureCount(**row) for row in database.rows(FAILED_ITEMS, first=first)),
        tuple(CallCount(**row) for row in database.rows(CALLS, since=midnight(today))),
        tuple(
            Lag(
                row["team_id"],
                (now - midnight(row["oldest"] + timedelta(days=1))).total_seconds() if row["days"] else 0.0,
                row["days"],
            )
            for row in lags
        ),
    )


def _stages(last: list[dict[str, object]], items: list[dict[str, object]]) -> tuple[StageState, ...]:
    last_at = {(row["stage"], row["team_id"]): row["last_at"] for row in last}
    counts = {(row["stage"], row["team_id"]): row["items"] for row in items}
    return tuple(
        StageState(*key, last_at.get(key), counts.get(key))  # type: ignore[arg-type]
        for key in sorted({*last_at, *counts}, key=str)
    )
