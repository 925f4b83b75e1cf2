"""Dagster metadata of a partition: results first, then counters in one entry. docs/metadata.md describes all keys.

Pages of a partition and of a run show entries in this order, the overview of an asset by name. Names are short, because
long ones narrow the tables beside them.
"""

from typing import Any

import dagster as dg

from llma_assets.markdown import escaped
from llma_assets.stage import Report
from llma_assets.team_day import TeamDay

FIRST = ("clusters", "clusters_map", "summary")
"""Entries that come first; the others follow by name."""

PLOTTED = ("cost_usd", "cost_usd_today")
"""Counters that also have their own entry, so that Dagster plots them over the partitions."""

ALIASES = ("traces_rendered", "generations_rendered", "input_tokens", "output_tokens", "budget_usd")
"""Counters that had their own entry before `details` existed. To be removed in the next version."""


def as_metadata(report: Report, duration_s: float, *, page: str = "") -> dict[str, Any]:
    """A report as Dagster metadata.

    Args:
        page: address of the page that shows the partition, "" for none.
    """
    shown: dict[str, Any] = {name: dg.MetadataValue.md(text) for name, text in report.pages.items()} | {
        name: dg.MetadataValue.table([dg.TableRecord(dict(row)) for row in rows])
        for name, rows in report.tables.items()
        if rows
    }
    deferred = report.deferred
    return {
        "about": dg.MetadataValue.md(in_words(report)),
        "items": report.items,
        "status": report.status,
        **({"reason": report.reason} if report.reason else {}),
        # The second is the old name of the first; to be removed in the next version.
        **({"deferred_for_budget": deferred, "undone_for_budget": deferred} if deferred else {}),
        **{name: shown[name] for name in FIRST if name in shown},
        **{name: shown[name] for name in sorted(shown) if name not in FIRST},
        **({"page": dg.MetadataValue.url(page)} if page else {}),
        "details": dg.MetadataValue.json(dict(report.details)),
        **{name: report.details[name] for name in (*PLOTTED, *ALIASES) if name in report.details},
        "dagster/row_count": report.items,
        "duration_s": round(duration_s, 3),
    }


def page_of(asset: str, partition: TeamDay) -> str:
    """The address of the page that shows what an asset made for a partition, without the server.

    >>> from datetime import date
    >>> page_of("cluster_labels", TeamDay(7, date(2026, 11, 7)))
    '/teams/7/results?date=2026-11-07'
    """
    team = f"/teams/{partition.team_id}"
    if asset in ("segment_clusters", "tasks"):
        return f"{team}/tasks"
    return f"{team}/{'results' if asset.startswith('cluster_') else 'health'}?date={partition.day}"


def in_words(report: Report) -> str:
    """Status, items and reason in one line of Markdown.

    >>> in_words(Report(items=12, deferred=120, details={"budget_usd": 2.5}))
    '**Budget**: 12 items. 120 items deferred: the daily budget is used up (2.50 USD).'
    >>> in_words(Report(items=0, reason="traces: too_few_items (3 of 20 items in the window)"))
    '**Skipped**: no items. Why: traces: too few items &#40;3 of 20 items in the window&#41;.'
    """
    parts = [_counted(report.items) + "."]
    if report.deferred:
        budget = report.details.get("budget_usd")
        limit = f" ({budget:.2f} USD)" if budget is not None else ""
        parts.append(f"{_counted(report.deferred)} deferred: the daily budget is used up{limit}.")
    if report.waiting:
        parts.append(f"{_counted(report.waiting)} {_wait(report.waiting)} for an answer, which a later run takes.")
    if report.failed:
        parts.append(f"{_counted(report.failed)} failed.")
    if report.reason:
        parts.append(f"Why: {escaped(report.reason.replace('_', ' '))}.")
    return f"**{report.status.capitalize()}**: {' '.join(parts)}"


def _counted(items: int) -> str:
    return "no items" if not items else f"{items:,} item{'' if items == 1 else 's'}"


def _wait(items: int) -> str:
    return "waits" if items == 1 else "wait"
