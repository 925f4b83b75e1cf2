"""The demo's traffic: the same each time, sound as traces, and about what was planted."""

import json
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib import resources
from io import BytesIO
from typing import Any

import orjson
import pytest

from llma_assets.clickhouse import Database
from llma_assets.demo import (
    DEMO_TEAMS,
    PIPELINE_ONLY_TEAM_ID,
    TRAVEL,
    WEEK,
    DemoTeam,
    planted_topics,
    sample_events,
    sample_lines,
    sample_segments,
)
from llma_assets.discovery import discover
from llma_assets.ingest import ingest
from llma_assets.teams import TeamSettings
from llma_assets.trace_events import TRIGGER_EVENTS

DAY = date(2026, 11, 7)


@cache
def events() -> list[dict[str, Any]]:
    return list(sample_events(DAY))


def of_traces() -> dict[str, list[dict[str, Any]]]:
    traces = defaultdict(list)
    for event in events():
        if event["team_id"] != PIPELINE_ONLY_TEAM_ID:
            traces[event["properties"]["$ai_trace_id"]].append(event)
    return traces


def test_the_same_day_and_seed_give_the_same_events() -> None:
    assert events() == list(sample_events(DAY))


def test_another_seed_gives_other_events() -> None:
    other = {event["uuid"] for event in sample_events(DAY, seed=1)}
    assert not other & {event["uuid"] for event in events()}


def test_the_next_day_s_traffic_shares_all_days_but_one_event_for_event_but_for_what_changes() -> None:
    today = {event["uuid"]: event for event in events()}
    tomorrow = {event["uuid"]: event for event in sample_events(DAY + timedelta(days=1))}
    common = today.keys() & tomorrow.keys()
    first = {team.team_id: DAY - timedelta(days=team.days - 1) for team in DEMO_TEAMS}
    first[PIPELINE_ONLY_TEAM_ID] = DAY - timedelta(days=WEEK - 1)
    changes = {change.key for team in DEMO_TEAMS for change in team.changes}
    shared = {
        uuid
        for uuid, event in today.items()
        if event["timestamp"][:10] > str(first[event["team_id"]])
        and not changes & set(event["properties"]["$ai_trace_id"].split("-"))
    }
    assert shared <= common
    assert all(today[uuid] == tomorrow[uuid] for uuid in common)


@pytest.mark.parametrize("day", [DAY + timedelta(days=shift) for shift in range(7)])
def test_every_week_has_the_promised_numbers_of_traces(day: date) -> None:
    counts = Counter(trace_id.split("-")[0] for trace_id in planted_topics(day))
    assert 11 * 13 + 35 <= counts["travel"] <= 13 * 13 + 35
    assert 42 <= counts["bank"] <= 56
    assert 56 <= counts["coding"] <= 63
    assert counts["recipes"] == 5


def test_uuids_are_unique() -> None:
    assert len({event["uuid"] for event in events()}) == len(events())


def test_all_events_lie_in_the_days_of_their_team() -> None:
    times = defaultdict(list)
    for event in events():
        times[event["team_id"]].append(datetime.fromisoformat(event["timestamp"]))
    for team_id, of_team in times.items():
        days = TRAVEL.days if team_id == TRAVEL.team_id else WEEK
        assert min(of_team) >= datetime(2026, 11, 8, tzinfo=UTC) - timedelta(days=days)
        assert max(of_team) < datetime(2026, 11, 8, tzinfo=UTC)


def test_a_problem_begins_another_one_ends_and_replays_show_the_first() -> None:
    days = defaultdict(set)
    for trace_id, topic in planted_topics(DAY).items():
        days[topic].add(trace_id.split("-")[1])
    assert (min(days["payment fails"]), max(days["payment fails"])) == ("20261103", "20261107")
    assert max(days["voucher refused"]) == "20261030"
    segments = list(sample_segments(DAY))
    assert segments == list(sample_segments(DAY))
    assert {segment["team_id"] for segment in segments} == {TRAVEL.team_id}
    assert sum("payment fails" in segment["description"] for segment in segments) == 20
    sessions = {event["properties"].get("$ai_session_id") for event in events()}
    assert {segment["session_id"] for segment in segments} <= sessions


def test_every_trace_has_a_planted_topic_of_its_own_team_and_the_other_way_round() -> None:
    planted = planted_topics(DAY)
    assert planted.keys() == of_traces().keys()
    topics = {team.key: topics_of(team) for team in DEMO_TEAMS}
    assert all(topic in topics[trace_id.split("-")[0]] for trace_id, topic in planted.items())


def test_every_team_with_enough_traces_shows_all_its_topics() -> None:
    shown = defaultdict(set)
    for trace_id, topic in planted_topics(DAY).items():
        shown[trace_id.split("-")[0]].add(topic)
    for team in DEMO_TEAMS:
        assert shown[team.key] == topics_of(team)


def topics_of(team: DemoTeam) -> set[str]:
    return {topic.name for topic in (*team.topics, *(change.topic for change in team.changes))}


def test_no_template_is_left_unfilled() -> None:
    text = orjson.dumps(events()).decode()
    names = {name for team in DEMO_TEAMS for name in team.slots}
    assert not [name for name in names if "{" + name + "}" in text]


