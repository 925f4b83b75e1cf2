"""The stage `cluster_causes` for one partition: for themes that switch it on, probable causes of their clusters."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from llma_assets.clickhouse import Database
from llma_assets.clusters import FULL, NOISE_LABEL, Run, clusters_of, committed_run, first_members_of
from llma_assets.insights.attributes import stored_attributes
from llma_assets.insights.causes.asking import ask_causes
from llma_assets.insights.causes.evidence import TRACES, ClusterCauses, Evidence, trace_lines
from llma_assets.insights.causes.own_budget import CausesBudget
from llma_assets.insights.causes.prompt import PROMPT_VERSION
from llma_assets.insights.causes.queries import SPENT_ON_CAUSES, TEXTS
from llma_assets.insights.causes.store import asked_already, causes_before, store
from llma_assets.labels import labels_of
from llma_assets.ledger import UsageLedger, note_deferred
from llma_assets.models import CallNotMade, ChatModel, ModelUnavailable, paid_by
from llma_assets.stage import Progress, Report, each_theme
from llma_assets.team_day import TeamDay
from llma_assets.themes import Theme

STAGE = "cluster_causes"
OFFLINE, NO_THEME = "offline_model_not_asked", "no_theme_asks_for_causes"
MOST_CLUSTERS = 20
"""Clusters of a run that are asked about, the largest first."""

SILENT_CALLS = 2
"""After so many calls in a row without an answer no more are made."""

MEMBERS_READ = 12
"""Members nearest to the centroid among which traces are looked for."""

NO_LIMIT_USD = 1e9


def store_causes(
    database: Database,
    team_day: TeamDay,
    chat: Callable[[str | None], ChatModel],
    *,
    themes: Sequence[Theme],
    budget_usd: float | None = None,
    progress: Progress,
) -> Report:
    """Ask for the causes of clusters that have none yet, of each theme that has `causes: true`.

    The offline model is not asked: it cannot know. What was found of a lineage in the six days before is kept.

    Args:
        chat: the chat model of a name; that of the installation for None.
        budget_usd: the team's budget for the day, None for no limit.

    Raises:
        ThemesFailed: some themes failed; what was found for the others is stored.
    """
    asking = [theme for theme in themes if theme.causes]
    if not asking:
        return Report(items=0, reason=NO_THEME, details={"themes_that_ask": 0})
    items, waiting, details = 0, 0, dict[str, Any](themes_that_ask=len(asking))
    offline = [theme.theme_id for theme in asking if chat(theme.model).name.startswith("offline/")]

    def work(theme: Theme) -> tuple[int, int, dict[str, Any]]:
        progress(STAGE, team_day, asking.index(theme), len(asking))
        run = committed_run(database, team_day, theme.theme_id)
        if run is None or run.clusters == 0 or theme.theme_id in offline:
            return 0, 0, {}
        return _store_theme(database, team_day, theme, run, chat(theme.model), budget_usd)

    for theme, (found, deferred, told) in each_theme(database, team_day, STAGE, asking, work):
        items += found
        waiting += deferred
        details |= {f"{theme.theme_id}_{name}": value for name, value in told.items()}
    progress(STAGE, team_day, len(asking), len(asking))
    if offline:
        details["not_asked"] = f"the offline model cannot know causes: {', '.join(offline)}"
    reason = "" if items else OFFLINE if len(offline) == len(asking) else "no_committed_run"
    return Report(items=items, reason=reason, details=details, deferred=waiting)


def _store_theme(
    database: Database, team_day: TeamDay, theme: Theme, run: Run, chat: ChatModel, budget_usd: float | None
) -> tuple[int, int, dict[str, Any]]:
    """Returns clusters with an answer, clusters that wait for money, and counts."""
    asked_with = asked_by(theme, chat.name)
    shown = [row for row in clusters_of(database, run) if row["disclosure"] == FULL]
    largest = sorted(shown, key=lambda row: -row["size"])
    wanted = [row for row in largest if row["cluster_id"] != NOISE_LABEL][:MOST_CLUSTERS]
    done = asked_already(database, run, asked_with)
    before = causes_before(database, run, asked_with)
    carried = [
        replace(before[row["lineage_id"]], cluster_id=row["cluster_id"])
        for row in wanted
        if row["cluster_id"] not in done and row["lineage_id"] in before
    ]
    store(database, run, carried, asked_with)
    done |= {each.cluster_id for each in carried}
    missing = [row for row in wanted if row["cluster_id"] not in done]
    counts = {"asked": 0, "found": 0, "carried": len(carried), "failed": 0, "refused": 0}
    if not missing:
        return len(done), 0, counts
    evidence = _evidence(database, run, missing)
    limit = theme.causes_budget_usd
    with UsageLedger(
        database,
        team_day,
        stage=STAGE,
        theme_id=theme.theme_id,
        limit_usd=budget_usd,
        theme_limit_usd=_limit(theme, budget_usd),
    ) as ledger:
        allowance, own = ledger.allowance, None
        if limit is not None and allowance is not None:
            own = CausesBudget(allowance, limit - spent_on_causes(database, team_day, theme))
        model = paid_by(chat, own or allowance)
        silent, refusal = 0, ""
        for each in evidence:
            if silent >= SILENT_CALLS:
                break
            try:
                found = ask_causes(each, model, partial(ledger.record, ""), theme.causes_prompt)
            except CallNotMade as error:
                refusal = str(error)
                break
            except ModelUnavailable as error:
                silent += 1
                found = ClusterCauses(each.cluster_id, "failed", f"model unavailable: {error.kind}", "")
            else:
                silent = 0
            store(database, run, [found], asked_with)
            counts["asked"] += 1
            counts["refused"] += len(found.refused)
            counts[found.status if found.status in counts else "asked"] += found.status in ("found", "failed")
    left = len(evidence) - counts["asked"] if refusal else 0
    deferred = note_deferred(
        database, team_day, stage=STAGE, theme_id=theme.theme_id, deferred=left, items=len(wanted), refusal=refusal
    )
    return len(done) + counts["asked"] - counts["failed"], deferred, counts


def spent_on_causes(database: Database, team_day: TeamDay, theme: Theme) -> float:
    """What was paid for the causes of a theme's day, in USD."""
    key = {"team_id": team_day.team_id, "day": team_day.day, "stage": STAGE, "theme_id": theme.theme_id}
    return float(database.value(SPENT_ON_CAUSES, **key) or 0.0)


