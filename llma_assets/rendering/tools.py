"""Parses tool definitions of all providers and writes them as signatures."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from llma_assets.rendering.cleaning import Redacts, one_line
from llma_assets.rendering.json_text import NOT_JSON, parse_container, text_of
from llma_assets.rendering.provider_formats.openai_chat import is_definition

_MANY: Final = 5
_SENTENCE_END: Final = re.compile(r"[.!?](?=\s|$)|\n\s*\n")


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that a model may call: its signature, and the first sentence of its description."""

    signature: str
    description: str


def read_tools(  # noqa: PLR0911 - one return a structure
    value: object, depth: int = 0, *, redactor: Redacts | None = None
) -> list[Tool]:
    """The tools in `value`: a list or an object of definitions, their JSON, or a request that holds them.

    `redactor` replaces private values in a text before it is cut.
    """
    if isinstance(value, str):
        parsed = parse_container(value) if depth < 4 else NOT_JSON
        if parsed is not NOT_JSON:
            return read_tools(parsed, depth + 1, redactor=redactor)
        return [Tool(f"{one_line(value, redactor=_if_long(value, redactor))}()", "")] if value.strip() and depth else []
    if isinstance(value, list | tuple):
        return [tool for item in value for tool in read_tools(item, depth + 1, redactor=redactor)] if depth < 4 else []
    if not isinstance(value, Mapping) or depth >= 4:
        return []
    for key in ("functionDeclarations", "function_declarations", "tools"):
        if isinstance(value.get(key), list):
            return read_tools(value[key], depth + 1, redactor=redactor)
    tool = _tool(value, redactor)
    if tool is not None:
        return [tool]
    named = [(name, child) for name, child in value.items() if isinstance(child, Mapping) and _is_tool_body(child)]
    return [found for name, child in named if (found := _tool({"name": name, **child}, redactor)) is not None]


def tools_beside(value: object) -> object:
    """The tool definitions inside a request, its JSON, a response or a list of messages, or None."""
    if isinstance(value, str) and '"tools"' in value:  # most texts are no request, and need not be parsed for it
        value = parse_container(value)
    if isinstance(value, Mapping):
        tools = value.get("tools")
        if not tools and isinstance(value.get("config"), Mapping):
            tools = value["config"].get("tools")
        return tools if isinstance(tools, list) and tools else None
    if isinstance(value, list):
        found = [
            item["content"]
            for item in value
            if isinstance(item, dict) and item.get("role") == "tool" and is_definition(item.get("content"))
        ]
        return found or None
    return None


def tool_lines(tools: list[Tool]) -> list[str]:
    """The tools section: a title and the signatures, with descriptions if there are at most five tools."""
    lines = [f"AVAILABLE TOOLS: {len(tools)}", ""]
    for tool in tools:
        lines.append(tool.signature)
        if tool.description and len(tools) <= _MANY:
            lines.append(f"  {tool.description}")
    return lines


def _tool(item: Mapping[str, object], redactor: Redacts | None) -> Tool | None:
    inside = item.get("function", item.get("toolSpec"))
    if isinstance(inside, Mapping):
        item = inside
    name = next((item[k] for k in ("name", "toolName", "server_label") if isinstance(item.get(k), str)), None)
    if name is None:
        kind = item.get("type")
        if not isinstance(kind, str) or kind in {"object", "function"}:
            return None
        name = kind
    description = item.get("description")
    parameters = ", ".join(_parameters(_schema(item), redactor))
    return Tool(
        f"{one_line(str(name), redactor=_if_long(str(name), redactor))}({parameters})",
        first_sentence(description, redactor) if isinstance(description, str) else "",
    )


def _is_tool_body(item: Mapping[str, object]) -> bool:
    return any(key in item for key in ("parameters", "inputSchema", "input_schema", "description"))


def _schema(item: Mapping[str, object]) -> Mapping[str, object]:
    keys = (
        "parameters",
        "input_schema",
        "inputSchema",
        "parametersJsonSchema",
        "parameters_json_schema",
        "args_schema",
    )
    for key in keys:
        schema = item.get(key)
        if isinstance(schema, str):
            schema = parse_container(schema)
        if isinstance(schema, Mapping):
            for wrapper in ("jsonSchema", "json", "schema"):
                if isinstance(schema.get(wrapper), Mapping):
                    schema = schema[wrapper]
            return schema if isinstance(schema, Mapping) else {}
    return {}


def _parameters(schema: Mapping[str, object], redactor: Redacts | None) -> Iterator[str]:
    properties = schema.get("properties")
    if not isinstance(properties, Mapping):
        return
    required = schema.get("required")
    needed = {name for name in required if isinstance(name, str)} if isinstance(required, list) else set()
    for name, child in list(properties.items())[:60]:
        mark = "" if name in needed else "?"
        shown = text_of(name)
        yield f"{one_line(shown, 80, _if_long(shown, redactor, 80))}{mark}: {_type(child)}"


def _type(schema: object) -> str:
    if not isinstance(schema, Mapping):
        return "any"
    kind = schema.get("type")
    if isinstance(kind, str) and kind:
        return one_line(kind, 40).lower()
    if isinstance(kind, list):
        return "|".join(one_line(text_of(part), 40).lower() for part in kind[:6]) or "any"
    for key in ("anyOf", "oneOf", "allOf"):
        options = schema.get(key)
        if isinstance(options, list) and options:
            names = [_type({"type": o.get("type", "object")}) for o in options[:6] if isinstance(o, Mapping)]
            return "|".join(dict.fromkeys(names)) or "any"
    if "enum" in schema:
        return "string"
    return "object" if "$ref" in schema or "properties" in schema else "any"


def _if_long(text: str, redactor: Redacts | None, limit: int = 200) -> Redacts | None:
    """The redactor if `text` will be cut; otherwise it is redacted together with its line."""
    return redactor if len(text) > limit else None


def first_sentence(text: str, redactor: Redacts | None = None) -> str:
    """The first sentence of a description, on one line.

    >>> first_sentence("Get the weather. Uses an API.")
    'Get the weather.'
    """
    head = text.strip()[:2_000]
    end = _SENTENCE_END.search(head)
    sentence = head[: end.end()] if end else head
    return one_line(sentence, 300, _if_long(sentence, redactor, 300))
