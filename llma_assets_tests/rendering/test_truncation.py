"""A text never exceeds its length, and what matters most survives."""

import re
from itertools import pairwise

import pytest

from llma_assets.rendering import RenderOptions, render_generation, render_trace
from llma_assets_tests.rendering.events import assistant, conversation, event, user


def _long_trace(turns: int = 200) -> list[dict[str, object]]:
    events = conversation(turns, prompt="Be kind. " * 50)
    events[turns // 2]["properties"].update({"$ai_error": "the ROOF is on fire", "$ai_is_error": True})
    return events


@pytest.mark.parametrize("limit", [1, 50, 200, 1_000, 5_000, 20_000])
def test_the_text_never_exceeds_the_limit(limit: int) -> None:
    rendered = render_trace(_long_trace(), RenderOptions(max_chars=limit))
    assert len(rendered.text) <= limit
    assert rendered.loss.characters_after == len(rendered.text)


def test_a_sampled_text_says_so_first_with_its_share_and_all_lines() -> None:
    rendered = render_trace(_long_trace(), RenderOptions(max_chars=10_000))
    first, rest = rendered.text.split("\n", 1)
    match = re.fullmatch(
        r"\[SAMPLED VIEW: Showing ~(\d+)% of ([\d,]+) lines\. Gaps in line numbers indicate omitted content\.\]", first
    )
    assert match is not None
    total = int(match.group(2).replace(",", ""))
    assert abs(100 * (rest.count("\n") + 1) / total - int(match.group(1))) <= 1
    assert "sampling" in rendered.loss.rules


def test_lines_keep_the_numbers_that_they_had_before_sampling() -> None:
    events = _long_trace()
    full = set(render_trace(events, RenderOptions(max_chars=10**7)).text.split("\n"))
    sampled = render_trace(events, RenderOptions(max_chars=10_000)).text.split("\n")[1:]
    assert set(sampled) <= full


def test_lines_are_sampled_evenly_from_the_whole_body() -> None:
    text = render_trace(_long_trace(), RenderOptions(max_chars=10_000)).text
    numbers = [int(found) for found in re.findall(r"^L0*(\d+):", text, re.MULTILINE)]
    gaps = [b - a for a, b in pairwise(numbers)]
    assert max(gaps) <= 4 * sum(gaps) / len(gaps)


def test_sampling_keeps_the_header_errors_and_first_and_last_messages() -> None:
    text = render_trace(_long_trace(), RenderOptions(max_chars=4_000)).text
    for protected in ("TRACE\n", "the ROOF is on fire", "question 0?", "question 199?", "answer 199!", ", ERROR)"):
        if protected != ", ERROR)":
            assert protected in text
    assert "[GEN] generation (ERROR)" in text


def test_many_errors_leave_room_for_the_last_message() -> None:
    events = [event("span", n, error="broken " * 200) for n in range(500)]
    events.append(event("generation", 999, input=[user("please HELP me")], output="sorry, NO"))
    text = render_trace(events, RenderOptions(max_chars=3_000)).text
    assert "please HELP me" in text
    assert "sorry, NO" in text
    assert text.count("broken") > 5


def test_a_huge_last_question_leaves_its_two_ends() -> None:
    events = [*_long_trace(), event("generation", 10**4, input=[user("FIRST" + "x" * 10**6 + "LAST")], output="ok")]
    text = render_trace(events, RenderOptions(max_chars=5_000)).text
    assert "FIRST" in text
    assert "LAST" in text


def test_long_values_are_shortened_before_any_line_is_left_out() -> None:
    events = [event("span", n, span_name=f"s{n}.", output_state=f"{n}" + "v" * 3_000) for n in range(40)]
    rendered = render_trace(events, RenderOptions(max_chars=30_000))
    assert "sampling" not in rendered.loss.rules
    assert rendered.loss.values_shortened == 39  # all but the last, which is the answer
    assert all(f"s{n}." in rendered.text for n in range(40))


def test_tool_results_become_shorter_than_what_people_said() -> None:
    events = [
        event("generation", n, input=[user(f"{n} " + "u" * 900), {"role": "tool", "content": f"{n} " + "r" * 900}])
        for n in range(20)
    ]
    rendered = render_trace(events, RenderOptions(max_chars=28_000, history_once=False))
    assert "tool_results" in rendered.loss.rules
    assert "u" * 900 in rendered.text
    assert "r" * 900 not in rendered.text


def test_a_text_that_fits_loses_nothing() -> None:
    loss = render_trace(conversation(3), RenderOptions(line_numbers=False)).loss
    assert loss.rules == ()
    assert loss.characters_before == loss.characters_after
    assert loss.lines_before == loss.lines_after


def test_a_generation_keeps_its_limit_and_its_last_question() -> None:
    history = [m for n in range(2_000) for m in (user(f"question {n}?"), assistant(f"answer {n}!"))]
    rendered = render_generation(event("generation", input=[*history, user("the LAST one?")]), RenderOptions(8_000))
    assert len(rendered.text) <= 8_000
    assert "the LAST one?" in rendered.text
    assert "question 0?" in rendered.text


def test_without_line_numbers_the_sampling_header_promises_no_gaps_in_them() -> None:
    text = render_trace(_long_trace(), RenderOptions(max_chars=5_000, line_numbers=False)).text
    assert text.startswith("[SAMPLED VIEW: Showing ~")
    assert "Gaps" not in text


@pytest.mark.parametrize("options", [{"max_chars": 0}, {"max_value_chars": 5}])
def test_limits_that_no_text_can_keep_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least"):
        RenderOptions(**options)
