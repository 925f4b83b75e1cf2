"""A history that each generation repeats is shown once, and what is new is never hidden."""

import gzip
import json
from collections import defaultdict
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llma_assets.rendering import RenderOptions, read_messages, render_trace
from llma_assets_tests.fuzzing import example_count
from llma_assets_tests.rendering.events import assistant, conversation, event, system, user

PLAIN = RenderOptions(line_numbers=False, max_chars=10**7)
AIRLINE = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "airline_agent.events.jsonl.gz"


def test_each_message_of_a_growing_conversation_is_shown_once() -> None:
    text = render_trace(conversation(10), PLAIN).text
    wanted = ["Be kind.", *chain.from_iterable((f"question {n}?", f"answer {n}!") for n in range(10))]
    assert [text.count(message) for message in wanted] == [1] * 21


def test_a_message_stands_under_the_generation_that_brought_it() -> None:
    lines = render_trace(conversation(3), PLAIN).text.split("\n")
    nodes = [index for index, line in enumerate(lines) if "[GEN]" in line]
    assert nodes[1] < lines.index("│  question 1?") < lines.index("│  answer 1!") < nodes[2]


def test_numbers_are_positions_in_the_conversation() -> None:
    text = render_trace(conversation(2), PLAIN).text
    assert "[4] USER\n   question 1?\n   [5] ASSISTANT" in text


@pytest.mark.heavy
def test_text_grows_linearly_with_the_turns() -> None:
    lengths = [len(render_trace(conversation(turns), PLAIN).text) for turns in (100, 200, 300)]
    assert abs((lengths[2] - lengths[1]) - (lengths[1] - lengths[0])) < 400


def test_saying_the_same_again_is_a_new_message() -> None:
    history = [user("yes"), assistant("sure?"), user("yes"), assistant("sure?"), user("yes")]
    events = [event("generation", n, input=history[: 2 * n + 1], output_choices=[history[2 * n + 1]]) for n in (0, 1)]
    text = render_trace([*events, event("generation", 2, input=history, output="done")], PLAIN).text
    assert text.count("yes") == 3
    assert text.count("sure?") == 2


def test_a_stretch_said_twice_in_one_conversation_is_shown_twice() -> None:
    stretch = [user("again"), assistant("as you wish")]
    events = [
        event("generation", 1, input=stretch[:1], output_choices=stretch[1:]),
        event("generation", 2, input=[*stretch, *stretch, user("stop")], output="ok"),
    ]
    text = render_trace(events, PLAIN).text
    assert text.count("again") == text.count("as you wish") == 2


_SPOKEN = st.tuples(st.sampled_from(["user", "assistant", "tool", "system"]), st.sampled_from("abcde"))


@given(turns=st.lists(st.tuples(st.lists(_SPOKEN, max_size=6), st.booleans(), st.sampled_from("abcde")), max_size=6))
@settings(max_examples=example_count(300), deadline=None)
def test_no_message_of_any_conversation_is_lost(turns: list[tuple[list[tuple[str, str]], bool, str]]) -> None:
    history: list[dict[str, Any]] = []
    events = []
    for number, (said, goes_on, answer) in enumerate(turns):
        added = [{"role": role, "content": f"<{word}>"} for role, word in said]
        history = [*history, *added] if goes_on else added
        events.append(event("generation", number, input=history, output_choices=[assistant(f"<{answer}>")]))
        history = [*history, assistant(f"<{answer}>")]
    text = render_trace(events, PLAIN).text
    for made in events:
        given_messages = made["properties"]["$ai_input"]
        for message in [*given_messages, *made["properties"]["$ai_output_choices"]]:
            assert text.count(message["content"]) >= max(given_messages.count(message), 1)


def test_interleaved_sub_agents_each_show_their_own_history_once() -> None:
    weather = conversation(4, prompt="You know the weather.", label="w", parent="a")
    news = conversation(4, prompt="You know the news.", label="n", parent="b")
    spans = [event("span", -1, span_id="a", span_name="A"), event("span", -1, span_id="b", span_name="B")]
    text = render_trace([*spans, *(e for pair in zip(weather, news, strict=True) for e in pair)], PLAIN).text
    for label in "wn":
        assert [text.count(f"question {label}{n}?") for n in range(4)] == [1] * 4
        assert [text.count(f"answer {label}{n}!") for n in range(4)] == [1] * 4


def test_sub_agents_that_are_told_the_same_words_stay_apart() -> None:
    events = [
        event("generation", n, input=[system(f"You are agent {n}."), user("Plan a trip.")], output=f"plan {n}")
        for n in range(2)
    ]
    assert render_trace(events, PLAIN).text.count("Plan a trip.") == 2


