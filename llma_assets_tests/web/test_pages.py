"""What pages show, to people and to hostile words, and what they say where there is nothing."""

import csv
import io
import re
from html.parser import HTMLParser

import pyarrow.parquet as pq
import pytest
from starlette.testclient import TestClient

from llma_assets.clickhouse import Database, DatabaseUnavailable
from llma_assets.clusters import standings_of
from llma_assets.web import Site
from llma_assets_tests.reports.stored_runs import DAY
from llma_assets_tests.web.planted import HOSTILE, MINE

PAGES = (
    "/",
    "/sign-in",
    "/api",
    "/teams/1/results?date=2026-11-07&theme=traces",
    "/teams/1/items?date=2026-11-07&theme=traces",
    "/teams/1/items?date=2026-11-07&theme=traces&q=%3Cscript%3Ealert(1)%3C/script%3E",
    "/teams/1/map?date=2026-11-07&theme=traces",
    "/teams/1/trends?theme=traces",
    "/teams/1/trends?theme=%3Cscript%3E",
    "/teams/1/trends/expected?theme=%3Cscript%3E&to=2026-11-07",
    "/teams/1/results/gates?date=2026-11-07&theme=traces",
    "/teams/1/clusters/traces-0/themes?theme=traces&date=2026-11-07",
    "/teams/1/tasks?state=all",
    "/teams/1/week?date=2026-11-07",
    "/teams/1/alerts",
    "/teams/1/trackers",
    "/teams/1/themes",
    "/teams/1/themes/traces",
    "/teams/1/themes/traces/edit",
    "/teams/1/themes-new",
    "/teams/1/health?date=2026-11-07",
    "/teams/1/results?date=2026-11-07&theme=%3Cscript%3Ealert(1)%3C/script%3E",
    "/teams/1/clusters/%3Cscript%3E?theme=traces&date=2026-11-07",
    *(f"/teams/1/clusters/traces-{number}?theme=traces&date=2026-11-07" for number in range(len(HOSTILE))),
    *(f"/teams/1/trace?id=t{number}" for number in (*range(5), *range(10, 15))),
)


