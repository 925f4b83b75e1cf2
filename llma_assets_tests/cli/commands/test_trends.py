"""`llma trends` on stored runs: each day's own items, one team, people's decisions."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from llma_assets.clickhouse import Database
from llma_assets.team_day import midnight
from llma_assets_tests.cli.conftest import Answer, Llma
from llma_assets_tests.clusters.planted import item_id, lineages, name_clusters, plant, run_day, stored_run
from llma_assets_tests.databases import PlantedOnce

FIRST = date(2026, 11, 2)


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def store_numbers(database: Database, team_id: int, when: date, topic: str, count: int, *, errors: int) -> None:
    """Cost and errors of a topic's items, as the rendering room stores them."""
    rows = [
        {
            "team_id": team_id,
            "day": when,
            "level": "trace",
            "item_id": item_id(topic, when, number),
            "trace_id": item_id(topic, when, number),
            "generation_id": "",
            "text": "",
            "text_hash": "",
            "loss": "{}",
            "line_count": 1,
            "event_count": 1,
            "trace_timestamp": midnight(when),
            "cost_usd": 0.25,
            "latency_s": 1.0,
            "tokens": 10,
            "error_count": 2 if number < errors else 0,
            "renderer": "test",
        }
        for number in range(count)
    ]
    database.insert_rows("trace_texts", rows)


def three_days_of_two_teams(database: Database) -> None:
    """A grows from day to day and breaks more often, B stays; the other team has the same ids and other numbers."""
    for number in range(3):
        for team_id, sizes in ((1, {"A": 6 + 7 * number, "B": 12}), (2, {"A": 3, "B": 9})):
            plant(database, team_id, day(number), sizes)
            for topic, count in sizes.items():
                errors = number if topic == "A" and team_id == 1 else 3
                store_numbers(database, team_id, day(number), topic, count, errors=errors)
            run_day(database, team_id, day(number), 2)
            name_clusters(database, team_id, day(number))


@pytest.fixture
def three_days(database: Database, planted_once: PlantedOnce) -> Database:
    planted_once(three_days_of_two_teams)
    return database


def by_title(answer: Answer) -> dict[str, dict[str, Any]]:
    (theme,) = answer.document["themes"]
    return {each["title"]: each for each in theme["trends"]}


def test_each_day_counts_its_own_items(three_days: Database, llma_json: Callable[..., Answer]) -> None:
    answer = llma_json("trends", "--team", "1", "--weeks", "1")
    assert (answer.document["team"], answer.document["from"], answer.document["until"]) == (
        1,
        "2026-10-29",
        "2026-11-04",
    )
    found = by_title(answer)
    assert list(found) == ["Topic A of team 1", "Topic B of team 1"]
    grown = found["Topic A of team 1"]
    assert [(each["day"], each["items"]) for each in grown["days"]] == [
        ("2026-11-02", 6),
        ("2026-11-03", 13),
        ("2026-11-04", 20),
    ]
    assert [round(each["share"]["value"], 3) for each in grown["days"]] == [0.333, 0.52, 0.625]
    assert [each["error_rate"]["part"] for each in grown["days"]] == [0, 1, 2]
    assert (grown["items"], grown["cost_usd"]) == (39, 9.75)
    assert grown["lineage_id"] == lineages(three_days, 1, day(0))["A"]["lineage_id"]
    assert found["Topic B of team 1"]["items"] == 36


def test_a_team_sees_only_its_own(three_days: Database, llma_json: Callable[..., Answer]) -> None:
    found = by_title(llma_json("trends", "--team", "2"))
    assert {title: each["items"] for title, each in found.items()} == {"Topic B of team 2": 27, "Topic A of team 2": 9}
    assert found["Topic A of team 2"]["share"]["now"]["part"] == 9


def test_a_day_that_was_not_clustered_is_counted_in_the_next_run(
    database: Database, llma_json: Callable[..., Answer]
) -> None:
    for number in range(4):
        plant(database, 1, day(number), {"A": 6, "B": 12})
    for number in (0, 3):
        run_day(database, 1, day(number), 2)
    sizes = {each["days"][0]["items"]: each for each in by_title(llma_json("trends", "--team", "1")).values()}
    assert [each["items"] for each in sizes[12]["days"]] == [12, 12, 12, 12]
    assert sizes[6]["items"] == 24


