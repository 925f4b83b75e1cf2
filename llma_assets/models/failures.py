"""Which failure of an OpenAI-compatible server means what for the caller. No message holds what the server said.

Statuses alone do not tell: a wrong key comes as 400 (Gemini), a prompt that moderation refused as 403 (OpenRouter), one
that is too long as 500 (llama.cpp). So first come the words that have one meaning whatever the status, then the status.
How words are found in a body belongs to `refusals`; what is done about a failure, retries and pauses, to
`openai_server`.
"""

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llma_assets.models.errors import InvalidAnswer, ModelConfigurationError, ModelError, ModelUnavailable
from llma_assets.models.refusals import Refusal
from llma_assets.models.retry import parse_retry_after

if TYPE_CHECKING:
    import openai

_TRANSIENT = {408: "timeout", 409: "conflict", 425: "too_early", 429: "rate_limited", 498: "rate_limited"}
_REFUSED = {400, 403, 404, 413, 415, 422, 451, 500, 501}
"""Statuses that servers answer a single request with; the words say whether it or the set-up is to blame."""

_STOP = {
    "bad_key": "the server refused the API key; look at OPENAI_API_KEY",
    "no_credit": "the account has no credit or no quota left",
    "forbidden": "the API key may not use this model or this server",
    "region": "the server does not serve this country or region",
    "not_found": "no such model or no such path; look at the model's name and at OPENAI_BASE_URL",
    "wrong_model": "the model, or the server as it was started, does not do this; look at the model's name",
}
_STOP_BY_STATUS = {401: "bad_key", 402: "no_credit", 403: "forbidden", 404: "not_found", 405: "not_found"}
_STATUS_501 = "wrong_model"


class RequestRejected(InvalidAnswer):
    """The server refused this one request: too long, filtered, or something in it that it does not know.

    Attributes:
        mentions: which parts of a request the refusal speaks of, names of `_PARTS`; the text itself is not kept.
        batch_size: the most texts a call that it allows, where it says so.
    """

    def __init__(
        self, message: str, *, kind: str, mentions: frozenset[str], batch_size: int | None = None, said: str = ""
    ) -> None:
        super().__init__(message, kind=kind, said=said)
        self.mentions = mentions
        self.batch_size = batch_size


@dataclass(frozen=True, slots=True)
class _Sign:
    """Words with one meaning. Each alternative was seen at the servers named behind it."""

    kind: str
    words: re.Pattern[str]
    statuses: frozenset[int] = frozenset(_REFUSED)


def _sign(kind: str, *alternatives: str, statuses: set[int] = _REFUSED) -> _Sign:
    return _Sign(kind, re.compile("|".join(alternatives), re.ASCII), frozenset(statuses))


_STOP_SIGNS = (
    _sign(
        "no_credit",
        "insufficient[_ ](quota|balance|credits?|funds)",  # OpenAI 429, DeepSeek 402, OpenRouter
        "billing[_ ](hard[_ ]limit|not[_ ]active)",  # OpenAI
        "credit balance is too low",  # Anthropic 400
        "exceeded_current_quota_error",  # Moonshot 429
        "arrearage",  # DashScope 400
        "requires more credits",  # OpenRouter
        r"\bbudget has been exceeded",  # LiteLLM 400
        r"quota exceeded.*\blimit: 0\b",  # Gemini 429: a model that the account has no quota of at all
        statuses=_REFUSED | {429},
    ),
    _sign(
        "bad_key",
        "api[_ ]key[_ ](is )?(not valid|invalid)",  # Gemini 400
        "(invalid|incorrect|wrong|missing|no|expired)[_ ](api[_ ]?key|credentials|authentication)",
        "api[_ ]?key (has )?(expired|is missing|is required|not found|was reported)",  # Gemini 400 and 403
        "invalid (proxy server )?token passed",  # LiteLLM
        "authentication[_ ](error|fails|failed|required)",  # DeepSeek, LiteLLM
    ),
    _sign(
        "region",
        "unsupported_country",  # OpenAI 403
        "location is not supported",  # Gemini 400
        "not (available|supported) in your (country|region)",
    ),
    _sign(
        "wrong_model",
        "does not support (the )?(chat|embedd?ings?|generate|completions?)\\b",  # Ollama 400, vLLM 400, llama.cpp 501
        "not a chat model",  # OpenAI 404
        "does(n't| not) support.{0,20}(embeddings|chat completions) api",  # vLLM 400
    ),
    _sign(
        "not_found",
        "model_not_found|model_not_exist|model_decommissioned|deploymentnotfound",  # OpenAI, DeepSeek, Groq, Azure
        r"\bmodel\b.{0,120}\b(not found|does not exist|doesn't exist|not exist\b|was not found)",  # vLLM, Ollama
        r"\bmodels?/\S+ is not found",  # Gemini 404
        "(invalid|unknown|no such|unrecognized) model( name|:| id|\\b)",  # Mistral 400, LiteLLM 400
        "not a valid model",  # OpenRouter 400
        r"\bmodel\b.{0,120}\b(decommissioned|been (deprecated|shut down|retired|discontinued|removed))",
        "no endpoints found for",  # OpenRouter 404
        "no models? loaded|multiple models are loaded",  # LM Studio 400, 404
    ),
    _sign("not_found", "no available channel for model", statuses={503}),  # New API
)

