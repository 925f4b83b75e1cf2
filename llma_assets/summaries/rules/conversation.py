"""The steps of a numbered text as rules want them: told once, who said what, and which lines show it.

What it means belongs to the rules; how the text is read belongs in `reading`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from llma_assets.languages import ENGLISH, language_of
from llma_assets.summaries.schema import shorten
from llma_assets.summaries.transcript import Step, read_steps, without_repeats

QUOTE_CHARS = 200
_EXECUTORS = frozenset({"tool", "function"})
_ASSISTANTS = frozenset({"assistant", "model", "ai"})
_NUMBERED = re.compile(r"^L(\d+): ?(.*)$", re.MULTILINE)
_WORD = re.compile(r"[^\W\d_]+")
_SENTENCE_END = re.compile(r"[.!?…](?=\s|$)|(?<= )[-•*](?= )")
THINKS = re.compile(r"think\w*|reason\w*|plan|scratch_?pad", re.IGNORECASE)
"""How tools are called in which an agent only writes notes to itself."""
_NOTHING = frozenset({"", "[]", "{}", "null", "none", '""', "(empty)", "false"})
_READ_CHARS = 4_000
"""Of one message so much is read for phrases: a pasted document says nothing of the conversation."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a tool gave back.

    Attributes:
        step: where it stands.
        tool: the tool's name.
        at: position of the step among the steps.
    """

    step: Step
    tool: str
    at: int

    @property
    def is_empty(self) -> bool:
        """Whether nothing came back; an action that gives nothing back may still have worked."""
        return self.step.text.strip().lower() in _NOTHING


class Conversation:
    """What happened in one item: any text gives some talk.

    Attributes:
        text: the numbered text.
        steps: what happened, in order; what a history told again is told once.
        users: what users said, with their positions among the steps.
        answers: what the application said, with positions.
        calls: which tools were called, with positions; spans where no calls are told.
        results: what tools gave back.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.steps: Sequence[Step] = without_repeats(read_steps(text))
        numbered = list(enumerate(self.steps))
        said = [(at, step) for at, step in numbered if step.kind == "message" and step.text]
        self.users = [(at, step) for at, step in said if step.name == "user"]
        self.answers = [(at, step) for at, step in said if step.name in _ASSISTANTS]
        called = [(at, step) for at, step in numbered if step.kind == "call"]
        self.calls = called or [(at, step) for at, step in numbered if step.kind == "span" and step.name]
        self.results = list(self._read_results())

    def _read_results(self) -> list[Result]:
        tool, found = "", []
        for at, step in enumerate(self.steps):
            if step.kind in {"call", "span"}:
                tool = step.name
            if step.kind == "span" or (step.kind == "message" and step.name in _EXECUTORS):
                found.append(Result(step, tool, at))
        return found

    @cached_property
    def _raw_lines(self) -> dict[int, str]:
        return {int(match[1]): match[2] for match in _NUMBERED.finditer(self.text)}

    def results_before(self, at: int) -> list[Result]:
        """What tools gave back between the last message of a user and a step; notes to oneself are no results."""
        asked = max((position for position, _ in self.users if position < at), default=-1)
        return [result for result in self.results if asked < result.at < at and not THINKS.fullmatch(result.tool)]

    def tool_before(self, at: int) -> str:
        """The tool that was used last between the last message of a user and a step; "" if none was."""
        results = self.results_before(at)
        return results[-1].tool if results else ""

    def last_user(self, at: int) -> Step | None:
        """The last message of a user before a step."""
        return next((step for position, step in reversed(self.users) if position < at), None)

    def lines_of(self, step: Step, words: str = "") -> tuple[int, ...]:
        """The number of the line of a step that holds `words`, else those of its first and its last line."""
        if words:
            for number in range(step.first, step.last + 1):
                if words in _plain(self._raw_lines.get(number, "")):
                    return (number,)
        return (step.first,) if step.first == step.last else (step.first, step.last)


@lru_cache(maxsize=8)
def read_conversation(text: str) -> Conversation:
    """The talk of a numbered text; several rules look at the same one."""
    return Conversation(text)


@lru_cache(maxsize=4_096)
def is_english(text: str) -> bool:
    """Whether English phrases mean in a text what they mean in English; so of short texts, which show no language."""
    return language_of([word.lower() for word in _WORD.findall(text[:_READ_CHARS])]) == ENGLISH


def english_match(pattern: re.Pattern[str], step: Step) -> re.Match[str] | None:
    """Where a message says one of the English phrases; None where it is written in another language."""
    match = pattern.search(_plain(step.text[:_READ_CHARS]))
    return match if match and is_english(step.text) else None


def _plain(text: str) -> str:
    return text.replace("’", "'")


def sentence_at(text: str, start: int, end: int) -> str:
    """The sentence around a part of a text, shortened.

    >>> sentence_at("Hello. I cannot do that. Anything else?", 9, 15)
    'I cannot do that.'
    """
    ends = [match.end() for match in _SENTENCE_END.finditer(text)]
    first = max((at for at in ends if at <= start), default=0)
    last = min((at for at in ends if at >= end), default=len(text))
    if last - first > QUOTE_CHARS:
        first = max(first, text.rfind(" ", 0, max(start - QUOTE_CHARS // 2, 1)) + 1)
    return shorten(text[first:last].strip(" -•*"), QUOTE_CHARS)
