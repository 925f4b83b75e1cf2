"""Stored results of two teams for the pages: hostile words in everything that a trace, a model or a user can say."""

import json
from datetime import UTC, datetime, time

from llma_assets.clickhouse import Database
from llma_assets.clusters import Run, runs_of_day
from llma_assets.team_day import TeamDay
from llma_assets_tests.reports.stored_runs import DAY, ids, store_run

MINE, OTHER = 1, 2
SECRET = "the-secret-of-the-other-team"
HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '" autofocus onfocus="alert(1)',
    "<svg/onload=alert(1)>",
    "javascript:alert(1)",
    "{{ 7*7 }}{% raw %}",
    "[x](javascript:alert(1)) ![y](https://evil.example/pixel.png)",
    '=HYPERLINK("https://evil.example","x")',
    "\u202eevil\u200b\u2066",
    "W" * 20_000,
)
"""What somebody may have written; the last one is long."""


def plant(database: Database) -> None:
    """A theme's clusters with names, texts and summaries, for each of the teams."""
    for team_id, words in ((MINE, HOSTILE), (OTHER, (SECRET,))):
        members = {number: ids(10 * number, 10 * number + 5) for number in range(len(words))}
        store_run(database, "traces", {**members, -1: ["stray"]}, looked_at=[], team_id=team_id)
        (run,) = runs_of_day(database, TeamDay(team_id, DAY))
        database.insert_rows(
            "cluster_labels",
            [
                {
                    **run.attempt,
                    "cluster_id": number,
                    "title": text[:200],
                    "description": f"Users say {text}",
                    "status": "generated",
                    "error": "",
                    "model": "offline/x",
                }
                for number, text in enumerate(words)
            ],
        )
        _plant_attributes(database, run, words)
        _plant_items(database, team_id, [item for group in members.values() for item in group] + ["stray"], words)


def _plant_attributes(database: Database, run: Run, words: tuple[str, ...]) -> None:
    """What sets each cluster apart: a property whose name and value somebody may have written."""
    found = [
        {
            **{"cluster_id": number, "name": text[:100], "value": text[:100], "traces": 5, "size": 5, "q": 0.01},
            **{"other_traces": 1, "other_size": 40, "lift": 40.0, "low": 8.0, "high": 200.0},
            **{"nearest_id": None, "nearest_traces": 0, "nearest_size": 0, "beyond_nearest": False},
        }
        for number, text in enumerate(words)
    ]
    row = {**run.attempt, "method": "m", "traces": 45, "compared": 9, "found": json.dumps(found)}
    database.insert_rows("run_attributes", [row])


def _plant_items(database: Database, team_id: int, item_ids: list[str], words: tuple[str, ...]) -> None:
    when = datetime.combine(DAY, time(8), UTC)
    key = {"team_id": team_id, "day": DAY, "level": "trace", "generation_id": "", "trace_timestamp": when}
    texts, summaries = [], []
    for number, item_id in enumerate(item_ids):
        word = words[number % len(words)]
        named = {"item_id": item_id, "trace_id": item_id}
        texts.append(
            {
                **key,
                **named,
                "text": f"L1: [1] USER\nL2: {word}",
                "text_hash": "x",
                "loss": "{}",
                "line_count": 2,
                "event_count": 1,
                "cost_usd": 0.5,
                "latency_s": 2.0,
                "tokens": 10,
                "error_count": number % 2,
                "renderer": "1",
            }
        )
        summaries.append(
            {
                **key,
                **named,
                "theme_id": "traces",
                "content_hash": "",
                "status": "generated",
                "error": "",
                "model": "offline/x",
                "mode": "detailed",
                "title": word[:300],
                "flow_diagram": "",
                "bullets": '[{"text": "a point", "line_refs": "L2"}]',
                "interesting_notes": "[]",
                "text_length": 1,
                "event_count": 1,
                "batch_run_id": "",
                "relevant": True,
            }
        )
    database.insert_rows("trace_texts", texts)
    database.insert_rows("trace_summaries", summaries)
