"""Rules decide without a model whether an item is relevant for a theme: pure, deterministic, with the lines as proof.

Each module holds one rule with one public function. Phrases are English (`phrases.json`); flags, numbers, repetitions
and a theme's keywords work in any language.
"""

from collections.abc import Callable, Mapping, Sequence

from llma_assets.summaries.rules.conversation import Conversation, read_conversation
from llma_assets.summaries.rules.errors import shows_errors
from llma_assets.summaries.rules.feature_requests import shows_feature_requests
from llma_assets.summaries.rules.keywords import shows_keywords
from llma_assets.summaries.rules.norms import Norms, Spread, read_norms
from llma_assets.summaries.rules.performance import is_unusual
from llma_assets.summaries.rules.success import shows_success
from llma_assets.summaries.rules.ux import shows_trouble
from llma_assets.summaries.rules.verdict import Facts, Signal, Verdict
from llma_assets.themes import Rule

_RULES: Mapping[Rule, Callable[[Conversation, Facts, Norms, Sequence[str]], Verdict]] = {
    "errors": lambda conversation, facts, _norms, _keywords: shows_errors(conversation, facts),
    "ux": lambda conversation, _facts, _norms, _keywords: shows_trouble(conversation),
    "feature_requests": lambda conversation, _facts, _norms, _keywords: shows_feature_requests(conversation),
    "performance": lambda conversation, facts, norms, _keywords: is_unusual(conversation, facts, norms),
    "success": lambda conversation, facts, _norms, _keywords: shows_success(conversation, facts),
    "keywords": lambda conversation, _facts, _norms, keywords: shows_keywords(conversation, keywords),
}


def applies(rule: Rule | None, text: str, facts: Facts, norms: Norms, keywords: Sequence[str] = ()) -> Verdict:
    """Whether an item is relevant by a rule; without a rule every item is.

    Args:
        text: the numbered text of a trace or a generation; untrusted.
        facts: the stored numbers of the item.
        norms: the usual values of the team's items of this level.
        keywords: words of the rule `keywords`; the others ignore them.
    """
    if rule is None:
        return Verdict(True, "every item that matches")
    return _RULES[rule](read_conversation(text), facts, norms, keywords)


__all__ = ["Facts", "Norms", "Signal", "Spread", "Verdict", "applies", "read_norms"]
