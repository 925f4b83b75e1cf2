"""What Dagster shows of a partition: first what people look for, then counters in one entry. docs/metadata.md has all.

Pages of a partition and of a run show entries in this order, the overview of an asset by name. Names are short: they
take from the width of the tables beside them.
"""

from typing import Any

import dagster as dg

from llma_assets.markdown import escaped
from llma_assets.stage import Report

FIRST = ("clusters", "clusters_map", "summary")
"""Entries before those that have no place of their own, which come by name."""

PLOTTED = ("cost_usd", "cost_usd_today")
"""Counters that are entries of their own, too: Dagster plots them over the partitions."""

ALIASES = ("traces_rendered", "generations_rendered", "input_tokens", "output_tokens", "budget_usd")
"""Counters that were entries of their own before there were `details`. Gone with the next version."""


def as_metadata(report: Report, duration_s: float) -> dict[str, Any]:
    """A report as Dagster metadata."""
    shown: dict[str, Any] = {name: dg.MetadataValue.md(text) for name, text in report.pages.items()} | {
        name: dg.MetadataValue.table([dg.TableRecord(dict(row)) for row in rows])
        for name, rows in report.tables.items()
        if rows
    }
    waiting = report.deferred
    return {
        "about": dg.MetadataValue.md(in_words(report)),
        "items": report.items,
        "status": report.status,
        **({"reason": report.reason} if report.reason else {}),
        # The second is the name that the first had before; gone with the next version.
        **({"deferred_for_budget": waiting, "undone_for_budget": waiting} if waiting else {}),
        **{name: shown[name] for name in FIRST if name in shown},
        **{name: shown[name] for name in sorted(shown) if name not in FIRST},
        "details": dg.MetadataValue.json(dict(report.details)),
        **{name: report.details[name] for name in (*PLOTTED, *ALIASES) if name in report.details},
        "dagster/row_count": report.items,
        "duration_s": round(duration_s, 3),
    }


def in_words(report: Report) -> str:
    """Status, items and reason in a line, as Markdown.

    >>> in_words(Report(items=12, deferred=120, details={"budget_usd": 2.5}))
    '**Budget**: 12 items. 120 items wait for money (budget 2.50 USD a day).'
    >>> in_words(Report(items=0, reason="traces: too_few_items (3 of 20 items in the window)"))
    '**Skipped**: no items. Why: traces: too few items &#40;3 of 20 items in the window&#41;.'
    """
    said = [_counted(report.items) + "."]
    if report.deferred:
        budget = report.details.get("budget_usd")
        limit = f" (budget {budget:.2f} USD a day)" if budget is not None else ""
        said.append(f"{_counted(report.deferred)} {_wait(report.deferred)} for money{limit}.")
    if report.waiting:
        said.append(f"{_counted(report.waiting)} {_wait(report.waiting)} for an answer, which a later run takes.")
    if report.failed:
        said.append(f"{_counted(report.failed)} failed.")
    if report.reason:
        said.append(f"Why: {escaped(report.reason.replace('_', ' '))}.")
    return f"**{report.status.capitalize()}**: {' '.join(said)}"


def _counted(items: int) -> str:
    return "no items" if not items else f"{items:,} item{'' if items == 1 else 's'}"


def _wait(items: int) -> str:
    return "waits" if items == 1 else "wait"
