"""What is not paid twice: `python -m benchmarks.saved_calls [EVENTS.jsonl.gz]`, as Markdown on stdout.

Real traces go through the real stages (texts, summaries, embeddings) of a week. The models are a server on a loopback
port that speaks the OpenAI API and counts what reaches it; each answer is made from the prompt, so that different
texts have different summaries. Then the same is run again: unchanged, with further themes that ask the same, and
after a tenth of the traces got one more event.
"""

import json
import re
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from llma_assets.clickhouse import Database, connect, stop
from llma_assets.embeddings.partition import store_embeddings
from llma_assets.ingest import ingest
from llma_assets.models import OpenAIChat, OpenAIEmbedder
from llma_assets.rendering import RenderOptions
from llma_assets.rendering.store import Sampling, store_texts
from llma_assets.settings import Settings
from llma_assets.stage import silent_calls
from llma_assets.summaries.theme_run import RunLimits, store_theme
from llma_assets.team_day import TeamDay
from llma_assets.teams import TeamOptions
from llma_assets.testing import ChatServer, Request
from llma_assets.themes import BUILT_IN, Theme
from llma_assets.trace_events import TRIGGER_EVENTS

DATA = Path(__file__).resolve().parents[1] / ".." / "shared" / "data" / "airline_agent.events.jsonl.gz"
TEAM = 1
NEW_EVENTS_SHARE = 10
NOW = datetime(2030, 1, 1, tzinfo=UTC)
SAME_QUESTIONS = tuple(replace(theme, theme_id=f"{theme.theme_id}_again") for theme in BUILT_IN)

LAST_EVENTS = """
SELECT JSONExtractString(properties, '$ai_trace_id') AS trace_id, max(timestamp) AS last_at
FROM events FINAL
WHERE team_id = {team_id:Int64} AND event IN {trigger_events:Array(String)}
GROUP BY trace_id
HAVING trace_id != ''
ORDER BY trace_id
"""

DAYS = """
SELECT DISTINCT toDate(timestamp) AS day
FROM events
WHERE team_id = {team_id:Int64} AND event IN {trigger_events:Array(String)}
ORDER BY day
"""

ITEMS = """
SELECT count()
FROM trace_summaries FINAL
WHERE team_id = {team_id:Int64} AND status = 'generated'
"""


@dataclass(frozen=True, slots=True)
class Step:
    """What one pass over the week did.

    Attributes:
        rendered: texts made.
        chat_calls: questions that reached the server.
        embedded: texts that it was asked to embed.
        summaries: summaries that are stored afterwards, of all themes.
    """

    name: str
    rendered: int
    chat_calls: int
    embedded: int
    summaries: int


def main(arguments: list[str]) -> int:
    """Measure a file of events, by default the shared one; 2 if it is missing."""
    path = Path(arguments[0]) if arguments else DATA
    if not path.is_file():
        print(f"not found: {path}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="llma-benchmark-") as folder:
        settings = Settings.from_env({"LLMA_DATA_DIR": folder})
        try:
            with connect(settings) as database, ChatServer(answer) as server:
                ingest(path, database, rejects=settings.rejects_dir, team_id=TEAM)
                show(path, measure(database, server))
        finally:
            stop(settings.data_dir)
    return 0


def measure(database: Database, server: ChatServer) -> Iterable[Step]:
    """The steps one after another, each on what the ones before it left."""
    themes = (*BUILT_IN, *SAME_QUESTIONS)
    yield run_week(database, server, "first run", BUILT_IN)
    yield run_week(database, server, "second run", BUILT_IN)
    yield run_week(database, server, "two more themes with the same prompts", themes)
    add_events(database)
    yield run_week(database, server, "a tenth of the traces got an event, four themes", themes)
    yield run_week(database, server, "once more", themes)


def run_week(database: Database, server: ChatServer, name: str, themes: Sequence[Theme]) -> Step:
    """Texts, summaries and embeddings of each day that has events, with the options of a team that set none."""
    before = len(server.requests)
    options = TeamOptions()
    per_hour = {"trace": options.max_traces_per_hour, "generation": options.max_generations_per_hour}
    chat = OpenAIChat("counted", base_url=server.url)
    embedder = OpenAIEmbedder("counted-embedder", base_url=server.url)
    rendered = 0
    for day in days(database):
        team_day = TeamDay(TEAM, day)
        sampling = Sampling(NOW, options.quiet, per_hour)
        texts = store_texts(database, team_day, RenderOptions(), sampling, progress=unseen)
        rendered += sum(level.counts["rendered"] for level in texts.values())
        for theme in themes:
            store_theme(database, team_day, theme, chat, limits=RunLimits(name), progress=unseen)
        store_embeddings(database, team_day, embedder, themes=themes, progress=silent_calls)
    requests = server.requests[before:]
    return Step(
        name,
        rendered,
        chat_calls=sum(request.path.endswith("/completions") for request in requests),
        embedded=sum(len(request.body["input"]) for request in requests if request.path.endswith("/embeddings")),
        summaries=database.value(ITEMS, team_id=TEAM),
    )


def add_events(database: Database) -> None:
    """One more tool call for every tenth trace, a minute after its last event."""
    rows = database.rows(LAST_EVENTS, team_id=TEAM, trigger_events=list(TRIGGER_EVENTS))[::NEW_EVENTS_SHARE]
    database.insert_rows("events", [late_span(row["trace_id"], row["last_at"] + timedelta(minutes=1)) for row in rows])


def late_span(trace_id: str, when: datetime) -> dict[str, Any]:
    """A tool call that arrives when its trace was summarised already."""
    properties = {"$ai_trace_id": trace_id, "$ai_span_name": "survey", "$ai_output_state": f"sent for {trace_id}"}
    return {
        "uuid": uuid5(NAMESPACE_URL, f"late|{trace_id}"),
        "event": "$ai_span",
        "team_id": TEAM,
        "distinct_id": "survey",
        "timestamp": when,
        "properties": json.dumps(properties),
    }


def days(database: Database) -> list[date]:
    """The days that have events."""
    return [row["day"] for row in database.rows(DAYS, team_id=TEAM, trigger_events=list(TRIGGER_EVENTS))]


def answer(request: Request) -> str:
    """A summary that differs where the record does, and refers to its first line."""
    record = request.prompt.partition(" begins ===\n")[2]
    line = re.search(r"^L\d+", record, re.MULTILINE)
    bullets = [{"text": f"Record {sha256(record.encode()).hexdigest()}", "line_refs": line[0] if line else ""}]
    return json.dumps({"title": "A record", "flow_diagram": "", "bullets": bullets, "interesting_notes": []})


def unseen(done: int, total: int) -> None:
    """Progress that nobody looks at."""


def show(path: Path, steps: Iterable[Step]) -> None:
    """The steps as a Markdown table."""
    print(f"# Calls that are not made again\n\n{path.name}; run it again with `python -m benchmarks.saved_calls`.\n")
    print("| step | texts rendered | questions asked | texts embedded | summaries stored |")
    print("|---|---:|---:|---:|---:|")
    for step in steps:
        print(
            f"| {step.name} | {step.rendered:,} | {step.chat_calls:,} | {step.embedded:,} | {step.summaries:,} |",
            flush=True,
        )


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
