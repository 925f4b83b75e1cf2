"""Which runs left nothing to do: the digest of all that a run of a team's themes reads and makes, once it is done.

And when a run of a team's day ended last, whatever it left: a row of its own, of no run group.

What the digest is made of belongs in `reports.run_state`.
"""

from llma_assets.clickhouse import Database
from llma_assets.team_day import TeamDay

# Key of finished_runs: (team_id, day, run_group).
FINISHED_RUN = """
SELECT digest
FROM finished_runs FINAL
WHERE team_id = {team_id:Int64} AND day = {day:Date} AND run_group = {run_group:String}
"""


def is_finished(database: Database, team_day: TeamDay, run_group: str, digest: str) -> bool:
    """Whether a run of these themes has left exactly this state."""
    key = {"team_id": team_day.team_id, "day": team_day.day, "run_group": run_group}
    return bool(database.value(FINISHED_RUN, **key) == digest)


def record_finished(database: Database, team_day: TeamDay, run_group: str, digest: str) -> None:
    """Store the state that a run has left, with nothing to do."""
    key = {"team_id": team_day.team_id, "day": team_day.day, "run_group": run_group}
    database.insert_rows("finished_runs", [{**key, "digest": digest}])


def record_ended(database: Database, team_day: TeamDay) -> None:
    """Store that a run of the team's day has ended now; pages tell by it whether one is at work."""
    database.insert_rows(
        "finished_runs", [{"team_id": team_day.team_id, "day": team_day.day, "run_group": "", "digest": ""}]
    )
