"""Counts the tokens of a text for a model, for the renderer's limit, estimates and budgets.

Pure: no network, no database, no file but those of an installed package. What tokens cost belongs to
`models.prices`; how a text is shortened belongs to `rendering`.

OpenAI's models are counted exactly, by toktok: its vocabularies are inside the package (tiktoken downloads them when
it is first used), its counts are tiktoken's, and its time is linear also for hostile text. For any other model the
count is an approximation from the length in UTF-8 bytes, and `encoding_of` says so by None.
"""

import math
from collections.abc import Iterable
from typing import Literal

Encoding = Literal["o200k_base", "cl100k_base"]

# By the beginning of the name, the first that fits; as published with tiktoken.
_ENCODINGS: tuple[tuple[str, Encoding], ...] = (
    ("gpt-6", "o200k_base"),
    ("gpt-5", "o200k_base"),
    ("gpt-4.1", "o200k_base"),
    ("gpt-4.5", "o200k_base"),
    ("gpt-4o", "o200k_base"),
    ("chatgpt-4o", "o200k_base"),
    ("gpt-oss", "o200k_base"),
    ("o1", "o200k_base"),
    ("o3", "o200k_base"),
    ("o4-", "o200k_base"),
    ("gpt-4", "cl100k_base"),
    ("gpt-3.5", "cl100k_base"),
    ("gpt-35", "cl100k_base"),
    ("text-embedding-3", "cl100k_base"),
    ("text-embedding-ada-002", "cl100k_base"),
)

BYTES_PER_TOKEN = 3.0
"""For models whose vocabulary is not at hand: the common four characters a token, corrected by what rendered traces
measure, since ids, JSON and numbers are denser than prose: 3.2 in long agent traces, 2.8 in short dialogues, with
either vocabulary. In bytes, since a Chinese character is about a token."""


def encoding_of(model: str) -> Encoding | None:
    """The vocabulary that counts for `model`, None where it is not at hand and counts are approximations.

    A maker's prefix (`openai/gpt-4o`) and that of a tuned model (`ft:gpt-4o:…`) do not matter.

    >>> encoding_of("gpt-6-luna-2026-09-22"), encoding_of("text-embedding-3-large"), encoding_of("llama-3")
    ('o200k_base', 'cl100k_base', None)
    """
    name = model.rsplit("/", 1)[-1].removeprefix("ft:").lower()
    return next((encoding for prefix, encoding in _ENCODINGS if name.startswith(prefix)), None)


def count_tokens(text: str, model: str) -> int:
    """Tokens of `text` for `model`: exact where `encoding_of(model)` is not None, else an approximation.

    Any string is accepted. What looks like a special token counts as the ordinary text that it is. The first call
    loads a vocabulary: half a second and 60 MB; after that some 5 MB of text take a tenth of a second.

    >>> count_tokens("hello world", "gpt-6-luna")
    2
    >>> count_tokens("hello world", "some-local-model")
    4
    """
    return count_each((text,), model)[0]


def count_each(texts: Iterable[str], model: str) -> list[int]:
    """`count_tokens` of each text, in their order, on one thread."""
    encoding = encoding_of(model)
    if encoding is None:
        return [math.ceil(utf8_length(text) / BYTES_PER_TOKEN) for text in texts]
    import toktok

    counts: list[int] = toktok.batch_count([_encodable(text) for text in texts], encoding, threads=1)
    return counts


def load_vocabulary(model: str) -> None:
    """Load the vocabulary of `model`, so that a later call with a deadline need not wait; nothing if it is loaded."""
    count_tokens("", model)


def most_tokens(text: str, model: str) -> int:
    """An upper bound for the tokens of `text`, for budgets.

    The exact count if the vocabulary is known; otherwise the number of UTF-8 bytes, because a byte-level vocabulary has
    at most one token a byte.
    """
    return utf8_length(text) if encoding_of(model) is None else count_tokens(text, model)


def cut_to_tokens(text: str, most: int, model: str) -> str:
    """The longest beginning of `text` with at most `most` tokens, ending between two characters.

    Where counts are approximations, so is this, by the same rule.

    >>> cut_to_tokens("hello world", 1, "gpt-4o")
    'hello'
    """
    if most < 1:
        return ""
    encoding = encoding_of(model)
    if encoding is None:
        return text.encode("utf-8", "replace")[: int(most * BYTES_PER_TOKEN)].decode("utf-8", "ignore")
    import toktok

    cut: str = toktok.truncate(_encodable(text), most, encoding)[0]
    return cut


def utf8_length(text: str) -> int:
    """Bytes of `text` in UTF-8; a lone surrogate counts as one."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


def _encodable(text: str) -> str:
    """`text` with `?` for lone surrogates, which UTF-8 cannot hold and no server can be sent."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode("utf-8")
    return text
