"""What is rendered for themes with filters: each text once, beside the sample of the hour and no part of it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from llma_assets.clickhouse import Database
from llma_assets.rendering import RenderOptions
from llma_assets.rendering.queries import TEXTS_MADE
from llma_assets.rendering.store import LevelTexts, Sampling, delete_under_redacted_texts, store_texts
from llma_assets.team_day import TeamDay
from llma_assets.testing import event, trace, write_events
from llma_assets.themes import GENERAL, GENERATIONS, TRACES, DateRange, Filter, Level, Theme

DAY = date(2026, 11, 7)
WHEN = datetime(2026, 11, 7, 8, tzinfo=UTC)
NOW = datetime(2026, 11, 9, tzinfo=UTC)
QUIET = timedelta(minutes=30)
FAILED = Theme(theme_id="failed", level="trace", prompt="?", theme_filters=(Filter("$ai_is_error", "exact", True),))
OTHER = replace(FAILED, theme_id="other")
CALLS = replace(FAILED, theme_id="calls", level="generation")
ALL = (*GENERAL, FAILED, OTHER)

STORED = """
SELECT toString(day) AS day, item_id, drawn, inclusion_probability AS probability, event_count AS events
FROM trace_texts FINAL
WHERE team_id = {team_id:Int64} AND level = {level:String}
ORDER BY item_id, day
"""


def run(
    database: Database,
    themes: Sequence[Theme] = ALL,
    *,
    per_hour: int = 2,
    team_id: int = 1,
    day: date = DAY,
    now: datetime = NOW,
    options: RenderOptions = RenderOptions(),
    completes_day: bool = True,
) -> dict[Level, LevelTexts]:
    team_day = TeamDay(team_id, day)
    sampling = Sampling(now, QUIET, {"trace": per_hour, "generation": per_hour}, themes)
    made = store_texts(database, team_day, options, sampling, progress=lambda *_: None, completes_day=completes_day)
    delete_under_redacted_texts(database, team_day, options)
    return made


def stored(database: Database, team_id: int = 1, level: Level = "trace") -> dict[str, dict[str, Any]]:
    return {row["item_id"]: row for row in database.rows(STORED, team_id=team_id, level=level)}


def hour(database: Database, team_id: int = 1, *, failed: int = 4, fine: int = 8, when: datetime = WHEN) -> None:
    """Traces that failed and traces that did not, in one hour."""
    for number in range(failed + fine):
        extra = {"$ai_is_error": True} if number < failed else None
        name = f"{'failed' if number < failed else 'fine'}-{number}"
        write_events(
            database, trace(team_id, name, when + timedelta(minutes=number), request=f"case {number}", extra=extra)
        )


def test_what_matches_is_rendered_beside_the_sample_and_said_to_be_no_part_of_it(database: Database) -> None:
    hour(database)
    hour(database, 2, failed=6)
    made = run(database)["trace"]
    texts = stored(database)
    drawn = {item for item, row in texts.items() if row["drawn"]}
    assert len(drawn) == made.sampled == 2
    assert texts.keys() == drawn | {f"failed-{number}" for number in range(4)}
    assert made.matching == len(texts) - 2
    assert made.estimated == pytest.approx(12)
    assert all((row["probability"] > 0) == row["drawn"] for row in texts.values())


def test_the_sample_is_the_same_with_and_without_themes(database: Database) -> None:
    for team_id in (1, 2):
        hour(database, team_id)
    run(database, GENERAL)
    run(database, ALL, team_id=2)
    of_both = [
        {item: row["probability"] for item, row in stored(database, team_id).items() if row["drawn"]}
        for team_id in (1, 2)
    ]
    assert of_both[0] == of_both[1]


def test_a_text_is_rendered_once_for_all_themes_and_a_second_run_renders_none(database: Database) -> None:
    hour(database, fine=0)
    first, again = (run(database, per_hour=100)["trace"].counts for _ in range(2))
    assert (first["wanted"], first["rendered"], first["reused"]) == (12, 4, 8)
    assert (again["wanted"], again["rendered"], again["reused"]) == (12, 0, 12)
    assert database.value("SELECT count() FROM trace_texts WHERE level = 'trace'") == 4


def test_without_a_general_theme_only_what_matches_is_rendered(database: Database) -> None:
    hour(database)
    made = run(database, (FAILED,))
    assert made["trace"].sampled == 0
    assert set(stored(database)) == {f"failed-{number}" for number in range(4)}
    assert stored(database, level="generation") == {}


def test_a_level_without_themes_is_left_as_it_is(database: Database) -> None:
    hour(database)
    assert run(database, (GENERATIONS,))["trace"] == LevelTexts()
    assert stored(database) == {}
    assert len(stored(database, level="generation")) == 2


def test_a_level_without_themes_is_made_anew_when_the_options_change_and_not_deleted(database: Database) -> None:
    for team_id in (1, 2):
        hour(database, team_id, fine=0)
        run(database, GENERAL, team_id=team_id, options=RenderOptions(redact=False))
    before = stored(database, level="generation")
    again = [run(database, (FAILED,), completes_day=False)["generation"].counts["rendered"] for _ in range(2)]
    assert again == [2, 0]
    assert stored(database, level="generation") == before
    assert run(database, GENERAL)["generation"].counts["rendered"] == 0


def test_a_theme_after_another_needs_neither_the_sample_nor_what_matches(database: Database) -> None:
    hour(database)
    run(database, (Theme(theme_id="after", level="trace", prompt="?", after="failed"), replace(FAILED, after="other")))
    assert stored(database) == {}


def test_of_generations_those_that_match_are_rendered_beside_the_sample(database: Database) -> None:
    hour(database)
    made = run(database, (GENERATIONS, CALLS))["generation"]
    assert made.sampled == 2
    assert 2 <= made.matching <= 4
    assert len(stored(database, level="generation")) == made.held


def test_a_theme_that_is_not_for_the_day_has_nothing_rendered(database: Database) -> None:
    hour(database)
    run(database, (replace(FAILED, date_range=DateRange(last=DAY - timedelta(days=1))),))
    assert stored(database) == {}


def test_a_text_that_comes_into_the_draw_later_is_of_the_sample_from_then_on(database: Database) -> None:
    hour(database, fine=0)
    run(database, (FAILED,))
    assert {row["drawn"] for row in stored(database).values()} == {False}
    run(database, ALL, per_hour=2)
    assert sorted((row["drawn"], row["probability"]) for row in stored(database).values()) == [
        *[(False, 0.0)] * 2,
        *[(True, 0.5)] * 2,
    ]
    raised = run(database, ALL, per_hour=100)["trace"]
    assert (raised.sampled, raised.matching) == (4, 0)
    assert {(row["drawn"], row["probability"]) for row in stored(database).values()} == {(True, 1.0)}


def test_what_was_drawn_stays_drawn_when_only_other_themes_run(database: Database) -> None:
    hour(database)
    run(database, GENERAL)
    before = stored(database)
    made = run(database, (FAILED,), completes_day=False)["trace"]
    assert made.sampled == 2
    after = stored(database)
    assert {item: after[item] for item in before} == before


def test_what_matches_but_is_not_quiet_waits_and_the_day_says_until_when(database: Database) -> None:
    hour(database, failed=1, fine=0)
    now = WHEN + timedelta(minutes=10)
    made = run(database, (FAILED,), now=now)["trace"]
    assert (made.held, made.not_quiet) == (0, 1)
    (noted,) = database.rows(TEXTS_MADE, team_id=1, day=DAY)
    assert noted["waits_until"] == WHEN + timedelta(seconds=3) + QUIET
    assert run(database, (FAILED,), now=noted["waits_until"])["trace"].held == 1


def test_a_run_for_some_themes_does_not_say_that_the_day_is_done(database: Database) -> None:
    hour(database)
    run(database, (FAILED,), completes_day=False)
    assert database.rows(TEXTS_MADE, team_id=1, day=DAY) == []


def test_late_events_have_a_text_beside_the_sample_made_anew(database: Database) -> None:
    hour(database, fine=0)
    run(database, (FAILED,))
    write_events(database, [event(1, "$ai_span", WHEN + timedelta(minutes=9), {"$ai_trace_id": "failed-0"})])
    made = run(database, (FAILED,))["trace"]
    assert made.counts["rendered"] == 1
    assert stored(database)["failed-0"]["events"] == 4
    assert not stored(database)["failed-0"]["drawn"]


def test_a_trace_beside_the_sample_moves_with_its_first_event(database: Database) -> None:
    hour(database, failed=1, fine=0)
    hour(database, 2, failed=1, fine=0)
    for team_id in (1, 2):
        run(database, (FAILED,), team_id=team_id)
    yesterday = {"$ai_trace_id": "failed-0"}
    write_events(database, [event(1, "$ai_span", datetime(2026, 11, 6, 23, tzinfo=UTC), yesterday)])
    made = run(database, (FAILED,), day=DAY - timedelta(days=1))["trace"]
    assert made.counts["moved"] == 1
    assert stored(database)["failed-0"]["day"] == "2026-11-06"
    assert run(database, (FAILED,))["trace"].held == 0
    assert stored(database, 2)["failed-0"]["day"] == "2026-11-07"


def test_a_trace_that_began_on_an_earlier_day_is_not_rendered_twice(database: Database) -> None:
    hour(database, failed=1, fine=0)
    run(database, (FAILED,))
    # Beyond what a day's neighbours show: the same trace goes on three days later.
    later = WHEN + timedelta(days=3)
    write_events(database, [event(1, "$ai_generation", later, {"$ai_trace_id": "failed-0", "$ai_is_error": True})])
    made = run(database, (FAILED,), day=DAY + timedelta(days=3), now=NOW + timedelta(days=3))["trace"]
    assert (made.held, made.counts["rendered"]) == (0, 0)
    assert stored(database)["failed-0"]["day"] == "2026-11-07"


def test_texts_beside_the_sample_show_nothing_that_the_team_has_hidden_since(database: Database) -> None:
    secret = "jane.roe@example.org"
    write_events(database, trace(1, "t", WHEN, request=f"I am {secret}", extra={"$ai_is_error": True}))
    run(database, (FAILED,), options=RenderOptions(redact=False))
    run(database, (FAILED,))
    texts = [row["text"] for row in database.rows("SELECT text FROM trace_texts")]
    assert len(texts) == 1
    assert secret not in texts[0]


def test_a_text_that_no_theme_wants_any_longer_stays_unless_it_shows_what_is_hidden(database: Database) -> None:
    hour(database)
    run(database, ALL)
    before = stored(database)
    assert run(database, GENERAL)["trace"].counts["rendered"] == 0
    assert stored(database) == before


def test_only_the_sampled_share_of_what_matches_is_rendered_and_a_higher_share_keeps_it(database: Database) -> None:
    hour(database, failed=30, fine=0)
    few = replace(FAILED, sample_rate=0.3)
    run(database, (few,))
    first = set(stored(database))
    assert 2 <= len(first) <= 18
    run(database, (replace(few, sample_rate=0.8),))
    assert first < set(stored(database))


def test_a_run_beside_this_one_that_drew_the_item_meanwhile_is_not_overruled(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    hour(database, failed=1, fine=0)
    from llma_assets.rendering import store as storing

    read = storing._READ["trace"]

    def while_another_run_draws(*arguments: Any) -> Any:
        monkeypatch.setitem(storing._READ, "trace", read)
        run(database, (TRACES,))
        return read(*arguments)

    monkeypatch.setitem(storing._READ, "trace", while_another_run_draws)
    run(database, (FAILED,))
    assert stored(database)["failed-0"]["drawn"]
