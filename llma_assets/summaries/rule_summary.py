"""The offline summary for a theme with a rule: made from the lines that the rule found, deterministic.

It is embedded and clustered, so the title says in the record's own words what went wrong or what is requested. The
summary of a whole item belongs in `extractive`, the rules in `rules`.
"""

import re
from collections.abc import Sequence

from llma_assets.machine_text import LEFT_OUT, without_machine_text
from llma_assets.summaries.extractive import extract_summary
from llma_assets.summaries.line_refs import MAX_REFS, LineNumbers
from llma_assets.summaries.rules import Signal, Verdict
from llma_assets.summaries.schema import LIMITS, Mode, SummaryPoint, TraceSummary, cut_title, shorten
from llma_assets.summaries.words import as_words, content_words

_ID = re.compile(r"\[[A-Z_]+_\d+\]|\S*\d\S*|\S*_\S*|\S*@\S*")
_MARKUP = re.compile(r"[*`#]+")
_LEFT_OUT = re.compile(rf"(?:[\s,;:]*{LEFT_OUT})+[\s,;:]*")
_OPENING = re.compile(
    r"^(?:(?:i'?m|i am|we'?re|we are)? ?(?:so |very |terribly |really )?(?:sorry|afraid)\b|unfortunately|"
    r"i apologi[sz]e|apologies|my apologies|but|however|and|so|that(?! is|'s| was)|note that|for that|actually|please|"
    r"it (?:seems|looks|appears)(?: like| that)?|i (?:completely |do )?understand[^,.]{0,40}|well|no|yes|oh)\b"
    r"[\s,.:;!-]*",
    re.IGNORECASE,
)


def theme_summary(text: str, mode: Mode, verdict: Verdict) -> TraceSummary:
    """Summarise the signals of a rule in a numbered text; without signals, the whole text.

    Bullets are the signals, strongest first, then the user's request. All line references are valid; a signal from
    stored numbers has none.
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
    """One bullet for each different signal."""
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
    """The headline without courtesies, and with the request where the headline does not name the subject."""
    plain = ": ".join(part for part in map(_plain, headline.split(": ", 1)) if part)
    if headline.endswith(":") or not content_words(plain):
        plain = ": ".join(part for part in (plain, request) if part)
    title = cut_title(plain) or request
    return title[:1].upper() + title[1:]


def _plain(text: str) -> str:
    """`text` with "…" for ids, numbers and what programs write, without courtesies: equal problems get equal titles."""
    words = _LEFT_OUT.sub(f" {LEFT_OUT} ", _ID.sub(f" {LEFT_OUT} ", without_machine_text(text.replace("’", "'"))))
    words = " ".join(_MARKUP.sub("", words).split()).strip(f"{LEFT_OUT} .,:;!?-")
    while (shorter := _OPENING.sub("", words, count=1)) != words:
        words = shorter
    return words.strip(" .,:;!?-")
