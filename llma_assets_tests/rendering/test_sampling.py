"""The sample of an hour: even across users, the same each time, scaled up without bias, and nothing removed later."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest

from llma_assets.clickhouse import Database
from llma_assets.rendering.candidates import SamplingFrame, items_of_day
from llma_assets.rendering.queries import Candidate
from llma_assets.team_day import TeamDay
from llma_assets.testing import write_events
from llma_assets.themes import Level

DAY = date(2026, 11, 7)
TEAM_DAY = TeamDay(1, DAY)
HOUR = datetime(2026, 11, 7, 8, tzinfo=UTC)
LATER = datetime(2026, 11, 9, tzinfo=UTC)
QUIET = timedelta(minutes=30)
SEEDS = 20


def events(traces_of_user: dict[str, int], *, team_id: int = 1, prefix: str = "", at: datetime = HOUR) -> Iterator[Any]:
    """So many traces of one generation for each user, all within a minute."""
    for user, count in traces_of_user.items():
        for number in range(count):
            trace_id = f"{prefix}{user}-{number}"
            yield {
                "uuid": uuid5(NAMESPACE_URL, f"{team_id}|{trace_id}"),
                "event": "$ai_generation",
                "team_id": team_id,
                "distinct_id": user,
                "timestamp": at + timedelta(milliseconds=number),
                "properties": f'{{"$ai_trace_id": "{trace_id}"}}',
            }


def every_hour(traces_of_user: dict[str, int]) -> Iterator[Any]:
    """The same in each hour of the day under other ids: 24 draws in one."""
    for hour in range(24):
        yield from events(traces_of_user, prefix=f"{hour}|", at=TEAM_DAY.start + timedelta(hours=hour))


def draw(
    database: Database, *, per_hour: int, seed: int = 42, now: datetime = LATER, level: Level = "trace"
) -> SamplingFrame:
    """The sample, which is the same where the day is taken for one with few events."""
    found, listed = (
        items_of_day(database, TEAM_DAY, level, now=now, quiet=QUIET, per_hour=per_hour, seed=seed, is_small=is_small)
        for is_small in (False, True)
    )
    assert found == listed
    return found


def user_of(candidate: Candidate) -> str:
    return candidate.trace_id.rpartition("-")[0]


def store(database: Database, candidates: Iterable[Candidate], *, level: Level = "trace") -> None:
    """As a run would: what is there of the sample, without its text."""
    database.insert_rows(
        "trace_texts",
        [
            {
                "team_id": 1,
                "day": DAY,
                "level": level,
                "item_id": item.item_id,
                "trace_id": item.trace_id,
                "event_count": item.events,
                "trace_timestamp": item.first_at,
                "last_event_at": item.last_at,
                "inclusion_probability": item.probability,
            }
            for item in candidates
            if item.stored is None
        ],
    )


def test_no_user_has_a_second_trace_before_everybody_has_a_first(database: Database) -> None:
    write_events(database, events({"heavy": 500, **{f"light{number}": 3 for number in range(30)}}))
    found = draw(database, per_hour=100)
    counts = Counter(map(user_of, found.candidates))
    assert (found.found, len(found.candidates)) == (590, 100)
    # 31 + 31 + 31 in three whole rounds; only the heavy user has more, and fills up what is left.
    assert counts == {"heavy": 10, **{f"light{number}": 3 for number in range(30)}}


def test_with_more_users_than_places_each_has_one_at_most(database: Database) -> None:
    write_events(database, events({"heavy": 300, **{f"light{number}": 2 for number in range(99)}}))
    counts = Counter(map(user_of, draw(database, per_hour=40).candidates))
    assert set(counts.values()) == {1}
    assert len(counts) == 40


def test_each_hour_favours_other_users(database: Database) -> None:
    users = {f"user{number}": 1 for number in range(200)}
    for hour in range(2):
        write_events(database, events(users, prefix=f"h{hour}-", at=HOUR + timedelta(hours=hour)))
    candidates = draw(database, per_hour=50).candidates
    chosen = [{user_of(item).partition("-")[2] for item in candidates if item.trace_id[1] == str(h)} for h in (0, 1)]
    assert [len(users) for users in chosen] == [50, 50]
    assert len(chosen[0] & chosen[1]) < 30


def test_the_same_day_gives_the_same_sample_and_another_seed_another(database: Database) -> None:
    write_events(database, events({"a": 50, "b": 50}))
    first, again, other = (draw(database, per_hour=10, seed=seed).candidates for seed in (1, 1, 2))
    assert first == again
    assert first != other


@pytest.mark.parametrize(
    ("users", "per_hour"),
    [
        ({"a": 5, "b": 5}, 10),
        ({"a": 40, "b": 7, "c": 1}, 12),
        ({"a": 40, "b": 7, "c": 1, "d": 1, "e": 2}, 3),
        ({"a": 9, "b": 9, "c": 9}, 9),
        ({"a": 9, "b": 9, "c": 9}, 11),
        ({"": 30}, 7),
    ],
)
def test_the_stored_probability_is_the_share_of_draws_and_counts_scale_up_without_bias(
    database: Database, users: dict[str, int], per_hour: int
) -> None:
    write_events(database, every_hour(users))
    write_events(database, events({"a": 1000}, team_id=2))
    draws = 0
    taken: Counter[str] = Counter()
    probabilities: dict[str, set[float]] = {}
    estimates: Counter[str] = Counter()
    for seed in range(SEEDS):
        candidates = draw(database, per_hour=per_hour, seed=seed).candidates
        draws += 24
        assert len(candidates) == 24 * min(per_hour, sum(users.values()))
        for item in candidates:
            name = item.item_id.partition("|")[2]
            taken[name] += 1
            probabilities.setdefault(name, set()).add(round(item.probability, 12))
            estimates[name.rpartition("-")[0]] += 1 / item.probability
    for user, count in users.items():
        for number in range(count):
            (probability,) = probabilities[f"{user}-{number}"]
            # Five standard errors of a share of so many draws.
            error = 5 * (probability * (1 - probability) / draws) ** 0.5
            assert taken[f"{user}-{number}"] / draws == pytest.approx(probability, abs=error + 1e-9)
        assert estimates[user] / draws == pytest.approx(count, rel=0.2)
    assert estimates.total() / draws == pytest.approx(sum(users.values()), rel=0.05)


def test_an_hour_that_grows_keeps_what_is_stored_and_still_scales_up_without_bias(database: Database) -> None:
    stages: Sequence[dict[str, int]] = (
        {"a": 12, "b": 3},
        {"a": 20, "b": 3, "c": 5},
        {"a": 20, "b": 15, "c": 5, "d": 4},
    )
    estimates: list[float] = []
    sizes: list[int] = []
    for seed in range(SEEDS // 2):
        database.execute("TRUNCATE TABLE trace_texts")
        database.execute("TRUNCATE TABLE events")
        before: dict[str, Candidate] = {}
        for stage in stages:
            write_events(database, every_hour(stage))
            candidates = {item.item_id: item for item in draw(database, per_hour=10, seed=seed).candidates}
            assert before.keys() <= candidates.keys()
            assert all(candidates[item_id].probability == item.probability for item_id, item in before.items())
            store(database, candidates.values())
            before = candidates
        estimates += [sum(1 / item.probability for item in before.values()) / 24]
        sizes += [len(before)]
    assert sum(estimates) / len(estimates) == pytest.approx(sum(stages[-1].values()), rel=0.05)
    # Looked at three times while it tripled, an hour holds more than the limit, but no new sample each time.
    assert 10 <= sum(sizes) / len(sizes) / 24 < 20


def test_a_full_hour_selects_late_traces_at_its_own_rate_and_gives_nothing_up(database: Database) -> None:
    write_events(database, events({f"user{number}": 2 for number in range(50)}))
    first = draw(database, per_hour=20).candidates
    store(database, first)
    write_events(database, events({f"late{number}": 1 for number in range(100)}))
    second = draw(database, per_hour=20).candidates
    late = [item for item in second if item.stored is None]
    assert {item.item_id for item in first} < {item.item_id for item in second}
    assert all(item.trace_id.startswith("late") and item.probability == pytest.approx(20 / 150) for item in late)
    assert 5 <= len(late) <= 20


def test_a_higher_limit_makes_what_is_stored_more_probable_and_a_lower_one_removes_nothing(
    database: Database,
) -> None:
    write_events(database, events({"a": 40}))
    store(database, draw(database, per_hour=10).candidates)
    higher = draw(database, per_hour=30).candidates
    assert [item.probability for item in higher] == pytest.approx([0.75] * 30)
    lower = draw(database, per_hour=1).candidates
    assert [item.probability for item in lower] == pytest.approx([0.25] * 10)


def test_what_is_not_quiet_yet_holds_its_place(database: Database) -> None:
    write_events(database, events({"a": 20}))
    write_events(database, events({"b": 20}, at=HOUR + timedelta(minutes=20)))
    early = draw(database, per_hour=10, now=HOUR + timedelta(minutes=35))
    assert (early.found, early.not_quiet) == (40, 20)
    assert {user_of(item) for item in early.candidates} == {"a"}
    assert len(early.candidates) == 5
    assert early.waits_until is not None
    assert early.waits_until >= HOUR + timedelta(minutes=50)
    late = draw(database, per_hour=10)
    assert set(early.candidates) < set(late.candidates)
    assert (len(late.candidates), late.waits_until) == (10, None)


def test_generations_are_drawn_the_same_way_and_all_of_a_trace_may_be_selected(database: Database) -> None:
    rows = [{**row, "properties": '{"$ai_trace_id": "one"}', "distinct_id": "a"} for row in events({"a": 30})]
    write_events(database, rows)
    write_events(database, events({"b": 2}))
    write_events(database, events({"c": 5}, team_id=2))
    assert len(draw(database, per_hour=100, level="generation").candidates) == 32
    some = draw(database, per_hour=10, level="generation").candidates
    assert Counter(item.trace_id for item in some) == {"one": 8, "b-0": 1, "b-1": 1}
    assert [item.probability for item in some if item.trace_id == "one"] == pytest.approx([8 / 30] * 8)


def test_a_limit_of_0_selects_nothing(database: Database) -> None:
    write_events(database, events({"a": 3}))
    assert draw(database, per_hour=0).candidates == []
    assert draw(database, per_hour=0, level="generation").candidates == []


def test_an_empty_day_has_nothing(database: Database) -> None:
    write_events(database, events({"a": 3}, team_id=2))
    assert draw(database, per_hour=5) == SamplingFrame(0, 0, [], None, {})


def test_equal_ids_of_another_team_count_for_nothing(database: Database) -> None:
    write_events(database, events({"a": 3, "b": 1}))
    alone = draw(database, per_hour=2)
    write_events(database, events({"a": 200, "b": 50}, team_id=2))
    assert draw(database, per_hour=2) == alone
