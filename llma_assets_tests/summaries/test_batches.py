"""Summaries by the Batch API: nothing is paid twice, nothing is lost, and what comes back is judged as calls are."""

import os
import signal
import uuid
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from llma_assets.clickhouse import Database
from llma_assets.ledger import list_skips, spending
from llma_assets.models import ModelConfigurationError, OfflineChat, OpenAIChat, RetryPolicy, price_of
from llma_assets.settings import Settings
from llma_assets.summaries import batches as batches_module
from llma_assets.summaries.theme_run import RunLimits, store_theme
from llma_assets.team_day import TeamDay
from llma_assets.testing import (
    INVALID_JSON,
    REFUSAL,
    TRUNCATED,
    BatchServer,
    Content,
    Ending,
    Status,
    Store,
    numbered_texts,
    write_texts,
)
from llma_assets.themes import TRACES, Theme
from llma_assets_tests import copies
from llma_assets_tests.databases import PlantedOnce

pytestmark = pytest.mark.slow

DAY = TeamDay(1, date(2026, 11, 7))
OTHER = TeamDay(2, date(2026, 11, 7))
MODEL = "gpt-4.1-nano"
COUNT = 6
POLICY = RetryPolicy(attempts=3, deadline_s=5.0, attempt_timeout_s=2.0, first_delay_s=0.01, longest_delay_s=0.02)


def chat(server: BatchServer) -> OpenAIChat:
    return OpenAIChat(MODEL, api_key="sk-test-secret", base_url=server.url, policy=POLICY)


KILLED_AT = """
import os, signal, sys
from datetime import date
from llma_assets.clickhouse import Database, connect
from llma_assets.models import OpenAIChat
from llma_assets.settings import Settings
from llma_assets.summaries.theme_run import RunLimits, store_theme
from llma_assets.team_day import TeamDay
from llma_assets.themes import TRACES

insert = Database.insert_rows

def insert_or_die(self, table, rows):
    if table == "summary_batches" and rows[0]["state"] == sys.argv[1]:
        os.kill(os.getpid(), signal.SIGKILL)
    insert(self, table, rows)

Database.insert_rows = insert_or_die
chat = OpenAIChat(sys.argv[2], base_url=sys.argv[3])
limits = RunLimits(run_id="killed", via="batch", budget_usd=1.0)
team_day = TeamDay(1, date(2026, 11, 7))
store_theme(connect(Settings.from_env()), team_day, TRACES, chat, limits=limits, progress=lambda _done, _all: None)
"""


def go(
    database: Database, server: BatchServer, team_day: TeamDay = DAY, via: Any = "batch", **options: Any
) -> "Counter[str]":
    """One run of one theme; each run has an id of its own."""
    limits = RunLimits(run_id=str(uuid.uuid4()), via=via, **options)
    return store_theme(database, team_day, TRACES, chat(server), limits=limits, progress=lambda _done, _all: None)


def summaries(database: Database, team_day: TeamDay = DAY) -> list[dict[str, Any]]:
    return database.rows(
        "SELECT * EXCEPT inserted_at FROM trace_summaries FINAL WHERE team_id = {team:Int64} ORDER BY item_id",
        team=team_day.team_id,
    )


def generated(database: Database, team_day: TeamDay = DAY) -> set[str]:
    return {row["item_id"] for row in summaries(database, team_day) if row["status"] == "generated"}


def usage(database: Database) -> list[dict[str, Any]]:
    return database.rows("SELECT * FROM model_usage FINAL ORDER BY item_id")


def texts_of_two_teams(database: Database) -> None:
    """Six texts of a team, and six others of another team under the same ids."""
    write_texts(database, DAY, numbered_texts(COUNT))
    write_texts(database, OTHER, {name: f"{text} of the other team" for name, text in numbered_texts(COUNT).items()})


@pytest.fixture
def stored(database: Database, planted_once: PlantedOnce) -> Database:
    planted_once(texts_of_two_teams)
    return database


