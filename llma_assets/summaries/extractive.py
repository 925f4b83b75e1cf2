"""The offline summary: extracted from the numbered text, deterministic, with valid references only.

It must show the topic, because it is embedded and clustered: it begins with what users wrote and with the names of
tools, and leaves out ids and system prompts. The transcript parser belongs in `transcript`.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from llma_assets.summaries.line_refs import LineNumbers
from llma_assets.summaries.schema import Mode, SummaryPoint, TraceSummary, cut_title, shorten
from llma_assets.summaries.transcript import EXECUTORS, Step, new_in_call, read_steps, without_repeats
from llma_assets.summaries.words import as_words, content_words, is_courtesy, request_of

ASKED = 'Asked: "{}"'
"""A bullet that quotes a user's request."""
ANSWERED = 'Answered: "{}"'
"""A bullet that quotes the assistant."""
_QUOTE_CHARS = 160
_MAX_FLOW_STEPS = 14
_REQUESTS: dict[Mode, int] = {"minimal": 2, "detailed": 5}
_TOOLS: dict[Mode, int] = {"minimal": 1, "detailed": 3}
_ARGUMENT = re.compile(r'\w+="([^"\\]{3,40})"')
_MEANINGFUL_VALUE = re.compile(r"[^\W\d_][^\d_@/:<>{}]*")
_ERROR_TEXT = re.compile(r"^\W{0,3}(?:error|exception|traceback|failed|failure)\b|\"(?:error|exception)\":", re.I)
_ERROR_PREFIX = re.compile(r"^(?:\W*error\W+)+", re.IGNORECASE)
_NOTHING = {"[]", "{}", "null", "none", '""', "[ ]"}


def extract_summary(text: str, mode: Mode) -> TraceSummary:
    """Summarise the numbered text of a trace or a generation without a model.

    A generation's input holds the conversation so far, which its trace tells: only what is new in the call counts.

    Any text gives a summary: without a user message it consists of the name, the tools and the spans.
    """
    steps, lines = without_repeats(new_in_call(text, read_steps(text))), LineNumbers.of(text)
    users = [step for step in steps if step.kind == "message" and step.name == "user" and step.text]
    requests = _key_requests(users, _REQUESTS[mode])
    bullets = [_point(ASKED.format(shorten(step.text, _QUOTE_CHARS)), step, lines) for step in requests]
    bullets += _tool_points(steps, lines, _TOOLS[mode])
    answer = _last_meaningful_answer(steps)
    if answer is not None:
        bullets.append(_point(ANSWERED.format(shorten(answer.text, _QUOTE_CHARS)), answer, lines))
    if not bullets:
        bullets = _span_points(steps, lines) or [_first_line(text)]
    return TraceSummary(
        title=_title(steps, users),
        flow_diagram=_flow(steps),
        bullets=bullets,
        interesting_notes=_notes(steps, lines),
    )


def _key_requests(users: Sequence[Step], most: int) -> list[Step]:
    """The first message that asks for something, and those that add the most new words, in order."""
    known: set[str] = set()
    gains: list[tuple[int, int]] = []
    for index, step in enumerate(users):
        new = set(content_words(step.text[:2_000])) - known
        known |= new
        # A long pasted text must not displace the first request.
        gains.append((min(len(new), 12), -index))
    first = next((index for index, step in enumerate(users) if request_of(step.text)), 0)
    best = [-index for gain, index in sorted(gains, reverse=True) if gain >= 2 and -index != first]
    return [users[index] for index in sorted([first, *best[: most - 1]]) if index < len(users)]


def _title(steps: Sequence[Step], users: Sequence[Step]) -> str:
    """The user's first request; without users the trace's name and tools."""
    asked = [request for step in users if (request := request_of(step.text))]
    request = next((words for words in asked if len(content_words(words)) >= 2), "")
    if not request and (asked or users):
        called = [f"({as_words(step.name)})" for step in steps if step.kind == "call"][:1]
        request = " ".join([asked[0] if asked else users[0].text[:200], *called])
    title = cut_title(request)
    if title:
        return title[0].upper() + title[1:]
    named = [step.name for step in steps if step.kind == "name"]
    worked = [as_words(step.name) for step in steps if step.kind in {"call", "span"}]
    parts = [as_words(named[0])] if named else []
    parts += list(dict.fromkeys(word for word in worked if word not in parts))[:2]
    return cut_title(", ".join(part for part in parts if part).capitalize()) or "Run without a request"


def _flow(steps: Sequence[Step]) -> str:
    """Roles and tools in order; direct repetitions are folded into one entry with a count."""
    calls = {step.name for step in steps if step.kind == "call"}
    names = []
    for step in steps:
        is_tool = step.kind == "call" or (step.kind == "span" and step.name not in calls)
        is_said = step.kind == "message" and step.name not in EXECUTORS and step.text
        if is_tool or is_said:
            names.append(step.name)
    folded = _fold(names)
    if len(folded) > _MAX_FLOW_STEPS:
        half = _MAX_FLOW_STEPS // 2
        folded = [*folded[:half], "…", *folded[-half:]]
    return " → ".join(folded)


def _fold(names: Sequence[str]) -> list[str]:
    """Repetitions of a name, or of a pair of names, become one entry with a count.

    >>> _fold(["user", "assistant", "user", "assistant", "search", "search"])
    ['(user ⇄ assistant) ×2', 'search ×2']
    """
    result: list[str] = []
    at = 0
    while at < len(names):
        period = 2 if names[at : at + 2] == names[at + 2 : at + 4] and names[at] != names[at + 1] else 1
        unit = names[at : at + period]
        count = 1
        while names[at + count * period : at + (count + 1) * period] == unit:
            count += 1
        label = unit[0] if period == 1 else f"({unit[0]} ⇄ {unit[1]})"
        result.append(label if count == 1 else f"{label} ×{count}")
        at += count * period
    return result