class Seen(HTMLParser):
    """Collects what would run, load from elsewhere or lead into a script."""

    def __init__(self) -> None:
        super().__init__()
        self.bad: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at a tag."""
        values = dict(attrs)
        if tag in ("script", "iframe", "object", "embed", "base", "style", "meta") and values.get("http-equiv"):
            self.bad.append(tag)
        is_ours = tag == "script" and (values.get("src") or "").startswith("/static/")
        if tag in ("script", "iframe", "object", "embed", "base", "style") and not is_ours:
            self.bad.append(tag)
        self.bad += [f"{tag} {name}" for name in values if name.startswith("on") or name == "style"]
        self.bad += [
            f"{tag} {name}={value}"
            for name in ("href", "src", "action", "formaction")
            if ((value := values.get(name)) and not value.startswith(("/", "?", "#"))) or (value or "").startswith("//")
        ]

    def handle_data(self, data: str) -> None:
        """Collect text."""
        self.text += data


def test_hostile_words_are_text_on_every_page(client: TestClient) -> None:
    for address in PAGES:
        answer = client.get(address)
        assert answer.status_code in (200, 404), address
        assert "text/html" in answer.headers["content-type"], address
        assert "default-src 'self'" in answer.headers["content-security-policy"], address
        assert answer.headers["x-content-type-options"] == "nosniff", address
        seen = Seen()
        seen.feed(answer.text)
        assert seen.bad == [], address
        assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b]", answer.text), address


def test_results_show_names_shares_and_figures(client: TestClient) -> None:
    text = client.get("/teams/1/results?date=2026-11-07&theme=traces").text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "{{ 7*7 }}" in text.replace("&#34;", '"')
    assert "9.8 %" in text  # 5 of 51
    assert "$2.50" in text  # five items at 0.50
    assert "Outliers" in text


def test_a_team_leads_to_its_latest_results(client: TestClient) -> None:
    assert client.get("/teams/1").url.path == "/teams/1/results"
    assert DAY.isoformat() in client.get("/teams/1").text


def test_a_trace_shows_lines_with_anchors_and_references_to_them(client: TestClient) -> None:
    text = client.get("/teams/1/trace?id=t0").text
    assert 'id="L2"' in text
    assert 'href="#L2"' in text
    assert "a point" in text


def test_an_empty_page_says_why_and_what_to_do(client: TestClient) -> None:
    for address, says in (
        ("/teams/1/results?date=2026-11-01", "Days with clusters"),
        ("/teams/7/results", "No run has looked at this day yet"),
        ("/teams/1/items?date=2026-11-01&theme=traces", "No items on 2026-11-01"),
        ("/teams/1/items?date=2026-11-07&theme=traces&q=nothing-has-this", "No summary contains"),
        ("/teams/7/trends", "No trends yet"),
        ("/teams/1/tasks", "Tasks come from segments"),
        ("/teams/7/health", "No run has looked at this day yet"),
    ):
        answer = client.get(address)
        assert answer.status_code == 200, address
        assert says in answer.text, address


def test_what_does_not_exist_is_said_with_what_does(client: TestClient) -> None:
    for address, status, says in (
        ("/nowhere", 404, "no page at this address"),
        ("/teams/1/results?theme=trces", 404, "has no theme"),
        ("/teams/1/clusters/none?theme=traces&date=2026-11-07", 404, "All clusters of the day"),
        ("/teams/1/trace?id=none", 404, "no trace or generation"),
        ("/teams/1/tasks/none", 404, "All tasks"),
        ("/teams/x/results", 422, "team_id"),
        ("/teams/99999999999999999999/results", 422, "team_id"),
        ("/teams/1/results?date=yesterday", 422, "date"),
        ("/teams/1/items?sort=title;DROP", 422, "sort"),
    ):
        answer = client.get(address)
        assert answer.status_code == status, address
        assert says in answer.text, address


def test_csv_holds_all_items_and_no_formulas(client: TestClient) -> None:
    answer = client.get("/teams/1/items?date=2026-11-07&theme=traces&form=csv")
    rows = list(csv.reader(io.StringIO(answer.text)))
    assert len(rows) == 1 + 51
    cells = [cell for row in rows for cell in row]
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@")) and cell != "-1"] == []
    assert [cell for row in rows for cell in row if cell.startswith("'=HYPERLINK")]


def test_files_of_items_hold_the_same(client: TestClient) -> None:
    address = "/teams/1/items?date=2026-11-07&theme=traces&cluster=traces-0&form="
    table = pq.read_table(io.BytesIO(client.get(address + "parquet").content))
    assert table.num_rows == 5
    assert str(table.schema.field("timestamp").type) == "timestamp[us, tz=UTC]"
    assert table.column("cluster_title").to_pylist() == ["<script>alert(1)</script>"] * 5
    found = client.get(address + "json").json()["items"]
    assert [each["item"] for each in found] == table.column("item_id").to_pylist()
    answer = client.get(address + "notebook")
    assert answer.headers["content-disposition"] == 'attachment; filename="team-1-2026-11-07-traces.ipynb"'
    code = "\n".join(each["source"] for each in answer.json()["cells"] if each["cell_type"] == "code")
    assert "frames.items(1, '2026-11-07', theme='traces')" in code
    compile(code, "notebook", "exec")


def test_the_table_searches_sorts_and_pages(client: TestClient) -> None:
    of_cluster = client.get("/teams/1/items?date=2026-11-07&theme=traces&cluster=traces-0").text
    assert "1 to 5 of 5" in of_cluster
    found = client.get("/teams/1/items?date=2026-11-07&theme=traces&q=HYPERLINK").text
    assert "1 to 5 of 5" in found
    second = client.get("/teams/1/items?date=2026-11-07&theme=traces&start=50").text
    assert "51 to 51 of 51" in second
    strays = client.get("/teams/1/items?date=2026-11-07&theme=traces&cluster=outliers").text
    assert "1 to 1 of 1" in strays


def change(client: TestClient, lineage_id: str, **fields: str) -> int:
    """Send a form of the page of a cluster; the status of the answer."""
    client.get(f"/teams/1/clusters/{lineage_id}?theme=traces&date=2026-11-07")
    form = {"form_key": client.cookies["llma_form"], "theme": "traces", "date": "2026-11-07", **fields}
    return client.post(f"/teams/1/clusters/{lineage_id}", data=form).status_code


def test_forms_rename_hide_merge_and_take_back(client: TestClient, planted: Database) -> None:
    assert change(client, "traces-0", action="rename", title="Asks for a refund") == 200
    assert standings_of(planted, MINE)["traces-0"].given == "Asks for a refund"
    assert "Asks for a refund" in client.get("/teams/1/results?date=2026-11-07&theme=traces").text
    assert "me: rename" in client.get("/teams/1/clusters/traces-0?theme=traces&date=2026-11-07").text
    assert change(client, "traces-0", action="unname") == 200
    assert standings_of(planted, MINE)["traces-0"].given == ""
    assert change(client, "traces-1", action="hide") == 200
    assert "1 hidden clusters" in client.get("/teams/1/results?date=2026-11-07&theme=traces").text
    assert change(client, "traces-1", action="unhide") == 200
    assert change(client, "traces-2", action="merge", into="traces-3") == 200
    merged = client.get("/teams/1/clusters/traces-3?theme=traces&date=2026-11-07").text
    assert "All 10 items" in merged
    assert change(client, "traces-2", action="unmerge") == 200
    assert not any(each.into for each in standings_of(planted, MINE).values())


def test_an_impossible_change_says_why_beside_the_form(client: TestClient, planted: Database) -> None:
    client.get("/sign-in")  # any page gives the key of forms
    form = {"form_key": client.cookies["llma_form"], "theme": "traces", "date": "2026-11-07"}
    answer = client.post("/teams/1/clusters/traces-0", data={**form, "action": "rename", "title": " "})
    assert "the title is empty" in answer.text
    answer = client.post("/teams/1/clusters/traces-0", data={**form, "action": "explode"})
    assert "there is no decision" in answer.text
    assert standings_of(planted, MINE) == {}


def test_a_form_without_the_key_of_this_browser_changes_nothing(client: TestClient, planted: Database) -> None:
    client.get("/sign-in")  # any page gives the key of forms
    for key in ("", "guessed"):
        answer = client.post("/teams/1/clusters/traces-0", data={"action": "hide", "form_key": key})
        assert answer.status_code == 403
    client.cookies.clear()
    assert client.post("/teams/1/clusters/traces-0", data={"action": "hide", "form_key": ""}).status_code == 403
    assert standings_of(planted, MINE) == {}


def test_a_database_that_is_away_is_said_and_comes_back(client: TestClient, site: Site, planted: Database) -> None:
    class Away:
        def rows(self, *_: object, **__: object) -> None:
            raise DatabaseUnavailable("the server does not answer")

        sources = remembering = rows

    site.opened = Away()  # type: ignore[assignment]
    for address in ("/", "/api/v1/teams"):
        answer = client.get(address)
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "5"
        assert "does not answer" in answer.text
    site.opened = planted
    assert client.get("/").status_code == 200


def test_a_fault_of_ours_shows_and_logs_no_words_of_a_trace(
    client: TestClient, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        def rows(self, *_: object, **__: object) -> None:
            raise ValueError("words of a trace")

        sources = remembering = rows

    site.opened = Broken()  # type: ignore[assignment]
    answer = client.get("/")
    assert answer.status_code == 500
    assert "words of a trace" not in answer.text + caplog.text
    assert "ValueError" in caplog.text


def test_numbers_link_to_the_runs_that_made_them(client: TestClient, site: Site) -> None:
    address = "/teams/1/results?date=2026-11-07&theme=traces"
    assert "in Dagster" not in client.get(address).text
    site.dagster_url = "http://127.0.0.1:3000"
    run = "http://127.0.0.1:3000/assets/cluster_labels?view=partitions&amp;partition=2026-11-07%7C1"
    assert run in client.get(address).text
