"""Formats single facts as text: latency, cost, tool call, error, line numbers. Pure.

Where a fact stands in the text belongs in `trace`, `generation` and `document`.
"""

from collections.abc import Mapping, Sequence

from llma_assets.rendering.cleaning import Redacts, one_line, value_of
from llma_assets.rendering.json_text import NOT_JSON, compact_json, parse_container, parse_json, text_of

NO_DETAILS = "An error occurred (no details available)"


def latency(seconds: float) -> str:
    """Seconds with two digits.

    >>> latency(1.23456)
    '1.23s'
    """
    return f"{seconds:.2f}s"


def cost(usd: float) -> str:
    """Dollars with four digits.

    >>> cost(0), cost(1.23456)
    ('$0.0000', '$1.2346')
    """
    return f"${usd:.4f}"


def call(name: str, arguments: object, status: str = "", limit: int = 1_000, redactor: Redacts | None = None) -> str:
    """A tool call on one line; each argument as JSON, shortened to about `limit` characters after redaction.

    >>> call("test_func", {"arg1": "val1", "arg2": 42})
    'test_func(arg1="val1", arg2=42)'
    >>> call("test_func", None), call("test_func", {}), call("test_func", "not json")
    ('test_func()', 'test_func()', 'test_func(not json)')
    >>> call("web_search_call", None, "completed")
    'web_search_call() (completed)'
    """
    if isinstance(arguments, str):
        parsed = parse_json(arguments)
        arguments = arguments if parsed is NOT_JSON else parsed
    if arguments is None or arguments in ({}, ""):
        inside = ""
    elif isinstance(arguments, Mapping):
        inside = ", ".join(
            f"{one_line(text_of(key), 100, redactor)}={_short_json(value, limit, redactor)}"
            for key, value in arguments.items()
        )
    elif isinstance(arguments, str):
        inside = _one_line(arguments, limit, redactor)
    else:
        inside = _short_json(arguments, limit, redactor)
    text = f"{one_line(name, redactor=redactor)}({inside})"
    return f"{text} ({one_line(status, 200, redactor)})" if status else text


def _short_json(value: object, limit: int, redactor: Redacts | None) -> str:
    return _one_line(compact_json(value), limit, redactor)


def _one_line(text: str, limit: int, redactor: Redacts | None) -> str:
    return value_of(text, redactor=redactor).shortened(limit).replace("\n", " ")


def error_lines(error: object) -> list[str]:
    r"""The lines of an error: indented `key: value` lines for an object, otherwise its text.

    >>> error_lines('{"status":400,"message":"Invalid parameter"}')
    ['status: 400', 'message: Invalid parameter']
    >>> error_lines({"error": {"code": 7}})
    ['error:', '  code: 7']
    >>> error_lines(None), error_lines(True)
    (['An error occurred (no details available)'], ['An error occurred (no details available)'])
    """
    if isinstance(error, str):
        parsed = parse_container(error)
        if parsed is NOT_JSON:
            return error.strip().split("\n") if error.strip() else [NO_DETAILS]
        error = parsed
    if error is None or isinstance(error, bool) or error in ({}, []):
        return [NO_DETAILS]
    if isinstance(error, Mapping | list):
        return _key_value_lines(error, "", 0)
    return [compact_json(error)]


def _key_value_lines(value: object, indent: str, depth: int) -> list[str]:
    pairs: list[tuple[str, object]]
    if isinstance(value, Mapping):
        pairs = [(f"{text_of(key)}:", child) for key, child in value.items()]
    elif isinstance(value, list):
        pairs = [("-", child) for child in value]
    else:
        return [f"{indent}{value if isinstance(value, str) else compact_json(value)}"]
    lines: list[str] = []
    for label, child in pairs[:50]:
        if isinstance(child, Mapping | list) and child and depth < 6:
            lines.append(f"{indent}{label}")
            lines.extend(_key_value_lines(child, indent + "  ", depth + 1))
        else:
            shown = child if isinstance(child, str) else compact_json(child)
            lines.append(f"{indent}{label} {shown}")
    if len(pairs) > 50:
        lines.append(f"{indent}... ({len(pairs) - 50} more)")
    return lines


def numbered(lines: Sequence[str]) -> list[str]:
    """Each line with its number, zero-padded to the width of the last one.

    >>> numbered("a\\n\\nb".split("\\n"))
    ['L1: a', 'L2: ', 'L3: b']
    """
    width = len(str(len(lines)))
    return [f"L{number:0{width}d}: {line}" for number, line in enumerate(lines, 1)]
