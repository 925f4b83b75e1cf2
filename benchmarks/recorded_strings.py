"""How much of recorded model traffic is in the texts: `python -m benchmarks.recorded_strings CORPUS…`.

A corpus is a checkout with HTTP cassettes (YAML of vcrpy) or JSON fixtures, such as github.com/traceloop/openllmetry
and github.com/Arize-ai/openinference; none of it is in this repository. Each exchange is rendered as one generation:
the request's body as its input, the response's body, or the events of its stream, as its output. A recorded string is
in the text when its letters and digits are, in their order. Writes nothing.

Not counted are values without words: ids, URLs, timestamps, base64, names of models and settings (`SETTINGS`), and what
a response repeats of its request. Tools are shown by their signatures, so their definitions are not counted either, nor
are schemas of answers. Fragments of a stream count as the text that they add up to. `--misses N` prints N of what is
missing.
"""

import argparse
import base64
import gzip
import json
import re
import struct
import sys
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from llma_assets.rendering import RenderOptions, render_generation
from llma_assets.rendering.json_text import NOT_JSON, parse_container

SETTINGS: Final = {
    "id", "object", "model", "role", "type", "finish_reason", "stop_reason", "name", "status", "system_fingerprint",
    "service_tier", "tool_choice", "tool_call_id", "call_id", "encoding_format", "format", "modelVersion", "event",
    "finishReason", "responseId", "created_at", "createdAt", "signature", "encrypted_content", "thoughtSignature",
    "obfuscation", "p", "media_type", "mime_type", "mimeType", "detail", "effort", "verbosity", "anthropic_version",
    "category", "probability", "threshold", "modality", "stop", "stop_sequences", "stopSequences", "usage", "metrics",
    "truncation", "reasoning_effort", "api_version", "provider", "logprobs", "top_logprobs", "tokens",
    "stopReason", "done_reason", "completionReason", "event_type", "payer", "inference_geo", "serviceTier", "severity",
    "action", "taskType", "prompt_cache_retention", "thinking_level", "qualifiers", "content_type", "__type", "regex",
    "amazon-bedrock-guardrailAction", "reasoning.summary", "reasoning.context", "reasoning.mode", "function_call",
    "codeExecutionResult.outcome", "invocationType", "content.data",
    "stop_sequence", "session_id", "conversation_id", "generation_id", "response_id", "keep_alive", "moderation_id",
}  # fmt: skip
"""Keys whose values are settings, ids or enumerations."""

DEFINITIONS: Final = {
    "tools", "functions", "toolConfig", "tool_config", "response_format", "text.format", "responseSchema", "format",
    "response_schema", "responseJsonSchema", "tool_definitions", "output_config", "output_format", "json_schema",
    "gen_ai.tool.definitions",
}  # fmt: skip
_ID: Final = re.compile(r"[\w.:/=+-]*\d[\w.:/=+-]*|[A-Za-z0-9+/_-]{40,}={0,2}")
_RANDOM: Final = re.compile(r"[A-Za-z0-9+/_-]{160,}")
_URL: Final = re.compile(r"(?:https?|data|gs|s3|file)://?\S*|data:\S*")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[T ][\d:.+Z ]*|\w{3}, \d\d \w{3} \d{4}.*")
_ESCAPE: Final = re.compile(r"\\{1,8}(?:u([0-9a-fA-F]{4})|[nrtbf])")
_TURN: Final = re.compile(
    r"(?:^|(?<=\n))(?:System|Human|AI|User|Assistant|Bot):|</?s>|\[/?INST\]|<</?SYS>>|<\|\w+\|>(?:system|user|assistant)?"
)
_OPTIONS: Final = RenderOptions(
    max_chars=10**9, max_value_chars=10**8, line_numbers=False, redact=False, history_once=False
)


@dataclass(slots=True)
class Exchange:
    """A request and its response; `texts` are the strings that a reader should find."""

    place: str
    given: object
    answer: object
    texts: list[tuple[str, str]] = field(default_factory=list)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the share of each corpus and what is missing."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("corpora", nargs="+", type=Path)
    parser.add_argument("--misses", type=int, default=0, help="print so many missing strings a corpus")
    options = parser.parse_args(arguments)
    for corpus in options.corpora:
        total, missing, skipped = measure(corpus)
        found = total - len(missing)
        print(f"{corpus.name}: {found:,} of {total:,} strings ({found / max(total, 1):.2%}); not counted: {skipped}")
        places = Counter(f"{place.partition('#')[0].split('/')[0]}: {path}" for place, path, _ in missing)
        for place, count in places.most_common(60 if options.misses else 12):
            print(f"  {count:>4} × {place}")
        for place, path, text in missing[: options.misses]:
            print(f"    {place}\n      {path} = {text[:160]!r}")
    return 0


