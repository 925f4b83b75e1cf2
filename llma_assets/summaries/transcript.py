"""The transcript parser: reads the numbered text of a trace back into messages, tool calls, spans and errors.

The text is rendered by `rendering`. A line of unknown format belongs to the step above it, so every text gives steps
and no text raises an error. What steps mean belongs in `rules` and `extractive`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["name", "message", "call", "span", "generation", "error", "missing"]

_NUMBERED = re.compile(r"^L(\d+): ?(.*)$")
_TREE = " \t│├└─|"
_HEADER = re.compile(r"^\[\d+\] ([A-Z][A-Z0-9 _-]{0,40})(?: \(.*\))?$")
_NODE = re.compile(r"^\[(GEN|SPAN|EMBED|EVAL|TRACE|METRIC|FEEDBACK)\] (.*?)(?: \(([^()]*)\))?$")
_CALLS = re.compile(r"^Tool calls: \d+$")
_CALL = re.compile(r"^- ([^\s(]{1,120})\((.*)\)?")
_RULE = re.compile(r"^[-=]{20,}$")
_TOOLS = re.compile(r"^(?:AVAILABLE )?TOOLS:? ?\d*$", re.IGNORECASE)
_ERROR = re.compile(r"^(?:TRACE )?ERROR:?(?: (.*))?$")
_SECTION = re.compile(r"^(?:TRACE )?(?:INPUT|OUTPUT|STATE|INPUT STATE|OUTPUT STATE|HIERARCHY):?$", re.IGNORECASE)
_STOPPED = re.compile(r"^Stopped: [\w .:,-]{1,200}$")
_RESULT = re.compile(r"^(?:Input|Output): ?")
_CUT = re.compile(r"\s*\.\.\. \([\d,]+ chars truncated\) \.\.\.\s*")
EXECUTORS = frozenset({"tool", "function"})
"""Roles that give the results of tools."""
_MISSING = "[tool output not recorded]"


@dataclass(slots=True)
class Step:
    """One step of a trace.

    Attributes:
        kind: what it is; `name` is the trace's name at the top.
        name: role of a message (lower case), name of a tool, span or model call.
        lines: its text, without line numbers and tree characters.
        first, last: line numbers in the text.
        failed: whether it is marked as an error.
    """

    kind: Kind
    name: str
    first: int
    last: int
    lines: list[str] = field(default_factory=list)
    failed: bool = False

    @property
    def text(self) -> str:
        """Its text on one line; of a span, the output."""
        lines = self.lines
        if self.kind == "span":
            outputs = [line for line in lines if not line.startswith("Input:")]
            lines = [_RESULT.sub("", line) for line in outputs]
        return " ".join(_CUT.sub(" … ", " ".join(lines)).split())


def read_steps(text: str) -> list[Step]:
    """The steps of a numbered text, in order. System prompts and lists of tools are left out."""
    reader = _Reader()
    for raw in text.split("\n"):
        match = _NUMBERED.match(raw)
        if match:
            reader.line(int(match[1]), match[2].strip(_TREE))
    return [step for step in reader.steps if step.name not in {"system", "developer", "thinking", "injected"}]


def new_in_call(text: str, steps: Sequence[Step]) -> list[Step]:
    """Of a generation's text, the steps that no call before it had: what came since the model spoke, and its answer.

    A tool's result begins with the call that asked for it. The steps of any other text are returned as they are.
    """
    output = _output_line(text)
    if output is None:
        return list(steps)
    end = next((place for place, step in enumerate(steps) if step.first > output), len(steps))
    start = end
    while start > 0 and not _is_of_model(steps[start - 1]):
        start -= 1
    if start < end and (steps[start].kind == "missing" or steps[start].name in EXECUTORS):
        while start > 0 and steps[start - 1].kind == "call":
            start -= 1
    return list(steps[start:]) or list(steps)


def _output_line(text: str) -> int | None:
    """Number of the line that begins the output of a generation; None of another text."""
    ruled = False
    for raw in text.split("\n"):
        if match := _NUMBERED.match(raw):
            if ruled and match[2] == "OUTPUT:":
                return int(match[1])
            ruled = _RULE.match(match[2]) is not None or (ruled and not match[2].strip())
    return None


def _is_of_model(step: Step) -> bool:
    return step.kind == "call" or (step.kind == "message" and step.name in {"assistant", "model"})


def without_repeats(steps: Sequence[Step]) -> list[Step]:
    """Leave out messages that repeat an earlier one, as histories do."""
    seen: set[tuple[str, str]] = set()
    kept = []
    for step in steps:
        key = (step.name, step.text)
        if step.kind == "message" and len(step.text) > 20:
            if key in seen:
                continue
            seen.add(key)
        kept.append(step)
    return kept


class _Reader:
    """The state of the parser: which step is open, and whether it is in a list of tool calls."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self._open: Step | None = None
        self._in_calls = False
        self._after_rule = False

    def line(self, number: int, line: str) -> None:
        if not line:
            return
        if self._in_calls and (match := _CALL.match(line)):
            self._start("call", match[1], number, [match[2].removesuffix(")")], closed=True)
            return
        self._in_calls = False
        if match := _HEADER.match(line):
            self._start("message", match[1].strip().lower(), number)
        elif _CALLS.match(line):
            self._open, self._in_calls = None, True
        elif match := _NODE.match(line):
            kind: Kind = "generation" if match[1] == "GEN" else "span"
            failed = "ERROR" in (match[3] or "").split(", ")
            self._start(kind, match[2].strip(), number, failed=failed)
        elif line == _MISSING:
            self.steps.append(Step("missing", self._last_call(), number, number))
        elif self._after_rule and line.lower().rstrip(":") == "error":
            self._start("error", self._last_node(), number)
        elif _RULE.match(line) or _TOOLS.match(line) or _SECTION.match(line) or _STOPPED.match(line):
            self._open = None
            self._after_rule = _RULE.match(line) is not None
            return
        elif match := _ERROR.match(line):
            self._start("error", self._last_node(), number, [match[1]] if match[1] else [])
        elif self._open is not None:
            self._open.lines.append(line)
            self._open.last = number
        elif not self.steps and not line.startswith("["):
            self._start("name", line, number, closed=True)
        self._after_rule = False

    def _start(
        self,
        kind: Kind,
        name: str,
        number: int,
        lines: list[str] | None = None,
        *,
        closed: bool = False,
        failed: bool = False,
    ) -> None:
        step = Step(kind, name, number, number, lines or [], failed)
        self.steps.append(step)
        self._open = None if closed else step

    def _last_call(self) -> str:
        return next((s.name for s in reversed(self.steps) if s.kind in {"call", "span"}), "a tool")

    def _last_node(self) -> str:
        return next((s.name for s in reversed(self.steps) if s.kind in {"generation", "span"}), "")
