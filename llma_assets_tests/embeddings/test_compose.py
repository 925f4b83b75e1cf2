"""The text of a summary, and vectors of which a bad one costs itself alone."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from llma_assets.embeddings import EmbeddedItem, FailedItem, embed_items, embedding_text
from llma_assets.models import (
    ModelConfigurationError,
    ModelUnavailable,
    OpenAIEmbedder,
    Record,
    RetryPolicy,
    Usage,
    ignore_usage,
)
from llma_assets.testing import ChatServer, Fault, Request, Status, Vectors, vector_of

ITEMS = [(f"item-{n}", f"text number {n}") for n in range(10)]
PATIENT = RetryPolicy(attempts=2, deadline_s=60.0, attempt_timeout_s=30.0, first_delay_s=0.01)


def embedder(server: ChatServer) -> OpenAIEmbedder:
    return OpenAIEmbedder("text-embedding-3-small", base_url=server.url, policy=PATIENT)


class Table:
    """An embedder that looks vectors up, for vectors that no server would send."""

    name = "offline/table"
    dimension = None

    def __init__(self, rows: dict[str, list[float]]) -> None:
        self._rows = rows

    def embed(self, texts: Sequence[str], *, record: Record = ignore_usage) -> NDArray[np.float32]:
        record(Usage(self.name, 0, 0, 0.0, 0.0))
        return np.array([self._rows[text] for text in texts], dtype=np.float32)


def test_title_flow_bullets_and_notes_stand_one_a_line_in_this_order() -> None:
    text = embedding_text("Book a flight", "user → book", ["Asked for\nOslo", " "], ["An error"])
    assert text == "Book a flight\nuser → book\nAsked for Oslo\nAn error"


def test_an_empty_summary_has_an_empty_text() -> None:
    assert embedding_text("", " ", [], [""]) == ""


@pytest.mark.heavy
def test_every_item_gets_its_vector_in_order() -> None:
    usage: list[Usage] = []
    with ChatServer() as server:
        results = list(embed_items(ITEMS, embedder(server), usage.append, batch_size=4))
    assert [result.item_id for result in results] == [item_id for item_id, _ in ITEMS]
    for result, (_, text) in zip(results, ITEMS, strict=True):
        assert isinstance(result, EmbeddedItem)
        assert result.content == text
        assert result.vector.dtype == np.float32
        np.testing.assert_allclose(result.vector, vector_of(text), rtol=1e-6)
    assert len(usage) == 3


def test_one_rejected_text_fails_alone() -> None:
    def judge(request: Request) -> Fault:
        return Status(400, "too long") if any("number 3" in text for text in request.body["input"]) else None

    with ChatServer(judge=judge) as server:
        results = list(embed_items(ITEMS, embedder(server), ignore_usage))
    failed = [result for result in results if isinstance(result, FailedItem)]
    assert [(result.item_id, result.error) for result in failed] == [("item-3", "too_long: no vector for this text")]


def test_an_empty_text_fails_without_a_call() -> None:
    with ChatServer() as server:
        results = list(embed_items([("a", ""), ("b", " \n")], embedder(server), ignore_usage))
        assert server.requests == []
    assert [result.error for result in results if isinstance(result, FailedItem)] == ["empty text", "empty text"]


@pytest.mark.parametrize(
    ("row", "error"),
    [
        ([0.0, 0.0], "zero"),
        ([float("nan"), 1.0], "not_finite"),
        ([float("inf"), 1.0], "not_finite"),
    ],
)
def test_a_vector_that_cannot_be_compared_fails_alone(row: list[float], error: str) -> None:
    table = Table({"good": [1.0, 0.0], "bad": row})
    first, second = embed_items([("1", "good"), ("2", "bad")], table, ignore_usage)
    assert isinstance(first, EmbeddedItem)
    assert isinstance(second, FailedItem)
    assert second.error.startswith(error)


def test_a_vector_of_another_length_fails() -> None:
    table = Table({"two": [1.0, 0.0], "three": [1.0, 0.0, 0.0]})
    results = list(embed_items([("1", "two"), ("2", "three")], table, ignore_usage, batch_size=1))
    assert [isinstance(result, EmbeddedItem) for result in results] == [True, False]


def test_a_zero_vector_of_a_server_fails_alone() -> None:
    with ChatServer(always=Vectors(((1.0, 0.0), (0.0, 0.0)))) as server:
        results = list(embed_items(ITEMS[:2], embedder(server), ignore_usage))
    assert [isinstance(result, EmbeddedItem) for result in results] == [True, False]


def test_items_with_equal_ids_and_texts_each_get_a_result() -> None:
    with ChatServer() as server:
        assert len(list(embed_items([ITEMS[0]] * 3, embedder(server), ignore_usage))) == 3


def test_no_items_give_nothing() -> None:
    with ChatServer() as server:
        assert list(embed_items([], embedder(server), ignore_usage)) == []


def test_a_server_that_goes_away_leaves_what_came_before() -> None:
    stored: list[EmbeddedItem | FailedItem] = []
    with ChatServer(faults=[None], always=Status(503)) as server, pytest.raises(ModelUnavailable):
        stored.extend(embed_items(ITEMS, embedder(server), ignore_usage, batch_size=5))
    assert len(stored) == 5


def test_a_wrong_key_stops() -> None:
    with ChatServer(always=Status(401)) as server, pytest.raises(ModelConfigurationError):
        list(embed_items(ITEMS, embedder(server), ignore_usage))


def test_a_batch_size_of_zero_is_refused() -> None:
    with ChatServer() as server, pytest.raises(ValueError, match="batch_size"):
        list(embed_items(ITEMS, embedder(server), ignore_usage, batch_size=0))
