"""The rule `performance`: slow, expensive or long compared with the team's norms, repeated calls, timeouts.

Numbers and repeated calls work in any language. Norms belong in `norms`; a team with too few items has none, and only
repeated calls and timeouts count.
"""

import re
from collections.abc import Iterator

from llma_assets.summaries.rules.conversation import Conversation, english_match, sentence_at
from llma_assets.summaries.rules.norms import Norms, Spread
from llma_assets.summaries.rules.phrases import phrases
from llma_assets.summaries.rules.verdict import Facts, Signal, Verdict
from llma_assets.summaries.words import as_words

MIN_ITEMS = 40
"""With fewer items the 95th percentile depends on a single one."""
FEW_ITEMS = 8
"""With fewer items even the median says little."""
MIN_FACTOR = 1.5
"""An item above the 95th percentile must also be this many times the median: in uniform traffic nothing is slow."""
FACTOR_OF_FEW = 3.0
"""Without a percentile an item must be this many times the median."""
MANY_TIMES = 3
"""So many calls with the same arguments are a signal."""
_SHOWN_LINES = 3

SLOW, COSTLY, LARGE, LONG = "slow", "costly", "many tokens", "many steps"
REPEATED_CALL, TIMED_OUT = "same call again", "told to be slow"
_NUMBERS = (
    ("latency_s", SLOW, "{:,.1f} s"),
    ("cost_usd", COSTLY, "${:,.4f}"),
    ("tokens", LARGE, "{:,.0f} tokens"),
    ("event_count", LONG, "{:,.0f} events"),
)
_NODE = re.compile(r"^L(\d+): .*\[(?:GEN|SPAN|EMBED|TRACE)\] (.{0,200}?) \(([^()]*)\)$", re.MULTILINE)
_SECONDS = re.compile(r"(?:^|, )([\d,]+\.\d+)s(?:,|$)")
_DOLLARS = re.compile(r"(?:^|, )\$([\d,]+\.\d+)(?:,|$)")


def is_unusual(conversation: Conversation, facts: Facts, norms: Norms) -> Verdict:
    """Relevant if far above the team's norms, with repeated calls, or where a timeout is mentioned."""
    signals = [*_far_from_usual(conversation, facts, norms), *repeated_calls(conversation), *_told(conversation)]
    known = max(getattr(norms, name).items for name, _, _ in _NUMBERS)
    few = f"; only {known} items to compare with" if known < MIN_ITEMS else ""
    if signals:
        kinds = list(dict.fromkeys(signal.kind for signal in signals))
        tools = list(dict.fromkeys(as_words(signal.subject) for signal in signals if signal.subject))
        headline = f"{tools[0]} again and again:" if tools else f"{', '.join(kinds[:2])}:"
        return Verdict(True, ", ".join(kinds) + few, tuple(signals), headline)
    return Verdict(False, f"as usual{few}")


def limit_of(spread: Spread) -> float | None:
    """The value above which an item is unusual; None if too little is known."""
    if spread.items >= MIN_ITEMS:
        return max(spread.p95, MIN_FACTOR * spread.median)
    return FACTOR_OF_FEW * spread.median if spread.items >= FEW_ITEMS else None


def _far_from_usual(conversation: Conversation, facts: Facts, norms: Norms) -> Iterator[Signal]:
    for name, kind, form in _NUMBERS:
        value, spread = float(getattr(facts, name)), getattr(norms, name)
        limit = limit_of(spread)
        if limit is None or value <= limit:
            continue
        # Rounded to halves: the text must not change with each item that is added to the norms.
        times = round(2 * value / spread.median) / 2
        told = f"{form.format(value)}, {times:g} times the team's median"
        yield Signal(kind, "", told, _most_expensive_lines(conversation, _SECONDS if kind == SLOW else _DOLLARS))


def _most_expensive_lines(conversation: Conversation, number: re.Pattern[str]) -> tuple[int, ...]:
    """The lines of the steps with the largest numbers."""
    found = [
        (float(match[1].replace(",", "")), int(node[1]))
        for node in _NODE.finditer(conversation.text)
        if (match := number.search(node[3]))
    ]
    return tuple(sorted(line for _, line in sorted(found, key=lambda pair: (-pair[0], pair[1]))[:_SHOWN_LINES]))


def repeated_calls(conversation: Conversation) -> Iterator[Signal]:
    """Calls that are repeated with the same arguments."""
    made: dict[tuple[str, str], list[int]] = {}
    for _, step in conversation.calls:
        if step.kind == "call":
            made.setdefault((step.name, step.text), []).append(step.first)
    for (name, arguments), lines in made.items():
        if len(lines) >= MANY_TIMES:
            yield Signal(
                REPEATED_CALL, name, f"{len(lines)} times with {arguments[:120] or 'no arguments'}", tuple(lines[:8])
            )


def _told(conversation: Conversation) -> Iterator[Signal]:
    """Where users, results or errors mention waiting. English."""
    said = [step for _, step in conversation.users] + [
        step
        for step in (
            *(result.step for result in conversation.results),
            *(s for s in conversation.steps if s.kind == "error"),
        )
        if len(step.text) <= 300
    ]
    for step in said:
        if match := english_match(phrases("slow"), step):
            yield Signal(
                TIMED_OUT, "", sentence_at(step.text, match.start(), match.end()), conversation.lines_of(step, match[0])
            )
