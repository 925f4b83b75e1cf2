"""A set-up that cannot work is told from items that fail: few calls, no blame, no false green, one answer quoted."""

from collections import Counter
from dataclasses import replace
from datetime import date

import pytest

from llma_assets.clickhouse import Database
from llma_assets.ledger import list_skips
from llma_assets.models import (
    ModelConfigurationError,
    ModelHealth,
    NothingAnswered,
    NothingUsable,
    OpenAIChat,
    RetryPolicy,
)
from llma_assets.stage import Report, ThemesFailed, silent
from llma_assets.summaries.checks import few_failures
from llma_assets.summaries.dead_letters import MAX_FAILURES
from llma_assets.summaries.partition import store_summaries
from llma_assets.summaries.theme_run import RunLimits, store_theme
from llma_assets.team_day import TeamDay
from llma_assets.testing import (
    EMPTY,
    FILTERED,
    INVALID_JSON,
    REFUSAL,
    WRONG_SCHEMA,
    BatchServer,
    ChatServer,
    Ending,
    Fault,
    Garbage,
    RateLimited,
    Request,
    Status,
    numbered_texts,
    write_texts,
)
from llma_assets.themes import GENERATIONS, TRACES, Theme

DAY = date(2026, 11, 7)
TEAM, OTHER = TeamDay(1, DAY), TeamDay(2, DAY)
KEY = "sk-test-secret"
POLICY = RetryPolicy(
    attempts=2, deadline_s=30.0, first_delay_s=0.01, longest_delay_s=0.01, most_failures=4, cool_down_s=0.05
)
MOST_CALLS = 2 * (8 + 4 + 1)
"""Eight failures, four more calls under way, a sample; each perhaps with a repair."""

MANY = MOST_CALLS + 4
"""So many items that a run which asked about each would be seen."""

HELD = "SELECT count() FROM trace_summaries UNION ALL SELECT count() FROM summary_failures"
WRONG_KEY = Status(400, f"API key {KEY} not valid. Please pass a valid\nAPI key.", code="INVALID_ARGUMENT")


def unseen(done: int, total: int) -> None:
    """Progress that nobody looks at."""


def chat_of(server: ChatServer, name: str = "test-model") -> OpenAIChat:
    return OpenAIChat(name, api_key=KEY, base_url=server.url, policy=POLICY)


def run(
    database: Database, server: ChatServer, team_day: TeamDay = TEAM, *, run_id: str = "run", via: str = "calls"
) -> "Counter[str]":
    limits = RunLimits(run_id, via=via)  # type: ignore[arg-type]
    return store_theme(database, team_day, TRACES, chat_of(server), limits=limits, progress=unseen)


def stage(
    database: Database,
    server: ChatServer,
    team_day: TeamDay = TEAM,
    *,
    themes: tuple[Theme, ...] = (TRACES,),
    limits: RunLimits | None = None,
) -> Report:
    """The stage as the asset runs it."""
    return store_summaries(
        database,
        team_day,
        lambda theme: chat_of(server, theme.model or "test-model"),
        themes=themes,
        limits=limits or RunLimits("run"),
        progress=silent,
    )


def skips(database: Database, team_day: TeamDay = TEAM) -> dict[str, tuple[str, str]]:
    """Reason and detail by theme."""
    found = list_skips(database, day=team_day.day, team_id=team_day.team_id)
    return {skip.theme_id: (skip.reason, skip.detail) for skip in found}


def about(word: str, fault: Fault) -> ChatServer:
    return ChatServer(judge=lambda request: fault if word in request.prompt else None)


@pytest.mark.parametrize(
    "fault",
    [WRONG_KEY, Status(422), Garbage(), INVALID_JSON, WRONG_SCHEMA, EMPTY, REFUSAL, FILTERED],
    ids=lambda fault: f"{type(fault).__name__}-{getattr(fault, 'status', getattr(fault, 'finish_reason', ''))}",
)
def test_a_model_that_gives_nothing_usable_is_stopped_after_a_few_calls_and_no_item_is_blamed(
    database: Database, fault: Fault
) -> None:
    write_texts(database, TEAM, numbered_texts(MANY))
    write_texts(database, OTHER, numbered_texts(3))
    said = rf"^{MANY} of {MANY}: the model test-model gave nothing that can be used"
    with ChatServer(always=fault) as server:
        with pytest.raises(NothingUsable, match=said):
            stage(database, server)
        assert len(server.calls()) <= MOST_CALLS
    assert [row["count()"] for row in database.rows(HELD)] == [0, 0]
    reason, detail = skips(database)["traces"]
    assert (reason, detail[: detail.find(":")]) == ("summaries_failed", f"{MANY} of {MANY}")
    assert skips(database, OTHER) == {}


