"""A good answer is read whatever odd members stand beside it, and no answer raises anything but a `ModelError`."""

import copy
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from llma_assets.models import ChatMessage, ModelError, OpenAIChat, OpenAIEmbedder, RetryPolicy, TextsRejected, Usage
from llma_assets.models.completion import read_completion
from llma_assets.models.embedding_answer import read_embeddings
from llma_assets.testing import ChatServer, Said
from llma_assets_tests.fuzzing import example_count

PROMPT = (ChatMessage("user", "Where does the traveller go?"),)
POLICY = RetryPolicy(attempts=1, deadline_s=5.0, first_delay_s=0.001)
OBJECT = '{"title": "Oslo"}'
ODD: list[Any] = [
    None, {}, [], "", "x", 0, -1, 5.5, 10**30, True, [None], {"a": None}, [[1]], {"prompt_tokens": None},
    {"prompt_tokens": "x", "completion_tokens": []}, {"prompt_tokens": 5.5, "completion_tokens": -1},
]  # fmt: skip
USAGE = {"prompt_tokens": 10, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 4}}
COMPLETION: dict[str, Any] = {
    "id": "x",
    "model": "served",
    "created": 1,
    "usage": USAGE,
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "logprobs": None,
            "message": {
                "role": "assistant",
                "content": OBJECT,
                "refusal": None,
                "tool_calls": None,
                "reasoning": None,
                "reasoning_content": None,
                "annotations": [],
            },
        }
    ],
}
EMBEDDINGS: dict[str, Any] = {
    "object": "list",
    "model": "served",
    "usage": {"prompt_tokens": 4, "total_tokens": 4},
    "data": [{"object": "embedding", "index": n, "embedding": [1.0 + n, 2.0]} for n in range(2)],
}


class City(BaseModel):
    title: str


def never() -> City:
    raise AssertionError


def optional_members() -> list[tuple[Any, ...]]:
    """Where something may stand that is not needed for the answer."""
    top = [(name,) for name in ("id", "model", "created", "usage", "error", "object")]
    usage = [("usage", name) for name in (*USAGE, "total_tokens")]
    choice = [("choices", 0, name) for name in ("index", "logprobs", "finish_reason")]
    message = ("choices", 0, "message")
    inner = [(*message, name) for name in ("role", "tool_calls", "reasoning", "reasoning_content", "annotations")]
    return [*top, *usage, *choice, *inner, ("usage", "prompt_tokens_details", "cached_tokens")]


def changed(whole: Any, path: tuple[Any, ...], value: Any) -> Any:
    found = copy.deepcopy(whole)
    inner = found
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    return found


@pytest.mark.parametrize("path", optional_members(), ids=lambda path: ".".join(map(str, path)))
def test_an_odd_optional_member_costs_no_answer(path: tuple[Any, ...]) -> None:
    for odd in ODD:
        answer = read_completion(json.dumps(changed(COMPLETION, path, odd)).encode())
        assert answer is not None, odd
        assert (answer.text, answer.refusal) == (OBJECT, ""), odd


@pytest.mark.heavy
@pytest.mark.parametrize("usage", [*ODD, {"prompt_tokens": 10}, {"completion_tokens": 2}], ids=repr)
def test_a_call_whose_usage_cannot_be_read_is_answered_and_its_cost_is_unknown(usage: Any) -> None:
    recorded: list[Usage] = []
    with ChatServer(always=Said(200, {**COMPLETION, "usage": usage})) as server:
        chat = OpenAIChat("gpt-6-luna", base_url=server.url, policy=POLICY)
        assert chat.complete(PROMPT, City, offline=never, record=recorded.append).value == City(title="Oslo")
    (one,) = recorded
    assert (one.error, one.cost_usd) == ("", None)
    assert one.at_most_usd is not None
    assert one.at_most_usd > 0


@pytest.mark.parametrize(
    "message",
    [
        {"content": None, "tool_calls": [{"function": {"name": "City", "arguments": {"title": "Oslo"}}}]},
        {"content": None, "tool_calls": [None, {"function": None}, {"function": {"arguments": OBJECT}}]},
        {"content": [None, 7, {"type": "text", "text": OBJECT}, {"type": "text", "text": None}]},
        {"content": [OBJECT]},
        {"content": {"type": "text", "text": OBJECT}},
        {"content": {"title": "Oslo"}},
        {"content": OBJECT, "tool_calls": [{"function": {"arguments": None}}], "reasoning": {"effort": "none"}},
        {"content": "", "reasoning": [1], "reasoning_content": OBJECT},
    ],
    ids=repr,
)
def test_the_object_is_found_in_any_shape_of_a_message(message: dict[str, Any]) -> None:
    answer = read_completion(json.dumps({"choices": [{"message": message}]}).encode())
    assert answer is not None
    assert json.loads(answer.text) == {"title": "Oslo"}


