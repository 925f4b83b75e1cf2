"""What themes save: `python -m benchmarks.themes [EVENTS.jsonl.gz …]`, as Markdown on stdout.

The five built-in themes over a week of real traces, through the real stages. Texts are made for all themes together,
and then for each theme alone in a database of its own: the difference is what sharing saves. The models are a server on
a loopback port that counts what reaches it and finds everything relevant that it is asked about, so that nothing is
saved by its verdicts; calls are held against asking and embedding every trace for every theme. The funnels are those of
the offline models, with clusters. `benchmarks.themes_at_once` measures wall time.
"""

import json
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path

from llma_assets.clickhouse import Database, connect, start, stop
from llma_assets.clickhouse.lifecycle import address
from llma_assets.clusters.partition import RunOptions, store_clusters
from llma_assets.embeddings.partition import store_embeddings
from llma_assets.ingest import ingest
from llma_assets.models import ChatModel, Embedder, OfflineChat, OfflineEmbedder, OpenAIChat, OpenAIEmbedder
from llma_assets.rendering import RenderOptions
from llma_assets.rendering.store import Sampling, store_texts
from llma_assets.reports.funnel import Funnel, funnel
from llma_assets.settings import Settings
from llma_assets.stage import silent
from llma_assets.summaries.theme_run import RunLimits, store_theme
from llma_assets.team_day import TeamDay
from llma_assets.teams import TeamOptions
from llma_assets.testing import ChatServer, Request, answer_from_schema
from llma_assets.themes import OPTIONAL, TRACES, Theme
from llma_assets.trace_events import TRIGGER_EVENTS

SHARED = Path(__file__).resolve().parents[1] / ".." / "shared" / "data"
DATA = [SHARED / f"{name}.events.jsonl.gz" for name in ("service_dialogues", "airline_agent")]
TEAM = 1
NOW = datetime(2030, 1, 1, tzinfo=UTC)
FIVE = tuple(replace(theme, enabled=True) for theme in OPTIONAL)
STEPS = ("matched", "sampled", "screened", "summarised", "relevant", "clustered", "outliers")

DAYS = """
SELECT DISTINCT toDate(timestamp) AS day
FROM {events_database:Identifier}.{events_table:Identifier}
WHERE team_id = {team_id:Int64} AND event IN {trigger_events:Array(String)}
ORDER BY day
"""

