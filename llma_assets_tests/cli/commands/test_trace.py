"""`llma trace`: the stored text, the text made now, unknown ids, hostile text."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from llma_assets.clickhouse import Database
from llma_assets.settings import Settings
from llma_assets.testing import trace, write_events
from llma_assets_tests.cli.conftest import Answer, Llma

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
    write_events(database, trace(1, "fresh", WHEN, request="Where is my kettle?"))
    result = llma("trace", "--team", "1", "fresh")
    assert result.exit_code == 0
    assert "Where is my kettle?" in result.stdout
    assert "made from the events now" in result.stderr
    assert database.value("SELECT count() FROM trace_texts") == 0


@pytest.mark.parametrize("stored", [True, False])
def test_the_document_has_the_documented_shape(
    database: Database, llma_json: Callable[..., Answer], stored: bool
) -> None:
    write_events(database, trace(1, "t", WHEN))
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
    write_events(database, trace(2, "t", WHEN))
    store_text(database, 2, "t", "L1: secret")
    result = llma("trace", "--team", "1", "t")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("Error: team 1 has no trace 't'")


@pytest.mark.parametrize("item_id", ["", "'; DROP TABLE events --", "100%", "{x:String}", "a\tb\\", "🦊"])
def test_odd_ids_are_just_ids(database: Database, llma: Llma, item_id: str) -> None:
    assert llma("trace", "--team", "1", "--", item_id).exit_code == 1
    if item_id:
        write_events(database, trace(1, item_id, WHEN, request="hello there"))
        assert "hello there" in llma("trace", "--team", "1", "--", item_id).stdout


def test_text_of_a_trace_cannot_steer_the_terminal(database: Database, llma: Llma) -> None:
    store_text(database, 1, "t", "L1: \x1b]0;owned\x07\x1b[2J [bold red]hi[/]\nL2: \u202eabc")
    shown = llma("trace", "--team", "1", "t").stdout
    assert all(line.isprintable() for line in shown.splitlines())
    assert "[bold red]hi[/]" in shown


def test_the_stored_text_of_a_team_that_hides_more_now_is_not_shown(
    database: Database, llma: Llma, settings: Settings
) -> None:
    write_events(database, trace(1, "t", WHEN, request="I am jane.roe@example.org, case ZEUS-1"))
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
    write_events(database, events)
    document = llma_json("trace", "--team", "1", str(events[0]["uuid"])).document
    assert (document["level"], document["trace_id"], document["stored"]) == ("generation", "t", False)
    assert "Where is my kettle?" in document["text"]


def test_the_loss_alone_is_printed_on_request(database: Database, llma: Llma) -> None:
    write_events(database, trace(1, "t", WHEN, request="word " * 4_000 + "jane.roe@example.org"))
    shown = llma("trace", "--team", "1", "--loss", "t").stdout
    assert "Rules used: long_values" in shown
    assert "Hidden: email 1" in shown
    assert "word word" not in shown


GENERATION = "0b13a866-6b39-5c99-aab3-31282034f8a2"


def store_summary(database: Database, theme_id: str, item_id: str = "t", *, team_id: int = 1, **fields: Any) -> None:
    row = {
        "team_id": team_id,
        "day": WHEN.date(),
        "theme_id": theme_id,
        "level": "trace",
        "item_id": item_id,
        "trace_id": "t",
        "generation_id": "",
        "content_hash": "",
        "status": "generated",
        "error": "",
        "model": "gpt-4.1-nano",
        "mode": "detailed",
        "title": f"Title of {theme_id}",
        "flow_diagram": "asks → gets",
        "bullets": '[{"text": "The tool failed.", "line_refs": "L1"}]',
        "interesting_notes": "[]",
        "text_length": 1,
        "event_count": 1,
        "trace_timestamp": WHEN,
        "batch_run_id": "",
        "relevant": True,
        "theme_version": "v1",
    }
    database.insert_rows("trace_summaries", [{**row, **fields}])


def store_cluster(
    database: Database, theme_id: str, cluster_id: int, *, day: date, title: str = "", team_id: int = 1
) -> None:
    key: dict[str, Any] = {"team_id": team_id, "day": day, "theme_id": theme_id, "attempt_id": uuid4()}
    start = datetime.combine(day - timedelta(days=6), datetime.min.time(), UTC)
    database.insert_rows(
        "cluster_members",
        [
            {
                **key,
                "item_id": "t",
                "trace_id": "t",
                "generation_id": "",
                "item_day": WHEN.date(),
                "cluster_id": cluster_id,
                "distance": 0.0,
                "rank": 0,
                "strength": 1.0,
                "x": 0.0,
                "y": 0.0,
                "timestamp": WHEN,
            }
        ],
    )
    cluster = {"cluster_id": cluster_id, "lineage_id": "lineage", "size": 1, "centroid": [1.0]}
    database.insert_rows("clusters", [{**key, **cluster, "centroid_x": 0.0, "centroid_y": 0.0}])
    if title:
        label = {"cluster_id": cluster_id, "title": title, "description": "", "status": "generated", "error": ""}
        database.insert_rows("cluster_labels", [{**key, **label, "model": "gpt-4.1-nano"}])
    run = {
        "level": "trace",
        "run_id": "run",
        "method": "graph",
        "params": "{}",
        "items": 1,
        "window_items": 1,
        "clusters": 1,
        "noise_items": 0,
        "silhouette": None,
        "inertia": None,
        "quality": "{}",
        "embedding_model": "x",
        "window_start": start,
        "window_end": start + timedelta(days=7),
    }
    database.insert_rows("clustering_runs", [{**key, **run}])


def test_each_theme_says_whether_it_is_relevant_and_in_which_cluster_it_was_last(
    database: Database, llma_json: Callable[..., Answer]
) -> None:
    store_text(database, 1, "t", "L1: stored")
    store_summary(database, "errors")
    store_summary(database, "wishes", relevant=False, title="", bullets="[]")
    store_summary(database, "errors", team_id=2, title="secret")
    today = WHEN.date()
    store_cluster(database, "errors", 3, day=today, title="Old name")
    store_cluster(database, "errors", 4, day=today + timedelta(days=2), title="Tools that fail")
    store_cluster(database, "errors", 9, day=today + timedelta(days=3), title="secret", team_id=2)
    summaries = llma_json("trace", "--team", "1", "t").document["summaries"]
    assert [(each["theme"], each["version"], each["relevant"]) for each in summaries] == [
        ("errors", "v1", True),
        ("wishes", "v1", False),
    ]
    assert summaries[0]["cluster"] == {
        "date": "2026-11-09",
        "cluster_id": 4,
        "lineage_id": "lineage",
        "title": "Tools that fail",
        "second": None,
    }
    assert summaries[1]["cluster"] is None


def test_the_themes_of_a_trace_are_said_beside_its_text(database: Database, llma: Llma) -> None:
    store_text(database, 1, "t", "L1: stored")
    store_summary(database, "errors")
    store_summary(database, "ux", relevant=False)
    store_summary(database, "wishes", status="failed", error="invalid_json", title="")
    store_cluster(database, "errors", -1, day=WHEN.date())
    for number in range(7):
        store_summary(database, "generations", f"g{number}", level="generation", relevant=number > 1)
    result = llma("trace", "--team", "1", "t")
    assert result.stdout == "L1: stored\n"
    assert "errors: “Title of errors”, in “Outliers” of 2026-11-07" in result.stderr
    assert "ux: not relevant" in result.stderr
    assert "wishes: failed: invalid_json" in result.stderr
    assert "generations: 7 items, 5 relevant" in result.stderr


def test_the_summaries_of_all_themes_are_printed_on_request(database: Database, llma: Llma) -> None:
    store_text(database, 1, "t", "L1: stored")
    store_summary(database, "errors")
    shown = llma("trace", "--team", "1", "--themes", "t").stdout
    assert "errors (version v1): “Title of errors”, in no cluster" in shown
    assert "- The tool failed. [L1]" in shown
    assert "L1: stored" not in shown


def test_a_generation_has_its_own_summaries_alone(database: Database, llma_json: Callable[..., Answer]) -> None:
    store_text(database, 1, GENERATION, "L1: call", level="generation")
    store_summary(database, "errors")
    store_summary(database, "generations", GENERATION, level="generation")
    summaries = llma_json("trace", "--team", "1", GENERATION).document["summaries"]
    assert [(each["theme"], each["item_id"]) for each in summaries] == [("generations", GENERATION)]