def test_a_system_prompt_that_changes_each_turn_does_not_repeat_the_history() -> None:
    events = conversation(6)
    for number, made in enumerate(events):
        made["properties"]["$ai_input"][0] = system(f"The time is 12:0{number}.")
    text = render_trace(events, PLAIN).text
    assert [text.count(f"answer {n}!") for n in range(6)] == [1] * 6
    assert [text.count(f"12:0{n}") for n in range(6)] == [1] * 6


def test_a_window_that_drops_old_turns_does_not_repeat_the_rest() -> None:
    events = conversation(8)
    for made in events:
        prompt, *rest = made["properties"]["$ai_input"]
        made["properties"]["$ai_input"] = [prompt, *rest[-5:]]
    text = render_trace(events, PLAIN).text
    assert [text.count(f"question {n}?") for n in range(8)] == [1] * 8


def test_a_summary_in_place_of_old_turns_is_new_and_the_rest_is_not() -> None:
    first = conversation(4)
    kept = first[-1]["properties"]["$ai_input"][-3:]
    given = [system("Be kind."), user("SUMMARY so far"), *kept, user("more?")]
    later = event("generation", 9, input=given, output="ok")
    text = render_trace([*first, later], PLAIN).text
    assert text.count("SUMMARY so far") == text.count("more?") == 1
    assert text.count("question 3?") == text.count("answer 2!") == 1


def test_a_retry_with_the_same_input_shows_only_its_answer() -> None:
    events = [event("generation", n, input=[user("Try.")], output=f"attempt {n}") for n in range(2)]
    text = render_trace(events, PLAIN).text
    assert text.count("Try.") == 1
    assert "attempt 0" in text
    assert "(input as above)\n   [2] ASSISTANT\n   attempt 1" in text


def test_a_call_that_is_repeated_word_for_word_says_so() -> None:
    events = [event("generation", n, input=[user("Try.")], output="same") for n in range(2)]
    text = render_trace(events, PLAIN).text
    assert text.count("same") == 1
    assert text.endswith("(input and answer as above)")


def test_an_answer_like_the_first_words_of_the_conversation_is_shown() -> None:
    greeting = assistant("How can I help?")
    events = [event("generation", 1, input=[greeting, user("Start again.")], output_choices=[greeting])]
    assert render_trace(events, PLAIN).text.count("How can I help?") == 2


def test_thoughts_that_later_calls_leave_out_do_not_repeat_the_history() -> None:
    answer = {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "A"}]}
    events = [
        event("generation", 1, input=[user("Q1")], output_choices=[answer]),
        event("generation", 2, input=[user("Q1"), assistant("A"), user("Q2")], output="B"),
        event("generation", 3, input=[user("Q1"), answer, user("Q2"), assistant("B"), user("Q3")], output="C"),
    ]
    text = render_trace(events, PLAIN).text
    assert [text.count(word) for word in ("Q1", "Q2", "Q3", "hm")] == [1] * 4


def test_a_tools_result_that_a_span_shows_is_not_shown_again() -> None:
    wish = {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "f", "arguments": '{"a": 1}'}}]}
    result = {"role": "tool", "content": '{"found": "treasure"}'}
    events = [
        event("generation", 1, input=[user("Go")], output_choices=[wish]),
        event("span", 2, span_name="f", input_state={"a": 1}, output_state={"found": "treasure"}),
        event("generation", 3, input=[user("Go"), wish, result], output="Done"),
    ]
    text = render_trace(events, PLAIN).text
    assert text.count("treasure") == 1
    assert text.count("f(a=1)") == 1
    assert "Input:" not in text


def test_two_equal_results_need_two_spans_to_be_left_out() -> None:
    results = [{"role": "tool", "content": "same"}, {"role": "tool", "content": "same"}]
    events = [
        event("span", 1, span_name="f", output_state="same"),
        event("generation", 2, input=[user("Go"), *results]),
    ]
    assert render_trace(events, PLAIN).text.count("same") == 2


def test_states_of_a_graph_show_each_message_once() -> None:
    asked, answered = {"type": "human", "content": "Find it."}, {"type": "ai", "content": "Found."}
    events = [
        event("span", 5, latency=5, span_name="graph", span_id="g",
              input_state={"messages": [asked]}, output_state={"messages": [asked, answered]}),
        event("span", 3, latency=2, span_name="agent", span_id="a", parent_id="g",
              input_state={"messages": [asked]}, output_state={"messages": [answered]}),
        event("generation", 2, parent_id="a", input=[system("Help."), user("Find it.")], output="Found."),
    ]  # fmt: skip
    text = render_trace(events, PLAIN).text
    assert text.count("Find it.") == text.count("Found.") == 1
    assert "Output: (as above)" in text


