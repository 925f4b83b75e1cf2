"""A numbered text as rules read it: messages, calls and results without repetitions, with their line numbers.

Parsing belongs in `transcript`, what the steps mean in the rules.
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
"""Names of tools in which an agent only writes notes to itself."""
_NOTHING = frozenset({"", "[]", "{}", "null", "none", '""', "(empty)", "false"})
_READ_CHARS = 4_000
"""Characters of a message that are searched for phrases; more is a pasted document."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a tool returned.

    Attributes:
        step: the step that holds it.
        tool: the tool's name.
        at: position of the step among the steps.
    """

    step: Step
    tool: str
    at: int

    @property
    def is_empty(self) -> bool:
        """Whether the result is empty; the call may have succeeded nevertheless."""
        return self.step.text.strip().lower() in _NOTHING


class Conversation:
    """The conversation in one item; every text gives one.

    Attributes:
        text: the numbered text.
        steps: all steps in order, without repetitions by histories.
        users: messages of users, with their positions among the steps.
        answers: messages of the application, with positions.
        calls: tool calls with positions; spans if the text has no tool calls.
        results: results of tools.
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
        """Results of tools between a user's last message and a step, without an agent's notes to itself."""
        asked = max((position for position, _ in self.users if position < at), default=-1)
        return [result for result in self.results if asked < result.at < at and not THINKS.fullmatch(result.tool)]

    def tool_before(self, at: int) -> str:
        """The last tool used between a user's last message and a step; "" if none was."""
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
    """The conversation of a numbered text; cached, because several rules read it."""
    return Conversation(text)


@lru_cache(maxsize=4_096)
def is_english(text: str) -> bool:
    """Whether a text is English, or too short to tell."""
    return language_of([word.lower() for word in _WORD.findall(text[:_READ_CHARS])]) == ENGLISH


def english_match(pattern: re.Pattern[str], step: Step) -> re.Match[str] | None:
    """The first match of English phrases in a message; None if the message is not English."""
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
