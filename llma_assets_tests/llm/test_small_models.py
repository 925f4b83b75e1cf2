"""Three real traces through a real small model, end to end: `make test-llm`. It proves the protocol, not the prose."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import orjson
import pytest

from llma_assets.clickhouse import Database
from llma_assets.defs.resources import ChatModelResource
from llma_assets.ingest import ingest
from llma_assets.ledger import usage_totals
from llma_assets.models import ChatModel, OpenAIChat, RetryPolicy, probe_chat
from llma_assets.settings import Settings
from llma_assets.summaries import LineNumbers, SummaryPoint, TextItem, check_refs, summarise
from llma_assets.team_day import TeamDay
from llma_assets.testing import SMALL_MODELS, Served, SmallModel, served
from llma_assets_tests.llm.airline import AIRLINE, airline_traces
from llma_assets_tests.pipeline.runs import Pipeline

pytestmark = [
    pytest.mark.llm,
    pytest.mark.timeout(1_800),
    pytest.mark.skipif(not AIRLINE.exists(), reason="the shared airline traces are not here"),
]

TEAM, OTHER = 1, 2
TRACES = 3
PATIENT = RetryPolicy(attempts=1, deadline_s=900, attempt_timeout_s=900)
"""A small model on a busy processor answers after minutes; that is no failure here."""


class SlowChat(ChatModelResource):
    """The served model, as patient as `PATIENT`."""

    url: str
    name: str

    def model(self) -> ChatModel:
        return OpenAIChat(self.name, base_url=self.url, policy=PATIENT)


@pytest.fixture(scope="module", params=SMALL_MODELS, ids=lambda model: model.name)
def small_model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    model: SmallModel = request.param
    if not model.installed:
        pytest.skip(f"{model.package} or llama_cpp is not installed; `make test-llm` installs both")
    with served(model, tmp_path_factory.mktemp("model")) as running:
        yield running


def test_three_real_traces_become_stored_and_embedded_summaries(
    small_model: Served, environment: Settings, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = environment
    settings.data_dir.mkdir(parents=True)
    limits = f"max_text_tokens = {small_model.text_tokens}\nmax_generations_per_hour = 0\n"
    (settings.data_dir / "teams.toml").write_text(limits)
    events = [event for trace in airline_traces(TRACES).values() for event in trace]
    lines = tmp_path / "three.events.jsonl"
    lines.write_bytes(
        b"\n".join(orjson.dumps({**event, "team_id": team}) for event in events for team in (TEAM, OTHER))
    )
    ingest(lines, database, rejects=None, clock=lambda: datetime(2026, 11, 20, tzinfo=UTC))
    days = sorted({date.fromisoformat(event["timestamp"][:10]) for event in events})

    pipeline = Pipeline(database, chat=SlowChat(url=small_model.url, name=small_model.model))
    pipeline.texts(TEAM, days[0], days[-1])

    rows = database.rows("SELECT * FROM trace_summaries FINAL ORDER BY item_id")
    assert {(row["team_id"], row["theme_id"], row["model"]) for row in rows} == {(TEAM, "traces", small_model.model)}
    assert sorted(row["item_id"] for row in rows) == sorted(airline_traces(TRACES))
    generated = [row for row in rows if row["status"] == "generated"]
    assert generated, [row["error"] for row in rows]
    for row in generated:
        text = database.value("SELECT text FROM trace_texts FINAL WHERE item_id = {id:String}", id=row["item_id"])
        points = [
            SummaryPoint(**point) for name in ("bullets", "interesting_notes") for point in orjson.loads(row[name])
        ]
        refs = [check_refs(point.line_refs, LineNumbers.of(text)) for point in points]
        assert all(ref.valid == ref.total for ref in refs)
        assert row["title"]
    for day in days:
        spent = usage_totals(database, TeamDay(TEAM, day), stage="trace_summaries")
        assert spent.calls == 0 or spent.input_tokens > 100 * (spent.calls - spent.failed_calls)
        assert spent.cost_usd == 0
    embedded = database.rows("SELECT team_id, document_id, length(embedding) AS d FROM document_embeddings FINAL")
    assert sorted(row["document_id"] for row in embedded) == sorted(row["item_id"] for row in generated)
    assert all(row["d"] > 0 and row["team_id"] == TEAM for row in embedded)

    calls = database.value("SELECT count() FROM model_usage FINAL")
    failed = len(rows) - len(generated)
    pipeline.texts(TEAM, days[0], days[-1])
    asked_again = database.value("SELECT count() FROM model_usage FINAL") - calls
    assert failed <= asked_again <= 4 * failed


def test_doctor_gets_its_structured_answer(small_model: Served) -> None:
    chat = OpenAIChat(small_model.model, base_url=small_model.url, policy=PATIENT)
    found = probe_chat(chat)
    assert found.ok, found.detail
    assert chat.structured_mode == "json_object_schema"


def test_a_text_that_is_too_long_for_the_model_costs_that_item_alone(small_model: Served) -> None:
    long = TextItem("long", "\n".join(f"L{number:05d}: the customer asks for a refund" for number in range(20_000)))
    chat = OpenAIChat(small_model.model, base_url=small_model.url, policy=PATIENT)
    (result,) = summarise([long], chat, theme_id="t", prompt="What happened?", record=lambda _item, _usage: None)
    assert result.status == "failed"
    assert result.error.startswith("too_long")


def test_a_judged_theme_gets_its_judgement_and_a_summary_where_it_is_a_yes(small_model: Served) -> None:
    items = [
        TextItem(
            "refused", "L1: [1] USER\nL2: \nL3: I want my money back.\nL4: [2] ASSISTANT\nL5: \nL6: We refuse it."
        ),
        TextItem("weather", "L1: [1] USER\nL2: \nL3: Will it rain?\nL4: [2] ASSISTANT\nL5: \nL6: Yes, it will rain."),
    ]
    chat = OpenAIChat(small_model.model, base_url=small_model.url, policy=PATIENT)
    asked = {"theme_id": "t", "prompt": "Say which refund was refused, and why."}
    results = list(
        summarise(items, chat, **asked, concurrency=1, mode="minimal", record=lambda _item, _usage: None, judged=True)
    )
    assert sorted(result.item_id for result in results) == ["refused", "weather"]
    assert [result.error for result in results if result.status != "generated"] == []
    assert all(result.title for result in results if result.relevant)
