"""What one bad answer costs, over real HTTP against a server that misbehaves on demand."""

import json
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from llma_assets.clusters import NOISE_TITLE
from llma_assets.labels import ClusterEvidence, ClusterLabel, SummaryText, label_clusters
from llma_assets.models import (
    ChatModel,
    ModelConfigurationError,
    OfflineChat,
    OpenAIChat,
    Record,
    RetryPolicy,
    Usage,
    ignore_usage,
)
from llma_assets.testing import ChatServer, Content, Fault, Request, Reset, Status

WORDS = ("refund", "password", "delivery", "invoice", "warranty")
IMPATIENT = RetryPolicy(attempts=1, deadline_s=5.0, attempt_timeout_s=5.0, first_delay_s=0.01)


def evidence(count: int = 3) -> list[ClusterEvidence]:
    return [
        ClusterEvidence(
            number,
            10 - number,
            (SummaryText(f"User asks about {WORDS[number % 5]} number {number}", "user → assistant", ("Asked",)),),
        )
        for number in range(count)
    ]


def good(number: int) -> dict[str, Any]:
    return {
        "cluster_id": number,
        "title": f"Questions about {WORDS[number % 5]} case{number}",
        "description": [f"Users ask about {WORDS[number % 5]}.", "The agent answers."],
    }


def asked_ids(request: Request) -> list[int]:
    user = next(m["content"] for m in request.body["messages"] if m["role"] == "user")
    data = json.loads(user.removeprefix("<data>\n").removesuffix("\n</data>"))
    return [cluster["cluster_id"] for cluster in data["clusters"]]


def answering(change: Callable[[list[dict[str, Any]]], Any]) -> Callable[[Request], str]:
    """An answer that is good for every cluster asked about, after `change` has been at its items."""

    def answer(request: Request) -> str:
        items = [good(number) for number in asked_ids(request)]
        return json.dumps({"items": change(items) or items})

    return answer


def named(
    clusters: Sequence[ClusterEvidence], chat: ChatModel, record: Record = ignore_usage, used_titles: Sequence[str] = ()
) -> list[ClusterLabel]:
    return [label for labels in label_clusters(clusters, chat, record, used_titles=used_titles) for label in labels]


def unchanged(_items: list[dict[str, Any]]) -> None:
    """The answer of a model that does what it is asked."""


def chat(server: ChatServer) -> OpenAIChat:
    return OpenAIChat("test-model", api_key="k", base_url=server.url, policy=IMPATIENT)


def test_one_call_names_all_clusters() -> None:
    used: list[Usage] = []
    with ChatServer(answering(unchanged)) as server:
        labels = named(evidence(), chat(server), used.append)
        assert len(server.calls()) == len(used) == 1
    assert [label.title for label in labels] == [good(n)["title"] for n in range(3)]
    assert labels[1].description == "- Users ask about password.\n- The agent answers."
    assert {(label.status, label.error, label.model) for label in labels} == {("generated", "", "test-model")}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda items: items.pop(1) and None, "no label for this cluster"),
        (lambda items: items[1].update(title="Too short"), "2 words"),
        (lambda items: items[1].update(title=" ".join(["word"] * 11)), "11 words"),
        (lambda items: items[1].update(title="one two " + "x" * 500), "characters"),
        (lambda items: items[1].update(title=items[0]["title"].upper() + "!"), "same as another"),
        (lambda items: items[1].update(title=NOISE_TITLE), "1 words"),
        (lambda items: items[1].update(title="Cluster 7"), "is a placeholder"),
        (lambda items: items[1].update(title=None), "empty"),
        (lambda items: items[1].pop("title") and None, "empty"),
        (lambda items: items[1].update(description=[]), "0 points"),
        (lambda items: items[1].update(description=["a b c."] * 6), "6 points"),
        (lambda items: items[1].update(description=["ok", "y" * 500]), "500 characters"),
        (lambda items: items[1].update(description={"not": "a list"}), "0 points"),
        (lambda items: items[1].update(cluster_id="one"), "no label for this cluster"),
        (lambda items: items[1].update(cluster_id=99), "no label for this cluster"),
        (lambda items: items.__setitem__(1, "not an object"), "no label for this cluster"),
        (lambda items: items.__setitem__(1, None), "no label for this cluster"),
    ],
)
def test_a_bad_label_costs_that_label_alone(change: Callable[[list[Any]], Any], reason: str) -> None:
    with ChatServer(answering(change)) as server:
        labels = named(evidence(), chat(server))
        assert len(server.calls()) == 1
    assert [label.status for label in labels] == ["generated", "failed", "generated"]
    assert labels[1].title == "Cluster 1"
    assert labels[1].description == ""
    assert reason in labels[1].error


def test_ids_and_points_in_other_shapes_are_read() -> None:
    def change(items: list[dict[str, Any]]) -> None:
        items[0].update(cluster_id="0", description="- First point.\n- Second point.")
        items[1].update(description="All in one. But two sentences.")
        items[2].update(description=["1. Numbered", "* Starred"])

    with ChatServer(answering(change)) as server:
        labels = named(evidence(), chat(server))
    assert [label.description for label in labels] == [
        "- First point.\n- Second point.",
        "- All in one.\n- But two sentences.",
        "- Numbered\n- Starred",
    ]


def test_titles_are_one_line_without_control_characters_and_markup_stays_text() -> None:
    def change(items: list[dict[str, Any]]) -> None:
        items[0].update(title="Refunds\n\x07 for\u202e <b>broken</b>\tkettles")

    with ChatServer(answering(change)) as server:
        assert named(evidence(1), chat(server))[0].title == "Refunds for <b>broken</b> kettles"


