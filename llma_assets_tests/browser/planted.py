"""What the browser is shown: hostile words of one team, two weeks of another, and a team without results."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

import orjson

from llma_assets.alerts import Incident
from llma_assets.alerts.incidents import store_incidents
from llma_assets.clickhouse import Database
from llma_assets.clusters import runs_of_day
from llma_assets.summaries.dead_letters import MAX_FAILURES
from llma_assets.team_day import TeamDay
from llma_assets.testing import similar_segments, write_segments
from llma_assets.testing.traffic import TOPICS, trace, write_events
from llma_assets.themes import Document, apply
from llma_assets.trackers import Document as TrackersDocument
from llma_assets.trackers import Tracker, TrackerRule, issues_to_come, trackers_of
from llma_assets.trackers import apply as apply_trackers
from llma_assets.trackers.links import store_links
from llma_assets_tests.alerts.planted import plant_days
from llma_assets_tests.reports.stored_runs import DAY
from llma_assets_tests.tasks.passing import a_pass
from llma_assets_tests.web.planted import HOSTILE, MINE, OTHER, plant

CALM = 3
"""The team with two weeks of results."""

DAILY = 5
"""The team with forty days of results: a cluster that is as ever, and one that is far above it on the last day."""

CLUSTERS = (
    ("refund", "Refund asked twice", "Users ask again because nobody answered the first time.", 20, 20),
    ("flight", "Change of a flight", "Users move a flight to another day.", 14, 12),
    ("invoice", "Invoice without VAT number", "The invoice lacks what the accountant needs.", 9, 3),
    ("payment", "Payment fails at checkout", "The card is refused after the last step.", 0, 16),
)
"""Lineage, title, description, items of the week before, and of this one."""

TRACKERS = TrackersDocument(
    (Tracker("bugs", "github", "acme/app", "LLMA_TRACKERS_TOKEN"),), (TrackerRule("all", "bugs", min_users=1),)
)
"""A tracker with a rule, whose issues wait."""

HUGE = "W" * 1_000_000
"""A word of a megabyte, of team `MINE`: in its events, and wherever a row holds words."""


def plant_all(database: Database) -> None:
    """Everything that the tests of this folder look at."""
    plant(database)
    _hostile_theme(database)
    for team_id, prefix in ((CALM, "c"), (OTHER, "other")):
        _two_weeks(database, team_id, prefix)
    titles = {"steady": "Opening hours", "spiking": "Login fails"}
    plant_days(database, {"steady": [6] * 40, "spiking": [5] * 39 + [40]}, titles=titles, team_id=DAILY, last=DAY)
    when = datetime.combine(DAY, time(9), UTC)
    calm = (trace(CALM, f"e{number}", when, request=topic) for number, topic in enumerate(list(TOPICS.values()) * 4))
    hostile = (
        trace(MINE, f"h{n}", when, request=word, extra={word[:60]: word[:200]}) for n, word in enumerate(HOSTILE)
    )
    write_events(database, (row for rows in (*calm, *hostile) for row in rows))
    for team_id, text in ((CALM, "An error came"), (MINE, HOSTILE[1])):
        write_segments(database, similar_segments("a", 0, team_id=team_id, text=text))
        a_pass(database, datetime.combine(DAY, time(6), UTC), team_id=team_id)
        apply_trackers(database, team_id, TRACKERS, "ann")
        store_links(database, team_id, issues_to_come(database, trackers_of(database, team_id), now=when))
    _huge_words(database, when)
    for team_id in (CALM, MINE):
        _dead_letter(database, team_id, "An answer that is no answer" if team_id == CALM else HUGE)


def _huge_words(database: Database, when: datetime) -> None:
    """A word of a megabyte in everything that an application sends, and in rows that show what it sent."""
    failed = {HUGE: HUGE, "$ai_span_name": HUGE, "$ai_model": HUGE, "$ai_is_error": True, "$ai_error": HUGE}
    write_events(database, trace(MINE, "huge", when, request=HUGE, answer=HUGE, extra=failed))
    (run,) = runs_of_day(database, TeamDay(MINE, DAY))
    label = {"title": HUGE, "description": HUGE, "status": "generated", "error": "", "model": "offline/x"}
    database.insert_rows("cluster_labels", [{**run.attempt, "cluster_id": len(HOSTILE) - 1, **label}])
    for table, names in (("trace_texts", ("text",)), ("trace_summaries", ("title",))):
        row = database.rows(f"SELECT * FROM {table} FINAL WHERE team_id = {MINE} AND item_id = 't14'")[0]
        database.insert_rows(
            table, [{**row, **dict.fromkeys(names, HUGE), "inserted_at": datetime(2027, 1, 1, tzinfo=UTC)}]
        )
    skip = {"stage": "trace_summaries", "theme_id": "traces", "reason": "failed", "detail": HUGE}
    database.insert_rows("skips", [{"team_id": MINE, "day": DAY, **skip}])
    told = Incident(UUID(int=7), "escalating", "v", "traces", "traces-0", "traces-0", HUGE, DAY, 60.0, 1)
    calm = Incident(UUID(int=8), "escalating", "v", "traces", "refund", "refund", CLUSTERS[0][1], DAY, 60.0, 1)
    store_incidents(database, {MINE: [told], CALM: [calm]})


def _dead_letter(database: Database, team_id: int, reason: str) -> None:
    key = {"team_id": team_id, "day": DAY, "theme_id": "traces", "item_id": "dead", "content_hash": "h"}
    when = datetime.combine(DAY, time(9), UTC)
    failure = {**key, "reason": reason, "retried": False, "failed_at": when}
    database.insert_rows("summary_failures", [{**failure, "run_id": f"r{run}"} for run in range(MAX_FAILURES)])
    failed = _summary(team_id, {"item_id": "dead", "trace_id": "dead", "generation_id": ""}, when, "")
    database.insert_rows("trace_summaries", [{**failed, **key, "status": "failed", "error": reason}])


def _hostile_theme(database: Database) -> None:
    filters = [{"key": word[:60], "operator": "exact", "value": word[:200]} for word in HOSTILE]
    theme = {
        "theme_id": "hostile",
        "name": HOSTILE[0],
        "description": " ".join(HOSTILE)[:900],
        "prompt": " ".join(HOSTILE)[:900],
        "filters": filters[:20],
    }
    apply(database, MINE, Document((theme,)), HOSTILE[1])


def _two_weeks(database: Database, team_id: int, prefix: str) -> None:
    for week, day in enumerate((DAY - timedelta(days=7), DAY)):
        _run(database, team_id, day, prefix, week)


def _run(database: Database, team_id: int, day: date, prefix: str, week: int) -> None:
    attempt, key = uuid4(), {"team_id": team_id, "day": day, "theme_id": "traces"}
    sizes = {number: each[3 + week] for number, each in enumerate(CLUSTERS) if each[3 + week]} | {-1: 4}
    members, texts, summaries = [], [], []
    for cluster_id, size in sizes.items():
        for rank in range(size):
            item_id, item_day = f"{prefix}{week}-{cluster_id}-{rank}", day - timedelta(days=rank % 7)
            when = datetime.combine(item_day, time(8, rank), UTC)
            title = CLUSTERS[cluster_id][1] if cluster_id >= 0 else "Something else"
            item: dict[str, Any] = {"item_id": item_id, "trace_id": item_id, "generation_id": ""}
            spot = {"x": (cluster_id % 2) * 4 + rank % 5 * 0.2, "y": cluster_id // 2 * 4 + rank % 3 * 0.2}
            members.append(
                {**key, **item, **spot, "attempt_id": attempt, "item_day": item_day, "cluster_id": cluster_id}
                | {"distance": rank / 100, "rank": rank, "strength": 1.0, "timestamp": when}
            )
            texts.append(_text(team_id, item, when, title, rank))
            summaries.append(_summary(team_id, item, when, title))
    database.insert_rows("cluster_members", members)
    database.insert_rows("clusters", list(_clusters(key, attempt, sizes, week)))
    database.insert_rows("cluster_labels", list(_labels(key, attempt, sizes)))
    database.insert_rows("clustering_runs", [_commit(key, attempt, sizes, day, week)])
    database.insert_rows("trace_texts", texts)
    database.insert_rows("trace_summaries", summaries)


def _clusters(key: Mapping[str, Any], attempt: Any, sizes: Mapping[int, int], week: int) -> Iterator[dict[str, Any]]:
    for cluster_id, size in sizes.items():
        before = CLUSTERS[cluster_id][3] if cluster_id >= 0 else 0
        status = "" if cluster_id < 0 else "continued" if week and before else "new"
        yield {
            **key,
            "attempt_id": attempt,
            "cluster_id": cluster_id,
            "lineage_id": CLUSTERS[cluster_id][0] if cluster_id >= 0 else "",
            "lineage_status": status,
            "size": size,
            "traces": size,
            "centroid": [1.0],
            "centroid_x": 0.0,
            "centroid_y": 0.0,
        }


def _labels(key: Mapping[str, Any], attempt: Any, sizes: Sequence[int] | Mapping[int, int]) -> Iterator[dict[str, Any]]:
    for cluster_id in sizes:
        if cluster_id >= 0:
            _, title, description, *_ = CLUSTERS[cluster_id]
            said = {
                "title": title,
                "description": description,
                "status": "generated",
                "error": "",
                "model": "offline/x",
            }
            yield {**key, **said, "attempt_id": attempt, "cluster_id": cluster_id}


def _commit(key: Mapping[str, Any], attempt: Any, sizes: Mapping[int, int], day: date, week: int) -> dict[str, Any]:
    items = sum(sizes.values())
    previous = (day - timedelta(days=7)).isoformat() if week else None
    return {
        **key,
        "level": "trace",
        "attempt_id": attempt,
        "run_id": f"run-{day}",
        "method": "graph",
        "params": "{}",
        "items": items,
        "window_items": items,
        "clusters": len(sizes) - 1,
        "noise_items": sizes[-1],
        "silhouette": None,
        "inertia": None,
        "quality": orjson.dumps({"stability": 0.91}).decode(),
        "lineage": orjson.dumps({"previous_day": previous, "ended": []}).decode(),
        "embedding_model": "offline/x",
        "window_start": datetime.combine(day - timedelta(days=6), time(), UTC),
        "window_end": datetime.combine(day + timedelta(days=1), time(), UTC),
    }


def _text(team_id: int, item: Mapping[str, Any], when: datetime, title: str, rank: int) -> dict[str, Any]:
    lines = [
        "[1] USER",
        f"{title}, please look into it.",
        "[2] ASSISTANT",
        "I will.",
        *("More of it." for _ in range(40)),
    ]
    text = "\n".join(f"L{number}: {line}" for number, line in enumerate(lines, 1))
    facts = {"event_count": 3, "cost_usd": 0.02, "latency_s": 2.0 + rank, "tokens": 900, "error_count": rank % 3 == 0}
    return {
        **item,
        **facts,
        "team_id": team_id,
        "day": when.date(),
        "level": "trace",
        "text": text,
        "text_hash": "x",
        "loss": "{}",
        "line_count": len(lines),
        "trace_timestamp": when,
        "renderer": "1",
    }


def _summary(team_id: int, item: Mapping[str, Any], when: datetime, title: str) -> dict[str, Any]:
    points = [{"text": "The user asked for it in so many words", "line_refs": "L2"}]
    return {
        **item,
        "team_id": team_id,
        "day": when.date(),
        "level": "trace",
        "theme_id": "traces",
        "content_hash": "",
        "status": "generated",
        "error": "",
        "model": "offline/x",
        "mode": "detailed",
        "title": title,
        "flow_diagram": "",
        "bullets": orjson.dumps(points).decode(),
        "interesting_notes": "[]",
        "text_length": 1,
        "event_count": 3,
        "trace_timestamp": when,
        "batch_run_id": "",
        "relevant": True,
    }
