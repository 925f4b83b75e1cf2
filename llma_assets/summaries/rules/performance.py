"""Was it slow or dear by the team's own measure, or did it call in circles. What is usual stands in `norms`."""

from collections import Counter

from llma_assets.summaries.rules.norms import Norms
from llma_assets.summaries.rules.talk import Talk
from llma_assets.summaries.rules.verdict import Facts, Signal, Verdict

LEAST_ITEMS = 40
"""A 95th percentile of fewer items rests on a single one."""
LEAST_FACTOR = 1.5
_NUMBERS = (("cost_usd", "cost"), ("latency_s", "duration"), ("tokens", "tokens"), ("event_count", "events"))


def is_unusual(talk: Talk, facts: Facts, norms: Norms) -> Verdict:
    """Relevant above the team's 95th percentile, if that is far from the median, or with calls made in circles."""
    signals = []
    for field, told in _NUMBERS:
        value, spread = getattr(facts, field), getattr(norms, field)
        if spread.items >= LEAST_ITEMS and value > max(spread.p95, LEAST_FACTOR * spread.median):
            signals.append(Signal(f"high {told}", "", f"{value:g} (median {spread.median:g}, p95 {spread.p95:g})"))
    again = Counter((step.name, step.text) for step in talk.calls)
    for (name, text), times in again.items():
        if times >= 3:
            where = tuple(step.first for step in talk.calls if (step.name, step.text) == (name, text))
            signals.append(Signal("repeated call", name, f"{times} times", where))
    return Verdict(bool(signals), ", ".join(s.kind for s in signals) or "as usual", tuple(signals))
