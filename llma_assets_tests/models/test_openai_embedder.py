"""What OpenAIEmbedder makes of each thing that a server can do, over real HTTP."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from llma_assets.models import (
    InvalidAnswer,
    ModelConfigurationError,
    ModelUnavailable,
    OpenAIEmbedder,
    RetryPolicy,
    TextsRejected,
    Usage,
)
from llma_assets.testing import (
    ChatServer,
    Fault,
    Garbage,
    Hang,
    RateLimited,
    Request,
    Reset,
    Said,
    Status,
    Vectors,
    vector_of,
)
from llma_assets.testing.answers import DIMENSION

EMBEDDINGS = "/v1/embeddings"
PATIENT = RetryPolicy(attempts=2, deadline_s=60.0, attempt_timeout_s=30.0, first_delay_s=0.01)
IMPATIENT = RetryPolicy(attempts=2, deadline_s=0.6, attempt_timeout_s=0.2, first_delay_s=0.01)
TEXTS = [f"text number {n}" for n in range(10)]


def embedder(server: ChatServer, policy: RetryPolicy = PATIENT, **options: int) -> OpenAIEmbedder:
    return OpenAIEmbedder("text-embedding-3-small", api_key="k", base_url=server.url, policy=policy, **options)


def test_rows_come_in_the_order_of_the_texts_as_float32() -> None:
    with ChatServer() as server:
        model = embedder(server)
        assert model.dimension is None
        vectors = model.embed(TEXTS)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, [vector_of(text) for text in TEXTS], rtol=1e-6)
    assert model.dimension == DIMENSION


def test_no_texts_make_no_call() -> None:
    with ChatServer() as server:
        assert embedder(server).embed([]).shape == (0, 0)
        assert server.calls(EMBEDDINGS) == []


def test_batches_are_bounded_by_count() -> None:
    with ChatServer() as server:
        embedder(server, batch_texts=4).embed(TEXTS)
        assert [len(request.body["input"]) for request in server.calls(EMBEDDINGS)] == [4, 4, 2]


def test_batches_are_bounded_by_characters_and_a_longer_text_goes_alone() -> None:
    texts = ["a" * 40, "b" * 40, "c" * 300, "d" * 40]
    with ChatServer() as server:
        embedder(server, batch_chars=100).embed(texts)
        assert [len(request.body["input"]) for request in server.calls(EMBEDDINGS)] == [2, 1, 1]


def test_usage_is_recorded_for_each_call_with_its_cost() -> None:
    usage: list[Usage] = []
    with ChatServer(faults=[Status(500)]) as server:
        embedder(server, batch_texts=5).embed(TEXTS, record=usage.append)
    assert [u.error for u in usage] == ["server_error", "", ""]
    assert usage[1].cost_usd == pytest.approx(usage[1].input_tokens * 0.02 / 1e6)
    assert usage[1].output_tokens == 0


def too_long(request: Request) -> Fault:
    if any(len(text) > 50 for text in request.body["input"]):
        return Status(400, "maximum context length is 50", code="context_length_exceeded")
    return None


def test_one_text_that_is_too_long_costs_itself_alone() -> None:
    texts = [*TEXTS]
    texts[6] = "x" * 60
    with ChatServer(judge=too_long) as server, pytest.raises(TextsRejected) as caught:
        embedder(server).embed(texts)
    assert caught.value.indexes == (6,)
    assert np.isnan(caught.value.vectors[6]).all()
    rest = [n for n in range(10) if n != 6]
    np.testing.assert_allclose(caught.value.vectors[rest], [vector_of(TEXTS[n]) for n in rest], rtol=1e-6)


def test_many_bad_texts_before_a_good_one_do_not_cost_it() -> None:
    texts = ["x" * 60] * 20 + ["short"] + ["y" * 60] * 3
    with ChatServer(judge=too_long) as server, pytest.raises(TextsRejected) as caught:
        embedder(server).embed(texts)
    assert len(caught.value.indexes) == 23
    assert np.isfinite(caught.value.vectors[20]).all()


def test_a_server_that_refuses_everything_is_not_asked_for_each_text() -> None:
    with ChatServer(always=Status(400, "no")) as server:
        with pytest.raises(TextsRejected) as caught:
            embedder(server).embed([f"text {n}" for n in range(600)])
        assert len(server.calls(EMBEDDINGS)) < 25
    assert len(caught.value.indexes) == 600
    assert set(caught.value.kinds.values()) == {"rejected", "not_asked"}
    assert caught.value.said == "no"


def test_empty_texts_are_rejected_without_a_call_for_them() -> None:
    with ChatServer() as server:
        with pytest.raises(TextsRejected) as caught:
            embedder(server).embed(["first", " ", "third", ""])
        assert [request.body["input"] for request in server.calls(EMBEDDINGS)] == [["first", "third"]]
    assert caught.value.indexes == (1, 3)
    assert "index 1, 3" in str(caught.value)


def test_a_vector_with_nan_costs_its_text_alone() -> None:
    rows = ((0.1, 0.2), (float("nan"), 0.1), (0.3, 0.4))
    with ChatServer(always=Vectors(rows)) as server, pytest.raises(TextsRejected) as caught:
        embedder(server).embed(["a", "b", "c"])
    assert caught.value.indexes == (1,)


def test_vectors_that_match_no_text_are_not_used() -> None:
    three = Vectors(((0.1, 0.2), (0.3, 0.4), (0.5, 0.6)))
    with ChatServer(faults=[None, three, three, three]) as server:
        model = embedder(server)
        model.embed(["a"])
        with pytest.raises(TextsRejected) as caught:
            model.embed(["a", "b"])
    assert caught.value.kinds == {0: "count", 1: "count"}


def test_vectors_of_different_lengths_are_no_answer() -> None:
    usage: list[Usage] = []
    with ChatServer(faults=[Vectors(((0.1, 0.2), (0.3, 0.4, 0.5)))]) as server:
        vectors = embedder(server).embed(["a", "b"], record=usage.append)
    assert vectors.shape == (2, DIMENSION)
    assert usage[0].error == "dimension"


def test_a_model_that_changes_its_dimension_is_caught() -> None:
    with ChatServer(faults=[Vectors(((0.1, 0.2),))]) as server:
        model = embedder(server)
        assert model.embed(["a"]).shape == (1, 2)
        with pytest.raises(TextsRejected):
            model.embed(["b"])


def test_a_server_that_knows_no_base64_is_asked_for_numbers_and_that_is_remembered() -> None:
    def judge(request: Request) -> Fault:
        coded = request.body["encoding_format"] == "base64"
        return Status(400, "encoding_format must be float", param="encoding_format") if coded else None

    with ChatServer(judge=judge) as server:
        model = embedder(server)
        np.testing.assert_allclose(model.embed(["a"])[0], vector_of("a"), rtol=1e-6)
        model.embed(["b"])
        formats = [request.body["encoding_format"] for request in server.calls(EMBEDDINGS)]
    assert formats == ["base64", "float", "float"]


@pytest.mark.parametrize("fault", [RateLimited(), Status(503), Hang(), Reset()])
def test_a_server_that_is_away_is_unavailable_after_retries(fault: Fault) -> None:
    usage: list[Usage] = []
    with ChatServer(always=fault) as server, pytest.raises(ModelUnavailable):
        embedder(server, IMPATIENT if isinstance(fault, Hang) else PATIENT).embed(TEXTS, record=usage.append)
    # What a text may bring about is asked about once more, with another text.
    assert len(usage) == (3 if isinstance(fault, Status | Hang) and fault != RateLimited() else 2)
    assert all(u.error for u in usage)


def test_a_transient_fault_is_tried_again() -> None:
    with ChatServer(faults=[Status(500)]) as server:
        assert embedder(server).embed(TEXTS).shape == (10, DIMENSION)


@pytest.mark.parametrize("fault", [Status(401), Status(404), Status(429, code="insufficient_quota")])
def test_a_wrong_key_or_model_stops_at_once(fault: Fault) -> None:
    with ChatServer(always=fault) as server:
        with pytest.raises(ModelConfigurationError):
            embedder(server, batch_texts=2).embed(TEXTS)
        assert len(server.calls(EMBEDDINGS)) == 1


@pytest.mark.parametrize("fault", [Garbage(), Garbage(b'{"data": [{"index": 0, "embedding": "%%"}]}', "text/json")])
def test_garbage_is_an_invalid_answer(fault: Fault) -> None:
    with ChatServer(faults=[None, fault]) as server:
        model = embedder(server)
        model.embed(["a"])
        with pytest.raises(InvalidAnswer) as caught:
            model.embed(["a"])
    assert isinstance(caught.value, TextsRejected)
    assert caught.value.kinds == {0: "garbage"}


def fails_on(word: str, fault: Fault) -> Callable[[Request], Fault]:
    return lambda request: fault if any(word in text for text in request.body["input"]) else None


MANY = [f"text number {n}" for n in range(60)]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Status(500, "input is too large to process. increase the physical batch size"), "too_long"),
        (Status(500, "failed to encode response: json: unsupported value: NaN"), "not_finite"),
        (Status(500, "it broke"), "server_error"),
        (Status(503, "it broke"), "server_error"),
        (Status(413, "too much"), "rejected"),
        (Said(200, {"error": {"message": "it broke"}}), "server_error"),
        (Said(200, {"error": {"message": "API said no", "code": 422}}), "rejected"),
    ],
)
def test_one_text_that_the_server_fails_on_costs_itself_alone(fault: Fault, kind: str) -> None:
    """59 good ones had no vectors for ever."""
    texts = [*MANY]
    texts[41] = "a bad text"
    with ChatServer(judge=fails_on("bad", fault)) as server:
        model = embedder(server)
        with pytest.raises(TextsRejected) as caught:
            model.embed(texts)
        assert len(server.calls(EMBEDDINGS)) <= 2 * 6 + 6
        model.embed(MANY)  # and the server does not count as down
    assert caught.value.kinds == {41: kind}
    rest = [n for n in range(60) if n != 41]
    np.testing.assert_allclose(caught.value.vectors[rest], [vector_of(MANY[n]) for n in rest], rtol=1e-6)


def test_several_bad_texts_with_500_do_not_open_the_circuit() -> None:
    texts = ["bad" if n in {0, 1, 17, 30, 59} else text for n, text in enumerate(MANY)]
    with ChatServer(judge=fails_on("bad", Status(500))) as server, pytest.raises(TextsRejected) as caught:
        embedder(server, replace(PATIENT, most_failures=4)).embed(texts)
    assert set(caught.value.kinds) == {0, 1, 17, 30, 59}


def test_a_batch_that_takes_too_long_is_halved_while_the_server_is_there() -> None:
    with ChatServer(judge=lambda request: Hang() if len(request.body["input"]) > 3 else None) as server:
        vectors = embedder(server, replace(IMPATIENT, deadline_s=5.0)).embed(TEXTS)
    np.testing.assert_allclose(vectors, [vector_of(text) for text in TEXTS], rtol=1e-6)


def test_what_came_before_a_server_went_away_is_in_the_error() -> None:
    gone = [Status(503)] * 3
    with ChatServer(faults=[None, *gone]) as server, pytest.raises(ModelUnavailable) as caught:
        embedder(server, batch_texts=4).embed(TEXTS)
    assert caught.value.vectors is not None
    assert np.isfinite(caught.value.vectors).all(axis=1).tolist() == [True] * 4 + [False] * 6


def larger_than(most: int, said: str = "too many") -> Callable[[Request], Fault]:
    return lambda request: Status(400, said) if len(request.body["input"]) > most else None


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("most", "said", "first", "second"),
    [
        (32, "too many", 11, 8),
        (8, "too many", 37, 32),
        (32, "batch size 256 > maximum allowed batch size 32", 9, 8),
        (1, "one at a time", 264, 256),
    ],
)
def test_the_number_of_texts_that_a_server_takes_is_remembered(most: int, said: str, first: int, second: int) -> None:
    """It took 15 calls, or 63, again and again."""
    texts = [f"text number {n}" for n in range(256)]
    with ChatServer(judge=larger_than(most, said)) as server:
        model = embedder(server)
        np.testing.assert_allclose(model.embed(texts), [vector_of(text) for text in texts], rtol=1e-6)
        assert len(server.calls(EMBEDDINGS)) == first
        shared = OpenAIEmbedder("text-embedding-3-small", server=model.server)
        shared.embed(texts)
        assert len(server.calls(EMBEDDINGS)) == first + second


def test_one_bad_text_does_not_make_batches_smaller() -> None:
    with ChatServer(judge=fails_on("bad", Status(400, "no"))) as server:
        model = embedder(server)
        with pytest.raises(TextsRejected):
            model.embed(["bad", *MANY])
        before = len(server.calls(EMBEDDINGS))
        model.embed(MANY)
        assert len(server.calls(EMBEDDINGS)) == before + 1


def test_useless_indexes_are_tried_out_once_and_then_the_order_counts() -> None:
    """64 texts took 127 calls."""
    texts = [f"text number {n}" for n in range(64)]

    def judge(request: Request) -> Fault:
        rows = [{"index": 0, "embedding": vector_of(text)} for text in request.body["input"]]
        return Said(200, {"data": rows})

    with ChatServer(judge=judge) as server:
        model = embedder(server)
        for calls in (2, 3):
            np.testing.assert_allclose(model.embed(texts), [vector_of(text) for text in texts], rtol=1e-6)
            assert len(server.calls(EMBEDDINGS)) == calls


@pytest.mark.parametrize("row", [(float("nan"), 1.0), (0.0, 0.0)])
def test_vectors_of_which_none_can_be_used_are_failures_with_their_kind(row: tuple[float, ...]) -> None:
    nothing = Vectors((row,) * 10)
    with ChatServer(always=nothing) as server, pytest.raises(TextsRejected) as caught:
        embedder(server).embed(TEXTS)
    assert caught.value.kind in {"not_finite", "zero"}
    assert set(caught.value.kinds.values()) == {caught.value.kind}
    assert len(server.calls(EMBEDDINGS)) == 2  # once as base64, once as numbers
