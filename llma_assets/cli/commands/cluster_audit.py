"""`llma clusters --audit`: prints each label with its evidence. The evidence belongs in `reports`."""

from typing import TYPE_CHECKING

from llma_assets.cli.render.console import plain, say, show, show_table
from llma_assets.cli.render.teams import team_named

if TYPE_CHECKING:
    from llma_assets.reports import Audit


def show_audit(audit: "Audit") -> None:
    """Print an audit: a table for each theme."""
    if not audit.runs:
        say("There are no labels to audit.")
    for run in audit.runs:
        show(f"team {team_named(audit.team_id)}, {audit.day}, {plain(run.theme_id)}: labels, the most doubtful first")
        show_table(
            (
                "cluster",
                "name",
                "from",
                "size",
                "traces",
                "border",
                "right",
                "by centroid",
                "nearest name",
                "nearest, farthest",
            ),
            [
                (
                    each.cluster_id,
                    f"{each.group}: {each.title}" if each.group else each.title,
                    each.origin,
                    f"{each.size:,}",
                    f"{each.traces:,}",
                    f"{each.borderline_share:.0%}",
                    _share(each.right, each.held_out),
                    _share(each.right_by_centroid, each.held_out),
                    f"{each.nearest_title} ({each.nearest_distance:.2f})" if each.nearest_title else "",
                    " | ".join([*each.members[:1], *each.edge[:1]]),
                )
                for each in run.clusters
            ],
            right=("cluster", "size", "traces", "border", "right", "by centroid"),
        )
        show()


def _share(hits: int | None, of: int) -> str:
    return f"{hits}/{of}" if of and hits is not None else "-"
