"""An item that goes wrong costs itself, is named, and holds up neither its day nor the days after it."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from llma_assets.clickhouse import Database
from llma_assets.isolation import fault_of
from llma_assets.ledger import list_item_skips, record_item_skips
from llma_assets.rendering import RenderedTrace, RenderOptions, render_trace, rows
from llma_assets.rendering.checks import few_items_not_rendered
from llma_assets.rendering.queries import Candidate
from llma_assets.rendering.store import Sampling, store_texts
from llma_assets.summaries import selection as taking
from llma_assets.summaries.selection import update_selection
from llma_assets.team_day import TeamDay
from llma_assets.testing import day_of_traces, trace, write_events
from llma_assets.themes.built_in import ERROR_ANALYSIS
from llma_assets_tests.pipeline.runs import Pipeline, told

DAY = date(2026, 11, 7)
WHEN = datetime(2026, 11, 7, 9, tzinfo=UTC)
TEXTS = "SELECT item_id, text, loss, cost_usd FROM trace_texts FINAL WHERE team_id = {team:Int64} AND level = 'trace'"


def texts_of(pipeline: Pipeline, team_id: int, *, last: date = DAY, **options: Any) -> dg.ExecuteInProcessResult:
    """The texts alone, which is what may break."""
    return pipeline.texts(team_id, DAY, last, asset_selection=[dg.AssetKey("trace_texts")], **options)


def breaks_on(poison: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of the renderer that some traces bring out; its message quotes the trace."""

    def faulty(events: Sequence[Mapping[str, Any]], options: RenderOptions) -> RenderedTrace:
        if poison in json.dumps(events, default=str):
            raise LookupError(f"{poison} alice@example.com")
        return render_trace(events, options)

    monkeypatch.setattr(rows, "render_trace", faulty)


def test_messages_that_once_stopped_a_day_no_longer_do(pipeline: Pipeline) -> None:
    odd: list[Any] = [[{"text": "a"}] * 201, json.dumps([{"question": "q", "answer": "a"}] * 300)]
    odd.append([{"role": "tool", "content": [{"type": ["string", "null"]}], "kind": {"a": 1}}])
    for number, value in enumerate(odd):
        extra = {"$ai_input": value}
        write_events(pipeline.database, trace(1, f"odd-{number}", WHEN + timedelta(minutes=number), extra=extra))
    write_events(pipeline.database, day_of_traces(1, DAY, 4))
    write_events(pipeline.database, day_of_traces(2, DAY, 2))
    assert texts_of(pipeline, 1).success
    assert len(pipeline.database.rows(TEXTS, team=1)) == 7
    assert list_item_skips(pipeline.database, day=DAY) == []