def test_a_run_that_is_made_again_counts_once(three_days: Database, llma_json: Callable[..., Answer]) -> None:
    before = by_title(llma_json("trends", "--team", "1"))
    plant(three_days, 1, day(2), {"B": 1}, first=50)
    run_day(three_days, 1, day(2), 2)
    after = {each["lineage_id"]: each["items"] for each in by_title(llma_json("trends", "--team", "1")).values()}
    assert after == {
        before["Topic A of team 1"]["lineage_id"]: 39,
        before["Topic B of team 1"]["lineage_id"]: 37,
    }


def test_hidden_ones_are_left_out_and_merged_ones_count_together(
    three_days: Database, llma: Llma, llma_json: Callable[..., Answer]
) -> None:
    of = {topic: row["lineage_id"] for topic, row in lineages(three_days, 1, day(0)).items()}
    llma("clusters", "merge", of["A"], of["B"], "--team", "1")
    (one,) = by_title(llma_json("trends", "--team", "1")).values()
    assert (one["items"], one["merged_lineage_ids"]) == (75, [of["B"]])
    llma("clusters", "unmerge", of["B"], "--team", "1")
    llma("clusters", "hide", of["B"], "--team", "1")
    (one,) = by_title(llma_json("trends", "--team", "1")).values()
    assert one["lineage_id"] == of["A"]
    assert one["days"][0]["share"]["value"] == pytest.approx(1 / 3)
    assert len(by_title(llma_json("trends", "--team", "2"))) == 2


def test_the_page_has_a_line_for_each_lineage(three_days: Database, llma: Llma) -> None:
    llma("clusters", "rename", lineages(three_days, 1, day(0))["A"]["lineage_id"], "Money back", "--team", "1")
    result = llma("trends", "--team", "1", "--weeks", "2")
    assert result.exit_code == 0
    head, columns, first, second = result.stdout.strip().splitlines()
    assert head == "team 1, traces, 2026-10-22 to 2026-11-04"
    assert columns.split() == [
        "lineage", "title", "items", "traces", "by", "day", "share,", "7", "days", "errors,", "7", "days", "USD",
    ]  # fmt: skip
    assert "Money back" in first
    assert "▅▇█" in first
    assert "52.0% (" in first
    assert "Topic B of team 1" in second


def test_a_lineage_that_began_and_one_that_ended_are_said_first(
    database: Database, llma_json: Callable[..., Answer]
) -> None:
    for number in range(10):
        plant(database, 1, day(number), {"A": 12, **({"B": 9} if number < 2 else {"X": 9})})
        run_day(database, 1, day(number), 3 if 2 <= number < 8 else 2)
        name_clusters(database, 1, day(number))
    found = by_title(llma_json("trends", "--team", "1", "--weeks", "2"))
    assert [(title, each["state"]) for title, each in found.items()] == [
        ("Topic X of team 1", "new"),
        ("Topic B of team 1", "ended"),
        ("Topic A of team 1", ""),
    ]


def test_without_runs_it_says_so(llma: Llma, llma_json: Callable[..., Answer]) -> None:
    result = llma("trends", "--team", "1")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "Team 1 has no clusters yet. Team 1 has no trace events; " in result.stderr
    assert llma_json("trends", "--team", "1").document == {"team": 1, "from": None, "until": None, "themes": []}


def test_an_unknown_theme_is_wrong_use(three_days: Database, llma: Llma) -> None:
    result = llma("trends", "--team", "1", "--theme", "nonsense")
    assert result.exit_code == 2
    assert "it has clusters of traces" in result.stderr
    assert llma("trends", "--team", "1", "--theme", "traces").exit_code == 0


def test_runs_from_before_lineages_are_not_counted(three_days: Database, llma_json: Callable[..., Answer]) -> None:
    for number in range(3):
        run = three_days.rows(
            "SELECT * FROM clustering_runs FINAL WHERE team_id = 1 AND day = {day:Date}", day=day(number)
        )[0]
        run.pop("committed_at")
        three_days.insert_rows("clustering_runs", [run | {"lineage": "{}"}])
    assert stored_run(three_days, 1, day(0)).lineage == "{}"
    assert llma_json("trends", "--team", "1").document["themes"] == []
