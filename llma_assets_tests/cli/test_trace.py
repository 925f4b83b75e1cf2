"""`llma trace`: the stored text, the text made now, unknown ids, hostile text."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from llma_assets.clickhouse import Database
from llma_assets.settings import Settings
from llma_assets_tests.cli.conftest import Answer, Llma
from llma_assets_tests.traffic import trace, write

WHEN = datetime(2026, 11, 7, 8, tzinfo=UTC)
STORED = {
    "day": WHEN.date(),
    "trace_id": "t",
    "generation_id": "",
    "text_hash": "",
    "loss": '{"values_shortened": 2}',
    "line_count": 1,
    "event_count": 3,
    "trace_timestamp": WHEN,
    "cost_usd": 0.5,
    "latency_s": 1.5,
    "tokens": 10,
    "error_count": 0,
    "renderer": "1",
}


def store_text(database: Database, team_id: int, item_id: str, text: str, level: str = "trace") -> None:
    database.insert_rows(
        "trace_texts", [{**STORED, "team_id": team_id, "item_id": item_id, "text": text, "level": level}]
    )


def test_the_stored_text_is_printed_as_models_see_it(database: Database, llma: Llma) -> None:
    store_text(database, 1, "t", "L1: stored\nL2: text")
    result = llma("trace", "--team", "1", "t")
    assert (result.stdout, result.exit_code) == ("L1: stored\nL2: text\n", 0)
    assert "long values 2" in result.stderr


def test_a_trace_that_no_run_has_seen_is_rendered_now_and_not_stored(database: Database, llma: Llma) -> None:
    write(database, trace(1, "fresh", WHEN, request="Where is my kettle?"))
    result = llma("trace", "--team", "1", "fresh")
    assert result.exit_code == 0
    assert "Where is my kettle?" in result.stdout
    assert "made from the events now" in result.stderr
    assert database.value("SELECT count() FROM trace_texts") == 0


@pytest.mark.parametrize("stored", [True, False])
def test_the_document_has_the_documented_shape(
    database: Database, llma_json: Callable[..., Answer], stored: bool
) -> None:
    write(database, trace(1, "t", WHEN))
    if stored:
        store_text(database, 1, "t", "L1: stored")
    document = llma_json("trace", "--team", "1", "t").document
    assert list(document) == [
        "team", "id", "stored", "level", "trace_id", "day", "facts", "loss", "text", "summaries",
    ]  # fmt: skip
    assert (document["stored"], document["day"], document["facts"]["event_count"]) == (stored, "2026-11-07", 3)
    assert list(document["facts"]) == [
        "event_count", "line_count", "cost_usd", "latency_s", "tokens", "error_count",
    ]  # fmt: skip


def test_a_generation_is_found_by_its_uuid(database: Database, llma_json: Callable[..., Answer]) -> None:
    store_text(database, 1, "0b13a866-6b39-5c99-aab3-31282034f8a2", "L1: call", level="generation")
    document = llma_json("trace", "--team", "1", "0b13a866-6b39-5c99-aab3-31282034f8a2").document
    assert (document["level"], document["trace_id"]) == ("generation", "t")


def test_a_trace_of_another_team_is_unknown(database: Database, llma: Llma) -> None:
    write(database, trace(2, "t", WHEN))
    store_text(database, 2, "t", "L1: secret")
    result = llma("trace", "--team", "1", "t")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("Error: team 1 has no trace 't'")


@pytest.mark.parametrize("item_id", ["", "'; DROP TABLE events --", "100%", "{x:String}", "a\tb\\", "🦊"])
def test_odd_ids_are_just_ids(database: Database, llma: Llma, item_id: str) -> None:
    assert llma("trace", "--team", "1", "--", item_id).exit_code == 1
    if item_id:
        write(database, trace(1, item_id, WHEN, request="hello there"))
        assert "hello there" in llma("trace", "--team", "1", "--", item_id).stdout


def test_text_of_a_trace_cannot_steer_the_terminal(database: Database, llma: Llma) -> None:
    store_text(database, 1, "t", "L1: \x1b]0;owned\x07\x1b[2J [bold red]hi[/]\nL2: \u202eabc")
    shown = llma("trace", "--team", "1", "t").stdout
    assert all(line.isprintable() for line in shown.splitlines())
    assert "[bold red]hi[/]" in shown


def test_the_stored_text_of_a_team_that_hides_more_now_is_not_shown(
    database: Database, llma: Llma, settings: Settings
) -> None:
    write(database, trace(1, "t", WHEN, request="I am jane.roe@example.org, case ZEUS-1"))
    store_text(database, 1, "t", "L1: I am jane.roe@example.org, case ZEUS-1")
    settings.data_dir.mkdir(exist_ok=True)
    (settings.data_dir / "teams.toml").write_text('[teams.1]\nredaction_patterns = ["ZEUS-[0-9]+"]\n')
    result = llma("trace", "--team", "1", "t")
    assert "I am [EMAIL_1], case [CUSTOM_1]" in result.stdout
    assert "made from the events now" in result.stderr


def test_a_generation_that_no_run_has_seen_is_rendered_now(
    database: Database, llma_json: Callable[..., Answer]
) -> None:
    events = list(trace(1, "t", WHEN, request="Where is my kettle?"))
    write(database, events)
    document = llma_json("trace", "--team", "1", str(events[0]["uuid"])).document
    assert (document["level"], document["trace_id"], document["stored"]) == ("generation", "t", False)
    assert "Where is my kettle?" in document["text"]


def test_the_loss_alone_is_printed_on_request(database: Database, llma: Llma) -> None:
    write(database, trace(1, "t", WHEN, request="word " * 4_000 + "jane.roe@example.org"))
    shown = llma("trace", "--team", "1", "--loss", "t").stdout
    assert "Rules used: long_values" in shown
    assert "Hidden: email 1" in shown
    assert "word word" not in shown
