"""The rule `success`: something was done, the user praises it, and no other rule finds a problem. English.

A conversation without problems, or with a polite end, is not enough.
"""

from llma_assets.summaries.rules.conversation import THINKS, Conversation, english_match, sentence_at
from llma_assets.summaries.rules.errors import READS, shows_errors
from llma_assets.summaries.rules.feature_requests import shows_feature_requests
from llma_assets.summaries.rules.performance import repeated_calls
from llma_assets.summaries.rules.phrases import phrases
from llma_assets.summaries.rules.ux import shows_trouble
from llma_assets.summaries.rules.verdict import Facts, Signal, Verdict
from llma_assets.summaries.words import as_words

PRAISED, DONE = "user praises", "done"
_LAST = 2
"""Praise counts in this many last messages of the user; earlier praise is not about the outcome."""


def shows_success(conversation: Conversation, facts: Facts) -> Verdict:
    """Relevant where a tool did something, the user praises it at the end, and no other rule finds a problem."""
    done = _done(conversation)
    praise = _praise(conversation, warmly=bool(done))
    if not praise:
        return Verdict(False, "no praise at the end")
    if not done:
        return Verdict(False, "praise, but nothing that was done")
    errors, trouble, wishes = (
        shows_errors(conversation, facts),
        shows_trouble(conversation),
        shows_feature_requests(conversation),
    )
    for fault in (errors, trouble, wishes):
        if fault.relevant or (fault is trouble and fault.signals):
            return Verdict(False, f"praise, but {fault.why}")
    if any(repeated_calls(conversation)):
        return Verdict(False, "praise, but calls in circles")
    tools = list(dict.fromkeys(as_words(signal.subject) for signal in done))
    return Verdict(True, "done, praised, and nothing went wrong", tuple(praise + done), f"{', '.join(tools[-2:])}:")


def _praise(conversation: Conversation, *, warmly: bool) -> list[Signal]:
    found = []
    for _, step in conversation.users[-_LAST:]:
        names = ("praise", "praise_start", *(("warm_thanks",) if warmly else ()))
        for name in names:
            match = english_match(phrases(name), step)
            if match is None or "?" in step.text or (name == "praise_start" and match.start() > 0):
                continue
            said = sentence_at(step.text, match.start(), match.end())
            found.append(Signal(PRAISED, "", said, conversation.lines_of(step, match[0])))
            break
    return found


def _done(conversation: Conversation) -> list[Signal]:
    """Answers after a tool was used that say that something is done."""
    found = []
    for at, step in conversation.answers:
        tool = _used_for(conversation, at)
        if tool and (match := english_match(phrases("done"), step)):
            said = sentence_at(step.text, match.start(), match.end())
            found.append(Signal(DONE, tool, said, conversation.lines_of(step, match[0])))
    return found


def _used_for(conversation: Conversation, at: int) -> str:
    """The last tool used since the user's message; tools that change something come before tools that read."""
    asked = max((position for position, _ in conversation.users if position < at), default=-1)
    used = [step.name for position, step in conversation.calls if asked < position < at]
    doing = [name for name in used if not READS.match(as_words(name)) and not THINKS.fullmatch(name)]
    return (doing or used or [""])[-1]
