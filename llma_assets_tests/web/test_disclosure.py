"""No page, no route of the API and no map shows anything of a cluster that few users have."""

import pytest
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from llma_assets.alerts import incidents
from llma_assets.clickhouse import Database
from llma_assets.clusters import Withheld
from llma_assets.settings import Settings
from llma_assets.web import Access, Site, create_app
from llma_assets_tests.clusters.few_users import OTHER_THEME, lineage_of_one_user, shown, withheld
from llma_assets_tests.clusters.test_disclosure import COUNTS, DAY, ONE_USERS, leaks
from llma_assets_tests.databases import PlantedOnce
from llma_assets_tests.web.conftest import ADDRESS
from llma_assets_tests.web.test_access import ROUTERS

QUERY = {
    "date": DAY.isoformat(),
    "since": DAY.isoformat(),
    "theme": "traces",
    "first": "traces",
    "second": OTHER_THEME.theme_id,
    "limit": "100",
}
OF_NO_CLUSTER = ("/trace", "/tasks", "/map.png", "/sign-")
"""Ends and beginnings of paths that show no clusters: a trace is its own; a picture has no words to look for."""


def answers(settings: Settings, database: Database) -> tuple[dict[str, str], int]:
    """What every route says that can be read, by its path, and how many points the map has."""
    site = Site(settings, Access(owner="me"))
    site.opened = database
    client = TestClient(create_app(site), ADDRESS, raise_server_exceptions=False)
    told = next(each for each in incidents(database, 1) if each.subject == lineage_of_one_user(database))
    given = {"team_id": 1, "theme_id": "traces", "lineage_id": told.subject, "incident_id": told.incident_id}
    given["rule"] = told.rule_id
    found, points = {}, -1
    for prefix, router in ROUTERS:
        for route in router.routes:
            if not isinstance(route, APIRoute) or "GET" not in route.methods:
                continue
            if any(part in route.path for part in OF_NO_CLUSTER):
                continue
            answer = client.get(prefix + route.path.format_map(given), params=QUERY)
            assert answer.status_code < 500, (route.path, answer.text)
            if route.path.endswith("/map/{theme_id}"):
                points = len(answer.content) // 11
            else:
                found[prefix + route.path] = answer.text
    return found, points


@pytest.mark.parametrize("below", ["without_examples", "held_back"])
def test_no_route_shows_anything_of_a_cluster_of_few_users(
    database: Database, planted_once: PlantedOnce, settings: Settings, below: Withheld
) -> None:
    planted_once(withheld, below)
    found, points = answers(settings, database)
    assert leaks(found) == {}
    assert points == sum(COUNTS.values()) - COUNTS[ONE_USERS]


def test_without_a_minimum_the_pages_show_it(database: Database, planted_once: PlantedOnce, settings: Settings) -> None:
    planted_once(shown)
    found, points = answers(settings, database)
    assert points == sum(COUNTS.values())
    # The others are of themes, days and health, or name clusters only where something changed.
    assert len(leaks(found)) == 26
