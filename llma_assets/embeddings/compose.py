"""Composes the text of a summary that is embedded, and embeds texts to checked vectors.

Which summaries are embedded, and where vectors are stored, belongs in `partition`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from llma_assets.clickhouse import DatabaseError
from llma_assets.isolation import fault_of
from llma_assets.models import (
    Embedder,
    InvalidAnswer,
    ModelConfigurationError,
    ModelError,
    ModelUnavailable,
    Record,
    TextsRejected,
)

TEXTS_PER_CALL = 128
"""Texts in one call of the embedder."""

TEXT_VERSION = "1"
"""Changes with how a summary becomes the text that is embedded."""

EMPTY_TEXT = "empty text"
SAMPLE_TEXTS = ("a customer books a flight", "a customer asks for a refund")
"""Texts that every usable embedder has vectors for."""


@dataclass(frozen=True, slots=True)
class EmbeddedItem:
    """One text and its vector, float32 (d,), finite and not zero."""

    item_id: str
    content: str
    vector: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class FailedItem:
    """One text that has no usable vector, and why."""

    item_id: str
    content: str
    error: str


def embedding_text(title: str, flow_diagram: str, bullets: Sequence[str], notes: Sequence[str]) -> str:
    r"""The text of a summary that is embedded: title, flow, bullets and notes, one line each; no line references.

    >>> embedding_text("Book a flight", "user → book", ["Asked for Oslo"], [])
    'Book a flight\nuser → book\nAsked for Oslo'
    """
    parts = [title, flow_diagram, *bullets, *notes]
    return "\n".join(line for part in parts if (line := " ".join(part.split())))


def text_of_summary(row: Mapping[str, Any]) -> str:
    """The text of a stored summary; a row with `title`, `flow_diagram`, `bullets`, `interesting_notes`."""
    return embedding_text(
        row["title"],
        row["flow_diagram"],
        [bullet["text"] for bullet in orjson.loads(row["bullets"])],
        [note["text"] for note in orjson.loads(row["interesting_notes"])],
    )


def embed_batches(
    items: Sequence[tuple[str, str]],
    embedder: Embedder,
    record: Record,
    batch_size: int = TEXTS_PER_CALL,
) -> Iterator[list[EmbeddedItem | FailedItem]]:
    """Embed each (id, text) and yield the results of a batch at a time, in order, so that they can be stored.

    A text fails alone if the model rejects it, if its vector is zero, not finite or of another length than the first,
    or if the code raises an error on it.

    Args:
        record: gets the usage of each call of the model.
        batch_size: texts given to the embedder at once; what is yielded before a failure stays yielded.

    Raises:
        ModelConfigurationError, ModelUnavailable: the model gives no more vectors; earlier results are valid.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    dimension = embedder.dimension
    for start in range(0, len(items), batch_size):
        batch = items[start : start + batch_size]
        stopped: ModelError | None = None
        vectors: Iterator[NDArray[np.float32] | str | None]
        try:
            vectors = iter(_vectors([text for _, text in batch if text.strip()], embedder, record))
        except (ModelConfigurationError, ModelUnavailable) as error:
            if error.vectors is None:
                raise
            # Vectors before the stop are paid for; texts without a vector have not failed.
            came = [len(vector) > 0 and bool(np.isfinite(vector).all()) for vector in error.vectors]
            stopped = error
            vectors = iter([vector if whole else None for vector, whole in zip(error.vectors, came, strict=True)])
        results: list[EmbeddedItem | FailedItem] = []
        for item_id, text in batch:
            vector = next(vectors) if text.strip() else EMPTY_TEXT
            if vector is None:
                continue
            if not isinstance(vector, str):
                dimension = dimension or len(vector)
                vector = _flaw(vector, dimension) or vector
            if isinstance(vector, str):
                results.append(FailedItem(item_id, text, vector))
            else:
                results.append(EmbeddedItem(item_id, text, vector))
        yield results
        if stopped is not None:
            raise stopped


def embed_items(
    items: Sequence[tuple[str, str]], embedder: Embedder, record: Record, batch_size: int = TEXTS_PER_CALL
) -> Iterator[EmbeddedItem | FailedItem]:
    """The results of `embed_batches`, one by one."""
    return chain.from_iterable(embed_batches(items, embedder, record, batch_size))


def error_on_sample(embedder: Embedder, record: Record) -> InvalidAnswer | None:
    """Embed `SAMPLE_TEXTS`; the error of their vectors, None if they are usable.

    Raises:
        ModelConfigurationError, ModelUnavailable: there was no answer.
    """
    try:
        vectors = embedder.embed(SAMPLE_TEXTS, record=record)
    except InvalidAnswer as error:
        return error
    flaws = [_flaw(vector, vectors.shape[1]) for vector in vectors]
    return InvalidAnswer(flaws[0], kind="vectors") if any(flaws) or not flaws else None


def _vectors(texts: Sequence[str], embedder: Embedder, record: Record) -> list[NDArray[np.float32] | str]:
    """A vector for each text of a batch, or why it has none."""
    try:
        vectors = list(embedder.embed(texts, record=record)) if texts else []
    except TextsRejected as error:
        kinds = error.kinds
        return [
            f"{kinds[index]}: no vector for this text" if index in kinds else vector
            for index, vector in enumerate(error.vectors)
        ]
    except InvalidAnswer as error:
        return [f"{error.kind}: {error}"] * len(texts)
    except (ModelError, DatabaseError):
        raise
    # Find the text that raises the error: it fails alone.
    except Exception as error:
        if len(texts) == 1:
            return [fault_of(error)]
        half = len(texts) // 2
        return [*_vectors(texts[:half], embedder, record), *_vectors(texts[half:], embedder, record)]
    if len(vectors) != len(texts):
        return [f"count: {len(vectors)} vectors for {len(texts)} texts"] * len(texts)
    return vectors


def _flaw(vector: NDArray[np.float32], dimension: int) -> str:
    if len(vector) != dimension:
        return f"dimension: {len(vector)} numbers where {dimension} were expected"
    if not np.isfinite(vector).all():
        return "not_finite: the vector holds NaN or infinity"
    if not vector.any():
        return "zero: the vector is zero"
    return ""
