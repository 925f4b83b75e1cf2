"""Decisions of people about stored clusters: found by their ids, checked together, stored. The rules are in `edits`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from llma_assets.clickhouse import Database
from llma_assets.clusters.edits.decisions import (
    ACTIONS,
    NOTHING,
    Action,
    Edit,
    EditError,
    Lineage,
    Standing,
    after,
    counted_as,
    decide,
)
from llma_assets.clusters.store.cluster_edits import standings_of, store_edit
from llma_assets.clusters.store.cluster_members import is_member
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
    item_id: str = "",
) -> list[Decided]:
    """Make a decision about clusters, and store it; all of it or nothing.

    Args:
        lineages: ids, or unique prefixes of them.
        author: who decides.
        at: when.
        title: of `rename`, the new one.
        into: of `merge`, the lineage to count them with.
        item_id: of `take_out` and `put_back`, the member: a trace or a model call.

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
        edit = decide(action, lineage, found, author=author, at=at, title=title, into=main, item_id=item_id)
        if edit is not None and action == "take_out":
            _check_member(database, team_id, lineage, found, item_id)
        if edit is not None:
            found[lineage.lineage_id] = after(found.get(lineage.lineage_id, NOTHING), edit)
        about = main or lineage
        decided.append(Decided(lineage, edit, found.get(about.lineage_id, NOTHING).title or about.title))
    for each in decided:
        if each.edit is not None:
            store_edit(database, team_id, each.edit)
    return decided


def _check_member(
    database: Database, team_id: int, lineage: Lineage, found: Mapping[str, Standing], item_id: str
) -> None:
    """
    Raises:
        EditError: the item was never in the lineage, nor in one that is counted with it.
    """
    main = counted_as(lineage.lineage_id, found)
    ids = [lineage.lineage_id, main, *(each for each in found if counted_as(each, found) == main)]
    if not is_member(database, team_id, lineage.theme_id, ids, item_id):
        raise EditError(f"{item_id[:80]!r} is not in {lineage.lineage_id[:13]}; give the id of one of its members")
