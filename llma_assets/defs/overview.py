"""Adds the clusters of all themes of a partition, whichever run made them, to the metadata of a materialization."""

from collections.abc import Sequence
from dataclasses import replace

from llma_assets.clickhouse import Database
from llma_assets.markdown import escaped
from llma_assets.reports import (
    ThemeClusters,
    by_step,
    cluster_table,
    clusters_in_sentences,
    clusters_of_day,
    funnel_tables,
    map_markdown,
    table_rows,
)
from llma_assets.stage import Report, StageContext
from llma_assets.team_day import TeamDay

STEPS = ("matched", "sampled", "screened", "summarised", "relevant", "clustered", "outliers")
"""Steps of the window's funnel."""
PAGE_BYTES = 400_000
"""Maximum size of all maps together, which Dagster stores for each partition; small themes lose their map first."""

KEPT_READERS = 8
"""Partitions whose clusters are kept for the next stage of a run in this process; others are read again."""

_READERS: dict[tuple[str, TeamDay], Database] = {}


def with_overview(ctx: StageContext, report: Report, *, clustered: bool = False) -> Report:
    """The report of a stage, with all published clusters of the partition, if they are to be shown.

    Where details are left to pages, it is their table alone: to draw maps costs as much as to make the clusters.

    Args:
        clustered: the stage makes clusters. Later stages of its run change names alone, and read only these anew.
    """
    if not ctx.overview:
        return report
    if clustered:
        _READERS.pop((ctx.delivery, ctx.partition), None)
    database = _READERS.setdefault((ctx.delivery, ctx.partition), ctx.database.remembering())
    while len(_READERS) > KEPT_READERS:
        _READERS.pop(next(iter(_READERS)))
    found = clusters_of_day(database, ctx.partition, names_from=ctx.database)
    if not ctx.details:
        return replace(report, tables={"clusters": table_rows(found)} if found else {})
    seen = {theme.theme_id for theme in found}
    themes = [theme for theme in ctx.team_themes.themes if theme.enabled or theme.theme_id in seen]
    funnels = funnel_tables(database, ctx.partition, themes, STEPS, lookback_days=ctx.lookback_days)
    if not found:
        return replace(report, tables={"funnel": by_step(funnels)})
    by_theme = {row["theme"]: row for row in funnels}
    order = {theme.theme_id: place for place, theme in enumerate(found)}
    funnels.sort(key=lambda row: order.get(row["theme"], len(order)))
    return replace(
        report,
        pages={
            "clusters_map": maps_page(found, ctx.partition),
            "summary": clusters_in_sentences(found, by_theme),
        },
        tables={"clusters": table_rows(found), "funnel": by_step(funnels)},
    )


def maps_page(themes: Sequence[ThemeClusters], team_day: TeamDay) -> str:
    """Map and table of each theme, the biggest first; maps beyond `PAGE_BYTES` are left out."""
    parts, bytes_left = [], PAGE_BYTES
    for theme in themes:
        titles = {row.cluster_id: row.title for row in theme.rows}
        picture = map_markdown(theme.labels, theme.coordinates, titles, heading=f"{team_day}: {theme.theme_id}")
        if len(picture) > bytes_left:
            picture = "No map: the maps of the other themes fill the page."
        else:
            bytes_left -= len(picture)
        parts.append(f"### {escaped(theme.theme_id)}\n\n{picture}\n\n{cluster_table(theme.rows)}")
    return "\n\n".join(parts)
