"""The teams of the demo and their traffic of one or two weeks, which is the same for a date in every window.

Except for changes: one problem of the travel team ends, another begins, a number of days before the last day.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from uuid import uuid5

import orjson

from llma_assets.demo import bank, changes, coding, recipes, travel
from llma_assets.demo.message_formats import AnthropicFormat, OpenAIFormat
from llma_assets.demo.topics import Topic, Turn, choose_slots, converse, fill
from llma_assets.demo.traces import EVENT_NAMESPACE, Application, Visit, trace_events

WEEK = 7
FIRST_HOUR, LAST_HOUR = 6, 22
SECOND_TOPIC = 0.08
"""Share of conversations that go on to a second topic."""


@dataclass(frozen=True, slots=True)
class Change:
    """A further topic of a team on some days only.

    Attributes:
        key: part of its trace ids.
        topic: the topic.
        first, last: its first and last day, as days before the last day of the traffic.
        daily: conversations a day.
    """

    key: str
    topic: Topic
    first: int
    last: int
    daily: int


@dataclass(frozen=True, slots=True)
class DemoTeam:
    """A team of the demo.

    Attributes:
        team_id: not a small id, so that it does not collide with real data.
        key: prefix of its trace ids.
        topics: the topics of its conversations.
        slots: values for the topics' templates.
        application: the traced application.
        daily: fewest and most traces a day, without those of changes.
        days: days of traffic; more than a week gives two windows to compare.
        changes: topics of some days only.
    """

    team_id: int
    key: str
    topics: tuple[Topic, ...]
    slots: Mapping[str, tuple[str, ...]]
    application: Application
    daily: tuple[int, int]
    days: int = WEEK
    changes: tuple[Change, ...] = ()


TRAVEL = DemoTeam(
    101,
    "travel",
    travel.TOPICS,
    travel.SLOTS,
    Application("Travel agent", OpenAIFormat(), "openai", "gpt-4o", 2.5, 10, travel.SYSTEM, 0.01),
    (11, 13),
    2 * WEEK - 1,
    (Change("voucher", changes.VOUCHERS, 12, 8, 3), Change("payment", changes.PAYMENTS, 4, 0, 4)),
)
BANK = DemoTeam(
    102,
    "bank",
    bank.TOPICS,
    bank.SLOTS,
    Application("Bank support", AnthropicFormat(), "anthropic", "claude-sonnet-4", 3, 15, bank.SYSTEM, 0.01),
    (6, 8),
)
CODING = DemoTeam(
    103,
    "coding",
    coding.TOPICS,
    coding.SLOTS,
    Application("Coding assistant", OpenAIFormat(), "openai", "gpt-4.1", 2, 8, coding.SYSTEM, 0.08),
    (8, 9),
)
RECIPES = DemoTeam(
    104,
    "recipes",
    recipes.TOPICS,
    recipes.SLOTS,
    Application("Recipe helper", OpenAIFormat(), "openai", "gpt-4o-mini", 0.15, 0.6, recipes.SYSTEM),
    (1, 1),
)
DEMO_TEAMS = (TRAVEL, BANK, CODING, RECIPES)
"""The teams that send traces; the recipe helper sends too few."""

THEMED_TEAM, THEMES = CODING, ("error_analysis",)
"""The team with a further theme in the demo, and that built-in theme."""

PIPELINE_ONLY_TEAM_ID = 105
"""A team with events of pipelines only: discovery must not make it eligible."""


def sample_events(day: date, seed: int = 0) -> Iterator[dict[str, Any]]:
    """Yield plausible traffic of five teams in the one or two weeks that end with `day`; equal for equal arguments.

    Another `day` shifts the window: common days have the same events with the same uuids, so that each is stored once.
    Only changes move with `day`.

    Args:
        day: the last day, UTC; all events lie before 24:00 of it.
        seed: another seed gives other conversations.

    Yields:
        events `{uuid, event, team_id, distinct_id, timestamp, properties}` as `ingest` reads them, day by
        day.
    """
    for back in reversed(range(max(team.days for team in DEMO_TEAMS))):
        for team in DEMO_TEAMS:
            for visit, _, turns, random in _conversations(team, day, back, seed):
                yield from trace_events(team.application, visit, turns, random)
        if back < WEEK:
            yield from _pipeline_events(day - timedelta(days=back), seed)


def sample_lines(day: date, *, days: int = WEEK, team_ids: Collection[int] = (), seed: int = 0) -> Iterator[bytes]:
    """The sample events as JSON lines, which `llma ingest` reads.

    Args:
        day: the last day, UTC.
        days: the number of days that end with it.
        team_ids: only events of these teams; all teams if empty.
        seed: as in `sample_events`.
    """
    first = f"{day - timedelta(days=days - 1)}"
    for event in sample_events(day, seed):
        if event["timestamp"] >= first and (not team_ids or event["team_id"] in team_ids):
            yield orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE)


def sample_segments(day: date, seed: int = 0) -> Iterator[dict[str, Any]]:
    """Yield segments of session replays of the travel team: failed payments, and some without a problem.

    Yields:
        segments as `tasks.ingest_segments` reads them, each in the session of a conversation.
    """
    routines = list(changes.ROUTINES)
    for back in reversed(range(WEEK)):
        for visit, topic, _, _ in _conversations(TRAVEL, day, back, seed):
            random = Random(f"{seed}/{visit.trace_id}/replay")
            if topic is changes.PAYMENTS:
                description = fill(random.choice(changes.REPLAYS), choose_slots(TRAVEL.slots, random))
            elif routines:
                description = routines.pop()
            else:
                continue
            end = visit.start + timedelta(seconds=random.randint(20, 90))
            yield {
                "team_id": TRAVEL.team_id,
                "session_id": visit.session_id,
                "start": visit.start.isoformat(timespec="milliseconds"),
                "end": end.isoformat(timespec="milliseconds"),
                "distinct_id": visit.user,
                "description": description,
            }


def planted_topics(day: date, seed: int = 0) -> dict[str, str]:
    """The planted (first) topic of each trace of `sample_events(day, seed)`, by trace id.

    Trace ids begin with the team's key, and each topic belongs to one team.
    """
    return {
        visit.trace_id: topic.name
        for team in DEMO_TEAMS
        for back in reversed(range(team.days))
        for visit, topic, _, _ in _conversations(team, day, back, seed)
    }


def _conversations(
    team: DemoTeam, last: date, back: int, seed: int
) -> Iterator[tuple[Visit, Topic, list[Turn], Random]]:
    """The conversations of a team `back` days before `last`, each with its random generator for the events."""
    day = last - timedelta(days=back)
    of_day = Random(f"{seed}/{team.key}/{day}")
    if back >= team.days or (team is RECIPES and day.toordinal() % WEEK < 2):
        return  # the recipe helper has five traces in any seven days
    ordinary = of_day.randint(*team.daily)
    asked: list[tuple[str, Topic | None]] = [(f"{number:02d}", None) for number in range(ordinary)]
    for change in team.changes:
        if change.last <= back <= change.first:
            asked += [(f"{change.key}-{number}", change.topic) for number in range(change.daily)]
    for name, changed in asked:
        trace_id = f"{team.key}-{day:%Y%m%d}-{name}" + (f"-s{seed}" if seed else "")
        random = Random(f"{seed}/{trace_id}")
        user = random.randint(1, 40)
        seconds = random.uniform(FIRST_HOUR * 3600, LAST_HOUR * 3600)
        start = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(seconds=seconds)
        session_id = f"{team.key}-{day:%Y%m%d}-session-{user}"
        usual, second = random.choices(team.topics, [topic.weight for topic in team.topics], k=2)
        topic = changed or usual
        turns = converse(topic, team.slots, random)
        if changed is None and random.random() < SECOND_TOPIC:
            turns += converse(second, team.slots, random)
        yield (
            Visit(team.team_id, f"{team.key}-user-{user}", session_id, trace_id, start),
            topic,
            turns,
            random,
        )


def _pipeline_events(day: date, seed: int) -> Iterator[dict[str, Any]]:
    """Events that an earlier pipeline wrote for a team without events of its own."""
    for number, event in enumerate(["$ai_trace_summary", "$ai_generation_summary", "$ai_tag"] * 10):
        trace_id = f"gone-{number // 3:02d}"
        moment = datetime(day.year, day.month, day.day, 2, number, tzinfo=UTC)
        yield {
            "uuid": str(uuid5(EVENT_NAMESPACE, f"{seed}/{day}/{event}/{trace_id}")),
            "event": event,
            "team_id": PIPELINE_ONLY_TEAM_ID,
            "distinct_id": "pipeline",
            "timestamp": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "properties": {"$ai_trace_id": trace_id, "$ai_summary_title": "A trace of long ago"},
        }
