"""What Dagster shows of a partition: first what people look for, then counters in one entry."""

from typing import Any

import dagster as dg

from llma_assets.stage import Report


def as_metadata(report: Report, duration_s: float) -> dict[str, Any]:
    """A report as Dagster metadata."""
    return {
        "items": report.items,
        "status": report.status,
        **({"reason": report.reason} if report.reason else {}),
        # `undone_for_budget` is the old name of `deferred`, for one version.
        **({"deferred": report.deferred, "undone_for_budget": report.deferred} if report.deferred else {}),
        **{name: dg.MetadataValue.md(text) for name, text in report.pages.items()},
        **{
            name: dg.MetadataValue.table([dg.TableRecord(dict(row)) for row in rows])
            for name, rows in report.tables.items()
            if rows
        },
        "details": dg.MetadataValue.json(dict(report.details)),
        "dagster/row_count": report.items,
        "duration_s": round(duration_s, 3),
    }
