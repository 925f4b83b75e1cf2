"""The steps of a numbered text as rules want them: told once, and who said what. What it means belongs to the rules."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from llma_assets.summaries.reading import Step, read_steps, without_repeats

EXECUTORS = frozenset({"tool", "function"})
"""Roles whose messages are results of calls."""
_ASSISTANTS = frozenset({"assistant", "model", "ai"})


@dataclass(frozen=True, slots=True)
class Talk:
    """What happened in one item.

    Attributes:
        text: the numbered text.
        steps: what happened, in order; what a history told again is told once.
    """

    text: str
    steps: Sequence[Step]

    @classmethod
    def of(cls, text: str) -> "Talk":
        """Read a numbered text; any text gives some talk."""
        return cls(text, without_repeats(read_steps(text)))

    @property
    def users(self) -> list[Step]:
        """What users said."""
        return [step for step in self.steps if step.kind == "message" and step.name == "user" and step.text]

    @property
    def answers(self) -> list[Step]:
        """What the application said."""
        return [step for step in self.steps if step.kind == "message" and step.name in _ASSISTANTS and step.text]

    @property
    def calls(self) -> list[Step]:
        """Which tools were called; spans where no calls are told."""
        return [step for step in self.steps if step.kind == "call"] or [
            step for step in self.steps if step.kind == "span" and step.name
        ]

    def with_tools(self) -> Iterator[tuple[Step, str]]:
        """Each step with the name of the tool that was called last."""
        tool = ""
        for step in self.steps:
            if step.kind in {"call", "span"}:
                tool = step.name
            yield step, tool

    @property
    def results(self) -> list[tuple[Step, str]]:
        """What tools gave back, each with the tool's name."""
        return [
            (step, tool)
            for step, tool in self.with_tools()
            if step.kind == "span" or (step.kind == "message" and step.name in EXECUTORS)
        ]


def lines_of(step: Step) -> tuple[int, ...]:
    """The numbers of the first and the last line of a step."""
    return (step.first,) if step.first == step.last else (step.first, step.last)
