"""Small traffic: traces of a few events, written straight into the events table."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from llma_assets.clickhouse import Database

TOPICS = {
    "refund": "I want my money back for the broken kettle that I ordered, the refund has not arrived",
    "password": "I cannot log in, please help me to reset the password of my account by e-mail",
    "delivery": "Where is my parcel, the delivery tracking page says that it left the warehouse",
    "invoice": "Please send me the invoice of last month with the tax number of our company on it",
}
"""What users of this traffic want."""


def event(team_id: int, name: str, when: datetime, properties: dict[str, Any]) -> dict[str, Any]:
    """One event; equal arguments give an equal uuid.

    >>> when = datetime(2026, 11, 7, 8, tzinfo=UTC)
    >>> event(1, "$ai_trace", when, {"$ai_trace_id": "a"})["properties"]
    '{"$ai_trace_id": "a"}'
    """
    text = json.dumps(properties, sort_keys=True)
    return {
        "uuid": uuid5(NAMESPACE_URL, f"{team_id}|{name}|{when.isoformat()}|{text}"),
        "event": name,
        "team_id": team_id,
        "distinct_id": "user-1",
        "timestamp": when,
        "properties": text,
    }


def trace(
    team_id: int,
    trace_id: str,
    when: datetime,
    *,
    request: str = "Hello",
    answer: str = "I will look into it.",
    extra: dict[str, Any] | None = None,
) -> Iterator[dict[str, Any]]:
    """A trace of one generation, one tool call and the trace event.

    Args:
        request: what the user says.
        answer: what the model says.
        extra: further properties of the generation, or other values of those it has.

    >>> when = datetime(2026, 11, 7, 8, tzinfo=UTC)
    >>> [each["event"] for each in trace(1, "a", when, request="Where is my refund?")]
    ['$ai_generation', '$ai_span', '$ai_trace']
    """
    common = {"$ai_trace_id": trace_id}
    yield event(
        team_id,
        "$ai_generation",
        when,
        {
            **common,
            "$ai_span_id": "g1",
            "$ai_parent_id": "root",
            "$ai_model": "gpt-4o",
            "$ai_input": [{"role": "user", "content": request}],
            "$ai_output_choices": [{"role": "assistant", "content": answer}],
            "$ai_input_tokens": 100,
            "$ai_output_tokens": 20,
            "$ai_total_cost_usd": 0.002,
            "$ai_latency": 1.5,
            **(extra or {}),
        },
    )
    yield event(
        team_id,
        "$ai_span",
        when + timedelta(seconds=2),
        {
            **common,
            "$ai_span_id": "s1",
            "$ai_parent_id": "root",
            "$ai_span_name": "find_order",
            "$ai_input_state": {"order": 7},
            "$ai_output_state": "{}",
        },
    )
    yield event(
        team_id,
        "$ai_trace",
        when + timedelta(seconds=3),
        {**common, "$ai_span_id": "root", "$ai_span_name": "support", "$ai_latency": 3.0},
    )


def day_of_traces(
    team_id: int, day: date, count: int, *, prefix: str = "trace", hour: int = 8
) -> Iterator[dict[str, Any]]:
    """So many traces of a day, ten minutes apart, about the `TOPICS` in turn; ids are equal in all teams.

    >>> len(list(day_of_traces(1, date(2026, 11, 7), 8)))
    24
    """
    topics = sorted(TOPICS)
    for number in range(count):
        topic = topics[number % len(topics)]
        when = datetime.combine(day, time(hour), tzinfo=UTC) + timedelta(minutes=10 * number)
        yield from trace(
            team_id,
            f"{prefix}-{day.isoformat()}-{number}",
            when,
            request=f"{TOPICS[topic]} (case {number})",
            answer=f"I have opened a ticket about the {topic} for you.",
        )


def write_events(database: Database, events: Iterable[dict[str, Any]]) -> list[UUID]:
    """Store events in the table `events`, and return their uuids."""
    rows = list(events)
    database.insert_rows("events", rows)
    return [row["uuid"] for row in rows]
