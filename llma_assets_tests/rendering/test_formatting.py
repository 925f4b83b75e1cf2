"""Single facts are written as the reference says, to the letter."""

import doctest

import pytest

from llma_assets.rendering import cleaning, events, message, tools
from llma_assets.rendering import formatting as formats
from llma_assets.rendering.formatting import call, cost, error_lines, latency, numbered
from llma_assets.rendering.message_parser import read_messages
from llma_assets.rendering.provider_formats import transcripts
from llma_assets.rendering.tools import read_tools, tool_lines


@pytest.mark.parametrize("module", [cleaning, events, formats, message, tools, transcripts])
def test_examples_in_docstrings_run(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


def test_lines_are_numbered_with_empty_ones_among_them() -> None:
    assert numbered(["a", "", "b"]) == ["L1: a", "L2: ", "L3: b"]


def test_a_hundred_lines_have_numbers_of_three_digits() -> None:
    lines = numbered(["x"] * 100)
    assert lines[0] == "L001: x"
    assert lines[-1] == "L100: x"


def test_a_call_shows_each_argument_as_json() -> None:
    assert call("test_func", {"arg1": "val1", "arg2": 42}) == 'test_func(arg1="val1", arg2=42)'
    assert call("test_func", '{"arg1":"val1","arg2":42}') == 'test_func(arg1="val1", arg2=42)'


@pytest.mark.parametrize("arguments", [None, {}, "", "{}"])
def test_a_call_without_arguments_has_empty_parentheses(arguments: object) -> None:
    assert call("test_func", arguments) == "test_func()"


def test_arguments_that_are_no_json_are_shown_as_they_are() -> None:
    assert call("test_func", "not json") == "test_func(not json)"


def test_a_call_of_a_built_in_tool_says_its_status() -> None:
    (message,) = read_messages({"type": "web_search_call", "status": "completed"})
    wish = message.tool_calls[0]
    assert call(wish.name, wish.arguments, wish.status) == "web_search_call() (completed)"


def test_latency_has_two_digits_and_cost_four() -> None:
    assert latency(1.23456) == "1.23s"
    assert (cost(0), cost(1.23456)) == ("$0.0000", "$1.2346")


@pytest.mark.parametrize(
    "error", [{"status": 400, "message": "Invalid parameter"}, '{"status":400,"message":"Invalid parameter"}']
)
def test_an_error_object_becomes_key_value_lines(error: object) -> None:
    assert error_lines(error) == ["status: 400", "message: Invalid parameter"]


def test_an_error_flag_alone_says_that_there_are_no_details() -> None:
    assert error_lines(None) == ["An error occurred (no details available)"]


WEATHER = {
    "name": "get_weather",
    "description": "Get the weather of a city. Uses a paid API.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "unit": {"type": "string"}},
        "required": ["city"],
    },
}


@pytest.mark.parametrize(
    "definition",
    [
        {"type": "function", "function": WEATHER},
        {"type": "function", **WEATHER},
        {"name": "get_weather", "description": WEATHER["description"], "input_schema": WEATHER["parameters"]},
        {"functionDeclarations": [WEATHER]},
        {"name": "get_weather", "description": WEATHER["description"],
         "inputSchema": {"jsonSchema": WEATHER["parameters"]}},
        {"get_weather": {"description": WEATHER["description"], "parameters": WEATHER["parameters"]}},
        {"toolSpec": {**WEATHER, "inputSchema": {"json": WEATHER["parameters"]}}},
    ],
)  # fmt: skip
def test_a_tool_is_its_signature_and_the_first_sentence_of_its_description(definition: object) -> None:
    assert tool_lines(read_tools([definition])) == [
        "AVAILABLE TOOLS: 1",
        "",
        "get_weather(city: string, unit?: string)",
        "  Get the weather of a city.",
    ]


def test_more_than_five_tools_are_names_and_signatures_only() -> None:
    lines = tool_lines(read_tools([{**WEATHER, "name": f"tool_{number}"} for number in range(6)]))
    assert lines[0] == "AVAILABLE TOOLS: 6"
    assert lines[2:] == [f"tool_{number}(city: string, unit?: string)" for number in range(6)]


def test_a_long_text_keeps_its_two_ends_and_says_how_much_is_missing() -> None:
    shown = cleaning.value_of("a" * 500 + "b" * 500).shortened(100)
    assert shown == "a" * 50 + " ... (900 chars truncated) ... " + "b" * 50


@pytest.mark.parametrize("text", ["x" * 5_000, "/".join(["path"] * 200), "word" * 100, "-" * 300, "0" * 400])
def test_long_runs_that_are_no_base64_stay(text: str) -> None:
    assert cleaning.without_base64(text) == (text, 0)


def test_control_characters_and_lone_surrogates_are_replaced() -> None:
    cleaned = cleaning.clean("a\x00b\ud800c\x1b[31mred\r\nnew\tline\u2028end")
    assert cleaned == "a\ufffdb\ufffdcred\nnew\tline\nend"


def test_words_behind_a_data_url_stay() -> None:
    text, removed = cleaning.without_base64("see data:image/png;base64,iVBORw0KGgo= and tell me")
    assert (text, removed) == ("see [image] and tell me", 1)


def test_base64_in_lines_of_mail_is_removed_whole() -> None:
    import base64
    import random

    lines = base64.encodebytes(random.Random(1).randbytes(1_000)).decode()
    text, removed = cleaning.without_base64(f"attached:\n{lines}\nRegards")
    assert removed == 1
    assert text.startswith("attached:\n[base64: ")
    assert text.endswith("\nRegards")
    assert len(text) < 60
