"""The rule `errors`: events marked as errors, results of tools that report one, answers that admit a failure.

Flags and the format of results work in any language, phrases are English. What users say about errors belongs in `ux`.
"""

import re

from llma_assets.summaries.rules.conversation import QUOTE_CHARS, Conversation, Result, english_match, sentence_at
from llma_assets.summaries.rules.phrases import phrases
from llma_assets.summaries.rules.verdict import Facts, Signal, Verdict
from llma_assets.summaries.schema import shorten
from llma_assets.summaries.transcript import Step
from llma_assets.summaries.words import as_words

FAILED = "error"
ADMITTED = "failure"
_ERROR_PREFIX = re.compile(r"^(?:\W*(?:error|exception)\W+)+", re.IGNORECASE)
_STARTS_AS_ERROR = re.compile(
    r"^\W{0,3}(?:error|exception|traceback|failed|failure|fatal|panic)\b|^\W{0,3}[A-Z]\w{2,40}(?:Error|Exception)\b"
)
_ERROR_FIELD = re.compile(
    r"\"(?:error|errors|exception|error_?message|errorMessage)\": ?+(?!null|\"\"|false|\{\}|\[\]|0\b)"
    r"|\"(?:status|state|result|outcome)\": ?\"(?:error|failed|failure|timeout|timed_out)\""
    r"|\"(?:success|ok|succeeded)\": ?false|\"is_?error\": ?true",
    re.IGNORECASE,
)
_HTTP_STATUS = re.compile(r"\b(?:HTTP(?:/\d(?:\.\d)?)?|status(?:[ _]?code)?)\W{0,4}[45]\d\d\b", re.IGNORECASE)
_NONE_FAILED = re.compile(
    r"^\W*(?:errors?|failures?|exceptions?|failed)\b\W{0,4}(?:0|none|no|null|false)\W*(?:$|[,;\n])", re.IGNORECASE
)
READS = re.compile(
    r"(?:get|find|search|list|look ?up|read|fetch|query|check|calculate|compute|retrieve|show|view|browse|count"
    r"|describe|load|select)\b"
)
"""Names of tools that only read; other tools are meant to change something."""
_SHORT = 300
"""Only results up to this length are read as sentences; longer ones are documents, which may mention errors."""


def shows_errors(conversation: Conversation, facts: Facts) -> Verdict:
    """Relevant with an event marked as an error, a result that reports one, or an answer that admits a failure."""
    signals = _marked(conversation) + _in_results(conversation)
    told = {signal.quote for signal in signals}
    signals += [signal for signal in _admitted(conversation) if signal.quote not in told]
    if signals:
        first = signals[0]
        headline = ": ".join(part for part in (as_words(first.subject), first.quote) if part)
        return Verdict(True, _why(signals), tuple(signals), headline if first.quote else f"{headline} fails:")
    if facts.error_count:
        number = facts.error_count
        return Verdict(True, f"{number} event{'s' * (number > 1)} marked as errors, of which the text shows nothing")
    return Verdict(False, "no error marked or told")


def failed_results(conversation: Conversation) -> list[Result]:
    """Results of tools that report an error."""
    return [result for result in conversation.results if _tells_error(result.step)]


def _marked(conversation: Conversation) -> list[Signal]:
    """One signal for each different error; a mark without a message is left out if the same node has a message, too."""
    explained: dict[tuple[str, str], list[Step]] = {}
    bare: dict[str, list[Step]] = {}
    for step in conversation.steps:
        if not (step.failed or step.kind == "error"):
            continue
        detail = _ERROR_PREFIX.sub("", shorten(step.text, QUOTE_CHARS))
        if detail:
            explained.setdefault((step.name, detail), []).append(step)
        else:
            bare.setdefault(step.name, []).append(step)
    names = {name for name, _ in explained}
    found = [Signal(FAILED, name, detail, _first_lines(steps)) for (name, detail), steps in explained.items()]
    return found + [Signal(FAILED, name, "", _first_lines(steps)) for name, steps in bare.items() if name not in names]


def _in_results(conversation: Conversation) -> list[Signal]:
    found: dict[tuple[str, str], list[Step]] = {}
    for result in failed_results(conversation):
        if result.step.failed or result.step.kind == "error":
            continue
        detail = _ERROR_PREFIX.sub("", shorten(result.step.text, QUOTE_CHARS))
        found.setdefault((result.tool, detail), []).append(result.step)
    return [Signal(FAILED, tool, detail, _first_lines(steps)) for (tool, detail), steps in found.items()]


def _tells_error(step: Step) -> bool:
    text = step.text
    head = text[:_SHORT]
    if _NONE_FAILED.match(head):
        return False
    if _STARTS_AS_ERROR.search(head) or _ERROR_FIELD.search(head) or _HTTP_STATUS.search(head):
        return True
    is_sentence = len(text) <= _SHORT and text[:1] not in {"[", "{", "<"}
    return is_sentence and english_match(phrases("error_text"), step) is not None


def _admitted(conversation: Conversation) -> list[Signal]:
    """Answers that admit a failure, or that say that something cannot be done right after a tool returned nothing."""
    found = []
    for at, step in conversation.answers:
        tool = _tool_without_result(conversation, at)
        match = english_match(phrases("failure"), step)
        if match is None and tool:
            match = _cannot(step)
        if match is None:
            continue
        said = sentence_at(step.text, match.start(), match.end())
        if not phrases("failure_excused").search(said):
            found.append(
                Signal(ADMITTED, tool or conversation.tool_before(at), said, conversation.lines_of(step, match[0]))
            )
    return found


def _cannot(step: Step) -> re.Match[str] | None:
    """Where an answer says that something cannot be done, unless it also says that something was done."""
    return None if phrases("done").search(step.text) else english_match(phrases("cannot"), step)


def _tool_without_result(conversation: Conversation, at: int) -> str:
    """The tool whose result right before an answer is empty or an error, or that was meant to change something."""
    results = conversation.results_before(at)
    if not results:
        return ""
    last = results[-1]
    is_in_doubt = last.is_empty or last.step.failed or _tells_error(last.step) or not READS.match(as_words(last.tool))
    return last.tool if is_in_doubt else ""


def _first_lines(steps: list[Step]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(step.first for step in steps[:4]))


def _why(signals: list[Signal]) -> str:
    marked = sum(signal.kind == FAILED for signal in signals)
    admitted = len(signals) - marked
    parts = [f"{marked} different error{'s' * (marked > 1)} marked or told by tools"] if marked else []
    parts += [f"{admitted} answer{'s' * (admitted > 1)} admitting a failure"] if admitted else []
    return ", ".join(parts)