def test_a_batch_is_submitted_waited_for_and_stored_by_a_later_run(stored: Database) -> None:
    with BatchServer(held=True) as server:
        first = go(stored, server)
        assert (first["generated"], first["waiting"], first["undone"]) == (1, COUNT - 1, COUNT - 1)
        assert [skip.reason for skip in list_skips(stored, day=DAY.day)] == ["batch_waiting"]
        server.held = False
        second = go(stored, server)
        assert (second["generated"], second["waiting"], second["undone"]) == (COUNT - 1, 0, 0)
        assert len(server.created) == 1
        assert len(server.calls()) == 1
    assert generated(stored) == set(numbered_texts(COUNT))
    assert summaries(stored, OTHER) == []
    assert list_skips(stored, day=DAY.day) == []


def test_a_batch_says_what_calls_say(stored: Database, database: Database) -> None:
    with BatchServer() as server:
        go(stored, server)
        go(stored, server)
        by_batch = summaries(stored)
        database.execute("TRUNCATE TABLE trace_summaries")
        go(stored, server, via="calls")
    assert by_batch == summaries(stored)
    assert len(by_batch) == COUNT


def test_the_requests_of_a_batch_are_those_of_calls(stored: Database) -> None:
    with BatchServer() as server:
        go(stored, server)
        (batch,) = server.created
        sent = server.requests_of(batch)
        (called,) = server.calls()
    assert len({request["custom_id"] for request in sent}) == COUNT - 1
    assert all(len(request["custom_id"]) <= 64 for request in sent)
    assert all(request["body"].keys() == called.body.keys() for request in sent)
    assert all(request["body"]["response_format"] == called.body["response_format"] for request in sent)


def test_a_finished_day_submits_nothing_and_writes_nothing(stored: Database) -> None:
    with BatchServer() as server:
        go(stored, server)
        go(stored, server)
        rows = stored.value("SELECT count() FROM trace_summaries")
        asked = len(server.requests)
        again = go(stored, server)
        assert (again["skipped"], again["generated"]) == (COUNT, 0)
        assert len(server.requests) == asked
    assert stored.value("SELECT count() FROM trace_summaries") == rows


def test_what_waits_in_a_batch_is_not_asked_by_calls(stored: Database) -> None:
    with BatchServer(held=True) as server:
        go(stored, server)
        write_texts(stored, DAY, {"late": "L1: a late trace about luggage"})
        counts = go(stored, server, via="calls")
        assert (counts["generated"], counts["waiting"]) == (1, COUNT - 1)
        assert len(server.calls()) == 2
    assert generated(stored) == {"item-0", "late"}


def test_a_second_submission_holds_only_what_is_new(stored: Database) -> None:
    with BatchServer(held=True) as server:
        go(stored, server)
        write_texts(stored, DAY, {f"late-{n}": f"L1: late trace {n}" for n in range(3)})
        go(stored, server)
        assert [len(server.requests_of(batch)) for batch in server.created] == [COUNT - 1, 2]
        server.held = False
        go(stored, server)
    assert len(generated(stored)) == COUNT + 3


def test_an_expired_batch_keeps_what_it_has_and_the_rest_goes_into_another(stored: Database) -> None:
    with BatchServer(endings=[Ending("expired", answered=2)]) as server:
        go(stored, server)
        second = go(stored, server)
        assert (second["generated"], second["failed"], second["waiting"]) == (3, 0, COUNT - 4)
        go(stored, server)
        assert [len(server.requests_of(batch)) for batch in server.created] == [COUNT - 1, 2]
    assert generated(stored) == set(numbered_texts(COUNT))
    assert len(usage(stored)) == COUNT


def test_a_batch_that_failed_its_validation_costs_nothing_and_is_said(stored: Database) -> None:
    with BatchServer(endings=[Ending("failed", codes=("token_limit_exceeded",))]) as server:
        go(stored, server)
        counts = go(stored, server)
        assert (counts["generated"], counts["failed"], counts["undone"]) == (0, 0, COUNT - 1)
        assert [skip.reason for skip in list_skips(stored, day=DAY.day)] == ["batch_token_limit_exceeded"]
        assert len(server.created) == 1
        go(stored, server)
        go(stored, server)
    assert generated(stored) == set(numbered_texts(COUNT))


