"""Rules of the asset checks of `trace_summaries`. Their Dagster side belongs in `defs.checks`."""

from collections import Counter
from collections.abc import Iterator

from llma_assets.clickhouse import Database
from llma_assets.findings import Check, Outcome
from llma_assets.ledger import spending_within_budget, theme_spending_within_budget
from llma_assets.summaries.dead_letters import dead_letters
from llma_assets.summaries.queries import DEAD_LETTERS, LINE_REFERENCES, SUMMARY_COUNTS
from llma_assets.summaries.theme_run import MAX_FAILED_SHARE
from llma_assets.team_day import TeamDay

MIN_VALID_SHARE = 0.9
"""Least share of valid line references; below it, the model guesses."""
MANY_ITEMS = 50
"""A theme without a relevant item among this many is likely to ask for the wrong thing."""


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
    """No item is a dead letter; `llma retry` lists and requeues them."""
    letters = dead_letters(database, team_day.team_id, day=team_day.day)
    by_theme = Counter(letter.theme_id for letter in letters)
    for row in database.rows(SUMMARY_COUNTS, team_id=team_day.team_id, day=team_day.day):
        dead = by_theme[row["theme_id"]]
        yield Outcome(
            passed=not dead,
            expected="no dead letters",
            found=f"{dead} (`llma retry --team {team_day.team_id} --date {team_day.day} --list`)" if dead else "none",
            query=DEAD_LETTERS,
            theme_id=row["theme_id"],
        )


def line_references_exist(database: Database, team_day: TeamDay) -> Iterator[Outcome]:
    """Every stored line reference points at a line of the text that the model saw.

    The check blocks nothing, because embeddings and clusters do not read references. A summary whose text has been
    rendered again or has expired cannot be checked; such summaries are counted.
    """
    for row in database.rows(LINE_REFERENCES, team_id=team_day.team_id, day=team_day.day):
        unknown = row["summaries"] - row["with_text"]
        yield Outcome(
            passed=not row["broken"],
            expected="no reference to a line that is not in the text",
            found=f"{row['broken']} of {row['with_text']} summaries with one"
            + (f", such as {', '.join(row['examples'])}" if row["examples"] else "")
            + (f"; {unknown} without their text" if unknown else ""),
            query=LINE_REFERENCES,
            theme_id=row["theme_id"],
        )


def few_false_references(database: Database, team_day: TeamDay) -> Iterator[Outcome]:
    """At least nine tenths of the model's line references are valid; invalid ones were dropped."""
    for row in database.rows(SUMMARY_COUNTS, team_id=team_day.team_id, day=team_day.day):
        given, kept = row["refs_given"], row["refs_kept"]
        yield Outcome(
            passed=kept >= MIN_VALID_SHARE * given,
            expected=f"at least {MIN_VALID_SHARE:.0%} of the references valid",
            found=f"{kept / given:.1%}, {kept} of {given}" if given else "no references given",
            query=SUMMARY_COUNTS,
            theme_id=row["theme_id"],
        )


def themes_find_something(database: Database, team_day: TeamDay) -> Iterator[Outcome]:
    """At least one of a theme's items is relevant, where many were summarised.

    A theme without any has a prompt or rule that misses its purpose, or filters that select unrelated items: it spends
    money for nothing. `llma themes try` shows what the model answers.
    """
    for row in database.rows(SUMMARY_COUNTS, team_id=team_day.team_id, day=team_day.day):
        yield Outcome(
            passed=row["relevant"] > 0 or row["generated"] < MANY_ITEMS,
            expected=f"a relevant item among {MANY_ITEMS} or more",
            found=f"{row['relevant']} of {row['generated']} relevant",
            query=SUMMARY_COUNTS,
            theme_id=row["theme_id"],
        )


CHECKS = (
    Check("trace_summaries", few_failures),
    Check("trace_summaries", no_dead_letters),
    Check("trace_summaries", line_references_exist),
    Check("trace_summaries", few_false_references, warns=True),
    Check("trace_summaries", themes_find_something, warns=True),
    Check("trace_summaries", spending_within_budget),
    Check("trace_summaries", theme_spending_within_budget),
)
