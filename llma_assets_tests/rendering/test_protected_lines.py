"""Errors, the first and last user message and the final answer are in the text whatever its limit, or named as lost."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llma_assets.rendering import RenderedTrace, RenderOptions, render_generation, render_trace
from llma_assets.tokens import count_tokens
from llma_assets_tests.fuzzing import example_count
from llma_assets_tests.rendering.events import assistant, event, system, user

_FUZZ = settings(max_examples=example_count(40), deadline=None, suppress_health_check=list(HealthCheck))
_FILLER = st.sampled_from(
    ["", "x" * 300, "several words " * 80, "line\n" * 60, "ünïcödé 漢字 " * 50, "0123456789" * 90]
)


def _tool(text: str) -> dict[str, Any]:
    return {"role": "tool", "content": text}


def _trace(turns: int, errors: list[int], filler: list[str]) -> list[dict[str, Any]]:
    """An agent whose turns have marks: `ASK0`, `ANSWER0`, and `FAULT3` where a tool failed."""
    history, events = [system("Be kind. " * 20)], []
    for turn in range(turns):
        pad = filler[turn % len(filler)]
        failed = turn in errors
        result = event("span", turn, span_name="tool", input_state={"q": pad}, output_state=pad + "ok")
        if failed:
            result = event("span", turn, span_name="tool", error=f"FAULT{turn}. {pad}", is_error=True)
        history = [*history, user(f"ASK{turn}. {pad}")]
        answer = assistant(f"ANSWER{turn}. {pad}")
        events += [event("generation", turn, input=history, output_choices=[answer]), result]
        history = [*history, answer]
    return events


def _missing(rendered: RenderedTrace, turns: int, errors: list[int]) -> dict[str, int]:
    marks = {"first_user": ["ASK0."], "last_user": [f"ASK{turns - 1}."], "final_answer": [f"ANSWER{turns - 1}."]}
    marks["error"] = [f"FAULT{turn}." for turn in set(errors)]
    if turns == 1:
        del marks["first_user"]
    lost = {name: sum(mark not in rendered.text for mark in found) for name, found in marks.items()}
    return {name: count for name, count in lost.items() if count}


@_FUZZ
@given(
    turns=st.integers(1, 60),
    errors=st.lists(st.integers(0, 59), max_size=12),
    filler=st.lists(_FILLER, min_size=1, max_size=5),
    limit=st.integers(1, 6_000),
    numbers=st.booleans(),
)
def test_protected_pieces_are_there_or_counted_as_missing(
    turns: int, errors: list[int], filler: list[str], limit: int, numbers: bool
) -> None:
    errors = [turn for turn in errors if turn < turns]
    rendered = render_trace(_trace(turns, errors, filler), RenderOptions(max_chars=limit, line_numbers=numbers))
    assert len(rendered.text) <= limit
    lost = _missing(rendered, turns, errors)
    assert lost == rendered.loss.protected_missing or "hard_cut" in rendered.loss.rules
    if limit >= 700 + 60 * len(set(errors)):
        assert lost == {}


@_FUZZ
@given(
    turns=st.integers(1, 40),
    errors=st.lists(st.integers(0, 39), max_size=6),
    filler=st.lists(_FILLER, min_size=1, max_size=4),
    limit=st.integers(1, 3_000),
    model=st.sampled_from(["gpt-4.1-nano", "gpt-3.5-turbo", "some-model"]),
)
def test_the_text_has_no_more_tokens_than_its_limit(
    turns: int, errors: list[int], filler: list[str], limit: int, model: str
) -> None:
    errors = [turn for turn in errors if turn < turns]
    options = RenderOptions(max_tokens=limit, model=model)
    rendered = render_trace(_trace(turns, errors, filler), options)
    counted = count_tokens(rendered.text, model)
    assert counted <= limit
    assert rendered.loss.tokens_after in {None, counted}
    assert render_trace(_trace(turns, errors, filler), options).text == rendered.text
    if limit >= 700 + 40 * len(set(errors)):
        assert _missing(rendered, turns, errors) == {}


def test_an_error_of_thirty_lines_keeps_its_two_ends_under_a_small_limit() -> None:
    trouble = "\n".join(f"frame {n} in module" for n in range(30))
    events = [
        *_trace(50, [], ["y " * 200]),
        event("span", 99, error=f"FIRST line\n{trouble}\nLAST line", is_error=True),
    ]
    text = render_trace(events, RenderOptions(max_chars=3_000)).text
    assert "FIRST line" in text
    assert "LAST line" in text


def test_an_error_of_thirty_lines_stays_whole_where_there_is_room() -> None:
    trouble = [f"frame {n} in module" for n in range(30)]
    events = [*_trace(200, [], ["y " * 200]), event("span", 500, error="\n".join(trouble), is_error=True)]
    rendered = render_trace(events, RenderOptions(max_chars=12_000))
    assert "sampling" in rendered.loss.rules
    assert all(line in rendered.text for line in trouble)


def test_a_last_message_of_ten_thousand_characters_is_shortened_and_there() -> None:
    events = [
        *_trace(30, [], [""]),
        event("generation", 99, input=[user("BEGIN" + " word" * 2_000 + " END")], output="ok"),
    ]
    text = render_trace(events, RenderOptions(max_chars=1_500)).text
    assert "BEGIN" in text
    assert text.count("word") > 40
    assert " END" in text


def test_the_first_line_of_each_of_many_errors_is_there() -> None:
    events = _trace(200, list(range(0, 200, 2)), ["z" * 400])
    rendered = render_trace(events, RenderOptions(max_chars=9_000))
    assert _missing(rendered, 200, list(range(0, 200, 2))) == {}
    assert rendered.loss.protected_missing == {}


@pytest.mark.heavy
def test_more_errors_than_have_room_are_counted_as_missing() -> None:
    errors = list(range(300))
    rendered = render_trace(_trace(300, errors, [""]), RenderOptions(max_chars=3_000))
    lost = _missing(rendered, 300, errors)
    assert lost["error"] > 100
    assert rendered.loss.protected_missing == lost


@pytest.mark.heavy
def test_ten_thousand_errors_in_a_large_trace_are_counted() -> None:
    events = [event("span", n, error=f"FAULT{n}. " + "stack " * 300, is_error=True) for n in range(10_000)]
    rendered = render_trace(events)
    shown = rendered.text.count("FAULT")
    assert shown > 500
    assert rendered.loss.protected_missing["error"] >= 10_000 - shown


@pytest.mark.heavy
def test_the_answer_of_a_trace_too_large_to_look_at_closely_is_whole() -> None:
    events = [event("span", n, output_state=f"row {n} " + "data " * 800) for n in range(1_000)]
    last = " ".join(f"point{n}" for n in range(150))
    events.append(event("generation", 2_000, input=[user("Summarise all.")], output_choices=[assistant(last)]))
    text = render_trace(events).text
    assert last in text
    assert "Summarise all." in text


@pytest.mark.parametrize("failed", ["Error: no such user", '{"error": "no such user"}', "ValueError: no such user"])
def test_a_failed_tool_result_stays_when_successful_ones_are_cut(failed: str) -> None:
    detail = failed + " because " + "of this and that " * 50
    messages = [m for n in range(60) for m in (user(f"q{n}"), _tool(f"{n} " + "r" * 900))]
    made = event("generation", input=[*messages, _tool(detail), user("and?")])
    rendered = render_generation(made, RenderOptions(max_chars=20_000))
    assert detail.strip() in rendered.text
    assert "r" * 900 not in rendered.text


def test_a_failed_span_without_an_error_keeps_its_output() -> None:
    detail = "it broke: " + "detail " * 100
    events = [*_trace(100, [], ["w" * 500]), event("span", 200, output_state=detail, is_error=True)]
    assert detail.strip() in render_trace(events, RenderOptions(max_chars=15_000)).text


def test_a_repeated_result_is_referred_to_before_others_are_cut() -> None:
    same = "the same page " * 60
    messages = [m for n in range(40) for m in (user(f"q{n} " + "u" * 400), _tool(same))]
    rendered = render_generation(event("generation", input=messages), RenderOptions(max_chars=25_000))
    assert rendered.loss.rules == ("shorter_values", "repeated_results")
    assert rendered.text.count(same.strip()) == 1
    assert rendered.text.count("(same result as above)") == 39


def test_states_are_protected_in_a_trace_without_messages() -> None:
    events = [event("span", n, span_name=f"s{n}", output_state="m" * 500) for n in range(300)]
    events[0] = event("span", 0, input_state="PLEASE begin", output_state="m" * 500)
    events.append(event("span", 400, output_state="THE RESULT is 7"))
    text = render_trace(events, RenderOptions(max_chars=4_000)).text
    assert "PLEASE begin" in text
    assert "THE RESULT is 7" in text


def test_shortened_events_are_counted() -> None:
    events = [event("span", n, output_state=f"{n}" + "v" * 5_000) for n in range(3)] + [
        event("span", 9, output_state="short")
    ]
    loss = render_trace(events).loss
    assert (loss.values_shortened, loss.events_shortened) == (3, 3)
