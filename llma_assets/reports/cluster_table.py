"""The clusters of a partition as text: rows of a table, a Markdown table, sentences.

Titles come from trace text and are untrusted: they are escaped in Markdown.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from llma_assets.markdown import escaped, shortened
from llma_assets.reports.clusters_of_day import ClusterRow, ThemeClusters

SHOWN_ROWS = 15
"""Maximum number of clusters, of all themes together, in the table that the page shows inline."""
MIN_ROWS = 3
"""Minimum number of them for each theme."""
SHORT_TITLE = 48
"""Maximum characters of a title in that table."""
TITLE_WIDTH = 70
"""Maximum characters of a title in a sentence."""
INLINE_CHARACTERS = 999
"""Dagster shows longer Markdown as a link, not as text."""
BIGGEST = 3
"""Clusters of a theme that its sentence names."""
SPACE = "\u00a0"
"""Between a number and its sign, which stay in one line."""
NOTABLE = ("new", "grown", "merged", "split", "shrunk")
"""Lineage statuses that the sentences mention, in this order."""


def table_rows(themes: Sequence[ThemeClusters]) -> list[dict[str, str | int]]:
    """The biggest clusters of each theme, with their numbers on the map, as rows of equal fields.

    Where there are several themes each begins with a row for all of it; one that has more clusters than there is room
    for has a row for the others.
    """
    room = max(MIN_ROWS, SHOWN_ROWS // max(1, len(themes)))
    rows = []
    for theme in themes:
        if len(themes) > 1:
            rows.append(_fields("", f"{theme.theme_id}: all", theme.items, 1.0, "", theme.traces))
        rows += _rows_of(theme, room)
    return rows


def _rows_of(theme: ThemeClusters, room: int) -> list[dict[str, str | int]]:
    clusters = theme.clusters
    kept = clusters if len(clusters) <= room else clusters[: room - 1]
    rows = [
        _fields(
            str(row.cluster_id),
            shortened(_titled(row), SHORT_TITLE),
            row.size,
            row.share,
            row.lineage_status,
            row.traces,
        )
        for row in kept
    ]
    if left := clusters[len(kept) :]:
        size = sum(row.size for row in left)
        rows.append(_fields("…", f"{len(left):,} smaller clusters", size, size / theme.items, "", None))
    return rows + [_fields("", row.title, row.size, row.share, "", row.traces) for row in theme.rows if row.is_noise]


def _fields(number: str, title: str, size: int, share: float, status: str, traces: int | None) -> dict[str, str | int]:
    # Different traces of several clusters do not add up.
    counted = "" if traces is None else traces
    return {"no": number, "title": title, "size": size, "traces": counted, "share": percent(share), "status": status}


def _titled(row: ClusterRow) -> str:
    """The title, marked where all items are made of one template."""
    return f"{row.title} [one template]" if row.template else row.title


def cluster_table(rows: Sequence[ClusterRow]) -> str:
    """All clusters of a theme as a Markdown table.

    Args:
        rows: one for each cluster.
    """
    lines = [
        "| no | title | size | share | traces | status | lineage | examples |",
        "|---:|---|---:|---:|---:|---|---|---|",
    ]
    lines += [
        f"| {'' if row.is_noise else row.cluster_id} | {escaped(_titled(row))} | {row.size:,} | {percent(row.share)} | "
        f"{row.traces:,} | {escaped(row.lineage_status)} | {escaped(row.lineage_id[:8])} | "
        f"{', '.join(map(escaped, row.examples))} |"
        for row in rows
    ]
    return "\n".join(lines)


def clusters_in_sentences(themes: Sequence[ThemeClusters], funnels: Mapping[str, Mapping[str, Any]]) -> str:
    """A paragraph about each theme, short enough to be shown inline if possible.

    Args:
        funnels: how many items of a theme's window came how far, by theme id; see `funnel_tables`.
    """
    for named in range(BIGGEST, -1, -1):
        text = "\n\n".join(_paragraph(theme, funnels.get(theme.theme_id, {}), named) for theme in themes)
        if len(text) <= INLINE_CHARACTERS:
            break
    return text


def _paragraph(theme: ThemeClusters, funnel: Mapping[str, Any], named: int) -> str:
    clusters, unit = theme.clusters, "generations" if theme.level == "generation" else "traces"
    found = f"{funnel['sampled']:,} {unit} in the window, " if funnel.get("sampled") else ""
    if found and funnel["relevant"] < funnel["sampled"]:
        found += f"{funnel['relevant']:,} relevant, "
    if not clusters:
        return f"**{escaped(theme.theme_id)}**: {found}no clusters: all {theme.items:,} are outliers."
    outside = theme.outliers / theme.items
    sentences = [
        f"{found}{_counted(len(clusters), 'cluster')} {'holds' if len(clusters) == 1 else 'hold'} "
        f"{percent(1 - outside) if outside else 'all'}" + (f", {percent(outside)} are outliers" if outside else "")
    ]
    sentences.append(_changes(theme))
    if named:
        sentences.append(
            "Biggest: "
            + "; ".join(f"{escaped(shortened(row.title, TITLE_WIDTH))} ({row.size:,})" for row in clusters[:named])
        )
    return f"**{escaped(theme.theme_id)}**: {'. '.join(filter(None, sentences))}."


def _changes(theme: ThemeClusters) -> str:
    """What happened since the run before, such as "3 are new, 2 have grown, 1 has ended"."""
    if theme.is_first:
        return "There is no run before this one, so all clusters are new"
    counts = Counter(row.lineage_status for row in theme.clusters)
    changes = [_happened(status, counts[status]) for status in NOTABLE if counts[status]]
    changes += [_happened("ended", theme.ended)] if theme.ended else []
    return ("Since the run before " + ", ".join(changes)) if changes else "Nothing changed since the run before"


def _happened(status: str, number: int) -> str:
    if status == "new":
        return f"{number:,} {'is' if number == 1 else 'are'} new"
    return f"{number:,} {'has' if number == 1 else 'have'} {status}"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def percent(share: float) -> str:
    """A share in whole percent; only exactly 0 is 0 %, and only exactly 1 is 100 %."""
    if 0 < share < 0.01:
        return f"<{SPACE}1{SPACE}%"
    return f">{SPACE}99{SPACE}%" if 0.99 < share < 1 else f"{share:.0%}".replace("%", f"{SPACE}%")