def _tool_points(steps: Sequence[Step], lines: LineNumbers, most: int) -> list[SummaryPoint]:
    """The tools that say most about the topic: those with meaningful arguments, then those called most often."""
    called = [step for step in steps if step.kind == "call"] or [
        step for step in steps if step.kind == "span" and step.name
    ]
    counts = Counter(step.name for step in called)
    values: dict[str, Counter[str]] = {name: Counter() for name in counts}
    for step in called:
        values[step.name].update(value for value in _ARGUMENT.findall(step.text) if _MEANINGFUL_VALUE.fullmatch(value))
    order = sorted(counts, key=lambda name: (-len(values[name]), -counts[name], name))[:most]
    points = []
    for name in sorted(order, key=list(counts).index):
        where = [step for step in called if step.name == name]
        with_values = ", ".join(value for value, _ in values[name].most_common(5))
        times = f" ×{counts[name]}" if counts[name] > 1 else ""
        told = f"{as_words(name)}{times}" + (f": {with_values}" if with_values else "")
        refs = ", ".join(lines.ref(step.first) for step in where[:4])
        points.append(SummaryPoint(text=told[0].upper() + told[1:] if told else name, line_refs=refs))
    return points


def _last_meaningful_answer(steps: Sequence[Step]) -> Step | None:
    """The assistant's last message that is more than a courtesy."""
    said = [step for step in steps if step.kind == "message" and step.name in {"assistant", "model"} and step.text]
    telling = [step for step in said if not is_courtesy(step.text) and len(set(content_words(step.text[:1_000]))) >= 3]
    return telling[-1] if telling else said[-1] if said else None


def _notes(steps: Sequence[Step], lines: LineNumbers) -> list[SummaryPoint]:
    """Errors, repeated calls, missing or empty results."""
    asked: dict[tuple[str, str], list[Step]] = {}
    empty: dict[str, list[Step]] = {}
    for step, tool in _with_tools(steps):
        if step.kind == "call":
            asked.setdefault((step.name, step.text), []).append(step)
        elif _is_result(step) and step.text.lower() in _NOTHING:
            empty.setdefault(tool, []).append(step)
    notes = _error_points(steps, lines)
    notes += [
        _group(f"{as_words(name)} was called {len(again)} times with the same arguments", again, lines)
        for (name, _), again in asked.items()
        if len(again) > 1
    ]
    notes += [_group(f"{as_words(name) or 'a tool'} found nothing", found, lines) for name, found in empty.items()]
    missing = [step for step in steps if step.kind == "missing"]
    if missing:
        notes.append(_group("The result of a tool was not recorded", missing, lines))
    return notes


def _error_points(steps: Sequence[Step], lines: LineNumbers) -> list[SummaryPoint]:
    """One note for each different error. A span, its result and the next model call often report the same one."""
    found: dict[str, tuple[str, Step]] = {}
    bare: dict[str, Step] = {}
    for step, tool in _with_tools(steps):
        if not (step.failed or step.kind == "error" or (_is_result(step) and _ERROR_TEXT.search(step.text[:300]))):
            continue
        name = as_words(tool if step.kind == "message" else step.name)
        detail = _ERROR_PREFIX.sub("", shorten(step.text, _QUOTE_CHARS))
        if detail:
            found.setdefault(detail, (name, step))
        else:
            bare.setdefault(name, step)
    explained = {name for name, _ in found.values()}
    points = [_point(f"Error in {name or 'the run'}: {detail}", step, lines) for detail, (name, step) in found.items()]
    points += [
        _point(f"Error in {name or 'the run'}", step, lines) for name, step in bare.items() if name not in explained
    ]
    return points


def _with_tools(steps: Sequence[Step]) -> Iterator[tuple[Step, str]]:
    """Each step with the name of the tool that was called last."""
    tool = ""
    for step in steps:
        if step.kind in {"call", "span"}:
            tool = step.name
        yield step, tool


def _is_result(step: Step) -> bool:
    return step.kind == "span" or (step.kind == "message" and step.name in EXECUTORS)


def _span_points(steps: Sequence[Step], lines: LineNumbers) -> list[SummaryPoint]:
    return [
        _point(f"{step.name}: {shorten(step.text, _QUOTE_CHARS)}" if step.text else step.name, step, lines)
        for step in steps
        if step.kind in {"span", "generation", "message"} and step.name
    ][:5]


def _first_line(text: str) -> SummaryPoint:
    """For texts that the parser finds no step in: the first line with text."""
    for raw in text.split("\n"):
        label, _, said = raw.partition(": ")
        if said.strip():
            return SummaryPoint(text=said, line_refs=label if label.startswith("L") else "")
    return SummaryPoint(text=text.strip() or "Nothing was recorded", line_refs="")


def _point(text: str, step: Step, lines: LineNumbers) -> SummaryPoint:
    return SummaryPoint(text=text, line_refs=lines.ref(step.first, step.last))


def _group(text: str, steps: Sequence[Step], lines: LineNumbers) -> SummaryPoint:
    refs = ", ".join(lines.ref(step.first) for step in steps[:4])
    return SummaryPoint(text=text[0].upper() + text[1:], line_refs=refs)
