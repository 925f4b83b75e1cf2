"""What a source holds: whether it can be read, whose rows there are, what is missing, three traces as they are read."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson

from llma_assets.clickhouse import Database, DatabaseError, error_summary
from llma_assets.rendering import RenderOptions, render_trace
from llma_assets.serialization import TeamId
from llma_assets.source_catalog import seen_tenants, team_of
from llma_assets.sources import KINDS, Source, Tenant

DAYS: Final = 7
"""Days that are looked at, back from now."""

LOOKED_AT: Final = 100
"""So many of the newest traces are read with their content."""

SHOWN: Final = 3
SHOWN_CHARS: Final = 1_500
_CONTENT: Final = ("$ai_input", "$ai_output", "$ai_output_choices", "$ai_input_state", "$ai_output_state")

# For whoever operates the pipeline: of all teams of one source. Light columns only.
COUNTED = """
SELECT count() AS rows, uniqExact(event_trace_id) AS traces, max(timestamp) AS last_at
FROM {events_database:Identifier}.{events_table:Identifier}
WHERE timestamp >= {start:DateTime64(6, 'UTC')}
    AND timestamp < {end:DateTime64(6, 'UTC')}
"""

NEWEST_TRACES = """
SELECT event_trace_id AS trace_id, min(timestamp) AS first_at, max(timestamp) AS last_at
FROM {events_database:Identifier}.{events_table:Identifier}
WHERE timestamp >= {start:DateTime64(6, 'UTC')}
    AND timestamp < {end:DateTime64(6, 'UTC')}
GROUP BY trace_id
HAVING trace_id != ''
ORDER BY last_at DESC, trace_id
LIMIT {most:UInt32}
"""

EVENTS_OF_TRACES = """
SELECT toString(uuid) AS uuid, event, team_id, distinct_id, timestamp, properties, event_trace_id AS trace_id
FROM {events_database:Identifier}.{events_table:Identifier}
WHERE timestamp >= {start:DateTime64(6, 'UTC')}
    AND timestamp <= {end:DateTime64(6, 'UTC')}
    AND trace_id IN {trace_ids:Array(String)}
"""


@dataclass(frozen=True, slots=True)
class TenantOfSource:
    """A tenant, and its team's number."""

    tenant: str
    team_id: TeamId


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A source as it is stored.

    Attributes:
        reads: what its kind is, in words.
        tenant, user: columns that say whose a row is, and who used the application.
        others: further tables, by the name of their role.
    """

    name: str
    kind: str
    reads: str
    table: str
    tenant: str
    user: str
    others: dict[str, str]
    tenants: tuple[TenantOfSource, ...]


@dataclass(frozen=True, slots=True)
class SourcesReport:
    """All sources, beside the pipeline's own table of events."""

    sources: tuple[SourceRow, ...]


