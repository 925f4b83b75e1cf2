"""The page of a trace: its events as a tree, and which cluster would be its second choice."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from llma_assets.clickhouse import Database
from llma_assets.clusters import runs_of_day
from llma_assets.team_day import TeamDay
from llma_assets.testing.traffic import event, trace, write_events
from llma_assets_tests.reports.stored_runs import DAY
from llma_assets_tests.web.planted import HOSTILE

NOON = datetime.combine(DAY, time(12), UTC)
API = "/api/v1/teams/1/trace"


def step(team_id: int, trace_id: str, number: int, **properties: Any) -> dict[str, Any]:
    """A span."""
    named = {f"$ai_{name}": value for name, value in properties.items()}
    when = NOON + timedelta(milliseconds=number)
    return event(team_id, "$ai_span", when, {"$ai_trace_id": trace_id, "$ai_span_id": f"s{number}", **named})


def test_the_tree_shows_cost_time_and_errors_of_the_team_alone(client: TestClient, planted: Database) -> None:
    for team_id, name in ((1, HOSTILE[0]), (2, "of the other team")):
        write_events(planted, trace(team_id, "talk", NOON, extra={"$ai_is_error": True, "$ai_error": name}))
        write_events(planted, [step(team_id, "talk", 1, span_name=name, parent_id="s1")])
    found = client.get(f"{API}/events", params={"id": "talk"}).json()
    assert found["id"] == "talk"
    kinds = [(each["kind"], each["depth"], each["cost_usd"]) for each in found["tree"]["events"]]
    assert kinds == [("TRACE", 0, 0.002), ("GEN", 1, 0.002), ("SPAN", 1, None), ("SPAN", 1, None)]
    page = client.get("/teams/1/trace?id=talk").text
    assert "model call" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert HOSTILE[0] not in page
    assert "of the other team" not in page
    assert client.get(f"{API}/events", params={"id": "nothing"}).status_code == 404


def test_a_model_call_shows_the_tree_of_its_trace(client: TestClient, planted: Database) -> None:
    events = list(trace(1, "talk", NOON))
    write_events(planted, events)
    page = client.get(f"/teams/1/trace?id={events[0]['uuid']}").text
    assert "Events of its trace" in page
    assert 'class="event here"' in page


def test_lists_end_where_they_began_and_a_long_trace_asks_first(client: TestClient, planted: Database) -> None:
    chain = [step(1, "chain", number, parent_id=f"s{number - 1}") for number in range(1, 41)]
    write_events(planted, chain)
    page = client.get("/teams/1/trace?id=chain").text
    assert page.count("<details") == page.count("</details>") > 20
    assert page.count("<li>") == page.count("</li>")
    many = [step(1, "many", number, parent_id="s0") for number in range(2_100)]
    write_events(planted, many)
    page = client.get("/teams/1/trace?id=many").text
    assert "Show its 2,100 events as a tree" in page
    assert 'class="event"' not in page
    page = client.get("/teams/1/trace?id=many&events=all").text
    assert page.count('class="event"') == 500
    assert "events=all&amp;start=0#events" in page


def test_a_long_trace_is_paged_through_in_order_and_no_page_is_heavy(client: TestClient, planted: Database) -> None:
    words = {"span_name": "a step with a name of some length", "model": "gpt-4o-mini", "latency": 0.5}
    many = [step(1, "many", number, parent_id="s0", is_error=number == 2_000, **words) for number in range(2_001)]
    write_events(planted, [*many, step(2, "many", 7, span_name="of the other team")])
    shown = [f"?id=many&events=all{part}" for part in ("", *(f"&start={start}" for start in range(0, 2_001, 500)))]
    pages = [client.get(f"/teams/1/trace{query}").text for query in shown]
    assert max(len(page.encode()) for page in pages) < 300_000
    assert [page.count("<li>") for page in pages] == [page.count("</li>") for page in pages]
    assert [page.count('class="event"') for page in pages] == [500, 500, 501, 501, 501, 2]
    assert "Events 501 to 1,000 in order" in pages[2]
    assert "start=1000#events" in pages[2]
    assert 'rel="next"' not in pages[-1]
    assert "of the other team" not in "".join(pages)
    assert "There are no more" in client.get("/teams/1/trace?id=many&start=5000").text


@pytest.mark.parametrize(
    ("item", "vector", "told"),
    [
        ("t0", (3.0, 4.0), ("Second choice", "farther")),
        ("stray", (1.0, 0.05), ("Nearest", "no farther than its members reach")),
    ],
)
def test_a_second_choice_is_said_with_how_far_it_is(
    client: TestClient, planted: Database, item: str, vector: tuple[float, ...], told: tuple[str, str]
) -> None:
    for team_id in (1, 2):
        (run,) = runs_of_day(planted, TeamDay(team_id, DAY))
        places = {0: [0.6, 0.8], 1: [1.0, 0.0], 2: [0.0, 1.0]}
        planted.insert_rows(
            "clusters",
            [
                {
                    **run.attempt,
                    "cluster_id": number,
                    "lineage_id": f"traces-{number}",
                    "size": 5,
                    "radius": 0.2,
                    "centroid": places.get(number, [1.0]) if team_id == 1 else [0.61, 0.79],
                    "centroid_x": 0.0,
                    "centroid_y": 0.0,
                }
                for number in range(3)
            ],
        )
        planted.insert_rows(
            "document_embeddings",
            [
                {
                    "team_id": team_id,
                    "product": "llm-analytics",
                    "document_type": "llm-trace-summary",
                    "model_name": run.embedding_model,
                    "rendering": "llm_traces_summary_traces",
                    "document_id": item,
                    "timestamp": datetime.combine(DAY, time(8), UTC),
                    "content": "",
                    "metadata": "{}",
                    "embedding": list(vector),
                }
            ],
        )
    page = client.get(f"/teams/1/trace?id={item}").text
    assert all(words in page for words in told)
    (about,) = client.get(API, params={"id": item}).json()["summaries"]
    second = about["cluster"]["second"]
    assert second["cluster_id"] == (2 if item == "t0" else 1)
    assert second["own_distance"] == (0 if item == "t0" else None)
    assert second["distance"] == pytest.approx(0.632456 if item == "t0" else 0.05, abs=1e-3)
