"""Prints the answers of themes about one trace. Reading them belongs in `reports`."""

from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

from llma_assets.cli.render.console import plain, show

if TYPE_CHECKING:
    from llma_assets.reports import ThemeAnswer

SHOWN_GENERATIONS = 5


def theme_lines(summaries: "Sequence[ThemeAnswer]") -> list[str]:
    """One line for the answer of each theme; for several generations only their number."""
    lines = []
    for theme_id, group in groupby(summaries, key=attrgetter("theme_id")):
        of_theme = list(group)
        if len(of_theme) == 1:
            lines.append(f"{theme_id}: {_verdict(of_theme[0])}")
        else:
            relevant = sum(each.status == "generated" and each.relevant for each in of_theme)
            lines.append(f"{theme_id}: {len(of_theme):,} items, {relevant:,} relevant")
    return lines


def _verdict(summary: "ThemeAnswer") -> str:
    if summary.status != "generated":
        return f"{summary.status}: {summary.error}"
    if not summary.relevant:
        return "not relevant"
    cluster = summary.cluster
    where = f"in “{cluster.title}” of {cluster.day}" if cluster else "in no cluster"
    return f"“{summary.title}”, {where}"


def show_themes(summaries: "Sequence[ThemeAnswer]") -> None:
    """Print the summaries in full, but only the first generations of each theme."""
    for theme_id, group in groupby(summaries, key=attrgetter("theme_id")):
        of_theme = list(group)
        shown = of_theme if of_theme[0].level == "trace" else of_theme[:SHOWN_GENERATIONS]
        for summary in shown:
            _show(summary, name_item=len(of_theme) > 1)
        if len(shown) < len(of_theme):
            show(f"{plain(theme_id)}: {len(of_theme) - len(shown):,} more generations, see --json\n")


def _show(summary: "ThemeAnswer", *, name_item: bool) -> None:
    version = f" (version {summary.version})" if summary.version else ""
    item = f", {plain(summary.item_id)}" if name_item else ""
    show(f"{plain(summary.theme_id)}{version}{item}: {plain(_verdict(summary))}")
    if summary.flow_diagram:
        show(f"  {plain(summary.flow_diagram)}")
    for mark, points in (("-", summary.bullets), ("!", summary.interesting_notes)):
        for point in points:
            refs = f" [{plain(point['line_refs'])}]" if point.get("line_refs") else ""
            show(f"  {mark} {plain(point.get('text', ''))}{refs}")
    show()