@pytest.mark.parametrize(
    "fault",
    [
        Content(""),
        Content("Sorry, no JSON today"),
        Content('{"wrong": []}'),
        Content('{"items": []}'),
        Content('{"items": [{"cluster_id": 0, "title": "x"}]}'),
        Content(None, refusal="No"),
        Content('{"items": [', finish_reason="length"),
    ],
)
def test_an_unusable_answer_is_followed_by_one_call_for_each_cluster(fault: Fault) -> None:
    def judge(request: Request) -> Fault:
        return fault if len(_ids_in(request)) > 1 else None

    with ChatServer(answering(unchanged), judge=judge) as server:
        labels = named(evidence(), chat(server))
        single_calls_left = [ids for request in server.calls() if len(ids := _ids_in(request)) == 1]
    assert [label.status for label in labels] == ["generated"] * 3
    assert single_calls_left == [[0], [1], [2]]


def _ids_in(request: Request) -> list[int]:
    """As `asked_ids`, also for the repair call, whose last message is not the data."""
    for message in request.body["messages"]:
        text = message["content"]
        if message["role"] == "user" and text.startswith("<data>"):
            data = json.loads(text.split("<data>\n", 1)[1].rsplit("\n</data>", 1)[0])
            return [cluster["cluster_id"] for cluster in data["clusters"]]
    return []


def test_a_cluster_whose_own_call_fails_is_called_by_its_number_and_the_others_are_named() -> None:
    def judge(request: Request) -> Fault:
        return Content("nothing") if _ids_in(request) in ([0, 1, 2], [1]) else None

    with ChatServer(answering(unchanged), judge=judge) as server:
        labels = named(evidence(), chat(server))
    assert [label.title for label in labels][1] == "Cluster 1"
    assert [label.status for label in labels] == ["generated", "failed", "generated"]
    assert labels[1].error.startswith("no usable answer: ")


@pytest.mark.parametrize("fault", [Status(500), Status(429), Reset()])
def test_a_server_that_is_away_is_not_asked_about_each_cluster(fault: Fault) -> None:
    with ChatServer(always=fault) as server:
        started = time.monotonic()
        labels = named(evidence(30), chat(server))
        assert len(server.calls()) <= 4
    assert time.monotonic() - started < 20
    assert [label.title for label in labels] == [f"Cluster {n}" for n in range(30)]
    assert {label.status for label in labels} == {"failed"}


def test_a_wrong_key_stops_everything() -> None:
    with ChatServer(always=Status(401)) as server, pytest.raises(ModelConfigurationError):
        named(evidence(), chat(server))


def test_single_calls_are_bounded() -> None:
    """A model that names the first clusters, and then nothing more."""

    def first_only(items: list[dict[str, Any]]) -> Any:
        return items if items[0]["cluster_id"] == 0 else [{"cluster_id": -7}]

    with ChatServer(answering(first_only)) as server:
        labels = named(evidence(60), chat(server))
        calls = [ids for request in server.calls() if (ids := _ids_in(request))]
    assert sum(label.status == "failed" for label in labels) == 52
    assert sum(len(ids) > 1 for ids in calls) == 8
    assert sum(len(ids) == 1 for ids in calls) == 20


def test_a_model_that_names_nothing_is_soon_asked_no_more() -> None:
    with ChatServer(always=Content('{"items": []}')) as server:
        labels = named(evidence(60), chat(server))
        assert len(server.calls()) == 4
    assert {label.status for label in labels} == {"failed"}
    assert labels[-1].error == "no usable answer: not asked any more"


def test_many_clusters_are_asked_about_in_several_calls_whose_titles_stay_apart() -> None:
    def same_everywhere(items: list[dict[str, Any]]) -> None:
        items[0].update(title="The same words in every call")

    with ChatServer(answering(same_everywhere)) as server:
        labels = named(evidence(20), chat(server))
        assert [len(asked_ids(request)) for request in server.calls()] == [8, 8, 4]
    failed = [label.cluster_id for label in labels if label.status == "failed"]
    assert failed == [8, 16]


def test_used_titles_are_not_given_again() -> None:
    used_titles = [good(1)["title"]]
    with ChatServer(answering(unchanged)) as server:
        labels = named(evidence(), chat(server), used_titles=used_titles)
    assert [label.status for label in labels] == ["generated", "failed", "generated"]


def test_noise_is_called_outliers_and_never_sent() -> None:
    secret = SummaryText("zebra crossing accident", "", ("zebra",))
    with ChatServer(answering(unchanged)) as server:
        labels = named([ClusterEvidence(-1, 4, (secret,)), *evidence(2)], chat(server))
        assert all("zebra" not in request.prompt for request in server.calls())
    assert labels[0].title == NOISE_TITLE
    assert labels[0].status == "generated"


def test_noise_alone_needs_no_call() -> None:
    with ChatServer() as server:
        assert named([ClusterEvidence(-1, 4, ())], chat(server))[0].title == NOISE_TITLE
        assert named([], chat(server)) == []
        assert server.calls() == []


@pytest.mark.heavy
def test_a_cluster_without_summaries_says_so() -> None:
    labels = named([ClusterEvidence(0, 4, ()), *evidence(3)[1:]], OfflineChat())
    assert labels[0].title == "Cluster 0"
    assert "no summary" in labels[0].error
    assert labels[1].status == "generated"


def test_a_cluster_given_twice_is_an_error() -> None:
    with pytest.raises(ValueError, match="must be distinct"):
        named([*evidence(2), *evidence(1)], OfflineChat())


def test_the_offline_model_names_without_tokens() -> None:
    used: list[Usage] = []
    labels = named(evidence(), OfflineChat(), used.append)
    assert {label.status for label in labels} == {"generated"}
    assert {label.model for label in labels} == {OfflineChat.name}
    assert sum(usage.input_tokens for usage in used) == 0
