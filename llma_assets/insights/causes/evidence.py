"""What a model reads about a cluster, and what is kept of its answer: types, and the choice of lines."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

TRACES = 4
"""Traces of a cluster that a model reads."""

TEXT_CHARS = 9_000
"""Of each trace, so much text: lines about trouble and what is beside them, its beginning and its end."""

LINE_CHARS = 600
TROUBLE_SHARE = 0.6
"""Of a long text, so much may be lines about trouble."""

_LINE = re.compile(r"^L(\d{1,9}): ?(.*)$")
_TROUBLE = re.compile(
    r"error|exception|fail|traceback|timeout|denied|refus|invalid|not found|\b[45]\d\d\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class TraceLines:
    """The lines of a trace that a model reads.

    Attributes:
        key: what the model calls it: A, B, …
        trace_id: the trace.
        lines: text by line number, ascending; gaps are lines that were left out.
    """

    key: str
    trace_id: str
    lines: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a model reads about a cluster.

    Attributes:
        cluster_id: the cluster.
        title, description: its name.
        size: its items.
        traces: some of its traces.
        apart: what sets it apart, in words.
    """

    cluster_id: int
    title: str
    description: str
    size: int
    traces: tuple[TraceLines, ...]
    apart: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reference:
    """A line of a trace that a cause rests on, and words of it."""

    trace_id: str
    line: int
    quote: str


@dataclass(frozen=True, slots=True)
class Cause:
    """A probable cause.

    Attributes:
        cause: what it is, in a sentence.
        confirm: what would confirm it.
        references: lines that show it; each is there, and has the words.
        judged: whether a second question found that these lines support it; False where that was not answered.
    """

    cause: str
    confirm: str
    references: tuple[Reference, ...]
    judged: bool = False


@dataclass(frozen=True, slots=True)
class ClusterCauses:
    """The causes of a cluster.

    Attributes:
        cluster_id: the cluster.
        status: `found`, `none` (no cause was usable), or `failed` (no usable answer).
        error: why it failed; nothing of the answer.
        model: who answered.
        causes: the most probable first.
        refused: why others were not taken.
    """

    cluster_id: int
    status: str
    error: str
    model: str
    causes: tuple[Cause, ...] = ()
    refused: tuple[str, ...] = ()


def chosen_lines(text: str, most_chars: int = TEXT_CHARS) -> dict[int, str]:
    r"""Lines of a numbered text by number: all, or lines about trouble, its beginning and its end.

    >>> chosen_lines("L1: hello\nL2: error: no such file\nnot numbered")
    {1: 'hello', 2: 'error: no such file not numbered'}
    """
    lines: dict[int, str] = {}
    last = 0
    for raw in text.splitlines():
        if match := _LINE.match(raw):
            last = int(match[1])
            lines[last] = match[2]
        elif last:
            lines[last] += f" {raw}"
    if sum(map(len, lines.values())) <= most_chars:
        return lines
    numbers = list(lines)
    trouble = [number for number in numbers if _TROUBLE.search(lines[number])]
    beside = [near for number in trouble for near in (number, number - 1, number + 1) if near in lines]
    ends = [number for pair in zip(numbers, reversed(numbers), strict=True) for number in pair]
    kept: dict[int, str] = {}
    used = 0
    for group, limit in ((beside, most_chars * TROUBLE_SHARE), (ends, float(most_chars))):
        for number in dict.fromkeys(group):
            shown = lines[number][:LINE_CHARS]
            if number not in kept and used + len(shown) <= limit:
                kept[number] = shown
                used += len(shown)
    return dict(sorted(kept.items()))


def trace_lines(texts: Sequence[tuple[str, str]]) -> tuple[TraceLines, ...]:
    """Traces as a model reads them, from (trace id, numbered text)."""
    return tuple(
        TraceLines(chr(ord("A") + place), trace_id, chosen_lines(text)) for place, (trace_id, text) in enumerate(texts)
    )
