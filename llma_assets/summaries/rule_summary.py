"""The offline summary of what a theme is about: from the lines that a rule found, the same each time.

It is what gets embedded and clustered, so the title says what went wrong or is wished, and with what: words of the
record, not ours. The summary of a whole item belongs in `extractive`; what is found, in `rules`.
"""

import re
from collections.abc import Sequence

from llma_assets.summaries.extractive import extract_summary
from llma_assets.summaries.line_refs import MAX_REFS, LineNumbers
from llma_assets.summaries.rules import Signal, Verdict
from llma_assets.summaries.schema import LIMITS, Mode, SummaryPoint, TraceSummary, cut_title, shorten
from llma_assets.summaries.words import as_words, content_words

_ID = re.compile(r"\[[A-Z_]+_\d+\]|\S*\d\S*|\S*_\S*|\S*@\S*|[*`#]+")
_OPENING = re.compile(
    r"^(?:(?:i'?m|i am|we'?re|we are)? ?(?:so |very |terribly |really )?(?:sorry|afraid)\b|unfortunately|"
    r"i apologi[sz]e|apologies|my apologies|but|however|and|so|that(?! is|'s| was)|note that|for that|actually|please|"
    r"it (?:seems|looks|appears)(?: like| that)?|i (?:completely |do )?understand[^,.]{0,40}|well|no|yes|oh)\b"
    r"[\s,.:;!-]*",
    re.IGNORECASE,
)


def theme_summary(text: str, mode: Mode, verdict: Verdict) -> TraceSummary:
    """Summarise what a rule found in a numbered text; where it found nothing to show, the whole text.

    Bullets are what was found, most telling first, then what the user asked, which says what it was about. Every
    reference is to lines of the text; what only numbers show has none.
    """
    whole = extract_summary(text, mode)
    if not verdict.signals:
        return whole
    lines, limits = LineNumbers.of(text), LIMITS[mode]
    asked = [point for point in whole.bullets if point.text.startswith("Asked:")]
    context = asked[:1] or whole.bullets[:1]
    found = _points(verdict.signals, lines)[: limits.most_bullets - len(context)]
    known = {point.text for point in found}
    return TraceSummary(
        title=_title(verdict.headline, whole.title),
        flow_diagram=whole.flow_diagram,
        bullets=found + context,
        interesting_notes=[point for point in whole.interesting_notes if point.text not in known][: limits.most_notes],
    )


def _points(signals: Sequence[Signal], lines: LineNumbers) -> list[SummaryPoint]:
    """One bullet for each different thing that was found."""
    told: dict[str, list[int]] = {}
    for signal in signals:
        subject = as_words(signal.subject) if signal.subject.isidentifier() else signal.subject
        about = f" ({shorten(subject, 80)})" if subject else ""
        quote = f": {signal.quote}" if signal.quote else ""
        text = signal.kind[0].upper() + signal.kind[1:] + about + quote
        told.setdefault(text, []).extend(signal.lines)
    return [
        SummaryPoint(
            text=text,
            line_refs=", ".join(lines.ref(n) for n in sorted(set(numbers)) if n in lines.numbers and n)
            if len(numbers) <= MAX_REFS
            else lines.ref(min(numbers), max(numbers)),
        )
        for text, numbers in told.items()
    ]


def _title(headline: str, request: str) -> str:
    """The headline without its courtesies; with what was asked for where it does not say with what it was."""
    plain = ": ".join(part for part in map(_plain, headline.split(": ", 1)) if part)
    if headline.endswith(":") or not content_words(plain):
        plain = ": ".join(part for part in (plain, request) if part)
    title = cut_title(plain) or request
    return title[:1].upper() + title[1:]


def _plain(text: str) -> str:
    """Without ids, numbers, marks and courtesies: what two records that tell the same have in common."""
    words = " ".join(_ID.sub(" ", text.replace("’", "'")).split())
    while (shorter := _OPENING.sub("", words, count=1)) != words:
        words = shorter
    return words.strip(" .,:;!?-")