def test_the_answer_of_a_planner_that_its_own_agent_gave_is_not_repeated() -> None:
    events = [
        event("span", 9, latency=9, span_id="p", input_state={"messages": [user("Plan.")]},
              output_state={"messages": [assistant("The plan.")]}),
        event("generation", 5, parent_id="p", input=[user("Plan."), {"role": "tool", "content": "facts"}],
              output="The plan."),
    ]  # fmt: skip
    assert render_trace(events, PLAIN).text.count("The plan.") == 1


def test_a_long_value_that_stands_above_is_referred_to_and_a_short_one_repeated() -> None:
    events = [
        event("span", n, input_state={"document": "d" * 100}, output_state={"ok": True}, span_name=f"s{n}")
        for n in range(3)
    ]
    rendered = render_trace(events, PLAIN)
    assert rendered.text.count("d" * 100) == 1
    assert rendered.text.count("Input: (as above)") == rendered.loss.values_repeated == 2
    assert rendered.text.count('{"ok":true}') == 3


def test_the_vector_of_an_embedding_does_not_enter_the_text() -> None:
    text = render_trace([event("embedding", input="a text", output_choices=[[0.125, 0.5]])], PLAIN).text
    assert "a text" in text
    assert "0.125" not in text


def test_tool_definitions_are_shown_once_until_they_change() -> None:
    def tools(*names: str) -> list[dict[str, Any]]:
        return [{"type": "function", "function": {"name": name}} for name in names]

    events = [event("generation", n, tools=tools("a", "b"), input=[user(f"q{n}")]) for n in range(3)]
    events.append(event("generation", 5, tools=tools("a"), input=[user("q5")]))
    text = render_trace(events, PLAIN).text
    assert text.count("AVAILABLE TOOLS: 2") == text.count("AVAILABLE TOOLS: 1") == 1


def test_every_message_is_there_each_time_when_history_once_is_off() -> None:
    text = render_trace(conversation(5), RenderOptions(history_once=False, max_chars=10**6)).text
    assert text.count("question 0?") == 5


@pytest.mark.skipif(not AIRLINE.exists(), reason="the shared airline traces are not here")
def test_real_agent_runs_lose_no_message_and_repeat_none() -> None:
    traces: dict[str, list[dict[str, Any]]] = defaultdict(list)
    with gzip.open(AIRLINE) as lines:
        for line in lines:
            row = json.loads(line)
            traces[row["properties"]["$ai_trace_id"]].append(row)
            if len(traces) > 25:
                break
    for events in traces.values():
        options = RenderOptions(line_numbers=False, max_chars=10**6, max_value_chars=10**5, redact=False)
        text = render_trace(events, options).text
        body = "\n".join(line.lstrip("│├└─ ") for line in text.split("\n"))
        longest = max(
            (read_messages(e["properties"]["$ai_input"]) for e in events if e["event"] == "$ai_generation"), key=len
        )
        for message in longest:
            squeezed = "\n".join(line.lstrip("│├└─ ") for line in message.text.split("\n"))
            assert squeezed in body
            if len(squeezed) > 150 and message.role == "assistant":
                assert body.count(squeezed) == sum(m.text == message.text for m in longest)


SHAPES: dict[str, Callable[[list[dict[str, Any]]], Any]] = {
    "a state": lambda messages: {"messages": messages},
    "a prompt": lambda messages: {"output": messages},
    "a prompt as a value": lambda messages: {
        "output": {"lc": 1, "type": "constructor", "id": ["x", "ChatPromptValue"], "kwargs": {"messages": messages}}
    },
    "the arguments of a Send": lambda messages: {"node": "agent", "arg": {"messages": messages, "topic": "weather"}},
    "Sends": lambda messages: {"output": {"goto": [{"node": "agent", "arg": {"messages": messages}}]}},
    "messages as arguments": lambda messages: {"node": "agent", "arg": messages},
    "JSON": lambda messages: json.dumps({"output": messages}),
    "pairs": lambda messages: {"output": [[message["type"], message["content"]] for message in messages]},
}


@pytest.mark.heavy
@pytest.mark.parametrize("shape", SHAPES)
def test_spans_that_repeat_a_conversation_of_100_turns_do_not_multiply_it(shape: str) -> None:
    history: list[dict[str, Any]] = []
    events = []
    for turn in range(100):
        history = [*history, {"type": "human", "content": f"question {turn} " + f"about town number {turn} " * 8}]
        answer = {"type": "ai", "content": f"answer {turn} " + f"sunny and warm at {turn} degrees " * 8}
        events += [
            event("span", 2 * turn, span_name="prompt", output_state=SHAPES[shape](history)),
            event("generation", 2 * turn + 1, input=history, output_choices=[answer]),
        ]
        history = [*history, answer]
    rendered = render_trace(events, RenderOptions(max_chars=10**9, line_numbers=False))
    assert len(rendered.text) < 1.4 * sum(len(message["content"]) for message in history)
    assert rendered.text.count("question 50 ") == rendered.text.count("answer 99 ") == 1
