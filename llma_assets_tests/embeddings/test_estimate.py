"""What the vectors of a day will take: what is stored is counted, what is to come is as long as what came before."""

from datetime import UTC, date, datetime, time

import pytest

from llma_assets.clickhouse import Database
from llma_assets.embeddings.estimate import SUMMARY_TOKENS, forecast_embeddings
from llma_assets.embeddings.queries import PRODUCT
from llma_assets.ledger import Forecast
from llma_assets.team_day import TeamDay
from llma_assets.themes import TRACES
from llma_assets.tokens import count_tokens

DAY = date(2026, 11, 7)
TEAM = TeamDay(1, DAY)
MODEL = "text-embedding-3-large"


def store_summary(database: Database, item_id: str, title: str, team_day: TeamDay = TEAM) -> None:
    """A summary that is its title."""
    row = {
        "team_id": team_day.team_id,
        "day": team_day.day,
        "theme_id": TRACES.theme_id,
        "level": "trace",
        "item_id": item_id,
        "trace_id": item_id,
        "generation_id": "",
        "content_hash": "",
        "status": "generated",
        "error": "",
        "model": "m",
        "mode": "detailed",
        "title": title,
        "flow_diagram": "",
        "bullets": "[]",
        "interesting_notes": "[]",
        "text_length": 1,
        "event_count": 1,
        "trace_timestamp": datetime.combine(team_day.day, time(8), tzinfo=UTC),
        "batch_run_id": "",
    }
    database.insert_rows("trace_summaries", [row])


def store_vector(database: Database, content: str, team_day: TeamDay) -> None:
    """An embedded text of an earlier day."""
    row = {
        "team_id": team_day.team_id,
        "product": PRODUCT,
        "document_type": TRACES.document_type,
        "model_name": MODEL,
        "rendering": TRACES.rendering,
        "document_id": content,
        "timestamp": datetime.combine(team_day.day, time(8), tzinfo=UTC),
        "content": content,
        "metadata": "{}",
        "embedding": [1.0],
    }
    database.insert_rows("document_embeddings", [row])


def estimate(database: Database, *, coming: int = 0, replaced: tuple[str, ...] = ()) -> Forecast:
    return forecast_embeddings(database, TEAM, TRACES, MODEL, coming=coming, replaced=replaced)


def test_stored_summaries_are_counted_as_they_are(database: Database) -> None:
    titles = [f"a customer books flight {n} to Oslo" for n in range(3)]
    for n, title in enumerate(titles):
        store_summary(database, f"item-{n}", title)
        store_summary(database, f"item-{n}", "of another team, and longer than ours", TeamDay(2, DAY))
    expected = estimate(database)
    assert (expected.items, expected.calls) == (3, 1)
    assert expected.input_tokens == sum(count_tokens(title, MODEL) for title in titles)


def test_a_summary_that_will_be_replaced_is_not_counted_twice(database: Database) -> None:
    store_summary(database, "item-0", "an old title")
    assert estimate(database, coming=1, replaced=("item-0",)).items == 1


@pytest.mark.parametrize("other_team", [True, False])
def test_what_is_to_come_is_as_long_as_what_the_team_had_before(database: Database, other_team: bool) -> None:
    store_vector(database, "ten words of this text are what each one has", TeamDay(2 if other_team else 1, DAY).back(1))
    each = SUMMARY_TOKENS["detailed"] if other_team else 10
    assert estimate(database, coming=200).input_tokens == 200 * each
    assert estimate(database, coming=200).calls == 2


def test_nothing_to_embed_costs_nothing(database: Database) -> None:
    assert (estimate(database).calls, estimate(database).cost_usd) == (0, 0.0)
