"""Causes as they are stored: of a run, and of its lineages in the days before."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import orjson

from llma_assets.clickhouse import Database
from llma_assets.clusters import FULL, Run, clusters_of
from llma_assets.insights.causes.evidence import Cause, ClusterCauses, Reference
from llma_assets.insights.causes.queries import CAUSES_OF_RUN, EARLIER_CAUSES

CARRIED_DAYS = 7
"""What was found of a lineage is asked anew after so many days."""


def causes_of(database: Database, run: Run) -> dict[int, ClusterCauses]:
    """The causes of a run by cluster; nothing of clusters that may not be shown by now."""
    told = {row["cluster_id"] for row in clusters_of(database, run) if row["disclosure"] == FULL}
    return {row["cluster_id"]: _of(row) for row in _stored(database, run) if row["cluster_id"] in told}


def asked_already(database: Database, run: Run, asked_with: str) -> set[int]:
    """Clusters of the run that were asked about by this prompt and model, with an answer."""
    return {
        row["cluster_id"]
        for row in _stored(database, run)
        if row["asked_with"] == asked_with and row["status"] != "failed"
    }


def causes_before(database: Database, run: Run, asked_with: str) -> dict[str, ClusterCauses]:
    """What was found in the days before, by lineage."""
    rows = database.rows(
        EARLIER_CAUSES,
        team_id=run.team_id,
        theme_id=run.theme_id,
        asked_with=asked_with,
        **{"from": run.day - timedelta(days=CARRIED_DAYS - 1), "until": run.day},
    )
    return {row["lineage_id"]: _of({**row, "cluster_id": 0, "error": ""}) for row in rows}


def store(database: Database, run: Run, found: Iterable[ClusterCauses], asked_with: str) -> None:
    """Store the causes of clusters; a later row of a cluster replaces it."""
    rows = [
        {
            **run.attempt,
            "cluster_id": each.cluster_id,
            "status": each.status,
            "error": each.error,
            "model": each.model,
            "asked_with": asked_with,
            "causes": orjson.dumps([asdict(cause) for cause in each.causes]).decode(),
            "refused": orjson.dumps(each.refused).decode(),
        }
        for each in found
    ]
    database.insert_rows("cluster_causes", rows)


def _stored(database: Database, run: Run) -> list[dict[str, Any]]:
    return list(database.rows(CAUSES_OF_RUN, **run.attempt))


def _of(row: Mapping[str, Any]) -> ClusterCauses:
    causes = tuple(
        Cause(each["cause"], each["confirm"], tuple(Reference(**at) for at in each["references"]), each["judged"])
        for each in orjson.loads(row["causes"])
    )
    refused = tuple(orjson.loads(row["refused"]))
    return ClusterCauses(row["cluster_id"], row["status"], row["error"], row["model"], causes, refused)
