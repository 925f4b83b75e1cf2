"""Health, readiness and metrics: what they say, to whom, and what they never say."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from llma_assets.alerts import outbox_counts
from llma_assets.clickhouse import Database
from llma_assets.settings import Settings
from llma_assets.web import Access, AccessError, Operations, Site, create_app
from llma_assets_tests.reports.stored_runs import DAY
from llma_assets_tests.web.conftest import ADDRESS, CHANGER, READER, TOKENS, bearer
from llma_assets_tests.web.planted import MINE, OTHER, SECRET

NOON = datetime(DAY.year, DAY.month, DAY.day, 12, tzinfo=UTC)
YESTERDAY = DAY - timedelta(days=1)
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def samples(text: str) -> Samples:
    """Every sample, as Prometheus' own parser reads it."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def named(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return name, frozenset(labels.items())


def plant_work(database: Database) -> None:
    """Calls, skips, a day that is owed, and messages, of two teams."""
    for team_id, calls in ((MINE, 3), (OTHER, 5)):
        key = {"team_id": team_id, "day": DAY, "stage": "trace_summaries"}
        rows = [
            {
                **{**key, "theme_id": "traces", "model": "m", "call_id": uuid4(), "item_id": "i"},
                **{"input_tokens": 10, "output_tokens": 2, "cost_usd": 0.5, "duration_s": 0.1},
                **{"error": "timeout" if number == 0 else "", "timestamp": NOON - timedelta(hours=1)},
            }
            for number in range(calls)
        ]
        database.insert_rows("model_usage", rows)
        database.insert_rows("model_usage", rows)  # an insert that was repeated
        database.insert_rows("model_usage", [{**rows[0], "call_id": uuid4(), "timestamp": NOON - timedelta(days=1)}])
        database.insert_rows("skips", [{**key, "theme_id": "traces", "reason": "budget", "detail": SECRET}])
    database.insert_rows(
        "eligible_teams",
        [
            {
                **{"team_id": team_id, "day": day, "eligible": True, "reason": "active", "detail": ""},
                **{"traces": 30, "events": 60, "window_start": NOON, "window_end": NOON},
            }
            for team_id in (MINE, OTHER)
            for day in (YESTERDAY, DAY)
        ],
    )
    reason = {"stage": "cluster_assignments", "theme_id": "traces", "reason": "too_few_items", "detail": ""}
    database.insert_rows("skips", [{"team_id": OTHER, "day": YESTERDAY, **reason}])
    plant_messages(database)


def plant_messages(database: Database) -> None:
    """Of one team: sent, waiting, refused, given up without a result, and under way."""
    ids = {name: uuid4() for name in ("sent", "waiting", "refused", "lost", "under_way")}
    common = {"team_id": MINE, "channel": "ops", "event": "incident.opened", "incident_id": uuid4(), "body": "{}"}
    since = NOON - timedelta(hours=2)
    database.insert_rows(
        "alert_messages",
        [{**common, "message_id": each, "created_at": since, "not_before": since} for each in ids.values()],
    )
    attempt = {"team_id": MINE, "round": 0, "attempt": 1, "reply": "", "error": "", "attempted_at": since}
    database.insert_rows(
        "alert_attempts",
        [
            {**attempt, "message_id": ids["sent"], "outcome": "sent"},
            {**attempt, "message_id": ids["refused"], "outcome": "refused"},
        ],
    )
    claim = {"team_id": MINE, "round": 0, "claimed_by": uuid4(), "claimed_at": since}
    database.insert_rows(
        "alert_claims",
        [
            {**claim, "message_id": ids["lost"], "attempt": 10, "lease_until": since},
            {**claim, "message_id": ids["under_way"], "attempt": 10, "lease_until": NOON + timedelta(minutes=5)},
        ],
    )


@pytest.fixture
def working(site: Site, planted: Database) -> Site:
    """The site of two teams that have called models, with messages and a day that is owed."""
    plant_work(planted)
    site.clock = lambda: NOON
    return site


