"""Checks of `cluster_events`: no event says "nothing", and what is published is what is stored."""

from collections.abc import Iterator

from llma_assets.clickhouse import Database
from llma_assets.clusters.queries import clusters_of, runs_of_day
from llma_assets.events.queries import PUBLISHED_OF_DAY
from llma_assets.findings import Check, Outcome
from llma_assets.stage import asset_check
from llma_assets.team_day import TeamDay


def no_empty_events(database: Database, team_day: TeamDay) -> Iterator[Outcome]:
    """No published event has `$ai_total_items_analyzed = 0`, or no cluster."""
    for row in database.rows(PUBLISHED_OF_DAY, team_id=team_day.team_id, day=team_day.day):
        yield Outcome(
            passed=row["items"] > 0 and row["clusters"] > 0,
            expected="at least 1 item and 1 cluster",
            found=f"{row['items']} items, {row['clusters']} clusters",
            query=PUBLISHED_OF_DAY,
            theme_id=row["theme_id"],
        )


def events_match_runs(database: Database, team_day: TeamDay) -> Iterator[Outcome]:
    """Each committed run is published once, with the items, members and clusters that are stored."""
    published = {
        row["theme_id"]: {name: row[name] for name in ("items", "members", "clusters")}
        for row in database.rows(PUBLISHED_OF_DAY, team_id=team_day.team_id, day=team_day.day)
    }
    stored = {
        run.theme_id: {
            "items": run.items,
            "members": run.items,
            "clusters": len(clusters_of(database, run)),
        }
        for run in runs_of_day(database, team_day)
    }
    for theme_id in sorted(published.keys() | stored.keys()):
        expected, found = stored.get(theme_id, "no event"), published.get(theme_id, "no event")
        yield Outcome(found == expected, expected, found, PUBLISHED_OF_DAY, theme_id)


CHECKS = (
    Check("cluster_events", no_empty_events, blocking=True),
    Check("cluster_events", events_match_runs),
)

asset_checks = [asset_check(check) for check in CHECKS]
