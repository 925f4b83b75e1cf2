"""What Dagster shows of a partition: all themes whoever ran last, and every entry described in docs/metadata.md."""

import re
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from llma_assets.clickhouse import Database
from llma_assets.defs.metadata import ALIASES, as_metadata, in_words
from llma_assets.defs.overview import PAGE_BYTES, maps_page
from llma_assets.defs.partitions import teams
from llma_assets.models import OfflineEmbedder
from llma_assets.reports import ThemeClusters, clusters_of_day
from llma_assets.settings import Settings
from llma_assets.stage import Report
from llma_assets.team_day import TeamDay
from llma_assets.testing import day_of_traces, similar_segments, write_events, write_segments
from llma_assets_tests.pipeline.runs import Pipeline

DAY = date(2026, 11, 7)
PAGE = Path(__file__).parents[2] / "docs" / "metadata.md"

SOMETIMES = {"reason", "deferred_for_budget", "undone_for_budget", "loss_worst", "budget_usd"}
"""Entries that a run of which all goes well need not have."""
STAGES = (
    "eligible_teams",
    "trace_texts",
    "trace_summaries",
    "summary_embeddings",
    "cluster_assignments",
    "cluster_labels",
    "cluster_attributes",
    "cluster_causes",
    "cluster_events",
    "segment_clusters",
    "tasks",
)
PREFIX = re.compile(r"^(traces|generations|trace|generation)_")


@pytest.fixture
def pipeline(settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "LLMA_CHAT_MODEL", "LLMA_EMBEDDING_MODEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CLICKHOUSE_URL", str(settings.clickhouse_url))
    monkeypatch.setenv("LLMA_DATA_DIR", str(settings.data_dir))
    return Pipeline(database)


def shown(result: dg.ExecuteInProcessResult) -> dict[str, dict[str, Any]]:
    """The metadata of each asset that a run has materialised, of the last partition."""
    return {
        event.asset_key.to_user_string(): dict(event.step_materialization_data.materialization.metadata)
        for event in result.all_events
        if event.is_step_materialization and event.asset_key is not None
    }


def documented() -> tuple[set[str], dict[str, set[str]]]:
    """The entries that the page has a heading for, and the keys of `details` by section."""
    text = PAGE.read_text()
    entries = set(re.findall(r"^### (\S+)$", text.split("## Keys of details")[0].split("## Entries")[1], re.MULTILINE))
    sections = re.split(r"^### ", text.split("## Keys of details")[1], flags=re.MULTILINE)[1:]
    keys = {
        section.splitlines()[0]: {
            key for line in re.findall(r"^\| (`.*?) \|", section, re.MULTILINE) for key in re.findall(r"`(\w+)`", line)
        }
        for section in sections
    }
    return entries, keys


