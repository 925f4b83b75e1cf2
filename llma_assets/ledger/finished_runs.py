"""Which runs left nothing to do: the digest of all that a run of a team's themes reads and makes, once it is done.

And when a run of a team's day ended last, whatever it left: a row of its own, of no run group.

What the digest is made of belongs in `reports.run_state`.
"""

from collections.abc import Mapping, Sequence
from datetime import date

from llma_assets.clickhouse import Database
from llma_assets.team_day import TeamDay

# Key of finished_runs: (team_id, day, run_group).
FINISHED_RUNS = """
SELECT team_id, digest
FROM finished_runs FINAL
WHERE team_id IN {team_ids:Array(Int64)} AND day = {day:Date} AND run_group = {run_group:String}
"""


def finished_digests(database: Database, team_ids: Sequence[int], day: date, run_group: str) -> dict[int, str]:
    """The state that the last run of these themes left with nothing to do, by team id."""
    rows = database.rows(FINISHED_RUNS, team_ids=list(team_ids), day=day, run_group=run_group)
    return {row["team_id"]: row["digest"] for row in rows}


def record_finished(database: Database, team_day: TeamDay, run_group: str, digest: str) -> None:
    """Store the state that a run has left, with nothing to do."""
    key = {"team_id": team_day.team_id, "day": team_day.day, "run_group": run_group}
    database.insert_later("finished_runs", [{**key, "digest": digest}])


# Key of finished_runs: (team_id, day, run_group). Of all teams: a schedule asks for what is due of any of them.
FINISHED_SINCE = """
SELECT team_id, day, digest
FROM finished_runs FINAL
WHERE day >= {since:Date} AND run_group = {run_group:String}
"""


def finished_since(database: Database, since: date, run_group: str) -> dict[TeamDay, str]:
    """The digests of all teams' days from a day on."""
    rows = database.rows(FINISHED_SINCE, since=since, run_group=run_group)
    return {TeamDay(row["team_id"], row["day"]): row["digest"] for row in rows}


def record_all_finished(database: Database, run_group: str, digests: Mapping[TeamDay, str]) -> None:
    """Store the digests of several teams' days at once."""
    rows = [
        {"team_id": each.team_id, "day": each.day, "run_group": run_group, "digest": digest}
        for each, digest in digests.items()
    ]
    database.insert_rows("finished_runs", rows)


def record_ended(database: Database, team_day: TeamDay) -> None:
    """Store that a run of the team's day has ended now; pages tell by it whether one is at work."""
    database.insert_later(
        "finished_runs", [{"team_id": team_day.team_id, "day": team_day.day, "run_group": "", "digest": ""}]
    )
