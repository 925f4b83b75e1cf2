"""Did it go so well that one can learn from it: something was done, the user is pleased, and nothing went wrong.

Praise is read in English. That nothing went wrong is not enough, and nor is a polite end.
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
"""Praise counts in so many last messages of the user: before, it is for what was found, not for how it ended."""


def shows_success(conversation: Conversation, facts: Facts) -> Verdict:
    """Relevant where a tool did something, the user praises it at the end, and no other rule finds a fault."""
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
    """Answers after a tool was used that say that something is done now."""
    found = []
    for at, step in conversation.answers:
        tool = _used_for(conversation, at)
        if tool and (match := english_match(phrases("done"), step)):
            said = sentence_at(step.text, match.start(), match.end())
            found.append(Signal(DONE, tool, said, conversation.lines_of(step, match[0])))
    return found


def _used_for(conversation: Conversation, at: int) -> str:
    """The tool that was used last since the user spoke, one that does something before one that looks something up."""
    asked = max((position for position, _ in conversation.users if position < at), default=-1)
    used = [step.name for position, step in conversation.calls if asked < position < at]
    doing = [name for name in used if not READS.match(as_words(name)) and not THINKS.fullmatch(name)]
    return (doing or used or [""])[-1]
