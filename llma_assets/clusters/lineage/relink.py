"""Linking stored runs again, in the order of their days.

For days that were run out of order, so that a chain is broken (`link_later_days`, which each run of a day asks for),
and for runs from before lineages. What people decided about a lineage is never taken away without being asked for.
"""

from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Any

import orjson

from llma_assets.clickhouse import Database
from llma_assets.clusters.edits.decisions import NOTHING
from llma_assets.clusters.lineage.stored import LINK_DAYS, link_stored, snapshot_of
from llma_assets.clusters.lineage_ids import first_lineage_id
from llma_assets.clusters.store.cluster_edits import standings_of
from llma_assets.clusters.store.clustering_runs import Run, has_runs
from llma_assets.clusters.store.clusters import clusters_of
from llma_assets.team_day import TeamDay

ONE_DAY = timedelta(days=1)

# Key of clustering_runs: (team_id, day, theme_id).
RUNS_BETWEEN = """
SELECT *
FROM clustering_runs FINAL
WHERE team_id = {team_id:Int64} AND day BETWEEN {from:Date} AND {until:Date} AND items > 0
ORDER BY theme_id, day
"""

# Key of clustering_runs: (team_id, day, theme_id).
NEXT_RUN = """
SELECT *
FROM clustering_runs FINAL
WHERE team_id = {team_id:Int64}
    AND day BETWEEN {from:Date} AND {until:Date}
    AND theme_id = {theme_id:String}
    AND items > 0
ORDER BY day
LIMIT 1
"""

# Key of clusters: (team_id, day, theme_id, attempt_id, cluster_id).
WHOLE_CLUSTERS = """
SELECT * EXCEPT (inserted_at)
FROM clusters FINAL
WHERE team_id = {team_id:Int64}
    AND day = {day:Date}
    AND theme_id = {theme_id:String}
    AND attempt_id = {attempt_id:UUID}
ORDER BY cluster_id
"""


@dataclass(frozen=True, slots=True)
class Relinked:
    """One run that was linked again.

    Attributes:
        theme_id: its theme.
        day: its day.
        replaced: lineage ids that its clusters no longer have → those that they have now; "" before where there
            was none.
        changed: whether anything is different, such as a status.
    """

    theme_id: str
    day: date
    replaced: tuple[tuple[str, str], ...]
    changed: bool


@dataclass(frozen=True, slots=True)
class LaterDays:
    """What became of the days after one that was run out of order.

    Attributes:
        linked: the runs that are different now, oldest first.
        left_from: the first day that stays as it was, because people decided about lineages that would go; None where
            all days were linked.
        left_until: the last such day.
        decided: lineage ids of those decisions.
    """

    linked: tuple[Relinked, ...] = ()
    left_from: date | None = None
    left_until: date | None = None
    decided: tuple[str, ...] = ()

    def in_words(self, team_id: int) -> str:
        """What was done, and what is left to people; "" for nothing."""
        said = []
        if self.linked:
            days = ", ".join(run.day.isoformat() for run in self.linked)
            said.append(f"run after later days, which were linked again: {days}")
        if self.left_from:
            said.append(
                f"run after later days, and people decided about {len(self.decided)} of their lineages; "
                f"`llma clusters relink --team {team_id} --from {self.left_from} --to {self.left_until}` links them "
                "again all the same"
            )
        return "; ".join(said)


def relink(database: Database, team_id: int, first: date, last: date, *, dry_run: bool = False) -> Iterator[Relinked]:
    """Link the runs of some days again, each to the runs before it, and store what is different.

    Ids that are still right stay, and a run that is right is not written. Clusters are written before the run's row, so
    that the next call repeats a run that was killed. A dry run links each day to what is stored, so it
    does not see what its own earlier days would change.
    """
    for row in database.rows(RUNS_BETWEEN, team_id=team_id, **{"from": first, "until": last}):
        yield _link_again(database, Run(**row), dry_run=dry_run)


