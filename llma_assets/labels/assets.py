"""The asset `cluster_labels`: names the clusters of a committed run from the summaries of its representatives.

How names are asked for and judged belongs in the modules beside this one; they know no database.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
import numpy as np
import orjson

from llma_assets.clickhouse import Database
from llma_assets.clusters.picture import cluster_table, map_markdown
from llma_assets.clusters.queries import Run, clusters_of, committed_run, members_of
from llma_assets.labels import ClusterEvidence, ClusterLabel, SummaryText, label_clusters
from llma_assets.labels.queries import LABELS_OF_RUN
from llma_assets.ledger import UsageLedger, usage_totals
from llma_assets.models import ChatModel
from llma_assets.partitions import team_days
from llma_assets.resources import ChatModelResource, ClickHouseResource
from llma_assets.stage import Progress, Report, run_tags, walk_partitions
from llma_assets.summaries.queries import SUMMARIES_OF_ITEMS
from llma_assets.team_day import TeamDay
from llma_assets.themes import BUILT_IN, Theme

STAGE = "cluster_labels"
REPRESENTATIVES = 7
"""Summaries of a cluster that a model reads: those closest to the centroid."""

EXAMPLES = 2
"""Traces that the table of clusters names, at most."""

MEMBERS = 60
"""Summaries of a cluster that offline names are counted over."""


@dg.asset(
    partitions_def=team_days,
    deps=["cluster_assignments"],
    backfill_policy=dg.BackfillPolicy.multi_run(max_partitions_per_run=7),
    group_name="clusters",
    kinds={"clickhouse", "openai"},
    pool="models",
)
def cluster_labels(
    context: dg.AssetExecutionContext,
    clickhouse: ClickHouseResource,
    chat: ChatModelResource,
    progress: dg.ResourceParam[Progress],
) -> None:
    """A title and a description for each cluster."""
    database = clickhouse.database().tagged(**run_tags(context))
    model = chat.model()
    walk_partitions(context, lambda team_day: store_labels(database, team_day, model, progress=progress))


def store_labels(
    database: Database,
    team_day: TeamDay,
    chat: ChatModel,
    *,
    themes: Sequence[Theme] = BUILT_IN,
    progress: Progress,
) -> Report:
    """Name the clusters that have no name yet; names that failed are asked for again."""
    items, metadata = 0, dict[str, Any](model=chat.name)
    for done, theme in enumerate(themes):
        progress(STAGE, team_day, done, len(themes))
        run = committed_run(database, team_day, theme.theme_id)
        if run is None or run.items == 0:
            continue
        items += run.clusters
        metadata |= _label_run(database, team_day, theme, run, chat)
    progress(STAGE, team_day, len(themes), len(themes))
    spent = usage_totals(database, team_day, stage=STAGE)
    metadata |= {
        "input_tokens": spent.input_tokens,
        "output_tokens": spent.output_tokens,
        "cost_usd": spent.cost_usd,
    }
    return Report(items=items, reason="" if items else "no_committed_run", metadata=metadata)


def _label_run(database: Database, team_day: TeamDay, theme: Theme, run: Run, chat: ChatModel) -> dict[str, Any]:
    key = {
        "team_id": run.team_id,
        "day": run.day,
        "theme_id": run.theme_id,
        "attempt_id": run.attempt_id,
    }
    labels = {row["cluster_id"]: row for row in database.rows(LABELS_OF_RUN, **key)}
    clusters, members = clusters_of(database, run), members_of(database, run)
    unnamed = [
        row for row in clusters if row["cluster_id"] not in labels or labels[row["cluster_id"]]["status"] != "generated"
    ]
    counts = {"named": 0, "failed": 0}
    if unnamed:
        evidence = _evidence(database, run, unnamed, members)
        with UsageLedger(database, team_day, stage=STAGE, theme_id=theme.theme_id) as ledger:
            answers = label_clusters(
                evidence,
                chat,
                record=lambda usage: ledger.record("", usage),
                taken=[row["title"] for row in labels.values() if row["status"] == "generated"],
            )
        database.insert_rows("cluster_labels", [{**key, **_row(label)} for label in answers])
        labels |= {label.cluster_id: _row(label) for label in answers}
        counts["named"] = sum(label.status == "generated" for label in answers)
        counts["failed"] = len(answers) - counts["named"]
    titles = {cluster_id: row["title"] for cluster_id, row in labels.items()}
    table = cluster_table(
        [
            {
                "cluster_id": row["cluster_id"],
                "size": row["size"],
                "share": row["size"] / run.items,
                "title": titles.get(row["cluster_id"], ""),
                "examples": list(
                    dict.fromkeys(
                        member["trace_id"]
                        for member in members
                        if member["cluster_id"] == row["cluster_id"] and member["rank"] < EXAMPLES
                    )
                ),
            }
            for row in clusters
        ]
    )
    picture = map_markdown(
        np.array([member["cluster_id"] for member in members]),
        np.array([(member["x"], member["y"]) for member in members]),
        titles,
        heading=f"{team_day}: {theme.theme_id}",
    )
    return {
        **{f"{theme.theme_id}_{name}": number for name, number in counts.items()},
        f"{theme.theme_id}_table": dg.MetadataValue.md(table),
        f"{theme.theme_id}_map": dg.MetadataValue.md(picture),
    }


def _evidence(
    database: Database,
    run: Run,
    clusters: Sequence[Mapping[str, Any]],
    members: Sequence[Mapping[str, Any]],
) -> list[ClusterEvidence]:
    chosen = {
        row["cluster_id"]: [
            member["item_id"]
            for member in members
            if member["cluster_id"] == row["cluster_id"] and member["rank"] < MEMBERS
        ]
        for row in clusters
    }
    wanted = [item_id for item_ids in chosen.values() for item_id in item_ids]
    summaries = {
        row["item_id"]: _summary_text(row)
        for row in database.rows(
            SUMMARIES_OF_ITEMS,
            team_id=run.team_id,
            theme_id=run.theme_id,
            item_ids=wanted,
            **{"from": run.window_start.date(), "until": run.day},
        )
    }
    evidence = []
    for row in clusters:
        texts = [summaries[item_id] for item_id in chosen[row["cluster_id"]] if item_id in summaries]
        evidence.append(
            ClusterEvidence(
                cluster_id=row["cluster_id"],
                size=row["size"],
                representatives=tuple(texts[:REPRESENTATIVES]),
                members=tuple(texts[REPRESENTATIVES:]),
            )
        )
    return evidence


def _summary_text(row: Mapping[str, Any]) -> SummaryText:
    return SummaryText(
        title=row["title"],
        flow_diagram=row["flow_diagram"],
        bullets=tuple(bullet["text"] for bullet in orjson.loads(row["bullets"])),
        notes=tuple(note["text"] for note in orjson.loads(row["interesting_notes"])),
    )


def _row(label: ClusterLabel) -> dict[str, Any]:
    return {
        "cluster_id": label.cluster_id,
        "title": label.title,
        "description": label.description,
        "status": label.status,
        "error": label.error,
        "model": label.model,
    }
