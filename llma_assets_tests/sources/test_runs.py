"""`llma run` of every kind of source: what is published of the same work is the same, whichever tool recorded it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest
from click.testing import CliRunner

from llma_assets.cli.main import cli
from llma_assets.clickhouse import Database
from llma_assets.settings import Settings
from llma_assets.source_catalog import add_source
from llma_assets_tests.sources import stores
from llma_assets_tests.sources.spans import BANK, DAY, SHOP, Span, refund
from llma_assets_tests.sources.writers import TOOLS, Tool

pytestmark = [pytest.mark.database, pytest.mark.slow(seconds=40), pytest.mark.timeout(900)]
OWN_FORM: Final = Tool("events", "events", "posthog", "events", stores.write_posthog, numbered=True)
ONE_OF_EACH_KIND: Final = (
    *(tool for tool in TOOLS if tool.name in ("otel", "signoz", "langfuse", "posthog-ai", "laminar", "opik")),
    OWN_FORM,
)
TOPICS: Final = (
    ("My kettle arrived broken, please send me a refund for order {}", "I refunded order {}."),
    ("I cannot log in, my password reset link has expired, account {}", "I sent a new reset link to account {}."),
    ("Please add our VAT number to invoice {} and send the PDF again", "Invoice {} has the VAT number now."),
)
WORK: Final = 8
"""Traces of a topic."""

PUBLISHED: Final = """
SELECT team_id, event, properties
FROM events FINAL
WHERE event = '$ai_trace_clusters'
ORDER BY team_id, event
"""


def work(tenant: str) -> Iterator[Span]:
    """Traces of three topics, a tenth of them with a tool that fails."""
    for topic, (asked, answered) in enumerate(TOPICS):
        for number in range(WORK):
            name = f"run/{topic}/{number}"
            order = 4000 + 10 * topic + number
            for span in refund(name, DAY + timedelta(minutes=3 * number + topic), tenant):
                if span.kind == "llm":
                    yield replace(span, said=asked.format(order), answered=answered.format(order))
                else:
                    yield replace(span, error=span.error if number == 0 else "")


def team_of(tool: Tool) -> int:
    """A team of its own for each kind; some tables have numbers themselves, 7 of one tenant and 8 of another."""
    return {"events": 7, "posthog-ai": 8}.get(tool.name, 20 + ONE_OF_EACH_KIND.index(tool))


def run_all(database: Database) -> list[dict[str, Any]]:
    """Fill the tables of every tool, run the day once for all, and return what was published."""
    # A window of one day: the days before it are empty, and each costs as much as a full one.
    data_dir = Settings.from_env().data_dir
    data_dir.mkdir(parents=True, exist_ok=True)
    (data_dir / "teams.toml").write_text("lookback_days = 1\nminimum_traces = 1\n")
    made = []
    for tool in ONE_OF_EACH_KIND:
        store = Database(database._client, f"{database.name}_{tool.name.replace('-', '_')}", "events")
        database.execute(f"CREATE DATABASE `{store.name}`")
        made.append(store.name)
        tool.create(store)
        tool.write(store, work(BANK if team_of(tool) == 8 else SHOP))
        add_source(database, tool.source(store), by="test", team_id=None if tool.numbered else team_of(tool))
    try:
        teams = [part for tool in ONE_OF_EACH_KIND for part in ("--team", str(team_of(tool)))]
        done = CliRunner().invoke(
            cli, ["run", "--date", str(DAY.date()), "--theme", "traces", *teams], prog_name="llma"
        )
        assert done.exit_code == 0, done.output
        return [dict(row) for row in database.rows(PUBLISHED)]
    finally:
        for name in made:
            database.execute(f"DROP DATABASE IF EXISTS `{name}`")


def told(published: list[dict[str, Any]], team_id: int) -> list[Any]:
    """What is said of a team's clusters: title and size of each."""
    return [
        (row["event"], sorted((each["title"], each["size"]) for each in json.loads(row["properties"])["$ai_clusters"]))
        for row in published
        if row["team_id"] == team_id
    ]


@pytest.mark.usefixtures("environment")
def test_what_is_published_is_the_same_for_every_kind(database: Database) -> None:
    published = run_all(database)
    ((event, wanted),) = told(published, team_of(OWN_FORM))
    assert event == "$ai_trace_clusters"
    assert (len(wanted), sum(size for _, size in wanted)) == (len(TOPICS), WORK * len(TOPICS))
    assert {tool.name: told(published, team_of(tool)) for tool in ONE_OF_EACH_KIND} == {
        tool.name: [(event, wanted)] for tool in ONE_OF_EACH_KIND
    }
