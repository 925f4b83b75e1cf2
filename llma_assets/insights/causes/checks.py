"""Which causes of an answer are taken: those whose lines exist and have the words that are quoted."""

import re

from llma_assets.insights.causes.evidence import Cause, Evidence, Reference, TraceLines
from llma_assets.insights.causes.schema import CauseItem, CauseItems, CitedLine
from llma_assets.visible import visible

MOST_CAUSES, MOST_REFERENCES = 3, 6
LONGEST = 400
LEAST_QUOTE = 8
"""Letters and digits of a quote; fewer are in too many lines to say anything."""

_NUMBER = re.compile(r"L?0*(\d{1,9})")


def checked_causes(answer: CauseItems, evidence: Evidence) -> tuple[list[Cause], list[str]]:
    """The causes that are taken, and for each other one why it is not."""
    taken: list[Cause] = []
    refused: list[str] = []
    for number, item in enumerate(answer.causes, 1):
        found, why = _checked(item, evidence)
        if found is None or len(taken) == MOST_CAUSES:
            refused.append(f"cause {number}: {why or f'there are {MOST_CAUSES} already'}")
        else:
            taken.append(found)
    return taken, refused


def _checked(item: CauseItem, evidence: Evidence) -> tuple[Cause | None, str]:
    cause, confirm = _line(item.cause), _line(item.confirm)
    why = ""
    if not cause or not confirm:
        why = "it says no cause" if not cause else "it does not say what would confirm it"
    elif max(len(cause), len(confirm)) > LONGEST:
        why = f"it has more than {LONGEST} characters"
    elif not item.evidence:
        why = "it cites no line"
    traces = {each.key: each for each in evidence.traces}
    references: dict[tuple[str, int], Reference] = {}
    for cited in item.evidence[:MOST_REFERENCES]:
        # One line that is not there is enough: who invents one may have invented the cause.
        found, wrong = _reference(cited, traces)
        why = why or wrong
        if found:
            references.setdefault((found.trace_id, found.line), found)
    return (None, why) if why else (Cause(cause, confirm, tuple(references.values())), "")


def _reference(cited: CitedLine, traces: dict[str, TraceLines]) -> tuple[Reference | None, str]:
    trace, number = traces.get(cited.trace.strip().upper()), _NUMBER.fullmatch(cited.line.strip())
    where = f"line {_line(cited.line)[:12]!r} of trace {_line(cited.trace)[:8]!r}"
    if trace is None or number is None or int(number[1]) not in trace.lines:
        return None, f"it cites {where}, which there is not"
    line, quote = trace.lines[int(number[1])], _line(cited.quote)
    if len(_plain(quote)) < LEAST_QUOTE:
        return None, f"it quotes too little of {where}"
    if _plain(quote) not in _plain(visible(line, " ")):
        return None, f"it quotes words that {where} does not have"
    return Reference(trace.trace_id, int(number[1]), quote[:LONGEST]), ""


def _line(text: str) -> str:
    return " ".join(visible(text, " ").split())


def _plain(text: str) -> str:
    """Letters and digits alone: how a model writes spaces, quotes and dashes does not matter."""
    return "".join(each for each in text.casefold() if each.isalnum())
