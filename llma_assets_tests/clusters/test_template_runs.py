"""A template is one cluster of a stored run, and is told as one."""

import random
from datetime import date

from llma_assets import reports
from llma_assets.clickhouse import Database
from llma_assets.clusters import NOISE_LABEL, clusters_of, members_of
from llma_assets.clusters.checks import CHECKS
from llma_assets.events.partition import publish_events
from llma_assets.reports.cluster_table import cluster_table
from llma_assets.stage import silent
from llma_assets.team_day import TeamDay
from llma_assets.themes import TRACES
from llma_assets_tests.clusters.engine.test_templates import bot
from llma_assets_tests.clusters.planted import plant, run_day, stored_run

DAY = date(2026, 11, 7)
PATTERN = "refund for … order # please"


def plant_bot(database: Database) -> None:
    """Thirty items of each of three topics, and 160 texts of one template that lie in five places."""
    plant(database, 1, DAY, {"A": 30, "B": 30, "C": 30})
    plant(database, 1, DAY, dict.fromkeys("DEXYZ", 32))
    rng = random.Random(1)
    rows = database.rows("SELECT * EXCEPT (inserted_at) FROM document_embeddings FINAL ORDER BY document_id")
    sent = [row for row in rows if row["document_id"][0] in "DEXYZ"]
    for number, row in enumerate(sent):
        row["content"] = f'Refund\nuser → assistant\nAsked: "{bot("names", number, rng)}"\nAnswered: "Done"'
    database.insert_rows("document_embeddings", sent)


def test_a_template_is_one_cluster_of_the_run_with_and_without_a_sample(database: Database) -> None:
    plant_bot(database)
    for options in ({}, {"max_samples": 120}):
        run_day(database, 1, DAY, 3, method="graph", target_clusters=3, **options)
        run = stored_run(database, 1, DAY)
        found = {row["template"]: row for row in clusters_of(database, run) if row["template"]}
        assert list(found) == [PATTERN]
        assert (found[PATTERN]["size"], found[PATTERN]["cluster_id"]) == (160, 0)
        homes: dict[int, set[str]] = {}
        for member in members_of(database, run):
            if member["cluster_id"] != NOISE_LABEL:
                homes.setdefault(member["cluster_id"], set()).add(member["item_id"][0])
        assert sorted("".join(sorted(topics)) for topics in homes.values()) == ["A", "B", "C", "DEXYZ"]
        wrong = [
            (check.judge.__name__, outcome.found)
            for check in CHECKS
            for outcome in check.judge(database, TeamDay(1, DAY))
            if not outcome.passed
        ]
        assert wrong == []


def test_events_listing_and_tables_tell_it(database: Database) -> None:
    plant_bot(database)
    run_day(database, 1, DAY, 3, method="graph", target_clusters=3)
    (theme,) = reports.clusters_of_day(database, TeamDay(1, DAY))
    assert "one template" in cluster_table(theme.rows)
    (published,) = reports.published_clusters(database, TeamDay(1, DAY)).runs
    assert [each.template for each in published.clusters] == [PATTERN, "", "", ""]
    assert [each.traces for each in published.clusters] == [160, 30, 30, 30]
    publish_events(database, TeamDay(1, DAY), themes=(TRACES,), progress=silent)
    (row,) = database.rows("SELECT properties FROM events FINAL WHERE event = '$ai_trace_clusters'")
    assert row["properties"].count(PATTERN) == 1
    assert '"trace_count":160' in row["properties"]