def link_later_days(database: Database, team_id: int, day: date, theme_id: str) -> LaterDays:
    """Link the days after one again, where they were run before it: a backfill out of order ends as one in order.

    The commit row of a run says which run it was linked to. Where that of the next day's run is not this day's as it
    is now, the runs after it are linked again until nothing can change any more. The day itself is, too, where another
    run has changed the one before it meanwhile: of two at once each looks after it has written, so one sees the other.
    """
    # Most often a day is alone, or the last one: nothing before it can have changed, and nothing comes after it.
    link = timedelta(days=LINK_DAYS)
    if not has_runs(database, TeamDay(team_id, day), theme_id, date.min, day - ONE_DAY) and not has_runs(
        database, TeamDay(team_id, day), theme_id, day + ONE_DAY, day + link
    ):
        return LaterDays()
    decided = {each for each, standing in standings_of(database, team_id).items() if standing != NOTHING}
    linked: list[Relinked] = []
    run, changed, unchanged = _next_run(database, team_id, theme_id, day), day, 0
    previous = _run_before(database, run) if run and run.day == day else None
    # The day itself comes first, then those after it.
    following = run if run and (previous is None or _follows(database, run, previous)) else None
    while run:
        if following is not None:
            later = _run_after(database, following)
            if later is None or later.day - day > timedelta(days=LINK_DAYS):
                break
            if not linked and _follows(database, later, following):
                break
            # Beside the two runs before it a run is linked to those of its own window.
            if unchanged > 1 and later.day - changed > later.window_end - later.window_start:
                break
            run = later
        done = _link_again(database, run, kept=decided)
        if lost := sorted({gone for gone, _ in done.replaced} & decided):
            return LaterDays(tuple(linked), run.day, day + timedelta(days=LINK_DAYS), tuple(lost))
        unchanged += 1
        if done.changed:
            changed, unchanged = run.day, 0
            linked.append(done)
        following = run
    return LaterDays(tuple(linked))


def _next_run(database: Database, team_id: int, theme_id: str, since: date) -> Run | None:
    """The first run of a theme from a day on, within the days that are linked."""
    days = {"from": since, "until": since + timedelta(days=LINK_DAYS)}
    rows = database.rows(NEXT_RUN, team_id=team_id, theme_id=theme_id, **days)
    return Run(**rows[0]) if rows else None


def _run_after(database: Database, run: Run) -> Run | None:
    """The first run of the theme after another one, within the days that are linked."""
    since = run.day + ONE_DAY
    if not has_runs(database, TeamDay(run.team_id, run.day), run.theme_id, since, since + timedelta(days=LINK_DAYS)):
        return None
    return _next_run(database, run.team_id, run.theme_id, since)


def _run_before(database: Database, run: Run) -> Run | None:
    """The run that a run was linked to, as it is now."""
    previous = orjson.loads(run.lineage).get("previous_day")
    return _next_run(database, run.team_id, run.theme_id, date.fromisoformat(previous)) if previous else None


def _follows(database: Database, run: Run, before: Run) -> bool:
    """Whether a run is linked to the one before it as that is now: its lineages go on, are missing or ended."""
    summary = orjson.loads(run.lineage)
    if summary.get("previous_day") != before.day.isoformat():
        return False
    gone = [*summary["ended"], *summary.get("missing", ())]
    known = _lineage_ids(database, run) | {each["lineage_id"] for each in gone}
    return _lineage_ids(database, before) <= known


def _lineage_ids(database: Database, run: Run) -> set[str]:
    return {
        row["lineage_id"] or first_lineage_id(run.team_id, run.theme_id, run.input_id, row["cluster_id"])
        for row in clusters_of(database, run)
        if row["cluster_id"] >= 0
    }


def _link_again(database: Database, run: Run, *, dry_run: bool = False, kept: Collection[str] = ()) -> Relinked:
    """Link a run to those before it, and store what is different.

    Args:
        kept: lineage ids that must not go; where one would, nothing is stored.
    """
    address = {"team_id": run.team_id, "day": run.day, "theme_id": run.theme_id, "attempt_id": run.attempt_id}
    clusters = [row for row in database.rows(WHOLE_CLUSTERS, **address) if row["cluster_id"] >= 0]
    own_ids = [first_lineage_id(run.team_id, run.theme_id, run.input_id, row["cluster_id"]) for row in clusters]
    links = link_stored(
        database,
        replace(snapshot_of(database, run), lineage_ids=tuple(own_ids)),
        team_id=run.team_id,
        theme_id=run.theme_id,
        window_days=(run.window_end - run.window_start).days,
    )
    linked = [
        {
            **row,
            "lineage_id": each.lineage_id,
            "lineage_status": each.status,
            "lineage_confidence": each.confidence,
            "lineage_parents": list(each.parents),
        }
        for row, each in zip(clusters, links.clusters, strict=True)
    ]
    different = [now for before, now in zip(clusters, linked, strict=True) if before != now]
    replaced = tuple(
        (str(before["lineage_id"]), str(now["lineage_id"]))
        for before, now in zip(clusters, linked, strict=True)
        if before["lineage_id"] != now["lineage_id"]
    )
    summary = links.summary()
    is_other = orjson.loads(run.lineage) != summary
    if not dry_run and not any(before in kept for before, _ in replaced):
        database.insert_rows("clusters", different)
        if is_other:
            database.insert_rows("clustering_runs", [_with_lineage(run, summary)])
    return Relinked(run.theme_id, run.day, replaced, bool(different) or is_other)


def _with_lineage(run: Run, summary: dict[str, Any]) -> dict[str, Any]:
    """The commit row with other links. It takes the place of the old one, and says that its items are as old."""
    return {
        **asdict(run),
        "lineage": orjson.dumps(summary).decode(),
        "committed_at": run.committed_at + timedelta(microseconds=1),
    }
