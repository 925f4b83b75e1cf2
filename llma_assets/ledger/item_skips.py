"""Failed items, with stage and reason. Skips of whole partitions belong in `skips`.

A skip of an item is replaced, never deleted: a recovered item has the empty reason.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from more_itertools import chunked

from llma_assets.clickhouse import Database
from llma_assets.ledger import queries
from llma_assets.team_day import TeamDay

_IDS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class ItemSkip:
    """Why a stage treated one trace or generation unlike the others."""

    team_id: int
    day: date
    stage: str
    theme_id: str
    level: str
    item_id: str
    reason: str
    detail: str


def record_item_skips(
    database: Database,
    team_day: TeamDay,
    *,
    stage: str,
    level: str,
    theme_id: str = "",
    failed: Mapping[str, str],
    reason: str,
    recovered: Iterable[str] = (),
) -> None:
    """Record which items failed, and which of those that failed before have recovered; a second time writes nothing.

    Args:
        failed: details of the failure by item id.
        reason: a code, the same for all.
        recovered: ids of items that did not fail this time.
    """
    key = {"team_id": team_day.team_id, "day": team_day.day, "stage": stage, "theme_id": theme_id, "level": level}
    is_known = database.may_hold("item_skips", team_day.team_id, team_day.day, team_day.day, part=stage)
    stored = database.rows(queries.CURRENT_ITEM_SKIPS, **key) if is_known else []
    current = {row["item_id"]: (row["reason"], row["detail"]) for row in stored}
    wanted = {item_id: (reason, detail) for item_id, detail in failed.items()}
    wanted |= {item_id: ("", "") for item_id in recovered if item_id in current and item_id not in failed}
    rows = [
        {**key, "item_id": item_id, "reason": why, "detail": detail}
        for item_id, (why, detail) in wanted.items()
        if current.get(item_id) != (why, detail)
    ]
    for some in chunked(rows, _IDS_AT_ONCE):
        database.insert_rows("item_skips", some)


def list_item_skips(
    database: Database, *, day: date, team_id: int | None = None, stages: Collection[str] = ()
) -> list[ItemSkip]:
    """The failed items of a day: of one team, or of all teams (operators only)."""
    where: dict[str, Any] = {"day": day} if team_id is None else {"day": day, "team_id": team_id}
    statement = queries.ITEM_SKIPS_OF_DAY if team_id is None else queries.ITEM_SKIPS_OF_TEAM_AND_DAY
    found = [ItemSkip(**row) for row in database.rows(statement, **where)]
    return [skip for skip in found if not stages or skip.stage in stages]
