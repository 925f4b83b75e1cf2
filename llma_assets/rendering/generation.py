"""Renders one generation: tools, input, output, error. A tree of events belongs in `trace`."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from llma_assets.privacy import redactor_of
from llma_assets.rendering.document import Document, Keep
from llma_assets.rendering.events import has_error, number, properties_of
from llma_assets.rendering.formatting import error_lines
from llma_assets.rendering.injected import mark_injected
from llma_assets.rendering.json_text import compact_json
from llma_assets.rendering.message import Message
from llma_assets.rendering.message_parser import read_item, split
from llma_assets.rendering.options import RenderedTrace, RenderOptions
from llma_assets.rendering.stops import stop_line
from llma_assets.rendering.tools import read_tools, tool_lines, tools_beside
from llma_assets.rendering.truncation import fit

_RULE: Final = "-" * 80


def render_generation(event: Mapping[str, object], options: RenderOptions = RenderOptions()) -> RenderedTrace:
    """The text of one `$ai_generation`, with a section for each of tools, input, output and error that it has.

    Args:
        event: `uuid, event, timestamp, properties`; properties as an object or as JSON. Invalid properties are shown
            as they are.
        options: lengths and line numbers.

    Returns:
        The text and what it leaves out. Never raises for any event.
    """
    raw = event.get("properties")
    properties = properties_of(raw)
    redactor = redactor_of(
        redact=options.redact, extra_patterns=options.extra_patterns, transformations=options.transformations
    )
    document = Document(options.max_value_chars, redactor, options.max_chars)
    messages = 0
    tools = read_tools(tools_of(properties), redactor=redactor)
    if tools:
        _section(document, "")
        for line in tool_lines(tools):
            document.line(line)
    for title, value, role in (
        ("INPUT:", input_of(properties), "user"),
        ("OUTPUT:", output_of(properties), "assistant"),
    ):
        found = [message for item, speaker in split(value, role) for message in read_item(item, speaker)]
        found = list(mark_injected(found, options.injected_tags)) if options.injected_tags else found
        if found:
            messages += len(found)
            _section(document, title)
            _messages(document, found)
    stopped = stop_line(properties, redactor)
    if stopped:
        document.line("")
        document.line(stopped, keep=Keep.ERROR, is_own=True)
    if has_error(properties):
        _section(document, "ERROR:")
        document.error(lines_of_error(properties))
    if not properties and raw:
        _section(document, "PROPERTIES (not readable):")
        document.has_content = True
        document.text(raw if isinstance(raw, str) else compact_json(raw))
    text, loss = fit(document.close(), options)
    redactions = dict(redactor.counts) if redactor is not None else {}
    return RenderedTrace(
        text,
        replace(loss, base64_removed=document.base64_removed, messages=messages, redactions=redactions),
        document.has_content,
    )


def input_of(properties: Mapping[str, object]) -> object:
    """The input of a generation."""
    found = properties.get("$ai_input")
    return properties.get("$ai_input_state") if found is None else found


def output_of(properties: Mapping[str, object]) -> object:
    """The output of a generation: its choices, else its output, else its output state, whichever says something."""
    values = [properties.get(key) for key in ("$ai_output_choices", "$ai_output", "$ai_output_state")]
    stated = [value for value in values if value not in (None, [], "")]
    return next((value for value in stated if not _is_empty(value)), stated[0] if stated else None)


def _is_empty(value: object) -> bool:
    """Whether a value is a response without an answer, as a tracer records one that it cannot read."""
    if value == {}:
        return True
    lists = ("output", "choices", "candidates", "content")
    return (
        isinstance(value, Mapping)
        and any(value.get(key) == [] for key in lists)
        and not any(value.get(key) for key in (*lists, "error", "text", "output_text", "tool_calls"))
    )


def tools_of(properties: Mapping[str, object]) -> object:
    """The tool definitions of a generation: its own property, or inside its input or output."""
    found = properties.get("$ai_tools")
    if found:
        return found
    return tools_beside(properties.get("$ai_input")) or tools_beside(output_of(properties))


def lines_of_error(properties: Mapping[str, object]) -> list[str]:
    """The error of a failed event with its HTTP status, as lines."""
    error = properties.get("$ai_error")
    status = number(properties.get("$ai_http_status"))
    if status is None or status < 400:
        return error_lines(error)
    status_line = f"HTTP status: {status:.0f}"
    if error is None or error in ("", False, {}, []):
        return [status_line] if properties.get("$ai_is_error") is None else [*error_lines(error), status_line]
    return [*error_lines(error), status_line]


def _section(document: Document, title: str) -> None:
    if document.pieces:
        document.line("")
    document.line(_RULE, keep=Keep.HEADER)
    document.line("")
    if title:
        document.line(title, keep=Keep.HEADER)
        document.line("")


def _messages(document: Document, messages: list[Message]) -> None:
    for index, message in enumerate(messages, 1):
        if index > 1:
            document.line("")
        document.message(message, index, blank_lines=True)
