"""What people come for, as they do it: with the mouse, by keyboard alone, and without JavaScript."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from llma_assets.clusters import edits_of
from llma_assets.summaries import dead_letters
from llma_assets.themes import past_changes, themes_of
from llma_assets.trackers import trackers_of
from llma_assets.web import Site
from llma_assets_tests.browser.conftest import NARROW, TOKEN, Visit
from llma_assets_tests.browser.planted import CALM, DAILY
from llma_assets_tests.reports.stored_runs import DAY


def tab_to(visit: Visit, words: str, *, most: int = 120) -> None:
    """Press Tab until the thing with these words, or this name, has the focus."""
    for _ in range(most):
        visit.page.keyboard.press("Tab")
        focused = visit.page.evaluate(
            "(() => { const e = document.activeElement;"
            " return [e.innerText, e.name, e.id, e.value, e.getAttribute('aria-label')].join('|'); })()"
        )
        if words in focused:
            return
    raise AssertionError(f"{words!r} cannot be reached by keyboard on {visit.page.url}")


@pytest.mark.parametrize("javascript", [True, False])
def test_what_is_new_and_where_it_hurts_is_four_clicks_away(visits: Any, javascript: bool) -> None:
    visit: Visit = visits(java_script_enabled=javascript)
    visit.go("/")
    page = visit.page
    page.get_by_role("link", name=f"Team {CALM}", exact=True).click()
    row = page.locator("tr", has_text="Payment fails at checkout")
    assert row.locator(".tag").first.inner_text() == "new"
    row.get_by_role("link", name="Payment fails at checkout", exact=True).click()
    assert "The card is refused after the last step." in page.inner_text("main")
    page.locator("ol.members a").first.click()
    reference = page.locator("a.ref").first
    assert reference.get_attribute("href") == "#L2"
    reference.click()
    assert page.url.endswith("#L2")
    assert "please look into it" in page.locator("#L2").inner_text()
    page.go_back()
    page.go_back()
    assert page.locator("h1").inner_text().startswith("Payment fails at checkout")


@pytest.mark.parametrize("javascript", [True, False])
def test_a_cluster_is_renamed_and_the_change_taken_back(visits: Any, site: Site, javascript: bool) -> None:
    before = len(edits_of(site.database, CALM))
    visit: Visit = visits(java_script_enabled=javascript)
    visit.go(f"/teams/{CALM}/clusters/invoice?theme=traces&date={DAY}")
    page = visit.page
    page.get_by_label("Title").fill("VAT number is missing")
    page.get_by_role("button", name="Rename").click()
    assert page.locator("h1").inner_text().startswith("VAT number is missing")
    visit.go(f"/teams/{CALM}/results?date={DAY}&theme=traces")
    assert page.get_by_role("link", name="VAT number is missing", exact=True).count() == 1
    page.get_by_role("link", name="VAT number is missing", exact=True).click()
    page.get_by_role("button", name="Take your title back").click()
    assert page.locator("h1").inner_text().startswith("Invoice without VAT number")
    edits = [each for each in edits_of(site.database, CALM)[before:] if each.lineage_id == "invoice"]
    assert [(each.action, each.author) for each in edits] == [("rename", "me"), ("unname", "me")]


def test_hiding_and_showing_again_by_keyboard_alone(visit: Visit, site: Site) -> None:
    visit.go(f"/teams/{CALM}/results?date={DAY}&theme=traces")
    keys = visit.page.keyboard
    tab_to(visit, "Skip to the content", most=1)
    tab_to(visit, "Change of a flight")
    keys.press("Enter")
    visit.page.wait_for_url("**/clusters/flight?**")
    tab_to(visit, "Hide")
    keys.press("Enter")
    visit.page.get_by_role("button", name="Show it again").wait_for()
    tab_to(visit, "Show it again")
    keys.press("Enter")
    visit.page.get_by_role("button", name="Hide").wait_for()
    edits = [each.action for each in edits_of(site.database, CALM) if each.lineage_id == "flight"]
    assert edits == ["hide", "unhide"]


@pytest.mark.parametrize("javascript", [True, False])
def test_a_theme_from_a_template_to_the_switch_and_back(visits: Any, site: Site, javascript: bool) -> None:
    visit: Visit = visits(java_script_enabled=javascript)
    page, name = visit.page, "unhappy_users" if javascript else "unhappy_without"
    visit.go(f"/teams/{CALM}/themes")
    page.get_by_role("link", name="New theme").click()
    page.get_by_role("link", name="unhappy users", exact=True).click()
    assert page.get_by_label("Title").input_value()
    page.get_by_label("Short name").fill(name)
    page.get_by_label("Switched on").uncheck()
    page.get_by_role("button", name="Check").click()
    assert re.search(r"Of \d+ traces from \S+ to \S+ it would match \d+", page.inner_text("main"))
    page.get_by_role("button", name="Try on 20").click()
    assert "Nothing was stored." in page.inner_text("main")
    assert page.get_by_role("heading", name=re.compile(r"Tried on \d+")).count() == 1
    page.get_by_role("button", name="Save").click()
    assert page.locator("h1").inner_text().endswith("off")
    page.get_by_role("button", name="Switch on").click()
    assert page.locator("h1").inner_text().endswith("on")
    page.get_by_role("button", name="Switch off").click()
    assert page.locator("h1").inner_text().endswith("off")
    changes = [each.action for each in past_changes(site.database, CALM, name)]
    assert changes == ["created", "enabled", "disabled"]


@pytest.mark.parametrize("javascript", [True, False])
def test_tasks_are_closed_taken_back_and_reopened(visits: Any, site: Site, javascript: bool) -> None:
    visit: Visit = visits(java_script_enabled=javascript)
    page = visit.page
    visit.go(f"/teams/{CALM}/tasks")
    title = page.locator("tbody th a").first.inner_text()
    page.get_by_label(f"Mark {title}").check()
    page.get_by_label("Note").fill("fixed in 1.2")
    page.get_by_role("button", name="Close").click()
    assert "1 task is closed." in page.inner_text("main")
    page.get_by_role("button", name="Undo").click()
    assert "1 task is taken back." in page.inner_text("main")
    page.get_by_role("link", name=title, exact=True).click()
    page.get_by_role("button", name="Close").click()
    assert page.locator("h1 .tag").inner_text() == "resolved"
    page.get_by_role("button", name="Reopen").click()
    assert page.locator("h1 .tag").inner_text() == "ongoing"
    assert "closed by me, fixed in 1.2" in page.inner_text("main")


@pytest.mark.parametrize("javascript", [True, False])
def test_a_tracker_is_added_previewed_and_taken_back(visits: Any, site: Site, javascript: bool) -> None:
    visit: Visit = visits(java_script_enabled=javascript)
    page, name = visit.page, "linear_eng" if javascript else "linear_ops"
    visit.go(f"/teams/{CALM}/tasks")
    page.get_by_role("link", name="Issues", exact=True).click()
    file = page.get_by_label("All trackers and rules of the team.")
    tracker = f"- {{tracker: {name}, kind: linear, project: ENG, token_env: LLMA_TRACKERS_LINEAR}}"
    rule = f"- {{rule: of_{name}, tracker: {name}, min_users: 1}}"
    file.fill(file.input_value().replace("trackers:", f"trackers:\n{tracker}").replace("rules:", f"rules:\n{rule}"))
    page.get_by_role("button", name="Check").click()
    told = page.inner_text("main")
    assert f"tracker {name}: created" in told
    assert "The next pass would open 1 issue:" in told
    assert name not in trackers_of(site.database, CALM).trackers
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name=f"Switch off rule of_{name}").click()
    assert not trackers_of(site.database, CALM).rules[f"of_{name}"].enabled
    back = f"Back to before this change of rule of_{name}"
    page.get_by_role("button", name=back).first.click()
    assert trackers_of(site.database, CALM).rules[f"of_{name}"].enabled
    page.get_by_role("button", name=back).last.click()
    assert f"of_{name}" not in trackers_of(site.database, CALM).rules
    page.get_by_role("button", name=f"Back to before this change of tracker {name}").last.click()
    assert name not in trackers_of(site.database, CALM).trackers


def test_a_failed_item_is_asked_again_without_javascript(visits: Any, site: Site) -> None:
    visit: Visit = visits(java_script_enabled=False)
    visit.go(f"/teams/{CALM}/health?date={DAY}")
    visit.page.get_by_role("button", name="Ask again for dead").click()
    told = visit.page.inner_text("main")
    assert "1 item will be asked about again" in told
    assert f"llma run --team {CALM} --date {DAY}" in told
    assert dead_letters(site.database, CALM) == []


def test_the_events_of_a_trace_open_and_close_without_javascript(visits: Any) -> None:
    visit: Visit = visits(java_script_enabled=False)
    visit.go(f"/teams/{CALM}/trace?id=e0")
    call = visit.page.locator(".events").get_by_role("link", name="gpt-4o")
    assert call.is_visible()
    visit.page.locator(".events summary").first.click()
    assert not call.is_visible()
    visit.page.locator(".events summary").first.click()
    call.click()
    assert visit.page.locator("h1").inner_text().startswith("Model call")


@pytest.mark.parametrize("javascript", [True, False])
def test_signing_in_and_out(visits: Any, guarded_home: str, javascript: bool) -> None:
    visit: Visit = visits(java_script_enabled=javascript, home=guarded_home)
    page, address = visit.page, f"/teams/{CALM}/tasks"
    visit.go(address)
    page.get_by_label("Token").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    assert page.get_by_role("alert").count() == 1
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button", name="Sign in").click()
    assert page.url.endswith(address)
    assert "Tasks" in page.locator("h1").inner_text()
    page.get_by_role("button", name="Sign out").click()
    visit.go(address)
    assert page.get_by_label("Token").count() == 1


def test_counts_beside_each_filter_while_typing(visit: Visit) -> None:
    visit.go(f"/teams/{CALM}/themes-new")
    page = visit.page
    page.get_by_label("property of filter 1").fill("$ai_model")
    page.get_by_label("value of filter 1").fill("no-such-model")
    page.get_by_text(re.compile(r"^0 of \d+")).first.wait_for(timeout=10_000)
    assert page.get_by_label("value of filter 1").input_value() == "no-such-model"
    assert page.evaluate("document.activeElement.name") == "filter_value_0"


def test_a_theme_is_made_and_undone_by_keyboard_alone(visit: Visit, site: Site) -> None:
    visit.go(f"/teams/{CALM}/themes-new")
    keys = visit.page.keyboard
    tab_to(visit, "theme_id")
    keys.type("by_keys")
    tab_to(visit, "prompt")
    keys.type("Say what the user was waiting for.")
    tab_to(visit, "Check")
    keys.press("Enter")
    visit.page.get_by_role("heading", name="What changes").wait_for()
    tab_to(visit, "Save")
    keys.press("Enter")
    visit.page.get_by_role("heading", name="What is asked").wait_for()
    assert themes_of(site.database, CALM).get("by_keys").prompt == "Say what the user was waiting for."
    tab_to(visit, "Switch off")
    keys.press("Enter")
    visit.page.get_by_role("button", name="Switch on").wait_for()
    assert [each.action for each in past_changes(site.database, CALM, "by_keys")] == ["created", "disabled"]


def test_a_run_is_followed_without_reloading(visit: Visit, site: Site) -> None:
    database, today = site.database, site.today
    row = database.rows("SELECT * FROM trace_summaries FINAL WHERE team_id = {team:Int64} LIMIT 1", team=CALM)[0]
    real = site.clock
    database.insert_rows("trace_summaries", [{**row, "team_id": 4, "day": today}])
    written = datetime.now(UTC)
    row["inserted_at"] = written
    site.clock = lambda: datetime.now(UTC)
    try:
        database.insert_rows("trace_summaries", [{**row, "team_id": 4, "day": written.date()}])
        visit.go(f"/teams/4/results?date={written.date()}")
        assert "A run is at work on these days" in visit.page.inner_text("main")
        run = database.rows("SELECT * FROM clustering_runs FINAL WHERE team_id = {team:Int64} LIMIT 1", team=CALM)[0]
        new = {name: value for name, value in run.items() if name != "committed_at"}
        database.insert_rows("clustering_runs", [{**new, "team_id": 4, "day": written.date()}])
        visit.page.locator("#results dl.facts").first.wait_for(timeout=15_000)
        assert "In no cluster" in visit.page.inner_text("#results")
    finally:
        site.clock = real


def test_the_pages_work_on_a_phone(visits: Any) -> None:
    visit: Visit = visits(viewport={"width": NARROW, "height": 844}, has_touch=True, is_mobile=True)
    visit.go(f"/teams/{CALM}/results?date={DAY}&theme=traces")
    visit.page.get_by_role("link", name="Refund asked twice", exact=True).tap()
    assert visit.page.locator("h1").inner_text().startswith("Refund asked twice")


def test_days_are_dragged_over_on_the_trends_and_seen_beside_what_was_expected(visit: Visit) -> None:
    page = visit.page
    visit.go(f"/teams/{DAILY}/trends?theme=traces")
    chart = page.locator("svg.days")
    days = (chart.get_attribute("data-days") or "").split()
    assert len(days) == 28
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box

    def drag(first: int, last: int, *, then: str = "") -> None:
        middle = box["y"] + box["height"] / 2
        page.mouse.move(box["x"] + (first + 0.5) * box["width"] / 28, middle)
        page.mouse.down()
        page.mouse.move(box["x"] + (last + 0.5) * box["width"] / 28, middle, steps=6)
        assert page.locator("rect.brush").is_visible()
        if then:
            page.keyboard.press(then)
        page.mouse.up()

    drag(3, 9, then="Escape")
    assert "from=" not in page.url, "Escape gives up"
    assert page.locator("rect.brush").count() == 0
    with page.expect_navigation():
        drag(27, 21)
    assert f"from={days[21]}" in page.url
    assert f"to={days[27]}" in page.url
    assert (page.locator("svg.days").get_attribute("data-days") or "").split() == days[21:]
    assert f"{days[21]} to {days[27]}" in page.locator("h1").inner_text()
    # The part with the bands of alerts comes once it is seen, of the same days.
    page.locator("#expected").scroll_into_view_if_needed()
    band = page.locator("ul.bands li", has_text="Login fails")
    band.wait_for()
    assert "1 day outside" in band.inner_text()
    assert band.locator("path.band").count() == band.locator("circle.out").count() == 1
    assert "outside" not in page.locator("ul.bands li", has_text="Opening hours").inner_text()
    assert f"{days[21]} to {days[27]}" in page.inner_text("#expected")
    page.go_back()
    assert len((page.locator("svg.days").get_attribute("data-days") or "").split()) == 28
    page.go_forward()
    page.get_by_role("link", name="All 4 weeks").click()
    assert len((page.locator("svg.days").get_attribute("data-days") or "").split()) == 28


@pytest.mark.parametrize("javascript", [True, False])
def test_a_theme_goes_back_to_before_a_change_by_its_history(visits: Any, site: Site, javascript: bool) -> None:
    visit: Visit = visits(java_script_enabled=javascript)
    page, name = visit.page, "by_history" if javascript else "by_history_without"
    visit.go(f"/teams/{CALM}/themes-new")
    page.get_by_label("Short name").fill(name)
    page.get_by_label("What should a summary look at?").fill("Say what the user was waiting for.")
    page.get_by_label("Switched on").uncheck()
    page.get_by_role("button", name="Check").click()
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="Change", exact=True).click()
    page.get_by_label("What should a summary look at?").fill("Say what the user gave up.")
    page.get_by_role("button", name="Check").click()
    assert "Say what the user gave up." in page.locator("section.answer ins").first.inner_text()
    page.get_by_role("button", name="Save").click()
    assert "gave up" in page.inner_text("blockquote")
    page.get_by_role("button", name="Back to before this").click()
    assert "waiting for" in page.inner_text("blockquote")
    assert [each.action for each in past_changes(site.database, CALM, name)] == ["created", "changed", "changed"]
    page.get_by_role("button", name="Back to before this").first.click()
    assert "gave up" in page.inner_text("blockquote"), "what was taken back comes back the same way"


@pytest.mark.parametrize("javascript", [True, False])
def test_themes_are_taken_away_as_a_file_and_brought_back(visits: Any, site: Site, javascript: bool) -> None:
    visit: Visit = visits(java_script_enabled=javascript)
    page, name = visit.page, "by_file" if javascript else "by_file_without"
    visit.go(f"/teams/{CALM}/themes")
    page.get_by_role("link", name="All of them as a file").click()
    box = page.get_by_label("File, YAML")
    box.fill(f"themes:\n  - theme_id: {name}\n    prompt: 1\n    filtres: []\n")
    page.get_by_role("button", name="Check").click()
    assert "filtres" in " ".join(page.get_by_role("alert").all_inner_texts())
    assert page.get_by_role("button", name="Save").count() == 0
    assert "filtres" in box.input_value(), "what was typed is still there"
    box.fill(f"themes:\n  - theme_id: {name}\n    prompt: Say what the user waits for.\n    enabled: false\n")
    page.get_by_role("button", name="Check").click()
    assert f"{name} is created" in page.inner_text("section.answer")
    page.get_by_role("button", name="Save").click()
    assert page.get_by_role("link", name=name, exact=True).count() == 1
    assert themes_of(site.database, CALM).get(name).prompt == "Say what the user waits for."
    page.get_by_role("link", name="All of them as a file").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Take it away").click()
    taken = Path(download.value.path()).read_text()
    assert name in taken
    assert taken == page.get_by_label("File, YAML").input_value()
    box.fill(taken)
    page.get_by_role("button", name="Check").click()
    assert "Nothing." in page.inner_text("section.answer"), "the file is what there is"


def test_a_day_is_narrowed_and_a_cluster_changed_on_a_phone(visits: Any, site: Site) -> None:
    visit: Visit = visits(viewport={"width": NARROW, "height": 844}, has_touch=True, is_mobile=True)
    page = visit.page
    visit.go("/")
    page.get_by_role("link", name=f"Team {DAILY}", exact=True).tap()
    page.get_by_role("link", name="Login fails", exact=True).first.tap()
    page.wait_for_url("**/clusters/spiking?**")  # a tap does not wait for the page that it opens
    assert page.locator("h1").inner_text().startswith("Login fails")
    page.get_by_role("button", name="Hide").tap()
    page.get_by_role("button", name="Show it again").tap()
    page.get_by_role("button", name="Hide").wait_for()
    assert [each.action for each in edits_of(site.database, DAILY)] == ["hide", "unhide"]
    page.get_by_role("link", name="Trends").first.tap()
    page.get_by_label("From", exact=True).fill(str(DAY - timedelta(days=6)))
    page.get_by_role("button", name="Narrow").tap()
    page.wait_for_url("**from=**")
    assert len((page.locator("svg.days").get_attribute("data-days") or "").split()) == 7
    page.get_by_role("link", name="Login fails", exact=True).first.tap()
    page.wait_for_url("**/clusters/spiking?**")
    page.locator("ol.members a").first.tap()
    page.wait_for_url("**/trace?**")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1")
