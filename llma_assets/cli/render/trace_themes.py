"""What the themes of a team say of one trace: its summaries, and the cluster that it is in, theme by theme.

For `llma trace`. Nothing is computed here; what people decided about clusters holds.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import orjson

from llma_assets.cli.queries import CLUSTERS_OF_ITEMS, SUMMARIES_OF_ITEM
from llma_assets.cli.render.console import plain, show

if TYPE_CHECKING:
    from llma_assets.clickhouse import Database

NOISE, NOISE_TITLE = -1, "Outliers"
SHOWN_GENERATIONS = 5


def themes_of_item(database: "Database", team_id: int, item_id: str, day: date) -> list[dict[str, Any]]:
    """The summaries of a trace and of its generations, or of one generation; those of the trace first.

    Args:
        day: of the trace's text; a generation may have begun somewhat later.

    Returns:
        of each: theme, version, item, level, status, error, relevant, model, title, flow diagram, bullets, notes, and
        the cluster that it was in last, None where it is in none.
    """
    from llma_assets.rendering import HOME_DAYS

    rows = database.rows(
        SUMMARIES_OF_ITEM,
        team_id=team_id,
        item_id=item_id,
        **{"from": day, "until": day + timedelta(days=HOME_DAYS)},
    )
    clusters = _clusters(database, team_id, rows)
    return [
        {
            "theme": row["theme_id"],
            "version": row["theme_version"],
            "item_id": row["item_id"],
            "level": row["level"],
            "status": row["status"],
            "error": row["error"],
            "relevant": row["relevant"],
            "model": row["model"],
            "title": row["title"],
            "flow_diagram": row["flow_diagram"],
            "bullets": _points(row["bullets"]),
            "interesting_notes": _points(row["interesting_notes"]),
            "cluster": clusters.get((row["theme_id"], row["item_id"])),
        }
        for row in rows
    ]


def _clusters(
    database: "Database", team_id: int, summaries: Sequence[Mapping[str, Any]]
) -> dict[tuple[str, str], dict[str, Any]]:
    """The cluster of each item in the latest run that read it, by theme and item."""
    from llma_assets.clusters import NOTHING, counted_as, standings_of

    if not summaries:
        return {}
    rows = database.rows(
        CLUSTERS_OF_ITEMS,
        team_id=team_id,
        item_ids=sorted({row["item_id"] for row in summaries}),
        **{"from": min(row["day"] for row in summaries), "until": max(row["day"] for row in summaries)},
    )
    decided = standings_of(database, team_id) if rows else {}
    found = {}
    for row in rows:
        lineage_id = counted_as(row["lineage_id"], decided) if row["lineage_id"] else ""
        title = decided.get(lineage_id, NOTHING).title or row["title"] or f"Cluster {row['cluster_id']}"
        found[row["theme_id"], row["item_id"]] = {
            "date": row["day"].isoformat(),
            "cluster_id": row["cluster_id"],
            "lineage_id": lineage_id,
            "title": NOISE_TITLE if row["cluster_id"] == NOISE else title,
        }
    return found


def _points(text: str) -> list[Any]:
    """Bullets or notes of a summary; none were stored for one that failed."""
    points = orjson.loads(text) if text else []
    return points if isinstance(points, list) else []


def theme_lines(summaries: Sequence[Mapping[str, Any]]) -> list[str]:
    """What each theme says, a line each; of many generations only how many there are."""
    lines = []
    for theme_id, group in groupby(summaries, key=itemgetter("theme")):
        of_theme = list(group)
        if len(of_theme) == 1:
            lines.append(f"{theme_id}: {_verdict(of_theme[0])}")
        else:
            relevant = sum(each["status"] == "generated" and each["relevant"] for each in of_theme)
            lines.append(f"{theme_id}: {len(of_theme):,} items, {relevant:,} relevant")
    return lines


def _verdict(summary: Mapping[str, Any]) -> str:
    if summary["status"] != "generated":
        return f"{summary['status']}: {summary['error']}"
    if not summary["relevant"]:
        return "not relevant"
    cluster = summary["cluster"]
    where = f"in “{cluster['title']}” of {cluster['date']}" if cluster else "in no cluster"
    return f"“{summary['title']}”, {where}"


def show_themes(summaries: Sequence[Mapping[str, Any]]) -> None:
    """Print the summaries in full; of a trace's generations a few of each theme."""
    for theme_id, group in groupby(summaries, key=itemgetter("theme")):
        of_theme = list(group)
        shown = of_theme if of_theme[0]["level"] == "trace" else of_theme[:SHOWN_GENERATIONS]
        for summary in shown:
            _show(summary, name_item=len(of_theme) > 1)
        if len(shown) < len(of_theme):
            show(f"{plain(theme_id)}: {len(of_theme) - len(shown):,} more generations, see --json\n")


def _show(summary: Mapping[str, Any], *, name_item: bool) -> None:
    version = f" (version {summary['version']})" if summary["version"] else ""
    item = f", {plain(summary['item_id'])}" if name_item else ""
    show(f"{plain(summary['theme'])}{version}{item}: {plain(_verdict(summary))}")
    if summary["flow_diagram"]:
        show(f"  {plain(summary['flow_diagram'])}")
    for mark, points in (("-", summary["bullets"]), ("!", summary["interesting_notes"])):
        for point in points:
            refs = f" [{plain(point['line_refs'])}]" if point.get("line_refs") else ""
            show(f"  {mark} {plain(point.get('text', ''))}{refs}")
    show()
