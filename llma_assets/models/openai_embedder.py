"""The embedder behind an OpenAI-compatible server: bounded batches, checked vectors, bad texts singled out.

HTTP, retries and deadlines are `openai_server`'s; what comes back looks like `embedding_answer`.
"""

import copy
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from llma_assets.models.budget import Allowance, Tab, failed_usage, most_usd_of_embeddings
from llma_assets.models.catalog import explained
from llma_assets.models.embedding_answer import EmbeddingAnswer, read_embeddings
from llma_assets.models.embedding_work import Part, Work
from llma_assets.models.errors import (
    InvalidAnswer,
    ModelConfigurationError,
    ModelError,
    ModelUnavailable,
    TextsRejected,
)
from llma_assets.models.failures import RequestRejected
from llma_assets.models.openai_server import OpenAIServer, Reply
from llma_assets.models.prices import price_of
from llma_assets.models.protocols import Record, Usage, ignore_usage
from llma_assets.models.retry import RetryPolicy
from llma_assets.tokens import load_vocabulary

if TYPE_CHECKING:
    import openai

_HOPELESS = 4
"""Texts that failed by themselves, none with a vector: then a text that any model embeds decides about the rest."""

_ANY_TEXT = "a customer asks for a refund"

_PERHAPS_THE_TEXT = {"server_error", "timeout"}
"""Kinds of `ModelUnavailable` that a text can bring about: the model fails on it, or takes too long for so many."""