TRACES_OF_TEAM = """
SELECT uniqExact(JSONExtractString(properties, '$ai_trace_id'))
FROM {events_database:Identifier}.{events_table:Identifier}
WHERE team_id = {team_id:Int64} AND event IN {trigger_events:Array(String)}
"""


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts made: `together` for some themes at once, `alone` for each of them by itself, summed."""

    themes: str
    together: int
    alone: int

    @property
    def saved(self) -> float:
        """The part of the renderings that sharing saves."""
        return 1 - self.together / self.alone


@dataclass(frozen=True, slots=True)
class Calls:
    """What reached the models' server.

    Attributes:
        questions: chat requests for summaries.
        embedded: texts that were embedded.
        naive: traces times themes: as many questions, and as many texts.
    """

    questions: int
    embedded: int
    naive: int


class Server:
    """The embedded server with the events of a file; pipelines on it have a database each."""

    def __init__(self, folder: str, path: Path) -> None:
        self._settings = Settings.from_env({"LLMA_DATA_DIR": folder})
        self._pipelines = 0
        with connect(self._settings) as database:
            ingest(path, database, rejects=self._settings.rejects_dir, team_id=TEAM)
            self._events_table = f"{database.name}.events"

    @contextmanager
    def pipeline(self) -> Iterator[Database]:
        """An empty database that reads the events."""
        self._pipelines += 1
        host, port, user, password = address(self._settings.data_dir, start(self._settings.data_dir))
        url = f"http://{user}:{password}@{host}:{port}/pipeline_{self._pipelines}"
        with connect(replace(self._settings, clickhouse_url=url, events_table=self._events_table)) as database:
            yield database

    def stop(self) -> None:
        """End it."""
        stop(self._settings.data_dir)


def main(arguments: list[str]) -> int:
    """Measure files of events, by default the two shared ones; 2 if one is missing."""
    paths = [Path(argument) for argument in arguments] or DATA
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        print(f"not found: {', '.join(missing)}", file=sys.stderr)
        return 2
    print("# What themes save\n\nRun it again with `python -m benchmarks.themes`, on two cores.")
    for path in paths:
        with tempfile.TemporaryDirectory(prefix="llma-benchmark-") as folder:
            server = Server(folder, path)
            try:
                show(path, server)
            finally:
                server.stop()
    return 0


def show(path: Path, server: Server) -> None:
    """All figures of one file, as Markdown."""
    with server.pipeline() as database:
        key = {"team_id": TEAM, "trigger_events": list(TRIGGER_EVENTS)}
        traces = database.value(TRACES_OF_TEAM, **key)
        days = [row["day"] for row in database.rows(DAYS, **key)]
    print(f"\n## {path.name.partition('.')[0]}: {traces:,} traces, {len(days)} days\n")
    print("| themes | texts made together | each theme alone | saved |\n|---|---:|---:|---:|")
    for texts in measure_texts(server, days):
        print(f"| {texts.themes} | {texts.together:,} | {texts.alone:,} | {texts.saved:.1%} |", flush=True)
    calls = measure_calls(server, days, traces)
    print("\n| five themes | asked | every trace for every theme | saved |\n|---|---:|---:|---:|")
    for what, asked in (("questions", calls.questions), ("texts embedded", calls.embedded)):
        print(f"| {what} | {asked:,} | {calls.naive:,} | {1 - asked / calls.naive:.1%} |", flush=True)
    print(f"\nOffline, the funnels of the week:\n\n| theme | {' | '.join(STEPS)} |\n|---|{'---:|' * len(STEPS)}")
    began = time.perf_counter()
    for theme, counts in measure_funnels(server, days):
        print(f"| {theme.theme_id} | {' | '.join(f'{getattr(counts, step):,}' for step in STEPS)} |", flush=True)
    print(f"\nSummaries, embeddings and clusters of the five took {time.perf_counter() - began:.0f} s.", flush=True)


def measure_texts(server: Server, days: Sequence[date]) -> Iterator[Texts]:
    """Texts for the five themes, and for the general one of traces beside them."""
    alone: dict[str, int] = {}
    for theme in (TRACES, *FIVE):
        with server.pipeline() as database:
            alone[theme.theme_id] = make_texts(database, days, [theme])
    for name, themes in (("the five", FIVE), ("the five and the general one", (TRACES, *FIVE))):
        with server.pipeline() as database:
            together = make_texts(database, days, themes)
        yield Texts(name, together, sum(alone[theme.theme_id] for theme in themes))


def measure_calls(server: Server, days: Sequence[date], traces: int) -> Calls:
    """What the five themes ask of a server that counts, and has embedded."""
    with server.pipeline() as database, ChatServer(answer) as models:
        make_texts(database, days, FIVE)
        run(database, days, OpenAIChat("counted", base_url=models.url), OpenAIEmbedder("e", base_url=models.url))
        embedded = sum(len(request.body["input"]) for request in models.calls("/v1/embeddings"))
        return Calls(len(models.calls()), embedded, traces * len(FIVE))


def measure_funnels(server: Server, days: Sequence[date]) -> Iterator[tuple[Theme, Funnel]]:
    """The five themes through the offline models, to the clusters of the last day."""
    with server.pipeline() as database:
        make_texts(database, days, FIVE)
        embedder = OfflineEmbedder()
        run(database, days, OfflineChat(), embedder)
        store_clusters(
            database,
            TeamDay(TEAM, days[-1]),
            model_name=embedder.name,
            lookback_days=len(days),
            options=RunOptions(),
            themes=FIVE,
            progress=silent,
        )
        for theme in FIVE:
            yield theme, funnel(database, TEAM, days[0], days[-1], theme)


def make_texts(database: Database, days: Sequence[date], themes: Sequence[Theme]) -> int:
    """The texts that themes look at, with the options of a team that set none; how many were made."""
    options = TeamOptions()
    sampling = Sampling(NOW, options.quiet, {"trace": options.max_traces_per_hour}, themes)
    return sum(
        level.counts["rendered"]
        for day in days
        for level in store_texts(database, TeamDay(TEAM, day), RenderOptions(), sampling, progress=unseen).values()
    )


def run(database: Database, days: Sequence[date], chat: ChatModel, embedder: Embedder) -> None:
    """Summaries and embeddings of the five themes, day by day."""
    for day in days:
        for theme in FIVE:
            store_theme(database, TeamDay(TEAM, day), theme, chat, limits=RunLimits("run"), progress=unseen)
        store_embeddings(database, TeamDay(TEAM, day), embedder, themes=FIVE, progress=silent)


def answer(request: Request) -> str:
    """A summary that differs where the record or the theme does, relevant in any case; other questions by schema."""
    fields = (request.schema or {}).get("properties", {})
    if "flow_diagram" not in fields:
        return answer_from_schema(request)
    line = re.search(r"^L\d+", request.prompt, re.MULTILINE)
    words = f"Record {sha256(request.prompt.encode()).hexdigest()}"
    bullets = [{"text": words, "line_refs": line[0] if line else ""}]
    summary = {"title": "A record", "flow_diagram": "", "bullets": bullets, "interesting_notes": []}
    return json.dumps({"theme_relevant": True, **summary} if "theme_relevant" in fields else summary)


def unseen(done: int, total: int) -> None:
    """Progress that nobody looks at."""


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
