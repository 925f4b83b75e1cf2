"""The report of a trace or generation: the text that models read, and the answer of each theme."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, timedelta
from typing import Annotated, Any
from uuid import UUID

import orjson
from pydantic import Field

from llma_assets.clickhouse import Database
from llma_assets.clusters import (
    NOISE_LABEL,
    NOISE_TITLE,
    NOTHING,
    NearCluster,
    Standing,
    clusters_of_items,
    counted_as,
    nearest_clusters,
    standings_of,
    taken_out_of,
)
from llma_assets.rendering import (
    DAY_OF_TRACE,
    HOME_DAYS,
    TIME_OF_GENERATION,
    Candidate,
    RenderOptions,
    events_of_generations,
    events_of_traces,
    hides_enough,
    item_facts,
    loss_document,
    render_generation,
    render_trace,
    stored_text,
)
from llma_assets.serialization import Amount, Day, Rounded, TeamId, ThemeId
from llma_assets.summaries import summaries_of_item
from llma_assets.trace_events import TRIGGER_EVENTS


@dataclass(frozen=True, slots=True)
class TraceFacts:
    """Figures about a trace."""

    event_count: int
    line_count: int
    cost_usd: Amount
    latency_s: Amount
    tokens: int
    error_count: int


@dataclass(frozen=True, slots=True)
class SecondChoice:
    """The nearest cluster that an item is not in.

    Attributes:
        cluster_id, lineage_id, title: of the same run.
        distance: Euclidean, from the item's vector at length 1 to the cluster's centroid.
        own_distance: to the centroid of its own cluster, None for an outlier.
        reach: how far the other cluster's members lie, 0 where that is not known.
    """

    cluster_id: int
    lineage_id: str
    title: str
    distance: Rounded
    own_distance: Rounded | None
    reach: Rounded


@dataclass(frozen=True, slots=True)
class ItemCluster:
    """The cluster that an item was in last: of the day's run, under the name and lineage that people gave it.

    Attributes:
        second: the nearest other one; of the requested item only, None where vectors are gone or there is no other.
    """

    day: Day
    cluster_id: int
    lineage_id: str
    title: str
    second: SecondChoice | None = None


@dataclass(frozen=True, slots=True)
class ThemeAnswer:
    """The answer of a theme about a trace or one of its generations.

    Attributes:
        theme_id, version: the theme.
        item_id, level: the trace or generation.
        status, error: `generated`, or `failed` with the error.
        relevant: whether the item is relevant to the theme.
        model: the model that answered.
        title, flow_diagram, bullets, interesting_notes: the answer; points are objects with `text` and `line_refs`.
        cluster: the latest cluster of the item, None if it has none.
    """

    theme_id: ThemeId
    version: str
    item_id: str
    level: str
    status: str
    error: str
    relevant: bool
    model: str
    title: str
    flow_diagram: str
    bullets: list[Any]
    interesting_notes: list[Any]
    cluster: ItemCluster | None


@dataclass(frozen=True, slots=True)
class TraceReport:
    """The text of a trace or of a generation.

    Attributes:
        item_id: the requested id.
        stored: False if the text was made now.
        level: `trace` or `generation`.
        trace_id: id of the trace.
        day: day of the item.
        facts: figures about it.
        loss: the renderer's truncation report.
        text: the text that models read.
        summaries: the answers of themes; those about the trace first, then those about its generations.
    """

    team_id: TeamId
    item_id: Annotated[str, Field(serialization_alias="id")]
    stored: bool
    level: str
    trace_id: str
    day: date
    facts: TraceFacts
    loss: dict[str, Any]
    text: str
    summaries: tuple[ThemeAnswer, ...]


def trace_report(database: Database, team_id: int, item_id: str, options: RenderOptions) -> TraceReport | None:
    """The stored text of a trace or generation, else one that is made from its events now; None for an unknown id.

    It is also made now if the stored text shows private values that the team has since decided to hide.

    Args:
        options: how the team's texts are made.
    """
    row = stored_text(database, team_id, item_id)
    if row is None or not hides_enough(row["renderer"], options):
        return _rendered(database, team_id, item_id, options)
    return TraceReport(
        team_id=team_id,
        item_id=item_id,
        stored=True,
        level=row["level"],
        trace_id=row["trace_id"],
        day=row["day"],
        facts=TraceFacts(**{each.name: row[each.name] for each in fields(TraceFacts)}),
        loss=loss_document(orjson.loads(row["loss"])),
        text=row["text"],
        summaries=tuple(_answers(database, team_id, item_id, row["day"])),
    )


def _answers(database: Database, team_id: int, item_id: str, day: date) -> list[ThemeAnswer]:
    # A generation may begin some days after its trace.
    last_day = day + timedelta(days=HOME_DAYS)
    rows = summaries_of_item(database, team_id, item_id, first_day=day, last_day=last_day)
    clusters = _clusters(database, team_id, rows, item_id)
    return [
        ThemeAnswer(
            theme_id=row["theme_id"],
            version=row["theme_version"],
            item_id=row["item_id"],
            level=row["level"],
            status=row["status"],
            error=row["error"],
            relevant=row["relevant"],
            model=row["model"],
            title=row["title"],
            flow_diagram=row["flow_diagram"],
            bullets=_points(row["bullets"]),
            interesting_notes=_points(row["interesting_notes"]),
            cluster=clusters.get((row["theme_id"], row["item_id"])),
        )
        for row in rows
    ]


def _points(text: str) -> list[Any]:
    """Bullets or notes of a summary; none were stored for one that failed."""
    points = orjson.loads(text) if text else []
    return points if isinstance(points, list) else []


def _clusters(
    database: Database, team_id: int, summaries: Sequence[Mapping[str, Any]], item_id: str
) -> dict[tuple[str, str], ItemCluster]:
    """By theme and item the cluster in the latest run that read it; of one item with its second choice."""
    if not summaries:
        return {}
    rows = clusters_of_items(
        database,
        team_id,
        sorted({row["item_id"] for row in summaries}),
        first_day=min(row["day"] for row in summaries),
        last_day=max(row["day"] for row in summaries),
    )
    decided = standings_of(database, team_id) if rows else {}
    days = {row["day"] for row in summaries if row["item_id"] == item_id}
    homes = [row for row in rows if row["item_id"] == item_id]
    near = nearest_clusters(database, team_id, item_id, min(days), homes) if days else {}
    found = {}
    for row in rows:
        is_noise = row["cluster_id"] == NOISE_LABEL
        lineage_id, title = _known_as(row["lineage_id"], row["title"], row["cluster_id"], decided)
        nearest = near.get(row["theme_id"], ()) if row["item_id"] == item_id else ()
        if row["item_id"] in taken_out_of(lineage_id, decided):
            lineage_id, is_noise, nearest = "", True, ()
        found[row["theme_id"], row["item_id"]] = ItemCluster(
            row["day"],
            NOISE_LABEL if is_noise else row["cluster_id"],
            lineage_id,
            NOISE_TITLE if is_noise else title,
            _second(nearest, decided),
        )
    return found


def _second(near: Sequence[NearCluster], decided: Mapping[str, Standing]) -> SecondChoice | None:
    """The nearest cluster that is not the item's own, also where people count both as one: then there is none."""
    own = next((each for each in near if each.is_own), None)
    for each in near:
        lineage_id, title = _known_as(each.lineage_id, each.title, each.cluster_id, decided)
        if each.is_own or (own and lineage_id and lineage_id == counted_as(own.lineage_id, decided)):
            continue
        return SecondChoice(
            each.cluster_id, lineage_id, title, each.distance, own.distance if own else None, each.radius
        )
    return None


