"""Answers where a test gives none of its own: JSON that fits the schema, and vectors that follow from the words."""

import hashlib
import json
import re
from typing import Any

import numpy as np

from llma_assets.testing.requests import Request

DIMENSION = 16
"""Numbers of a served vector."""


def vector_of(text: str, dimension: int = DIMENSION) -> list[float]:
    """A unit vector that is the same for equal texts and near for texts that share words.

    >>> refund, again, other = map(vector_of, ("refund of a kettle", "refund of a toaster", "tax of our company"))
    >>> bool(np.dot(refund, again) > np.dot(refund, other))
    True
    """
    vector = np.zeros(dimension)
    for word in re.findall(r"\w+", text.lower()) or [text]:
        seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "big")
        vector += np.random.default_rng(seed).standard_normal(dimension)
    return [float(number) for number in vector / np.linalg.norm(vector)]


def answer_from_schema(request: Request) -> str:
    """JSON that fits the request's schema, filled from the prompt.

    `line_refs` point at lines of the prompt (`L12: …`), and strings quote them. An array of objects with an integer
    `cluster_id` gets one for each cluster that the prompt names (`cluster 3`, `"cluster_id": 3`), quoting what
    follows there. In JSON mode the schema is read from the prompt.
    """
    schema = request.schema or _schema_in(request.prompt)
    if schema is None:
        return json.dumps({"text": _quote(request.prompt, 0)})
    asked = next(m["content"] for m in reversed(request.body["messages"]) if m["role"] == "user")
    return json.dumps(_value(schema, schema, "", asked, 0))


def _schema_in(prompt: str) -> Any:
    found = re.search(r'\{"(?:\$defs|properties|type|description)".*', prompt)
    return json.JSONDecoder().raw_decode(prompt, found.start())[0] if found else None


def _value(node: Any, root: Any, name: str, prompt: str, seed: int) -> Any:
    """A value for one node of a schema."""
    if "$ref" in node:
        node = root["$defs"][node["$ref"].rsplit("/", 1)[1]]
    if "anyOf" in node:
        node = next(option for option in node["anyOf"] if option.get("type") != "null")
    if "enum" in node or "const" in node:
        return node.get("const", node.get("enum", [None])[0])
    kind = node.get("type")
    if kind == "object":
        fields = node.get("properties", {})
        return {key: _value(child, root, key, prompt, seed + n) for n, (key, child) in enumerate(fields.items())}
    if kind == "array":
        return _items(node, root, name, prompt, seed)
    if kind == "string":
        return _line_ref(prompt, seed) if name == "line_refs" else _quote(prompt, seed)
    return {"integer": seed, "number": 0.5, "boolean": True}.get(kind)


def _items(node: Any, root: Any, name: str, prompt: str, seed: int) -> list[Any]:
    item = node["items"]
    fields = root["$defs"][item["$ref"].rsplit("/", 1)[1]] if "$ref" in item else item
    if fields.get("properties", {}).get("cluster_id", {}).get("type") == "integer":
        found = list(re.finditer(r'cluster(?:_id)?"?[ :=#]+(-?\d+)', prompt, re.IGNORECASE))
        ends = [match.start() for match in found[1:]] + [len(prompt)]
        of_cluster = {int(match[1]): prompt[match.end() : end] for match, end in zip(found, ends, strict=True)}
        return [
            {**_value(item, root, name, said, 0), "cluster_id": cluster_id} for cluster_id, said in of_cluster.items()
        ]
    count = max(3, node.get("minItems", 0))
    return [_value(item, root, name, prompt, seed + n) for n in range(count)]


def _line_ref(prompt: str, seed: int) -> str:
    lines = re.findall(r"^(L\d+):", prompt, re.MULTILINE)
    return lines[seed * 7 % len(lines)] if lines else ""


def _quote(prompt: str, seed: int) -> str:
    """Some words of the numbered lines; of the whole prompt where there are none."""
    lines = re.findall(r"^L\d+: (.*)$", prompt, re.MULTILINE) or [prompt]
    words = [words for line in lines if len(words := re.findall(r"[^\W\d_]{2,}", line)) >= 3] or [["nothing"]]
    chosen = words[seed * 5 % len(words)]
    start = seed * 5 % len(chosen) if len(words) == 1 else 0
    return " ".join(chosen[start : start + 8])
