"""Vectors that fail: a set-up that cannot work stops the stage, one text costs itself, what was paid for is kept."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from llma_assets.clickhouse import Database
from llma_assets.embeddings import FailedItem, embed_items
from llma_assets.embeddings.checks import few_embedding_failures, summaries_are_embedded
from llma_assets.embeddings.partition import store_embeddings
from llma_assets.ledger import Skip, list_skips, record_skip
from llma_assets.models import (
    ModelUnavailable,
    NothingUsable,
    OfflineChat,
    OpenAIEmbedder,
    Record,
    RetryPolicy,
    ignore_usage,
)
from llma_assets.stage import Report, ThemesFailed, silent
from llma_assets.summaries.theme_run import RunLimits, store_theme
from llma_assets.team_day import TeamDay
from llma_assets.testing import ChatServer, Fault, Request, Status, Vectors, numbered_texts, write_texts
from llma_assets.themes import TRACES
from llma_assets_tests.databases import PlantedOnce

DAY = date(2026, 11, 7)
TEAM, OTHER = TeamDay(1, DAY), TeamDay(2, DAY)
POLICY = RetryPolicy(attempts=2, deadline_s=10.0, first_delay_s=0.01, longest_delay_s=0.01, cool_down_s=0.05)
NAN = float("nan")
COUNT = "SELECT count() FROM document_embeddings FINAL WHERE team_id = 1"


def two_summarised_days(database: Database) -> None:
    """Sixty summaries of a team's day, and of another's with the same ids."""
    for team_day in (TEAM, OTHER):
        write_texts(database, team_day, numbered_texts(60))
        store_theme(database, team_day, TRACES, OfflineChat(), limits=RunLimits("run"), progress=lambda *_: None)


@pytest.fixture
def summarised(database: Database, planted_once: PlantedOnce) -> Database:
    planted_once(two_summarised_days)
    return database


def embed(
    database: Database, server: ChatServer, team_day: TeamDay = TEAM, *, batch_texts: int = 256, **options: Any
) -> Report:
    embedder = OpenAIEmbedder("embedder", base_url=server.url, policy=POLICY, batch_texts=batch_texts)
    return store_embeddings(database, team_day, embedder, themes=(TRACES,), progress=silent, **options)


def skip_of(database: Database, team_day: TeamDay = TEAM) -> tuple[str, str]:
    found = [
        skip for skip in list_skips(database, day=DAY, team_id=team_day.team_id) if skip.stage == "summary_embeddings"
    ]
    return (found[0].reason, found[0].detail) if found else ("", "")


def always(rows: Callable[[int], Sequence[Sequence[float]]]) -> ChatServer:
    return ChatServer(judge=lambda request: Vectors(tuple(tuple(row) for row in rows(len(request.body["input"])))))


@pytest.mark.parametrize(
    "broken",
    [
        always(lambda count: [[NAN] * 4] * count),
        always(lambda count: [[0.0] * 4] * count),
        always(lambda count: [[1.0, 2.0]] * (count + 1)),
        ChatServer(always=Status(400, "who are you")),
        ChatServer(always=Status(422, "input is not what I take")),
    ],
    ids=["nan", "zero", "count", "key", "refused"],
)
def test_an_embedder_that_gives_nothing_usable_fails_the_stage_after_a_few_calls(
    summarised: Database, broken: ChatServer
) -> None:
    with broken, pytest.raises(NothingUsable, match=r"^60 of 60: the model embedder gave nothing"):
        embed(summarised, broken)
    assert len(broken.calls("/v1/embeddings")) <= 40
    reason, detail = skip_of(summarised)
    assert (reason, detail[:9]) == ("embeddings_failed", "60 of 60:")
    assert skip_of(summarised, OTHER) == ("", "")
    assert summarised.value(COUNT) == 0
    (none,) = summaries_are_embedded(summarised, TEAM)
    (few,) = few_embedding_failures(summarised, TEAM)
    assert (none.passed, few.passed) == (False, False)
    with ChatServer() as good:
        assert embed(summarised, good).items == 60
    assert skip_of(summarised) == ("", "")
    (none,) = summaries_are_embedded(summarised, TEAM)
    (few,) = few_embedding_failures(summarised, TEAM)
    assert (none.passed, few.passed) == (True, True)


def test_texts_that_fail_by_themselves_are_counted_and_the_check_says_so(summarised: Database) -> None:
    """A fourth of the texts is refused, in whatever company."""

    def judge(request: Request) -> Fault:
        bad = [text for text in request.body["input"] if any(f"number {n} " in text for n in range(0, 60, 4))]
        return Status(400, "input is too large") if bad else None

    with ChatServer(judge=judge) as server:
        report = embed(summarised, server)
    assert (report.items, report.status) == (45, "done")
    assert skip_of(summarised)[0] == "embeddings_failed"
    assert skip_of(summarised)[1].startswith("15 of 60:")
    (few,) = few_embedding_failures(summarised, TEAM)
    (none,) = summaries_are_embedded(summarised, TEAM)
    assert (few.passed, few.found, none.passed) == (False, "15 of 60", True)


def test_what_waits_for_money_has_not_failed(summarised: Database) -> None:
    record_skip(summarised, Skip(1, DAY, "summary_embeddings", "traces", "budget", "60 of 60 items deferred"))
    assert [outcome.passed for outcome in summaries_are_embedded(summarised, TEAM)] == [True]
    assert [outcome.passed for outcome in few_embedding_failures(summarised, TEAM)] == [True]
    assert [outcome.passed for outcome in summaries_are_embedded(summarised, OTHER)] == [False]


@pytest.mark.parametrize(("given", "asked"), [(20, 256), (60, 20)], ids=["batches of the stage", "of the embedder"])
def test_what_was_embedded_before_the_server_went_away_is_not_asked_again(
    summarised: Database, monkeypatch: pytest.MonkeyPatch, given: int, asked: int
) -> None:
    monkeypatch.setattr("llma_assets.embeddings.compose.embed_batches.__defaults__", (given,))
    with ChatServer(faults=[None, None], always=Status(503)) as first, pytest.raises(ThemesFailed):
        embed(summarised, first, batch_texts=asked)
    assert summarised.value(COUNT) == 40
    with ChatServer() as second:
        assert embed(summarised, second).items == 60
    assert [len(call.body["input"]) for call in second.calls("/v1/embeddings")] == [20]


def test_a_summary_that_cannot_be_read_costs_itself_alone_and_is_named(summarised: Database) -> None:
    summarised.execute(
        "INSERT INTO trace_summaries SELECT * REPLACE('[{\"txt\": 1}]' AS bullets, now64(6) AS inserted_at) "
        "FROM trace_summaries FINAL WHERE team_id = 1 AND item_id = 'item-7'"
    )
    with ChatServer() as server:
        report = embed(summarised, server)
    assert report.items == 59
    assert report.details["traces_failed"] == 1


class Fragile:
    """An embedder whose code breaks on one text."""

    name, dimension = "fragile", 2

    def embed(self, given: Sequence[str], *, record: Record = ignore_usage) -> NDArray[np.float32]:  # noqa: ARG002
        if "bad" in given:
            raise ValueError("a text that is nobody's business")
        return np.ones((len(given), 2), dtype=np.float32)


def test_a_text_that_breaks_the_code_costs_itself_alone() -> None:
    results = list(embed_items([(str(n), "bad" if n == 5 else f"text {n}") for n in range(9)], Fragile(), ignore_usage))
    failed = [result for result in results if isinstance(result, FailedItem)]
    assert [result.item_id for result in failed] == ["5"]
    assert failed[0].error.startswith("broken: ValueError")
    assert "nobody" not in failed[0].error


def test_a_server_that_is_away_fails_the_theme(summarised: Database) -> None:
    with ChatServer(always=Status(503)) as server, pytest.raises(ThemesFailed, match=ModelUnavailable.__name__):
        embed(summarised, server)
    assert skip_of(summarised)[0] == "failed"
