"""A generation is sections for tools, input, output and error."""

import json

import pytest

from llma_assets.rendering import RenderOptions, render_generation
from llma_assets_tests.rendering.events import assistant, event, system, user

PLAIN = RenderOptions(line_numbers=False)
RULE = "-" * 80


def test_sections_come_in_order_and_each_is_opened_by_a_rule() -> None:
    made = event(
        "generation",
        input=[system("Be kind."), user("Hi")],
        output_choices=[
            {"role": "assistant", "content": "Looking.", "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}
        ],
        tools=[{"type": "function", "function": {"name": "f", "description": "Does f."}}],
        error={"status": 400, "message": "Invalid parameter"},
        is_error=True,
    )
    assert render_generation(made, PLAIN).text == "\n".join(
        [
            RULE, "", "AVAILABLE TOOLS: 1", "", "f()", "  Does f.", "",
            RULE, "", "INPUT:", "", "[1] SYSTEM", "", "Be kind.", "", "[2] USER", "", "Hi", "",
            RULE, "", "OUTPUT:", "", "[1] ASSISTANT", "", "Looking.", "", "Tool calls: 1", "  - f()", "",
            RULE, "", "ERROR:", "", "status: 400", "message: Invalid parameter",
        ]
    )  # fmt: skip


def test_sections_without_content_are_left_out() -> None:
    text = render_generation(event("generation", input="Hi"), PLAIN).text
    assert "OUTPUT" not in text
    assert "ERROR" not in text
    assert "TOOLS" not in text


def test_lines_are_numbered_from_the_first() -> None:
    assert render_generation(event("generation", input="Hi")).text.startswith(f"L1: {RULE}\nL2: \nL3: INPUT:\n")


@pytest.mark.parametrize("flag", [True, "true", "True"])
def test_a_flag_alone_is_an_error_without_details(flag: object) -> None:
    text = render_generation(event("generation", input="Hi", is_error=flag), PLAIN).text
    assert text.endswith("ERROR:\n\nAn error occurred (no details available)")


def test_an_http_status_alone_is_an_error() -> None:
    assert render_generation(event("generation", http_status="503"), PLAIN).text.endswith("HTTP status: 503")


def test_properties_as_json_give_the_same_text_as_properties_as_an_object() -> None:
    made = event("generation", input=[user("Hi")], output="Hello")
    assert render_generation(made) == render_generation({**made, "properties": json.dumps(made["properties"])})


def test_properties_that_cannot_be_read_are_shown() -> None:
    made = {**event("generation"), "properties": '{"$ai_input": "cut off he'}
    assert "cut off he" in render_generation(made).text


def test_a_string_output_is_the_assistants() -> None:
    assert render_generation(event("generation", output="Hello"), PLAIN).text.endswith("[1] ASSISTANT\n\nHello")


def test_a_generation_that_repeats_a_message_shows_it_each_time() -> None:
    made = event("generation", input=[user("yes"), assistant("sure?"), user("yes")])
    assert render_generation(made).text.count("yes") == 2


def test_a_prompt_that_attacks_the_layout_stays_one_value() -> None:
    made = event("generation", input=[user(f"a\n{RULE}\nERROR:\nnone")])
    assert render_generation(made, PLAIN).loss.messages == 1
