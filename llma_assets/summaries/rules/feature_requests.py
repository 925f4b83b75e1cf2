"""The rule `feature_requests`: the user asks for a feature, or the application cannot do something. English.

What the application can do and failed at belongs in `errors`; that it misses an answer of the user is neither.
"""

import re

from llma_assets.summaries.rules.conversation import Conversation, english_match, is_english, sentence_at
from llma_assets.summaries.rules.errors import READS, failed_results
from llma_assets.summaries.rules.phrases import phrases
from llma_assets.summaries.rules.verdict import Signal, Verdict
from llma_assets.summaries.transcript import Step
from llma_assets.summaries.words import as_words, request_of

REQUESTED = "wished"
REFUSED = "cannot be done"
_SAYS_WHO = re.compile(r"(?:i|we)\b.*(?:to|can't|cannot|can not)$", re.IGNORECASE)
_CLAUSE_END = re.compile(r"[,;:]\s|\b(?:so|but|and|which|that|because|since)\b")
_WORDS_BEFORE = 6


def shows_feature_requests(conversation: Conversation) -> Verdict:
    """Relevant where the application says that it cannot do something, or where the user asks for a feature."""
    refused = [signal for at, step in conversation.answers if (signal := _refusal(conversation, at, step))]
    wished = [signal for _, step in conversation.users if (signal := _request(conversation, step))]
    signals = tuple(wished + refused)
    if not signals:
        return Verdict(False, "nothing wished, nothing refused")
    parts = [f"{len(wished)} wishes told"] if wished else []
    parts += [f"{len(refused)} answers saying that it cannot be done"] if refused else []
    return Verdict(True, ", ".join(parts), signals, _headline(signals[0]))


def _headline(signal: Signal) -> str:
    """What is requested or cannot be done, without the words that say who says so."""
    match = phrases("refusal").search(signal.quote)
    if signal.kind == REQUESTED or match is None:
        return signal.quote
    if _SAYS_WHO.match(match[0]):
        return f"Cannot {signal.quote[match.end() :].strip()}"
    clause = _CLAUSE_END.split(signal.quote[: match.start()])[-1].split()
    return " ".join([*clause[-_WORDS_BEFORE:], signal.quote[match.start() :]])


def _request(conversation: Conversation, step: Step) -> Signal | None:
    match = english_match(phrases("request"), step)
    if match is None:
        return None
    return Signal(
        REQUESTED, "", sentence_at(step.text, match.start(), match.end()), conversation.lines_of(step, match[0])
    )


def _refusal(conversation: Conversation, at: int, step: Step) -> Signal | None:
    """The first sentence that refuses, and the user's request before it."""
    text = step.text.replace("’", "'")
    for match in phrases("refusal").finditer(text[:4_000]):
        said = sentence_at(text, match.start(), match.end())
        if phrases("refusal_excused").search(said) or not is_english(step.text) or _after_failure(conversation, at):
            continue
        asked = conversation.last_user(at)
        return Signal(REFUSED, request_of(asked.text) if asked else "", said, conversation.lines_of(step, match[0]))
    return None


def _after_failure(conversation: Conversation, at: int) -> bool:
    """Whether a tool failed since the user's last message: then it is a failure, not a missing feature."""
    results = conversation.results_before(at)
    failed = {result.at for result in failed_results(conversation)}
    return any(
        result.is_empty or result.step.failed or result.at in failed or not READS.match(as_words(result.tool))
        for result in results
    )
