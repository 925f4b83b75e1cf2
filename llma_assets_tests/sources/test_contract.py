"""What every kind of source must do: the same work gives the same events, whatever tool recorded it."""

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from llma_assets.clickhouse import Database
from llma_assets.defs.due_days import days_to_make
from llma_assets.discovery import EVENTS_BY_TEAM_AND_DAY, team_stats
from llma_assets.rendering import item_facts, render_partition, render_trace
from llma_assets.rendering.candidates import items_of_day
from llma_assets.rendering.queries import events_of_generations, events_of_traces
from llma_assets.source_catalog import add_source, register_tenants, source_named
from llma_assets.stage import Report
from llma_assets.team_day import TeamDay
from llma_assets.teams import TeamOptions
from llma_assets.themes import GENERAL
from llma_assets.trace_events import TRIGGER_EVENTS
from llma_assets_tests.sources.spans import BANK, DAY, SHOP, refund
from llma_assets_tests.sources.writers import TOOLS, Tool

pytestmark = pytest.mark.database
QUIET = timedelta(minutes=30)
OF_THE_SAME_STATEMENT = ("otel-events", "otel-details")
"""What becomes of their messages differs from what becomes of `otel` and `otel-logs`, and not when it is made."""
OF_OWN_STATEMENTS = [
    pytest.param(each, marks=pytest.mark.exhaustive if each.name in OF_THE_SAME_STATEMENT else ()) for each in TOOLS
]
UNVERSIONED = [each for each in TOOLS if not each.has_versions and not each.name.startswith("otel-")]


def _teams(database: Database, name: str) -> dict[str, int]:
    return {tenant.value: tenant.team_id for tenant in source_named(database, name).tenants}


