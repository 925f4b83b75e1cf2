"""The demo's teams and their traffic of one week or two; a calendar day's traffic is the same whenever it is asked for.

But for what changes: a problem of the travel team ends, and another begins, so many days before the last one.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from uuid import uuid5

import orjson

from llma_assets.demo import bank, changes, coding, recipes, travel
from llma_assets.demo.message_formats import AnthropicShape, OpenAIShape
from llma_assets.demo.topics import Topic, Turn, choose_slots, converse, fill
from llma_assets.demo.traces import EVENT_NAMESPACE, Application, Visit, trace_events

WEEK = 7
FIRST_HOUR, LAST_HOUR = 6, 22
SECOND_TOPIC = 0.08
"""Share of users who, once there, ask for something else as well."""


@dataclass(frozen=True, slots=True)
class Change:
    """A topic that a team's users come for on some days only, beside all others.

    Attributes:
        key: part of its trace ids.
        topic: what they come for.
        first, last: days before the last one of the traffic.
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
        team_id: far from small ids, so that real data beside it stays apart.
        key: beginning of its trace ids.
        topics: what its users come for.
        slots: values for the topics' templates.
        application: what its traces have in common.
        daily: least and most traces a day, without those of changes.
        days: of traffic; with more than a week there are two windows to compare.
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
    Application("Travel agent", OpenAIShape(), "openai", "gpt-4o", 2.5, 10, travel.SYSTEM, 0.01),
    (11, 13),
    2 * WEEK - 1,
    (Change("voucher", changes.VOUCHERS, 12, 8, 3), Change("payment", changes.PAYMENTS, 4, 0, 4)),
)
BANK = DemoTeam(
    102,
    "bank",
    bank.TOPICS,
    bank.SLOTS,
    Application("Bank support", AnthropicShape(), "anthropic", "claude-sonnet-4", 3, 15, bank.SYSTEM, 0.01),
    (6, 8),
)
CODING = DemoTeam(
    103,
    "coding",
    coding.TOPICS,
    coding.SLOTS,
    Application("Coding assistant", OpenAIShape(), "openai", "gpt-4.1", 2, 8, coding.SYSTEM, 0.08),
    (8, 9),
)
RECIPES = DemoTeam(
    104,
    "recipes",
    recipes.TOPICS,
    recipes.SLOTS,
    Application("Recipe helper", OpenAIShape(), "openai", "gpt-4o-mini", 0.15, 0.6, recipes.SYSTEM),
    (1, 1),
)
DEMO_TEAMS = (TRAVEL, BANK, CODING, RECIPES)
"""The teams that send traces; the recipe helper sends too few."""

THEMED_TEAM, THEMES = CODING, ("error_analysis",)
"""The team that the demo asks more of than the general questions, and by which of the themes that ship."""

PIPELINE_ONLY_TEAM_ID = 105
"""A team whose only events are of a kind that pipelines write: discovery must leave it out."""


def sample_events(day: date, seed: int = 0) -> Iterator[dict[str, Any]]:
    """Believable traffic of five teams in the one or two weeks that end with `day`, the same for the same
    arguments.

    Another `day` shifts the window: the days in common have the same events with the same uuids, so that
    storing both stores each event once. Only what changes moves with `day`.

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
    """Segments of session replays of the travel team: those in which a payment fails, and some in which all goes well.

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
    """What each trace of `sample_events(day, seed)` is first about: the planted topic by trace id.

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
    """The team's conversations of a day before `last`, each with the random numbers that its events go on with."""
    day = last - timedelta(days=back)
    of_day = Random(f"{seed}/{team.key}/{day}")
    if back >= team.days or (team is RECIPES and day.toordinal() % WEEK < 2):
        return  # of the recipe helper five traces in any seven days
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
    """What an earlier pipeline wrote for a team that itself sends nothing any more."""
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
