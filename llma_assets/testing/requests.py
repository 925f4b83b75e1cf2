"""Requests as they came to a server, and what they cost."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from llma_assets.tokens import count_each


@dataclass(frozen=True)
class Request:
    """One request as it came: path, headers (lower-case names), JSON body."""

    path: str
    headers: Mapping[str, str]
    body: Any

    @property
    def prompt(self) -> str:
        """All text of the messages."""
        return "\n".join(str(message["content"]) for message in self.body["messages"])

    @property
    def schema(self) -> Any:
        """The JSON schema that was asked for, None if there was none."""
        wanted = self.body.get("response_format") or {}
        return wanted.get("json_schema", {}).get("schema")


Bill = Callable[[Request, str], tuple[int, int]]


def quarter_bill(request: Request, said: str) -> tuple[int, int]:
    """Tokens of a request and of what was said: a quarter of the characters."""
    if request.path.endswith("/embeddings"):
        return sum(len(text) for text in inputs_of(request)) // 4, 0
    return len(request.prompt) // 4, len(said) // 4


def real_bill(request: Request, said: str) -> tuple[int, int]:
    """Tokens as OpenAI counts them for the model that was asked for: a few for each message, and the JSON schema."""
    model = request.body["model"]
    if request.path.endswith("/embeddings"):
        return sum(count_each(inputs_of(request), model)), 0
    texts = [str(message["content"]) for message in request.body["messages"]]
    schema = json.dumps(request.schema) if request.schema else ""
    return sum(count_each([*texts, schema], model)) + 4 * len(texts) + 3, count_each([said], model)[0]


def inputs_of(request: Request) -> list[str]:
    """The texts of a request for embeddings."""
    texts = request.body["input"]
    return [texts] if isinstance(texts, str) else list(texts)
