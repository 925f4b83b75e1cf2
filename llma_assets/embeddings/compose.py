"""From a summary to the text that is embedded, and from texts to checked vectors.

Which summaries are embedded and where vectors are stored belongs to `assets`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from llma_assets.models import Embedder, InvalidAnswer, Record, TextsRejected

TEXTS_A_CALL = 128
"""Texts that the embedder is given at once."""


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
    r"""The text that stands for a summary: title, flow, bullets, notes, a line each; no line references.

    >>> embedding_text("Book a flight", "user → book", ["Asked for Oslo"], [])
    'Book a flight\nuser → book\nAsked for Oslo'
    """
    parts = [title, flow_diagram, *bullets, *notes]
    return "\n".join(line for part in parts if (line := " ".join(part.split())))


def text_of_summary(row: Mapping[str, Any]) -> str:
    """The text that stands for a stored summary, a row with `title`, `flow_diagram`, `bullets`, `interesting_notes`."""
    return embedding_text(
        row["title"],
        row["flow_diagram"],
        [bullet["text"] for bullet in orjson.loads(row["bullets"])],
        [note["text"] for note in orjson.loads(row["interesting_notes"])],
    )


def embed_items(
    items: Sequence[tuple[str, str]],
    embedder: Embedder,
    record: Record,
    batch_size: int = TEXTS_A_CALL,
) -> Iterator[EmbeddedItem | FailedItem]:
    """Embed each (id, text) and yield its result, in order, a batch at a time.

    A text that the model rejects, or whose vector is zero, not finite or of another length than the first,
    fails alone.

    Args:
        record: gets the usage of each call of the model.
        batch_size: texts given to the embedder at once; what is yielded before a failure stays yielded.

    Raises:
        ModelConfigurationError, ModelUnavailable: the model gives nothing more; what came before is good.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}; at least 1 is needed")
    dimension = embedder.dimension
    for start in range(0, len(items), batch_size):
        batch = items[start : start + batch_size]
        asked = [index for index, (_, text) in enumerate(batch) if text.strip()]
        vectors, rejected = _vectors([batch[index][1] for index in asked], embedder, record)
        rows = {index: row for row, index in enumerate(asked)}
        for index, (item_id, text) in enumerate(batch):
            row = rows.get(index)
            if row is None or row in rejected:
                yield FailedItem(item_id, text, "empty text" if row is None else rejected[row])
                continue
            dimension = dimension or vectors.shape[1]
            flaw = _flaw(vectors[row], dimension)
            yield FailedItem(item_id, text, flaw) if flaw else EmbeddedItem(item_id, text, vectors[row])


def _vectors(texts: Sequence[str], embedder: Embedder, record: Record) -> tuple[NDArray[np.float32], dict[int, str]]:
    """Vectors (n, d) of a batch, and why rows of it have none."""
    if not texts:
        return np.empty((0, embedder.dimension or 0), dtype=np.float32), {}
    try:
        vectors = embedder.embed(texts, record=record)
    except TextsRejected as error:
        return error.vectors, dict.fromkeys(error.indexes, f"{error.kind}: no vector for this text")
    except InvalidAnswer as error:
        reason = f"{error.kind}: {error}"
        return np.empty((len(texts), 0), dtype=np.float32), dict.fromkeys(range(len(texts)), reason)
    if len(vectors) != len(texts):
        reason = f"count: {len(vectors)} vectors for {len(texts)} texts"
        return np.empty((len(texts), 0), dtype=np.float32), dict.fromkeys(range(len(texts)), reason)
    return vectors, {}


def _flaw(vector: NDArray[np.float32], dimension: int) -> str:
    if len(vector) != dimension:
        return f"dimension: {len(vector)} numbers where {dimension} were expected"
    if not np.isfinite(vector).all():
        return "not_finite: the vector holds NaN or infinity"
    if not vector.any():
        return "zero: the vector is zero"
    return ""