def test_the_whole_graph_shows_all_themes_and_nothing_that_the_docs_do_not_describe(pipeline: Pipeline) -> None:
    write_events(pipeline.database, day_of_traces(1, DAY, 32))
    write_segments(pipeline.database, similar_segments("a", 0), model=OfflineEmbedder().name)
    found = shown(pipeline.run("discovery_job", partition_key=DAY.isoformat()))
    found |= shown(pipeline.texts(1, DAY, DAY))
    found |= shown(pipeline.clusters(1, DAY))
    pipeline.instance.add_dynamic_partitions(str(teams.name), ["1"])
    found |= shown(pipeline.run("tasks_job", partition_key="1"))
    assert set(found) == set(STAGES)

    entries, keys = documented()
    aliases = {*ALIASES, "teams_seen", "new_teams", "unreadable_events"}
    seen = {name for metadata in found.values() for name in metadata}
    assert seen - aliases <= entries
    assert entries - SOMETIMES <= seen
    assert all(f"`{name}`" in PAGE.read_text() for name in aliases)
    for stage, metadata in found.items():
        own = {PREFIX.sub("", name) for name in metadata["details"].value}
        whole = set(metadata["details"].value)
        described = keys[stage] | keys["Money and tokens"]
        assert {name for name in whole if name not in described and PREFIX.sub("", name) not in described} == set()
        assert own

    # A run for one theme alone: what is shown is still of all themes.
    again = shown(
        pipeline.clusters(
            1,
            DAY,
            run_config={
                "ops": {
                    stage: {"config": {"themes": ["traces"]}}
                    for stage in ("cluster_assignments", "cluster_labels", "cluster_events")
                }
            },
        )
    )
    for stage in ("cluster_assignments", "cluster_labels", "cluster_events"):
        metadata = again[stage]
        assert list(metadata)[:3] == ["about", "items", "status"]
        assert list(metadata)[3:7] == ["clusters", "clusters_map", "summary", "funnel"]
        assert "generations_status" not in metadata["details"].value
        titles = [record.data["title"] for record in metadata["clusters"].records]
        assert {"traces: all", "generations: all"} <= set(titles)
        assert metadata["clusters_map"].value.count("data:image/png;base64,") == 2
        assert set(metadata["funnel"].records[0].data) == {"step", "traces", "generations"}
        assert "**generations**" in metadata["summary"].value
    (run, _) = clusters_of_day(pipeline.database, TeamDay(1, DAY))
    assert clusters_of_day(pipeline.database, TeamDay(2, DAY)) == []
    assert sum(row.size for row in run.rows) == run.items == 32
    assert all(0 < row.traces <= row.size for row in run.rows)


def test_maps_that_would_make_the_page_too_large_are_left_out_the_smallest_themes_first(
    monkeypatch: pytest.MonkeyPatch, pipeline: Pipeline
) -> None:
    import numpy as np

    themes = [
        ThemeClusters(f"theme{number}", 2, (), np.zeros(2, dtype=np.int_), np.eye(2, dtype=np.float64))
        for number in range(3)
    ]
    day = TeamDay(1, DAY)
    assert maps_page(themes, day).count("data:image/png") == 3
    monkeypatch.setattr("llma_assets.defs.overview.PAGE_BYTES", len(maps_page(themes[:2], day)))
    page = maps_page(themes, day)
    assert page.count("data:image/png") == 2
    assert page.index("### theme2") < page.index("No map: the maps of the other themes fill the page.")
    assert PAGE_BYTES < 500_000


def test_what_is_shown_first_and_what_is_a_counter() -> None:
    metadata = as_metadata(
        Report(
            items=12,
            deferred=120,
            details={"budget_usd": 2.5, "cost_usd": 1.25, "traces_stored": 12},
            tables={"funnel": [{"step": "matched", "traces": 12}], "loss_worst": []},
            pages={"summary": "text"},
        ),
        0.5,
    )
    assert list(metadata) == [
        *("about", "items", "status", "deferred_for_budget", "undone_for_budget", "summary", "funnel", "details"),
        *("cost_usd", "budget_usd", "dagster/row_count", "duration_s"),
    ]
    assert metadata["details"].value["traces_stored"] == 12
    assert metadata["undone_for_budget"] == metadata["deferred_for_budget"] == 120


@pytest.mark.parametrize(
    ("report", "said"),
    [
        (Report(items=1), "**Done**: 1 item."),
        (
            Report(items=1_500, waiting=1),
            "**Waiting**: 1,500 items. 1 item waits for an answer, which a later run takes.",
        ),
        (Report(items=0, failed=3, reason="all_failed"), "**Failed**: no items. 3 items failed. Why: all failed."),
        (Report(items=0, deferred=2), "**Budget**: no items. 2 items deferred: the daily budget is used up."),
        (Report(items=0, reason="<b>*x*"), "**Skipped**: no items. Why: &#60;b&#62;&#42;x&#42;."),
    ],
)
def test_a_report_is_told_in_a_line(report: Report, said: str) -> None:
    assert in_words(report) == said
