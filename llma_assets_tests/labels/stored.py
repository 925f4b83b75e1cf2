"""Clustered summaries in a real database: topics with words of their own, embedded as the test server embeds."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from functools import partial
from typing import Any

import orjson

from llma_assets.clickhouse import Database
from llma_assets.clusters.partition import RunOptions, store_clusters
from llma_assets.clusters.store.cluster_members import members_of
from llma_assets.clusters.store.clustering_runs import Run, committed_run
from llma_assets.clusters.store.clusters import clusters_of
from llma_assets.embeddings.queries import PRODUCT
from llma_assets.labels.naming import Naming, name_clusters
from llma_assets.labels.queries import labels_of
from llma_assets.ledger import UsageLedger
from llma_assets.models import ChatModel, Embedder, OpenAIChat, OpenAIEmbedder, RetryPolicy
from llma_assets.stage import silent
from llma_assets.team_day import TeamDay, midnight
from llma_assets.testing import ChatServer, Request, vector_of
from llma_assets.themes import TRACES, Theme

MODEL = "test-embedding"
LETTERS = "abcdefghijklmnopqrstuvwxyz"
TOPICS = {
    "refund": "money back broken kettle refund arrived",
    "password": "login password reset account locked email",
    "delivery": "parcel tracking warehouse delivery late courier",
    "invoice": "invoice tax company number month billing",
    "warranty": "repair warranty expired toaster guarantee parts",
}
IMPATIENT = RetryPolicy(attempts=1, deadline_s=5.0, attempt_timeout_s=5.0, first_delay_s=0.01)


def item_id(topic: str, day: date, number: int) -> str:
    """The id of an item; equal for all teams."""
    return f"{topic}-{day.isoformat()}-{number}"


def item_text(team_id: int, topic: str, day: date, number: int) -> str:
    """What an item's summary says: the topic's words, and one of its own."""
    words = TOPICS[topic].split()
    own = f"{topic}{LETTERS[number % 26]}{LETTERS[day.day % 26]}"
    return f"{' '.join(words[number % 3 :] + words)} team{team_id} {own}"


def plant(database: Database, team_id: int, day: date, counts: Mapping[str, int], *, theme: Theme = TRACES) -> None:
    """Store summaries and embeddings of a day: so many items of each topic."""
    summaries, embeddings = [], []
    for topic, count in counts.items():
        for number in range(count):
            key = item_id(topic, day, number)
            text = item_text(team_id, topic, day, number)
            when = midnight(day) + timedelta(minutes=number)
            trace = {"trace_id": key, "generation_id": ""}
            summaries.append(
                {
                    "team_id": team_id,
                    "day": day,
                    "theme_id": theme.theme_id,
                    "level": theme.level,
                    "item_id": key,
                    **trace,
                    "content_hash": "",
                    "status": "generated",
                    "error": "",
                    "model": "m",
                    "mode": "detailed",
                    "title": text,
                    "flow_diagram": "user → assistant",
                    "bullets": orjson.dumps([{"text": f"Asked about {topic}", "line_refs": "L1"}]).decode(),
                    "interesting_notes": "[]",
                    "text_length": 1,
                    "event_count": 1,
                    "trace_timestamp": when,
                    "batch_run_id": "",
                }
            )
            embeddings.append(
                {
                    "team_id": team_id,
                    "product": PRODUCT,
                    "document_type": theme.document_type,
                    "model_name": MODEL,
                    "rendering": theme.rendering,
                    "document_id": key,
                    "timestamp": when,
                    "content": text,
                    "metadata": orjson.dumps({**trace, "theme_version": theme.version}).decode(),
                    "embedding": vector_of(text),
                }
            )
    database.insert_rows("trace_summaries", summaries)
    database.insert_rows("document_embeddings", embeddings)


def cluster_day(database: Database, team_id: int, day: date, clusters: int, *, theme: Theme = TRACES) -> Run:
    """Cluster a day's window into so many clusters, and return the committed run."""
    options = RunOptions(method="kmeans", min_k=clusters, max_k=clusters, min_items=5)
    where = TeamDay(team_id, day)
    store_clusters(
        database, where, model_name=MODEL, lookback_days=7, options=options, themes=(theme,), progress=silent
    )
    run = committed_run(database, where, theme.theme_id)
    assert run is not None
    return run


def name_run(database: Database, run: Run, chat: ChatModel, embedder: Embedder) -> Naming:
    """Name the clusters of a run, as the asset does."""
    where = TeamDay(run.team_id, run.day)
    with UsageLedger(database, where, stage="cluster_labels", theme_id=run.theme_id) as ledger:
        return name_clusters(
            database,
            run,
            TRACES,
            clusters_of(database, run),
            members_of(database, run),
            labels_of(database, run),
            chat,
            embedder,
            partial(ledger.record, ""),
        )


def topic_of(database: Database, run: Run) -> dict[int, str]:
    """The topic of the closest member of each cluster."""
    return {
        member["cluster_id"]: member["item_id"].split("-")[0]
        for member in members_of(database, run)
        if member["rank"] == 0
    }


def titles(database: Database, run: Run) -> dict[str, str]:
    """The stored titles by topic."""
    topics = topic_of(database, run)
    return {topics[key]: label.title for key, label in labels_of(database, run).items()}


def chat_of(server: ChatServer) -> OpenAIChat:
    """A chat model of a test server, with short deadlines."""
    return OpenAIChat("test-model", api_key="k", base_url=server.url, policy=IMPATIENT)


def embedder_of(server: ChatServer) -> OpenAIEmbedder:
    """An embedder of a test server, with short deadlines."""
    return OpenAIEmbedder(MODEL, api_key="k", base_url=server.url, policy=IMPATIENT)


def data_of(request: Request) -> dict[str, Any]:
    """What a labelling prompt shows as data."""
    for message in request.body["messages"]:
        text = message["content"]
        if message["role"] == "user" and text.startswith("<data>"):
            loaded: dict[str, Any] = json.loads(text.removeprefix("<data>\n").rsplit("\n</data>", 1)[0])
            return loaded
    raise AssertionError("no data in the prompt")


def good_label(cluster: Mapping[str, Any]) -> dict[str, Any]:
    """A label from the words of the cluster's first summary."""
    words = cluster["summaries"][0]["title"].split()
    return {
        "cluster_id": cluster["cluster_id"],
        "title": " ".join(dict.fromkeys(words))[:100],
        "description": [f"Users ask about {words[0]}.", "The agent answers."],
    }


def answering(change: Callable[[list[dict[str, Any]], dict[str, Any]], Sequence[Any] | None]) -> Callable[..., str]:
    """An answer that is good for every cluster asked about, after `change` has been at its items."""

    def answer(request: Request) -> str:
        data = data_of(request)
        items = [good_label(cluster) for cluster in data["clusters"]]
        return json.dumps({"items": change(items, data) or items})

    return answer


def unchanged(_items: list[dict[str, Any]], _data: dict[str, Any]) -> None:
    """The answer of a model that does what it is asked."""
