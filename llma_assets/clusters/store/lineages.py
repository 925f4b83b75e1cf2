"""Lineages as the clusters of committed runs have them: which there are, and what models called them."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from llma_assets.clickhouse import Database
from llma_assets.clusters.edits.decisions import EditError, Lineage, UnknownLineageError

# Keys: clustering_runs (team_id, day, theme_id); clusters and cluster_labels (…, attempt_id, cluster_id).
# The name is the latest that a model gave; the content is what it saw when it last thought of one. Labels of origin
# 'locked' hold what people chose, and only for as long as they want it.
LATEST_NAMES = """
WITH
    runs AS
    (
        SELECT day, attempt_id
        FROM clustering_runs FINAL
        WHERE team_id = {team_id:Int64}
            AND day BETWEEN {from:Date} AND {until:Date}
            AND theme_id = {theme_id:String}
    ),
    homes AS
    (
        SELECT day, attempt_id, cluster_id, lineage_id, centroid
        FROM clusters FINAL
        WHERE team_id = {team_id:Int64}
            AND day BETWEEN {from:Date} AND {until:Date}
            AND theme_id = {theme_id:String}
            AND lineage_id IN {lineage_ids:Array(String)}
            AND (day, attempt_id) IN (SELECT day, attempt_id FROM runs)
    ),
    names AS
    (
        SELECT day, attempt_id, cluster_id, title, description, model, origin
        FROM cluster_labels FINAL
        WHERE team_id = {team_id:Int64}
            AND day BETWEEN {from:Date} AND {until:Date}
            AND theme_id = {theme_id:String}
            AND status = 'generated'
            AND origin NOT IN ('locked', 'fixed')
    )
SELECT
    lineage_id,
    argMax(title, day) AS latest_title,
    argMax(description, day) AS latest_description,
    argMax(model, day) AS latest_model,
    maxIf(day, origin != 'carried') AS named_on,
    argMaxIf(centroid, day, origin != 'carried') AS named_centroid
FROM homes
INNER JOIN names USING (day, attempt_id, cluster_id)
GROUP BY lineage_id
"""

SHORT_ID = 4
"""Characters of a lineage id that are enough to ask for it, at least."""

# Keys: clustering_runs (team_id, day, theme_id); clusters and cluster_labels (…, attempt_id, cluster_id).
# Labels of origin 'locked' hold what people chose; what holds of that, `standings_of` says.
LINEAGES = """
WITH
    runs AS
    (
        SELECT team_id, day, theme_id, attempt_id
        FROM clustering_runs FINAL
        WHERE team_id IN {team_ids:Array(Int64)}
    ),
    homes AS
    (
        SELECT team_id, day, theme_id, attempt_id, cluster_id, lineage_id, size, disclosure
        FROM clusters FINAL
        WHERE team_id IN {team_ids:Array(Int64)}
            AND lineage_id != ''
            AND startsWith(lineage_id, {prefix:String})
            AND (team_id, day, theme_id, attempt_id) IN (SELECT team_id, day, theme_id, attempt_id FROM runs)
    ),
    names AS
    (
        SELECT team_id, day, theme_id, attempt_id, cluster_id, title
        FROM cluster_labels FINAL
        WHERE team_id IN {team_ids:Array(Int64)} AND title != '' AND origin NOT IN ('locked', 'fixed')
    )
SELECT
    homes.team_id AS team_id,
    homes.theme_id AS theme_id,
    homes.lineage_id AS lineage_id,
    min(homes.day) AS first_day,
    max(homes.day) AS last_day,
    argMax(homes.size, homes.day) AS size,
    -- What is withheld by now has no name, although it may have had one.
    if(
        argMax(homes.disclosure, homes.day) = 'full', argMaxIf(names.title, homes.day, names.title != ''), ''
    ) AS title
FROM homes
LEFT JOIN names USING (team_id, day, theme_id, attempt_id, cluster_id)
GROUP BY team_id, theme_id, lineage_id
HAVING argMax(homes.disclosure, homes.day) != 'held_back'
ORDER BY last_day DESC, size DESC, lineage_id
"""

# Keys: clustering_runs (team_id, day, theme_id); clusters (…, attempt_id, cluster_id). A team without a privacy minimum
# has no row that is withheld, so that the inner list is empty.
WITHHELD_LINEAGES = """
SELECT team_id, lineage_id
FROM clusters FINAL
WHERE team_id IN {team_ids:Array(Int64)}
    AND (team_id, lineage_id) IN
    (
        SELECT team_id, lineage_id
        FROM clusters
        WHERE team_id IN {team_ids:Array(Int64)} AND disclosure != 'full' AND lineage_id != ''
    )
    AND (team_id, day, theme_id, attempt_id) IN
    (
        SELECT team_id, day, theme_id, attempt_id
        FROM clustering_runs FINAL
        WHERE team_id IN {team_ids:Array(Int64)}
    )
GROUP BY team_id, lineage_id
HAVING argMax(disclosure, day) != 'full'
"""


def lineages_of(database: Database, team_id: int, prefix: str = "") -> list[Lineage]:
    """The lineages of a team that any committed run has, latest first; without those that are held back by now."""
    rows = database.rows_of_runs(LINEAGES, team_ids=[team_id], prefix=prefix)
    return [Lineage(**{name: value for name, value in row.items() if name != "team_id"}) for row in rows]


def withheld_lineages(database: Database, team_id: int) -> frozenset[str]:
    """Ids of the lineages whose latest cluster may not be shown in full: what people and models called them, either."""
    return frozenset(row["lineage_id"] for row in database.rows_of_runs(WITHHELD_LINEAGES, team_ids=[team_id]))


def find_lineage(database: Database, team_id: int, text: str) -> Lineage:
    """The one lineage of a team whose id begins so.

    Raises:
        EditError: too short, or several; the message lists them.
        UnknownLineageError: none.
    """
    prefix = text.strip().lower()
    if len(prefix) < SHORT_ID:
        raise EditError(f"{text!r} is too short for a lineage id; at least {SHORT_ID} characters are needed")
    found = lineages_of(database, team_id, prefix)
    if not found:
        raise UnknownLineageError(
            f"team {team_id} has no lineage {text!r}; `llma clusters --team {team_id} --date …` shows them"
        )
    if len(found) > 1:
        shown = ", ".join(f"{each.lineage_id[:13]} ({each.title or 'no name'})" for each in found[:5])
        more = f" and {len(found) - 5} more" if len(found) > 5 else ""
        raise EditError(f"{text!r} could be {shown}{more}; give more of the id")
    return found[0]


def latest_names(
    database: Database, team_id: int, theme_id: str, lineage_ids: Sequence[str], first_day: date, last_day: date
) -> dict[str, dict[str, Any]]:
    """The latest name that a model gave each lineage on some days, and the centroid that it was thought of for."""
    period = {"from": first_day, "until": last_day}
    rows = database.rows(LATEST_NAMES, team_id=team_id, theme_id=theme_id, lineage_ids=lineage_ids, **period)
    return {row["lineage_id"]: row for row in rows}
