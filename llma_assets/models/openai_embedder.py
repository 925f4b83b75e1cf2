"""The embedder behind an OpenAI-compatible server: bounded batches, checked vectors, bad texts singled out.

HTTP, retries and deadlines are `openai_server`'s; what comes back looks like `embedding_answer`.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from numpy.typing import NDArray

from llma_assets.models.budget import most_usd_of_embeddings
from llma_assets.models.catalog import with_listed_models
from llma_assets.models.completion import Tokens
from llma_assets.models.embedding_answer import EmbeddingAnswer, cosine, flaw_of, read_embeddings
from llma_assets.models.embedding_capabilities import EmbeddingCapabilities
from llma_assets.models.embedding_work import Part, Work
from llma_assets.models.errors import (
    InvalidAnswer,
    ModelConfigurationError,
    ModelError,
    ModelUnavailable,
    TextsRejected,
)
from llma_assets.models.failures import RequestRejected
from llma_assets.models.metering import CallMeter, answered_usage, failed_usage
from llma_assets.models.openai_model import Connection, OpenAIModel
from llma_assets.models.openai_server import Reply
from llma_assets.models.protocols import Record, ignore_usage
from llma_assets.models.verdicts import keep_refusal, kept_refusal
from llma_assets.tokens import load_vocabulary

if TYPE_CHECKING:
    import openai

_MAX_FAILED_ALONE = 4
"""Texts that failed by themselves, none with a vector: then a text that any model embeds decides about the rest."""

_ANY_TEXT = "a customer asks for a refund"

_PERHAPS_THE_TEXT = {"server_error", "timeout"}
"""Kinds of `ModelUnavailable` that a text can bring about: the model fails on it, or takes too long for so many."""


class OpenAIEmbedder(OpenAIModel):
    """An embedding model by name on any OpenAI-compatible server. Safe to use from several threads."""

    def __init__(
        self,
        model: str,
        *,
        batch_texts: int = 256,
        batch_chars: int = 200_000,
        **connection: Unpack[Connection],
    ) -> None:
        """
        Args:
            model, connection: as for `OpenAIModel`; the deadline is for one batch.
            batch_texts: texts a call at most.
            batch_chars: characters a call at most; a longer text goes alone.

        Raises:
            ModelConfigurationError: the key or the URL cannot be used.
        """
        if min(batch_texts, batch_chars) < 1:
            raise ValueError(f"batch_texts is {batch_texts}, batch_chars {batch_chars}; both must be at least 1")
        super().__init__(model, **connection)
        self._batch_texts, self._batch_chars = batch_texts, batch_chars
        self._capabilities = self._server.capabilities((EmbeddingCapabilities, model), EmbeddingCapabilities)

    @property
    def dimension(self) -> int | None:
        """Length of the vectors, None before the first answer."""
        return self._capabilities.dimension

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
        if refusal := kept_refusal(self._server.asked(self._model)):
            refusal.vectors = work.matrix(self.dimension)
            raise refusal
        try:
            for batch in self._batches(texts):
                self._embed_batch(batch, work, record)
                if work.none_will_succeed:
                    break
        except ModelError as error:
            final = error
            if isinstance(error, ModelConfigurationError):
                final = with_listed_models(error, self._server, self._model)
                keep_refusal(self._server.asked(self._model), final)
            final.vectors = work.matrix(self.dimension)
            raise final from None
        matrix = work.matrix(self.dimension)
        if len(work.rows) < len(texts):
            why = "not_asked" if work.none_will_succeed else "empty"
            kinds = {index: work.failed.get(index, why) for index in range(len(texts)) if index not in work.rows}
            kind = Counter(kinds.values()).most_common(1)[0][0]
            rejected = TextsRejected(
                "no vector for some texts", indexes=list(kinds), kinds=kinds, vectors=matrix, kind=kind
            )
            rejected.said = work.said
            raise rejected
        return matrix

    def _batches(self, texts: Sequence[str]) -> Iterator[list[int]]:
        """Indexes of texts that go together. An empty text has no vector, so the server is not asked for it."""
        batch: list[int] = []
        chars = 0
        for index, text in enumerate(texts):
            if not text.strip():
                continue
            most = min(self._batch_texts, self._capabilities.most_texts or self._batch_texts)
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
            if pieces := part.cut(self._capabilities.most_texts):
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
            if not work.rows and work.failed_alone == _MAX_FAILED_ALONE and self._fails_any_text(record):
                work.none_will_succeed = True
                return

    def _note_size(self, part: Part) -> None:
        """A part was accepted. Where its whole had failed and two of its parts are accepted, it had too many texts."""
        if part.parent is None:
            return
        part.parent.accepted += 1
        part.parent.largest = largest = max(part.parent.largest, len(part.indexes))
        if part.parent.accepted == 2:
            with self._capabilities.lock:
                self._capabilities.most_texts = min(self._capabilities.most_texts or largest, largest)

    def _fails_any_text(self, record: Record) -> bool:
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
            takes_base64 = self._capabilities.takes_base64
            options: dict[str, Any] = {"model": self._model, "input": asked}
            options["encoding_format"] = "base64" if takes_base64 else "float"
            meter = CallMeter(self._model, partial(most_usd_of_embeddings, self._model, asked), self._allowance, record)

            def send(
                client: "openai.OpenAI", timeout_s: float, options: dict[str, Any] = options, meter: CallMeter = meter
            ) -> Any:
                meter.start()
                create: Any = client.embeddings.with_raw_response.create
                return create(timeout=timeout_s, **options)

            try:
                reply = self._server.call(
                    send, deadline=deadline, on_failure=meter.fail, attempts=attempts, is_there=work.is_isolating
                )
            except RequestRejected as rejection:
                if not (takes_base64 and "encoding" in rejection.mentions):
                    raise
                self._capabilities.takes_base64 = False
                continue
            answer, vectors = self._read(reply, len(indexes), meter.finish)
            flaws = [flaw_of(vector) for vector in vectors]
            if takes_base64 and all(flaws) and self._capabilities.dimension is None:
                self._capabilities.takes_base64 = False  # what it calls base64 may be something else
                continue
            break
        if not answer.is_numbered and self._capabilities.is_numbered and len(indexes) > 1:
            self._try_order(asked, vectors, record)
        self._keep(indexes, vectors, flaws, work)

    def _keep(
        self, indexes: list[int], vectors: "list[NDArray[np.float32] | None]", flaws: list[str], work: Work
    ) -> None:
        with self._capabilities.lock:
            for index, vector, flaw in zip(indexes, vectors, flaws, strict=True):
                if flaw or vector is None:
                    work.failed[index] = flaw
                elif len(vector) != (self._capabilities.dimension or len(vector)):
                    work.failed[index] = "dimension"
                else:
                    self._capabilities.dimension = len(vector)
                    work.rows[index] = vector
                    work.failed.pop(index, None)

    def _try_order(self, asked: Sequence[str], vectors: "list[NDArray[np.float32] | None]", record: Record) -> None:
        """The indexes tell nothing: find out, once for a server, whether vectors come in the order of their texts.

        Raises:
            InvalidAnswer: they do not; texts go one by one from now on.
        """
        usable = [position for position, vector in enumerate(vectors) if not flaw_of(vector)]
        alone = Work(asked)
        if usable:
            self._ask([usable[-1]], alone, record)
        (found,) = alone.rows.values() or (None,)
        likeness = [-1.0 if found is None or vector is None else cosine(found, vector) for vector in vectors]
        if found is not None and likeness[usable[-1]] > max(max(likeness) - 1e-3, 0.99):
            self._capabilities.is_numbered = False
            return
        with self._capabilities.lock:
            self._capabilities.most_texts = 1
        raise InvalidAnswer("the answer does not tell which embedding belongs to which text", kind="index")

    def _read(
        self, reply: Reply, count: int, record: Record
    ) -> "tuple[EmbeddingAnswer, list[NDArray[np.float32] | None]]":
        """An answer and its vectors in the order of the texts; records the call's usage with what was wrong."""
        answer = read_embeddings(reply.body)
        if answer is None:
            record(failed_usage(self._model, "garbage", reply.duration_s))
            raise InvalidAnswer("the server's answer is not a list of embeddings", kind="garbage")
        lengths = {len(vector) for vector in answer.vectors if vector is not None}
        error = "count" if len(answer.vectors) != count else ""
        if self._capabilities.dimension is None and len(lengths) > 1:
            error = error or "dimension"
        tokens = Tokens(prompt=answer.tokens, completion=0)
        record(answered_usage(self._model, answer.model, tokens, reply.duration_s, error))
        if error:
            raise InvalidAnswer(f"{len(answer.vectors)} embeddings for {count} texts, of lengths {lengths}", kind=error)
        vectors: list[NDArray[np.float32] | None] = [None] * count
        for position, vector in zip(answer.order, answer.vectors, strict=True):
            vectors[position] = vector
        return answer, vectors
