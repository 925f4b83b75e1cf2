"""Simulated replays: planted problems with their users, rates and start days, among harmless sessions. Seeded."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from benchmarks.replays import wording, wording_unseen
from llma_assets.tasks import Segment

FIRST_DAY = datetime(2026, 10, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Texts:
    """What problems and harmless sessions are said to look like, and what their gaps are filled with."""

    problems: Mapping[str, tuple[str, ...]]
    harmless: Mapping[str, tuple[str, ...]]
    slots: Mapping[str, tuple[str, ...]]


SEEN = Texts(wording.PROBLEMS, wording.HARMLESS, wording.SLOTS)
UNSEEN = Texts(wording_unseen.PROBLEMS, wording_unseen.HARMLESS, wording_unseen.SLOTS)


@dataclass(frozen=True, slots=True)
class Planted:
    """One known problem: which users meet it how often, from which day on."""

    name: str
    start_day: int
    per_day: float
    users: int


def planted_problems(days: int, seed: int = 7, texts: Texts = SEEN) -> list[Planted]:
    """Every problem of these texts with a start in the first two thirds, rare and frequent ones."""
    chance = random.Random(seed)
    rates = (0.5, 1.0, 2.0, 5.0, 12.0)
    return [
        Planted(name, chance.randrange(max(1, days * 2 // 3)), rates[number % len(rates)], 3 + number % 9)
        for number, name in enumerate(sorted(texts.problems))
    ]


def segments_of_day(
    team_id: int, day: int, problems: list[Planted], *, harmless: int, seed: int = 7, texts: Texts = SEEN
) -> Iterator[tuple[Segment, str]]:
    """The segments of a simulated day in order of time, each with the planted problem's name, "" for harmless."""
    chance = random.Random(f"{seed}|{team_id}|{day}")
    found: list[tuple[Segment, str]] = []
    for problem in problems:
        if day >= problem.start_day:
            for _ in range(_whole(problem.per_day, chance)):
                user = f"{problem.name}-user-{chance.randrange(problem.users)}"
                found.append((_segment(team_id, day, user, texts.problems[problem.name], texts, chance), problem.name))
    for _ in range(harmless):
        wordings = texts.harmless[chance.choice(sorted(texts.harmless))]
        found.append((_segment(team_id, day, f"user-{chance.randrange(500)}", wordings, texts, chance), ""))
    yield from sorted(found, key=lambda pair: (pair[0].start, pair[0].session_id))


def _whole(rate: float, chance: random.Random) -> int:
    """`rate` as a whole number whose mean it is."""
    return int(rate) + (chance.random() < rate - int(rate))


def _segment(
    team_id: int, day: int, user: str, wordings: tuple[str, ...], texts: Texts, chance: random.Random
) -> Segment:
    start = FIRST_DAY + timedelta(days=day, seconds=chance.randrange(86_000), milliseconds=chance.randrange(1000))
    filled = chance.choice(wordings).format(**{name: chance.choice(values) for name, values in texts.slots.items()})
    return Segment(
        team_id=team_id,
        session_id=f"s{chance.getrandbits(48):012x}",
        start=start,
        end=start + timedelta(seconds=10 + chance.randrange(50)),
        distinct_id=user,
        description=filled,
    )
