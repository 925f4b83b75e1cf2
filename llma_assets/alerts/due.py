"""Which team days are to be judged, or have messages to be sent: for the schedule."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from llma_assets.alerts.delivery import channels_off, deliveries, teams_with_messages
from llma_assets.alerts.store import teams_with_rules
from llma_assets.clickhouse import Database
from llma_assets.team_day import TeamDay

DUE_DAYS = 3
"""So many days before today are judged by themselves."""

# Keys: clustering_runs and skips (team_id, day, …), task_history (team_id, task_id, change_id).
# What changed last of a day's results, failed, or regressed.
CHANGED = """
SELECT team_id, day, max(at) AS changed_at
FROM
(
    SELECT team_id, day, committed_at AS at
    FROM clustering_runs
    WHERE team_id IN {team_ids:Array(Int64)} AND day BETWEEN {from:Date} AND {until:Date}
    UNION ALL
    SELECT team_id, day, inserted_at AS at
    FROM skips
    WHERE team_id IN {team_ids:Array(Int64)} AND day BETWEEN {from:Date} AND {until:Date} AND reason = 'failed'
    UNION ALL
    SELECT team_id, toDate(changed_at) AS day, inserted_at AS at
    FROM task_history
    WHERE team_id IN {with_tasks:Array(Int64)}
        AND toDate(changed_at) BETWEEN {from:Date} AND {until:Date}
        AND change = 'regressed'
)
GROUP BY team_id, day
ORDER BY team_id, day
"""

# Keys: alert_decisions and alert_hour_decisions (team_id, day, rule_id, …). When a day was judged last.
JUDGED = """
SELECT team_id, day, max(at) AS judged_at
FROM
(
    SELECT team_id, day, inserted_at AS at
    FROM alert_decisions
    WHERE team_id IN {team_ids:Array(Int64)} AND day BETWEEN {from:Date} AND {until:Date}
    UNION ALL
    SELECT team_id, day, inserted_at AS at
    FROM alert_hour_decisions
    WHERE team_id IN {team_ids:Array(Int64)} AND day BETWEEN {from:Date} AND {until:Date}
)
GROUP BY team_id, day
"""

SETTLED = timedelta(minutes=10)
"""So long after the last change the day's checks have run."""


def due_days(database: Database, now: datetime) -> Iterator[tuple[TeamDay, str]]:
    """Team days to be judged, each with what makes it due; a day that was judged since is not.

    Days that have ended, of teams with a rule that is on; today of those with a rule over hours.
    A team with a message that is due has its last day again.
    """
    teams = teams_with_rules(database)
    if not teams:
        return
    yesterday = now.date() - timedelta(days=1)
    period = {"from": yesterday - timedelta(days=DUE_DAYS - 1), "until": now.date()}
    rows = database.rows(JUDGED, team_ids=sorted(teams), **period)
    judged = {(row["team_id"], row["day"]): row["judged_at"] for row in rows}
    hourly = sorted(team_id for team_id, team in teams.items() if any(rule.buckets == "hour" for rule in team.enabled))
    if hourly:
        today = {"from": now.date(), "until": now.date()}
        for row in database.rows(CHANGED, team_ids=hourly, with_tasks=[], **today):
            at = judged.get((row["team_id"], row["day"]))
            if at is None or at < row["changed_at"]:
                yield TeamDay(row["team_id"], row["day"]), f"changed {row['changed_at'].isoformat()}"
    with_tasks = [
        team_id
        for team_id, team in sorted(teams.items())
        if any(rule.kind == "regressed" and not rule.themes for rule in team.enabled)
    ]
    ended = period | {"until": yesterday, "with_tasks": with_tasks}
    for row in database.rows(CHANGED, team_ids=sorted(teams), **ended):
        settled, at = row["changed_at"] + SETTLED, judged.get((row["team_id"], row["day"]))
        if settled <= now and (at is None or at < settled):
            yield TeamDay(row["team_id"], row["day"]), f"changed {row['changed_at'].isoformat()}"
    for team_id in sorted(teams_with_messages(database, list(teams), now)):
        off = channels_off(database, team_id)
        found = deliveries(database, team_id, now)
        if any(
            each.state in ("waiting", "held") and each.due_at and each.due_at <= now and each.channel not in off
            for each in found
        ):
            yield TeamDay(team_id, yesterday), f"messages {now:%Y-%m-%dT%H:%M}"