def _properties(event: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(event["properties"])
    return found


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_the_same_work_gives_the_same_events(tool: Tool, database: Database, store: Database) -> None:
    tool.create(store)
    spans = list(refund())
    tool.write(store, spans)
    tool.write(store, spans)  # sent twice
    tool.write(store, refund("loan", tenant=BANK))
    tool.write(store, refund("late", DAY + timedelta(hours=13, minutes=59, seconds=55)))
    add_source(database, tool.source(store), by="test")
    new = [register_tenants(database, DAY - timedelta(days=6), DAY + timedelta(days=2)) for _ in range(2)]
    assert new == ([0, 0] if tool.numbered else [2, 0])
    teams = {SHOP: 7, BANK: 8} if tool.numbered else _teams(database, tool.name)

    stats = {each.team_id: each for each in team_stats(database, DAY.date() + timedelta(days=1), 7)}
    assert {team: each.traces for team, each in stats.items()} == {teams[SHOP]: 2, teams[BANK]: 1}
    assert not any(each.unreadable for each in stats.values())

    day = TeamDay(teams[SHOP], date(2026, 11, 7))
    frame = items_of_day(database, day, "trace", now=DAY + timedelta(days=3), quiet=QUIET, per_hour=50)
    assert [item.item_id for item in frame.candidates] == [tool.trace("refund"), tool.trace("late")]
    found = events_of_traces(database, day.team_id, frame.candidates)
    events = found[tool.trace("refund")]

    work = [event for event in events if event["event"] != "$ai_trace"]
    assert [event["event"] for event in work] == ["$ai_generation", "$ai_span", "$ai_span"]
    call, tool_call, agent = map(_properties, work)
    assert call["$ai_parent_id"] == tool_call["$ai_parent_id"] == agent["$ai_span_id"]
    assert call["$ai_span_name"] == "ask"
    assert tool_call["$ai_span_name"] == "find_order"
    assert float(call["$ai_latency"]) == 2.0
    assert call["$ai_model"] == "gpt-5"
    assert call["$ai_session_id"] == "session-1"
    assert "order service is down" in tool_call["$ai_error"]

    facts = item_facts(events)
    assert (facts.tokens, facts.error_count, facts.cost_usd) == (17, 1, 0.25)
    assert facts.latency_s == 10.0
    text = render_trace(events).text
    assert "Where is my refund for the kettle?" in text
    assert "I will look at order 4711." in text
    assert "loan" not in "".join(map(str, found.values()))
    assert text.index("Where is my refund") < text.index("find_order")

    generations = items_of_day(database, day, "generation", now=DAY + timedelta(days=3), quiet=QUIET, per_hour=50)
    by_id = events_of_generations(database, day.team_id, generations.candidates)
    asked = [str(_properties(event)["$ai_input"]) for (event,) in by_id.values()]
    assert sorted("refund" in each for each in asked) == [False, True]
    assert sorted("late" in each for each in asked) == [False, True]
    users = {row["distinct_id"] for row in database.rows(USERS, team_id=day.team_id)}
    assert users == {tool.user}


HOMES = """
SELECT level, groupUniqArray(toInt32(day) - toInt32({first:Date})) AS days
FROM trace_texts FINAL
WHERE team_id = 7
GROUP BY level, item_id
"""

OTHER_WORK = """
INSERT INTO otel_traces
SELECT * REPLACE ('web' AS TraceId, map('http.method', 'GET') AS SpanAttributes)
FROM otel_traces
"""

USERS = """
SELECT DISTINCT distinct_id
FROM {events_database:Identifier}.{events_table:Identifier}
WHERE team_id = {team_id:Int64} AND event = '$ai_generation'
"""


@pytest.mark.parametrize("tool", OF_OWN_STATEMENTS, ids=lambda tool: tool.name)
def test_a_late_row_and_a_table_repaired_in_place_make_their_trace_anew_and_no_other(
    tool: Tool, database: Database, store: Database
) -> None:
    tool.create(store)
    repaired, others = list(refund()), [*refund("invoice", DAY + timedelta(hours=1)), *refund("loan", tenant=BANK)]
    agent, call, tool_call = (replace(span, said="", answered="") if span.kind == "llm" else span for span in repaired)
    tool.write(store, [agent, call, *others])
    add_source(database, tool.source(store), by="test")
    register_tenants(database, DAY - timedelta(days=6), DAY + timedelta(days=2))
    teams = {SHOP: 7, BANK: 8} if tool.numbered else _teams(database, tool.name)
    day, other_team = TeamDay(teams[SHOP], DAY.date()), TeamDay(teams[BANK], DAY.date())
    _made(database, other_team)
    report, made = _made(database, day)
    text = made[tool.trace("refund")]
    assert (report.details["traces_rendered"], "order service" in text, "kettle" in text) == (2, False, False)
    now = DAY + timedelta(days=2)
    assert not days_to_make(database, now)

    seen = _counted(database, day)
    tool.write(store, [tool_call])
    assert _counted(database, day) == seen + 1, "the sensor of late events asks for the day"
    report, made = _made(database, day)
    assert report.details["traces_rendered"] == 1
    text = made[tool.trace("refund")]
    assert ("order service is down" in text, "kettle" in text) == (True, False)
    assert not days_to_make(database, now)

    tool.empty(store)
    tool.write(store, [*(replace(span, version=tool.repaired_version) for span in repaired), *others])
    assert list(days_to_make(database, now).values()) == [day]
    report, made = _made(database, day)
    assert "Where is my refund for the kettle?" in made[tool.trace("refund")]
    assert (report.details["traces_rendered"], report.details["traces_made_anew"]) == (1, 1)
    assert report.details["generations_made_anew"] == 1
    assert not days_to_make(database, now)
    assert [_made(database, each)[0].details["traces_rendered"] for each in (day, other_team)] == [0, 0]


def _counted(database: Database, day: TeamDay) -> int:
    """The events of a team's day, as the sensor of late events counts them."""
    bounds = {"start": DAY, "end": DAY + timedelta(days=1), "trigger_events": list(TRIGGER_EVENTS)}
    (row,) = [row for row in database.rows(EVENTS_BY_TEAM_AND_DAY, **bounds) if row["team_id"] == day.team_id]
    return int(row["events"])


def _made(database: Database, day: TeamDay) -> tuple[Report, dict[str, str]]:
    """Make the texts of a day; its report, and the text of each trace."""
    report = render_partition(
        database,
        day,
        TeamOptions(),
        model_name="offline",
        themes=GENERAL,
        all_themes=GENERAL,
        now=DAY + timedelta(days=4),
        progress=lambda *_: None,
    )
    rows = database.rows("SELECT item_id, text FROM trace_texts FINAL WHERE level = 'trace'")
    return report, {row["item_id"]: row["text"] for row in rows}


@pytest.mark.parametrize("tool", [tool for tool in TOOLS if tool.has_versions], ids=lambda tool: tool.name)
@pytest.mark.parametrize("moved", [-2, 2])
def test_a_row_that_is_sent_again_with_another_day_counts_there_alone(
    tool: Tool, moved: int, database: Database, store: Database
) -> None:
    tool.create(store)
    tool.write(store, refund(start=DAY + timedelta(days=moved)))
    tool.write(store, [replace(span, version=2) for span in refund()])
    add_source(database, tool.source(store), by="test")
    register_tenants(database, DAY - timedelta(days=6), DAY + timedelta(days=2))
    team_id = _teams(database, tool.name)[SHOP]
    found = [
        items_of_day(
            database,
            TeamDay(team_id, DAY.date() + timedelta(days=days)),
            "trace",
            now=DAY + timedelta(days=9),
            quiet=QUIET,
            per_hour=50,
        ).found
        for days in (moved, 0)
    ]
    assert found == [0, 1]


@pytest.mark.parametrize("tool", UNVERSIONED, ids=lambda tool: tool.name)
def test_a_row_that_is_sent_again_with_another_day_counts_once_where_no_version_says_which_is_newer(
    tool: Tool, database: Database, store: Database
) -> None:
    tool.create(store)
    add_source(database, tool.source(store), by="test", team_id=None if tool.numbered else 7)
    homes = []
    for moved in (0, 2, -2):
        tool.write(store, refund(start=DAY + timedelta(days=moved)))
        for days in sorted({0, moved}, reverse=True):
            _made(database, TeamDay(7, DAY.date() + timedelta(days=days)))
        homes.append({(row["level"], tuple(row["days"])) for row in database.rows(HOMES, first=DAY.date())})
    assert homes == [{("trace", (0,)), ("generation", (0,))}] * 2 + [{("trace", (-2,)), ("generation", (-2,))}]


def test_rows_that_say_nothing_of_a_model_are_no_events(database: Database, store: Database) -> None:
    TOOLS[0].create(store)
    TOOLS[0].write(store, refund())
    store.execute(OTHER_WORK)
    add_source(database, TOOLS[0].source(store), by="test", team_id=3)
    (stats,) = team_stats(database, DAY.date(), 7)
    assert (stats.team_id, stats.traces) == (3, 1)
