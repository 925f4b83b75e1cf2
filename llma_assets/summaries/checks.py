"""Checks of `trace_summaries`: failures of single items are normal, a large share or the same ones again are not."""

from collections import Counter
from collections.abc import Iterator

from llma_assets.clickhouse import Database
from llma_assets.findings import Check, Outcome
from llma_assets.stage import asset_check
from llma_assets.summaries.dead_letters import dead_letters
from llma_assets.summaries.queries import DEAD_LETTERS, SUMMARY_COUNTS
from llma_assets.team_day import TeamDay

MAX_FAILED_SHARE = 0.2


def few_failures(database: Database, team_day: TeamDay) -> Iterator[Outcome]:
    """At most a fifth of a theme's items have no summary because the model failed."""
    for row in database.rows(SUMMARY_COUNTS, team_id=team_day.team_id, day=team_day.day):
        total = row["generated"] + row["failed"]
        yield Outcome(
            passed=row["failed"] <= MAX_FAILED_SHARE * total,
            expected=f"at most {MAX_FAILED_SHARE:.0%} failed",
            found=f"{row['failed']} of {total} failed",
            query=SUMMARY_COUNTS,
            theme_id=row["theme_id"],
        )


def no_dead_letters(database: Database, team_day: TeamDay) -> Iterator[Outcome]:
    """No item has failed in so many runs that it is no longer tried; `llma retry` shows such, and brings them back."""
    letters = dead_letters(database, team_day.team_id, day=team_day.day)
    by_theme = Counter(letter.theme_id for letter in letters)
    for row in database.rows(SUMMARY_COUNTS, team_id=team_day.team_id, day=team_day.day):
        dead = by_theme[row["theme_id"]]
        yield Outcome(
            passed=not dead,
            expected="no dead letters",
            found=f"{dead} (llma retry --team {team_day.team_id} --date {team_day.day} --list)" if dead else "none",
            query=DEAD_LETTERS,
            theme_id=row["theme_id"],
        )


CHECKS = (Check("trace_summaries", few_failures), Check("trace_summaries", no_dead_letters))

asset_checks = [asset_check(check) for check in CHECKS]
