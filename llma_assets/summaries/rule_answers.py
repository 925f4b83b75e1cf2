"""Answers for themes that ask for relevance when there is no model: the theme's rule and a summary of what it found.

The rules belong in `rules`, the summary of their findings in `rule_summary`.
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

RULES_VERSION = 2
"""Part of the hash of such answers: raise it when a rule or the wording of its answers changes."""

_COMPARING = {"performance"}
"""Rules that compare an item with the team's usual values; other rules do not depend on the traffic."""


@dataclass(frozen=True, slots=True)
class RuleAnswers:
    """Answers for the items of one theme in a partition; deterministic."""

    theme: Theme
    norms: Norms

    def basis(self, item: Mapping[str, Any]) -> str:
        """What an answer depends on, besides the text and the prompt.

        Args:
            item: a row of `ITEMS_OF_DAY`.
        """
        norms = self.norms if self.theme.rule in _COMPARING else None
        return repr((RULES_VERSION, self.theme.rule, self.theme.keywords, facts_of(item), norms))

    def answer(self, item: Mapping[str, Any], text: str) -> JudgedSummary:
        """The rule's answer for an item; for an irrelevant one, only the reason."""
        verdict = applies(self.theme.rule, text, facts_of(item), self.norms, self.theme.keywords)
        if not verdict.relevant:
            return JudgedSummary(theme_relevant=False, interesting_notes=[SummaryPoint(text=verdict.why)])
        return JudgedSummary(theme_relevant=True, **theme_summary(text, self.theme.mode, verdict).model_dump())


def rule_answers_of(database: Database, team_day: TeamDay, theme: Theme, model: str) -> RuleAnswers | None:
    """The rule's answers for a theme; None if a model answers, or if the theme does not ask for relevance."""
    if not (theme.judged and model.startswith("offline/")):
        return None
    is_comparing = theme.rule in _COMPARING
    return RuleAnswers(theme, read_norms(database, team_day, theme.level) if is_comparing else Norms())


def facts_of(item: Mapping[str, Any]) -> Facts:
    """The stored numbers of an item, from a row of `ITEMS_OF_DAY`."""
    return Facts(**{name: item[name] for name in ("cost_usd", "latency_s", "tokens", "error_count", "event_count")})