@pytest.mark.parametrize(
    ("reply", "kind", "costs"),
    [
        (REFUSAL, "refusal", True),
        (TRUNCATED, "length", True),
        (INVALID_JSON, "invalid_json", True),
        (Content("{}"), "schema", True),
        ((400, {"message": "maximum context length", "code": "context_length_exceeded"}), "too_long", False),
        ((500, {"message": "boom"}), "server_error", False),
    ],
)
def test_a_line_that_failed_costs_that_item_alone_and_is_tried_again(
    stored: Database, reply: Any, kind: str, costs: bool
) -> None:
    with BatchServer(endings=[Ending(replies={0: reply})]) as server:
        go(stored, server)
        counts = go(stored, server)
        assert (counts["generated"], counts["failed"], counts["waiting"]) == (COUNT - 2, 1, 0)
        (failed,) = [row for row in summaries(stored) if row["status"] == "failed"]
        assert failed["error"].startswith(f"{kind}: ")
        (paid,) = [row for row in usage(stored) if row["error"]]
        assert (paid["item_id"], paid["error"], paid["input_tokens"] > 0) == (failed["item_id"], kind, costs)
        assert len(server.created) == 1
        go(stored, server)
    assert generated(stored) == set(numbered_texts(COUNT))


def test_a_line_that_was_turned_away_for_its_rate_is_asked_again_and_blamed_for_nothing(stored: Database) -> None:
    with BatchServer(endings=[Ending(replies={0: (429, {"message": "slow down"})})]) as server:
        go(stored, server)
        counts = go(stored, server)
        assert (counts["generated"], counts["failed"]) == (COUNT - 1, 0)
    assert generated(stored) == set(numbered_texts(COUNT))


def test_a_question_that_a_complete_batch_lost_has_failed(stored: Database) -> None:
    with BatchServer(endings=[Ending(answered=COUNT - 2, silent=True)]) as server:
        go(stored, server)
        counts = go(stored, server)
    assert (counts["generated"], counts["failed"]) == (COUNT - 2, 1)
    assert [row["error"] for row in summaries(stored) if row["error"]] == [
        "no_answer: the batch is complete, but has no answer to this question"
    ]


def test_lines_that_stand_there_twice_count_once(stored: Database) -> None:
    with BatchServer(endings=[Ending(twice=True)]) as server:
        go(stored, server)
        counts = go(stored, server)
    assert (counts["generated"], counts["batch_lines_ignored"]) == (COUNT - 1, COUNT - 1)
    assert len(usage(stored)) == COUNT


def test_garbage_and_answers_to_nobodys_question_are_ignored(stored: Database) -> None:
    foreign = b'{"custom_id": "%s", "response": {"status_code": 200, "body": {"choices": []}}, "error": null}' % (
        b"a" * 64
    )
    garbage = (
        b"<html>",
        b"",
        b'{"custom_id": 7}',
        b"\xff\xfe",
        b"[" * 5_000,
        foreign,
        foreign.replace(b"a" * 64, b"item-1"),
    )
    with BatchServer(endings=[Ending(verbatim=garbage)]) as server:
        go(stored, server)
        counts = go(stored, server)
    assert (counts["generated"], counts["failed"]) == (COUNT - 1, 0)
    assert len(usage(stored)) == COUNT


def test_the_output_of_another_team_reaches_nobody(stored: Database) -> None:
    with BatchServer(held=True) as server:
        go(stored, server, DAY)
        go(stored, server, OTHER)
        server.held = False
        ours, theirs = (batch["id"] for batch in server.created)
        for batch_id in (ours, theirs):
            server.look(batch_id)
        files = server.store.files
        files[f"output-{ours}"], files[f"output-{theirs}"] = files[f"output-{theirs}"], files[f"output-{ours}"]
        counts = go(stored, server, DAY)
    assert (counts["generated"], counts["batch_lines_ignored"]) == (0, COUNT - 1)
    assert len(generated(stored)) == 1


