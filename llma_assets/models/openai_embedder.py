"""The embedder behind an OpenAI-compatible server: bounded batches, checked vectors, bad texts singled out.

HTTP, retries and deadlines are `openai_server`'s.
"""

import base64
import binascii
import copy
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, ValidationError

from llma_assets.models.budget import Allowance, Tab, failed_usage, most_usd_of_embeddings
from llma_assets.models.errors import InvalidAnswer, TextsRejected
from llma_assets.models.failures import RequestRejected
from llma_assets.models.openai_server import OpenAIServer, Reply
from llma_assets.models.prices import price_of
from llma_assets.models.protocols import Record, Usage, ignore_usage
from llma_assets.models.retry import RetryPolicy
from llma_assets.tokens import load_vocabulary

if TYPE_CHECKING:
    import openai

_HOPELESS = 4  # single texts refused, none accepted: then the shortest text decides about the rest


class _Vector(BaseModel):
    index: int = Field(ge=0)
    embedding: list[float] | str


class _Tokens(BaseModel):
    prompt_tokens: int = Field(default=0, ge=0)


class _Answer(BaseModel):
    """The part of an embeddings answer that is read."""

    data: list[_Vector]
    model: str | None = None
    usage: _Tokens | None = None


@dataclass(slots=True)
class _Learned:
    """What the server has been found to do so far."""

    takes_base64: bool = True
    dimension: int | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class OpenAIEmbedder:
    """An embedding model by name on any OpenAI-compatible server. Safe to use from several threads."""

    def __init__(
        self,
        model: str,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        policy: RetryPolicy | None = None,
        batch_texts: int = 256,
        batch_chars: int = 200_000,
    ) -> None:
        """
        Args:
            model: the name that the server knows it by; stored with each vector.
            api_key, base_url, policy: as for `OpenAIChat`; the deadline is for one batch.
            batch_texts: texts a call at most.
            batch_chars: characters a call at most; a longer text goes alone.

        Raises:
            ModelConfigurationError: the key or the URL cannot be used.
        """
        if min(batch_texts, batch_chars) < 1:
            raise ValueError("batch_texts and batch_chars are at least 1")
        self._model = model
        self._server = OpenAIServer(api_key=api_key, base_url=base_url, policy=policy or RetryPolicy())
        self._batch_texts, self._batch_chars = batch_texts, batch_chars
        self._learned = _Learned()
        self._allowance: Allowance | None = None

    @property
    def name(self) -> str:
        """The model's name as stored with each vector."""
        return self._model

    @property
    def dimension(self) -> int | None:
        """Length of the vectors, None before the first answer."""
        return self._learned.dimension

    def within(self, allowance: Allowance) -> Self:
        """The same model on the same connections, whose HTTP calls are each paid out of `allowance`."""
        paid = copy.copy(self)
        paid._allowance = allowance
        return paid

    def embed(self, texts: Sequence[str], *, record: Record = ignore_usage) -> NDArray[np.float32]:
        """Embed `texts`; see `Embedder.embed`.

        Returns:
            float32 array (n, d), rows in the order of the texts; (0, d) for no texts, d 0 while unknown.

        Raises:
            TextsRejected: some texts got no vector (empty, refused by the server, NaN came back); the error
                holds their indexes and the vectors of all others.
            ModelConfigurationError, ModelUnavailable: the whole call failed.
        """
        rows: dict[int, NDArray[np.float32]] = {}
        for batch in self._batches(texts):
            rows.update(self._embed_batch(texts, batch, record))
        result = np.full((len(texts), self._learned.dimension or 0), np.nan, dtype=np.float32)
        for index, row in rows.items():
            result[index] = row
        if len(rows) < len(texts):
            missing = [index for index in range(len(texts)) if index not in rows]
            raise TextsRejected("no vector for some texts", indexes=missing, vectors=result)
        return result

    def close(self) -> None:
        """Close the connections."""
        self._server.close()

    def __repr__(self) -> str:
        return f"OpenAIEmbedder({self._model!r}, {self._server!r})"

    def _batches(self, texts: Sequence[str]) -> Iterator[list[int]]:
        """Indexes of texts that go together. An empty text has no vector, so nobody is asked for it."""
        batch: list[int] = []
        chars = 0
        for index, text in enumerate(texts):
            if not text.strip():
                continue
            if batch and (len(batch) == self._batch_texts or chars + len(text) > self._batch_chars):
                yield batch
                batch, chars = [], 0
            batch.append(index)
            chars += len(text)
        if batch:
            yield batch

    def _embed_batch(self, texts: Sequence[str], batch: list[int], record: Record) -> dict[int, NDArray[np.float32]]:
        """Vectors of a batch by index. A refused batch is halved until the texts to blame stand alone."""
        rows: dict[int, NDArray[np.float32]] = {}
        waiting = [batch]
        refused = 0
        while waiting:
            part = waiting.pop()
            try:
                rows.update(self._ask(texts, part, record))
            except InvalidAnswer:
                if len(part) > 1:
                    half = len(part) // 2
                    waiting += [part[half:], part[:half]]
                    continue
                refused += 1
                if refused == _HOPELESS and not rows and waiting:
                    rest = [index for indexes in waiting for index in indexes]
                    shortest = min(rest, key=lambda index: (len(texts[index]), index))
                    waiting = self._after_probe(texts, shortest, waiting, rows, record)
        return rows

    def _after_probe(
        self,
        texts: Sequence[str],
        shortest: int,
        waiting: list[list[int]],
        rows: dict[int, NDArray[np.float32]],
        record: Record,
    ) -> list[list[int]]:
        """What is still worth asking for, by what becomes of the shortest text."""
        try:
            rows.update(self._ask(texts, [shortest], record))
        except InvalidAnswer:
            return []
        return [rest for part in waiting if (rest := [index for index in part if index != shortest])]

    def _ask(self, texts: Sequence[str], indexes: list[int], record: Record) -> dict[int, NDArray[np.float32]]:
        """Vectors by index from one answer. Rows that hold NaN or infinity are left out."""
        load_vocabulary(self._model)
        deadline = self._server.deadline()
        while True:
            takes_base64 = self._learned.takes_base64
            asked = [texts[index] for index in indexes]
            options = {
                "model": self._model,
                "input": asked,
                "encoding_format": "base64" if takes_base64 else "float",
            }
            tab = Tab(self._model, partial(most_usd_of_embeddings, self._model, asked), self._allowance, record)

            def send(
                client: "openai.OpenAI", timeout_s: float, options: dict[str, Any] = options, tab: Tab = tab
            ) -> Any:
                tab.open()
                create: Any = client.embeddings.with_raw_response.create
                return create(timeout=timeout_s, **options)

            try:
                reply = self._server.call(send, deadline=deadline, on_failure=tab.failed)
            except RequestRejected as rejection:
                if not (takes_base64 and rejection.mentions & {"encoding_format", "base64"}):
                    raise
                self._learned.takes_base64 = False
            else:
                matrix = self._read(reply, len(indexes), tab.close)
                usable = np.asarray(np.isfinite(matrix).all(axis=1))
                return {index: matrix[i] for i, index in enumerate(indexes) if usable[i]}

    def _read(self, reply: Reply, count: int, record: Record) -> NDArray[np.float32]:
        """The (count, d) matrix in a reply; records the call's usage with what was wrong with it."""
        try:
            answer = _Answer.model_validate_json(reply.body)
        except ValidationError:
            record(failed_usage(self._model, "garbage", reply.duration_s))
            raise InvalidAnswer("the server's answer is no list of embeddings", kind="garbage") from None
        error = ""
        try:
            return self._matrix(answer, count)
        except InvalidAnswer as invalid:
            error = invalid.kind
            raise
        finally:
            record(self._usage(answer, reply, error))

    def _matrix(self, answer: _Answer, count: int) -> NDArray[np.float32]:
        vectors = sorted(answer.data, key=lambda vector: vector.index)
        if [vector.index for vector in vectors] != list(range(count)):
            raise InvalidAnswer(f"{len(vectors)} embeddings came back for {count} texts", kind="count")
        rows = [_floats(vector.embedding) for vector in vectors]
        lengths = {len(row) for row in rows}
        with self._learned.lock:
            if len(lengths) == 1 and self._learned.dimension is None and 0 not in lengths:
                self._learned.dimension = len(rows[0])
            if lengths != {self._learned.dimension}:
                raise InvalidAnswer("embeddings of different lengths came back", kind="dimension")
        return np.stack(rows)

    def _usage(self, answer: _Answer, reply: Reply, error: str) -> Usage:
        model = (answer.model or self._model)[:200]
        if answer.usage is None:
            return Usage(model, 0, 0, None, reply.duration_s, error)
        price = price_of(self._model) or price_of(model)
        tokens = answer.usage.prompt_tokens
        cost = price.cost_usd(input_tokens=tokens, output_tokens=0) if price else None
        return Usage(model, tokens, 0, cost, reply.duration_s, error)


def _floats(embedding: list[float] | str) -> NDArray[np.float32]:
    """A vector that came as numbers, or as base64 of little-endian float32."""
    if isinstance(embedding, str):
        try:
            return np.frombuffer(base64.b64decode(embedding, validate=True), dtype="<f4").astype(np.float32)
        except (binascii.Error, ValueError):
            raise InvalidAnswer("an embedding cannot be decoded", kind="garbage") from None
    with np.errstate(over="ignore"):
        return np.asarray(embedding, dtype=np.float64).astype(np.float32)
