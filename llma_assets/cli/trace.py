"""`llma trace`: the text that models see. How a trace becomes text belongs in `rendering`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click
import orjson

from llma_assets.cli.console import emit_json, plain_block, say
from llma_assets.cli.errors import Problem
from llma_assets.cli.options import json_option, opened_database, team_option
from llma_assets.cli.queries import SUMMARIES_OF_ITEM, TEXT_OF_ITEM

if TYPE_CHECKING:
    from llma_assets.clickhouse import Database

FACTS = ("event_count", "line_count", "cost_usd", "latency_s", "tokens", "error_count")
CUT = {
    "values_shortened": "long values",
    "base64_removed": "files and images",
    "events_ignored": "events",
}
"""What a person should know is missing, by its name in the renderer's account of losses."""


@click.command()
@team_option()
@click.argument("item_id", metavar="ID")
@json_option
def trace(team_id: int, item_id: str, as_json: bool) -> None:
    """Print the text of a trace as models see it.

    Or of one generation, by its uuid. The stored text where there is one; else it is made from the events now, and
    not stored. An unknown id is a failure: exit code 1.
    """
    with opened_database() as database:
        found = _stored(database, team_id, item_id) or _rendered(database, team_id, item_id)
    if found is None:
        raise Problem(f"team {team_id} has no trace {item_id!r}; ids are listed by `llma clusters --team {team_id} …`")
    if as_json:
        emit_json({"team": team_id, "id": item_id, **found})
        return
    if not found["stored"]:
        say("Not stored yet: made from the events now.")
    click.echo(plain_block(found["text"]))
    cut = [f"{words} {found['loss'][name]:,}" for name, words in CUT.items() if found["loss"].get(name)]
    if cut:
        say(f"Cut from the text: {', '.join(cut)}")


def _stored(database: "Database", team_id: int, item_id: str) -> dict[str, Any] | None:
    rows = database.rows(TEXT_OF_ITEM, team_id=team_id, item_id=item_id)
    if not rows:
        return None
    (row,) = rows
    summaries = database.rows(SUMMARIES_OF_ITEM, team_id=team_id, day=row["day"], item_id=item_id)
    return {
        "stored": True,
        "level": row["level"],
        "trace_id": row["trace_id"],
        "day": row["day"].isoformat(),
        "facts": {name: row[name] for name in FACTS},
        "loss": orjson.loads(row["loss"]),
        "text": row["text"],
        "summaries": [_summary(summary) for summary in summaries],
    }


def _summary(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "theme": row["theme_id"],
        "status": row["status"],
        "error": row["error"],
        "model": row["model"],
        "title": row["title"],
        "flow_diagram": row["flow_diagram"],
        "bullets": _points(row["bullets"]),
        "interesting_notes": _points(row["interesting_notes"]),
    }


def _points(text: str) -> list[Any]:
    """Bullets or notes of a summary; none were stored for one that failed."""
    points = orjson.loads(text) if text else []
    return points if isinstance(points, list) else []


def _rendered(database: "Database", team_id: int, trace_id: str) -> dict[str, Any] | None:
    """The text of a trace that no run has stored yet."""
    from dataclasses import asdict

    from llma_assets.discovery import TRIGGER_EVENTS
    from llma_assets.rendering import item_facts, render_trace
    from llma_assets.rendering.queries import DAY_OF_TRACE, Candidate, events_of_traces

    (span,) = database.rows(DAY_OF_TRACE, team_id=team_id, trace_id=trace_id, trigger_events=list(TRIGGER_EVENTS))
    if not trace_id or not span["events"]:
        return None
    candidate = Candidate(trace_id, trace_id, span["first_at"], span["last_at"], span["events"], 0)
    events = [
        {**event, "properties": _properties(event["properties"])}
        for event in events_of_traces(database, team_id, [candidate])[trace_id]
    ]
    rendered, facts = render_trace(events), item_facts(events)
    return {
        "stored": False,
        "level": "trace",
        "trace_id": trace_id,
        "day": span["first_at"].date().isoformat(),
        "facts": {
            "event_count": len(events),
            "line_count": rendered.text.count("\n") + 1,
            "cost_usd": facts.cost_usd,
            "latency_s": facts.latency_s,
            "tokens": facts.tokens,
            "error_count": facts.error_count,
        },
        "loss": asdict(rendered.loss),
        "text": rendered.text,
        "summaries": [],
    }


def _properties(text: str) -> Any:
    """The properties as an object; the renderer shows what cannot be parsed as it is."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
