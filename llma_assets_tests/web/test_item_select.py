"""The SELECT behind the table: it runs in ClickHouse, and gives the rows of the page, whatever the values hold."""

import html
import re
from typing import Any

from starlette.testclient import TestClient

from llma_assets.clickhouse import Database
from llma_assets_tests.reports.stored_runs import DAY
from llma_assets_tests.web.planted import HOSTILE, MINE

QUERY = {"date": DAY.isoformat()}
ADDRESS = f"/api/v1/teams/{MINE}/items/traces"
SHOWN = ("item", "trace_id", "cluster_id", "cluster_title", "title", "cost_usd", "latency_s", "error_count")


def rows_of(database: Database, sql: str) -> list[tuple[Any, ...]]:
    """What the statement gives, as the page names it."""
    columns = ("item_id", *SHOWN[1:])
    return [tuple(row[name] for name in columns) for row in database.rows(sql)]


ASKED: tuple[dict[str, str], ...] = (
    {},
    {"sort": "cost", "limit": "7", "offset": "5"},
    {"cluster": "traces-3", "sort": "farthest"},
    {"outliers": "true"},
    *({"q": word[:200]} for word in HOSTILE),
    {"q": "it's \\ {team_id:Int64} /* and */ \n -- '"},
)


def test_the_statement_gives_the_rows_of_the_page(client: TestClient, planted: Database) -> None:
    for number, decision in (
        (1, {"action": "merge", "into": "traces-0"}),
        (2, {"action": "rename", "title": "it's \\ {a:Int8}"}),
        (2, {"action": "take_out", "item_id": "t21"}),
    ):
        address = f"/api/v1/teams/{MINE}/clusters/traces-{number}/decisions"
        assert client.post(address, json=decision).status_code == 200
    for asked in ASKED:
        page = client.get(ADDRESS, params={**QUERY, **asked}).json()["items"]
        sql = client.get(f"{ADDRESS}/select", params={**QUERY, **asked}).json()["sql"]
        assert rows_of(planted, sql) == [tuple(each[name] for name in SHOWN) for each in page], asked
        assert page or "q" in asked


def test_the_page_shows_the_statement_as_text(client: TestClient, planted: Database) -> None:
    page = client.get(f"/teams/{MINE}/items", params={**QUERY, "theme": "traces", "q": HOSTILE[8]}).text
    found = re.search('<pre id="select" tabindex="0"><code>(.*?)</code>', page, re.DOTALL)
    assert found is not None
    sql = html.unescape(found[1])
    assert sql.isascii()
    assert {row["title"] for row in planted.rows(sql)} == {HOSTILE[8]}
    assert client.get(f"{ADDRESS}/select", params={"date": "2026-01-01"}).status_code == 404