@dataclass(frozen=True, slots=True)
class ExampleTrace:
    """A trace as it is read."""

    trace_id: str
    team_id: int
    text: str


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What a source holds.

    Attributes:
        reachable: whether its tables can be read with the columns of their kind.
        error: why not.
        days: so many days up to now were looked at; counts of calls, users and so on are of the newest traces alone.
        calls: model calls; with message text, a cost, tokens.
        advice: what to change where something is missing.
        examples: the newest traces.
    """

    name: str
    kind: str
    table: str
    reachable: bool
    error: str = ""
    days: int = DAYS
    rows: int = 0
    traces: int = 0
    last_at: datetime | None = None
    tenants: tuple[TenantOfSource, ...] = ()
    calls: int = 0
    with_content: int = 0
    with_cost: int = 0
    with_tokens: int = 0
    users: int = 0
    sessions: int = 0
    errors: int = 0
    advice: tuple[str, ...] = ()
    examples: tuple[ExampleTrace, ...] = ()

    @property
    def usable(self) -> bool:
        """Whether there are traces with message text."""
        return self.reachable and (self.calls == 0 or self.with_content > 0)


def sources_report(sources: Iterable[Source]) -> SourcesReport:
    """Sources as they are stored."""
    return SourcesReport(tuple(source_row(source) for source in sources))


def source_row(source: Source) -> SourceRow:
    """A source as it is stored."""
    kind = KINDS[source.kind]
    return SourceRow(
        name=source.name,
        kind=source.kind,
        reads=kind.what,
        table=source.table,
        tenant=source.tenant or kind.tenant,
        user=source.user,
        others=dict(source.others),
        tenants=_tenants(source),
    )


def _tenants(source: Source) -> tuple[TenantOfSource, ...]:
    return tuple(TenantOfSource(tenant.value, tenant.team_id) for tenant in source.tenants)


def source_report(
    database: Database, source: Source, *, team_id: int | None = None, now: datetime | None = None
) -> SourceReport:
    """Look at a source, stored or not. Reads content of some of the newest traces; writes nothing.

    Args:
        team_id: all rows are of this team, for a source that is not stored yet.
    """
    until = (now or datetime.now(UTC)) + timedelta(days=1)
    since = until - timedelta(days=DAYS + 1)
    report = SourceReport(source.name, source.kind, source.table, reachable=True)
    try:
        if team_id is not None:
            source = replace(source, tenants=(Tenant("", team_id),))
        elif not source.tenants and not KINDS[source.kind].numbered:
            seen = seen_tenants(database, source, since, until)
            source = replace(source, tenants=tuple(Tenant(name, team_of(source.name, name)) for name in seen))
        reader = database.of_source(source)
        (counted,) = reader.rows(COUNTED, start=since, end=until)
        traces = reader.rows(NEWEST_TRACES, start=since, end=until, most=LOOKED_AT)
        events = reader.rows(
            EVENTS_OF_TRACES,
            start=min((trace["first_at"] for trace in traces), default=since),
            end=max((trace["last_at"] for trace in traces), default=since),
            trace_ids=[trace["trace_id"] for trace in traces],
        )
    except DatabaseError as error:
        return replace(report, reachable=False, error=error_summary(str(error)))
    tenants = _tenants(source)
    last_at = counted["last_at"] if counted["rows"] else None
    report = replace(report, rows=counted["rows"], traces=counted["traces"], last_at=last_at, tenants=tenants)
    return _with_events(report, events, [trace["trace_id"] for trace in traces[:SHOWN]])


def _with_events(report: SourceReport, events: list[dict[str, Any]], shown: list[str]) -> SourceReport:
    by_trace: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for event in events:
        by_trace[event["trace_id"]][event["uuid"]] = event
    found = [(event, orjson.loads(event["properties"])) for each in by_trace.values() for event in each.values()]
    calls = [properties for event, properties in found if event["event"] == "$ai_generation"]
    report = replace(
        report,
        calls=len(calls),
        with_content=sum(any(call.get(name) for name in _CONTENT) for call in calls),
        with_cost=sum(any(str(key).endswith("_cost_usd") and call[key] for key in call) for call in calls),
        with_tokens=sum(bool(call.get("$ai_input_tokens")) for call in calls),
        users=len({event["distinct_id"] for event, _ in found} - {event["trace_id"] for event, _ in found}),
        sessions=len({properties.get("$ai_session_id") for _, properties in found} - {None, ""}),
        errors=sum(str(properties.get("$ai_is_error", "")).lower() == "true" for _, properties in found),
        examples=tuple(_example(trace_id, list(by_trace[trace_id].values())) for trace_id in shown),
    )
    return replace(report, advice=tuple(_advice(report)))


def _example(trace_id: str, events: list[dict[str, Any]]) -> ExampleTrace:
    events.sort(key=lambda event: (event["timestamp"], event["uuid"]))
    text = render_trace(events, RenderOptions(max_chars=SHOWN_CHARS)).text
    return ExampleTrace(trace_id, events[0]["team_id"] if events else 0, text)


def _advice(report: SourceReport) -> list[str]:
    kind = KINDS[report.kind]
    found = []
    if not report.rows:
        found.append(f"no rows of the last {report.days} days: is this the right table, and are times in UTC?")
    elif not report.calls:
        found.append("no model calls among the newest traces: is this the right table, and are they traced?")
    elif report.with_content < 0.9 * report.calls:
        found.append(f"{report.calls - report.with_content:,} model calls have no message text: {kind.without_content}")
    if report.calls and not report.users:
        found.append("no user is known: samples are drawn by trace; name the column of users by --user")
    if report.calls and not report.with_cost:
        found.append("no call has a cost: shares of cost stay empty")
    return found
