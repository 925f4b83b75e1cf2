"""Which failure of an OpenAI-compatible server means what for the caller. Keeps nothing of what the server said.

What is done about it, retries and pauses, belongs to `openai_server`.
"""

import time
from typing import TYPE_CHECKING

from llma_assets.models.errors import InvalidAnswer, ModelConfigurationError, ModelError, ModelUnavailable
from llma_assets.models.retry import parse_retry_after

if TYPE_CHECKING:
    import openai

_TRANSIENT = {408: "timeout", 409: "conflict", 425: "too_early", 429: "rate_limited"}
_STOP = {
    401: ("bad_key", "the server refused the API key; look at OPENAI_API_KEY"),
    402: ("no_credit", "the account has no credit left"),
    403: ("forbidden", "the API key may not use this model or this server"),
    404: ("not_found", "no such model or no such path; look at the model's name and at OPENAI_BASE_URL"),
    405: ("not_found", "the path takes no such call; look at OPENAI_BASE_URL"),
}
_CODES_TO_STOP = {
    "insufficient_quota": ("no_credit", "the account has no credit left"),
    "billing_hard_limit_reached": ("no_credit", "the account has reached its billing limit"),
    "invalid_api_key": ("bad_key", "the server refused the API key; look at OPENAI_API_KEY"),
    "model_not_found": ("not_found", "the server does not know the model; look at its name"),
}


class RequestRejected(InvalidAnswer):
    """The server refused this one request (400, 413, 422): too long, filtered, or an unknown parameter.

    `mentions` tells which words of a fixed list the refusal used; the text itself is not kept.
    """

    def __init__(self, message: str, *, kind: str, mentions: frozenset[str]) -> None:
        super().__init__(message, kind=kind)
        self.mentions = mentions


_WORDS = (
    "response_format",
    "json_schema",
    "json_object",
    "structured output",
    "schema",
    "grammar",
    "temperature",
    "max_completion_tokens",
    "max_tokens",
    "encoding_format",
    "base64",
)


def classify(error: "openai.APIError") -> ModelError:
    """What an error of the openai library means for the caller. Keeps nothing of the provider's text."""
    import httpx2
    import openai

    if isinstance(error, openai.APITimeoutError):
        return ModelUnavailable("the model did not answer in time", kind="timeout")
    if isinstance(error, openai.APIConnectionError):
        if isinstance(error.__cause__, (httpx2.UnsupportedProtocol, httpx2.LocalProtocolError)):
            return ModelConfigurationError("the server's URL or the key cannot be used; look at both")
        # What was never sent is not paid for; after a connection that broke nobody knows.
        sent = not isinstance(error.__cause__, (httpx2.ConnectError, httpx2.ConnectTimeout))
        kind = "connection" if sent else "unreachable"
        return ModelUnavailable("no connection to the model's server", kind=kind)
    if not isinstance(error, openai.APIStatusError):
        return InvalidAnswer("the server's answer cannot be read", kind="garbage")
    return _classify_status(error)


def _classify_status(error: "openai.APIStatusError") -> ModelError:
    headers = error.response.headers
    return classify_answer(
        error.status_code,
        code=error.code or "",
        param=error.param or "",
        message=error.message,
        retry_after_s=parse_retry_after(headers.get("retry-after"), headers.get("retry-after-ms"), time.time()),
    )


def classify_answer(
    status: int, *, code: str, param: str, message: str, retry_after_s: float | None = None
) -> ModelError:
    """What a status of 400 or more and the fields of OpenAI's error object mean for the caller."""
    if status in {400, 422} and param == "model":
        code = "model_not_found"
    stop = _CODES_TO_STOP.get(code) or _STOP.get(status)
    if stop:
        return ModelConfigurationError(f"HTTP {status}: {stop[1]}", kind=stop[0])
    said = f"{message} {param} {code}".lower()
    mentions = frozenset(word for word in _WORDS if word in said)
    # llama.cpp's Python server answers 500 where it does not know a format; the same call would fail again.
    # OpenAI calls a prompt of more than a minute's tokens a matter of rate; no waiting makes it fit.
    never_fits = status == 429 and "request too large" in said
    if status in {400, 413, 422} or never_fits or (status == 500 and "response_format" in mentions):
        return RequestRejected(f"HTTP {status}: the request was refused", kind=_why(said), mentions=mentions)
    if status in _TRANSIENT or status >= 500:
        return ModelUnavailable(
            f"the model's server answered HTTP {status}",
            kind=_TRANSIENT.get(status, "server_error"),
            retry_after_s=retry_after_s,
        )
    return ModelConfigurationError(f"HTTP {status}: no such answer was expected; look at OPENAI_BASE_URL")


def _why(said: str) -> str:
    if "content_filter" in said or "content_policy" in said:
        return "refusal"
    if "context_length" in said or "maximum context" in said or "too long" in said or "too large" in said:
        return "too_long"
    return "rejected"
