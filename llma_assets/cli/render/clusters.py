"""Prints the clusters of a partition, for `llma clusters`, `run` and `demo`. Reading them belongs in `reports`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from llma_assets.cli.render.console import SHORT_ID, plain, say, show, show_table
from llma_assets.cli.render.teams import team_named

if TYPE_CHECKING:
    from llma_assets.reports import PublishedCluster, PublishedClusters, PublishedRun

EXAMPLES = 2


def show_clusters(report: "PublishedClusters", *, examples: int = EXAMPLES, descriptions: bool = False) -> None:
    """Print clusters: title, size, share, examples; or why there are none."""
    where = f"team {team_named(report.team_id)}, {report.day}"
    for run in report.runs:
        if run.skipped_reason is not None:
            why = f"{plain(run.skipped_reason)}, {plain(run.skip_detail)}"
            show(f"{where}, {plain(run.theme_id)}: no clusters: {why}")
            continue
        silhouette = run.quality.get("silhouette")
        quality = "" if silhouette is None else f", silhouette {silhouette:.2f}"
        named = sum(not each.is_noise for each in run.clusters)
        show(f"{where}, {plain(run.theme_id)}: {run.items:,} items in {named} clusters{quality}")
        if run.earlier_version:
            why = f": {plain(run.skip_detail)}" if run.skip_detail else ""
            show(f"Of an earlier version of the theme, {run.theme_version or 'before versions'}{why}")
        show_table(
            ("cluster", "lineage", "status", "size", "traces", "share", "title", "examples"),
            [
                (
                    each.cluster_id,
                    each.lineage_id[:SHORT_ID],
                    _status(each, run.lineage),
                    f"{each.size:,}",
                    f"{each.traces:,}",
                    f"{each.size / run.items:.1%}" if run.items else "",
                    each.title + _marks(each),
                    "  ".join(each.item_ids[:examples]),
                )
                for each in run.clusters
            ],
            right=("cluster", "size", "traces", "share"),
        )
        _show_lineage(run)
        if descriptions:
            for each in run.clusters:
                template = f"\nTemplate: {plain(each.template)}" if each.template else ""
                show(f"\n{plain(each.title)}{template}\n{each.description}")
        show()


def _status(cluster: "PublishedCluster", lineage: Mapping[str, Any]) -> str:
    """The lineage status, without the usual cases: `continued`, and `new` in a first run."""
    status = cluster.lineage_status
    return "" if status == "continued" or lineage.get("previous_day") is None else status


def _marks(cluster: "PublishedCluster") -> str:
    merged = len(cluster.merged_lineage_ids)
    marks = [name for name, holds in (("locked", cluster.locked), ("hidden", cluster.hidden)) if holds]
    marks += [f"with {merged} more"] if merged else []
    marks += ["one template"] if cluster.template else []
    return f" [{', '.join(marks)}]" if marks else ""


def _show_lineage(run: "PublishedRun") -> None:
    lineage = run.lineage
    if lineage.get("note") and lineage.get("previous_day"):
        show(f"No lineage goes on from {lineage['previous_day']}: {plain(lineage['note'])}")
    for said, key in (("Ended", "ended"), ("Missing since the run before", "missing")):
        gone = lineage.get(key)
        if gone:
            shown = [
                each["lineage_id"][:SHORT_ID] + (f" (now in {each['into'][0][:SHORT_ID]})" if each["into"] else "")
                for each in gone
            ]
            show(f"{said}: {plain(', '.join(shown))}")
    if run.held_back_clusters:
        say(f"{run.held_back_clusters} clusters are held back: they have fewer users than min_users of the team")
    if run.hidden_clusters:
        say(f"{run.hidden_clusters} hidden clusters are left out; `--all` shows them")
