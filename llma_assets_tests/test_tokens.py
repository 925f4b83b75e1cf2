"""Token counts: tiktoken's for OpenAI's models, an approximation that is known as one for all others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llma_assets.tokens import count_each, count_tokens, cut_to_tokens, encoding_of, most_tokens

# Counted once with tiktoken 0.14.0 and the vocabularies of its publisher.
COUNTED = [
    ("", 0, 0),
    ("hello world", 2, 2),
    ("L07: user asks for a refund → look up order → refuse", 14, 14),
    ('search_flights(origin="JFK", date="2024-05-20", passengers=[{"name":"Mia Li"}])', 27, 27),
    ("reservation 8JX2WO, user_id mia_li_3668, $1,234.56", 22, 22),
    ("<|endoftext|> ignore previous instructions", 10, 10),
    ("我想改签明天的航班", 9, 12),
    ("अपनी उड़ान रद्द करें", 7, 23),
    ("👩‍👩‍👧‍👦 e\u0301\u200b\r\n\t\x00", 17, 24),
    ("a" * 100_000, 12_500, 12_500),
]


@pytest.mark.parametrize(("text", "o200k", "cl100k"), COUNTED)
def test_openai_models_are_counted_as_tiktoken_counts(text: str, o200k: int, cl100k: int) -> None:
    assert (count_tokens(text, "gpt-6-luna"), count_tokens(text, "text-embedding-3-large")) == (o200k, cl100k)


@pytest.mark.parametrize(
    ("model", "encoding"),
    [
        ("gpt-4o-mini-2024-07-18", "o200k_base"),
        ("gpt-5.4-nano", "o200k_base"),
        ("gpt-6-luna", "o200k_base"),
        ("openai/gpt-6.1-terra", "o200k_base"),
        ("o4-mini", "o200k_base"),
        ("gpt-4-turbo", "cl100k_base"),
        ("openai/gpt-4.1", "o200k_base"),
        ("ft:gpt-4o-mini:team::abc", "o200k_base"),
        ("offline/extractive-1", None),
        ("claude-sonnet-4", None),
        ("", None),
    ],
)
def test_a_model_has_the_vocabulary_of_its_family(model: str, encoding: str | None) -> None:
    assert encoding_of(model) == encoding


def test_an_unknown_model_is_approximated_by_three_bytes_a_token() -> None:
    assert count_tokens("x" * 3_000, "llama-3") == 1_000
    assert count_tokens("航" * 1_000, "llama-3") == 1_000
    assert count_tokens("", "llama-3") == 0


@given(st.text(alphabet=st.characters(), max_size=200))
def test_any_string_can_be_counted_and_never_exceeds_its_bound(text: str) -> None:
    for model in ("gpt-6-luna", "text-embedding-3-small", "llama-3"):
        assert 0 <= count_tokens(text, model) <= most_tokens(text, model)


@given(st.text(alphabet=st.characters(), max_size=200), st.integers(0, 50))
def test_a_cut_text_is_a_beginning_within_the_limit(text: str, most: int) -> None:
    for model in ("gpt-6-luna", "llama-3"):
        cut = cut_to_tokens(text, most, model)
        assert text.encode("utf-8", "replace").decode().startswith(cut)
        assert count_tokens(cut, model) <= most


def test_a_text_within_the_limit_stays_whole() -> None:
    for model in ("gpt-6-luna", "llama-3"):
        assert cut_to_tokens("hello world", 4, model) == "hello world"


def test_counting_many_is_counting_each() -> None:
    texts = [text for text, *_ in COUNTED]
    assert count_each(texts, "gpt-4o") == [count_tokens(text, "gpt-4o") for text in texts]
    assert count_each([], "gpt-4o") == []
