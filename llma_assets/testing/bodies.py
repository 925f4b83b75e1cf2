"""Bodies of answers, as OpenAI writes them."""

import base64
import time
from collections.abc import Iterable
from typing import Any

import numpy as np

from llma_assets.testing.faults import Content, Status
from llma_assets.testing.requests import Request, quarter_bill

SERVED_MODEL = "test-model-2026-01-01"
"""The model that answers, whichever was asked."""


def error_body(status: Status) -> dict[str, Any]:
    """OpenAI's error object."""
    kind = "server_error" if status.status >= 500 else "invalid_request_error"
    error = {"message": status.message, "type": kind, "param": status.param, "code": status.code}
    return {"error": error}


def completion_body(request: Request, content: Content, tokens: tuple[int, int] | None = None) -> dict[str, Any]:
    """A chat completion as servers send it, with these tokens of the request and of the answer."""
    message = {"role": "assistant", "content": content.text, "refusal": content.refusal, **content.message}
    body: dict[str, Any] = {
        "id": "chatcmpl-test",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": SERVED_MODEL,
        "choices": [{"index": 0, "message": message, "finish_reason": content.finish_reason}],
    }
    if content.usage:
        spoken, said = tokens or quarter_bill(request, str(content.text or ""))
        body["usage"] = {
            "prompt_tokens": spoken,
            "completion_tokens": said,
            "total_tokens": spoken + said,
        }
    return body


def embeddings_body(
    request: Request, rows: Iterable[Iterable[float]], tokens: tuple[int, int] | None = None
) -> dict[str, Any]:
    """An embeddings answer, rows in reverse order to see whether anyone looks at `index`."""
    as_base64 = request.body.get("encoding_format") == "base64"
    data = []
    for index, row in enumerate(rows):
        numbers = [float(number) for number in row]
        coded = base64.b64encode(np.asarray(numbers, dtype="<f4").tobytes()).decode()
        data.append({"object": "embedding", "index": index, "embedding": coded if as_base64 else numbers})
    spoken, _ = tokens or quarter_bill(request, "")
    usage = {"prompt_tokens": spoken, "total_tokens": spoken}
    return {"object": "list", "data": data[::-1], "model": SERVED_MODEL, "usage": usage}
