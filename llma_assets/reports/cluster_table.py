"""The clusters of a team and a date as text: rows of a table, a Markdown table, sentences.

Titles come from trace text and are hostile: what becomes Markdown is escaped.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from llma_assets.markdown import escaped, shortened
from llma_assets.reports.clusters_of_day import ClusterRow, ThemeClusters

SHOWN_ROWS = 15
"""Clusters of the table that is shown in the page itself, of all themes together; it is 400 pixels wide."""
LEAST_ROWS = 3
"""Clusters that each theme has of them, however many themes there are."""
SHORT_TITLE = 48
"""Characters of a title there."""
TITLE_WIDTH = 70
"""Characters of a title in a sentence."""
INLINE_CHARACTERS = 999
"""Of longer Markdown Dagster shows a link and not the text."""
BIGGEST = 3
"""Clusters of a theme that its sentence names."""
SPACE = "\u00a0"
"""Between a number and its sign, which stay in one line."""
NOTABLE = ("new", "grown", "merged", "split", "shrunk")
"""What can have happened to a cluster that is worth a sentence, by how much."""


def table_rows(themes: Sequence[ThemeClusters]) -> list[dict[str, str | int]]:
    """The biggest clusters of each theme, with their numbers on the map, as rows of equal fields.

    Where there are several themes each begins with a row for all of it; one that has more clusters than there is room
    for has a row for the others.
    """
    room = max(LEAST_ROWS, SHOWN_ROWS // max(1, len(themes)))
    rows = []
    for theme in themes:
        if len(themes) > 1:
            rows.append(_fields("", f"{theme.theme_id}: all", theme.items, 1.0, ""))
        rows += _rows_of(theme, room)
    return rows


def _rows_of(theme: ThemeClusters, room: int) -> list[dict[str, str | int]]:
    clusters = theme.clusters
    kept = clusters if len(clusters) <= room else clusters[: room - 1]
    rows = [
        _fields(str(row.cluster_id), shortened(row.title, SHORT_TITLE), row.size, row.share, row.lineage_status)
        for row in kept
    ]
    if left := clusters[len(kept) :]:
        size = sum(row.size for row in left)
        rows.append(_fields("…", f"{len(left):,} smaller clusters", size, size / theme.items, ""))
    return rows + [_fields("", row.title, row.size, row.share, "") for row in theme.rows if row.is_noise]


def _fields(number: str, title: str, size: int, share: float, status: str) -> dict[str, str | int]:
    return {"no": number, "title": title, "size": size, "share": percent(share), "status": status}


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
        f"| {'' if row.is_noise else row.cluster_id} | {escaped(row.title)} | {row.size:,} | {percent(row.share)} | "
        f"{row.traces:,} | {escaped(row.lineage_status)} | {escaped(row.lineage_id[:8])} | "
        f"{', '.join(map(escaped, row.examples))} |"
        for row in rows
    ]
    return "\n".join(lines)


def clusters_in_sentences(themes: Sequence[ThemeClusters], funnels: Mapping[str, Mapping[str, Any]]) -> str:
    """What the tables and the map say, in a paragraph a theme; short enough to be shown in the page where it can be.

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
    told = [
        f"{found}{_counted(len(clusters), 'cluster')} {'holds' if len(clusters) == 1 else 'hold'} "
        f"{percent(1 - outside) if outside else 'all'}" + (f", {percent(outside)} are outliers" if outside else "")
    ]
    told.append(_changes(theme))
    if named:
        told.append(
            "Biggest: "
            + "; ".join(f"{escaped(shortened(row.title, TITLE_WIDTH))} ({row.size:,})" for row in clusters[:named])
        )
    return f"**{escaped(theme.theme_id)}**: {'. '.join(filter(None, told))}."


def _changes(theme: ThemeClusters) -> str:
    """What happened since the run before, such as "3 are new, 2 have grown, 1 has ended"."""
    if theme.is_first:
        return "There is no run before this one, so all clusters are new"
    counts = Counter(row.lineage_status for row in theme.clusters)
    said = [_happened(status, counts[status]) for status in NOTABLE if counts[status]]
    said += [_happened("ended", theme.ended)] if theme.ended else []
    return ("Since the run before " + ", ".join(said)) if said else "Nothing changed since the run before"


def _happened(status: str, number: int) -> str:
    if status == "new":
        return f"{number:,} {'is' if number == 1 else 'are'} new"
    return f"{number:,} {'has' if number == 1 else 'have'} {status}"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def percent(share: float) -> str:
    """A share in whole percent; what is there at all is not 0 %, and what is not all is not 100 %."""
    if 0 < share < 0.01:
        return f"<{SPACE}1{SPACE}%"
    return f">{SPACE}99{SPACE}%" if 0.99 < share < 1 else f"{share:.0%}".replace("%", f"{SPACE}%")
