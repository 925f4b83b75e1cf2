"""Stored answers that can be reused: to the same question about the same text, for any theme, item or day.

`prompt.question_hash` defines when questions are equal; summaries are stored by `theme_run`.
"""

from collections.abc import Iterable
from typing import Any

from more_itertools import chunked

from llma_assets.clickhouse import Database
from llma_assets.summaries.queries import DELETE_SUMMARIES_OF_LATER_DAYS, KNOWN_ANSWERS, MOVED_HERE
from llma_assets.team_day import TeamDay

REMEMBERED_DAYS = 31
"""Answers are reused, and moved items are recognised, this many days before and after a day."""

_IDS_AT_ONCE = 500


def stored_answers(database: Database, team_day: TeamDay, questions: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The stored answers to questions of a team, by question hash.

    Args:
        questions: question hashes.

    Returns:
        by hash the columns of `trace_summaries` that hold the answer; unanswered questions are absent.
    """
    first, last = team_day.back(REMEMBERED_DAYS).day, team_day.back(-REMEMBERED_DAYS).day
    if not database.may_hold("trace_summaries", team_day.team_id, first, last):
        return {}
    return {
        row["question_hash"]: row
        for some in chunked(sorted(set(questions)), _IDS_AT_ONCE)
        for row in database.rows(
            KNOWN_ANSWERS, team_id=team_day.team_id, question_hashes=some, **{"from": first, "until": last}
        )
    }


def delete_later_days(database: Database, team_day: TeamDay, theme_id: str) -> int:
    """Delete summaries under later days of items that moved to this day (a late event can move an item).

    Returns:
        how many items moved.
    """
    if not database.may_hold("trace_summaries", team_day.team_id, team_day.back(-1).day, part=theme_id):
        return 0
    where = {
        "team_id": team_day.team_id,
        "day": team_day.day,
        "last_day": team_day.back(-REMEMBERED_DAYS).day,
        "theme_id": theme_id,
    }
    moved = [row["item_id"] for row in database.rows(MOVED_HERE, **where)]
    for item_ids in chunked(moved, _IDS_AT_ONCE):
        database.execute(DELETE_SUMMARIES_OF_LATER_DAYS, **where, item_ids=item_ids)
    return len(moved)
