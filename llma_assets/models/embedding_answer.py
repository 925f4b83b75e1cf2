"""What an answer with embeddings looks like on its way from the server: vectors, and whose they are.

Only the vectors are needed. `index` is missing where it is 0 (Gemini's endpoint leaves out what is zero), or is the
same everywhere; a vector may hold null for NaN. What is odd beside the vectors counts as missing.
"""

import base64
import binascii
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llma_assets.models.completion import count_of, json_of, text_of


@dataclass(frozen=True, slots=True)
class EmbeddingAnswer:
    """The part of an embeddings answer that is read.

    Attributes:
        vectors: float32 (d,) each, in the order in which they came; None for what is not one.
        order: for each, the text that it belongs to by its index.
        is_numbered: whether the indexes tell the texts apart; where they do not, `order` is the order of arrival.
        model: who answered, "" where it is not said.
        tokens: what the texts counted, None where it is not said.
    """

    vectors: list[NDArray[np.float32] | None]
    order: list[int]
    is_numbered: bool
    model: str
    tokens: int | None


def read_embeddings(body: bytes) -> EmbeddingAnswer | None:
    """The embeddings in a body; None where it holds none."""
    found = json_of(body)
    data = found.get("data") if isinstance(found, dict) else None
    if not isinstance(found, dict) or not isinstance(data, list) or not data:
        return None
    rows = [row if isinstance(row, dict) else {} for row in data]
    order = [_index(row.get("index"), position) for position, row in enumerate(rows)]
    is_numbered = sorted(order) == list(range(len(rows)))
    usage = found.get("usage")
    return EmbeddingAnswer(
        vectors=[_vector(row.get("embedding")) for row in rows],
        order=order if is_numbered else list(range(len(rows))),
        is_numbered=is_numbered,
        model=text_of(found.get("model")),
        tokens=count_of(usage.get("prompt_tokens")) if isinstance(usage, dict) else None,
    )


def flaw_of(vector: NDArray[np.float32] | None) -> str:
    """Why a vector cannot be used, in a word; "" where it can."""
    if vector is None:
        return "garbage"
    if not np.isfinite(vector).all():
        return "not_finite"
    return "" if vector.any() else "zero"


def cosine(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Cosine similarity of two vectors (d,); -1.0 for those of different length or without any."""
    if a.shape != b.shape or not (a.any() and b.any()):
        return -1.0
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


def _index(value: Any, position: int) -> int:
    """A missing index is the position; one that is not a number tells no texts apart."""
    if value is None:
        return position
    count = count_of(value)
    return -1 if count is None else count


def _vector(value: Any) -> NDArray[np.float32] | None:
    """A vector that came as numbers, with null for NaN, or as base64 of little-endian float32."""
    try:
        if isinstance(value, str):
            vector = np.frombuffer(base64.b64decode(value, validate=True), dtype="<f4").astype(np.float32)
        elif isinstance(value, list):
            with np.errstate(over="ignore"):
                vector = np.asarray(value, dtype=np.float64).astype(np.float32)
        else:
            return None
    except (binascii.Error, ValueError, TypeError, OverflowError):
        return None
    return vector if vector.ndim == 1 and len(vector) else None
