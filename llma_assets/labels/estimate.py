"""Estimates calls and tokens of naming the clusters of a day, from the clusters of earlier days. Asks no model."""

import math
from collections.abc import Mapping

from llma_assets.clickhouse import Database
from llma_assets.clusters import Run, committed_run
from llma_assets.embeddings import SUMMARY_TOKENS
from llma_assets.labels.evidence import NOISE_ID, ClusterLabel
from llma_assets.labels.evidence_choice import REPRESENTATIVES
from llma_assets.labels.labelling import CLUSTERS_PER_CALL
from llma_assets.labels.prompt import labelling_messages
from llma_assets.labels.queries import labels_of
from llma_assets.labels.schema import ClusterLabels
from llma_assets.ledger import Forecast, past_calls
from llma_assets.models import chat_tokens
from llma_assets.team_day import TeamDay
from llma_assets.themes import Theme

STAGE = "cluster_labels"
CLUSTERS = 6
"""Number of clusters of a theme without earlier runs."""

NEIGHBOUR_TOKENS = 300
"""Tokens of the neighbours of a cluster in a prompt."""

LABEL_TOKENS = 130
"""Tokens of a usual name with its description."""

DAYS_BACK = 7


def forecast_labels(
    database: Database, team_day: TeamDay, theme: Theme, model: str, *, items: int, is_new: bool, least_items: int
) -> Forecast:
    """Estimate calls and tokens of naming a theme's clusters; names that will be carried over count, too.

    Args:
        model: name of the chat model.
        items: items of the window that will be clustered.
        is_new: whether some of them are not there yet, so that the stored clusters will change.
        least_items: with fewer, nothing is clustered.
    """
    run = committed_run(database, team_day, theme.theme_id)
    if run is not None and run.items and not is_new:
        return forecast_names(database, theme, model, run, labels_of(database, run))
    if items < least_items:
        basis = f"{items:,} items, and with fewer than {least_items} nothing is clustered"
        return Forecast(STAGE, theme.theme_id, model, 0, 0, 0, 0, 0, basis)
    runs = (committed_run(database, team_day.back(days), theme.theme_id) for days in range(DAYS_BACK))
    earlier = next((found for found in runs if found is not None and found.clusters), None)
    clusters = earlier.clusters if earlier else CLUSTERS
    clusters_basis = f"as many clusters as on {earlier.day}" if earlier else f"{CLUSTERS} clusters, as a guess"
    return _forecast(database, team_day.team_id, theme, model, clusters, 0, clusters_basis)


def forecast_names(
    database: Database, theme: Theme, model: str, run: Run, labels: Mapping[int, ClusterLabel]
) -> Forecast:
    """Estimate calls and tokens of naming those clusters of a run that have no name yet.

    Args:
        labels: those that the run has.
    """
    done = sum(label.status == "generated" for key, label in labels.items() if key != NOISE_ID)
    return _forecast(
        database, run.team_id, theme, model, max(0, run.clusters - done), done, f"the clusters of {run.day}"
    )


def _forecast(
    database: Database, team_id: int, theme: Theme, model: str, clusters: int, done: int, clusters_basis: str
) -> Forecast:
    if model.startswith("offline/") or not clusters:
        basis = "the offline model is free" if clusters else "all clusters have their names"
        return Forecast(STAGE, theme.theme_id, model, clusters, done, 0, 0, 0, basis)
    calls = math.ceil(clusters / CLUSTERS_PER_CALL)
    past = past_calls(database, team_id, stage=STAGE, theme_id=theme.theme_id, model=model)
    if past is not None:
        calls = max(calls, round(past.calls / past.days))
        input_tokens, output_tokens = past.input_tokens / past.calls * calls, past.output_tokens / past.calls * calls
        basis = f"{clusters_basis}; calls as in the last {past.calls:,}"
    else:
        shown = REPRESENTATIVES * SUMMARY_TOKENS[theme.mode] + NEIGHBOUR_TOKENS
        input_tokens = calls * chat_tokens(model, labelling_messages(()), ClusterLabels) + clusters * shown
        output_tokens = clusters * LABEL_TOKENS
        basis = f"{clusters_basis}; {shown:,} tokens for each, because there are no earlier calls"
    return Forecast(
        STAGE, theme.theme_id, model, clusters, done, calls, round(input_tokens), round(output_tokens), basis
    )