_ITEM_SIGNS = (
    _sign(
        "too_long",
        "context_length|context[_ -]?(length|size|window)s? (has been |is )?exceed",
        "maximum context|exceeds? (the )?(available |model's |maximum )?context",  # OpenAI, vLLM, llama.cpp 400, 500
        "exceed_context_size",
        "exceeds the maximum number of tokens|exceeds? .{0,30}(token|context|length|window) ?limit",  # Gemini
        "exceed context window",  # llama.cpp's Python server
        "too (long|large) for model|(prompt|input|request|text|message|content)s? (is|are|was)? ?too (long|large)",
        r"input \(\d+ tokens\) is too large|input is too large to process",  # llama.cpp 500, embeddings
        r"tokens? .{0,40}\bmust (be|have) (<=|less than)",  # TGI 422, TEI 413
        "must have less than .{0,12} tokens",
        "range of input length|input length exceeds",  # DashScope, Ollama
        "context the overflows|greater than the context length",  # LM Studio
        "reduce the length|request too large",
    ),
    _sign("too_long", "request too large", statuses={429}),  # OpenAI: more than a minute's tokens; no waiting helps
    _sign(
        "not_finite", r"unsupported value:? ?\W*nan\b|\bnan\b.{0,40}(embedding|vector)|(embedding|vector).{0,40}\bnan\b"
    ),
    _sign(
        "refusal",
        "content[_ ](filter|policy|management)|responsibleai|content exists risk",  # Azure 400, OpenAI, DeepSeek
        r"(input|prompt|request|content|messages?)\b.{0,60}\b(flagged|moderat)|requires moderation",  # OpenRouter 403
        r"\bflagged\b.{0,60}\b(violat|polic|moderat|harm|unsafe)",  # OpenAI 400 invalid_prompt
        "data_inspection_failed|inappropriate content|prohibited[_ ]content",  # DashScope 400, Gemini
        "usage polic|safety (system|filter|setting|polic)|blocked by.{0,30}(safety|guardrail|policy|moderation)",
        "guardrail|jailbreak",  # LiteLLM 400, Azure
    ),
)
_ACCOUNT = re.compile(
    r"\b(account|organization|project|api key)\b.{0,60}\b(suspended|deactivated|disabled|banned|blocked)"
)

_PARTS = {
    "format": re.compile(
        r"response_?(format|schema|mime)|json[_ ](schema|object|mode)|structured[_ ]?(output|generation)|schema|grammar"
        r"|guided|outlines|text\.format"
    ),
    "temperature": re.compile("temperature"),
    "max_completion_tokens": re.compile("max_completion_tokens"),
    "max_tokens": re.compile(r"\bmax_tokens"),
    "effort": re.compile(r"reasoning|thinking"),
    "system": re.compile(
        r"\bsystem\b.{0,12}\b(role|message|prompt|instruction)|\brole\b.{0,40}\bsystem\b|developer instruction"
        r"|roles? (must|should) alternate|only user.{0,24}assistant.{0,24}roles"
        r"|\brole\b.{0,80}\buser\b.{0,10}\bassistant|jinja|template ?error|chat template"
    ),
    "encoding": re.compile("encoding_format|base64"),
    "batch": re.compile(r"\bbatch|inputs?\b|requests\b|array|\bitems\b"),
}
"""Parts of a request that servers may not know, and how refusals speak of them."""

