"""Days of a theme's clusters as runs store them, one run a day, each with the items of its own day; planted at once."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from uuid import NAMESPACE_OID, uuid5

from llma_assets.clickhouse import Database
from llma_assets.embeddings import PRODUCT
from llma_assets.themes import TRACES
from llma_assets.themes.theme import Theme

LAST = date(2026, 11, 22)
MINE, OTHER = 1, 2


def plant_days(
    database: Database,
    counts: Mapping[str, Sequence[int]],
    *,
    team_id: int = MINE,
    last: date = LAST,
    titles: Mapping[str, str] | None = None,
    errors: Mapping[str, int] | None = None,
    theme: Theme = TRACES,
    chance: float = 1.0,
    ended: Mapping[date, Mapping[str, str]] | None = None,
    users: int = 1_000_000,
    parents: Mapping[date, Mapping[str, str]] | None = None,
    spread: int = 0,
    committed_at: datetime | None = None,
) -> None:
    """Store items by lineage and day, the last of which is `last`; two more a day are outliers.

    Args:
        errors: of a lineage's items of a day the first so many have an error.
        chance: with which each item was sampled.
        ended: lineages that ended on a day, and what they were merged into.
        users: different users at most.
        parents: lineages that were split off on a day, and what off.
        spread: the first so many items of a lineage go round the hours, others begin at 14:00; 0: all at 8:00.
        committed_at: when the runs ended; now where it is None.
    """
    days = max(map(len, counts.values()))
    rows: dict[str, list[dict[str, object]]] = {
        name: []
        for name in (
            "clustering_runs", "clusters", "cluster_members", "cluster_labels", "trace_texts", "theme_items",
            "trace_summaries", "document_embeddings",
        )
    }  # fmt: skip
    for back in range(days):
        day = last - timedelta(days=back)
        groups = {name: series[-1 - back] for name, series in counts.items() if back < len(series)}
        if sum(groups.values()):
            _plant_day(
                rows,
                team_id,
                day,
                groups,
                titles or {},
                errors or {},
                theme,
                chance,
                (ended or {}).get(day, {}),
                users,
                (parents or {}).get(day, {}),
                spread,
                committed_at,
            )
    for table, found in rows.items():
        database.insert_rows(table, found)


def _plant_day(
    rows: dict[str, list[dict[str, object]]],
    team_id: int,
    day: date,
    groups: Mapping[str, int],
    titles: Mapping[str, str],
    errors: Mapping[str, int],
    theme: Theme,
    chance: float,
    ended: Mapping[str, str],
    users: int,
    parents: Mapping[str, str],
    spread: int,
    committed_at: datetime | None,
) -> None:
    when = datetime.combine(day, time(8), UTC)
    attempt = uuid5(NAMESPACE_OID, f"{team_id}{day}{theme.theme_id}")
    key = {"team_id": team_id, "day": day, "theme_id": theme.theme_id}
    sizes = {**{name: size for name, size in groups.items() if size}, "": 2}
    for number, (lineage_id, size) in enumerate(sizes.items()):
        cluster_id = number if lineage_id else -1
        vector = [1.0 if at == number % 8 else 0.0 for at in range(8)]
        of = {**key, "attempt_id": attempt, "cluster_id": cluster_id}
        place = {"centroid_x": 0.0, "centroid_y": 0.0}
        linked = {"lineage_parents": [parents[lineage_id]], "lineage_status": "split"} if lineage_id in parents else {}
        rows["clusters"].append(
            {
                **of, "lineage_id": lineage_id, "size": size, "centroid": vector,
                "lineage_parents": [], "lineage_status": "", **place, **linked,
            }
        )  # fmt: skip
        title = titles.get(lineage_id, f"Title of {lineage_id}") if lineage_id else "Outliers"
        named = {"title": title, "description": "", "status": "generated", "error": "", "model": "offline/x"}
        rows["cluster_labels"].append({**of, **named})
        for rank in range(size):
            item = f"{lineage_id or 'noise'}-{day}-{rank}"
            if spread:
                when = datetime.combine(day, time(rank % 24 if rank < spread else 14, 5), UTC)
            texts = {"level": "trace", "item_id": item, "trace_id": item, "generation_id": "", "trace_timestamp": when}
            rows["cluster_members"].append(
                {
                    **of, "item_id": item, "trace_id": item, "generation_id": "", "item_day": day, "distance": 0.0,
                    "rank": rank, "strength": 1.0, "x": 0.0, "y": 0.0, "timestamp": when,
                }
            )  # fmt: skip
            rows["trace_texts"].append(
                {
                    "team_id": team_id, "day": day, **texts, "text": f"L1: {title}", "text_hash": "x", "loss": "{}",
                    "line_count": 1, "event_count": 1, "cost_usd": 0.01, "latency_s": 1.0, "tokens": 1,
                    "error_count": int(rank < errors.get(lineage_id, 0)), "renderer": "1",
                    "user_hash": hash(item) % users + 1,
                }
            )  # fmt: skip
            rows["theme_items"].append(
                {
                    **key, "item_id": item, "version": theme.version, "inclusion_probability": chance, "taken": True,
                    "screened": True,
                }
            )  # fmt: skip
            rows["trace_summaries"].append(
                {
                    **key, **texts, "content_hash": "x", "status": "generated", "error": "", "model": "offline/x",
                    "mode": theme.mode, "title": f"{title} {rank}", "flow_diagram": "", "bullets": "[]",
                    "interesting_notes": "[]", "text_length": 1, "event_count": 1, "batch_run_id": "",
                    "relevant": True, "theme_version": theme.version,
                }
            )  # fmt: skip
            rows["document_embeddings"].append(
                {
                    "team_id": team_id, "product": PRODUCT, "document_type": theme.document_type,
                    "model_name": "offline/x", "rendering": theme.rendering, "document_id": item, "timestamp": when,
                    "content": "", "metadata": "{}", "embedding": vector,
                }
            )  # fmt: skip
    lineage = {
        "previous_day": (day - timedelta(days=1)).isoformat(),
        "note": "",
        "missing": [],
        "ended": [{"lineage_id": gone, "size": 1, "into": [into]} for gone, into in ended.items()],
    }
    rows["clustering_runs"].append(
        {
            **key, "level": "trace", "attempt_id": attempt, "run_id": "run", "method": "graph", "params": "{}",
            "items": sum(sizes.values()), "window_items": sum(sizes.values()), "clusters": len(sizes) - 1,
            "noise_items": 2, "silhouette": None, "inertia": None, "quality": "{}", "embedding_model": "offline/x",
            "window_start": datetime.combine(day, time(), UTC),
            "window_end": datetime.combine(day + timedelta(days=1), time(), UTC), "lineage": json.dumps(lineage),
            **({"committed_at": committed_at} if committed_at else {}),
        }
    )  # fmt: skip
