"""Decisions of people about stored clusters: found by their ids, checked together, stored. The rules are in `edits`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from llma_assets.clickhouse import Database
from llma_assets.clusters.edits.decisions import ACTIONS, NOTHING, Action, Edit, EditError, Lineage, after, decide
from llma_assets.clusters.store.cluster_edits import standings_of, store_edit
from llma_assets.clusters.store.lineages import find_lineage


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of one decision.

    Attributes:
        lineage: that it concerns.
        edit: as it is stored, None where everything was so already.
        name: what the cluster, or the one that it is counted with, is called now; "" without a name.
    """

    lineage: Lineage
    edit: Edit | None
    name: str


def decide_about(
    database: Database,
    team_id: int,
    action: Action,
    lineages: Sequence[str],
    *,
    author: str,
    at: datetime,
    title: str = "",
    into: str = "",
) -> list[Decided]:
    """Make a decision about clusters, and store it; all of it or nothing.

    Args:
        lineages: ids, or unique prefixes of them.
        author: who decides.
        at: when.
        title: of `rename`, the new one.
        into: of `merge`, the lineage to count them with.

    Raises:
        UnknownLineageError: the team has no such lineage.
        EditError: the decision is not possible; the message says why.
    """
    if action not in ACTIONS:
        raise EditError(f"there is no decision {action!r}; there are {', '.join(ACTIONS)}")
    main = find_lineage(database, team_id, into) if into else None
    wanted = [find_lineage(database, team_id, text) for text in lineages]
    found = standings_of(database, team_id)
    decided = []
    for lineage in wanted:
        edit = decide(action, lineage, found, author=author, at=at, title=title, into=main)
        if edit is not None:
            found[lineage.lineage_id] = after(found.get(lineage.lineage_id, NOTHING), edit)
        about = main or lineage
        decided.append(Decided(lineage, edit, found.get(about.lineage_id, NOTHING).title or about.title))
    for each in decided:
        if each.edit is not None:
            store_edit(database, team_id, each.edit)
    return decided
