"""Offline summaries: from the text alone, the user's words first, every reference true."""

import gzip
import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llma_assets.models import OfflineChat
from llma_assets.rendering import render_trace
from llma_assets.summaries import LineNumbers, Mode, SummaryPoint, TextItem, TraceSummary, clean_summary, summarise
from llma_assets.summaries.extractive import extract_summary

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"


def numbered(text: str) -> str:
    lines = text.strip("\n").split("\n")
    width = len(str(len(lines)))
    return "\n".join(f"L{n:0{width}d}: {line}" for n, line in enumerate(lines, 1))


REFUND = numbered(
    """
SHOP ASSISTANT
================================================================================

TRACE HIERARCHY:

├─ [GEN] agent_step (1.00s, $0.0100, gpt-4o)
│  [1] SYSTEM
│  You are a shop assistant. Never speak about elephants.
│  [2] USER
│  Hi there! I would like to return a broken espresso machine.
│  [3] ASSISTANT
│  Could you give me the order number?
├─ [GEN] agent_step (1.00s, $0.0100, gpt-4o)
│  [4] USER
│  My order number is 12345.
│  [5] ASSISTANT
│  Tool calls: 1
│    - lookup_order(order_id="12345", shop="Kitchen World")
├─ [SPAN] lookup_order (0.36s, ERROR)
│  ERROR: Error: order service timed out
├─ [GEN] agent_step (1.00s, $0.0100, gpt-4o)
│  [6] ASSISTANT
│  Tool calls: 1
│    - lookup_order(order_id="12345", shop="Kitchen World")
├─ [SPAN] lookup_order (0.36s)
│  Output: {"item": "espresso machine"}
├─ [GEN] agent_step (1.00s, $0.0100, gpt-4o)
│  [7] ASSISTANT
│  Tool calls: 1
│    - find_vouchers(customer="ann")
├─ [SPAN] find_vouchers (0.20s)
│  Output: []
├─ [GEN] agent_step (1.00s, $0.0100, gpt-4o)
│  [8] ASSISTANT
│  Your espresso machine can be returned within thirty days, and a label is on its way.
└─ [GEN] agent_step (1.00s, $0.0100, gpt-4o)
   [9] USER
   Thanks!
   [10] ASSISTANT
   You're welcome! Have a nice day.
"""
)


def texts(points: list[SummaryPoint]) -> list[str]:
    return [point.text for point in points]


def lines_of(point: SummaryPoint, text: str) -> str:
    """The lines that a point refers to."""
    by_number = {int(line[1 : line.index(":")]): line for line in text.split("\n")}
    found = []
    for ref in point.line_refs.split(", "):
        first, _, last = ref[1:].partition("-")
        found += [by_number[n] for n in range(int(first), int(last or first) + 1)]
    return "\n".join(found)


def test_the_title_is_what_the_user_wants_without_the_courtesies() -> None:
    assert extract_summary(REFUND, "detailed").title == "Return a broken espresso machine"


def test_the_flow_names_roles_and_tools_in_order_and_folds_repeats() -> None:
    flow = extract_summary(REFUND, "detailed").flow_diagram
    assert flow == "user → assistant → user → lookup_order ×2 → find_vouchers → assistant → user → assistant"


def test_each_bullet_refers_to_the_lines_that_say_it() -> None:
    bullets = extract_summary(REFUND, "detailed").bullets
    asked, called, answered = bullets[0], next(b for b in bullets if "lookup order" in b.text.lower()), bullets[-1]
    assert "broken espresso machine" in lines_of(asked, REFUND)
    assert lines_of(called, REFUND).count("- lookup_order(") == 2
    assert "Kitchen World" in called.text
    assert "can be returned" in lines_of(answered, REFUND)


def test_a_courtesy_is_not_the_answer() -> None:
    assert "welcome" not in extract_summary(REFUND, "detailed").bullets[-1].text


def test_an_error_is_noted_once_with_its_tool_and_reason() -> None:
    notes = extract_summary(REFUND, "detailed").interesting_notes
    errors = [note for note in notes if note.text.startswith("Error")]
    assert texts(errors) == ["Error in lookup order: order service timed out"]
    assert "timed out" in lines_of(errors[0], REFUND)


def test_a_call_made_again_unchanged_is_noted() -> None:
    notes = texts(extract_summary(REFUND, "detailed").interesting_notes)
    assert "Lookup order was called 2 times with the same arguments" in notes


def test_an_empty_result_is_noted() -> None:
    assert "Find vouchers found nothing" in texts(extract_summary(REFUND, "detailed").interesting_notes)


def test_a_missing_result_is_noted() -> None:
    text = numbered("[1] USER\nBook a table\n[2] ASSISTANT\nTool calls: 1\n  - book()\n[tool output not recorded]")
    assert texts(extract_summary(text, "detailed").interesting_notes) == ["The result of a tool was not recorded"]


def test_system_prompts_and_lists_of_tools_stay_out() -> None:
    text = numbered(
        "-" * 80
        + "\n\nAVAILABLE TOOLS: 1\n\nelephants(req: str)\n  Feeds elephants.\n\n"
        + "-" * 80
        + "\n\nINPUT:\n\n[1] SYSTEM\n\nTalk about elephants.\n\n[2] USER\n\nPlease translate this letter to Finnish\n\n"
        + "-" * 80
        + "\n\nOUTPUT:\n\n[1] ASSISTANT\n\nHyvä herra, kiitos kirjeestänne viime viikolta."
    )
    summary = extract_summary(text, "minimal")
    assert summary.title == "Translate this letter to Finnish"
    assert "elephant" not in summary.model_dump_json().lower()
    assert "Hyvä herra" in summary.bullets[-1].text


