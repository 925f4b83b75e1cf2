"""Rules about themes that were deleted: they do nothing, so it is said where people look."""

from collections.abc import Iterable
from typing import Protocol

from llma_assets.clickhouse import Database
from llma_assets.themes import Problem, did_you_mean, themes_of


class RuleOfThemes(Protocol):
    """A rule that may be about some themes alone."""

    @property
    def rule(self) -> str:
        """Its name."""

    @property
    def themes(self) -> tuple[str, ...]:
        """The themes it is about; all if there are none."""


def deleted_themes(database: Database, team_id: int, rules: Iterable[RuleOfThemes]) -> tuple[Problem, ...]:
    """What is wrong with rules whose themes a team does not have; without a rule about themes nothing is asked."""
    named = [(rule.rule, theme_id) for rule in rules for theme_id in rule.themes]
    known = [each.theme_id for each in themes_of(database, team_id).themes] if named else []
    return tuple(
        Problem(
            f"rule {rule}.themes",
            f"the rule finds nothing: there is no theme {theme_id[:80]!r}{did_you_mean(theme_id, known)}",
        )
        for rule, theme_id in named
        if theme_id not in known
    )