def test_each_trace_ends_with_its_trace_event_and_hangs_together() -> None:
    for trace in of_traces().values():
        root = trace[-1]
        assert root["event"] == "$ai_trace"
        spans = [event["properties"] for event in trace if event["event"] in ("$ai_generation", "$ai_span")]
        assert {span["$ai_parent_id"] for span in spans} == {root["properties"]["$ai_span_id"]}
        assert len({span["$ai_span_id"] for span in spans}) == len(spans)
        assert [event["timestamp"] for event in trace] == sorted(event["timestamp"] for event in trace)


def test_tool_results_answer_the_calls_in_the_messages_of_both_providers() -> None:
    asked: dict[str, set[str]] = defaultdict(set)
    answered: dict[str, set[str]] = defaultdict(set)
    for event in events():
        for message in event["properties"].get("$ai_input", []):
            provider = event["properties"]["$ai_provider"]
            for call in message.get("tool_calls", []):
                json.loads(call["function"]["arguments"])
                asked[provider].add(call["id"])
            if message["role"] == "tool":
                answered[provider].add(message["tool_call_id"])
            for block in message["content"] if isinstance(message["content"], list) else []:
                if block["type"] == "tool_use":
                    asked[provider].add(block["id"])
                if block["type"] == "tool_result":
                    answered[provider].add(block["tool_use_id"])
    assert asked == answered
    assert asked["openai"]
    assert asked["anthropic"]


def test_the_coding_team_has_failed_tools_and_retried_model_calls() -> None:
    failed = [event for event in events() if event["team_id"] == 103 and event["properties"].get("$ai_is_error")]
    assert {event["event"] for event in failed} == {"$ai_generation", "$ai_span"}


def test_costs_add_up_and_tokens_are_whole() -> None:
    for event in events():
        properties = event["properties"]
        if "$ai_total_cost_usd" in properties:
            parts = properties["$ai_input_cost_usd"] + properties["$ai_output_cost_usd"]
            assert properties["$ai_total_cost_usd"] == pytest.approx(parts, abs=1e-7)
            assert properties["$ai_input_tokens"] > 0
            assert properties["$ai_output_tokens"] > 0


@pytest.mark.parametrize("team", [team for team in DEMO_TEAMS if len(team.topics) > 1], ids=lambda team: team.key)
def test_the_planted_topics_come_out_of_the_words_alone(team: DemoTeam) -> None:
    from sklearn.cluster import KMeans
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.metrics import normalized_mutual_info_score

    planted = planted_topics(DAY)
    words = {
        trace_id: " ".join(said(event) for event in trace)
        for trace_id, trace in of_traces().items()
        if trace_id.startswith(team.key)
    }
    vectors = TfidfVectorizer(sublinear_tf=True, stop_words="english").fit_transform(words.values())
    labels = KMeans(len(topics_of(team)), n_init=10, random_state=0).fit_predict(vectors)
    assert normalized_mutual_info_score([planted[trace_id] for trace_id in words], labels) > 0.75


def said(event: dict[str, Any]) -> str:
    """The newest message of a model call and its answer, without what tools were called."""
    properties = event["properties"]
    texts = []
    for message in [*properties.get("$ai_input", [])[-1:], *properties.get("$ai_output_choices", [])]:
        content = message["content"]
        blocks = content if isinstance(content, list) else [{"text": content}]
        texts += [block.get("text") or "" for block in blocks]
    return " ".join(texts)


def test_the_pipeline_only_team_sends_no_trigger_event() -> None:
    sent = {event["event"] for event in events() if event["team_id"] == PIPELINE_ONLY_TEAM_ID}
    assert sent
    assert not sent & set(TRIGGER_EVENTS)


def test_ingested_the_sample_makes_three_teams_eligible(database: Database) -> None:
    content = b"\n".join(orjson.dumps(event) for event in events())
    report = ingest(BytesIO(content), database, rejects=None)
    assert (report.inserted, report.rejected) == (len(events()), 0)
    decisions = discover(database, TeamSettings(), DAY)
    assert {decision.team_id: decision.reason for decision in decisions} == {
        101: "active",
        102: "active",
        103: "active",
        104: "below_minimum",
    }


def shipped_sample() -> bytes:
    return (resources.files("llma_assets.demo") / "sample.jsonl").read_bytes()


@pytest.mark.process
def test_the_file_that_ships_is_what_the_documented_command_writes() -> None:
    command = [sys.executable, "-m", "llma_assets.demo", "--team", "102", "--days", "4", "--date", "2026-11-07"]
    assert subprocess.run(command, capture_output=True, check=True).stdout == shipped_sample()


def test_the_file_that_ships_makes_its_team_eligible(database: Database) -> None:
    report = ingest(BytesIO(shipped_sample()), database, rejects=None, strict=True)
    assert (report.rejected, report.inserted) == (0, report.lines)
    decisions = {each.team_id: each for each in discover(database, TeamSettings(), DAY)}
    assert decisions[102].eligible


def test_sample_lines_are_the_events_of_the_chosen_days_and_teams() -> None:
    first = f"{DAY - timedelta(days=1)}"
    chosen = [json.loads(line) for line in sample_lines(DAY, days=2, team_ids=[103, 104])]
    assert chosen == [each for each in events() if each["timestamp"] >= first and each["team_id"] in (103, 104)]
    assert {each["team_id"] for each in chosen} == {103, 104}
