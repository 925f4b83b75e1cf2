"""What the model is asked, and what makes a summary new."""

import hashlib
import json
from typing import Any

import pytest

from llma_assets.models import strict_schema
from llma_assets.summaries import TraceSummary, content_hash
from llma_assets.summaries.prompt import question_hash, summary_messages
from llma_assets.themes import GENERAL, Theme

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


ASKED_BEFORE_THEMES = {
    "traces": (
        "e99ffba8e94f494544e51cba9274dce618411e3f485b63bdf5a2a0d0ff3db835",
        "16088dda9dcb18e3e80214a421978abb62aaf74972288b35751cf7594df98383",
        "9e0334b0f0d368c0f67287d05f6773feeda08fbe6e17c046a8402aa97d1c3d86",
    ),
    "generations": (
        "a31063946321a230f185b73e003155eaf7888e3c3c12088b797345fee1e3a86e",
        "d6b86c3fdb29ca00add6e0a0d2c5ac6ebc35b3ec3036daebc275c7f783349973",
        "9659d7235106b01b1bbe3eb150ba8d1575037a7c7d00ffa5d53008d37293e0f3",
    ),
}
"""Of the general themes, as they were before there were others: hash of content, of question, of the messages."""

SCHEMA_BEFORE_THEMES = "9f55cbd5a15d2b3b588bef10f2f1e21fb4dec91558a7b64570cf8694fd12b0d4"


@pytest.mark.parametrize("theme", GENERAL, ids=lambda theme: theme.theme_id)
def test_answers_that_general_themes_were_given_before_there_were_others_hold(theme: Theme) -> None:
    text, model = "L1: a text", "gpt-4.1-nano"
    asked: dict[str, Any] = {"prompt": theme.prompt, "mode": theme.mode, "judged": theme.judged}
    messages = summary_messages(text, fence="f" * 20, **asked)
    said = "\0".join(f"{message.role}\0{message.text}" for message in messages)
    assert ASKED_BEFORE_THEMES[theme.theme_id] == (
        content_hash(text, theme_id=theme.theme_id, model=model, **asked),
        question_hash(text, model=model, **asked),
        hashlib.sha256(said.encode()).hexdigest(),
    )


def test_the_schema_of_general_themes_is_that_of_before_there_were_others() -> None:
    assert hashlib.sha256(json.dumps(strict_schema(TraceSummary)).encode()).hexdigest() == SCHEMA_BEFORE_THEMES


def test_a_theme_that_asks_for_relevance_asks_another_question_about_the_same_text() -> None:
    asked: dict[str, Any] = {"prompt": "P", "model": "m", "mode": "minimal"}
    assert question_hash("t", **asked, judged=True) != question_hash("t", **asked)
    assert question_hash("t", **asked, judged=True) == question_hash("t", **asked, judged=True)


def test_what_a_rule_judges_by_counts_where_a_rule_judges() -> None:
    asked: dict[str, Any] = {"prompt": "P", "model": "m", "mode": "minimal", "judged": True}
    assert question_hash("t", **asked, by="latency 3") != question_hash("t", **asked, by="latency 4")


def test_themes_with_the_same_question_share_it_and_still_have_contents_of_their_own() -> None:
    asked: dict[str, Any] = {"prompt": "P", "model": "m", "mode": "minimal", "judged": True}
    assert content_hash("t", theme_id="a", **asked) != content_hash("t", theme_id="b", **asked)
    assert content_hash("t", theme_id="a", **asked) != question_hash("t", **asked)