def measure(corpus: Path) -> tuple[int, list[tuple[str, str, str]], dict[str, int]]:
    """Number of counted strings, those that are missing (place, path, text), and what was not counted."""
    total, missing = 0, []
    skipped: Counter[str] = Counter()
    seen: set[tuple[str, str]] = set()
    for exchange in exchanges(corpus):
        event = {
            "event": "$ai_generation",
            "properties": {"$ai_input": exchange.given, "$ai_output_choices": exchange.answer},
        }
        text = render_generation(event, _OPTIONS).text
        flats = _flat(text), _flat(_ESCAPE.sub(_meaning, text))
        said = {text for _, text in strings(exchange.given)}
        sides = [("request", path, text) for path, text in strings(exchange.given)]
        sides += [("response", path, text) for path, text in strings(joined(exchange.answer))]
        for side, path, text in sides:
            why = _not_counted(path, text, side, said)
            if why:
                skipped[why] += 1
                continue
            if (exchange.place.partition("/")[0] + path, text) in seen:
                skipped["the same again"] += 1
                continue
            seen.add((exchange.place.partition("/")[0] + path, text))
            total += 1
            if not _is_in(text, flats):
                missing.append((exchange.place, f"{side} {path}", text))
    return total, missing, dict(skipped)


def _not_counted(path: str, text: str, side: str, said: set[str]) -> str:
    keys = [key for key in path.split(".") if key != "*" and not key.isdecimal()] or [""]
    reasons = {
        "definition": not DEFINITIONS.isdisjoint(keys),
        "setting": not SETTINGS.isdisjoint({keys[-1], ".".join(keys[-2:])}),
        "url": _URL.fullmatch(text) is not None,
        "time": _TIME.fullmatch(text) is not None,
        "id": _ID.fullmatch(text) is not None or _RANDOM.search(text) is not None,
        "echo": side == "response" and text in said,
        "no word": not any(c.isalpha() for c in text),
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def _is_in(text: str, flats: tuple[str, str]) -> bool:
    """Whether the letters and digits of a text are in a rendering; of a transcript, those of each of its turns."""
    return any(_flat(text) in flat or all(_flat(turn) in flat for turn in _TURN.split(text)) for flat in flats)


def _flat(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def _meaning(escape: re.Match[str]) -> str:
    return chr(int(escape.group(1), 16)) if escape.group(1) else " "


def strings(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Path and text of each string in a value, and in JSON in its strings; list positions are `*`."""
    if isinstance(value, str):
        parsed = parse_container(value)
        if parsed is NOT_JSON:
            yield path, value
        else:
            yield from strings(parsed, path)
    elif isinstance(value, dict):
        for key, child in value.items():
            yield from strings(child, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for child in value:
            yield from strings(child, f"{path}.*" if path else "*")


_WHOLE: Final = {"trace", "citation", "args", "system", "instructions"}
"""Keys of values that events hold whole, and not in fragments."""


class Stream(list[Any]):
    """Events of a stream."""


def joined(answer: object) -> object:
    """An answer; fragments of a stream as what they add up to, by path and index."""
    if not isinstance(answer, Stream):
        return answer
    whole: dict[str, str] = {}
    for event in answer:
        kind = str(event.get("type", "")) if isinstance(event, dict) else ""
        index = str(event.get("index", event.get("output_index", ""))) if isinstance(event, dict) else ""
        for path, text in _fragments(event):
            key = f"{kind}.{index}.{path}"
            if not _WHOLE.isdisjoint(path.split(".")):
                key += f".{len(whole)}"
            whole[key] = whole.get(key, "") + text if not kind or "delta" in kind else text
    return whole


def _fragments(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Paths with list positions and texts, without a look into JSON, which a fragment holds in part."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, child in value.items():
            yield from _fragments(child, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for place, child in enumerate(value):
            index = child.get("index", place) if isinstance(child, dict) else place
            yield from _fragments(child, f"{path}.{index}")


def exchanges(corpus: Path) -> Iterator[Exchange]:
    """All recorded exchanges below a folder."""
    for file in sorted(corpus.rglob("*.yaml")):
        if not {"cassettes", "fixtures"}.isdisjoint(file.parts):
            yield from _of_cassette(file, corpus)
    for file in sorted(corpus.rglob("*.json")):
        if not {"cassettes", "__fixtures__"}.isdisjoint(file.parts):
            for given, answer in _of_json(json.loads(file.read_text())):
                yield Exchange(_place(file, corpus), given, answer)


def _of_cassette(file: Path, corpus: Path) -> Iterator[Exchange]:
    try:
        recorded = yaml.load(file.read_bytes(), yaml.CSafeLoader)
    except yaml.YAMLError:
        return
    for number, each in enumerate(recorded.get("interactions") or [] if isinstance(recorded, dict) else []):
        given = _body(each.get("request"))
        answer = _body(each.get("response"))
        if given is not None or answer is not None:
            yield Exchange(f"{_place(file, corpus)}#{number}", given, answer)


def _of_json(value: Any) -> Iterator[tuple[object, object]]:
    """Request and response of a JSON cassette; attributes of a span as they are."""
    if isinstance(value, dict) and "request" in value and "response" in value:
        yield _body(value["request"]), _body(value["response"])
    elif isinstance(value, dict) and isinstance(value.get("scopes", value.get("interactions")), list):
        for each in value.get("scopes", value.get("interactions")):
            yield _body(each.get("request", each)), _body(each.get("response", each))
    else:
        attributes = value.get("attributes") if isinstance(value, dict) else None
        yield (attributes if isinstance(attributes, dict) else value), None


def _place(file: Path, corpus: Path) -> str:
    parts = file.relative_to(corpus).parts
    return "/".join([next((p for p in parts if "instrumentation" in p or "sdk" in p), parts[0]), *parts[-2:]])


def _body(side: Any) -> object:
    """The body of a request or a response: JSON, the events of a stream, or text."""
    body = side.get("body", side.get("content")) if isinstance(side, dict) else None
    if isinstance(body, dict) and ("string" in body or "base64_string" in body):
        body = body.get("string", body.get("base64_string"))
    if isinstance(body, bytes):
        return _of_bytes(body)
    return _of_text(body) if isinstance(body, str) else body


def _of_bytes(body: bytes) -> object:
    if body[:2] == b"\x1f\x8b":
        body = gzip.decompress(body)
    if len(body) > 16 and struct.unpack(">I", body[:4])[0] <= len(body) and zlib.crc32(body[:8]) == struct.unpack(
        ">I", body[8:12]
    )[0]:  # fmt: skip
        return Stream(_aws_events(body))
    try:
        return _of_text(body.decode())
    except UnicodeDecodeError:
        return None


def _aws_events(body: bytes) -> Iterator[object]:
    """The events of Amazon's binary stream as boto3 gives them: `{"contentBlockDelta": {…}}`, or the model's own."""
    while len(body) >= 16:
        total, headers = struct.unpack(">II", body[:8])
        head, payload = body[12 : 12 + headers], body[12 + headers : total - 4]
        body = body[total:]
        found = re.search(rb":event-type\x07..([A-Za-z]+)", head, re.DOTALL)
        event = json.loads(payload)
        event.pop("p", None)
        if isinstance(event.get("bytes"), str):
            decoded = parse_container(base64.b64decode(event["bytes"]).decode("utf-8", "replace"))
            yield event if decoded is NOT_JSON else decoded
        else:
            yield {found.group(1).decode(): event} if found else event


def _of_text(text: str) -> object:
    parsed = parse_container(text)
    if parsed is not NOT_JSON:
        return parsed
    lines = [line.strip() for line in text.splitlines()]
    data = [line.removeprefix("data:").strip() for line in lines if line.startswith("data:")]
    events = [json.loads(line) for line in (data or lines) if _is_json(line)]
    return Stream(events) if events and len(events) >= len([line for line in data or lines if line]) / 2 else text


def _is_json(line: str) -> bool:
    return parse_container(line) is not NOT_JSON


if __name__ == "__main__":
    sys.exit(main())
