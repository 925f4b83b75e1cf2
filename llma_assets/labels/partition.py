"""The stage `cluster_labels` for one partition: names the clusters of committed runs.

Naming one run belongs in `naming`.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from llma_assets.clickhouse import Database
from llma_assets.clusters import Run, ask_clusters_of, clusters_of, members_of, runs_of_day
from llma_assets.labels.estimate import STAGE, forecast_names
from llma_assets.labels.evidence import ClusterLabel
from llma_assets.labels.naming import LABELS_FAILED, Naming, name_clusters
from llma_assets.labels.queries import ask_labels_of, labels_of
from llma_assets.ledger import (
    Skip,
    UsageLedger,
    note_deferred,
    record_skip,
    spending_metadata,
)
from llma_assets.models import ChatModel, Embedder, ModelHealth, paid_by
from llma_assets.stage import Progress, Report, each_theme
from llma_assets.team_day import TeamDay
from llma_assets.themes import Theme

MAX_FAILED_SHARE = 0.2
"""If a larger share of a run's clusters has no name, a skip says so."""


def store_labels(
    database: Database,
    team_day: TeamDay,
    chat: Callable[[str | None], ChatModel],
    embedder: Embedder,
    *,
    themes: Sequence[Theme],
    budget_usd: float | None = None,
    progress: Progress,
    evidence: ModelHealth | None = None,
    forecasts: bool = True,
) -> Report:
    """Name the clusters that have no name yet; names that failed are asked for again.

    Args:
        chat: the chat model of a name, which a theme may have for itself; that of the installation for None.
        budget_usd: the team's budget for the day, None for no limit; names above it are deferred.
        evidence: what the models have answered so far in the run; None for nothing yet.
        forecasts: whether the report says what was forecast.

    Raises:
        ThemesFailed: some themes failed, such as those none of whose clusters got a name; the names of the others are
            stored.
        NothingUsable: no label of the model is usable.
    """
    seen = evidence or ModelHealth()
    items, waiting, metadata = 0, 0, dict[str, Any](model=chat(None).name)
    places = {theme.theme_id: place for place, theme in enumerate(themes)}

    runs = [run for run in runs_of_day(database, team_day) if run.theme_id in places and run.items]
    ask_clusters_of(database, runs)
    ask_labels_of(database, runs)
    labels = {run.theme_id: labels_of(database, run) for run in runs}

    def work(theme: Theme) -> tuple[int, int, dict[str, Any]]:
        progress(STAGE, team_day, places[theme.theme_id], len(themes))
        run = next((run for run in runs if run.theme_id == theme.theme_id), None)
        if run is None:
            return 0, 0, {}
        deferred, told = _store_theme(
            database, team_day, theme, run, labels[run.theme_id], chat(theme.model), embedder, budget_usd, seen
        )
        return run.clusters, deferred, told

    for _, (clusters, deferred, told) in each_theme(database, team_day, STAGE, themes, work):
        items += clusters
        waiting += deferred
        metadata |= told
    progress(STAGE, team_day, len(themes), len(themes))
    metadata |= spending_metadata(
        database,
        team_day,
        stage=STAGE,
        budget_usd=budget_usd,
        theme_budgets_usd={theme.theme_id: theme.daily_budget_usd for theme in themes},
        forecasts=forecasts,
    )
    reason = "" if items else "no_committed_run"
    return Report(items=items, reason=reason, details=metadata, deferred=waiting)


def _store_theme(
    database: Database,
    team_day: TeamDay,
    theme: Theme,
    run: Run,
    labels: dict[int, ClusterLabel],
    chat: ChatModel,
    embedder: Embedder,
    budget_usd: float | None,
    evidence: ModelHealth,
) -> tuple[int, dict[str, Any]]:
    """Name the clusters of one theme; returns how many names are deferred, and details for the report."""
    clusters, members = clusters_of(database, run), members_of(database, run)
    with UsageLedger(
        database,
        team_day,
        stage=STAGE,
        theme_id=theme.theme_id,
        limit_usd=budget_usd,
        theme_limit_usd=theme.daily_budget_usd,
    ) as ledger:
        ledger.expect(forecast_names(database, theme, chat.name, run, labels))
        naming = name_clusters(
            database,
            run,
            theme,
            clusters,
            members,
            labels,
            paid_by(chat, ledger.allowance),
            paid_by(embedder, ledger.allowance),
            record=partial(ledger.record, ""),
            evidence=evidence,
        )
    deferred = note_deferred(
        database,
        team_day,
        stage=STAGE,
        theme_id=theme.theme_id,
        deferred=naming.deferred,
        items=run.clusters,
        refusal=ledger.refusal,
    )
    failures = [label.error for label in naming.labels.values() if label.status == "failed"]
    if failures and not deferred and len(failures) > MAX_FAILED_SHARE * run.clusters:
        detail = f"{len(failures)} of {run.clusters}: {failures[0]}"
        record_skip(database, Skip(team_day.team_id, team_day.day, STAGE, theme.theme_id, LABELS_FAILED, detail))
    numbers = {f"{theme.theme_id}_{name}": value for name, value in _numbers(naming).items()}
    return deferred, numbers


def _numbers(naming: Naming) -> dict[str, Any]:
    """Counts of a theme's names, and their held-out accuracy."""
    failed = sum(label.status == "failed" for label in naming.labels.values())
    numbers: dict[str, Any] = {
        "asked": naming.asked,
        "carried": sum(label.origin == "carried" for label in naming.labels.values()),
        "locked": sum(label.origin == "locked" for label in naming.labels.values()),
        "undone": naming.deferred,
        "failed": failed,
        "retold": naming.relabelled,
        "names_too_alike": len(naming.too_close),
    }
    if naming.fit is not None:
        numbers |= {
            "name_accuracy": round(naming.fit.accuracy, 4),
            "name_accuracy_by_chance": round(naming.fit.chance, 4),
            "accuracy_by_centroids": round(naming.fit.by_centroids, 4),
            "held_out_items": naming.fit.held_out,
        }
    return numbers | ({"names_untested": naming.untested} if naming.untested else {})
