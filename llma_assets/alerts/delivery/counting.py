"""How many messages of each team are where in the outbox, for whoever runs the pipeline: one query for all teams."""

from dataclasses import dataclass
from datetime import datetime

from llma_assets.alerts.delivery.outbox import KEPT, RETRIES_S
from llma_assets.clickhouse import Database

# Keys: alert_messages (team_id, message_id), alert_attempts and alert_claims (team_id, message_id, round, attempt).
# Only the last round of a message counts. An attempt whose lease is over without a result counts as made.
COUNTS = """
SELECT
    team_id,
    countIf(not was_sent AND not is_dead) AS pending,
    countIf(not was_sent AND is_dead) AS dead,
    minIf(created_at, not was_sent AND not is_dead) AS oldest
FROM
(
    SELECT
        m.team_id AS team_id,
        m.created_at AS created_at,
        a.was_sent AS was_sent,
        a.was_refused
            OR a.made >= {most:UInt32}
            OR (c.claimed >= {most:UInt32} AND c.lease_until <= {now:DateTime64(6, 'UTC')}) AS is_dead
    FROM
    (
        SELECT team_id, message_id, round, created_at
        FROM alert_messages FINAL
        WHERE created_at >= {since:DateTime64(6, 'UTC')} AND event != 'held'
    ) AS m
    LEFT JOIN
    (
        SELECT
            team_id, message_id, round,
            max(outcome = 'sent') AS was_sent,
            argMax(outcome, attempt) = 'refused' AS was_refused,
            max(attempt) AS made
        FROM alert_attempts FINAL
        WHERE attempted_at >= {since:DateTime64(6, 'UTC')}
        GROUP BY team_id, message_id, round
    ) AS a ON a.team_id = m.team_id AND a.message_id = m.message_id AND a.round = m.round
    LEFT JOIN
    (
        SELECT team_id, message_id, round, max(attempt) AS claimed, argMax(lease_until, attempt) AS lease_until
        FROM alert_claims FINAL
        WHERE claimed_at >= {since:DateTime64(6, 'UTC')}
        GROUP BY team_id, message_id, round
    ) AS c ON c.team_id = m.team_id AND c.message_id = m.message_id AND c.round = m.round
)
GROUP BY team_id
ORDER BY team_id
"""


@dataclass(frozen=True, slots=True)
class OutboxCount:
    """A team's messages of the last sixty days.

    Attributes:
        pending: waiting or under way.
        dead: given up; `llma alerts` sends them again.
        oldest: when the oldest pending one was made, None without one.
    """

    team_id: int
    pending: int
    dead: int
    oldest: datetime | None


def outbox_counts(database: Database, now: datetime) -> tuple[OutboxCount, ...]:
    """The outbox of each team that has messages: for operators only."""
    rows = database.rows(COUNTS, since=now - KEPT, now=now, most=len(RETRIES_S))
    return tuple(
        OutboxCount(row["team_id"], row["pending"], row["dead"], row["oldest"] if row["pending"] else None)
        for row in rows
    )