def test_an_item_that_cannot_be_rendered_is_shown_as_recorded_and_named(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaks_on("poison", monkeypatch)
    next_day = DAY + timedelta(days=1)
    write_events(pipeline.database, day_of_traces(1, DAY, 4))
    write_events(pipeline.database, trace(1, "bad", WHEN, request="poison\u200b, write to bob@example.com"))
    write_events(pipeline.database, day_of_traces(1, next_day, 3))
    write_events(pipeline.database, trace(2, "bad", WHEN, request="a sound one of another team"))
    result = texts_of(pipeline, 1, last=next_day)
    texts_of(pipeline, 2)
    assert result.success

    texts = {row["item_id"]: row for row in pipeline.database.rows(TEXTS, team=1)}
    assert len(texts) == 8
    bad = texts["bad"]
    assert "poison, write to [EMAIL_1]" in bad["text"]
    assert bad["text"].startswith("L01: EVENTS AS RECORDED")
    assert json.loads(bad["loss"])["rules"] == ["as_recorded"]
    assert bad["cost_usd"] == pytest.approx(0.002)
    assert "TRACE HIERARCHY" in texts[f"trace-{DAY}-0"]["text"]
    (skip,) = list_item_skips(pipeline.database, day=DAY)
    assert (skip.team_id, skip.stage, skip.level, skip.item_id) == (1, "trace_texts", "trace", "bad")
    assert skip.reason == "not_rendered"
    assert skip.detail.startswith("broken: LookupError in ")
    assert "(rendering/rows.py:" in skip.detail
    assert "alice" not in skip.detail
    made = {str(each.partition): told(each.metadata) for each in result.asset_materializations_for_node("trace_texts")}
    assert made[f"{DAY}|1"]["items_not_rendered"] == 1
    assert "items_not_rendered" not in made[f"{next_day}|1"]


def test_an_item_that_is_well_again_is_skipped_no_more(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        breaks_on("poison", broken)
        write_events(pipeline.database, trace(1, "bad", WHEN, request="poison"))
        write_events(pipeline.database, trace(2, "bad", WHEN, request="poison"))
        for team_id in (1, 2):
            texts_of(pipeline, team_id)
        assert [skip.team_id for skip in list_item_skips(pipeline.database, day=DAY)] == [1, 2]
    before = pipeline.database.value("SELECT count() FROM item_skips")
    texts_of(pipeline, 1)
    assert pipeline.database.value("SELECT count() FROM item_skips") == before
    write_events(pipeline.database, trace(1, "bad", WHEN + timedelta(minutes=1), request="it goes on"))
    texts_of(pipeline, 1)
    assert [skip.team_id for skip in list_item_skips(pipeline.database, day=DAY)] == [2]


def test_a_renderer_that_fails_on_everything_stores_nothing(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_events(pipeline.database, day_of_traces(1, DAY, 12))
    with monkeypatch.context() as broken:
        breaks_on("case", broken)
        result = texts_of(pipeline, 1, raise_on_error=False)
        assert not result.success
        assert pipeline.database.rows(TEXTS, team=1) == []
    assert texts_of(pipeline, 1).success
    assert len(pipeline.database.rows(TEXTS, team=1)) == 12


def test_the_check_warns_of_more_than_a_few(database: Database) -> None:
    team_day = TeamDay(1, DAY)
    for number in (0, 2, 3):
        made = [_made(team_day, f"i{n}") for n in range(9)]
        database.insert_rows("trace_texts", [*made, _made(TeamDay(2, DAY), "i0")])
        failed = {f"i{n}": "KeyError at x.py:1" for n in range(number)}
        record_item_skips(database, team_day, stage="trace_texts", level="trace", failed=failed, reason="not_rendered")
        (outcome,) = few_items_not_rendered(database, team_day)
        assert outcome.passed == (number < 3)
    assert outcome.found == "3 of 9, such as i0: KeyError at x.py:1"
    assert all(outcome.passed for outcome in few_items_not_rendered(database, TeamDay(2, DAY)))


def _made(team_day: TeamDay, item_id: str) -> dict[str, Any]:
    item = Candidate(item_id, item_id, WHEN, WHEN, 1, 1)
    event = {"uuid": "1", "event": "$ai_span", "timestamp": WHEN, "properties": '{"$ai_output_state": "x"}'}
    return rows.text_row(item, [event], "trace", team_day, RenderOptions()).row


def test_a_row_is_made_of_anything() -> None:
    item = Candidate("i", "i", WHEN, WHEN, 1, 1)
    for events in ([], [{"uuid": None, "event": [], "timestamp": {}, "properties": None}], [{"properties": b"\xff"}]):
        for level in ("trace", "generation"):
            made = rows.text_row(item, events, level, TeamDay(1, DAY), RenderOptions())
            assert made.row["text"] or not made.fault
            made.row["text"].encode()


def test_what_cannot_even_be_shown_as_recorded_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is shown that was not looked through for private values."""
    breaks_on("bob", monkeypatch)

    def no_redactor(**_: object) -> None:
        raise RecursionError

    monkeypatch.setattr(rows, "redactor_of", no_redactor)
    item = Candidate("i", "i", WHEN, WHEN, 1, 1)
    event = {"uuid": "1", "event": "$ai_span", "timestamp": WHEN, "properties": '{"$ai_output_state": "bob@x.com"}'}
    made = rows.text_row(item, [event], "trace", TeamDay(1, DAY), RenderOptions())
    assert made.row["text"] == "(could not be read)"
    assert not made.row["has_content"]
    assert made.fault.count("broken: ") == 2


def test_a_fault_is_told_without_its_message() -> None:
    with pytest.raises(ValueError, match="4111") as raised:
        int("4111 1111 1111 1111")
    assert fault_of(raised.value) == "broken: ValueError"


def test_a_rule_that_fails_on_an_item_leaves_that_item_out_and_names_it(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, team_day = pipeline.database, TeamDay(1, DAY)
    for team_id in (1, 2):
        for number in range(4):
            extra = {"$ai_error": f"timeout {number}", "$ai_is_error": True}
            write_events(database, trace(team_id, f"t{number}", WHEN + timedelta(minutes=number), extra=extra))
        texts_of(pipeline, team_id)
    real = taking.applies

    def faulty(rule: Any, text: str, *rest: Any) -> Any:
        if "timeout 2" in text:
            raise ZeroDivisionError(text)
        return real(rule, text, *rest)

    sampling = Sampling(pipeline.now, timedelta(minutes=30), {"trace": 100, "generation": 12}, [ERROR_ANALYSIS])
    store_texts(database, team_day, RenderOptions(), sampling, progress=lambda *_: None)
    with monkeypatch.context() as broken:
        broken.setattr(taking, "applies", faulty)
        taken = update_selection(database, team_day, ERROR_ANALYSIS)
    assert sorted(taken.items) == ["t0", "t1", "t3"]
    (skip,) = list_item_skips(database, day=DAY)
    assert (skip.team_id, skip.stage, skip.theme_id, skip.item_id) == (1, "trace_summaries", "error_analysis", "t2")
    assert skip.reason == "rule_failed"
    assert skip.detail.startswith("broken: ZeroDivisionError in ")
    assert "(summaries/selection.py:" in skip.detail
