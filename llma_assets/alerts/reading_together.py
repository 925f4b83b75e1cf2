"""What the judgement of a day reads, of several teams at once: a question costs the server as much for one as for many.

What is asked of one team belongs in the modules that ask; here the same statements are asked of many, and the answers
are given to those modules by a database that remembers them.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date

from llma_assets.alerts.blocked import Suspected, suspected_runs
from llma_assets.alerts.incidents import INCIDENTS
from llma_assets.alerts.judging import HISTORY_DAYS
from llma_assets.alerts.muting import MUTES
from llma_assets.alerts.queries import CENTROIDS, COUNTS, FAILURES, RUNS, SPLITS
from llma_assets.alerts.series import period_of, weeks_from
from llma_assets.clickhouse import Database, RememberingDatabase
from llma_assets.clusters import ask_together, standings_of
from llma_assets.tasks import ask_closings_together, ask_regressions_together
from llma_assets.team_day import TeamDay

TOGETHER = 100
"""Teams that are read at once, at most."""

ITEMS_TOGETHER = 400_000
"""Items of the days that are read at once, at most, unless one team has more: the server joins them in memory."""

# Key of clustering_runs: (team_id, day, theme_id).
SIZES = """
SELECT team_id, sum(items) AS items, max(day) = {until:Date} AS is_fresh
FROM clustering_runs FINAL
WHERE team_id IN {team_ids:Array(Int64)} AND day BETWEEN {from:Date} AND {until:Date}
GROUP BY team_id
"""


def read_together(
    database: Database, day: date, team_ids: Collection[int]
) -> Iterator[tuple[list[int], RememberingDatabase, Suspected]]:
    """The teams in groups, each with a database that knows what their day is judged by, and suspected runs.

    What rules ask rarely (spend, coverage, arrivals, hours) is asked of each team.
    """
    period = {name: value for name, value in period_of(TeamDay(0, day), HISTORY_DAYS).items() if name != "team_ids"}
    sizes = {row["team_id"]: row for row in database.rows(SIZES, team_ids=sorted(team_ids), **period)}
    for group in _groups(sorted(team_ids), {team_id: row["items"] for team_id, row in sizes.items()}):
        known = database.remembering()
        for sql in (INCIDENTS, MUTES):
            known.ask_together(sql, group)
        ask_together(known, group)
        ask_closings_together(known, group)
        ask_regressions_together(known, group, {"from": period["from"], "until": period["until"]})
        for sql in (RUNS, FAILURES, SPLITS, CENTROIDS):
            known.ask_together(sql, group, **period)
        # What people took out differs by team: these are asked by themselves.
        whole = [each for each in group if not any(of.taken_out for of in standings_of(known, each).values())]
        if whole:
            since = weeks_from(day, judged=1)
            known.ask_together(COUNTS, whole, **period, theme_ids=[], taken_out=[], weeks_from=since)
        with_run = [each for each in group if each in sizes and sizes[each]["is_fresh"]]
        yield group, known, suspected_runs(database, day, with_run)


def _groups(team_ids: Sequence[int], items: Mapping[int, int]) -> Iterator[list[int]]:
    """The teams in their order, so many at once that their items are not too many."""
    group: list[int] = []
    held = 0
    for team_id in team_ids:
        size = items.get(team_id, 0)
        if group and (len(group) >= TOGETHER or held + size > ITEMS_TOGETHER):
            yield group
            group, held = [], 0
        group.append(team_id)
        held += size
    if group:
        yield group
