"""`llma trace`: the text that models see. How a trace becomes text belongs in `rendering`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click
import orjson

from llma_assets.cli.errors import Problem
from llma_assets.cli.options import json_option, opened_database, team_option
from llma_assets.cli.queries import TEXT_OF_ITEM
from llma_assets.cli.render.console import emit_json, plain_block, say, show
from llma_assets.cli.render.trace_themes import show_themes, theme_lines, themes_of_item

if TYPE_CHECKING:
    from llma_assets.clickhouse import Database
    from llma_assets.rendering import RenderOptions

FACTS = ("event_count", "line_count", "cost_usd", "latency_s", "tokens", "error_count")
_CHANGES = {
    "values_shortened": "long values",
    "events_shortened": "events touched",
    "base64_removed": "files and images",
    "values_repeated": "values referred to",
    "messages_deduplicated": "messages not repeated",
    "events_ignored": "events of the pipeline or sent twice",
}
"""What a person should know is missing, by its name in the renderer's account of losses."""


@click.command()
@team_option()
@click.argument("item_id", metavar="ID")
@click.option("--loss", "only_loss", is_flag=True, help="Print what the text leaves out instead of the text.")
@click.option("--themes", "only_themes", is_flag=True, help="Print what each theme says of it instead of the text.")
@json_option
def trace(team_id: int, item_id: str, only_loss: bool, only_themes: bool, as_json: bool) -> None:
    """Print the text of a trace as models see it.

    Or of one generation, by its uuid. The stored text where there is one; else it is made from the events now, and
    not stored. So it is, too, where the stored text shows private values that the team has hidden since. What the
    text leaves out is said on stderr, and so is what the team's themes say of it: whether it is relevant, its
    summary's title, and the cluster that it is in. An unknown id is a failure: exit code 1.
    """
    from llma_assets.cli.run.days import days_there_are

    with opened_database() as database:
        options = _options(team_id)
        found = _stored(database, team_id, item_id, options) or _rendered(database, team_id, item_id, options)
        there = days_there_are(database, team_id) if found is None else ""
    if found is None:
        raise Problem(f"team {team_id} has no trace {item_id!r}; `llma clusters` lists ids. {there}")
    if as_json:
        emit_json({"team": team_id, "id": item_id, **found})
        return
    if not found["stored"]:
        say("Not stored yet: made from the events now.")
    if only_loss:
        show("\n".join(loss_lines(found["loss"])))
        return
    if only_themes:
        if not found["summaries"]:
            say("No theme has looked at it yet; `llma run` has them look.")
        show_themes(found["summaries"])
        return
    click.echo(plain_block(found["text"]))
    for line in (*loss_lines(found["loss"]), *theme_lines(found["summaries"])):
        say(line)


def loss_lines(loss: Mapping[str, Any]) -> list[str]:
    """A renderer's account of losses for a person, a line a subject; what is not there is not mentioned."""
    lines = []
    if loss.get("characters_before"):
        tokens = f", {loss['tokens_after']:,} tokens" if loss.get("tokens_after") else ""
        lines.append(
            f"Length: {loss['characters_after']:,} characters in {loss['lines_after']:,} lines{tokens}, made of"
            f" {loss['characters_before']:,} in {loss['lines_before']:,}"
        )
    if loss.get("rules"):
        lines.append(f"Rules used: {', '.join(loss['rules'])}")
    cut = [f"{words} {loss[name]:,}" for name, words in _CHANGES.items() if loss.get(name)]
    if cut:
        lines.append(f"Cut from the text: {', '.join(cut)}")
    for name, title in (("redactions", "Hidden"), ("survivors_missing", "No room for")):
        if loss.get(name):
            lines.append(f"{title}: {', '.join(f'{kind} {count:,}' for kind, count in loss[name].items())}")
    return lines


def _options(team_id: int) -> "RenderOptions":
    """What the team's texts are made with."""
    from llma_assets.cli.run.settings import team_settings
    from llma_assets.rendering import RenderOptions
    from llma_assets.settings import Settings

    return RenderOptions.of_team(team_settings().options_of(team_id), Settings.from_env().chat_model)


def _stored(database: "Database", team_id: int, item_id: str, options: "RenderOptions") -> dict[str, Any] | None:
    from llma_assets.rendering import hides_enough

    rows = database.rows(TEXT_OF_ITEM, team_id=team_id, item_id=item_id)
    if not rows or not hides_enough(rows[0]["renderer"], options):
        return None
    (row,) = rows
    return {
        "stored": True,
        "level": row["level"],
        "trace_id": row["trace_id"],
        "day": row["day"].isoformat(),
        "facts": {name: row[name] for name in FACTS},
        "loss": orjson.loads(row["loss"]),
        "text": row["text"],
        "summaries": themes_of_item(database, team_id, item_id, row["day"]),
    }


def _rendered(database: "Database", team_id: int, item_id: str, options: "RenderOptions") -> dict[str, Any] | None:
    """The text of a trace or of a generation that no run has stored yet."""
    from dataclasses import asdict

    from llma_assets.rendering import item_facts, render_generation, render_trace

    events = _events_of_trace(database, team_id, item_id)
    level = "trace" if events else "generation"
    events = events or _event_of_generation(database, team_id, item_id)
    if not events:
        return None
    rendered = render_trace(events, options) if level == "trace" else render_generation(events[0], options)
    facts, properties = item_facts(events), events[0]["properties"]
    return {
        "stored": False,
        "level": level,
        "trace_id": str(properties["$ai_trace_id"]) if isinstance(properties, dict) else "",
        "day": min(event["timestamp"] for event in events).date().isoformat(),
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


def _events_of_trace(database: "Database", team_id: int, trace_id: str) -> list[dict[str, Any]]:
    from llma_assets.rendering import DAY_OF_TRACE, Candidate, events_of_traces
    from llma_assets.trace_events import TRIGGER_EVENTS

    (span,) = database.rows(DAY_OF_TRACE, team_id=team_id, trace_id=trace_id, trigger_events=list(TRIGGER_EVENTS))
    if not trace_id or not span["events"]:
        return []
    candidate = Candidate(trace_id, trace_id, span["first_at"], span["last_at"], span["events"], 0)
    return _read(events_of_traces(database, team_id, [candidate])[trace_id])


def _event_of_generation(database: "Database", team_id: int, uuid: str) -> list[dict[str, Any]]:
    from llma_assets.rendering import TIME_OF_GENERATION, Candidate, events_of_generations

    try:
        identity = str(UUID(uuid))
    except ValueError:
        return []
    rows = database.rows(TIME_OF_GENERATION, team_id=team_id, generation_id=identity)
    if not rows:
        return []
    at = rows[0]["at"]
    found = events_of_generations(database, team_id, [Candidate(identity, "", at, at, 1, 0)])
    return _read(found.get(identity, []))


def _read(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**event, "properties": _properties(event["properties"])} for event in events]


def _properties(text: str) -> Any:
    """The properties as an object; the renderer shows what cannot be parsed as it is."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
