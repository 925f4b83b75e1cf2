"""`llma sources`: what a person sees of a table of another tool."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner, Result

from llma_assets.cli.main import cli
from llma_assets.clickhouse import Database
from llma_assets.settings import Settings
from llma_assets_tests.sources.conftest import store
from llma_assets_tests.sources.spans import BANK, SHOP, refund
from llma_assets_tests.sources.writers import TOOLS

__all__ = ["store"]

pytestmark = [pytest.mark.database, pytest.mark.usefixtures("environment")]
OTEL = TOOLS[0]


def llma(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["sources", *arguments])


@pytest.fixture
def table(environment: Settings, store: Database) -> str:
    OTEL.create(store)
    now = datetime.now(UTC) - timedelta(hours=2)
    OTEL.write(store, refund(start=now))
    OTEL.write(store, refund("loan", start=now, tenant=BANK))
    return f"{store.name}.otel_traces"


def test_a_source_is_added_shown_tested_and_removed(table: str) -> None:
    dry = llma("add", "mine", "--kind", "otel", "--table", table, "--dry-run")
    assert dry.exit_code == 0, dry.output
    assert json.loads(llma("list", "--json").stdout) == {"sources": []}

    added = llma("add", "mine", "--kind", "otel", "--table", table)
    assert added.exit_code == 0, added.output
    assert "of 2 model calls looked at, 100% have message text" in added.output
    assert "Where is my refund for the kettle?" in added.output

    shown = json.loads(llma("show", "mine", "--json").stdout)
    assert {tenant["tenant"] for tenant in shown["tenants"]} == {SHOP, BANK}
    assert len({tenant["team"] for tenant in shown["tenants"]}) == 2
    assert f"ALTER TABLE {table} ADD COLUMN LlmAttributes" in llma("show", "mine").stderr
    report = json.loads(llma("test", "mine", "--json").stdout)
    assert (report["rows"], report["traces"], report["users"], report["errors"]) == (6, 2, 1, 2)
    assert [tenant["team"] for tenant in report["tenants"]] == [tenant["team"] for tenant in shown["tenants"]]

    assert llma("remove", "mine").exit_code == 0
    assert "no source 'mine'" in llma("test", "mine").output


def test_without_message_text_it_says_which_variable_to_set(table: str, store: Database) -> None:
    store.execute("TRUNCATE TABLE otel_traces")
    spans = [replace(span, start=datetime.now(UTC) - timedelta(hours=1)) for span in refund()]
    {tool.name: tool for tool in TOOLS}["otel-logs"].write(store, spans)
    llma("add", "mine", "--kind", "otel", "--table", table, "--team", "5")
    found = llma("test", "mine")
    assert found.exit_code == 1
    assert "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT" in found.output
    with_logs = llma("add", "mine", "--kind", "otel", "--table", table, "--other", f"logs={store.name}.otel_logs")
    assert "100% have message text" in with_logs.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--kind", "jaeger"], "kinds are otel, langfuse"),
        (["--kind", "otel", "--table", "a; DROP"], "is not a table"),
        (["--kind", "otel", "--table", "nowhere.t"], "cannot be read as otel"),
        (["--kind", "otel", "--tenant", "x', 1)--"], "is not a column"),
        (["--kind", "otel", "--tenant", "a", "--team", "3"], "give one"),
        (["--kind", "otel", "--other", "logs"], "must be NAME=TABLE"),
        (["--kind", "opik", "--other", "logs=a.b"], "reads no table for 'logs'"),
    ],
)
def test_what_cannot_be_a_source_is_refused_with_the_way_out(arguments: list[str], said: str) -> None:
    refused = llma("add", "mine", *arguments)
    assert refused.exit_code != 0
    assert said in refused.output
