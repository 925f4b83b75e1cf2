"""Nothing of a cluster of few users gets out: not by events, names, reports, pages, frames or the prompts of models."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from llma_assets import frames, reports
from llma_assets.clickhouse import Database
from llma_assets.clusters import NOISE_LABEL, PrivacyMinimum, RunOptions, Withheld, clusters_of, members_of
from llma_assets.clusters.partition import store_clusters
from llma_assets.clusters.store.clustering_runs import Run, committed_run
from llma_assets.clusters.store.clusters import clusters_of as stored_clusters
from llma_assets.clusters.store.clusters import clusters_of_items
from llma_assets.defs.overview import maps_page
from llma_assets.events.checks import events_match_runs, no_empty_events
from llma_assets.events.partition import publish_events
from llma_assets.labels.naming import name_clusters
from llma_assets.labels.queries import labels_of
from llma_assets.models import ignore_usage
from llma_assets.serialization import json_object
from llma_assets.settings import Settings
from llma_assets.stage import silent
from llma_assets.team_day import TeamDay
from llma_assets.testing import ChatServer
from llma_assets.themes import TRACES
from llma_assets.web import Access, Site, report_file
from llma_assets_tests.labels.stored import MODEL, answering, chat_of, embedder_of, item_id, plant, unchanged

DAY = date(2026, 11, 2)
TEAM_DAY = TeamDay(1, DAY)
COUNTS = {"refund": 12, "password": 11, "warranty": 10}
ONE_USERS = "warranty"
SECRETS = ("warranty", "toaster", "guarantee")
"""Words that only one user wrote; ids of items begin with the first."""


def plant_users(database: Database) -> None:
    """Items of three topics: of two of them by six users, of the third by one alone."""
    plant(database, 1, DAY, COUNTS)
    database.insert_rows(
        "trace_texts",
        [
            {
                "team_id": 1,
                "day": DAY,
                "level": "trace",
                "item_id": item_id(topic, DAY, number),
                "user_hash": 7 if topic == ONE_USERS else 100 + number % 6,
            }
            for topic, count in COUNTS.items()
            for number in range(count)
        ],
    )


def clustered(database: Database, privacy: PrivacyMinimum) -> Run:
    options = RunOptions(method="kmeans", min_k=3, max_k=3, min_items=5)
    store_clusters(
        database,
        TEAM_DAY,
        model_name=MODEL,
        lookback_days=7,
        options=options,
        themes=(TRACES,),
        progress=silent,
        privacy=privacy,
    )
    run = committed_run(database, TEAM_DAY, TRACES.theme_id)
    assert run is not None
    return run


def published(database: Database, privacy: PrivacyMinimum) -> tuple[Run, str]:
    """Cluster, name and publish the day; returns the run, and all that a model was shown."""
    run = clustered(database, privacy)
    with ChatServer(answering(unchanged)) as server:
        name_clusters(
            database,
            run,
            TRACES,
            clusters_of(database, run),
            members_of(database, run),
            labels_of(database, run),
            chat_of(server),
            embedder_of(server),
            ignore_usage,
        )
        prompts = "\n".join(str(request.body) for request in server.calls())
    publish_events(database, TEAM_DAY, themes=(replace(TRACES, tags=True),), progress=silent)
    return run, prompts


def shown(database: Database, run: Run) -> dict[str, str]:
    """All that shows clusters, as text."""
    of_day = reports.clusters_of_day(database, TEAM_DAY)
    tables = ("events", "cluster_labels", "cluster_group_labels", "cluster_name_tests")
    ids = [item_id(topic, DAY, number) for topic, count in COUNTS.items() for number in range(count)]
    return {
        **{table: str(database.rows("SELECT * FROM {table:Identifier} FINAL", table=table)) for table in tables},
        "clusters": str(clusters_of(database, run)),
        "members": str(members_of(database, run)),
        "listing": str(reports.published_clusters(database, TEAM_DAY, show_hidden=True)),
        "listing_json": str(json_object(reports.published_clusters(database, TEAM_DAY, show_hidden=True))),
        "day": str(of_day),
        "table": str(reports.table_rows(of_day)),
        "sentences": reports.clusters_in_sentences(of_day, {}),
        "page": maps_page(of_day, TEAM_DAY),
        "audit": str(reports.audit(database, TEAM_DAY)),
        "trends": str(reports.trends_report(database, 1, weeks=2)),
        "frame": frames.clusters(1, DAY, database=database).to_csv(),
        "items": frames.items(1, DAY, database=database).to_csv(),
        "trends_frame": frames.trends(1, database=database).to_csv(),
        "results": str(json_object(reports.theme_results(database, TEAM_DAY, TRACES.theme_id))),
        "item_page": str(reports.item_page(database, TEAM_DAY, TRACES.theme_id, limit=1_000)),
        "cluster_pages": "".join(
            str(reports.cluster_report(database, TEAM_DAY, TRACES.theme_id, row["lineage_id"]))
            for row in stored_clusters(database, run)
        ),
        "file": report_file(Site(Settings.from_env({}), Access(), opened=database), TEAM_DAY),
        "of_items": str(clusters_of_items(database, 1, ids, first_day=DAY, last_day=DAY)),
    }


def leaks(texts: Mapping[str, str]) -> dict[str, list[str]]:
    """The secret words by where they are shown."""
    found = {name: [secret for secret in SECRETS if secret in text.lower()] for name, text in texts.items()}
    return {name: secrets for name, secrets in found.items() if secrets}


def test_without_a_minimum_all_of_it_is_shown(database: Database) -> None:
    plant_users(database)
    run, prompts = published(database, PrivacyMinimum())
    texts = shown(database, run) | {"prompts": prompts}
    silent_ones = {"cluster_group_labels", "table", "sentences", "page"}
    assert leaks(texts).keys() >= texts.keys() - silent_ones - {"clusters", "day"}


@pytest.mark.parametrize("below", ["without_examples", "held_back"])
def test_nothing_of_a_cluster_of_few_users_is_shown(database: Database, below: Withheld) -> None:
    plant_users(database)
    # What was shown before the team asked for a minimum goes, too.
    published(database, PrivacyMinimum())
    run, prompts = published(database, PrivacyMinimum(5, below))
    assert leaks(shown(database, run) | {"prompts": prompts}) == {}
    rows = {row["disclosure"]: row for row in stored_clusters(database, run)}
    assert (rows[below]["size"], rows[below]["users"], rows[below]["traces"]) == (10, 1, 10)
    (theme,) = reports.published_clusters(database, TEAM_DAY).runs
    sizes = sorted(each.size for each in theme.clusters if each.cluster_id != NOISE_LABEL)
    assert sizes == ([10, 11, 12] if below == "without_examples" else [11, 12])
    assert theme.held_back_clusters == (below == "held_back")
    checks = [*events_match_runs(database, TEAM_DAY), *no_empty_events(database, TEAM_DAY)]
    assert [outcome.found for outcome in checks if not outcome.passed] == []


def test_an_event_of_which_all_is_held_back_is_taken_away(database: Database) -> None:
    plant_users(database)
    published(database, PrivacyMinimum())
    run, _ = published(database, PrivacyMinimum(50, "held_back"))
    assert [row["disclosure"] for row in clusters_of(database, run) if row["cluster_id"] != NOISE_LABEL] == []
    events: list[Any] = database.rows("SELECT uuid FROM events FINAL WHERE event = '$ai_trace_clusters'")
    assert events == []
    assert [outcome.found for outcome in events_match_runs(database, TEAM_DAY) if not outcome.passed] == []


def test_a_minimum_of_one_changes_nothing_and_another_makes_the_run_anew(database: Database) -> None:
    plant_users(database)
    first = clustered(database, PrivacyMinimum())
    assert clustered(database, PrivacyMinimum(1, "held_back")).attempt_id == first.attempt_id
    assert clustered(database, PrivacyMinimum(2)).attempt_id != first.attempt_id
