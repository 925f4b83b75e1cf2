"""A theme on trial: which items it is tried on, what is asked, and that nothing is stored."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from llma_assets.clickhouse import Database
from llma_assets.models import ChatModel, OfflineChat, OpenAIChat, Usage
from llma_assets.rendering import RenderOptions
from llma_assets.rendering.store import Sampling, store_texts
from llma_assets.reports.trial import Trial, try_theme
from llma_assets.summaries.selection import update_selection
from llma_assets.summaries.theme_run import RunLimits, store_theme
from llma_assets.team_day import TeamDay
from llma_assets.testing import ChatServer, Request, day_of_traces, trace, write_events
from llma_assets.themes import GENERATIONS, TRACES, Filter, Theme
from llma_assets.themes.changes import apply
from llma_assets.themes.document import document_of

DAY = date(2026, 11, 7)
TEAM = TeamDay(1, DAY)
NOW = datetime(2026, 11, 21, tzinfo=UTC)
WHEN = datetime(2026, 11, 7, 8, tzinfo=UTC)
REFUNDS = Theme(
    theme_id="refunds",
    level="trace",
    prompt="Say whether the user got the money back.",
    rule="keywords",
    keywords=("refund",),
)
COUNTS = """
SELECT name, ifNull(total_rows, 0) AS rows
FROM system.tables
WHERE database = currentDatabase() AND engine NOT IN ('View', 'MaterializedView')
ORDER BY name
"""


def sampling(*themes: Theme, per_hour: int = 100) -> Sampling:
    limits: Any = {"trace": per_hour, "generation": per_hour}
    return Sampling(now=NOW, quiet=timedelta(minutes=30), per_hour=limits, themes=themes)


def tried(
    database: Database,
    theme: Theme,
    chat: ChatModel | None = None,
    *,
    days: Sequence[TeamDay] = (TEAM,),
    spent: list[Usage] | None = None,
    **options: Any,
) -> Trial:
    usages = [] if spent is None else spent
    return try_theme(
        database,
        days,
        theme,
        chat or OfflineChat(),
        sampling=sampling(theme, per_hour=options.pop("per_hour", 100)),
        options=RenderOptions(),
        record=lambda _, usage: usages.append(usage),
        **options,
    )


def unseen(done: int, total: int) -> None:
    """Progress that nobody looks at."""


def yes(request: Request) -> str:
    """A summary that is relevant."""
    point = {"text": f"Seen in {request.prompt.count('refund')} places", "line_refs": ""}
    return json.dumps(
        {"theme_relevant": True, "title": "T", "flow_diagram": "", "bullets": [point], "interesting_notes": []}
    )


def test_offline_the_rule_says_what_is_relevant_and_why(database: Database) -> None:
    write_events(database, day_of_traces(1, DAY, 12))
    trial = tried(database, REFUNDS)
    assert (trial.matched, trial.sampled, trial.read, trial.left_out) == (12, 12, 12, 0)
    assert trial.relevant == 3  # a quarter of the traffic
    for item in trial.items:
        assert item.verdict is not None
        assert item.verdict.relevant == item.result.relevant
        assert item.verdict.why
        assert bool(item.result.bullets) == item.result.relevant


def test_nothing_is_stored_in_any_table(database: Database) -> None:
    write_events(database, day_of_traces(1, DAY, 8))
    before = database.rows(COUNTS)
    tried(database, REFUNDS)
    tried(database, replace(REFUNDS, theme_filters=(Filter("$ai_model", "exact", "gpt-4o"),)))
    tried(database, GENERATIONS)
    assert database.rows(COUNTS) == before


def test_a_theme_is_tried_on_what_its_filters_match(database: Database) -> None:
    write_events(database, day_of_traces(1, DAY, 8))
    write_events(database, trace(1, "mine", WHEN, extra={"agent": "sales"}))
    write_events(database, trace(2, "theirs", WHEN, extra={"agent": "sales"}))
    trial = tried(database, replace(REFUNDS, theme_filters=(Filter("agent", "exact", "sales"),)))
    assert [item.result.item_id for item in trial.items] == ["mine"]
    assert (trial.matched, trial.sampled) == (1, 1)


def test_the_items_are_those_that_a_run_takes_first(database: Database) -> None:
    write_events(database, day_of_traces(1, DAY, 40))
    theme = replace(REFUNDS, sample_rate=0.3)
    trial = tried(database, theme, size=5)
    store_texts(database, TEAM, RenderOptions(), sampling(theme), progress=unseen)
    taken = update_selection(database, TEAM, theme)
    assert {item.result.item_id for item in trial.items} <= set(taken.items)
    assert (trial.matched, trial.sampled) == (taken.matched, taken.sampled)
    assert 5 < trial.sampled < 40
    again = tried(database, theme, size=5)
    assert [item.result.item_id for item in again.items] == [item.result.item_id for item in trial.items]


def test_a_theme_that_takes_few_is_tried_on_as_many_all_the_same(database: Database) -> None:
    write_events(database, day_of_traces(1, DAY, 12))
    trial = tried(database, replace(REFUNDS, sample_rate=0.0001), size=6)
    assert (trial.sampled, len(trial.items)) == (0, 6)


def test_a_model_is_asked_for_a_sample_only_and_not_about_what_the_rule_leaves_out(database: Database) -> None:
    write_events(database, day_of_traces(1, DAY, 24))
    spent: list[Usage] = []
    with ChatServer(yes) as server:
        chat = OpenAIChat("gpt-4.1-nano", base_url=server.url)
        trial = tried(database, replace(REFUNDS, screen=True), chat, size=4, spent=spent)
        assert len(server.calls()) == len(trial.items) == 4
    assert len(spent) == 4
    assert trial.left_out == trial.read - 4 > 0
    assert not any("in 0 places" in item.result.bullets[0].text for item in trial.items)


def test_the_search_for_what_the_rule_finds_has_an_end(database: Database) -> None:
    write_events(database, day_of_traces(1, DAY, 36))
    with ChatServer(yes) as server:
        chat = OpenAIChat("gpt-4.1-nano", base_url=server.url)
        trial = tried(database, replace(REFUNDS, screen=True, keywords=("xylophone",)), chat, size=3)
        assert server.calls() == []
    assert (trial.read, trial.left_out, trial.items) == (30, 30, ())


def test_what_is_known_from_a_run_is_not_asked_again(database: Database) -> None:
    write_events(database, day_of_traces(1, DAY, 6))
    with ChatServer(yes) as server:
        chat = OpenAIChat("gpt-4.1-nano", base_url=server.url)
        theme = replace(REFUNDS, rule=None)
        store_texts(database, TEAM, RenderOptions(), sampling(theme), progress=unseen)
        store_theme(database, TEAM, theme, chat, limits=RunLimits("run"), progress=unseen)
        asked = len(server.calls())
        trial = tried(database, theme, chat)
        assert len(server.calls()) == asked
        changed = tried(database, replace(theme, prompt="Say what it cost."), chat)
        assert len(server.calls()) == asked + 6
    assert [item.known for item in trial.items] == [True] * 6
    assert all(item.result.bullets and item.result.relevant for item in trial.items)
    assert not any(item.known for item in changed.items)


def test_a_theme_after_another_is_tried_on_what_that_one_found_relevant(database: Database) -> None:
    write_events(database, day_of_traces(1, DAY, 12))
    apply(database, 1, document_of([REFUNDS]), "a test")
    store_texts(database, TEAM, RenderOptions(), sampling(REFUNDS), progress=unseen)
    store_theme(database, TEAM, REFUNDS, OfflineChat(), limits=RunLimits("run"), progress=unseen)
    trial = tried(database, replace(TRACES, theme_id="angry", after="refunds"))
    assert (trial.matched, len(trial.items)) == (3, 3)


def test_items_of_several_days_are_tried_together(database: Database) -> None:
    for back in range(3):
        write_events(database, day_of_traces(1, TEAM.back(back).day, 4))
    trial = tried(database, REFUNDS, days=TEAM.window(3))
    assert trial.matched == 12
    assert {item.day for item in trial.items} == {TEAM.back(back).day for back in range(3)}


def test_generations_are_tried_by_their_uuids(database: Database) -> None:
    uuids = write_events(database, trace(1, "t", WHEN))
    trial = tried(database, GENERATIONS)
    assert [(item.result.item_id, item.trace_id) for item in trial.items] == [(str(uuids[0]), "t")]


def test_nothing_to_try_is_no_error(database: Database) -> None:
    trial = tried(database, REFUNDS)
    assert (trial.matched, trial.sampled, trial.read, trial.items) == (0, 0, 0, ())
