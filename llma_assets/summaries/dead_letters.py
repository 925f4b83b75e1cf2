"""Dead letters: items that failed in several runs and are not retried until somebody requeues them.

Whether a failure is the item's own is decided in `summarise`; the command `llma retry` belongs in `cli`.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Annotated, Any

from more_itertools import chunked
from pydantic import Field

from llma_assets.clickhouse import Database
from llma_assets.serialization import NOT_IN_JSON, Day, Moment, ThemeId
from llma_assets.summaries.queries import DAYS_WITH_FAILURES, DEAD_ITEMS, DEAD_LETTERS, REQUEUE
from llma_assets.summaries.task import SummaryResult
from llma_assets.team_day import TeamDay

MAX_FAILURES = 3
"""An item that failed in this many runs is a dead letter."""

FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2149, 6, 6)
_IDS_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An item that is not retried any more.

    Attributes:
        team_id, day, theme_id, item_id: which item.
        content_hash: hash of the text and of everything else that the summary depends on.
        reason: why it failed last; never a provider's own text.
        failures: runs in which it failed.
        last_failed_at: when it failed last, UTC.
    """

    team_id: Annotated[int, NOT_IN_JSON]
    day: Day
    theme_id: ThemeId
    item_id: Annotated[str, Field(serialization_alias="item")]
    content_hash: Annotated[str, NOT_IN_JSON]
    reason: str
    failures: int
    last_failed_at: Moment


def record_failures(
    database: Database,
    team_day: TeamDay,
    theme_id: str,
    run_id: str,
    results: Iterable[SummaryResult],
    items: Mapping[str, Mapping[str, Any]],
) -> None:
    """Record the failed items among `results`; each counts once for a run, however often it is recorded.

    Args:
        items: by id, with the `content_hash` that the stored summary depends on.
    """
    now = datetime.now(UTC)
    database.insert_rows(
        "summary_failures",
        [
            {
                "team_id": team_day.team_id,
                "day": team_day.day,
                "theme_id": theme_id,
                "item_id": result.item_id,
                "content_hash": items[result.item_id]["content_hash"],
                "run_id": run_id,
                "reason": result.error,
                "retried": False,
                "failed_at": now,
            }
            for result in results
            if result.status == "failed"
        ],
    )


def dead_items(database: Database, team_day: TeamDay, theme_id: str) -> set[tuple[str, str]]:
    """(item id, content hash) of the dead letters of a theme in a partition."""
    if not database.may_hold("summary_failures", team_day.team_id, team_day.day, team_day.day, part=theme_id):
        return set()
    rows = database.rows(
        DEAD_ITEMS, team_id=team_day.team_id, day=team_day.day, theme_id=theme_id, most_failures=MAX_FAILURES
    )
    return {(row["item_id"], row["content_hash"]) for row in rows}


def days_with_failures(database: Database, days: Collection[TeamDay]) -> set[TeamDay]:
    """Those of these days, of any teams, on which a question about an item has ever failed."""
    if not days:
        return set()
    rows = database.rows(
        DAYS_WITH_FAILURES,
        team_ids=sorted({each.team_id for each in days}),
        **{"from": min(each.day for each in days), "until": max(each.day for each in days)},
    )
    return {TeamDay(row["team_id"], row["day"]) for row in rows} & set(days)


def dead_letters(
    database: Database,
    team_id: int,
    *,
    day: date | None = None,
    theme_id: str | None = None,
    item_ids: Sequence[str] = (),
) -> list[DeadLetter]:
    """The dead letters of a team, by day, theme and item.

    Args:
        day, theme_id: only these; None for all.
        item_ids: only these; empty for all.
    """
    first, last = day or FIRST_DAY, day or LAST_DAY
    if not database.may_hold("summary_failures", team_id, first, last):
        return []
    rows = database.rows(DEAD_LETTERS, team_id=team_id, most_failures=MAX_FAILURES, **{"from": first, "until": last})
    return [
        DeadLetter(team_id=team_id, **row)
        for row in rows
        if theme_id in (None, row["theme_id"]) and (not item_ids or row["item_id"] in item_ids)
    ]


def requeue(database: Database, letters: Iterable[DeadLetter]) -> None:
    """Reset the failures of these items, so that the next run of their day tries them again. Idempotent."""
    for (team_id, day, theme_id), group in groupby(letters, lambda each: (each.team_id, each.day, each.theme_id)):
        for some in chunked(group, _IDS_AT_ONCE):
            item_ids = [letter.item_id for letter in some]
            database.execute(REQUEUE, team_id=team_id, day=day, theme_id=theme_id, item_ids=item_ids)
