"""Faults of real model servers, body by body, and what becomes of questions to a server that has one.

The bodies are in `model_servers.yaml`; `python -m benchmarks.model_servers` prints what becomes of each.
"""

import base64
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import yaml
from pydantic import BaseModel

from llma_assets.models import (
    ChatMessage,
    ModelConfigurationError,
    ModelError,
    ModelUnavailable,
    OpenAIChat,
    OpenAIEmbedder,
    RetryPolicy,
    TextsRejected,
)
from llma_assets.testing.answers import vector_of
from llma_assets.testing.chat_server import ChatServer
from llma_assets.testing.faults import Fault, Said
from llma_assets.testing.requests import Request

BAD = "blowtorch"
POLICY = RetryPolicy(attempts=2, deadline_s=5.0, attempt_timeout_s=5.0, first_delay_s=0.001, longest_delay_s=0.002)
SYSTEM = ChatMessage("system", "You say what a customer wanted.")
QUESTIONS = ("A customer books a flight.", f"A customer asks for a {BAD}.", "A customer wants a refund.")
TEXTS = [f"customer {n} books a flight to city {n * n}" for n in range(8)]
WITH_A_BAD_ONE = [*TEXTS[:5], f"a customer asks for a {BAD}", *TEXTS[6:]]


@dataclass(frozen=True)
class ServerCase:
    """One fault of one server; `becomes` as described in the file."""

    server: str
    fault: str
    becomes: str
    answers: tuple[dict[str, Any], ...]
    asks: Literal["chat", "embeddings"]
    model: str
    seen: str

    @property
    def name(self) -> str:
        """What it is called."""
        return f"{self.server}, {self.fault}{', embeddings' if self.asks == 'embeddings' else ''}"

    def judge(self, request: Request) -> Fault:
        """What the server answers, None for a normal answer."""
        for answer in self.answers:
            if answer["when"] == "rows":
                return _changed_rows(request, answer["rows"])
            if _concerns(request, str(answer["when"])):
                return Said(answer["status"], answer["body"])
        return None


class Wanted(BaseModel):
    """What the customer wanted."""

    title: str


def server_cases() -> list[ServerCase]:
    """All that are known: nearly a hundred, of twelve servers.

    >>> case = next(case for case in server_cases() if case.name == "OpenAI, wrong key")
    >>> case.becomes
    'stop bad_key'
    """
    rows = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
    return [
        ServerCase(
            row["server"],
            row["fault"],
            row["becomes"],
            tuple(row.get("answers") or [row]),
            row.get("asks", "chat"),
            row.get("model", "my-model"),
            row["seen"],
        )
        for row in rows
    ]


def outcome_of(case: ServerCase) -> str:
    """What becomes of a few questions, asked of a server that has this fault; equals `case.becomes`."""
    with ChatServer(judge=case.judge) as server:
        return _asked(case, server) if case.asks == "chat" else _embedded(case, server)


def _asked(case: ServerCase, server: ChatServer) -> str:
    chat = OpenAIChat(case.model, base_url=server.url, policy=POLICY)
    done: list[str] = []
    for question in QUESTIONS:
        before = len(server.calls())
        try:
            chat.complete((SYSTEM, ChatMessage("user", question)), Wanted, offline=lambda: Wanted(title=""))
        except ModelConfigurationError as error:
            return f"stop {error.kind}"
        except ModelError as error:
            if isinstance(error, ModelUnavailable) and not done:
                return f"later {error.kind}"
            done.append(f"{error.kind} {len(server.calls()) - before}")
        else:
            done.append(f"ok {len(server.calls()) - before}")
    return ", ".join(done)


def _embedded(case: ServerCase, server: ChatServer) -> str:
    embedder, done = OpenAIEmbedder(case.model, base_url=server.url, policy=POLICY), []
    for texts in (WITH_A_BAD_ONE, TEXTS):
        before = len(server.calls("/v1/embeddings"))
        failed: dict[int, str] = {}
        try:
            vectors = embedder.embed(texts)
        except ModelConfigurationError as error:
            return f"stop {error.kind}"
        except ModelUnavailable as error:
            return f"later {error.kind}"
        except TextsRejected as error:
            vectors, failed = error.vectors, error.kinds
        wrong = [
            text
            for index, (text, row) in enumerate(zip(texts, vectors, strict=True))
            if index not in failed and not np.allclose(row, vector_of(text), atol=1e-6)
        ]
        kinds = "".join(f", {kind} {count}" for kind, count in Counter(failed.values()).items())
        found = f"{len(texts) - len(failed)} of {len(texts)}{kinds}" if failed else str(len(texts))
        mixed = f", {len(wrong)} of another text" if wrong else ""
        done.append(f"{found}{mixed} in {len(server.calls('/v1/embeddings')) - before}")
    return ", ".join(done)


def _concerns(request: Request, when: str) -> bool:
    body = request.body
    messages = body.get("messages", [])
    form = (body.get("response_format") or {}).get("type", "")
    name, _, value = when.partition("=")
    word, _, number = when.partition(" ")
    tests: dict[str, Callable[[], bool]] = {
        "always": lambda: True,
        "bad": lambda: any(BAD in text for text in body.get("input") or [m["content"] for m in messages]),
        "schema": lambda: form == "json_schema",
        "json": lambda: form.startswith("json"),
        "system": lambda: any(message["role"] == "system" for message in messages),
        "systems": lambda: sum(message["role"] == "system" for message in messages) > 1,
        "over": lambda: len(body.get("input", [])) > int(number),
    }
    if word in tests:
        return tests[word]()
    return name in body and (not value or body[name] == value)


def _changed_rows(request: Request, how: str) -> Fault:
    """Good embeddings, but for one thing."""
    as_base64 = request.body["encoding_format"] == "base64"
    data: list[dict[str, Any]] = [
        {"object": "embedding", "index": index, "embedding": vector_of(text)}
        for index, text in enumerate(request.body["input"])
    ]
    usage: Any = {"prompt_tokens": 8, "total_tokens": 8}
    if how == "shuffled":
        data.reverse()
    if how == "no_usage":
        usage = {"prompt_tokens": None, "total_tokens": None}
    for row in data:
        if how in {"all_zero", "shuffled"}:
            row["index"] = 0
        elif how == "no_index" or (how == "no_zero_index" and row["index"] == 0):
            del row["index"]
        elif how == "nan":
            row["embedding"] = [None] * 16
        elif how == "zero":
            row["embedding"] = [0] * 16
        elif how == "bad_base64" and as_base64:
            row["embedding"] = base64.b64encode(np.full(16, np.nan, dtype="<f4").tobytes()).decode()
    return Said(200, {"object": "list", "data": data, "model": "served", "usage": usage})
