"""Makes a task of a cluster: its name, its figures and its most typical members, as the cluster's page shows them."""

from dataclasses import dataclass
from datetime import datetime

from llma_assets.clickhouse import Database
from llma_assets.reports.clusters import published_clusters
from llma_assets.reports.item_page import item_page
from llma_assets.reports.published import PublishedCluster
from llma_assets.reports.results import theme_results
from llma_assets.tasks import ClusterSource, find_cluster_task, make_cluster_task
from llma_assets.team_day import TeamDay

EVIDENCE = 10
"""Members that show what the task is about."""


class NoSuchClusterError(LookupError):
    """The day's run of the theme has no such cluster."""


@dataclass(frozen=True, slots=True)
class MadeTask:
    """The task of a cluster.

    Attributes:
        task_id: its id.
        is_new: whether it was made now; else somebody had made it before.
    """

    task_id: str
    is_new: bool


def task_of_cluster(
    database: Database, team_day: TeamDay, theme_id: str, lineage_id: str, *, by: str, now: datetime
) -> MadeTask:
    """Make a task of a cluster, or find the one that there is.

    Args:
        by: who asks for it.

    Raises:
        NoSuchClusterError: the theme has no such cluster on the day.
    """
    database = database.remembering()
    published = published_clusters(database, team_day, theme_id=theme_id, show_hidden=True, examples=0)
    results = theme_results(database, team_day, theme_id, published=published)
    shown = results.clusters if results else ()
    result = next((each for each in shown if lineage_id and lineage_id in _names(each.cluster)), None)
    if result is None:
        raise NoSuchClusterError(f"the theme {theme_id[:60]} has no cluster {lineage_id[:40]} on {team_day.day}")
    cluster = result.cluster
    before = find_cluster_task(database, team_day.team_id, _names(cluster))
    if before is not None:
        return MadeTask(before, is_new=False)
    pages = {
        sort: item_page(
            database,
            team_day,
            theme_id,
            lineage_id=cluster.lineage_id,
            sort=sort,
            limit=EVIDENCE if sort == "typical" else 1,
            published=published,
        )
        for sort in ("typical", "oldest", "newest")
    }
    items = {sort: page.items if page else () for sort, page in pages.items()}
    source = ClusterSource(
        theme_id=theme_id,
        lineage_id=cluster.lineage_id,
        day=team_day.day,
        title=cluster.title,
        description=cluster.description,
        traces=cluster.traces,
        users=result.figures.users,
        error_share=result.error_rate.value or 0.0,
        # Of one whose members may not be shown the day is known, not the moment.
        first_seen=items["oldest"][0].timestamp if items["oldest"] else team_day.start,
        last_seen=items["newest"][0].timestamp if items["newest"] else team_day.start,
        item_ids=tuple(each.item_id for each in items["typical"]),
    )
    made = make_cluster_task(database, team_day.team_id, source, by=by, now=now)
    return MadeTask(str(made), is_new=True)


def _names(cluster: PublishedCluster) -> tuple[str, ...]:
    return (cluster.lineage_id, *cluster.merged_lineage_ids)
