"""The editor of themes: a person without YAML makes, checks, changes and switches one."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, time
from html import unescape

import pytest
from starlette.testclient import TestClient

from llma_assets.clickhouse import Database
from llma_assets.testing.traffic import TOPICS, trace, write_events
from llma_assets.themes import past_changes, settings_of, themes_of
from llma_assets.web import Site
from llma_assets.web.theme_form import fields_of, settings_from
from llma_assets_tests.reports.stored_runs import DAY
from llma_assets_tests.web.planted import MINE, OTHER

NEW = {
    "theme_id": "refunds",
    "name": "Refunds",
    "prompt": "Say what money the user wants back, and why.",
    "judged": "yes",
    "enabled": "yes",
    "level": "trace",
    "mode": "detailed",
    "schedule": "daily",
    "filter_key_0": "$ai_model",
    "filter_operator_0": "in",
    "filter_value_0": "gpt-4o, gpt-5",
    "filter_key_1": "",
    "sample_percent": "50 %",
    "daily_budget_usd": "$2.5",
}


def send(client: TestClient, path: str, fields: Mapping[str, str], action: str = "check") -> tuple[int, str]:
    """Status and text of the page after a form was sent."""
    client.get("/sign-in")  # any page gives the key of forms
    answer = client.post(path, data={**fields, "action": action, "form_key": client.cookies["llma_form"]})
    return answer.status_code, unescape(answer.text)


def save(client: TestClient, path: str, fields: Mapping[str, str]) -> tuple[int, str]:
    """Check a form, and save what was shown."""
    _, text = send(client, path, fields)
    mark = re.search(r'name="seen" value="(\w*)"', text)
    assert mark is not None
    return send(client, path, {**fields, "seen": mark[1]}, "save")


def test_checking_says_what_changes_and_stores_nothing(client: TestClient, planted: Database) -> None:
    status, text = send(client, "/teams/1/themes-new", NEW)
    assert status == 200
    assert "refunds is created" in text
    assert "What it would do" in text
    assert "It costs nothing: the offline model is free" in text
    assert past_changes(planted, MINE) == []


def test_saving_stores_what_was_shown_under_the_name_of_whoever_did(client: TestClient, planted: Database) -> None:
    status, text = save(client, "/teams/1/themes-new", NEW)
    assert status == 200
    assert "Say what money the user wants back" in text
    theme = themes_of(planted, MINE).get("refunds")
    (found,) = theme.filters
    assert (found.key, found.operator, found.value) == ("$ai_model", "in", ("gpt-4o", "gpt-5"))
    assert (theme.sample_rate, theme.daily_budget_usd, theme.enabled, theme.judged) == (0.5, 2.5, True, True)
    (change,) = past_changes(planted, MINE)
    assert (change.author, change.action) == ("me", "created")
    assert past_changes(planted, OTHER) == []


def test_what_was_not_shown_is_not_saved(client: TestClient, planted: Database) -> None:
    _, text = send(client, "/teams/1/themes-new", NEW)
    mark = re.search(r'name="seen" value="(\w*)"', text)
    assert mark is not None
    changed = {**NEW, "prompt": "Say something else.", "seen": mark[1]}
    _, text = send(client, "/teams/1/themes-new", changed, "save")
    assert "refunds is created" in text
    assert past_changes(planted, MINE) == []


def test_somebody_elses_change_in_between_is_shown_first(client: TestClient, planted: Database) -> None:
    save(client, "/teams/1/themes-new", NEW)
    mine = {**NEW, "name": "Money back"}
    _, text = send(client, "/teams/1/themes/refunds/edit", mine)
    mark = re.search(r'name="seen" value="(\w*)"', text)
    assert mark is not None
    save(client, "/teams/1/themes/refunds/edit", {**NEW, "description": "Of the other person"})
    _, text = send(client, "/teams/1/themes/refunds/edit", {**mine, "seen": mark[1]}, "save")
    assert "description" in text[text.index("What changes") :]
    assert themes_of(planted, MINE).get("refunds").name == "Refunds"


def test_trying_shows_answers_and_stores_none(client: TestClient, planted: Database) -> None:
    when = datetime.combine(DAY, time(9), UTC)
    write_events(
        planted,
        (row for number in range(3) for row in trace(MINE, f"new{number}", when, request=TOPICS["refund"])),
    )
    fields = {**NEW, "filter_key_0": "", "filter_value_0": "", "sample_percent": ""}
    status, text = send(client, "/teams/1/themes-new", fields, "try")
    assert status == 200
    assert "Tried on 3" in text
    assert "I want my money back" in text
    assert "It cost nothing" in text
    assert past_changes(planted, MINE) == []
    assert planted.value("SELECT count() FROM trace_summaries WHERE theme_id = 'refunds'") == 0


def test_the_saved_version_answers_beside_a_changed_one(client: TestClient, planted: Database) -> None:
    when = datetime.combine(DAY, time(9), UTC)
    write_events(planted, (row for number in range(3) for row in trace(MINE, f"n{number}", when)))
    fields = {**NEW, "filter_key_0": "", "filter_value_0": "", "sample_percent": ""}
    save(client, "/teams/1/themes-new", fields)
    _, text = send(client, "/teams/1/themes/refunds/edit", {**fields, "name": "Money back"}, "try")
    assert "As saved" not in text  # it asks the same
    _, text = send(client, "/teams/1/themes/refunds/edit", {**fields, "prompt": "Say what was slow."}, "try")
    assert "As saved: summary" in text
    row = re.search(r"<tr><td><a href=.*?</tr>", text, re.DOTALL)
    assert row is not None
    assert row[0].count("<strong>") == 2


def test_a_theme_begins_with_a_template_whose_hidden_settings_stay(client: TestClient, planted: Database) -> None:
    text = unescape(client.get("/teams/1/themes-new?template=unhappy_users").text)
    assert "Say what made the user unhappy" in text
    assert 'name="template" value="unhappy_users"' in text
    fields = {**NEW, "theme_id": "unhappy", "template": "unhappy_users"}
    assert save(client, "/teams/1/themes-new", fields)[0] == 200
    theme = themes_of(planted, MINE).get("unhappy")
    assert (theme.rule, "frustrated" in theme.keywords, theme.prompt) == ("keywords", True, NEW["prompt"])
    assert client.get("/teams/1/themes-new?template=none").status_code == 404


def test_filters_are_counted_before_the_rest_is_filled_in(client: TestClient, planted: Database) -> None:
    when = datetime.combine(DAY, time(9), UTC)
    write_events(planted, (row for number in range(3) for row in trace(MINE, f"n{number}", when)))
    unfinished = {"level": "trace", "filter_key_2": "$ai_model", "filter_operator_2": "exact", "filter_value_2": "no"}
    status, text = send(client, "/teams/1/themes-counts", unfinished)
    assert status == 200
    assert re.search(r'id="count-2">0 of 3 <span class="problem">values of \$ai_model are such as', text)
    values = re.search(r'id="values-2"><option value="([^"]+)">', text)
    assert values is not None
    _, text = send(client, "/teams/1/themes-counts", {**unfinished, "filter_value_2": values[1]})
    assert 'id="count-2">3 of 3<' in text
    assert "All together match 3 of 3." in text
    _, text = send(
        client, "/teams/1/themes-counts", {**unfinished, "filter_operator_2": "regex", "filter_value_2": "("}
    )
    assert re.search(r'id="count-2"> <span class="problem">value: ', text)


def test_a_team_that_is_left_out_is_asked_nothing(client: TestClient, site: Site) -> None:
    site.settings.data_dir.mkdir(parents=True, exist_ok=True)
    (site.settings.data_dir / "teams.toml").write_text("skip_team_ids = [1]")
    _, text = send(client, "/teams/1/themes-new", NEW, "try")
    assert "It could not be tried" in text


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"theme_id": "Bad Name"}, "is not a theme_id"),
        ({"theme_id": "traces"}, "there is a theme 'traces' already"),
        ({"prompt": ""}, "is missing; say what the summary should look at"),
        ({"sample_percent": "many"}, "many"),
        ({"sample_percent": "0"}, "greater than 0"),
        ({"daily_budget_usd": "-1"}, "must be at least 0"),
        ({"filter_operator_0": "gt", "filter_value_0": "much"}, "much"),
        ({"filter_operator_0": "regex", "filter_value_0": "("}, "value"),
        ({"filter_operator_0": "between", "filter_value_0": "9, 1"}, "the first number is the smaller one"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(
    client: TestClient, planted: Database, wrong: dict[str, str], says: str
) -> None:
    status, text = send(client, "/teams/1/themes-new", {**NEW, **wrong}, "save")
    assert status == 422
    alerts = " ".join(re.findall(r'role="alert"[^>]*>([^<]*)', text))
    assert says in alerts
    assert 'value="gpt-4o, gpt-5"' in text or "filter_value_0" in wrong
    assert past_changes(planted, MINE) == []


def test_a_theme_that_ships_is_changed_and_switched(client: TestClient, planted: Database) -> None:
    page = unescape(client.get("/teams/1/themes/error_analysis/edit").text)
    assert "Change error_analysis" in page
    fields = fields_of(settings_of(themes_of(planted, MINE).get("error_analysis")))
    assert save(client, "/teams/1/themes/error_analysis/edit", {**fields, "name": "What fails"})[0] == 200
    assert themes_of(planted, MINE).get("error_analysis").name == "What fails"
    assert not themes_of(planted, MINE).get("error_analysis").enabled
    form = {"form_key": client.cookies["llma_form"]}
    client.post("/teams/1/themes/error_analysis/switch", data={**form, "to": "on"})
    assert themes_of(planted, MINE).get("error_analysis").enabled
    client.post("/teams/1/themes/error_analysis/switch", data={**form, "to": "off"})
    assert not themes_of(planted, MINE).get("error_analysis").enabled
    assert client.post("/teams/1/themes/none/switch", data={**form, "to": "on"}).status_code == 404


def test_the_form_gives_back_every_theme_that_ships(planted: Database) -> None:
    for theme in themes_of(planted, MINE).themes:
        settings = settings_of(theme)
        assert settings_from(fields_of(settings), settings) == settings


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("gpt-4o", "gpt-4o"),
        (5, "5"),
        ("5", '"5"'),
        (True, "true"),
        ("true", '"true"'),
        ("a, b", '"a, b"'),
        (0.5, "0.5"),
        (["a", "b"], "a, b"),
        (["a, b", "c", 5], '"a, b", "c", 5'),
        ([1, 2], "1, 2"),
    ],
)
def test_values_keep_their_type_on_the_way_through_the_form(value: object, text: str) -> None:
    operator = "in" if isinstance(value, list) else "exact"
    settings = {"filters": [{"key": "k", "operator": operator, "value": value}]}
    fields = fields_of(settings)
    assert fields["filter_value_0"] == text
    assert settings_from(fields, {})["filters"] == settings["filters"]


def history_form(client: TestClient, theme_id: str, *, newest: int = 0) -> dict[str, str]:
    """The form beside a change in the history of a theme."""
    page = client.get(f"/teams/1/themes/{theme_id}").text
    seen, before = re.findall(r'name="seen" value="(\w+)"><button name="before" value="([^"]+)"', page)[newest]
    return {"seen": seen, "before": before, "form_key": client.cookies["llma_form"]}


def test_a_change_is_taken_back_by_the_history(client: TestClient, planted: Database) -> None:
    save(client, "/teams/1/themes-new", NEW)
    save(client, "/teams/1/themes/refunds/edit", {**NEW, "prompt": "Say who is to blame.", "name": "Blame"})
    form = history_form(client, "refunds")
    client.post("/teams/1/themes/refunds/undo", data=form)
    assert themes_of(planted, MINE).get("refunds").prompt == NEW["prompt"]
    assert themes_of(planted, MINE).get("refunds").name == "Refunds"
    assert "somebody changed the theme since" in client.post("/teams/1/themes/refunds/undo", data=form).text
    wrong = {**history_form(client, "refunds"), "before": "yesterday"}
    assert "it is not said to before which change" in client.post("/teams/1/themes/refunds/undo", data=wrong).text
    client.post("/teams/1/themes/refunds/undo", data=history_form(client, "refunds", newest=-1))
    assert all(each.theme_id != "refunds" for each in themes_of(planted, MINE).themes)
    actions = [each.action for each in past_changes(planted, MINE, "refunds")]
    assert actions == ["created", "changed", "changed", "deleted"]


def test_days_and_grouping_are_settings_of_the_form(client: TestClient, planted: Database) -> None:
    more = {"date_from": "2026-11-01", "date_to": "", "clustering_method": "kmeans", "clustering_target_clusters": ""}
    save(client, "/teams/1/themes-new", {**NEW, **more, "clustering_min_items": "30"})
    theme = themes_of(planted, MINE).get("refunds")
    assert (str(theme.first_day), theme.last_day) == ("2026-11-01", None)
    assert (theme.clustering.method, theme.clustering.min_items) == ("kmeans", 30)
    _, text = send(client, "/teams/1/themes/refunds/edit", {**NEW, **more, "clustering_min_items": "many"})
    assert "clustering.min_items" in text
    save(client, "/teams/1/themes/refunds/edit", NEW)
    assert themes_of(planted, MINE).get("refunds").clustering.min_items == 30


def test_all_themes_go_out_and_come_in_as_a_file(client: TestClient, planted: Database) -> None:
    save(client, "/teams/1/themes-new", NEW)
    page = unescape(client.get("/teams/1/themes-file").text)
    assert "theme_id: refunds" in page
    assert "theme_id: refunds" in client.get("/api/v1/teams/1/themes.yaml").text
    text = "themes:\n  - {theme_id: refunds, prompt: Say what was refunded., enabled: false}\n"
    status, checked = send(client, "/teams/1/themes-file", {"file": text})
    assert (status, "refunds is changed" in checked) == (200, True)
    assert themes_of(planted, MINE).get("refunds").enabled
    save(client, "/teams/1/themes-file", {"file": text})
    assert not themes_of(planted, MINE).get("refunds").enabled
    assert all(each.theme_id != "refunds" for each in themes_of(planted, OTHER).themes)
    status, wrong = send(client, "/teams/1/themes-file", {"file": "themes: ["})
    assert (status, "themes: [" in wrong) == (422, True)


def test_the_list_says_how_each_theme_is(client: TestClient, planted: Database) -> None:
    save(client, "/teams/1/themes-new", NEW)
    for team_id, detail in ((MINE, "3 questions wait"), (OTHER, "of the other team")):
        skip = {"team_id": team_id, "day": DAY, "stage": "trace_summaries", "theme_id": "generations"}
        planted.insert_rows("skips", [{**skip, "reason": "budget_spent", "detail": detail}])
    page = client.get("/teams/1/themes").text
    assert "budget spent: 3 questions wait" in page
    assert "of the other team" not in page
    assert "no run has clustered it yet" in page
    states = {each["theme"]: each for each in client.get("/api/v1/teams/1/themes-states").json()["themes"]}
    assert (states["traces"]["state"], states["traces"]["answered"]) == ("fine", 51)
    assert states["generations"]["state"] == "deferred"
    assert states["refunds"]["state"] == "no_run"
    assert states["errors" if "errors" in states else "error_analysis"]["state"] == "off"
