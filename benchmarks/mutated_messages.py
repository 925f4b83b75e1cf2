"""Message shapes as nobody meant them: known ones with types swapped, keys lost or doubled, rows without end.

Every input follows from a seed. What is done with an input, and what counts as a failure, is here as well, so that the
short run in the tests and the long one in `benchmarks/shapes_fuzz.py` hold the same.
"""

import copy
import json
import random
import re
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from llma_assets.rendering import RenderOptions, item_facts, read_messages, render_generation, render_trace
from llma_assets.rendering.json_text import text_of
from llma_assets.summaries.extractive import extract_summary
from llma_assets.summaries.line_refs import LineNumbers
from llma_assets.summaries.rule_summary import theme_summary
from llma_assets.summaries.rules import Facts, Norms, applies
from llma_assets.summaries.schema import clean_summary

FIXTURES: Final = Path(__file__).resolve().parents[1] / "llma_assets_tests" / "rendering" / "fixtures"
RULES: Final = ("errors", "ux", "feature_requests", "performance", "success", "keywords")
SECONDS: Final = 2.0
SECONDS_OF_A_MB: Final = 60.0
"""CPU that one input may take: a fixed part, and one by its size. It is read and rendered eleven times."""

FORBIDDEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff"
    "\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
"""What no text may hold: it shows nothing, and says something else to a model than to a reader."""

_KINDS: Final = (
    "text", "message", "function_call", "function_call_output", "custom_tool_call", "custom_tool_call_output",
    "reasoning", "web_search_call", "file_search_call", "computer_call", "computer_call_output", "mcp_call",
    "mcp_list_tools", "image_generation_call", "tool_use", "tool_result", "web_search_tool_result", "thinking",
    "redacted_thinking", "image", "document", "search_result", "human", "ai", "system", "tool", "constructor",
    "tool-call", "tool-result", "tool-error", "tool-invocation", "dynamic-tool", "file", "source-url", "step-start",
    "tool_call", "tool_call_response", "blob", "uri", "input_text", "output_text", "refusal", "image_url",
    "input_audio", "resource", "function", "object", "FunctionCallContent", "ThoughtEvent", "TextMessage",
    "content_block_start", "content_block_delta", "message_start", "response.output_text.delta", "item_reference",
)  # fmt: skip
_KEYS: Final = (
    "type", "kind", "$type", "content_type", "role", "content", "text", "name", "id", "tool_calls", "function",
    "arguments", "args", "input", "output", "parts", "functionCall", "functionResponse", "function_call", "response",
    "result", "results", "tool_use_id", "tool_call_id", "call_id", "status", "is_error", "error", "summary", "action",
    "message", "messages", "delta", "choices", "candidates", "contents", "generations", "data", "kwargs", "lc",
    "additional_kwargs", "toolName", "toolCallId", "toolInvocations", "toolInvocation", "state", "part_kind",
    "block_type", "blocks", "_content", "_role", "source", "author", "speaker", "sender", "from", "event",
    "event_name", "payload", "item", "attributes", "systemInstruction", "config", "system", "prompt", "question",
    "query", "answer", "completion", "output_text", "inputs", "outputs", "request", "intermediate_steps", "actions",
    "tool_results", "observations", "chat_history", "history", "jsonrpc", "method", "params", "toolUse", "toolResult",
    "reasoningContent", "inlineData", "fileData", "executableCode", "codeExecutionResult", "usage", "tools",
    "functionDeclarations", "parameters", "properties", "required", "description", "index", "call", "value",
    "llm.input_messages.0.message.role", "gen_ai.prompt.0.content", "message.role", "message.content", "thought",
)  # fmt: skip
_PROPERTIES: Final = (
    "$ai_input", "$ai_output", "$ai_output_choices", "$ai_tools", "$ai_input_state", "$ai_output_state", "$ai_error",
    "$ai_is_error", "$ai_http_status", "$ai_span_name", "$ai_trace_name", "$ai_model", "$ai_latency", "$ai_span_id",
    "$ai_parent_id", "$ai_generation_id", "$ai_input_tokens", "$ai_output_tokens", "$ai_total_cost_usd",
    "$ai_evaluation_name", "$ai_evaluation_result", "$ai_evaluation_applicable", "$ai_evaluation_reasoning",
    "$ai_metric_name", "$ai_metric_value", "$ai_feedback_text",
)  # fmt: skip
_EVENTS: Final = (
    "$ai_generation", "$ai_generation", "$ai_span", "$ai_trace", "$ai_embedding", "$ai_evaluation", "$ai_metric",
    "$ai_feedback", "other",
)  # fmt: skip
_HIDDEN: Final = "\u202e\u2066\u2069\u200b\u200d\u2060\ufeff\u061c\u180e\U000e0041\ufe0f\U000e0100\x00\x1b\ud800"