@dataclass(slots=True)
class EmbeddingHabits:
    """What was found of an embedding model at a server so far.

    Attributes:
        takes_base64: whether vectors are asked for as base64, a quarter of the size.
        most_texts: texts a call that it takes, None while it has taken all.
        is_numbered: whether `index` tells whose a vector is; else the order does, once that was tried out.
        dimension: length of the vectors, None before the first.
    """

    takes_base64: bool = True
    most_texts: int | None = None
    is_numbered: bool = True
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
        server: OpenAIServer | None = None,
        batch_texts: int = 256,
        batch_chars: int = 200_000,
    ) -> None:
        """
        Args:
            model: the name that the server knows it by; stored with each vector.
            api_key, base_url, policy, server: as for `OpenAIChat`; the deadline is for one batch.
            batch_texts: texts a call at most.
            batch_chars: characters a call at most; a longer text goes alone.

        Raises:
            ModelConfigurationError: the key or the URL cannot be used.
        """
        if min(batch_texts, batch_chars) < 1:
            raise ValueError("batch_texts and batch_chars are at least 1")
        self._model = model
        self._server = server or OpenAIServer(api_key=api_key, base_url=base_url, policy=policy or RetryPolicy())
        self._batch_texts, self._batch_chars = batch_texts, batch_chars
        self._habits = self._server.habits((EmbeddingHabits, model), EmbeddingHabits)
        self._allowance: Allowance | None = None

    @property
    def name(self) -> str:
        """The model's name as stored with each vector."""
        return self._model

    @property
    def dimension(self) -> int | None:
        """Length of the vectors, None before the first answer."""
        return self._habits.dimension

    @property
    def server(self) -> OpenAIServer:
        """Where the model is asked."""
        return self._server

    def within(self, allowance: Allowance) -> Self:
        """The same model on the same connections, whose HTTP calls are each paid out of `allowance`."""
        paid = copy.copy(self)
        paid._allowance = allowance
        return paid

    def embed(self, texts: Sequence[str], *, record: Record = ignore_usage) -> NDArray[np.float32]:
        """Embed `texts`; see `Embedder.embed`.

        A batch that fails while the server is there is halved, whatever it was answered with, until the texts to
        blame stand alone.

        Returns:
            float32 array (n, d), rows in the order of the texts; (0, d) for no texts, d 0 while unknown.

        Raises:
            TextsRejected: some texts got no vector (empty, refused by the server, NaN came back); the error
                holds their indexes, why, and the vectors of all others. Where nothing would get one, not all were
                asked about.
            ModelConfigurationError, ModelUnavailable: the whole call failed. Either holds the `vectors` that came
                before, as above.
        """
        work = Work(texts)
        try:
            for batch in self._batches(texts):
                self._embed_batch(batch, work, record)
                if work.is_hopeless:
                    break
        except ModelError as error:
            final = explained(error, self._server, self._model) if isinstance(error, ModelConfigurationError) else error
            final.vectors = work.matrix(self.dimension)
            raise final from None
        matrix = work.matrix(self.dimension)
        if len(work.rows) < len(texts):
            why = "not_asked" if work.is_hopeless else "empty"
            kinds = {index: work.failed.get(index, why) for index in range(len(texts)) if index not in work.rows}
            kind = Counter(kinds.values()).most_common(1)[0][0]
            rejected = TextsRejected(
                "no vector for some texts", indexes=list(kinds), kinds=kinds, vectors=matrix, kind=kind
            )
            rejected.said = work.said
            raise rejected
        return matrix

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
            most = min(self._batch_texts, self._habits.most_texts or self._batch_texts)
            if batch and (len(batch) >= most or chars + len(text) > self._batch_chars):
                yield batch
                batch, chars = [], 0
            batch.append(index)
            chars += len(text)
        if batch:
            yield batch

    def _embed_batch(self, batch: list[int], work: Work, record: Record) -> None:
        """Vectors of a batch. One that fails is halved until the texts to blame stand alone."""
        waiting = [Part(batch)]
        while waiting:
            part = waiting.pop()
            if pieces := part.cut(self._habits.most_texts):
                waiting += pieces
                continue
            size = None
            try:
                self._ask(part.indexes, work, record)
            except InvalidAnswer as error:
                kind, work.said = error.kind, error.said
                size = error.batch_size if isinstance(error, RequestRejected) else None
            except ModelUnavailable as error:
                if error.kind not in _PERHAPS_THE_TEXT or not self._is_to_blame(part, work, record):
                    raise
                kind, work.said, work.is_isolating = error.kind, error.said, True
            else:
                self._note_size(part)
                continue
            if len(part.indexes) > 1:
                waiting += part.halves(size)
                continue
            work.failed[part.indexes[0]] = kind
            work.failed_alone += 1
            if not work.rows and work.failed_alone == _HOPELESS and self._is_hopeless(record):
                work.is_hopeless = True
                return

    def _note_size(self, part: Part) -> None:
        """A part of another was taken; where that failed and two of its parts are taken, it was too many texts."""
        if part.parent is None:
            return
        part.parent.taken += 1
        part.parent.largest = largest = max(part.parent.largest, len(part.indexes))
        if part.parent.taken == 2:
            with self._habits.lock:
                self._habits.most_texts = min(self._habits.most_texts or largest, largest)

    def _is_hopeless(self, record: Record) -> bool:
        """Whether a text that any model embeds gets no usable vector either: then no other need be asked about."""
        probe = Work([_ANY_TEXT])
        try:
            self._ask([0], probe, record)
        except InvalidAnswer:
            return True
        return not probe.rows

    def _is_to_blame(self, part: Part, work: Work, record: Record) -> bool:
        """Whether the server answers another question than the one that it failed on."""
        if work.is_isolating and len(part.indexes) > 1:
            return True  # its parts will tell
        try:
            self._ask([0], Work([_ANY_TEXT], is_isolating=True), record, attempts=1)
        except InvalidAnswer:
            return True
        except ModelUnavailable:
            return False
        return True

    def _ask(self, indexes: list[int], work: Work, record: Record, attempts: int | None = None) -> None:
        """Put the vectors of one answer into `work`, and what is wrong with those that cannot be used.

        Raises:
            InvalidAnswer: nothing of it can be used.
        """
        load_vocabulary(self._model)
        deadline = self._server.deadline()
        asked = [work.texts[index] for index in indexes]
        attempts = attempts or (1 if work.is_isolating and len(asked) > 1 else None)
        while True:
            takes_base64 = self._habits.takes_base64
            options: dict[str, Any] = {"model": self._model, "input": asked}
            options["encoding_format"] = "base64" if takes_base64 else "float"
            tab = Tab(self._model, partial(most_usd_of_embeddings, self._model, asked), self._allowance, record)

            def send(
                client: "openai.OpenAI", timeout_s: float, options: dict[str, Any] = options, tab: Tab = tab
            ) -> Any:
                tab.open()
                create: Any = client.embeddings.with_raw_response.create
                return create(timeout=timeout_s, **options)

            try:
                reply = self._server.call(
                    send, deadline=deadline, on_failure=tab.failed, attempts=attempts, is_there=work.is_isolating
                )
            except RequestRejected as rejection:
                if not (takes_base64 and "encoding" in rejection.mentions):
                    raise
                self._habits.takes_base64 = False
                continue
            answer, vectors = self._read(reply, len(indexes), tab.close)
            flaws = [self._flaw(vector) for vector in vectors]
            if takes_base64 and all(flaws) and self._habits.dimension is None:
                self._habits.takes_base64 = False  # what it calls base64 may be something else
                continue
            break
        if not answer.is_numbered and self._habits.is_numbered and len(indexes) > 1:
            self._try_order(asked, vectors, record)
        self._keep(indexes, vectors, flaws, work)

    def _keep(
        self, indexes: list[int], vectors: "list[NDArray[np.float32] | None]", flaws: list[str], work: Work
    ) -> None:
        with self._habits.lock:
            for index, vector, flaw in zip(indexes, vectors, flaws, strict=True):
                if flaw or vector is None:
                    work.failed[index] = flaw
                elif len(vector) != (self._habits.dimension or len(vector)):
                    work.failed[index] = "dimension"
                else:
                    self._habits.dimension = len(vector)
                    work.rows[index] = vector
                    work.failed.pop(index, None)

    @staticmethod
    def _flaw(vector: "NDArray[np.float32] | None") -> str:
        if vector is None:
            return "garbage"
        if not np.isfinite(vector).all():
            return "not_finite"
        return "" if vector.any() else "zero"

    def _try_order(self, asked: Sequence[str], vectors: "list[NDArray[np.float32] | None]", record: Record) -> None:
        """The indexes tell nothing: find out, once for a server, whether vectors come in the order of their texts.

        Raises:
            InvalidAnswer: they do not; texts go one by one from now on.
        """
        usable = [position for position, vector in enumerate(vectors) if not self._flaw(vector)]
        alone = Work(asked)
        if usable:
            self._ask([usable[-1]], alone, record)
        (found,) = alone.rows.values() or (None,)
        likeness = [-1.0 if found is None or vector is None else _cosine(found, vector) for vector in vectors]
        if found is not None and likeness[usable[-1]] > max(max(likeness) - 1e-3, 0.99):
            self._habits.is_numbered = False
            return
        with self._habits.lock:
            self._habits.most_texts = 1
        raise InvalidAnswer("nobody knows whose the embeddings are", kind="index")

    def _read(
        self, reply: Reply, count: int, record: Record
    ) -> "tuple[EmbeddingAnswer, list[NDArray[np.float32] | None]]":
        """An answer and its vectors in the order of the texts; records the call's usage with what was wrong."""
        answer = read_embeddings(reply.body)
        if answer is None:
            record(failed_usage(self._model, "garbage", reply.duration_s))
            raise InvalidAnswer("the server's answer is no list of embeddings", kind="garbage")
        lengths = {len(vector) for vector in answer.vectors if vector is not None}
        error = "count" if len(answer.vectors) != count else ""
        if self._habits.dimension is None and len(lengths) > 1:
            error = error or "dimension"
        record(self._usage(answer, reply, error))
        if error:
            raise InvalidAnswer(f"{len(answer.vectors)} embeddings for {count} texts, of lengths {lengths}", kind=error)
        vectors: list[NDArray[np.float32] | None] = [None] * count
        for position, vector in zip(answer.order, answer.vectors, strict=True):
            vectors[position] = vector
        return answer, vectors

    def _usage(self, answer: EmbeddingAnswer, reply: Reply, error: str) -> Usage:
        model = (answer.model or self._model)[:200]
        price = price_of(self._model) or price_of(model)
        cost = None
        if price and answer.tokens is not None:
            cost = price.cost_usd(input_tokens=answer.tokens, output_tokens=0)
        return Usage(model, answer.tokens or 0, 0, cost, reply.duration_s, error)


def _cosine(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    if a.shape != b.shape or not (a.any() and b.any()):
        return -1.0
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))