def test_a_model_that_is_right_again_after_many_runs_is_asked_about_every_item(database: Database) -> None:
    write_texts(database, TEAM, numbered_texts(MANY))
    with ChatServer(always=INVALID_JSON) as server:
        for n in range(MAX_FAILURES + 1):
            with pytest.raises(NothingUsable):
                stage(database, server, limits=RunLimits(f"run-{n}"))
        assert len(server.calls()) <= MOST_CALLS * (MAX_FAILURES + 1)
    assert [row["count()"] for row in database.rows(HELD)] == [0, 0]
    with ChatServer() as server:
        assert stage(database, server).items == MANY
        assert len(server.calls()) == MANY
    assert skips(database) == {}


def test_one_answer_is_quoted_on_one_line_without_the_key(database: Database) -> None:
    write_texts(database, TEAM, numbered_texts(3))
    with ChatServer(always=WRONG_KEY) as server, pytest.raises(NothingUsable) as raised:
        stage(database, server)
    said = str(raised.value)
    assert "API key [key] not valid. Please pass a valid" in said
    assert KEY not in said
    assert "\n" not in said
    assert skips(database)["traces"][1] == said[:500]


def test_what_a_trace_holds_is_never_quoted(database: Database) -> None:
    """The answers to items may repeat them; only that to the sample is shown."""
    write_texts(database, TEAM, numbered_texts(3))

    def echo(request: Request) -> str:
        return f"I cannot say anything about: {request.prompt[-200:]}"

    with ChatServer(echo) as server, pytest.raises(NothingUsable) as raised:
        stage(database, server)
    assert "flights" not in str(raised.value)
    assert "I cannot say anything about" in str(raised.value)


@pytest.mark.parametrize("count", [1, 8, 20])
def test_items_that_fail_by_themselves_are_blamed_and_the_day_is_not_done(database: Database, count: int) -> None:
    """All of a day's items are refused, but the model answers when it is asked about something harmless."""
    write_texts(database, TEAM, numbered_texts(count))
    with about("about flights", REFUSAL) as server:
        report = stage(database, server)
        assert len(server.calls()) == count + 1
    assert (report.items, report.reason, report.status) == (0, "all_failed", "failed")
    assert skips(database)["traces"] == (
        "summaries_failed",
        f"{count} of {count}: refusal: the model refused to answer",
    )
    assert [row["count()"] for row in database.rows(HELD)] == [count, count]


def test_a_model_that_fails_on_most_items_is_reported_by_the_check(database: Database) -> None:
    write_texts(database, TEAM, numbered_texts(50))
    write_texts(database, OTHER, numbered_texts(50))
    with ChatServer(judge=lambda request: REFUSAL if "0 about" not in request.prompt else None) as server:
        report = stage(database, server)
    assert (report.items, report.status) == (5, "done")
    assert skips(database)["traces"][0] == "summaries_failed"
    assert skips(database)["traces"][1].startswith("45 of 50:")
    (outcome,) = few_failures(database, TEAM)
    assert not outcome.passed


def test_a_day_after_one_that_went_well_is_not_asked_about_a_sample(database: Database) -> None:
    before = TEAM.back(1)
    write_texts(database, before, numbered_texts(3))
    write_texts(database, TEAM, {"bad": "L1: something forbidden"})
    limits = RunLimits("run")
    with about("forbidden", REFUSAL) as server:
        assert stage(database, server, before, limits=limits).items == 3
        assert stage(database, server, limits=limits).status == "failed"
        assert len(server.calls()) == 4


