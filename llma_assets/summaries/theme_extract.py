"""The offline summary of what a theme is about: from the lines that a rule found, the same each time.

It is what gets embedded and clustered, so the title says what went wrong or is wished, and with what. The summary of
a whole item belongs in `extractive`.
"""

from llma_assets.summaries.extractive import extract_summary
from llma_assets.summaries.line_refs import LineNumbers
from llma_assets.summaries.rules import Verdict
from llma_assets.summaries.schema import LIMITS, Mode, SummaryPoint, TraceSummary, cut_title


def theme_summary(text: str, mode: Mode, verdict: Verdict) -> TraceSummary:
    """Summarise what a rule found in a numbered text; where it found no signal, the whole text."""
    whole = extract_summary(text, mode)
    if not verdict.signals:
        return whole
    lines = LineNumbers.of(text)
    bullets = [
        SummaryPoint(
            text=": ".join(part for part in (signal.kind, signal.subject, signal.quote) if part),
            line_refs=", ".join(map(lines.ref, signal.lines)),
        )
        for signal in verdict.signals[: LIMITS[mode].most_bullets]
    ]
    first = verdict.signals[0]
    return TraceSummary(
        title=cut_title(" ".join(part for part in (first.kind, first.subject, first.quote) if part)),
        flow_diagram=whole.flow_diagram,
        bullets=bullets,
        interesting_notes=whole.interesting_notes,
    )