def test_a_message_that_a_history_repeats_is_read_once() -> None:
    turn = "[1] USER\nPlease compare two mortgage offers for me\n"
    summary = extract_summary(numbered("[GEN] a (1s)\n" + turn + "[GEN] b (1s)\n" + turn), "detailed")
    assert len(summary.bullets) == 1


def test_a_trace_without_users_is_described_by_its_name_and_spans() -> None:
    text = numbered(
        "NIGHTLY REPORT\n" + "=" * 80 + "\n\nTRACE HIERARCHY:\n\n├─ [SPAN] load_rows (1.20s)\n"
        "│  Output: 12 rows\n└─ [SPAN] send_mail (0.10s)"
    )
    summary = extract_summary(text, "detailed")
    assert summary.title == "Nightly report, load rows, send mail"
    assert summary.flow_diagram == "load_rows → send_mail"


@pytest.mark.parametrize("text", ["", "\n", "no numbers at all", "L1: ", "L1: [1] USER", "L1: Tool calls: 3", "[SPAN]"])
def test_any_text_gives_a_title_and_a_bullet(text: str) -> None:
    summary = extract_summary(text, "detailed")
    assert summary.title.strip()
    assert summary.bullets


LINE = st.one_of(
    st.sampled_from(
        ["[1] USER", "[2] ASSISTANT", "[3] TOOL", "Tool calls: 2", "  - f(a=\"b c d\")", "[SPAN] x (1s, ERROR)",
         "[GEN] g (1s)", "ERROR: bad", "-" * 80, "AVAILABLE TOOLS: 2", "Output: []", "[tool output not recorded]"]
    ),
    st.text(max_size=60).map(lambda text: " ".join(text.split())),
)  # fmt: skip


@given(st.lists(LINE, max_size=40), st.sampled_from(["minimal", "detailed"]))
def test_whatever_the_lines_say_every_reference_is_true_and_the_same_each_time(lines: list[str], mode: Mode) -> None:
    text = numbered("\n".join(lines))
    summary = extract_summary(text, mode)
    mended = clean_summary(summary, LineNumbers.of(text), mode)
    assert mended.refs_valid == mended.refs_total
    assert extract_summary(text, mode) == summary
    assert TraceSummary.model_validate_json(summary.model_dump_json()) == summary


def traces(name: str, most: int) -> dict[str, list[dict[str, object]]]:
    path = DATA / f"{name}.events.jsonl.gz"
    if not path.exists():
        pytest.skip(f"{path.name} is not here")
    found: dict[str, list[dict[str, object]]] = {}
    with gzip.open(path) as lines:
        for line in lines:
            event = json.loads(line)
            trace_id = event["properties"]["$ai_trace_id"]
            if trace_id not in found and len(found) == most:
                break
            found.setdefault(trace_id, []).append(event)
    return found


@pytest.mark.heavy
@pytest.mark.parametrize("name", ["airline_agent", "service_dialogues"])
def test_real_traces_get_summaries_about_what_their_users_want(name: str) -> None:
    found = traces(name, 40)
    began_s = time.thread_time()
    rendered = {trace_id: render_trace(events).text for trace_id, events in found.items()}
    items = [TextItem(trace_id, text) for trace_id, text in rendered.items()]
    rendered_s = time.thread_time()
    results = list(summarise(items, OfflineChat(), theme_id="t", prompt="p", record=lambda _, __: None))
    summarised_s = time.thread_time()
    assert all(result.refs_valid == result.refs_total > 0 for result in results)
    assert not any("policy" in result.title.lower() for result in results)
    for result in results:
        title_words = set(result.title.lower().split())
        asked = rendered[result.item_id].lower()
        assert sum(word.strip("(),.") in asked for word in title_words) >= len(title_words) - 2
    assert summarised_s - rendered_s < 2 * (rendered_s - began_s), "a quarter, on any machine"


CALL = """
{rule}

INPUT:

[1] SYSTEM

You are a shop assistant.

[2] USER

I would like to return a broken espresso machine.

[3] ASSISTANT

Tool calls: 1
  - lookup_order(order_id="12345", shop="Kitchen World")

[4] TOOL

{result}

{rule}

OUTPUT:

[1] ASSISTANT

The order is eleven days old, so that it can be returned.
"""


def test_a_model_call_is_about_what_is_new_in_it() -> None:
    text = numbered(CALL.format(rule="-" * 80, result='{"item": "espresso machine"}'))
    summary = extract_summary(text, "minimal")
    assert summary.title == "Lookup order"
    assert summary.flow_diagram == "lookup_order → assistant"
    assert "return a broken" not in str(texts(summary.bullets))
    assert "eleven days old" in texts(summary.bullets)[-1]
    first = CALL[: CALL.index("[3] ASSISTANT")] + CALL[CALL.rindex("{rule}") :]
    assert extract_summary(numbered(first.format(rule="-" * 80)), "minimal").title == "Return a broken espresso machine"


def test_a_heading_in_what_a_user_wrote_hides_nothing_of_a_trace() -> None:
    text = numbered("[GEN] g (1s)\n[1] USER\nPlease cancel my order\nOUTPUT:\n[2] ASSISTANT\nIt is cancelled now.")
    assert extract_summary(text, "minimal").title == "Cancel my order"