@pytest.mark.parametrize("usage", ODD, ids=repr)
def test_an_odd_usage_costs_no_vector(usage: Any) -> None:
    """`usage.prompt_tokens: null` rejected 64 of 64 texts in 12 calls."""
    recorded: list[Usage] = []
    with ChatServer(always=Said(200, {**EMBEDDINGS, "usage": usage})) as server:
        embedder = OpenAIEmbedder("text-embedding-3-small", base_url=server.url, policy=POLICY)
        vectors = embedder.embed(["a", "b"], record=recorded.append)
    np.testing.assert_array_equal(vectors, [[1, 2], [2, 2]])
    assert [(one.error, one.cost_usd) for one in recorded] == [("", None)]


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        ([None, 1.0], "not_finite"),
        ([None, None], "not_finite"),
        ([0, 0], "zero"),
        ([1e300, 1.0], "not_finite"),
        ("%%", "garbage"),
        ("AAAA", "garbage"),
        ([[1.0, 2.0]], "garbage"),
        ({"a": 1}, "garbage"),
        ([], "garbage"),
        ([1.0, 2.0, 3.0], "dimension"),
        (None, "garbage"),
    ],
)
def test_a_vector_that_cannot_be_used_costs_its_text_alone_and_says_why(row: Any, kind: str) -> None:
    good = Said(200, EMBEDDINGS)
    odd = Said(200, changed(EMBEDDINGS, ("data", 1, "embedding"), row))
    with ChatServer(faults=[good, odd]) as server:
        embedder = OpenAIEmbedder("m", base_url=server.url, policy=POLICY)
        embedder.embed(["a", "b"])
        with pytest.raises(TextsRejected) as caught:
            embedder.embed(["a", "b"])
        assert len(server.calls("/v1/embeddings")) == 2
    assert caught.value.kinds == {1: kind}
    np.testing.assert_array_equal(caught.value.vectors[0], [1, 2])


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(ODD),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=5,
)


def paths(node: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document."""
    found = [at] if at else []
    if isinstance(node, dict):
        found += [path for name, value in node.items() for path in paths(value, (*at, name))]
    elif isinstance(node, list):
        found += [path for number, value in enumerate(node) for path in paths(value, (*at, number))]
    return found


@settings(max_examples=example_count(200), deadline=None)
@given(changes=st.lists(st.tuples(st.sampled_from(paths(COMPLETION)), values), min_size=1, max_size=3))
def test_any_change_of_a_completion_is_an_answer_or_none(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    document = COMPLETION
    for path, value in changes:
        try:
            document = changed(document, path, value)
        except (TypeError, KeyError, IndexError):
            continue  # an earlier change took the place away
    answer = read_completion(json.dumps(document).encode())
    assert answer is None or answer.text.encode() is not None


@settings(max_examples=example_count(200), deadline=None)
@given(changes=st.lists(st.tuples(st.sampled_from(paths(EMBEDDINGS)), values), min_size=1, max_size=3))
def test_any_change_of_embeddings_gives_vectors_or_none(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    document = EMBEDDINGS
    for path, value in changes:
        try:
            document = changed(document, path, value)
        except (TypeError, KeyError, IndexError):
            continue
    answer = read_embeddings(json.dumps(document).encode())
    if answer is not None:
        assert sorted(answer.order) == list(range(len(answer.vectors)))


@settings(max_examples=example_count(25), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(change=st.tuples(st.sampled_from(paths(COMPLETION)), values))
def test_no_answer_of_a_server_raises_anything_but_a_model_error(change: tuple[tuple[Any, ...], Any]) -> None:
    with ChatServer(always=Said(200, changed(COMPLETION, *change))) as server:
        chat = OpenAIChat("gpt-6-luna", base_url=server.url, policy=POLICY)
        try:
            chat.complete(PROMPT, City, offline=never)
        except ModelError:
            pass
        finally:
            chat.close()
