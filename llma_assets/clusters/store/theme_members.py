"""What a run holds that its theme should have kept out; the check beside it judges that.

What a theme takes is decided in `summaries`; what a run reads, in `window_queries`.
"""

from llma_assets.clickhouse import Database
from llma_assets.clusters.store.runs import Run

# Held against what was known when the run was committed, under the version of the theme that it was made for: what
# was decided later concerns the next run. Keys: cluster_members (team_id, day, theme_id, attempt_id, item_id);
# theme_items and trace_summaries (team_id, day, theme_id, item_id).
MEMBERS_OUTSIDE_THE_THEME = """
WITH
    members AS
    (
        SELECT item_day, item_id
        FROM cluster_members FINAL
        WHERE team_id = {team_id:Int64}
            AND day = {day:Date}
            AND theme_id = {theme_id:String}
            AND attempt_id = {attempt_id:UUID}
    ),
    not_taken AS
    (
        SELECT day AS item_day, item_id
        FROM theme_items FINAL
        WHERE team_id = {team_id:Int64}
            AND day BETWEEN {from:Date} AND {until:Date}
            AND theme_id = {theme_id:String}
            AND version = {version:String}
            AND NOT (taken AND screened)
            AND inserted_at <= {committed_at:DateTime64(6, 'UTC')}
    ),
    irrelevant AS
    (
        SELECT day AS item_day, item_id
        FROM trace_summaries FINAL
        WHERE team_id = {team_id:Int64}
            AND day BETWEEN {from:Date} AND {until:Date}
            AND theme_id = {theme_id:String}
            AND theme_version = {version:String}
            AND NOT relevant
            AND inserted_at <= {committed_at:DateTime64(6, 'UTC')}
    )
SELECT
    countIf((item_day, item_id) IN (SELECT item_day, item_id FROM not_taken)) AS not_taken,
    countIf((item_day, item_id) IN (SELECT item_day, item_id FROM irrelevant)) AS irrelevant
FROM members
"""


def members_outside_the_theme(database: Database, run: Run) -> dict[str, int]:
    """How many members of a run the theme does not take, and how many it found not to be relevant."""
    (row,) = database.rows(
        MEMBERS_OUTSIDE_THE_THEME,
        **run.attempt,
        version=run.theme_version,
        committed_at=run.committed_at,
        **{"from": run.window_start.date(), "until": run.day},
    )
    return row