def test_two_teams_with_equal_ids_have_batches_of_their_own(stored: Database) -> None:
    with BatchServer() as server:
        for team_day in (DAY, OTHER, DAY, OTHER):
            go(stored, server, team_day)
        assert len(server.created) == 2
        texts_of = [
            "\n".join(str(request["body"]) for request in server.requests_of(batch)) for batch in server.created
        ]
    assert ["of the other team" in text for text in texts_of] == [False, True]
    ours, theirs = summaries(stored, DAY), summaries(stored, OTHER)
    assert [row["item_id"] for row in ours] == [row["item_id"] for row in theirs] == sorted(numbered_texts(COUNT))
    assert not any("of the other team" in str(row) for row in ours)
    assert {row["team_id"] for row in usage(stored)} == {1, 2}


def test_an_answer_that_got_lost_is_looked_for_and_not_asked_for_twice(stored: Database) -> None:
    with BatchServer(lost_creations=1) as server:
        go(stored, server)
        assert len(server.created) == 1
        go(stored, server)
        assert len(server.created) == 1
    assert generated(stored) == set(numbered_texts(COUNT))


def test_a_process_that_was_killed_after_it_submitted_pays_once(
    stored: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert = Database.insert_rows

    def die_before_the_id_is_stored(self: Database, table: str, rows: Any) -> None:
        if table == "summary_batches" and rows[0]["state"] == "submitted":
            raise KeyboardInterrupt
        insert(self, table, rows)

    with BatchServer() as server:
        monkeypatch.setattr(Database, "insert_rows", die_before_the_id_is_stored)
        with pytest.raises(KeyboardInterrupt):
            go(stored, server)
        monkeypatch.setattr(Database, "insert_rows", insert)
        assert len(server.created) == 1
        go(stored, server)
        go(stored, server)
        assert len(server.created) == 1
    assert generated(stored) == set(numbered_texts(COUNT))
    assert Counter(row["item_id"] for row in usage(stored)).most_common(1) == [("item-0", 1)]


@pytest.mark.parametrize("state", ["intended", "submitted", "closed"])
def test_a_process_that_is_killed_at_any_of_its_notes_pays_each_batch_once_and_frees_its_money(
    stored: Database, settings: Settings, state: str
) -> None:
    environment = {
        **os.environ,
        "CLICKHOUSE_URL": str(settings.clickhouse_url),
        "LLMA_DATA_DIR": str(settings.data_dir),
    }
    with BatchServer() as server:
        if state == "closed":
            go(stored, server, budget_usd=1.0)
        killed = copies.run(KILLED_AT, state, MODEL, server.url, environment=environment)
        assert killed.returncode == -signal.SIGKILL, killed.stderr[-2000:]
        for _ in range(3):
            go(stored, server, budget_usd=1.0)
        assert len(server.created) == 1
    assert generated(stored) == set(numbered_texts(COUNT))
    held = "SELECT sum(held_usd) FROM budget_holds FINAL WHERE hold_id IN (SELECT group_id FROM summary_batches)"
    assert stored.value(held) == pytest.approx(0)


def test_a_process_that_was_killed_before_it_submitted_is_submitted_after_a_while(
    stored: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    with BatchServer() as server:
        with monkeypatch.context() as patch:
            patch.setattr("llma_assets.models.OpenAIBatches.submit", die)
            with pytest.raises(KeyboardInterrupt):
                go(stored, server)
        soon = go(stored, server)
        assert (soon["waiting"], len(server.created)) == (COUNT - 1, 0)
        monkeypatch.setattr(batches_module, "GRACE", timedelta(0))
        go(stored, server)
        assert len(server.created) == 1
        go(stored, server)
    assert generated(stored) == set(numbered_texts(COUNT))


def test_a_process_that_was_killed_while_it_stored_is_finished_by_the_next_and_counts_its_money_once(
    stored: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert = Database.insert_rows
    with BatchServer() as server:
        go(stored, server)

        def die_before_summaries(self: Database, table: str, rows: Any) -> None:
            if table == "trace_summaries":
                raise KeyboardInterrupt
            insert(self, table, rows)

        with monkeypatch.context() as patch:
            patch.setattr(Database, "insert_rows", die_before_summaries)
            with pytest.raises(KeyboardInterrupt):
                go(stored, server)
        counts = go(stored, server)
        assert len(server.created) == 1
    assert counts["generated"] == COUNT - 1
    assert len(usage(stored)) == COUNT


def test_a_server_that_is_away_is_asked_later_and_keeps_what_it_has(stored: Database) -> None:
    with BatchServer() as server:
        go(stored, server)
        store = server.store
    counts = go(stored, server)
    assert (counts["waiting"], counts["failed"]) == (COUNT - 1, 0)
    with BatchServer(store=store) as restarted:
        go(stored, restarted)
        assert restarted.calls() == []
        assert len(restarted.created) == 1
    assert generated(stored) == set(numbered_texts(COUNT))


def test_a_server_that_has_forgotten_a_batch_is_asked_anew(stored: Database) -> None:
    with BatchServer(held=True) as server:
        go(stored, server)
    with BatchServer(store=Store()) as emptied:
        go(stored, emptied)
        go(stored, emptied)
        assert len(emptied.created) == 1
    assert generated(stored) == set(numbered_texts(COUNT))


def test_a_text_that_changed_meanwhile_gets_a_summary_of_its_own_and_the_old_answer_is_paid(stored: Database) -> None:
    with BatchServer(held=True) as server:
        go(stored, server)
        write_texts(stored, DAY, {"item-3": "L1: something new about item 3"})
        server.held = False
        go(stored, server)
        go(stored, server)
    assert generated(stored) == set(numbered_texts(COUNT))
    assert len(usage(stored)) == COUNT + 1


def test_a_server_without_batches_says_so(stored: Database) -> None:
    def judge(request: Any) -> Any:
        return Status(404, "no such path") if request.path == "/v1/files" else None

    with BatchServer(judge=judge) as server, pytest.raises(ModelConfigurationError, match="has no Batch API"):
        go(stored, server)
    assert stored.value("SELECT count() FROM summary_batches FINAL WHERE state != 'closed'") == 0


def test_a_wrong_key_costs_a_call_and_no_batch(stored: Database) -> None:
    with BatchServer(always=Status(401)) as server:
        with pytest.raises(ModelConfigurationError):
            go(stored, server)
        assert (server.created, server.store.files) == ([], {})


def test_the_offline_model_knows_no_batches(stored: Database) -> None:
    limits = RunLimits(run_id="r", via="batch")
    with pytest.raises(ModelConfigurationError, match="does not support batches"):
        store_theme(stored, DAY, TRACES, OfflineChat(), limits=limits, progress=lambda _done, _all: None)


def test_a_batch_costs_half(stored: Database) -> None:
    with BatchServer() as server:
        go(stored, server)
        go(stored, server)
    price = price_of(MODEL)
    assert price is not None
    called, *batched = sorted(usage(stored), key=lambda row: row["timestamp"])
    full = [price.cost_usd(input_tokens=row["input_tokens"], output_tokens=row["output_tokens"]) for row in batched]
    assert [row["cost_usd"] for row in batched] == pytest.approx([each / 2 for each in full])
    assert called["cost_usd"] == pytest.approx(
        price.cost_usd(input_tokens=called["input_tokens"], output_tokens=called["output_tokens"])
    )


def test_money_is_set_aside_while_a_batch_is_open_and_free_again_after(stored: Database) -> None:
    today = datetime.now(UTC).date()
    with BatchServer(held=True) as server:
        go(stored, server, budget_usd=1.0)
        waiting = spending(stored, DAY, today)
        assert 0 < waiting.of_day < waiting.held_of_day < 1
        assert spending(stored, OTHER, today).most == 0
        server.held = False
        go(stored, server, budget_usd=1.0)
    after = spending(stored, DAY, today)
    assert after.held_of_day == pytest.approx(0)
    assert after.of_day == pytest.approx(sum(row["cost_usd"] for row in usage(stored)))


def test_a_batch_holds_no_more_than_the_budget_pays(stored: Database) -> None:
    with BatchServer() as server:
        counts = go(stored, server, budget_usd=0.003)
        (batch,) = server.created
        asked = len(server.requests_of(batch))
        assert 0 < asked < COUNT - 1
        assert (counts["waiting"], counts["undone"]) == (asked, COUNT - 1)
        go(stored, server, budget_usd=0.003)
    assert spending(stored, DAY, datetime.now(UTC).date()).of_day <= 0.003
    assert len(generated(stored)) >= 1 + asked


def test_files_are_removed_from_the_server_when_all_is_stored(stored: Database) -> None:
    with BatchServer() as server:
        go(stored, server)
        assert any(name.startswith("file-") for name in server.store.files)
        go(stored, server)
        assert [name for name in server.store.files if not name.startswith("kept-")] == []


def test_no_secret_and_no_text_is_in_what_is_stored_of_a_batch(stored: Database) -> None:
    with BatchServer(held=True) as server:
        go(stored, server)
        metadata = server.created[0]["metadata"]
    row = str(stored.rows("SELECT * FROM summary_batches"))
    assert "sk-test-secret" not in row
    assert "question number" not in row
    assert list(metadata) == ["llma_batch"]
    assert uuid.UUID(metadata["llma_batch"])


def test_of_two_runs_at_the_same_moment_one_submits_at_most(stored: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    insert = Database.insert_rows

    def as_if_another_came_between(self: Database, table: str, rows: Any) -> None:
        if table == "summary_batches" and rows[0]["state"] == "intended":
            insert(self, table, [{**rows[0], "batch_key": uuid.uuid4()}])
        insert(self, table, rows)

    monkeypatch.setattr(Database, "insert_rows", as_if_another_came_between)
    with BatchServer() as server:
        counts = go(stored, server)
        assert server.created == []
    assert counts["undone"] == COUNT - 1


REFUNDS = Theme("refunds", "trace", "Say which refund was refused, and why.")


def go_for(database: Database, server: BatchServer, theme: Theme, model: str = MODEL) -> "Counter[str]":
    limits = RunLimits(run_id=str(uuid.uuid4()), via="batch")
    asked = OpenAIChat(model, base_url=server.url, policy=POLICY)
    return store_theme(database, DAY, theme, asked, limits=limits, progress=lambda _done, _all: None)


def test_a_batch_of_a_theme_that_asks_for_relevance_brings_it(stored: Database) -> None:
    no = Content('{"theme_relevant": "no"}')
    silent = Content('{"title": "It does not say whether", "bullets": []}')
    with BatchServer(endings=[Ending(replies={0: no, 1: silent})]) as server:
        go_for(stored, server, REFUNDS)
        counts = go_for(stored, server, REFUNDS)
        (batch,) = server.created
        asked = server.requests_of(batch)[0]["body"]["response_format"]["json_schema"]["schema"]
    assert asked["required"][0] == "theme_relevant"
    assert (counts["stored"], counts["failed"]) == (COUNT - 1, 1)
    assert (counts["relevant"], counts["irrelevant"]) == (COUNT - 2, 1)
    found = {row["item_id"]: (row["status"], row["relevant"]) for row in summaries(stored)}
    assert sorted(found.values()) == [("failed", True), ("generated", False), *[("generated", True)] * (COUNT - 2)]
    assert {row["theme_version"] for row in summaries(stored)} == {REFUNDS.version}


def test_batches_of_two_themes_are_kept_apart(stored: Database) -> None:
    wishes = Theme("wishes", "trace", "Say what the user wished for.")
    with BatchServer(held=True) as server:
        go_for(stored, server, REFUNDS)
        go_for(stored, server, wishes)
        server.held = False
        assert go_for(stored, server, REFUNDS)["stored"] == COUNT
        assert {row["theme_id"] for row in summaries(stored) if row["item_id"] != "item-0"} == {"refunds"}
        assert go_for(stored, server, wishes)["stored"] == COUNT
        assert len(server.created) == 2


def test_a_batch_is_paid_at_the_price_of_the_model_that_it_asked(stored: Database) -> None:
    with BatchServer(held=True) as server:
        go_for(stored, server, REFUNDS, "gpt-4.1")
        server.held = False
        go_for(stored, server, REFUNDS, MODEL)
    paid = [row for row in usage(stored) if row["asked_model"] == "gpt-4.1"]
    price = price_of("gpt-4.1")
    assert price is not None
    assert len(paid) == COUNT
    for row in paid:
        tokens = {"input_tokens": row["input_tokens"], "output_tokens": row["output_tokens"]}
        costs = [price.cost_usd(**tokens, batch=batch) for batch in (False, True)]
        assert row["cost_usd"] == pytest.approx(costs[row["item_id"] != "item-0"])
