"""What was paid for once is not paid for again: runs, themes, days and items that share a text; late events."""

import json
import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from llma_assets.clickhouse import Database
from llma_assets.embeddings.partition import store_embeddings
from llma_assets.models import ChatModel, Embedder, OpenAIChat, OpenAIEmbedder, RetryPolicy
from llma_assets.rendering import RenderOptions
from llma_assets.rendering.store import Sampling, store_texts
from llma_assets.stage import silent
from llma_assets.summaries.theme_run import RunLimits, store_theme
from llma_assets.team_day import TeamDay
from llma_assets.testing import ChatServer, day_of_traces, event, trace, write_events
from llma_assets.themes import BUILT_IN, TRACES, Filter, Theme

DAY = date(2026, 11, 7)
BEFORE = DAY - timedelta(days=1)
LATER = datetime(2026, 11, 20, tzinfo=UTC)
SECOND = Theme(theme_id="second", level="trace", prompt=TRACES.prompt, judged=False)
FAILED = Theme("failed", "trace", "Say what failed.", theme_filters=(Filter("$ai_is_error", "exact", True),))
ANY = replace(FAILED, theme_filters=(Filter("$ai_trace_id", "is_set"),))
OTHER = Theme(theme_id="other", level="trace", prompt="Say how the user felt about it.", judged=False)

STORED = """
SELECT toString(day) AS day, item_id, event_count
FROM {table:Identifier} FINAL
WHERE team_id = {team_id:Int64} AND level = 'trace'
ORDER BY day, item_id
"""

EMBEDDED = """
SELECT toString(toDate(timestamp)) AS day, document_id, rendering
FROM document_embeddings FINAL
WHERE team_id = {team_id:Int64} AND document_type = 'llm-trace-summary'
ORDER BY day, document_id, rendering
"""


def unseen(done: int, total: int) -> None:
    """Progress that nobody looks at."""


class Stages:
    """Texts, summaries and embeddings of a team's days as the assets make them, with a server that counts calls."""

    def __init__(self, database: Database, server: ChatServer) -> None:
        policy = RetryPolicy(attempts=2, deadline_s=5.0, attempt_timeout_s=2.0, first_delay_s=0.01)
        self.database, self.server, self.now = database, server, LATER
        self.chat: ChatModel = OpenAIChat("test-model", base_url=server.url, policy=policy)
        self.embedder: Embedder = OpenAIEmbedder("test-embedder", base_url=server.url)

    def texts(self, day: date = DAY, *, team_id: int = 1, themes: tuple[Theme, ...] = (TRACES,)) -> Counter[str]:
        sampling = Sampling(self.now, timedelta(minutes=30), {"trace": 100, "generation": 100}, themes)
        texts = store_texts(self.database, TeamDay(team_id, day), RenderOptions(), sampling, progress=unseen)
        return texts["trace"].counts

    def run(
        self, day: date = DAY, *, team_id: int = 1, themes: tuple[Theme, ...] = (TRACES,), run_id: str = "run"
    ) -> Counter[str]:
        """One run of all three stages; counts the calls that reached the server, and texts of traces rendered."""
        before = len(self.server.requests)
        rendered = self.texts(day, team_id=team_id, themes=themes)["rendered"]
        for theme in themes:
            store_theme(
                self.database,
                TeamDay(team_id, day),
                theme,
                self.chat,
                limits=RunLimits(run_id),
                progress=unseen,
            )
        store_embeddings(
            self.database,
            TeamDay(team_id, day),
            self.embedder,
            themes=themes,
            progress=silent,
        )
        requests = self.server.requests[before:]
        chat = sum(request.path.endswith("completions") for request in requests)
        embedded = sum(len(request.body["input"]) for request in requests if request.path.endswith("embeddings"))
        return Counter(rendered=rendered, chat=chat, embedded=embedded)

    def stored(self, table: str, *, team_id: int = 1) -> list[tuple[Any, ...]]:
        return [tuple(row.values()) for row in self.database.rows(STORED, table=table, team_id=team_id)]

    def embedded(self, *, team_id: int = 1) -> list[tuple[Any, ...]]:
        return [tuple(row.values()) for row in self.database.rows(EMBEDDED, team_id=team_id)]


@pytest.fixture
def stages(database: Database) -> Any:
    with ChatServer(lambda request: answer(request.prompt)) as server:
        yield Stages(database, server)


def answer(prompt: str) -> str:
    """A summary that differs where the text does; what is judged is relevant unless it says `beside the point`."""
    word = " and ".join(dict.fromkeys(re.findall(r"\(case ([^)]*)\)", prompt))) or "ping"
    bullets = [{"text": f"It was about case {word}.", "line_refs": "L1, L999"}]
    said = {"title": f"Case {word}", "flow_diagram": "", "bullets": bullets, "interesting_notes": []}
    return json.dumps({"theme_relevant": "beside the point" not in prompt, **said})