def _known_as(lineage_id: str, title: str, cluster_id: int, decided: Mapping[str, Standing]) -> tuple[str, str]:
    """The lineage that people count a cluster with, and its name."""
    counted = counted_as(lineage_id, decided) if lineage_id else ""
    return counted, decided.get(counted, NOTHING).title or title or f"Cluster {cluster_id}"


def _rendered(database: Database, team_id: int, item_id: str, options: RenderOptions) -> TraceReport | None:
    """The text of a trace or of a generation that no run has stored yet."""
    events = _events_of_trace(database, team_id, item_id)
    level = "trace" if events else "generation"
    events = events or _event_of_generation(database, team_id, item_id)
    if not events:
        return None
    rendered = render_trace(events, options) if level == "trace" else render_generation(events[0], options)
    facts, properties = item_facts(events), events[0]["properties"]
    return TraceReport(
        team_id=team_id,
        item_id=item_id,
        stored=False,
        level=level,
        trace_id=str(properties["$ai_trace_id"]) if isinstance(properties, dict) else "",
        day=min(event["timestamp"] for event in events).date(),
        facts=TraceFacts(
            event_count=len(events),
            line_count=rendered.text.count("\n") + 1,
            cost_usd=facts.cost_usd,
            latency_s=facts.latency_s,
            tokens=facts.tokens,
            error_count=facts.error_count,
        ),
        loss=loss_document(asdict(rendered.loss)),
        text=rendered.text,
        summaries=(),
    )


def _events_of_trace(database: Database, team_id: int, trace_id: str) -> list[dict[str, Any]]:
    (span,) = database.rows(DAY_OF_TRACE, team_id=team_id, trace_id=trace_id, trigger_events=list(TRIGGER_EVENTS))
    if not trace_id or not span["events"]:
        return []
    candidate = Candidate(trace_id, trace_id, span["first_at"], span["last_at"], span["events"], 0)
    return _with_properties(events_of_traces(database, team_id, [candidate])[trace_id])


def _event_of_generation(database: Database, team_id: int, uuid: str) -> list[dict[str, Any]]:
    try:
        identity = str(UUID(uuid))
    except ValueError:
        return []
    rows = database.rows(TIME_OF_GENERATION, team_id=team_id, generation_id=identity)
    if not rows:
        return []
    at = rows[0]["at"]
    found = events_of_generations(database, team_id, [Candidate(identity, "", at, at, 1, 0)])
    return _with_properties(found.get(identity, []))


def _with_properties(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**event, "properties": _properties(event["properties"])} for event in events]


def _properties(text: str) -> Any:
    """The parsed properties; the renderer shows text that cannot be parsed unchanged."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