def test_a_theme_of_its_own_model_fails_alone_and_is_not_asked_again_for_the_next_day(database: Database) -> None:
    days = [TEAM.back(1), TEAM]
    own = replace(TRACES, theme_id="own", model="broken-model")
    for team_day in days:
        write_texts(database, team_day, {f"{name}-{team_day.day}": text for name, text in numbered_texts(20).items()})
    limits = RunLimits("run", health=ModelHealth())
    with ChatServer(judge=lambda request: EMPTY if request.body["model"] == "broken-model" else None) as server:
        for team_day in days:
            with pytest.raises(ThemesFailed, match=r"own \(NothingUsable: 20 of 20"):
                stage(database, server, team_day, themes=(own, TRACES), limits=limits)
        asked = Counter(request.body["model"] for request in server.calls())
    assert asked["broken-model"] <= MOST_CALLS
    assert asked["test-model"] == 20  # the other day asks the same
    assert skips(database)["own"][0] == "summaries_failed"


def test_a_theme_whose_prompt_nobody_answers_leaves_the_others_standing(database: Database) -> None:
    write_texts(database, TEAM, numbered_texts(20))
    asks = replace(TRACES, theme_id="asks", prompt="Say the unspeakable.")
    with about("unspeakable", REFUSAL) as server, pytest.raises(ThemesFailed, match="asks"):
        stage(database, server, themes=(TRACES, asks))
    assert database.value("SELECT count() FROM trace_summaries WHERE status = 'generated'") == 20
    assert set(skips(database)) == {"asks"}


def test_the_first_theme_that_gets_nothing_stops_the_others(database: Database) -> None:
    write_texts(database, TEAM, numbered_texts(20))
    write_texts(database, TEAM, numbered_texts(20), level="generation")
    with ChatServer(always=INVALID_JSON) as server, pytest.raises(ModelConfigurationError):
        stage(database, server, themes=(TRACES, GENERATIONS))
    assert len(server.calls()) <= MOST_CALLS


@pytest.mark.parametrize("fault", [Status(503), RateLimited("3600")], ids=["away", "busy"])
def test_a_run_in_which_the_server_answered_nothing_has_failed_and_blames_nobody(
    database: Database, fault: Fault
) -> None:
    write_texts(database, TEAM, numbered_texts(30))
    with ChatServer(always=fault) as server, pytest.raises(ThemesFailed, match="answered nothing") as raised:
        stage(database, server)
    assert NothingAnswered.__name__ in str(raised.value)
    reason, detail = skips(database)["traces"]
    assert reason in {"server_error", "circuit_open", "rate_limited"}
    assert detail.startswith("30 of 30 items deferred; the next run takes them up: the model test-model")
    assert [row["count()"] for row in database.rows(HELD)] == [0, 0]


def test_a_server_that_goes_away_after_some_answers_has_not_failed(database: Database) -> None:
    write_texts(database, TEAM, numbered_texts(30))
    seen: list[str] = []

    def judge(request: Request) -> Fault:
        seen.append("")
        return RateLimited("3600") if len(seen) > 10 else None

    with ChatServer(judge=judge) as server:
        report = stage(database, server)
    assert report.status == "done"
    assert skips(database)["traces"][0] == "rate_limited"


def test_a_batch_of_nothing_usable_is_read_again_when_the_model_is_right(database: Database) -> None:
    write_texts(database, TEAM, numbered_texts(12))
    broken = [False]

    def judge(request: Request) -> Fault:
        return INVALID_JSON if broken[0] and "messages" in (request.body or {}) else None

    ending = Ending(replies=dict.fromkeys(range(11), INVALID_JSON))
    with BatchServer(judge=judge, endings=[ending]) as server:
        assert run(database, server, via="batch")["waiting"] == 11
        broken[0] = True
        for n in range(MAX_FAILURES + 1):
            with pytest.raises(NothingUsable):
                run(database, server, run_id=f"run-{n}")
        assert database.value("SELECT count() FROM summary_failures") == 0
        broken[0] = False
        assert run(database, server, run_id="last")["failed"] == 11
        assert run(database, server, run_id="after")["stored"] == 12


def test_many_calls_at_once_begin_only_after_the_first_good_answer(database: Database) -> None:
    write_texts(database, TEAM, numbered_texts(60))
    with ChatServer(always=INVALID_JSON, latency_s=0.01) as server, pytest.raises(NothingUsable):
        stage(database, server, limits=RunLimits("run", concurrency=50))
    assert len(server.calls()) <= MOST_CALLS
    assert server.most_at_once <= 5
    with ChatServer(latency_s=0.05) as server:
        assert stage(database, server, limits=RunLimits("run", concurrency=20)).items == 60
    assert server.most_at_once > 5
