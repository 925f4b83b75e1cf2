"""Judging many buckets one after the other, as they would have been judged: for benchmarks and tests."""

from collections.abc import Iterator, Sequence

from llma_assets.alerts.judging.history import History
from llma_assets.alerts.judging.judge import Work, judge_together
from llma_assets.alerts.judging.verdicts import Decision, Standing, followed
from llma_assets.alerts.rule import Rule


def replay(rule: Rule, history: History, first: int, last: int) -> Iterator[tuple[int, list[Decision]]]:
    """The decisions of each bucket from column `first` to `last`; before the first no incident is open."""
    for t, (decisions,) in replay_together([(rule, history)], first, last):
        yield t, decisions


def replay_together(
    pairs: Sequence[tuple[Rule, History]], first: int, last: int
) -> Iterator[tuple[int, list[list[Decision]]]]:
    """The same of all rules and themes of a team, whose histories begin on one day, corrected over them all."""
    standings: list[dict[str, Standing]] = [{} for _ in pairs]
    for t in range(first, last + 1):
        works = [Work(rule, history, was) for (rule, history), was in zip(pairs, standings, strict=True)]
        decided = judge_together(works, pairs[0][1].day(t))
        standings = [followed(each, was) for each, was in zip(decided, standings, strict=True)]
        yield t, decided
