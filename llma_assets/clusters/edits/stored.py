"""Statements about people's decisions and about the lineages that they can concern.

Which decisions are possible, and what they add up to, belongs in `decisions`.
"""

from uuid import uuid5

from llma_assets.clickhouse import Database
from llma_assets.clusters.edits.decisions import Edit, EditError, Lineage, Standing, UnknownLineageError, standings
from llma_assets.clusters.lineage_ids import NAMESPACE

SHORT_ID = 4
"""Characters of a lineage id that are enough to ask for it, at least."""

# Key of cluster_edits: (team_id, theme_id, lineage_id, edited_at, edit_id).
EDITS = """
SELECT theme_id, lineage_id, action, title, into_lineage_id, author, edited_at
FROM cluster_edits FINAL
WHERE team_id = {team_id:Int64}
ORDER BY edited_at, edit_id
"""

# Keys: clustering_runs (team_id, day, theme_id); clusters and cluster_labels (…, attempt_id, cluster_id).
# Labels of origin 'locked' hold what people chose; what holds of that, `standings_of` says.
LINEAGES = """
WITH
    runs AS
    (
        SELECT day, theme_id, attempt_id
        FROM clustering_runs FINAL
        WHERE team_id = {team_id:Int64}
    ),
    homes AS
    (
        SELECT day, theme_id, attempt_id, cluster_id, lineage_id, size
        FROM clusters FINAL
        WHERE team_id = {team_id:Int64}
            AND lineage_id != ''
            AND startsWith(lineage_id, {prefix:String})
            AND (day, theme_id, attempt_id) IN (SELECT day, theme_id, attempt_id FROM runs)
    ),
    names AS
    (
        SELECT day, theme_id, attempt_id, cluster_id, title
        FROM cluster_labels FINAL
        WHERE team_id = {team_id:Int64} AND title != '' AND origin != 'locked'
    )
SELECT
    homes.theme_id AS theme_id,
    homes.lineage_id AS lineage_id,
    min(homes.day) AS first_day,
    max(homes.day) AS last_day,
    argMax(homes.size, homes.day) AS size,
    argMaxIf(names.title, homes.day, names.title != '') AS title
FROM homes
LEFT JOIN names USING (day, theme_id, attempt_id, cluster_id)
GROUP BY theme_id, lineage_id
ORDER BY last_day DESC, size DESC, lineage_id
"""


def edits_of(database: Database, team_id: int) -> list[Edit]:
    """All decisions about a team's clusters, oldest first."""
    return [Edit(**row) for row in database.rows(EDITS, team_id=team_id)]


def standings_of(database: Database, team_id: int) -> dict[str, Standing]:
    """The state of each lineage after people's decisions, by lineage id."""
    return standings(edits_of(database, team_id))


def store_edit(database: Database, team_id: int, edit: Edit) -> None:
    """Store a decision; storing it again gives the same row."""
    about = f"{team_id}|{edit.lineage_id}|{edit.action}|{edit.author}|{edit.edited_at.isoformat()}"
    row = {
        "team_id": team_id,
        "theme_id": edit.theme_id,
        "lineage_id": edit.lineage_id,
        "edited_at": edit.edited_at,
        "edit_id": uuid5(NAMESPACE, about),
        "action": edit.action,
        "title": edit.title,
        "into_lineage_id": edit.into_lineage_id,
        "author": edit.author,
    }
    database.insert_rows("cluster_edits", [row])


def lineages_of(database: Database, team_id: int, prefix: str = "") -> list[Lineage]:
    """The lineages of a team that any committed run has, latest first."""
    return [Lineage(**row) for row in database.rows(LINEAGES, team_id=team_id, prefix=prefix)]


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