def scrape(site: Site, operations: Operations | None = None, **headers: str) -> str:
    client = TestClient(create_app(site, metrics=operations), ADDRESS, raise_server_exceptions=False)
    answer = client.get("/metrics", headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return answer.text


def test_metrics_say_what_was_done_what_failed_and_what_is_owed(working: Site) -> None:
    found = samples(scrape(working))
    calls = {"stage": "trace_summaries", "model": "m"}
    assert found[named("llma_model_calls_total", **calls, team="1")] == 3
    assert found[named("llma_model_calls_total", **calls, team="2")] == 5
    assert found[named("llma_model_failed_calls_total", **calls, team="1")] == 1
    assert found[named("llma_model_cost_usd_total", **calls, team="1")] == 1.5
    assert found[named("llma_skips", stage="trace_summaries", reason="budget", team="1")] == 1
    assert found[named("llma_lag_seconds", team="1")] == 12 * 3600
    assert found[named("llma_lag_seconds", team="2")] == 0  # it says why there are no clusters
    assert found[named("llma_days_owed", team="1")] == 1
    assert found[named("llma_alert_messages", state="pending", team="1")] == 2
    assert found[named("llma_alert_messages", state="dead", team="1")] == 2
    assert found[named("llma_alert_oldest_pending_seconds", team="1")] == 7200
    assert found[named("llma_stage_items", stage="cluster_assignments", team="1")] > 0
    assert named("llma_stage_last_write_timestamp_seconds", stage="cluster_assignments", team="1") in found
    assert found[named("llma_database_up")] == 1
    assert SECRET not in scrape(working)


def test_the_outbox_is_counted_as_its_own_deliveries_are(working: Site, planted: Database) -> None:
    (count,) = outbox_counts(planted, NOON)
    assert (count.team_id, count.pending, count.dead) == (MINE, 2, 2)


def test_without_teams_all_are_added_up_and_the_longest_delay_counts(working: Site) -> None:
    text = scrape(working, Operations(by_team=False))
    found = samples(text)
    assert found[named("llma_model_calls_total", stage="trace_summaries", model="m")] == 8
    assert found[named("llma_lag_seconds")] == 12 * 3600
    assert "team=" not in text


def test_a_token_sees_its_teams_alone(working: Site) -> None:
    working.access = TOKENS
    teams = {dict(labels).get("team") for _, labels in samples(scrape(working, **bearer(READER)))}
    assert teams == {None, str(MINE)}


def test_metrics_need_a_token_where_the_server_knows_tokens(working: Site) -> None:
    working.access = TOKENS
    client = TestClient(create_app(working), ADDRESS, raise_server_exceptions=False)
    for headers in ({}, bearer("wrong")):
        answer = client.get("/metrics", headers=headers, follow_redirects=False)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert "llma_model" not in answer.text
    assert samples(scrape(working, Operations(rule="open")))[named("llma_database_up")] == 1


def test_metrics_can_be_switched_off(site: Site) -> None:
    client = TestClient(create_app(site, metrics=Operations(rule="off")), ADDRESS)
    assert client.get("/metrics").status_code == 404


def test_probes_and_scrapes_may_ask_by_the_address_of_a_pod(working: Site) -> None:
    working.access = TOKENS
    pod = TestClient(create_app(working), "http://10.1.2.3:8321", raise_server_exceptions=False)
    assert pod.get("/healthz").json() == {"status": "ok"}
    assert pod.get("/readyz").json() == {"status": "ready"}
    assert pod.get("/metrics", headers=bearer(CHANGER)).status_code == 200
    assert pod.get("/metrics").status_code == 403
    assert pod.get("/").status_code == 403


def test_a_foreign_page_reads_no_metrics_of_a_server_without_tokens(working: Site) -> None:
    rebound = TestClient(create_app(working), "http://evil.example:8321", raise_server_exceptions=False)
    assert rebound.get("/metrics").status_code == 403


def test_readiness_and_metrics_say_that_the_database_is_away_and_no_more(settings: Settings) -> None:
    away = replace(settings, clickhouse_url="http://llma:pass-word@127.0.0.1:1/nowhere")
    client = TestClient(create_app(Site(away, Access())), ADDRESS, raise_server_exceptions=False)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (
        503,
        {"status": "not ready", "reason": "the database does not answer"},
    )
    assert client.get("/healthz").status_code == 200
    metrics = client.get("/metrics")
    assert metrics.status_code == 200
    assert samples(metrics.text)[named("llma_database_up")] == 0
    assert "pass-word" not in metrics.text


def test_several_scrapes_at_once_read_the_database_once(working: Site, planted: Database) -> None:
    operations = Operations()
    first = scrape(working, operations)
    planted.insert_rows(
        "skips",
        [{"team_id": 9, "day": DAY, "stage": "tasks", "theme_id": "", "reason": "x", "detail": ""}],
    )
    assert samples(scrape(working, operations)).keys() == samples(first).keys()
    assert named("llma_skips", stage="tasks", reason="x", team="9") in samples(scrape(working))


@pytest.mark.parametrize("variable", ["LLMA_METRICS", "LLMA_METRICS_TEAMS"])
def test_a_wrong_setting_is_said(variable: str) -> None:
    with pytest.raises(AccessError, match=variable):
        Operations.from_env({variable: "perhaps"})
    assert Operations.from_env({variable: " "}) == Operations.from_env({})


def test_runs_and_heartbeats_of_dagster_are_shown_to_whoever_sees_all_teams(working: Site) -> None:
    operations = Operations(dagster=lambda: ({"queued": 2, "failure": 1}, {"SCHEDULER": 3.5}))
    found = samples(scrape(working, operations))
    assert found[named("llma_dagster_runs", status="queued")] == 2
    assert found[named("llma_dagster_daemon_heartbeat_age_seconds", daemon="SCHEDULER")] == 3.5
    working.access = TOKENS
    assert "llma_dagster" not in scrape(working, operations, **bearer(READER))
