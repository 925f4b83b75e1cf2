"""`llma clusters assign`: assigns new items to the clusters of the latest run. The method belongs in `clusters`."""

from datetime import date
from typing import TYPE_CHECKING, Any

import click

from llma_assets.cli.options import date_option, json_option, opened_database, team_option
from llma_assets.cli.render.console import emit_json, plain, say, show, show_table

if TYPE_CHECKING:
    from llma_assets.clickhouse import Database
    from llma_assets.clusters import NewItems

SHORT_ID = 8
NOISE_TITLE = "Outliers"


@click.command()
@team_option()
@date_option
@click.option("--theme", "theme_id", help="Only this theme.")
@json_option
def assign(team_id: int, day: date, theme_id: str | None, as_json: bool) -> None:
    """Assign items that are newer than the latest run to its clusters.

    Each item up to the end of the date goes to the nearest cluster, or to the outliers if it is too far away.
    Nothing is stored; the next run clusters these items.
    """
    from llma_assets.clusters import assign_new_items
    from llma_assets.team_day import TeamDay
    from llma_assets.themes import themes_of

    found = []
    with opened_database() as database:
        # Themes that are off may have runs, too.
        team = themes_of(database, team_id)
        for theme in team.themes if theme_id is None else [team.get(theme_id)]:
            new = assign_new_items(database, TeamDay(team_id, day), theme)
            if new is not None:
                found.append(_document(database, new))
    if as_json:
        emit_json({"team": team_id, "date": day.isoformat(), "runs": found})
        return
    if not found:
        say(f"Team {team_id} has no clusters up to {day}. `llma run --team {team_id} --date {day}` makes them")
    for run in found:
        where = f"team {team_id}, {plain(run['theme'])}"
        show(f"{where}: {run['items']:,} items newer than the run of {run['run_date']}")
        show_table(
            ("lineage", "items", "share", "in the run", "title"),
            [
                (
                    each["lineage_id"][:SHORT_ID],
                    f"{each['items']:,}",
                    f"{each['items'] / run['items']:.1%}" if run["items"] else "",
                    f"{each['share_of_run']:.1%}",
                    each["title"],
                )
                for each in run["clusters"]
            ],
            right=("items", "share", "in the run"),
        )
        show()


def _document(database: "Database", new: "NewItems") -> dict[str, Any]:
    from llma_assets.clusters import NOTHING, lineages_of, standings_of

    decided = standings_of(database, new.run.team_id)
    titles = {each.lineage_id: each.title for each in lineages_of(database, new.run.team_id)}
    labels = new.assigned.labels.tolist()
    places = [*range(len(new.clusters)), -1]
    clusters = []
    for place in places:
        noise: dict[str, Any] = {"cluster_id": -1, "lineage_id": "", "size": new.run.noise_items}
        row = new.clusters[place] if place >= 0 else noise
        own = [item for item, label in zip(new.item_ids, labels, strict=True) if label == place]
        lineage_id = row["lineage_id"]
        name = decided.get(lineage_id, NOTHING).title or titles.get(lineage_id, "") or f"Cluster {row['cluster_id']}"
        clusters.append(
            {
                "cluster_id": row["cluster_id"],
                "lineage_id": lineage_id,
                "title": name if place >= 0 else NOISE_TITLE,
                "items": len(own),
                "share_of_run": row["size"] / new.run.items,
                "item_ids": own,
            }
        )
    return {
        "run_id": new.run.run_id,
        "run_date": new.run.day.isoformat(),
        "theme": new.run.theme_id,
        "items": len(new.item_ids),
        "clusters": clusters,
    }