def test_a_second_run_asks_nothing(stages: Stages) -> None:
    write_events(stages.database, day_of_traces(1, DAY, 8))
    write_events(stages.database, day_of_traces(2, DAY, 8))
    assert stages.run() == {"rendered": 8, "chat": 8, "embedded": 8}
    assert stages.run(run_id="again") == {"rendered": 0, "chat": 0, "embedded": 0}


def test_a_second_theme_with_the_same_prompt_asks_nothing_and_has_rows_of_its_own(stages: Stages) -> None:
    write_events(stages.database, day_of_traces(1, DAY, 8))
    stages.run()
    assert stages.run(themes=(TRACES, SECOND)) == {"rendered": 0, "chat": 0, "embedded": 0}
    rows = stages.database.rows(
        "SELECT theme_id, groupArray((item_id, title, bullets, refs_total, refs_valid)) AS summaries "
        "FROM (SELECT * FROM trace_summaries FINAL ORDER BY item_id) GROUP BY theme_id ORDER BY theme_id"
    )
    assert [row["theme_id"] for row in rows] == ["second", "traces"]
    assert rows[0]["summaries"] == rows[1]["summaries"]
    assert len(rows[0]["summaries"]) == 8
    assert Counter(row[2] for row in stages.embedded()) == {
        "llm_traces_summary_second": 8,
        "llm_traces_summary_traces": 8,
    }
    vectors = stages.database.rows(
        "SELECT document_id, uniqExact(embedding) AS different FROM document_embeddings FINAL GROUP BY document_id"
    )
    assert {row["different"] for row in vectors} == {1}


def test_two_new_themes_with_the_same_prompt_in_one_run_cost_as_much_as_one(stages: Stages) -> None:
    write_events(stages.database, day_of_traces(1, DAY, 8))
    assert stages.run(themes=(TRACES, SECOND)) == {"rendered": 8, "chat": 8, "embedded": 8}


def test_another_prompt_another_mode_and_another_model_are_other_questions(stages: Stages) -> None:
    write_events(stages.database, day_of_traces(1, DAY, 2))
    stages.run()
    assert stages.run(themes=(OTHER,))["chat"] == 2
    assert stages.run(themes=(Theme("short", "trace", TRACES.prompt, mode="minimal", judged=False),))["chat"] == 2
    stages.chat = OpenAIChat("another-model", base_url=stages.server.url)
    assert stages.run()["chat"] == 2


def test_another_team_with_equal_texts_pays_for_itself(stages: Stages) -> None:
    write_events(stages.database, day_of_traces(1, DAY, 4))
    write_events(stages.database, day_of_traces(2, DAY, 4))
    stages.run()
    assert stages.run(team_id=2) == {"rendered": 4, "chat": 4, "embedded": 4}


def test_items_with_equal_texts_are_asked_about_once(stages: Stages) -> None:
    for number in range(5):
        write_events(
            stages.database, trace(1, f"ping-{number}", datetime(2026, 11, 7, 9, number, tzinfo=UTC), request="ping")
        )
    assert stages.run() == {"rendered": 5, "chat": 1, "embedded": 1}
    assert len(stages.stored("trace_summaries")) == 5
    assert len(stages.embedded()) == 5
    write_events(stages.database, trace(1, "ping-next-day", datetime(2026, 11, 8, 9, tzinfo=UTC), request="ping"))
    assert stages.run(date(2026, 11, 8)) == {"rendered": 1, "chat": 0, "embedded": 0}


def test_new_events_in_old_traces_cost_these_traces_alone(stages: Stages) -> None:
    write_events(stages.database, day_of_traces(1, DAY, 20))
    write_events(stages.database, day_of_traces(2, DAY, 20))
    stages.run()
    for number in (3, 11):
        when = datetime(2026, 11, 7, 20, tzinfo=UTC) + timedelta(minutes=number)
        late = {
            "$ai_trace_id": f"trace-{DAY}-{number}",
            "$ai_input": [{"role": "user", "content": f"One more thing (case {number} again)"}],
        }
        write_events(stages.database, [event(1, "$ai_generation", when, late)])
    # The late generations are items of their own.
    assert stages.run(run_id="late") == {"rendered": 2, "chat": 2, "embedded": 2}
    counts = dict(row[1:] for row in stages.stored("trace_texts"))
    assert [item_id for item_id, events in counts.items() if events == 4] == [f"trace-{DAY}-11", f"trace-{DAY}-3"]