def known_values() -> list[Any]:
    """What the fixtures hold: messages in the shapes of all providers, and events of traces."""
    values = [json.loads(line)["value"] for line in (FIXTURES / "conversations.jsonl").read_text().splitlines()]
    for case in sorted(FIXTURES.glob("*/*.json")):
        value = json.loads(case.read_text())
        events = value if case.parent.name == "traces" else [{"properties": {"value": value}}]
        values += [part for event in events for part in event["properties"].values() if isinstance(part, dict | list)]
    return values


@dataclass(frozen=True, slots=True)
class Failure:
    """An input that did not become what it should.

    Attributes:
        seed: makes the input again.
        what: the step that failed.
        why: the error, or how long it took.
        where: the innermost lines of code.
        value: the input as JSON, cut.
    """

    seed: int
    what: str
    why: str
    where: str
    value: str


class Mutations:
    """Makes odd values of known ones."""

    _known: list[Any] | None = None

    def __init__(self, rng: random.Random, most_rows: int = 400, most_depth: int = 1_000) -> None:
        self.rng = rng
        self.most_rows = most_rows
        self.most_depth = most_depth
        if Mutations._known is None:
            Mutations._known = known_values()

    def known(self) -> Any:
        """A part of a known value."""
        assert Mutations._known is not None
        value = self.rng.choice(Mutations._known)
        while self.rng.random() < 0.3 and isinstance(value, dict | list) and value:
            value = self.rng.choice(list(value.values()) if isinstance(value, dict) else value)
        return _copied(value)

    def value(self) -> Any:
        """A known value with one to six things wrong with it."""
        value = self.known()
        for _ in range(self.rng.choice((1, 1, 2, 2, 3, 6))):
            value = self.mutated(value)
        shape = self.rng.random()
        if shape < 0.12:
            return self._written(value)
        if shape < 0.2 and len(_short(value)) < 2_000:
            return [_copied(value) for _ in range(self.rng.choice((2, 200, 201, self.most_rows)))]
        return value

    def mutated(self, value: Any) -> Any:
        """The value with one thing wrong."""
        places = list(_places(value))
        if not places or self.rng.random() < 0.08:
            return self.odd(value)
        holder, key = self.rng.choice(places)
        match self.rng.randrange(9):
            case 0 | 1 | 2:
                holder[key] = self.odd(holder[key])
            case 3:
                del holder[key]
            case 4:
                holder[key] = self.known()
            case 5 if isinstance(holder, dict):
                holder[self.rng.choice(_KEYS)] = holder.pop(key)
            case 6 if isinstance(holder, dict):
                holder[self.rng.choice(_KEYS)] = self.odd(holder[key])
            case 7 if isinstance(holder, list):
                holder.insert(key, self.odd(holder[key]))
            case _:
                other, place = self.rng.choice(places)
                holder[key] = _copied(other[place]) if _has(other, place) else None
        return value

    def odd(self, value: Any) -> Any:
        """Something in the place of `value`."""
        rng = self.rng
        made: Callable[[], Any] = rng.choice(
            (
                lambda: None,
                lambda: [],
                lambda: {},
                lambda: rng.choice((True, False, 0, -1, 7, 1e308, float("nan"), 10**400, 2**63)),
                lambda: rng.choice(_KINDS),
                lambda: [rng.choice(_KINDS), "null"],
                lambda: {rng.choice(_KEYS): rng.choice(_KINDS)},
                lambda: {rng.choice((1, None, 2.5, True)): value, rng.choice(_KEYS): value},
                lambda: [value],
                lambda: {rng.choice(_KEYS): value},
                lambda: {"type": [rng.choice(_KINDS)], rng.choice(_KEYS): value},
                lambda: {"type": rng.choice(_KINDS), rng.choice(_KEYS): value, rng.choice(_KEYS): rng.choice(_KINDS)},
                lambda: {"kind": {"value": "text"}, "role": rng.choice(_KINDS), "content": value},
                lambda: self._written(value),
                lambda: self._deep(value),
                lambda: [_copied(value)] * rng.choice((2, 30, 201)) if len(_short(value)) < 400 else [value, value],
                lambda: rng.choice(("", " ", "x", "word " * 400, "a\n" * 90, rng.choice(_HIDDEN) * 3 + "a" + _HIDDEN)),
                lambda: (
                    rng.choice(("User: ", "role='user' content=", "<|im_start|>user\n", "{'a': ", "[", '"{', "[{"))
                    + _short(value)[:500]
                ),
            )
        )
        return made()

    def _written(self, value: Any) -> Any:
        """The value as a string, as tracers write what they do not understand."""
        for _ in range(self.rng.choice((1, 1, 2, 3))):
            text = text_of(value) if self.rng.random() < 0.2 else _short(value)
            if len(text) > 50_000:
                break
            value = text
        return value

    def _deep(self, value: Any) -> Any:
        key = self.rng.choice((*_KEYS, ""))
        for _ in range(self.rng.choice((3, 30, 70, self.most_depth))):
            value = {key: value} if key else [value]
        return value

    def events(self) -> list[dict[str, Any]]:
        """A trace whose properties are such values, or anything."""
        made = []
        for number in range(self.rng.choice((1, 2, 4, 8))):
            properties: Any = {"$ai_trace_id": "t"}
            for _ in range(self.rng.choice((1, 3, 6))):
                properties[self.rng.choice(_PROPERTIES)] = self.value()
            ids = ("a", "b", "c", number, None)
            properties |= {name: self.rng.choice(ids) for name in ("$ai_span_id", "$ai_parent_id")}
            shape = self.rng.random()
            if shape < 0.5:
                properties = _short(properties)
            elif shape < 0.55:
                properties = self.odd(properties)
            when = self.rng.choice(("2026-01-05T12:00:00Z", "2026-01-05 12:00:01.5", "yesterday", None, 5, 1e300, [1]))
            event = {
                "uuid": f"{number}",
                "event": self.rng.choice(_EVENTS),
                "timestamp": when,
                "properties": properties,
            }
            if self.rng.random() < 0.1:
                event[self.rng.choice(("uuid", "event", "timestamp"))] = self.odd("x")
            made.append(event)
        return made


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Where in `value` something stands; of what is deep or long, the beginning."""
    stack, found = [value] if isinstance(value, dict | list) else [], 0
    while stack and found < 400:
        holder = stack.pop()
        items = holder.items() if isinstance(holder, dict) else enumerate(holder)
        for key, inner in list(items)[:40]:
            found += 1
            yield holder, key
            if isinstance(inner, dict | list):
                stack.append(inner)


def _copied(value: Any) -> Any:
    """A copy, so that no value holds itself, which no JSON can."""
    try:
        return copy.deepcopy(value)
    except RecursionError:
        return "too deep to copy"


def _has(holder: Any, key: Any) -> bool:
    return key in holder if isinstance(holder, dict) else 0 <= key < len(holder)


def _short(value: Any) -> str:
    """As JSON, without the line breaks and blanks that Python's own writer puts."""
    try:
        return orjson.dumps(value).decode()
    except (TypeError, ValueError, RecursionError):
        try:
            return json.dumps(value, skipkeys=True, default=str)
        except (TypeError, ValueError, RecursionError):
            return "too deep"