def asked_by(theme: Theme, model: str) -> str:
    """By what a theme's clusters are asked about: another prompt or model asks anew."""
    return hashlib.sha256(f"{PROMPT_VERSION}|{model}|{theme.causes_prompt}".encode()).hexdigest()[:16]


def _limit(theme: Theme, budget_usd: float | None) -> float | None:
    """The theme's own budget; where there is none at all but one for causes, one that is never reached."""
    if theme.daily_budget_usd is not None or theme.causes_budget_usd is None or budget_usd is not None:
        return theme.daily_budget_usd
    return NO_LIMIT_USD


def _evidence(database: Database, run: Run, clusters: Sequence[Mapping[str, Any]]) -> list[Evidence]:
    """What is read about each cluster; nothing of one without a stored text."""
    ids = {row["cluster_id"] for row in clusters}
    members: dict[int, dict[str, str]] = {}
    for each in first_members_of(database, run, MEMBERS_READ):
        # Of a trace with several items the nearest.
        if each["cluster_id"] in ids:
            members.setdefault(each["cluster_id"], {}).setdefault(each["trace_id"], each["item_id"])
    chosen = {cluster_id: list(traces.items())[:TRACES] for cluster_id, traces in members.items()}
    rows = database.rows(
        TEXTS,
        team_id=run.team_id,
        level=run.level,
        item_ids=[item_id for traces in chosen.values() for _, item_id in traces],
        **{"from": run.window_start.date(), "until": run.day},
    )
    texts = {row["item_id"]: row["text"] for row in rows}
    labels, attributes = labels_of(database, run), stored_attributes(database, run)
    found = []
    for row in clusters:
        cluster_id = row["cluster_id"]
        traces = [(trace_id, texts[at]) for trace_id, at in chosen.get(cluster_id, ()) if texts.get(at)]
        if not traces:
            continue
        label = labels.get(cluster_id)
        apart = [
            f"{each.name}: {each.value} ({each.share:.0%} of its traces, {each.other_share:.0%} of others)"
            for each in (attributes.of(cluster_id) if attributes else ())
        ]
        found.append(
            Evidence(
                cluster_id,
                label.title if label else "",
                label.description if label else "",
                row["size"],
                trace_lines(traces),
                tuple(apart),
            )
        )
    return found
