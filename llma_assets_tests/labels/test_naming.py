"""The names of a stored run: asked once, stored at once, told apart, tested, carried over; on a real database."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from llma_assets.clickhouse import Database
from llma_assets.clusters.edits.decisions import Edit
from llma_assets.clusters.store.cluster_edits import store_edit
from llma_assets.clusters.store.clustering_runs import Run
from llma_assets.clusters.store.clusters import clusters_of
from llma_assets.labels import labelling
from llma_assets.labels.checks import clusters_have_names, labels_distinct, names_fit, names_say_what_is_there
from llma_assets.labels.queries import embeddings_of, labels_of, name_tests_of
from llma_assets.models import BudgetExhausted, Hold, NothingUsable, OfflineChat, paid_by
from llma_assets.team_day import TeamDay
from llma_assets.testing import ChatServer, Content, Fault, Request, Status
from llma_assets.themes import TRACES
from llma_assets_tests.databases import PlantedOnce
from llma_assets_tests.labels.stored import (
    MODEL,
    TOPICS,
    answering,
    chat_of,
    cluster_day,
    data_of,
    embedder_of,
    item_text,
    name_run,
    plant,
    titles,
    topic_of,
    unchanged,
)

DAY = date(2026, 11, 7)
TEAM = TeamDay(1, DAY)
COUNTS = dict.fromkeys(TOPICS, 12)


def five_clusters(database: Database) -> Run:
    """Five clusters of team 1."""
    plant(database, 1, DAY, COUNTS)
    return cluster_day(database, 1, DAY, 5)


@pytest.fixture
def run(planted_once: PlantedOnce) -> Run:
    return planted_once(five_clusters)


@pytest.fixture
def model() -> Iterator[ChatServer]:
    with ChatServer(answering(unchanged)) as opened:
        yield opened


def asked(model: ChatServer) -> list[list[int]]:
    """Ids of the clusters of each labelling call."""
    return [[cluster["cluster_id"] for cluster in data_of(request)["clusters"]] for request in model.calls()]


def stored_rows(database: Database) -> tuple[int, int]:
    """All stored versions of labels and tests."""
    return (
        database.value("SELECT count() FROM cluster_labels"),
        database.value("SELECT count() FROM cluster_name_tests"),
    )


def test_a_finished_run_is_not_asked_about_again_and_nothing_is_written(
    database: Database, run: Run, model: ChatServer
) -> None:
    first = name_run(database, run, chat_of(model), embedder_of(model))
    calls, rows = len(model.requests), stored_rows(database)
    second = name_run(database, run, chat_of(model), embedder_of(model))
    assert (len(model.requests), stored_rows(database)) == (calls, rows)
    assert sorted(asked(model)) == [[0, 1, 2, 3, 4]]
    assert (first.asked, second.asked) == (5, 0)
    assert second.labels == first.labels
    assert second.fit == first.fit


def test_every_name_tells_its_own_topic(database: Database, run: Run, model: ChatServer) -> None:
    name_run(database, run, chat_of(model), embedder_of(model))
    for topic, title in titles(database, run).items():
        assert set(title.split()) & set(TOPICS[topic].split())
    assert {label.origin for label in labels_of(database, run).values()} == {"asked"}


def test_a_prompt_shows_what_lies_next_to_each_cluster_and_nothing_held_out(
    database: Database, run: Run, model: ChatServer
) -> None:
    name_run(database, run, chat_of(model), embedder_of(model))
    topics = topic_of(database, run)
    shown = data_of(model.calls()[0])["clusters"]
    for cluster in shown:
        own = TOPICS[topics[cluster["cluster_id"]]].split()
        assert len(cluster["summaries"]) == 7
        assert len(cluster["outside_but_near"]) == 4
        assert not any(set(own) & set(text.split()) for text in cluster["outside_but_near"])
    tests = name_tests_of(database, run)
    assert all(row["held_out"] > 0 for row in tests)
    told = {summary["title"] for cluster in shown for summary in cluster["summaries"]}
    told |= {text.split(" · ")[0] for cluster in shown for text in cluster["outside_but_near"]}
    everything = {item_text(1, topic, DAY, number) for topic, count in COUNTS.items() for number in range(count)}
    assert len(everything - told) >= sum(row["held_out"] for row in tests)


def test_nothing_of_another_team_is_read_or_written(database: Database, run: Run, model: ChatServer) -> None:
    plant(database, 2, DAY, COUNTS)  # the same ids
    other = cluster_day(database, 2, DAY, 5)
    name_run(database, run, chat_of(model), embedder_of(model))
    assert all("team2" not in request.prompt for request in model.calls())
    assert labels_of(database, other) == {}
    assert name_tests_of(database, other) == []
    one, two = (embeddings_of(database, each, TRACES, ["refund-2026-11-07-0"]) for each in (run, other))
    assert one.keys() == two.keys() == {"refund-2026-11-07-0"}
    assert (one["refund-2026-11-07-0"] != two["refund-2026-11-07-0"]).any()


def test_a_failure_loses_one_name_and_a_retry_redoes_that_one(database: Database, run: Run) -> None:
    def spoil(items: list[dict[str, Any]], _data: dict[str, Any]) -> None:
        items[1]["title"] = "too short"

    with ChatServer(answering(spoil)) as model:
        first = name_run(database, run, chat_of(model), embedder_of(model))
    failed = [key for key, label in first.labels.items() if label.status == "failed"]
    assert len(failed) == 1
    assert first.labels[failed[0]].title == f"Cluster {failed[0]}"
    assert [outcome.passed for outcome in clusters_have_names(database, TEAM)] == [False]
    with ChatServer(answering(unchanged)) as model:
        second = name_run(database, run, chat_of(model), embedder_of(model))
        assert asked(model) == [failed]
    assert {label.status for label in second.labels.values()} == {"generated"}
    assert {row["cluster_id"] for row in name_tests_of(database, run)} == set(second.labels)
    assert [outcome.passed for outcome in clusters_have_names(database, TEAM)] == [True]


class Killed(BaseException):
    """As a signal would: nothing in the code under test catches it."""


def test_a_killed_run_keeps_what_was_stored(
    database: Database, run: Run, model: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, stored = Database.insert_rows, []

    def dying(self: Database, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        if table == "cluster_labels":
            if stored:
                raise Killed
            stored.append(rows)
        real(self, table, rows)

    with monkeypatch.context() as patch:
        patch.setattr(Database, "insert_rows", dying)
        patch.setattr(labelling, "CLUSTERS_PER_CALL", 2)
        with pytest.raises(Killed):
            name_run(database, run, chat_of(model), embedder_of(model))
    kept = labels_of(database, run)
    assert len(kept) == 2
    finished = name_run(database, run, chat_of(model), embedder_of(model))
    assert asked(model)[2] == sorted({0, 1, 2, 3, 4} - kept.keys()), "two calls before it was killed"
    assert {key: finished.labels[key] for key in kept} == kept


def test_a_run_killed_before_the_test_of_its_names_tests_them_next_time(
    database: Database, run: Run, model: ChatServer
) -> None:
    def down(request: Request) -> Fault:
        return Status(500) if request.path.endswith("/embeddings") else None

    with ChatServer(answering(unchanged), judge=down) as broken:
        first = name_run(database, run, chat_of(broken), embedder_of(broken))
    assert first.untested.startswith("names could not be compared")
    assert {label.status for label in first.labels.values()} == {"generated"}
    assert name_tests_of(database, run) == []
    second = name_run(database, run, chat_of(model), embedder_of(model))
    assert asked(model) == []
    assert second.fit is not None


def test_names_that_fit_assign_held_out_members_to_their_clusters(
    database: Database, run: Run, model: ChatServer
) -> None:
    naming = name_run(database, run, chat_of(model), embedder_of(model))
    assert naming.fit is not None
    assert naming.fit.chance == pytest.approx(0.2)
    assert naming.fit.accuracy > 0.9
    assert [outcome.passed for outcome in names_fit(database, TEAM)] in ([True], [])


def test_names_of_other_clusters_do_not_fit(database: Database) -> None:
    plant(database, 1, DAY, dict.fromkeys(TOPICS, 22))
    run = cluster_day(database, 1, DAY, 5)

    def exchange(items: list[dict[str, Any]], _data: dict[str, Any]) -> Sequence[Any]:
        ids = [item["cluster_id"] for item in items]
        return [{**item, "cluster_id": other} for item, other in zip(items, ids[1:] + ids[:1], strict=True)]

    with ChatServer(answering(exchange)) as model:
        naming = name_run(database, run, chat_of(model), embedder_of(model))
    assert naming.fit is not None
    assert naming.fit.accuracy < 0.1
    (outcome,) = names_fit(database, TEAM)
    assert not outcome.passed


def test_a_word_of_another_cluster_in_a_title_is_flagged(database: Database) -> None:
    plant(database, 1, DAY, dict.fromkeys(TOPICS, 22))
    run = cluster_day(database, 1, DAY, 5)

    def misled(items: list[dict[str, Any]], _data: dict[str, Any]) -> None:
        refund = next(item for item in items if "kettle" in item["title"])
        refund["title"] = "Warehouse kettle refund"

    with ChatServer(answering(misled)) as model:
        name_run(database, run, chat_of(model), embedder_of(model))
    assert [outcome.passed for outcome in names_fit(database, TEAM)] == [True]
    (outcome,) = names_say_what_is_there(database, TEAM)
    assert not outcome.passed
    assert "'Warehouse kettle refund': warehouse" in outcome.found.casefold().replace(
        "warehouse kettle", "Warehouse kettle"
    )


def test_names_too_alike_are_sent_back_together_once(database: Database, run: Run) -> None:
    def alike_at_first(items: list[dict[str, Any]], data: dict[str, Any]) -> None:
        if "current_title" not in data["clusters"][0]:
            for item, word in zip(items[:2], ("again", "today"), strict=True):
                item.update(title=f"Users ask the agent for help {word}", description=["They ask.", "It answers."])

    with ChatServer(answering(alike_at_first)) as model:
        naming = name_run(database, run, chat_of(model), embedder_of(model))
        assert [len(ids) for ids in asked(model)] == [5, 2]
        told = data_of(model.calls()[1])
        assert [cluster["current_title"][:14] for cluster in told["clusters"]] == ["Users ask the "] * 2
        assert len(told["titles_taken_by_other_clusters"]) == 3
        name_run(database, run, chat_of(model), embedder_of(model))
        assert len(model.calls()) == 2
    assert naming.relabelled == 2
    assert naming.too_close == {}
    assert sorted(label.origin for label in naming.labels.values()) == ["asked"] * 3 + ["retold"] * 2
    assert [outcome.passed for outcome in labels_distinct(database, TEAM)] == [True]


def test_names_that_stay_alike_are_kept_and_flagged(database: Database, run: Run) -> None:
    def stubborn(items: list[dict[str, Any]], _data: dict[str, Any]) -> None:
        for item, word in zip(items[:2], ("again", "today"), strict=True):
            item.update(title=f"Users ask the agent for help {word}", description=["They ask.", "It answers."])

    with ChatServer(answering(stubborn)) as model:
        naming = name_run(database, run, chat_of(model), embedder_of(model))
        assert len(model.calls()) == 2
        name_run(database, run, chat_of(model), embedder_of(model))
        assert len(model.calls()) == 2
    assert naming.relabelled == 0
    assert len(naming.too_close) == 2
    assert len({label.title for label in naming.labels.values()}) == 5
    assert [outcome.passed for outcome in labels_distinct(database, TEAM)] == [False]


@pytest.fixture
def next_day(database: Database, run: Run, model: ChatServer) -> Run:
    """The day after a named one, with more of the same."""
    name_run(database, run, chat_of(model), embedder_of(model))
    model.requests.clear()
    plant(database, 1, DAY + timedelta(days=1), COUNTS)
    return cluster_day(database, 1, DAY + timedelta(days=1), 5)


def test_clusters_whose_content_has_not_changed_cost_no_call(
    database: Database, run: Run, next_day: Run, model: ChatServer
) -> None:
    before = titles(database, run)
    naming = name_run(database, next_day, chat_of(model), embedder_of(model))
    assert model.calls() == []
    assert titles(database, next_day) == before
    assert {label.origin for label in naming.labels.values()} == {"carried"}
    assert naming.asked == 0
    assert naming.fit is not None


def test_a_cluster_that_changed_is_shown_its_name_to_keep_or_to_change(
    database: Database, run: Run, model: ChatServer
) -> None:
    name_run(database, run, chat_of(model), embedder_of(model))
    model.requests.clear()
    later = DAY + timedelta(days=6)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(TOPICS, "refund", "money back voucher coupon discount gift shop")
        plant(database, 1, later, {**COUNTS, "refund": 40})
    changed = cluster_day(database, 1, later, 5)
    name_run(database, changed, chat_of(model), embedder_of(model))
    shown = [cluster for request in model.calls() for cluster in data_of(request)["clusters"]]
    current = {cluster["current_title"] for cluster in shown if "current_title" in cluster}
    assert current
    assert current <= set(titles(database, run).values())
    assert len(shown) < 5  # those that did not change are not asked about


def decide(database: Database, run: Run, topic: str, action: Any, title: str = "") -> None:
    """Store what people decided about the cluster of a topic."""
    cluster_id = next(key for key, found in topic_of(database, run).items() if found == topic)
    lineage_id = next(row["lineage_id"] for row in clusters_of(database, run) if row["cluster_id"] == cluster_id)
    number = database.value("SELECT count() FROM cluster_edits")
    when = datetime(2026, 11, 8, tzinfo=UTC) + timedelta(seconds=number)
    store_edit(database, run.team_id, Edit(run.theme_id, lineage_id, action, title, "", "someone", when))


def test_a_name_that_people_chose_is_never_asked_for(database: Database, run: Run, model: ChatServer) -> None:
    decide(database, run, "invoice", "rename", "Bills")
    naming = name_run(database, run, chat_of(model), embedder_of(model))
    assert [len(ids) for ids in asked(model)] == [4]
    assert titles(database, run)["invoice"] == "Bills"
    assert sorted(label.origin for label in naming.labels.values()) == ["asked"] * 4 + ["locked"]


def test_a_name_that_people_choose_later_takes_the_place_of_the_stored_one(
    database: Database, run: Run, model: ChatServer
) -> None:
    name_run(database, run, chat_of(model), embedder_of(model))
    decide(database, run, "invoice", "rename", "Bills and tax numbers")
    name_run(database, run, chat_of(model), embedder_of(model))
    assert len(model.calls()) == 1
    assert titles(database, run)["invoice"] == "Bills and tax numbers"
    decide(database, run, "invoice", "unname")
    name_run(database, run, chat_of(model), embedder_of(model))
    assert [len(ids) for ids in asked(model)] == [5, 1]
    assert titles(database, run)["invoice"] != "Bills and tax numbers"


class Empty:
    """Nobody's money."""

    def hold(self, model: str, most_usd: float | None) -> Hold:  # noqa: ARG002 - the protocol's
        raise BudgetExhausted(f"nothing is left for {model}")


