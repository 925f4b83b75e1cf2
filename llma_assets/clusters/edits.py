"""What people decide about clusters, and what follows from all decisions together. No database, no command line.

A decision is about a lineage, so it holds on all days that have it. Decisions are only ever added; undoing one is
another.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, get_args

Action = Literal["rename", "unname", "lock", "unlock", "merge", "unmerge", "hide", "unhide"]
ACTIONS: tuple[Action, ...] = get_args(Action)

MAX_TITLE = 200
"""Characters of a title, at most."""


class EditError(ValueError):
    """The decision cannot be taken; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One decision.

    Attributes:
        theme_id: theme of the lineage.
        lineage_id: what it is about.
        action: what was decided.
        title: of `rename`: the new one; of `lock`: the one that stays; else "".
        into_lineage_id: of `merge`: what it is counted with; else "".
        author: who decided.
        edited_at: when.
    """

    theme_id: str
    lineage_id: str
    action: Action
    title: str
    into_lineage_id: str
    author: str
    edited_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """What holds for a lineage after all decisions.

    Attributes:
        title: the title that people gave or locked, "" where there is none.
        renamed: whether people chose the title.
        locked: whether the title may not be changed by a model.
        hidden: whether it is left out of listings.
        into: the lineage that it is counted with, "" where it stands alone.
    """

    title: str = ""
    renamed: bool = False
    locked: bool = False
    hidden: bool = False
    into: str = ""


NOTHING = Standing()


def standings(edits: Iterable[Edit]) -> dict[str, Standing]:
    """What holds for each lineage that anything was ever decided about; `edits` in the order of their times."""
    found: dict[str, Standing] = {}
    for edit in edits:
        found[edit.lineage_id] = after(found.get(edit.lineage_id, NOTHING), edit)
    return found


def after(standing: Standing, edit: Edit) -> Standing:
    """What holds once `edit` was decided."""
    changed: dict[Action, dict[str, Any]] = {
        "rename": {"title": edit.title, "renamed": True},
        "unname": {"title": "", "renamed": False, "locked": False},
        "lock": {"title": edit.title, "locked": True},
        "unlock": {"title": standing.title if standing.renamed else "", "locked": False},
        "merge": {"into": edit.into_lineage_id},
        "unmerge": {"into": ""},
        "hide": {"hidden": True},
        "unhide": {"hidden": False},
    }
    return replace(standing, **changed[edit.action])


def counted_as(lineage_id: str, found: Mapping[str, Standing]) -> str:
    """The lineage that this one is counted with in the end, itself where nobody merged it."""
    seen = {lineage_id}
    while (into := found.get(lineage_id, NOTHING).into) and into not in seen:
        seen.add(into)
        lineage_id = into
    return lineage_id


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