_IN_A_500 = re.compile(
    r"response_format|json_schema|json_object|grammar|guided_|system (role|message)|must alternate"
    r"|jinja|template ?error"
)
"""Of these, what llama.cpp, its Python server and SGLang answer 500 to: the same call would fail again."""

_BATCH_SIZE = re.compile(
    r"(?:at most|larger than|exceed(?:s|ed)?|max(?:imum)?(?: number of \w+| \w+)?(?: batch size)?(?: is| of|:)?)"
    r"\D{0,4}(\d{1,5})\b"
)


def classify(error: "openai.APIError") -> ModelError:
    """What an error of the openai library means for the caller."""
    import httpx2
    import openai

    if isinstance(error, openai.APITimeoutError):
        return ModelUnavailable("the model did not answer in time", kind="timeout")
    if isinstance(error, openai.APIConnectionError):
        if isinstance(error.__cause__, (httpx2.UnsupportedProtocol, httpx2.LocalProtocolError)):
            return ModelConfigurationError("the server's URL or the key cannot be used; look at both")
        # What was never sent is not paid for; after a connection that broke it is unknown.
        sent = not isinstance(error.__cause__, (httpx2.ConnectError, httpx2.ConnectTimeout))
        kind = "connection" if sent else "unreachable"
        return ModelUnavailable("no connection to the model's server", kind=kind)
    if not isinstance(error, openai.APIStatusError):
        return InvalidAnswer("the server's answer cannot be read", kind="garbage")
    headers = error.response.headers
    wait_s = parse_retry_after(headers.get("retry-after"), headers.get("retry-after-ms"), time.time())
    return classify_answer(error.status_code, error.response.content, retry_after_s=wait_s)


def classify_answer(status: int, body: bytes, *, retry_after_s: float | None = None) -> ModelError:
    """What a status of 400 or more means for the caller, by what the server said with it."""
    return classify_refusal(status, Refusal.read(body), retry_after_s=retry_after_s)


def classify_refusal(status: int, refusal: Refusal, *, retry_after_s: float | None = None) -> ModelError:
    """`classify_answer` of a body that was read."""
    if stop := _why_all_fail(status, refusal):
        return ModelConfigurationError(f"HTTP {status}: {_STOP[stop]}", kind=stop, said=refusal.said)
    mentions = frozenset(part for part, words in _PARTS.items() if words.search(refusal.words))
    kind = next((sign.kind for sign in _ITEM_SIGNS if _fits(sign, status, refusal)), "")
    known_500 = status == 500 and _IN_A_500.search(refusal.words)
    if kind or known_500 or status in {400, 404, 413, 415, 422, 451}:
        size = _BATCH_SIZE.search(refusal.words) if "batch" in mentions and not kind else None
        return RequestRejected(
            f"HTTP {status}: the request was refused",
            kind=kind or "rejected",
            mentions=mentions,
            batch_size=int(size[1]) if size and int(size[1]) else None,
            said=refusal.said,
        )
    if status in _TRANSIENT or status >= 500:
        return ModelUnavailable(
            f"the model's server answered HTTP {status}",
            kind=_TRANSIENT.get(status, "server_error"),
            retry_after_s=refusal.retry_after_s if retry_after_s is None else retry_after_s,
            said=refusal.said,
        )
    return ModelConfigurationError(
        f"HTTP {status}: no such answer was expected; look at OPENAI_BASE_URL", said=refusal.said
    )


def _why_all_fail(status: int, refusal: Refusal) -> str:
    """Why every other request would fail, too; "" where it need not."""
    if status in {401, 402, 405}:
        return _STOP_BY_STATUS[status]
    if status == 403 and _ACCOUNT.search(refusal.words):
        return "forbidden"
    if status in {400, 422} and "model" in refusal.codes:
        return "not_found"
    if sign := next((sign.kind for sign in _STOP_SIGNS if _fits(sign, status, refusal)), ""):
        return sign
    if status == 501:
        return _STATUS_501
    # OpenRouter answers 404 and 403 to single requests: to parameters that no provider takes, and after moderation.
    single = status == 404 and "parameters" in refusal.words
    single = single or any(_fits(sign, status, refusal) for sign in _ITEM_SIGNS)
    return "" if single else _STOP_BY_STATUS.get(status, "")


def _fits(sign: _Sign, status: int, refusal: Refusal) -> bool:
    return status in sign.statuses and bool(sign.words.search(refusal.words))
