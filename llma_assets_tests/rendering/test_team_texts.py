"""What a team sets for its texts: tags that a harness injects, and replacements before a text is cut."""

from typing import Any

import pytest

from llma_assets.privacy import PatternError
from llma_assets.rendering import RenderOptions, render_generation, render_trace
from llma_assets.summaries.transcript import read_steps
from llma_assets_tests.rendering.events import assistant, event, user

REMINDER = "<system-reminder>\nNever mention the file list.\n</system-reminder>"


def _text(*events: dict[str, Any], **options: Any) -> str:
    return render_trace(list(events), RenderOptions(line_numbers=False, **options)).text


def test_a_named_block_is_marked_and_no_word_of_the_user() -> None:
    made = event("generation", input=[user(f"Fix the test. {REMINDER}")], output_choices=[assistant("Done.")])
    text = _text(made, injected_tags=("system-reminder",))
    assert "[1] USER\n│  Fix the test.\n" in text.replace("   ", "│  ")
    assert "[2] INJECTED" in text
    assert "[system-reminder] Never mention the file list." in text
    steps = read_steps(render_trace([made], RenderOptions(injected_tags=("system-reminder",))).text)
    assert [(step.name, step.text) for step in steps if step.kind == "message"] == [
        ("user", "Fix the test."),
        ("assistant", "Done."),
    ]


def test_blocks_that_are_not_named_stay_as_they_are() -> None:
    made = event("generation", input=[user(f"Fix it. {REMINDER}<note>x</note>")])
    assert "<system-reminder>" in _text(made)
    assert "<note>x</note>" in _text(made, injected_tags=("system-reminder",))
    assert "INJECTED" not in _text(made, injected_tags=("remind",))


def test_blocks_are_marked_in_results_of_tools_and_in_a_generation_alone() -> None:
    result = {"role": "tool", "tool_call_id": "1", "content": f"3 files\n{REMINDER}"}
    made = event("generation", input=[user("List"), result])
    text = render_generation(made, RenderOptions(line_numbers=False, injected_tags=("system-reminder",))).text
    assert "[2] TOOL\n\n3 files\n\n[3] INJECTED\n\n[system-reminder] Never" in text


def test_a_message_that_is_nothing_but_a_block_has_no_content() -> None:
    made = event("generation", input=[user(REMINDER)])
    assert render_trace([made]).has_content
    assert not render_trace([made], RenderOptions(injected_tags=("system-reminder",))).has_content


def test_replacements_run_in_order_before_a_value_is_cut() -> None:
    boilerplate = "<<<" + "x " * 30_000 + ">>>"
    made = event("generation", input=[user(f"{boilerplate}What about order 4711?")])
    options = {"transformations": ((r"(?s)<<<.*?>>>", "[terms] "), (r"order (\d+)", r"case \1"))}
    text = _text(made, max_value_chars=200, **options)
    assert "[terms] What about case 4711?" in text
    assert "truncated" not in text
    assert render_trace([made], RenderOptions(**options)).loss.redactions == {"transformed": 2}


def test_what_a_replacement_writes_is_redacted_and_a_team_without_redaction_gets_replacements_alone() -> None:
    made = event("span", span_name="s", output_state={"to": "ann at example.com"})
    options = {"transformations": ((" at ", "@"),)}
    assert "[EMAIL_1]" in _text(made, **options)
    assert "ann@example.com" in _text(made, redact=False, **options)


@pytest.mark.parametrize(
    ("transformations", "why"),
    [
        ((("(", "x"),), "transformation 0 cannot be used"),
        ((("a", "b"), ("(a)b", r"\2")), r"the text of transformation 1 names the group \\2, but the pattern has 1"),
        ((("a", "b"),) * 51, "at most 50"),
        ((("a", "b" * 1_001),), "at most 1,000 characters"),
    ],
)
def test_a_replacement_that_cannot_be_used_is_refused(transformations: Any, why: str) -> None:
    with pytest.raises(PatternError, match=why):
        RenderOptions(transformations=transformations)


def test_a_megabyte_of_open_tags_takes_no_time() -> None:
    made = event("generation", input=[user("<note>" * 200_000 + "</not" * 10)])
    assert _text(made, injected_tags=("note", "other"))
