"""Stored texts of traces, for what comes after them: written without events."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, time

from llma_assets.clickhouse import Database
from llma_assets.team_day import TeamDay


def write_texts(database: Database, team_day: TeamDay, texts: Mapping[str, str], *, level: str = "trace") -> None:
    """Store a text for each item id, as the asset `trace_texts` would; a second call replaces it."""
    database.insert_rows(
        "trace_texts",
        [
            {
                "team_id": team_day.team_id,
                "day": team_day.day,
                "level": level,
                "item_id": item_id,
                "trace_id": item_id,
                "generation_id": "",
                "text": text,
                "text_hash": hashlib.sha256(text.encode()).hexdigest(),
                "loss": "{}",
                "line_count": text.count("\n") + 1,
                "event_count": 1,
                "trace_timestamp": datetime.combine(team_day.day, time(8), tzinfo=UTC),
                "cost_usd": 0.0,
                "latency_s": 0.0,
                "tokens": 0,
                "error_count": 0,
                "renderer": "tests",
            }
            for item_id, text in texts.items()
        ],
    )


def numbered_texts(count: int) -> dict[str, str]:
    """So many texts by item id; each says its number.

    >>> numbered_texts(2)["item-1"]
    'L1: [1] USER\\nL2: \\nL3: question number 1 about flights'
    """
    return {f"item-{n}": f"L1: [1] USER\nL2: \nL3: question number {n} about flights" for n in range(count)}
