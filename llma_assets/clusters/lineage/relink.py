"""Linking stored runs again, in the order of their days. Days are never linked again without being asked for.

For runs from before lineages, and for days that were first run out of order, so that a chain is broken.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

import orjson

from llma_assets.clickhouse import Database
from llma_assets.clusters.lineage.stored import link_stored, snapshot_of
from llma_assets.clusters.lineage_ids import first_lineage_id
from llma_assets.clusters.store.clustering_runs import Run

# Key of clustering_runs: (team_id, day, theme_id).
RUNS_BETWEEN = """
SELECT *
FROM clustering_runs FINAL
WHERE team_id = {team_id:Int64} AND day BETWEEN {from:Date} AND {until:Date} AND items > 0
ORDER BY theme_id, day
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
        changed: whether anything at all is different, be it a status.
    """

    theme_id: str
    day: date
    replaced: tuple[tuple[str, str], ...]
    changed: bool


def relink(database: Database, team_id: int, first: date, last: date, *, dry_run: bool = False) -> Iterator[Relinked]:
    """Link the runs of some days again, each to the runs before it, and store what is different.

    Ids that nothing speaks against stay. A run is its clusters, then its commit row, so a killed one is done again
    by the next call; one that is right already is not written. A dry run links each day to what is stored, so it
    does not see what its own earlier days would change.
    """
    for row in database.rows(RUNS_BETWEEN, team_id=team_id, **{"from": first, "until": last}):
        run = Run(**row)
        stored = snapshot_of(database, run)
        rows = database.rows(
            WHOLE_CLUSTERS, team_id=team_id, day=run.day, theme_id=run.theme_id, attempt_id=run.attempt_id
        )
        clusters = [row for row in rows if row["cluster_id"] >= 0]
        own_ids = [first_lineage_id(team_id, run.theme_id, run.input_id, row["cluster_id"]) for row in clusters]
        links = link_stored(
            database,
            replace(stored, lineage_ids=tuple(own_ids)),
            team_id=team_id,
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
        summary = links.summary()
        if not dry_run:
            database.insert_rows("clusters", different)
            if orjson.loads(run.lineage) != summary:
                database.insert_rows("clustering_runs", [_with_lineage(run, summary)])
        yield Relinked(
            run.theme_id,
            run.day,
            tuple(
                (str(before["lineage_id"]), str(now["lineage_id"]))
                for before, now in zip(clusters, linked, strict=True)
                if before["lineage_id"] != now["lineage_id"]
            ),
            bool(different) or orjson.loads(run.lineage) != summary,
        )


def _with_lineage(run: Run, summary: dict[str, Any]) -> dict[str, Any]:
    row = asdict(run) | {"lineage": orjson.dumps(summary).decode()}
    del row["committed_at"]
    return row