def test_a_trace_across_midnight_is_rendered_once_and_whole_on_the_day_it_began(stages: Stages) -> None:
    start = datetime(2026, 11, 6, 23, 50, tzinfo=UTC)
    write_events(stages.database, trace(1, "night", start, request="first (case a)"))
    write_events(stages.database, trace(2, "night", start + timedelta(hours=1)))
    stages.now = datetime(2026, 11, 7, 0, 10, tzinfo=UTC)
    assert stages.run(BEFORE)["rendered"] == 0
    write_events(stages.database, trace(1, "night", datetime(2026, 11, 7, 0, 5, tzinfo=UTC), request="second (case b)"))
    stages.now = datetime(2026, 11, 7, 0, 31, tzinfo=UTC)
    assert stages.run(BEFORE)["rendered"] == 0
    assert stages.run(DAY)["rendered"] == 0
    stages.now = datetime(2026, 11, 7, 0, 36, tzinfo=UTC)
    assert stages.run(DAY)["rendered"] == 0
    assert stages.run(BEFORE) == {"rendered": 1, "chat": 1, "embedded": 1}
    assert stages.stored("trace_texts") == [("2026-11-06", "night", 6)]
    assert stages.run(DAY) == {"rendered": 0, "chat": 0, "embedded": 0}


def test_events_after_midnight_re_open_the_trace_of_the_day_before(stages: Stages) -> None:
    write_events(
        stages.database, trace(1, "night", datetime(2026, 11, 6, 23, 10, tzinfo=UTC), request="first (case a)")
    )
    write_events(
        stages.database, trace(1, "quiet", datetime(2026, 11, 6, 23, 10, tzinfo=UTC), request="other (case q)")
    )
    stages.now = datetime(2026, 11, 7, 0, 0, tzinfo=UTC)
    assert stages.run(BEFORE) == {"rendered": 2, "chat": 2, "embedded": 2}
    write_events(stages.database, trace(1, "night", datetime(2026, 11, 7, 1, 0, tzinfo=UTC), request="second (case b)"))
    stages.now = datetime(2026, 11, 7, 2, 0, tzinfo=UTC)
    assert stages.run(DAY) == {"rendered": 0, "chat": 0, "embedded": 0}
    assert stages.run(BEFORE, run_id="again") == {"rendered": 1, "chat": 1, "embedded": 1}
    assert stages.stored("trace_texts") == [("2026-11-06", "night", 6), ("2026-11-06", "quiet", 3)]


@pytest.mark.slow
@pytest.mark.parametrize("order", [(BEFORE, DAY), (DAY, BEFORE)])
def test_a_late_first_event_moves_a_trace_to_the_day_before_and_leaves_nothing_behind(
    stages: Stages, order: tuple[date, date]
) -> None:
    write_events(stages.database, trace(1, "moved", datetime(2026, 11, 7, 0, 30, tzinfo=UTC), request="one (case a)"))
    write_events(stages.database, trace(1, "stays", datetime(2026, 11, 7, 0, 30, tzinfo=UTC), request="one (case s)"))
    write_events(stages.database, trace(2, "moved", datetime(2026, 11, 7, 0, 30, tzinfo=UTC), request="one (case a)"))
    for team_id in (1, 2):
        stages.run(DAY, team_id=team_id)
        stages.run(BEFORE, team_id=team_id)
    write_events(stages.database, trace(1, "moved", datetime(2026, 11, 6, 23, 0, tzinfo=UTC), request="zero (case b)"))
    total: Counter[str] = Counter()
    for day in order:
        total += stages.run(day, run_id="late")
    assert total == {"rendered": 1, "chat": 1, "embedded": 1}
    for table in ("trace_texts", "trace_summaries"):
        assert stages.stored(table) == [("2026-11-06", "moved", 6), ("2026-11-07", "stays", 3)]
        assert stages.stored(table, team_id=2) == [("2026-11-07", "moved", 3)]
    assert [row[:2] for row in stages.embedded()] == [("2026-11-06", "moved"), ("2026-11-07", "stays")]
    assert [row[:2] for row in stages.embedded(team_id=2)] == [("2026-11-07", "moved")]
    for day in order:
        assert stages.run(day, run_id="once more") == {"rendered": 0, "chat": 0, "embedded": 0}


