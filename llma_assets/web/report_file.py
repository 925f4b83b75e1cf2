"""A team's day as one HTML file that needs nothing else: no request goes anywhere when it is opened."""

import base64
from dataclasses import dataclass
from importlib import resources

from markupsafe import Markup

from llma_assets.clickhouse import Database
from llma_assets.reports import (
    ItemRow,
    ThemeResults,
    clusters_of_day,
    item_page,
    map_png,
    published_clusters,
    tasks_report,
    theme_results,
)
from llma_assets.team_day import TeamDay
from llma_assets.web.site import Site
from llma_assets.web.task_pages import OPEN_STATES
from llma_assets.web.templates_of import environment

EXAMPLES = 2
SHOWN_TASKS = 20


@dataclass(frozen=True, slots=True)
class ThemeInFile:
    """A theme as the file shows it.

    Attributes:
        results: its clusters, or why it has none.
        examples: titles of the most typical items, by cluster.
        map: a PNG in base64, "" without one.
    """

    results: ThemeResults
    examples: dict[int, list[str]]
    map: str


def report_file(site: Site, team_day: TeamDay) -> str:
    """The file's HTML: themes with clusters, examples, trends and map, and the open tasks."""
    database = site.database
    maps, published = _maps(database, team_day), published_clusters(database, team_day)
    themes = [
        ThemeInFile(results, _examples(database, team_day, results), maps.get(run.theme_id, ""))
        for run in published.runs
        if (results := theme_results(database, team_day, run.theme_id, published=published))
    ]
    tasks = tasks_report(
        database,
        team_day.team_id,
        now=site.clock(),
        options=site.task_options(team_day.team_id),
        statuses=OPEN_STATES,
        limit=SHOWN_TASKS,
    )
    # Our own file of styles; everything else is escaped.
    style = Markup((resources.files("llma_assets.web") / "static" / "style.css").read_text("utf-8"))
    return (
        environment()
        .get_template("report.html")
        .render(
            team_id=team_day.team_id,
            team_name=site.team_name(team_day.team_id),
            day=team_day.day,
            made_at=site.clock(),
            style=style,
            themes=themes,
            tasks=tasks.tasks,
        )
    )


def _maps(database: Database, team_day: TeamDay) -> dict[str, str]:
    found = {}
    for each in clusters_of_day(database, team_day):
        if len(each.labels):
            titles = {row.cluster_id: row.title for row in each.rows}
            picture = map_png(each.labels, each.coordinates, titles, f"{each.theme_id}, {team_day.day}")
            found[each.theme_id] = base64.b64encode(picture).decode()
    return found


def _examples(database: Database, team_day: TeamDay, results: ThemeResults) -> dict[int, list[str]]:
    """Titles of the items nearest to each cluster's centroid, each once."""
    page = item_page(database, team_day, results.run.theme_id, sort="cluster", limit=100_000)
    found: dict[int, list[str]] = {}
    items: tuple[ItemRow, ...] = page.items if page else ()
    for item in items:
        titles = found.setdefault(item.cluster_id, [])
        if item.title and len(titles) < EXAMPLES and item.title not in titles:
            titles.append(item.title)
    return found
