"""Writes the content of each event under its node of the tree; what an earlier event showed is not repeated.

Which messages are repeated is decided in `history`, how the text is shortened in `truncation`.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from hashlib import blake2b
from typing import Final

import orjson

from llma_assets.rendering.content import has_content
from llma_assets.rendering.document import EMPTY, Document, Keep
from llma_assets.rendering.events import Event
from llma_assets.rendering.generation import input_of, lines_of_error, output_of, tools_of
from llma_assets.rendering.hierarchy import Node
from llma_assets.rendering.history import History, Key, Point, key_of
from llma_assets.rendering.injected import mark_injected
from llma_assets.rendering.json_text import NOT_JSON, compact_json, parse_container
from llma_assets.rendering.message import Message
from llma_assets.rendering.message_parser import is_conversation, read_item, split
from llma_assets.rendering.stops import stop_line
from llma_assets.rendering.tools import read_tools, tool_lines

_WORTH_A_REFERENCE: Final = 80
"""A shorter value is repeated: a reference would be as long."""

_Read = tuple[tuple[Message, ...], tuple[Key, ...]]


class Conversation:
    """What was shown of one trace so far, which decides how the next event is shown.

    Attributes:
        messages: number of messages, with every repetition.
        repeated: number of messages that were not shown again.
        values_repeated: number of long values replaced by `(as above)`.
    """

    def __init__(self, document: Document, *, history_once: bool, injected_tags: Sequence[str] = ()) -> None:
        """Write into `document`; with `history_once=False` every message is shown each time."""
        self.messages = 0
        self.repeated = 0
        self.values_repeated = 0
        self._document = document
        self._once = history_once
        self._injected_tags = injected_tags
        self._history = History()
        self._read: dict[bytes, _Read] = {}
        self._tools: set[tuple[str, ...]] = set()
        self._values: set[bytes] = set()
        self._results: Counter[bytes] = Counter()
        self._calls: Counter[bytes] = Counter()
        self._points: dict[int, Point] = {}

    def enter(self, node: Node, properties: Mapping[str, object], prefix: str, above: Collection[int]) -> None:
        """Write the content that comes before the children of a node."""
        event = node.event
        match event.kind:
            case "GEN" | "EMBED":
                self._generation(node, properties, prefix, above)
            case "EVAL":
                self._field(properties.get("$ai_evaluation_reasoning"), "Reasoning: ", prefix)
            case "FEEDBACK":
                self._field(properties.get("$ai_feedback_text"), "Feedback: ", prefix)
            case "METRIC":
                pass
            case "SPAN" | "TRACE":
                self._span(node, properties, prefix, above)
            case _:
                own = {
                    key: value
                    for key, value in properties.items()
                    if not (isinstance(key, str) and key.startswith("$"))
                }
                self._field(own or None, "Properties: ", prefix)
        if not properties and event.raw:
            raw = event.raw
            self._field(raw if isinstance(raw, str) else compact_json(raw), "Properties (not readable): ", prefix)

    def leave(self, node: Node, prefix: str) -> None:
        """Write the content that comes after the children: the output of a span with children."""
        if node.children and node.event.kind in {"SPAN", "TRACE"}:
            properties = node.event.properties()
            output, failed = _output_of_span(properties), node.event.is_error
            self._state(output, "Output: ", prefix, node.order, (), role="assistant", failed=failed)

    def trace_state(self, properties: Mapping[str, object]) -> None:
        """Write the input and output of the whole trace unless an event showed them."""
        for value, title, role in (
            (_input_of_span(properties), "TRACE INPUT:", "user"),
            (_output_of_span(properties), "TRACE OUTPUT:", "assistant"),
        ):
            if value is None or value == "" or self._is_shown(value, role):
                continue
            self._document.line("")
            self._document.line(title)
            self._state(value, "", "", -1, (), role=role)

    def _generation(self, node: Node, properties: Mapping[str, object], prefix: str, above: Collection[int]) -> None:
        self._show_tools(properties, prefix)
        given, given_keys = self._messages_of(input_of(properties), "user")
        # An embedding's output is a vector, which no reader can use.
        output = output_of(properties) if node.event.kind == "GEN" else None
        answered, answered_keys = self._messages_of(output, "assistant")
        new, point = self._history.place_input(given_keys, node.order, above)
        new_answer = self._history.place_answer(answered_keys, point, node.order)
        self._show(given, new, 1, prefix)
        if self._once and given and not any(new):
            same = answered and not any(new_answer)
            self._document.line("(input and answer as above)" if same else "(input as above)", prefix)
        self._show(answered, new_answer, len(given) + 1, prefix)
        if node.event.kind == "GEN" and (stopped := stop_line(properties, self._document.redactor)):
            self._document.line(stopped, prefix, Keep.ERROR, is_own=True)
        self._error(node.event, properties, prefix)

    def _span(self, node: Node, properties: Mapping[str, object], prefix: str, above: Collection[int]) -> None:
        given = _input_of_span(properties)
        name = properties.get("$ai_span_name")
        called = _digest(f"{name}\0{_canonical(given)}") if isinstance(name, str) else b""
        if self._once and self._calls[called] > 0:
            self._calls[called] -= 1
        else:
            self._state(given, "Input: ", prefix, node.order, above, role="user")
        output = _output_of_span(properties)
        failed = node.event.is_error
        if failed and isinstance(output, str) and output == properties.get("$ai_error"):
            self._results[_digest(_canonical(output))] += 1
            self._values.add(_digest(_canonical(output)))
        elif not node.children:
            self._state(output, "Output: ", prefix, node.order, above, role="assistant", failed=failed)
        self._error(node.event, properties, prefix)

    def _error(self, event: Event, properties: Mapping[str, object], prefix: str) -> None:
        if event.is_error:
            lines = lines_of_error(properties)
            one = len(lines) == 1
            self._document.error(
                [f"ERROR: {lines[0]}"] if one else ["ERROR:", *(f"  {line}" for line in lines)], prefix
            )

    def _show_tools(self, properties: Mapping[str, object], prefix: str) -> None:
        definitions = tools_of(properties)
        tools = read_tools(definitions, redactor=self._document.redactor) if definitions else []
        signatures = tuple(tool.signature for tool in tools)
        if not tools or (self._once and signatures in self._tools):
            return
        self._tools.add(signatures)
        for line in tool_lines(tools):
            if line:
                self._document.line(line, prefix)

    def _state(
        self,
        value: object,
        label: str,
        prefix: str,
        owner: int,
        above: Collection[int],
        *,
        role: str,
        failed: bool = False,
    ) -> None:
        """Write a span's state: its new messages if it is a conversation, else the value."""
        if value is None:
            return
        if not is_conversation(value):
            canonical = _digest(_canonical(value))
            self._document.has_content = self._document.has_content or has_content(value)
            if self._once and canonical in self._values and len(_canonical(value)) >= _WORTH_A_REFERENCE:
                self.values_repeated += 1
                self._document.line(f"{label}(as above)", prefix)
            else:
                text = _text(value)
                if role == "assistant":
                    self._document.result(label, text, prefix, failed=failed, is_final=owner < 0)
                else:
                    self._document.given(label + text, prefix)
            self._values.add(canonical)
            if role == "assistant":
                self._results[canonical] += 1
            return
        messages, keys = self._messages_of(value, role)
        before = self._points.get(owner)
        if role == "assistant" and before is not None:
            new = self._history.place_state(keys, before, owner)
        else:
            new, self._points[owner] = self._history.place_input(keys, owner, above)
        if self._once and not any(new):
            self.repeated += len(messages)
            self.messages += len(messages)
            if messages and label:
                self._document.line(f"{label}(as above)", prefix)
            return
        if label:
            self._document.line(label.rstrip(), prefix)
        self._show(messages, new, 1, prefix)

    def _field(self, value: object, label: str, prefix: str) -> None:
        if value is None:
            return
        self._document.has_content = self._document.has_content or has_content(value)
        self._document.text(label + _text(value), prefix)

    def _show(self, messages: tuple[Message, ...], new: list[bool], first: int, prefix: str) -> None:
        for number, (message, is_new) in enumerate(zip(messages, new, strict=True), first):
            self.messages += 1
            if self._once and (not is_new or self._is_state_above(message) or self._is_result_above(message)):
                self.repeated += 1
                continue
            self._document.message(message, number, prefix)
            self._values.add(_digest(message.text.strip()))
            for call in message.tool_calls:
                self._calls[_digest(f"{call.name}\0{_canonical(call.arguments)}")] += 1

    def _is_state_above(self, message: Message) -> bool:
        """Whether the same fields beside messages were shown: a `Send` repeats them with each turn."""
        return message.role == "state" and _digest(message.text.strip()) in self._values

    def _is_result_above(self, message: Message) -> bool:
        """Whether a span showed this tool result; the output of each span accounts for one message."""
        if message.role != "tool":
            return False
        digest = _digest(_canonical(message.text))
        if self._results[digest] <= 0:
            return False
        self._results[digest] -= 1
        return True

    def _is_shown(self, value: object, role: str) -> bool:
        if is_conversation(value):
            messages, keys = self._messages_of(value, role)
            return all(
                self._history.knows(key)
                or (message.text != "" and _digest(message.text.strip()) in self._values)
                or (message.role == "tool" and _digest(_canonical(message.text)) in self._values)
                for message, key in zip(messages, keys, strict=True)
            )
        return _digest(_canonical(value)) in self._values

    def _messages_of(self, value: object, role: str) -> _Read:
        messages: list[Message] = []
        keys: list[Key] = []
        for item, speaker in split(value, role):
            found = self._item(item, speaker)
            messages.extend(found[0])
            keys.extend(found[1])
        return tuple(messages), tuple(keys)

    def _item(self, item: object, role: str) -> _Read:
        """Parse an item, or look it up: most items of a history were parsed before."""
        try:
            raw = item.encode() if isinstance(item, str) else orjson.dumps(item)
        except (TypeError, ValueError):
            raw = compact_json(item).encode("utf-8", "surrogatepass")
        digest = blake2b(raw, digest_size=16, key=role.encode("utf-8", "replace")[:32]).digest()
        known = self._read.get(digest)
        if known is None:
            found = read_item(item, role)
            messages = tuple(mark_injected(found, self._injected_tags) if self._injected_tags else found)
            known = messages, tuple(key_of(message) for message in messages)
            self._read[digest] = known
        return known


def _input_of_span(properties: Mapping[str, object]) -> object:
    """The input of a span or a trace: its state, else what tracers record under a generation's name."""
    return _first(properties, "$ai_input_state", "$ai_input")


def _output_of_span(properties: Mapping[str, object]) -> object:
    return _first(properties, "$ai_output_state", "$ai_output", "$ai_output_choices")


def _first(properties: Mapping[str, object], *keys: str) -> object:
    return next((properties[key] for key in keys if properties.get(key) is not None), None)


def _text(value: object) -> str:
    return (value if isinstance(value, str) else compact_json(value)) or EMPTY


def _canonical(value: object) -> str:
    """The same text for a value and for its JSON."""
    if isinstance(value, str):
        parsed = parse_container(value)
        return value.strip() if parsed is NOT_JSON else compact_json(parsed)
    return "" if value is None else compact_json(value)


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
