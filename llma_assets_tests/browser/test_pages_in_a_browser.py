"""Every page in a browser with the policy on: reachable for everybody, nothing cut, nothing runs."""

import csv
import io
import json
from importlib import resources
from itertools import product

import pyarrow.parquet as pq
import pytest

from llma_assets_tests.browser.addresses import CALM_PAGES, HOSTILE_PAGES
from llma_assets_tests.browser.conftest import NARROW, WIDE, Visit
from llma_assets_tests.browser.planted import HUGE
from llma_assets_tests.reports.stored_runs import DAY
from llma_assets_tests.web.planted import HOSTILE, MINE

SERIOUS = ("serious", "critical")
RUN_AXE = """
async () => (await axe.run(document, {resultTypes: ['violations']})).violations
    .map(each => [each.impact, each.id, each.nodes.map(node => node.html.slice(0, 160)).slice(0, 3)])
"""
TOO_WIDE = """
() => document.documentElement.scrollWidth > innerWidth + 1
    ? [...document.querySelectorAll("main *")].filter(each => each.getBoundingClientRect().right > innerWidth + 1
        && !each.closest(".scroll")).map(each => each.outerHTML.slice(0, 120)).slice(0, 3) : null
"""


def axe() -> str:
    """The source of axe-core."""
    package = pytest.importorskip("axe_playwright_python", reason="axe-core is not installed: make test-web")
    return (resources.files(package) / "axe.min.js").read_text("utf-8")


def test_no_page_keeps_anybody_out_or_is_cut(visit: Visit) -> None:
    """Each page once, seen wide and narrow, light and dark: the style sheet alone decides on both."""
    source, found = axe(), {}
    for path in CALM_PAGES:
        visit.go(path)
        visit.page.evaluate(source)
        for width, scheme in product((WIDE, NARROW), ("light", "dark")):
            visit.page.set_viewport_size({"width": width, "height": 900})
            visit.page.emulate_media(color_scheme=scheme)
            violations = [each for each in visit.page.evaluate(RUN_AXE) if each[0] in SERIOUS]
            wide = visit.page.evaluate(TOO_WIDE)
            if violations or wide is not None:
                found[path, width, scheme] = (violations, wide)
    assert found == {}


def test_hostile_words_run_nothing_load_nothing_and_break_no_layout(visit: Visit) -> None:
    """Among them a word of a megabyte, on every page where it can stand."""
    broken = {}
    for path in HOSTILE_PAGES:
        for width in (WIDE, NARROW):
            visit.page.set_viewport_size({"width": width, "height": 900})
            if width == WIDE:
                visit.go(path)
            wide = visit.page.evaluate(TOO_WIDE)
            if wide is not None:
                broken[path, width] = wide
        # What an attribute would run when the pointer or the keyboard comes to it.
        visit.page.keyboard.press("Tab")
    assert broken == {}


def test_exports_hold_hostile_words_as_text(visit: Visit) -> None:
    context, home = visit.page.context, visit.home
    address = f"{home}/teams/{MINE}/items?date={DAY}&theme=traces&form="
    csv.field_size_limit(2 * len(HUGE))
    rows = list(csv.reader(io.StringIO(context.request.get(address + "csv").text())))
    assert [cell for row in rows for cell in row if cell.startswith(("=", "+", "@", "\t"))] == []
    assert len({len(row) for row in rows}) == 1
    assert HUGE in {cell for row in rows for cell in row}
    assert pq.read_table(io.BytesIO(context.request.get(address + "parquet").body())).num_rows == len(rows) - 1
    assert json.loads(context.request.get(address + "notebook").text())["cells"]
    assert HOSTILE[0] in {each["title"] for each in json.loads(context.request.get(address + "json").text())["items"]}
    # The file of a day, as somebody opens it who got it by mail: from the disk, where no policy of a server holds.
    file = context.request.get(f"{home}/teams/{MINE}/report.html?date={DAY}").text()
    visit.page.set_content(file, wait_until="load")
    assert "<script>alert(1)</script>" in visit.page.inner_text("body")
    assert visit.page.locator("script, iframe, object, embed").count() == 0
    visit.page.set_viewport_size({"width": NARROW, "height": 900})
    assert visit.page.evaluate(TOO_WIDE) is None


def test_the_policy_is_on(visit: Visit) -> None:
    """Were a page to let something through, the browser would refuse it, and these tests would hear of it."""
    visit.go("/")
    visit.page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"document.title=1\">')")
    visit.page.evaluate("new Image().src = 'https://evil.example/pixel.png'")
    visit.page.wait_for_timeout(100)
    assert visit.page.title() != "1"
    assert any("evil.example" in each for each in visit.wrong)
    assert any("inline" in each for each in visit.wrong)
    visit.wrong.clear()
