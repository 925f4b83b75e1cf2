"""People's decisions about clusters, and the state that they add up to. No database, no command line.

A decision concerns a lineage, so it holds on all its days. Decisions are only added; undoing one adds another.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Literal, get_args

Action = Literal["rename", "unname", "lock", "unlock", "merge", "unmerge", "hide", "unhide", "take_out", "put_back"]
ACTIONS: tuple[Action, ...] = get_args(Action)
MEMBER_ACTIONS: frozenset[Action] = frozenset(("take_out", "put_back"))
"""Decisions about one member."""

MAX_TITLE = 200
"""Characters of a title, at most."""


class EditError(ValueError):
    """The decision is not possible; the message says why and what to do."""


class UnknownLineageError(LookupError):
    """The team has no such lineage."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One decision.

    Attributes:
        theme_id: theme of the lineage.
        lineage_id: the lineage that it concerns.
        action: what was decided.
        title: of `rename`: the new one; of `lock`: the one that stays; else "".
        into_lineage_id: of `merge`: the lineage that it is counted with; else "".
        author: who decided.
        edited_at: when.
        item_id: of `take_out` and `put_back`: the member; else "".
    """

    theme_id: str
    lineage_id: str
    action: Action
    title: str
    into_lineage_id: str
    author: str
    edited_at: datetime
    item_id: str = ""


@dataclass(frozen=True, slots=True)
class Lineage:
    """What is known of a lineage.

    Attributes:
        theme_id: its theme.
        lineage_id: its id.
        first_day: of the first run that has it.
        last_day: of the latest.
        size: its members in the latest.
        title: its last title by a model, "" where it has none.
    """

    theme_id: str
    lineage_id: str
    first_day: date
    last_day: date
    size: int
    title: str


@dataclass(frozen=True, slots=True)
class Standing:
    """The state of a lineage after all decisions.

    Attributes:
        given: the title that people chose, "" where they did not.
        kept: the title that people locked, "" where they did not.
        hidden: whether it is left out of listings.
        into: the lineage that it is counted with, "" where it stands alone.
        taken_out: the items that people said do not belong there.
    """

    given: str = ""
    kept: str = ""
    hidden: bool = False
    into: str = ""
    taken_out: frozenset[str] = frozenset()

    @property
    def title(self) -> str:
        """The title that people chose or locked, "" where a model decides."""
        return self.given or self.kept

    @property
    def renamed(self) -> bool:
        """Whether people chose the title."""
        return bool(self.given)

    @property
    def locked(self) -> bool:
        """Whether no model may change the title."""
        return bool(self.kept)


NOTHING = Standing()


def standings(edits: Iterable[Edit]) -> dict[str, Standing]:
    """The state of each lineage that people made a decision about; `edits` in order of time."""
    found: dict[str, Standing] = {}
    for edit in edits:
        found[edit.lineage_id] = after(found.get(edit.lineage_id, NOTHING), edit)
    return found


def after(standing: Standing, edit: Edit) -> Standing:
    """The state after one more decision."""
    changed: dict[Action, dict[str, Any]] = {
        "rename": {"given": edit.title},
        "unname": {"given": ""},
        "lock": {"kept": edit.title},
        "unlock": {"kept": ""},
        "merge": {"into": edit.into_lineage_id},
        "unmerge": {"into": ""},
        "hide": {"hidden": True},
        "unhide": {"hidden": False},
        "take_out": {"taken_out": standing.taken_out | {edit.item_id}},
        "put_back": {"taken_out": standing.taken_out - {edit.item_id}},
    }
    return replace(standing, **changed[edit.action])


def counted_as(lineage_id: str, found: Mapping[str, Standing]) -> str:
    """The lineage that this one is counted with, following merges; itself if nobody merged it.

    Two merges at the same moment can make a circle; its lineages are counted with the smallest id.
    """
    path = [lineage_id]
    while into := found.get(path[-1], NOTHING).into:
        if into in path:
            return min(path[path.index(into) :])
        path.append(into)
    return path[-1]


def taken_out_of(lineage_id: str, found: Mapping[str, Standing]) -> frozenset[str]:
    """The items that do not belong to a lineage, whichever of those that are counted together people said it of."""
    main = counted_as(lineage_id, found)
    return frozenset[str]().union(
        *(each.taken_out for other, each in found.items() if each.taken_out and counted_as(other, found) == main)
    )


def decide(
    action: Action,
    lineage: Lineage,
    found: Mapping[str, Standing],
    *,
    author: str,
    at: datetime,
    title: str = "",
    into: Lineage | None = None,
    item_id: str = "",
) -> Edit | None:
    """Make a decision; None if it would change nothing.

    Args:
        action: the action.
        lineage: the lineage that it concerns.
        found: the states of all lineages.
        author: who decides.
        at: when.
        title: of `rename`, the new one.
        into: of `merge`, the lineage to count it with.
        item_id: of `take_out` and `put_back`, the member.

    Raises:
        EditError: the decision is not possible; the message says why.
    """
    if (action in MEMBER_ACTIONS) != bool(item_id):
        raise EditError(
            f"{action} needs the id of a member" if action in MEMBER_ACTIONS else f"{action} concerns no single member"
        )
    standing = found.get(lineage.lineage_id, NOTHING)
    target = ""
    if action == "rename":
        title = checked_title(title)
    elif action == "lock":
        title = standing.title or lineage.title
        if not title:
            raise EditError(f"{lineage.lineage_id[:13]} has no name yet that could be locked; rename it instead")
    elif action == "merge":
        if into is None:
            raise EditError("merge needs a second cluster, to count the first one with")
        if into.theme_id != lineage.theme_id:
            raise EditError(
                f"clusters of two themes, {lineage.theme_id} and {into.theme_id}, cannot be counted together"
            )
        target = counted_as(into.lineage_id, found)
        if target == lineage.lineage_id:
            raise EditError(
                f"{into.lineage_id[:13]} is counted with {target[:13]} itself; a cluster cannot be merged into itself"
            )
    edit = Edit(lineage.theme_id, lineage.lineage_id, action, title, target, author, at, item_id)
    return None if after(standing, edit) == standing else edit


def checked_title(title: str) -> str:
    """A title as it is stored: one line, without spaces around it.

    Raises:
        EditError: it is empty or too long.
    """
    line = " ".join(title.split())
    if not line:
        raise EditError("the title is empty; give some words, or take yours back with `--undo`")
    if len(line) > MAX_TITLE:
        raise EditError(f"the title has {len(line)} characters, at most {MAX_TITLE} are kept")
    return line