def check_value(value: Any) -> None:
    """Read a value in every place where one may stand. Raises what is wrong."""
    for role in ("user", "assistant"):
        for message in read_messages(value, role):
            assert isinstance(message.role, str), "a role that is no text"
            assert isinstance(message.text, str), "a text that is none"
            assert all(isinstance(call.name, str) for call in message.tool_calls), "a call without a name"
    for properties in (
        {"$ai_input": value, "$ai_output_choices": value},
        {"$ai_input": [{"role": "user", "content": value}], "$ai_tools": value, "$ai_error": value},
    ):
        event = {"event": "$ai_generation", "properties": properties}
        check_text(render_generation(event).text)
    span = {"event": "$ai_span", "properties": {"$ai_input_state": value, "$ai_output_state": value}}
    check_events([span, {"event": "$ai_generation", "properties": {"$ai_input": value, "$ai_output": value}}])


def check_events(events: list[Mapping[str, Any]]) -> None:
    """Render a trace, sum it up, and summarise it without a model. Raises what is wrong."""
    rendered = render_trace(events, RenderOptions(max_chars=20_000))
    check_text(rendered.text)
    assert len(rendered.text) <= 20_000, "longer than its limit"
    facts = item_facts(events)
    orjson.dumps([facts.name, facts.cost_usd, facts.latency_s, facts.tokens])
    numbers = Facts(facts.cost_usd, facts.latency_s, facts.tokens, facts.error_count, facts.event_count)
    lines = LineNumbers.of(rendered.text)
    for mode in ("minimal", "detailed"):
        summary = clean_summary(extract_summary(rendered.text, mode), lines, mode)
        assert summary.title, "a summary without a title"
        assert summary.refs_total == summary.refs_valid, "a reference to a line that is not there"
    for rule in RULES:
        verdict = applies(rule, rendered.text, numbers, Norms(), ("refund", "a"))
        clean_summary(theme_summary(rendered.text, "detailed", verdict), lines, "detailed")


def check_text(text: str) -> None:
    """A text is valid UTF-8 and shows all that it holds."""
    text.encode()
    found = FORBIDDEN.search(text)
    assert found is None, f"U+{ord(found.group()):04X} in a text" if found else ""


def failure_of(seed: int) -> Failure | None:
    """Try the input of a seed: a value, or the events of a trace. None where all is well."""
    made = Mutations(random.Random(seed))
    of_trace = seed % 3 == 0
    value = made.events() if of_trace else made.value()
    shown = _short(value)
    what = "trace" if of_trace else "value"
    started = time.process_time()
    try:
        check_events(value) if of_trace else check_value(value)
    except Exception as error:  # whatever it is, it is what is looked for
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "llma_assets/" in frame.filename]
        where = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames[-2:]))
        return Failure(seed, what, f"{type(error).__name__}: {str(error)[:120]}", where, shown[:400])
    took = time.process_time() - started
    if took > SECONDS + SECONDS_OF_A_MB * len(shown) / 1e6:
        return Failure(seed, what, f"{took:.1f} s of CPU for {len(shown):,} bytes", "", shown[:400])
    return None
