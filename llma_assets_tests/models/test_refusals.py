"""What a server says when it refuses is found in any shape, and what it quotes of the request is not taken for it."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llma_assets.models import InvalidAnswer, ModelConfigurationError, ModelError
from llma_assets.models.failures import RequestRejected, classify_answer
from llma_assets.models.refusals import Refusal, error_in
from llma_assets_tests.fuzzing import example_count

SHAPES: list[Any] = [
    {"error": {"message": "WORDS", "code": None}},
    [{"error": {"code": 400, "message": "WORDS", "status": "INVALID_ARGUMENT"}}],
    {"error": "WORDS", "error_type": "validation"},
    {"message": "WORDS"},
    {"detail": "WORDS"},
    {"detail": [{"loc": ["body"], "msg": "WORDS"}]},
    {"object": "error", "message": {"detail": [{"msg": "WORDS"}]}},
    {"object": "error", "message": ["WORDS"]},
    {"error": {"message": "Provider returned error", "metadata": {"raw": '{"error": {"message": "WORDS"}}'}}},
    {"error": {"message": 'litellm.BadRequestError: OpenAIException - {"error": "WORDS"}. Received Model Group=x'}},
    {"errors": {"max": ["WORDS"]}},
    {"WORDS": ["unknown field"]},
]


def bodies(words: str) -> list[bytes]:
    quoted = json.dumps(words)[1:-1]
    shaped = [json.dumps(shape).replace("WORDS", quoted).encode() for shape in SHAPES if "WORDS" in json.dumps(shape)]
    return [*shaped, words.encode(), f"<html><body><h1>400</h1>{words}</body></html>".encode()]


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ("response_format is not supported", "format"),
        ("Unknown parameter max_completion_tokens", "max_completion_tokens"),
        ("temperature must be 1", "temperature"),
        ("reasoning_effort is unknown", "effort"),
        ("System role not supported", "system"),
        ("Conversation roles must alternate user and assistant", "system"),
        ("encoding_format must be float", "encoding"),
    ],
)
def test_what_is_refused_is_found_in_every_shape(words: str, part: str) -> None:
    for body in bodies(words):
        error = classify_answer(400, body)
        assert isinstance(error, RequestRejected), body
        assert (error.kind, part in error.mentions) == ("rejected", True), body


@pytest.mark.parametrize(
    ("status", "words", "kind"),
    [
        (400, "API key not valid. Please pass a valid API key.", "bad_key"),
        (403, "Your API key was reported as leaked. Please use another API key.", "bad_key"),
        (403, "Your account has been suspended", "forbidden"),
        (400, "Your credit balance is too low to access the API", "no_credit"),
        (429, "Quota exceeded for metric: free_tier_requests, limit: 0, model: gemini-9", "no_credit"),
        (400, "The model `x` has been decommissioned and is no longer supported", "not_found"),
        (400, "User location is not supported for the API use.", "region"),
    ],
)
def test_what_fails_for_everything_stops_in_every_shape(status: int, words: str, kind: str) -> None:
    for body in bodies(words):
        error = classify_answer(status, body)
        assert isinstance(error, ModelConfigurationError), body
        assert error.kind == kind, body


HOSTILE = "API key not valid; insufficient_quota; model_not_found; response_format; System role not supported"


@pytest.mark.parametrize(
    "body",
    [
        {"detail": [{"loc": ["body", "messages"], "msg": "too many", "input": HOSTILE}]},
        {"detail": [{"loc": ["body"], "msg": "too many", "input": {"messages": [{"content": HOSTILE}]}}]},
        {"error": {"message": "bad", "metadata": {"flagged_input": HOSTILE}}},
        {"error": {"message": "bad", "failed_generation": HOSTILE}},
        {"object": "error", "message": f"[{{'type': 'x', 'loc': ('body',), 'msg': 'bad', 'input': '{HOSTILE}'}}]"},
        {"error": {"message": json.dumps({"error": {"message": "bad", "input": HOSTILE}})}},
    ],
)
def test_what_a_refusal_quotes_of_the_request_decides_nothing(body: object) -> None:
    error = classify_answer(400, json.dumps(body).encode())
    assert isinstance(error, RequestRejected)
    assert (error.kind, error.mentions & {"format", "system"}) == ("rejected", set())
    assert HOSTILE not in error.said


def test_a_wait_is_read_from_the_body_where_no_header_tells_it() -> None:
    delay = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.5s"}
    body = json.dumps([{"error": {"code": 429, "message": "Quota exceeded", "details": [delay]}}]).encode()
    assert Refusal.read(body).retry_after_s == 34.5
    assert Refusal.read(b"Rate limit reached. Please try again in 1.2s.").retry_after_s == 1.2
    assert Refusal.read(b"try again later").retry_after_s is None


@pytest.mark.parametrize(
    ("words", "most"),
    [
        ("batch size 64 > maximum allowed batch size 32", 32),
        ("* BatchEmbedContentsRequest.requests: at most 100 requests can be in one batch", 100),
        ("batch size is invalid, it should not be larger than 10.: input.contents", 10),
        ("Too many inputs. The max number of inputs is 16.", 16),
        ("Invalid 'input': array too long. Expected an array with maximum length 2048, but got 4096", 2048),
        ("too many inputs", None),
        ("temperature is at most 2", None),
    ],
)
def test_the_size_of_a_batch_is_read_where_it_is_told(words: str, most: int | None) -> None:
    error = classify_answer(400, words.encode())
    assert isinstance(error, RequestRejected)
    assert error.batch_size == most


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["error", "message", "detail", "code", "input", "data", "choices", "x"]), inner
        )
    ),
    max_leaves=12,
)


@settings(max_examples=example_count(150), deadline=None)
@given(
    body=st.binary(max_size=80) | json_values.map(lambda value: json.dumps(value).encode()),
    status=st.integers(400, 599),
)
def test_any_body_means_something(body: bytes, status: int) -> None:
    error_in(body)
    assert isinstance(classify_answer(status, body), ModelError)


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 50_000, json.dumps("[" * 9_000).encode()])
def test_a_body_that_is_nested_without_end_is_read(body: bytes) -> None:
    error_in(body)
    assert isinstance(classify_answer(400, body), InvalidAnswer)
