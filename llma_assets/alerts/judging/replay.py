"""Judging many days one after the other, as they would have been judged: for previews and benchmarks."""

from collections.abc import Iterator

from llma_assets.alerts.judging.history import History
from llma_assets.alerts.judging.judge import judge
from llma_assets.alerts.judging.verdicts import Decision, Standing, followed
from llma_assets.alerts.rule import Rule


def replay(rule: Rule, history: History, first: int, last: int) -> Iterator[tuple[int, list[Decision]]]:
    """The decisions of each day from column `first` to `last`; before the first no incident is open."""
    standing: dict[str, Standing] = {}
    for t in range(first, last + 1):
        decisions = judge(rule, history, t, standing)
        standing = followed(decisions, standing)
        yield t, decisions
