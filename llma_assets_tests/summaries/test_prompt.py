"""What the model is asked, and what makes a summary new."""

from typing import Any

import pytest

from llma_assets.summaries import content_hash
from llma_assets.summaries.prompt import summary_messages

SAME: dict[str, Any] = {"theme_id": "traces", "prompt": "What happened?", "model": "m", "mode": "detailed"}


def test_the_trace_stands_alone_between_its_fences_in_the_last_message() -> None:
    system, user = summary_messages("L1: hello", prompt="P", mode="minimal", fence="f00")
    begin, end = "=== record f00 begins ===", "=== record f00 ends ==="
    assert f"\n{begin}\nL1: hello\n{end}\n" in user.text
    assert "hello" not in system.text


def test_a_trace_with_braces_and_format_fields_is_shown_as_it_is() -> None:
    hostile = "L1: {theme} {0} {text!r} %s {"
    assert hostile in summary_messages(hostile, prompt="P {x}", mode="minimal", fence="f")[1].text


def test_the_mode_says_how_many_bullets() -> None:
    texts = [summary_messages("t", prompt="P", mode=mode, fence="f")[1].text for mode in ("minimal", "detailed")]
    assert "3 to 5 bullets" in texts[0]
    assert "5 to 10 bullets" in texts[1]


def test_the_hash_is_64_hex_digits_and_the_same_each_time() -> None:
    assert content_hash("text", **SAME) == content_hash("text", **SAME)
    assert len(bytes.fromhex(content_hash("text", **SAME))) == 32


@pytest.mark.parametrize("change", [{"theme_id": "other"}, {"prompt": "Why?"}, {"model": "n"}, {"mode": "minimal"}])
def test_whatever_a_summary_depends_on_changes_its_hash(change: dict[str, str]) -> None:
    assert content_hash("text", **SAME) != content_hash("text", **{**SAME, **change})
    assert content_hash("text", **SAME) != content_hash("text.", **SAME)


def test_moving_words_between_fields_changes_the_hash() -> None:
    assert content_hash("ab", **{**SAME, "theme_id": "c"}) != content_hash("a", **{**SAME, "theme_id": "bc"})


def test_a_broken_surrogate_in_a_text_can_be_hashed() -> None:
    assert content_hash("\ud800", **SAME)
