"""What a theme takes of a day: by filters, by what another theme found, by share and by rule; stored once."""

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from llma_assets.clickhouse import Database
from llma_assets.models import OfflineChat
from llma_assets.rendering import RenderOptions
from llma_assets.rendering.store import Sampling, store_texts
from llma_assets.summaries import selection as taking
from llma_assets.summaries.pending import pending
from llma_assets.summaries.selection import Selection, select_items, update_selection
from llma_assets.summaries.theme_run import RunLimits, store_theme
from llma_assets.team_day import TeamDay
from llma_assets.testing import event, trace, write_events
from llma_assets.themes import GENERAL, GENERATIONS, TRACES, DateRange, Filter, Theme, sampling
from llma_assets.themes.store import TeamThemes

DAY = date(2026, 11, 7)
TEAM_DAY = TeamDay(1, DAY)
WHEN = datetime(2026, 11, 7, 8, tzinfo=UTC)
NOW = datetime(2026, 11, 12, tzinfo=UTC)
FAILED = Theme(theme_id="failed", level="trace", prompt="?", theme_filters=(Filter("$ai_is_error", "exact", True),))
REFUNDS = Theme(theme_id="refunds", level="trace", prompt="?", rule="keywords", keywords=("refund",), screen=True)
AFTER = Theme(theme_id="after", level="trace", prompt="?", after="failed")

TABLE = """
SELECT toString(day) AS day, item_id, version, inclusion_probability AS probability, taken, screened
FROM theme_items FINAL
WHERE team_id = {team_id:Int64} AND theme_id = {theme_id:String}
ORDER BY item_id, day
"""
WRITTEN = "SELECT (SELECT count() FROM theme_items), (SELECT count() FROM theme_days)"
SUMMARY = {
    "team_id": 1,
    "day": DAY,
    "theme_id": "failed",
    "level": "trace",
    "status": "generated",
    "theme_version": FAILED.version,
}


def traffic(database: Database, team_id: int = 1, *, failed: int = 4, fine: int = 4, when: datetime = WHEN) -> None:
    for number in range(failed + fine):
        is_failed = number < failed
        name = f"{'failed' if is_failed else 'fine'}-{number}"
        request = f"case {number}: " + ("refund please" if number % 2 else "where is my parcel")
        extra = {"$ai_is_error": True} if is_failed else None
        write_events(database, trace(team_id, name, when + timedelta(minutes=number), request=request, extra=extra))


def texts(
    database: Database, *themes: Theme, team_id: int = 1, per_hour: int = 100, day: date = DAY, now: datetime = NOW
) -> None:
    sample = Sampling(now, timedelta(minutes=30), {"trace": per_hour, "generation": per_hour}, themes or GENERAL)
    store_texts(database, TeamDay(team_id, day), RenderOptions(), sample, progress=lambda *_: None)


def rows(database: Database, theme: Theme, team_id: int = 1) -> dict[str, dict[str, Any]]:
    return {row["item_id"]: row for row in database.rows(TABLE, team_id=team_id, theme_id=theme.theme_id)}


def held(database: Database, theme: Theme, team_id: int = 1) -> set[str]:
    return {item_id for item_id, row in rows(database, theme, team_id).items() if row["taken"]}


def written(database: Database) -> tuple[int, int]:
    counts: tuple[int, int] = database.rows(WRITTEN)[0].values()
    return tuple(counts)


def found_relevant(database: Database, item_ids: Collection[str], *, team_id: int = 1, **other: Any) -> None:
    """As if the theme `failed` had been asked about all it takes, and had found these relevant."""
    database.insert_rows(
        "trace_summaries",
        [
            {**SUMMARY, "team_id": team_id, "item_id": item_id, "relevant": item_id in item_ids, **other}
            for item_id in rows(database, FAILED, team_id)
        ],
    )


