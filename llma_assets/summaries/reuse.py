"""Answers that were paid for already: the same question about the same text, whatever theme, item or day it was for.

What a question is, is said by `question_hash` in `prompt`. What is stored of an item is written by `storing`.
"""

from collections.abc import Iterable
from typing import Any

from more_itertools import chunked

from llma_assets.clickhouse import Database
from llma_assets.summaries.queries import DELETE_SUMMARIES_OF_LATER_DAYS, KNOWN_ANSWERS, MOVED_HERE
from llma_assets.team_day import TeamDay

REMEMBERED_DAYS = 31
"""Answers of so many days before and after are looked through, and an item is known to be the same."""

_IDS_AT_ONCE = 500


def stored_answers(database: Database, team_day: TeamDay, questions: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The stored answers to questions of this team by their hash; what was never answered is absent.

    Args:
        questions: hashes of what would be asked.

    Returns:
        per hash the columns of `trace_summaries` that hold the answer.
    """
    return {
        row["question_hash"]: row
        for some in chunked(sorted(set(questions)), _IDS_AT_ONCE)
        for row in database.rows(
            KNOWN_ANSWERS,
            team_id=team_day.team_id,
            question_hashes=some,
            **{"from": team_day.back(REMEMBERED_DAYS).day, "until": team_day.back(-REMEMBERED_DAYS).day},
        )
    }


def delete_later_days(database: Database, team_day: TeamDay, theme_id: str) -> int:
    """Delete the summaries that items of this day have under later ones, where they were before they moved here.

    Returns:
        how many items moved.
    """
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