def test_without_money_names_are_deferred_and_named_another_day(
    database: Database, run: Run, model: ChatServer
) -> None:
    poor = name_run(database, run, paid_by(chat_of(model), Empty()), paid_by(embedder_of(model), Empty()))
    assert (poor.asked, poor.deferred, poor.labels) == (0, 5, {})
    assert model.requests == []
    assert labels_of(database, run) == {}
    rich = name_run(database, run, chat_of(model), embedder_of(model))
    assert (rich.asked, rich.deferred) == (5, 0)


def test_names_are_not_compared_with_vectors_of_another_model(database: Database, run: Run, model: ChatServer) -> None:
    other = replace(run, embedding_model="another-model")
    naming = name_run(database, other, OfflineChat(), embedder_of(model))
    assert naming.untested == f"the items were embedded by another-model, names would be by {MODEL}"
    assert {label.status for label in naming.labels.values()} == {"generated"}
    assert model.requests == []


def test_an_answer_without_any_name_costs_a_few_calls_and_says_whose_fault_it_is(database: Database, run: Run) -> None:
    with ChatServer(always=Content('{"items": []}')) as model:
        with pytest.raises(NothingUsable, match=r"^5 of 5: the model test-model gave nothing that can be used"):
            name_run(database, run, chat_of(model), embedder_of(model))
        assert [len(ids) for ids in asked(model)] == [5, 1, 1, 1, 2]
    titles = {label.title for label in labels_of(database, run).values()}
    assert titles == {f"Cluster {number}" for number in range(5)}