@pytest.fixture
def team_has_themes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The team has the themes of this module; how they are stored is tested elsewhere."""
    monkeypatch.setattr(
        taking, "themes_of", lambda _, team_id: TeamThemes(team_id, (), (*GENERAL, FAILED, AFTER), changes={})
    )


def test_a_general_theme_selects_every_drawn_text_and_nothing_beside_the_sample(database: Database) -> None:
    traffic(database)
    texts(database, *GENERAL, FAILED, per_hour=2)
    selection = update_selection(database, TEAM_DAY, TRACES)
    drawn = database.rows("SELECT item_id FROM trace_texts FINAL WHERE level = 'trace' AND drawn")
    assert set(selection.items) == held(database, TRACES) == {row["item_id"] for row in drawn}
    assert (selection.matched, selection.sampled, selection.screened) == (2, 2, 2)
    assert {row["probability"] for row in rows(database, TRACES).values()} == {0.25}
    assert len(update_selection(database, TEAM_DAY, GENERATIONS).items) == 2


def test_a_theme_with_filters_selects_what_matches_whatever_is_drawn(database: Database) -> None:
    traffic(database)
    traffic(database, 2, failed=2)
    for team_id in (1, 2):
        texts(database, *GENERAL, FAILED, team_id=team_id, per_hour=1)
    selection = update_selection(database, TEAM_DAY, FAILED)
    assert set(selection.items) == {f"failed-{number}" for number in range(4)}
    assert {row["probability"] for row in rows(database, FAILED).values()} == {1.0}
    assert rows(database, FAILED, 2) == {}


def test_a_general_theme_with_filters_selects_what_matches_of_the_sample(database: Database) -> None:
    traffic(database)
    texts(database, *GENERAL, FAILED, per_hour=3)
    drawn = set(update_selection(database, TEAM_DAY, TRACES).items)
    filtered = update_selection(database, TEAM_DAY, replace(TRACES, base_filters=FAILED.filters))
    assert set(filtered.items) == {item_id for item_id in drawn if item_id.startswith("failed")}


def test_a_second_run_writes_nothing_and_reads_no_text(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    traffic(database)
    texts(database, *GENERAL, FAILED)
    first = [update_selection(database, TEAM_DAY, theme) for theme in (*GENERAL, FAILED, REFUNDS)]
    before = written(database)
    monkeypatch.setattr(taking, "TEXTS", "SELECT throwIf(true)")
    again = [update_selection(database, TEAM_DAY, theme) for theme in (*GENERAL, FAILED, REFUNDS)]
    assert [each.items for each in first] == [each.items for each in again]
    assert not any(each.changes for each in again)
    assert written(database) == before


def test_to_choose_writes_nothing(database: Database) -> None:
    traffic(database)
    texts(database, FAILED)
    assert select_items(database, TEAM_DAY, FAILED).sampled == 4
    assert written(database) == (0, 0)


def test_a_day_without_texts_selects_nothing_and_says_so(database: Database) -> None:
    assert update_selection(database, TEAM_DAY, TRACES).reason == "no_texts"
    assert written(database) == (0, 0)


def test_a_day_outside_a_themes_dates_selects_nothing_and_keeps_what_was_selected(database: Database) -> None:
    traffic(database)
    texts(database, FAILED)
    update_selection(database, TEAM_DAY, FAILED)
    before = rows(database, FAILED)
    selection = update_selection(database, TEAM_DAY, replace(FAILED, date_range=DateRange(DAY + timedelta(days=1))))
    assert (selection.reason, dict(selection.items)) == ("outside_dates", {})
    assert rows(database, FAILED) == before


def test_what_matches_and_is_not_quiet_yet_waits(database: Database) -> None:
    traffic(database, failed=2, fine=0)
    quiet = WHEN + timedelta(minutes=30, seconds=30)
    texts(database, FAILED, now=quiet)
    selection = update_selection(database, TEAM_DAY, FAILED)
    assert (selection.matched, selection.sampled) == (2, 1)
    texts(database, FAILED)
    assert update_selection(database, TEAM_DAY, FAILED).sampled == 2


def test_a_raised_share_keeps_what_was_selected_and_a_lowered_one_gives_back_the_rest(database: Database) -> None:
    traffic(database, failed=24, fine=0)
    texts(database, FAILED)
    sets = []
    for rate in (0.3, 0.8, 0.3):
        selection = update_selection(database, TEAM_DAY, replace(FAILED, sample_rate=rate))
        assert (selection.matched, selection.sample_rate) == (24, rate)
        assert {row["probability"] for row in rows(database, FAILED).values() if row["taken"]} == {rate}
        sets.append(held(database, FAILED))
    assert sets[0] < sets[1] < {f"failed-{number}" for number in range(24)}
    assert sets[2] == sets[0]
    assert all(not row["screened"] for row in rows(database, FAILED).values() if not row["taken"])


def test_a_share_of_the_hours_sample_has_both_chances(database: Database) -> None:
    traffic(database, failed=20, fine=20)
    texts(database, per_hour=20)
    update_selection(database, TEAM_DAY, replace(TRACES, sample_rate=0.5))
    assert {row["probability"] for row in rows(database, TRACES).values()} == {0.25}


def test_generations_of_one_trace_are_selected_together(database: Database) -> None:
    traffic(database, failed=10, fine=0)
    for number in range(10):
        properties = {"$ai_trace_id": f"failed-{number}", "$ai_is_error": True, "$ai_input": "again"}
        write_events(database, [event(1, "$ai_generation", WHEN + timedelta(minutes=number, seconds=1), properties)])
    half = replace(FAILED, theme_id="calls", level="generation", sample_rate=0.5)
    texts(database, half)
    selection = update_selection(database, TEAM_DAY, half)
    traces = [row["trace_id"] for row in selection.items.values()]
    assert 0 < len(traces) < 20
    assert all(traces.count(trace_id) == 2 for trace_id in traces)


def test_a_day_that_becomes_large_keeps_what_was_selected_and_selects_a_tenth_of_the_rest(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "MANY_MATCHES", 10)
    traffic(database, failed=10, fine=0)
    texts(database, FAILED)
    assert update_selection(database, TEAM_DAY, FAILED).sampled == 10
    traffic(database, failed=60, fine=0)
    texts(database, FAILED)
    selection = update_selection(database, TEAM_DAY, FAILED)
    assert (selection.matched, selection.sample_rate) == (60, 0.1)
    stored = rows(database, FAILED)
    first = {f"failed-{number}" for number in range(10)}
    assert first < held(database, FAILED)
    assert {stored[item_id]["probability"] for item_id in first} == {1.0}
    assert {stored[item_id]["probability"] for item_id in stored.keys() - first} == {0.1}
    assert len(stored) < 30
    # Another prompt asks everything anew: there is nothing to keep.
    assert update_selection(database, TEAM_DAY, replace(FAILED, prompt="other")).sampled < len(stored)


def test_what_no_longer_matches_is_no_longer_selected(database: Database) -> None:
    traffic(database)
    texts(database, *GENERAL, FAILED)
    update_selection(database, TEAM_DAY, FAILED)
    other = replace(FAILED, theme_filters=(Filter("$ai_is_error", "exact", True), Filter("nowhere", "is_set")))
    selection = update_selection(database, TEAM_DAY, other)
    assert (selection.reason, selection.matched) == ("nothing_matches", 0)
    assert held(database, FAILED) == set()
    assert {row["version"] for row in rows(database, FAILED).values()} == {other.version}


def test_items_whose_texts_have_expired_stay_as_they_were_decided(database: Database) -> None:
    traffic(database)
    texts(database, FAILED)
    update_selection(database, TEAM_DAY, FAILED)
    before = rows(database, FAILED)
    database.execute("DELETE FROM trace_texts WHERE item_id = 'failed-0'")
    assert update_selection(database, TEAM_DAY, FAILED).sampled == 3
    assert rows(database, FAILED) == before
    database.execute("TRUNCATE TABLE trace_texts")
    update_selection(database, TEAM_DAY, FAILED)
    assert rows(database, FAILED) == before


def test_a_screened_theme_asks_only_about_what_its_rule_finds(database: Database) -> None:
    traffic(database)
    texts(database)
    selection = update_selection(database, TEAM_DAY, REFUNDS)
    assert set(selection.items) == {"failed-1", "failed-3", "fine-5", "fine-7"}
    assert (selection.matched, selection.sampled, selection.screened) == (8, 8, 4)
    assert {item_id for item_id, row in rows(database, REFUNDS).items() if row["screened"]} == set(selection.items)
    assert set(pending(database, TEAM_DAY, REFUNDS, "offline/x").items) == set(selection.items)


def test_without_screening_the_rule_leaves_nothing_out(database: Database) -> None:
    traffic(database)
    texts(database)
    assert update_selection(database, TEAM_DAY, replace(REFUNDS, screen=False)).screened == 8


def test_a_text_that_has_grown_is_put_to_the_rule_again_and_no_other(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    traffic(database)
    texts(database)
    update_selection(database, TEAM_DAY, REFUNDS)
    more = {"$ai_trace_id": "fine-4", "$ai_input": [{"role": "user", "content": "then a refund"}]}
    write_events(database, [event(1, "$ai_generation", WHEN + timedelta(minutes=5), more)])
    texts(database)
    asked = []
    applies = taking.applies

    def noted(rule: Any, text: str, *rest: Any) -> Any:
        asked.append(text)
        return applies(rule, text, *rest)

    monkeypatch.setattr(taking, "applies", noted)
    assert "fine-4" in update_selection(database, TEAM_DAY, REFUNDS).items
    assert len(asked) == 1
    update_selection(database, TEAM_DAY, replace(REFUNDS, keywords=("parcel",)))
    assert len(asked) == 9


@pytest.mark.usefixtures("team_has_themes")
def test_a_theme_after_another_selects_what_that_one_found_relevant(database: Database) -> None:
    for team_id in (1, 2):
        traffic(database, team_id)
        texts(database, *GENERAL, FAILED, team_id=team_id)
        update_selection(database, TeamDay(team_id, DAY), FAILED)
    assert update_selection(database, TEAM_DAY, AFTER).reason == "nothing_relevant_to_the_theme_before"
    nowhere = replace(AFTER, theme_filters=(Filter("nowhere", "is_set"),))
    assert update_selection(database, TEAM_DAY, nowhere).reason == "nothing_matches"
    found_relevant(database, {"failed-3"}, team_id=2)
    assert update_selection(database, TEAM_DAY, AFTER).items.keys() == set()
    found_relevant(database, {"failed-1", "failed-2"})
    assert update_selection(database, TEAM_DAY, AFTER).items.keys() == {"failed-1", "failed-2"}
    refunds = replace(AFTER, theme_filters=(Filter("$ai_input", "icontains", "refund"),))
    assert update_selection(database, TEAM_DAY, refunds).items.keys() == {"failed-1"}
    assert held(database, AFTER) == {"failed-1"}


@pytest.mark.usefixtures("team_has_themes")
def test_what_was_relevant_under_another_version_or_is_no_longer_selected_does_not_count(database: Database) -> None:
    traffic(database)
    texts(database, *GENERAL, FAILED)
    update_selection(database, TEAM_DAY, FAILED)
    found_relevant(database, {"failed-1", "failed-2"}, theme_version="old")
    assert update_selection(database, TEAM_DAY, AFTER).items.keys() == set()
    found_relevant(database, {"failed-1", "failed-2"})
    row = {"team_id": 1, "day": DAY, "theme_id": "failed", "item_id": "failed-2", "taken": False, "screened": False}
    database.insert_rows("theme_items", [row])
    assert update_selection(database, TEAM_DAY, AFTER).items.keys() == {"failed-1"}


@pytest.mark.usefixtures("team_has_themes")
def test_the_chance_of_an_item_goes_on_into_the_theme_after(database: Database) -> None:
    traffic(database, failed=40, fine=0)
    texts(database, FAILED)
    half = replace(FAILED, sample_rate=0.5)
    update_selection(database, TEAM_DAY, half)
    found_relevant(database, held(database, FAILED))
    update_selection(database, TEAM_DAY, replace(AFTER, sample_rate=0.5))
    stored = rows(database, AFTER)
    assert stored
    assert len(stored) < len(held(database, FAILED))
    assert {row["probability"] for row in stored.values()} == {0.25}


def test_an_item_that_moved_to_an_earlier_day_is_selected_there_alone(database: Database) -> None:
    for team_id in (1, 2):
        traffic(database, team_id, failed=2, fine=0)
        texts(database, FAILED, team_id=team_id)
        update_selection(database, TeamDay(team_id, DAY), FAILED)
    yesterday = TeamDay(1, DAY - timedelta(days=1))
    first = {"$ai_trace_id": "failed-0"}
    write_events(database, [event(1, "$ai_span", datetime(2026, 11, 6, 23, tzinfo=UTC), first)])
    texts(database, FAILED, day=yesterday.day)
    assert update_selection(database, yesterday, FAILED).items.keys() == {"failed-0"}
    assert {item: row["day"] for item, row in rows(database, FAILED).items()} == {
        "failed-0": "2026-11-06",
        "failed-1": "2026-11-07",
    }
    assert {row["day"] for row in rows(database, FAILED, 2).values()} == {"2026-11-07"}


@pytest.mark.parametrize("line", [1, 2, 3])
def test_a_run_that_is_killed_at_any_write_is_repaired_by_the_next(
    database: Database, monkeypatch: pytest.MonkeyPatch, line: int
) -> None:
    traffic(database, failed=12)
    texts(database)
    monkeypatch.setattr(taking, "_ROWS_AT_ONCE", 8)
    insert, calls = Database.insert_rows, []

    def dying(self: Database, table: str, some: Any) -> None:
        calls.append(table)
        if len(calls) == line:
            raise KeyboardInterrupt
        insert(self, table, some)

    with monkeypatch.context() as killed:
        killed.setattr(Database, "insert_rows", dying)
        with pytest.raises(KeyboardInterrupt):
            update_selection(database, TEAM_DAY, REFUNDS)
    assert len(update_selection(database, TEAM_DAY, REFUNDS).items) == 8
    assert len(rows(database, REFUNDS)) == 16
    assert not update_selection(database, TEAM_DAY, REFUNDS).changes


def test_what_a_theme_selects_is_summarised_and_nothing_else(database: Database) -> None:
    traffic(database)
    traffic(database, 2)
    for team_id in (1, 2):
        texts(database, *GENERAL, FAILED, team_id=team_id, per_hour=1)
    counts = store_theme(
        database, TEAM_DAY, FAILED, OfflineChat(), limits=RunLimits("run"), progress=lambda _done, _all: None
    )
    assert (counts["matched"], counts["sampled"], counts["items_queried"], counts["stored"]) == (4, 4, 4, 4)
    stored = database.rows("SELECT team_id, item_id FROM trace_summaries FINAL ORDER BY item_id")
    assert stored == [{"team_id": 1, "item_id": f"failed-{number}"} for number in range(4)]


def test_why_a_theme_took_nothing_is_said_where_people_look_for_it(database: Database) -> None:
    traffic(database, failed=0)
    texts(database)

    def reasons() -> list[tuple[str, str]]:
        store_theme(
            database, TEAM_DAY, FAILED, OfflineChat(), limits=RunLimits("run"), progress=lambda _done, _all: None
        )
        found = database.rows("SELECT theme_id, reason FROM skips FINAL WHERE team_id = 1 AND reason != ''")
        return [(row["theme_id"], row["reason"]) for row in found]

    assert reasons() == [("failed", "nothing_matches")]
    traffic(database, failed=1, fine=0)
    texts(database, FAILED)
    assert reasons() == []


def test_nothing_selected_is_nothing_to_do() -> None:
    assert Selection().screened == 0