def test_a_run_killed_while_a_trace_moved_is_finished_by_the_next(
    stages: Stages, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_events(stages.database, trace(1, "moved", datetime(2026, 11, 7, 0, 30, tzinfo=UTC), request="one (case a)"))
    stages.run(DAY)
    write_events(stages.database, trace(1, "moved", datetime(2026, 11, 6, 23, 0, tzinfo=UTC), request="zero (case b)"))

    def killed(self: Database, sql: str, /, **parameters: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Database, "execute", killed)
        with pytest.raises(KeyboardInterrupt):
            stages.run(BEFORE)
    assert [row[:2] for row in stages.stored("trace_texts")] == [("2026-11-06", "moved"), ("2026-11-07", "moved")]
    stages.run(DAY)
    stages.run(BEFORE)
    assert stages.stored("trace_texts") == [("2026-11-06", "moved", 6)]
    assert stages.stored("trace_summaries") == [("2026-11-06", "moved", 6)]
    assert [row[:2] for row in stages.embedded()] == [("2026-11-06", "moved")]


def test_a_trace_of_many_days_is_not_rendered_again_on_each(stages: Stages) -> None:
    for ahead in (-3, -1, 0):
        when = datetime(2026, 11, 7, 12, tzinfo=UTC) + timedelta(days=ahead)
        write_events(stages.database, trace(1, "long", when, request=f"day {ahead} (case {ahead})"))
    for ahead in (-3, -2, -1, 0):
        stages.texts(DAY + timedelta(days=ahead))
    assert stages.stored("trace_texts") == [("2026-11-04", "long", 3)]


def test_all_generations_of_a_trace_are_summarised(stages: Stages) -> None:
    generations = next(theme for theme in BUILT_IN if theme.level == "generation")
    for number in range(4):
        when = datetime(2026, 11, 7, 9, number, tzinfo=UTC)
        write_events(stages.database, trace(1, "one", when, request=f"step (case {number})"))
    assert stages.run(themes=(generations,)) == {"rendered": 0, "chat": 4, "embedded": 4}


def half_failed(database: Database, team_id: int = 1) -> None:
    """Eight traces, of which four failed, and two of these have nothing to do with any theme."""
    for number in range(8):
        about = " beside the point" if number in (2, 3) else ""
        extra = {"$ai_is_error": True} if number < 4 else {}
        when = datetime(2026, 11, 7, 9, number, tzinfo=UTC)
        write_events(database, trace(team_id, f"t{number}", when, request=f"one (case {number}){about}", extra=extra))


def versions(database: Database, *, team_id: int = 1) -> Counter[str]:
    rows = database.rows(
        "SELECT theme_version FROM trace_summaries FINAL WHERE team_id = {team_id:Int64} AND theme_id = 'failed'",
        team_id=team_id,
    )
    return Counter(row["theme_version"] for row in rows)


def test_a_theme_pays_for_what_its_filters_match_and_embeds_what_is_relevant(stages: Stages) -> None:
    for team_id in (1, 2):
        half_failed(stages.database, team_id)
    assert stages.run(themes=(FAILED,)) == {"rendered": 4, "chat": 4, "embedded": 2}
    assert [row[1] for row in stages.embedded()] == ["t0", "t1"]
    assert stages.run(themes=(FAILED,), run_id="again") == {"rendered": 0, "chat": 0, "embedded": 0}
    assert versions(stages.database) == {FAILED.version: 4}
    assert versions(stages.database, team_id=2) == {}


def test_wider_filters_cost_the_new_items_alone_and_narrower_ones_nothing(stages: Stages) -> None:
    half_failed(stages.database)
    stages.run(themes=(FAILED,))
    assert stages.run(themes=(ANY,), run_id="wider") == {"rendered": 4, "chat": 4, "embedded": 4}
    assert versions(stages.database) == {ANY.version: 8}
    assert stages.run(themes=(FAILED,), run_id="narrower") == {"rendered": 0, "chat": 0, "embedded": 0}
    assert [row[1] for row in stages.embedded()] == ["t0", "t1"]
    assert versions(stages.database) == {FAILED.version: 4, ANY.version: 4}
    assert stages.run(themes=(ANY,), run_id="wider again")["chat"] == 0


def test_another_prompt_of_a_theme_asks_anew(stages: Stages) -> None:
    half_failed(stages.database)
    stages.run(themes=(FAILED,))
    assert stages.run(themes=(replace(FAILED, prompt="Say who was to blame."),), run_id="new")["chat"] == 4


def test_two_judged_themes_with_the_same_prompt_pay_once_for_what_both_take(stages: Stages) -> None:
    half_failed(stages.database)
    stages.run(themes=(FAILED,))
    assert stages.run(themes=(replace(ANY, theme_id="any"),), run_id="second")["chat"] == 4


def test_a_higher_rate_keeps_what_was_paid(stages: Stages) -> None:
    write_events(stages.database, day_of_traces(1, DAY, 40))
    few = stages.run(themes=(replace(ANY, sample_rate=0.3),))["chat"]
    assert 0 < few < 40
    assert stages.run(themes=(replace(ANY, sample_rate=1.0),), run_id="more")["chat"] == 40 - few
