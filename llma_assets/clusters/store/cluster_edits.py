"""The table `cluster_edits`: what people decided about clusters.

Which decisions are possible, and what they come to, belongs in `edits`.
"""

from collections.abc import Collection
from dataclasses import replace
from uuid import uuid5

from llma_assets.clickhouse import Database, RememberingDatabase
from llma_assets.clusters.edits.decisions import Edit, Standing, standings
from llma_assets.clusters.lineage_ids import NAMESPACE
from llma_assets.clusters.store.lineages import LINEAGES, WITHHELD_LINEAGES, withheld_lineages

# Key of cluster_edits: (team_id, theme_id, lineage_id, edited_at, edit_id).
EDITS = """
SELECT team_id, theme_id, lineage_id, action, title, into_lineage_id, author, edited_at, item_id
FROM cluster_edits FINAL
WHERE team_id IN {team_ids:Array(Int64)}
ORDER BY edited_at, edit_id
"""


def edits_of(database: Database, team_id: int) -> list[Edit]:
    """All that people decided about a team's clusters, oldest first.

    While a cluster may not be shown in full its titles are "", because people made them of what they saw in it.
    """
    rows = database.rows(EDITS, team_ids=[team_id])
    edits = [Edit(**{name: value for name, value in row.items() if name != "team_id"}) for row in rows]
    if not any(edit.title for edit in edits):
        return edits
    withheld = withheld_lineages(database, team_id)
    return [replace(edit, title="") if edit.lineage_id in withheld else edit for edit in edits]


def standings_of(database: Database, team_id: int) -> dict[str, Standing]:
    """What people's decisions come to, by lineage id."""
    return standings(edits_of(database, team_id))


def store_edit(database: Database, team_id: int, edit: Edit) -> None:
    """Add a decision; the same one sent again is the same row."""
    about = f"{team_id}|{edit.lineage_id}|{edit.action}|{edit.author}|{edit.edited_at.isoformat()}"
    about += f"|{edit.item_id}" if edit.item_id else ""
    row = {
        "team_id": team_id,
        "theme_id": edit.theme_id,
        "lineage_id": edit.lineage_id,
        "edited_at": edit.edited_at,
        "edit_id": uuid5(NAMESPACE, about),
        "action": edit.action,
        "title": edit.title,
        "into_lineage_id": edit.into_lineage_id,
        "item_id": edit.item_id,
        "author": edit.author,
    }
    database.insert_rows("cluster_edits", [row])


def ask_edits_of(database: RememberingDatabase, team_ids: Collection[int]) -> None:
    """Ask for the edits of several teams at once: those of each are known then."""
    database.ask_together(EDITS, team_ids)


def ask_together(database: RememberingDatabase, team_ids: Collection[int]) -> None:
    """Ask for lineages, edits and what is withheld of several teams at once: what is asked of one is known then."""
    ask_edits_of(database, team_ids)
    database.ask_together(WITHHELD_LINEAGES, team_ids)
    database.ask_together(LINEAGES, team_ids, prefix="")
