"""What answers for a judged theme where there is no model: the theme's rule, and a summary of the lines it found.

How a rule decides belongs in `rules`, how its lines are put into words in `theme_extract`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llma_assets.clickhouse import Database
from llma_assets.summaries.rule_summary import theme_summary
from llma_assets.summaries.rules import Facts, Norms, applies, read_norms
from llma_assets.summaries.schema import JudgedSummary, SummaryPoint
from llma_assets.team_day import TeamDay
from llma_assets.themes import Theme

RULES_VERSION = 1
"""Part of the hash of what rules answer: raise it when a rule decides otherwise, or words it otherwise."""

_COMPARING = {"performance"}
"""Holds an item against what is usual for the team; what the others say does not change with the traffic."""


@dataclass(frozen=True, slots=True)
class RuleAnswers:
    """Answers for the items of one theme of a team's day, the same each time for the same texts and numbers."""

    theme: Theme
    norms: Norms

    def basis(self, item: Mapping[str, Any]) -> str:
        """What an answer follows from beside the text and what is asked.

        Args:
            item: a row of `ITEMS_OF_DAY`.
        """
        norms = self.norms if self.theme.rule in _COMPARING else None
        return repr((RULES_VERSION, self.theme.rule, self.theme.keywords, facts_of(item), norms))

    def answer(self, item: Mapping[str, Any], text: str) -> JudgedSummary:
        """What the theme's rule says of an item; one that has nothing to do with the theme is told why, and no more."""
        verdict = applies(self.theme.rule, text, facts_of(item), self.norms, self.theme.keywords)
        if not verdict.relevant:
            return JudgedSummary(theme_relevant=False, interesting_notes=[SummaryPoint(text=verdict.why)])
        return JudgedSummary(theme_relevant=True, **theme_summary(text, self.theme.mode, verdict).model_dump())


def rule_answers_of(database: Database, team_day: TeamDay, theme: Theme, model: str) -> RuleAnswers | None:
    """Who answers for the items of a theme in place of the model; None where the model does, or nobody has to judge."""
    if not (theme.judged and model.startswith("offline/")):
        return None
    is_comparing = theme.rule in _COMPARING
    return RuleAnswers(theme, read_norms(database, team_day, theme.level) if is_comparing else Norms())


def facts_of(item: Mapping[str, Any]) -> Facts:
    """The stored numbers of an item, out of a row of `ITEMS_OF_DAY`."""
    return Facts(**{name: item[name] for name in ("cost_usd", "latency_s", "tokens", "error_count", "event_count")})
