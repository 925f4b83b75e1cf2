"""The selection of trace events from all sources that a statement may concern."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from llma_assets.sources.kinds import KINDS
from llma_assets.sources.kinds.events import own_reading
from llma_assets.sources.reading import Reading
from llma_assets.sources.source import Source
from llma_assets.sources.statement import Asked, rewrite

_TENANT: Final = "__tenant__"
"""Stands for the condition on the tenant where a table is read inside another reading."""


def over_sources(
    sql: str, parameters: Mapping[str, Any], sources: Sequence[Source], *, own: bool = True
) -> tuple[str, dict[str, Any]]:
    """A statement over events as one over all sources, and the parameters that it needs in addition.

    Args:
        parameters: of the statement; they tell which team it concerns.
        sources: beside the pipeline's own table of events.
        own: read the own table of events, too.
    """
    added: dict[str, Any] = {}

    def selection(asked: Asked) -> str:
        team = None if asked.team is None else parameters.get(asked.team[1:].partition(":")[0])
        parts = [_select(own_reading(asked), asked, "team_id", ())] if own else []
        for number, source in enumerate(sources):
            parts += _of_source(source, f"source{number}", asked, team, added)
        return f"({' UNION ALL '.join(parts) if parts else _nothing(asked)})"

    return rewrite(sql, selection), added


def tenants_statement(source: Source, since: str, until: str) -> str:
    """The statement that lists the tenants with rows in a time: column `tenant`, at most `{most:UInt32}`.

    Args:
        since: expression of a time, as `until`.
    """
    asked = Asked(("team_id",), None, since, until)
    parts = (
        f"SELECT DISTINCT toString({each.tenant}) AS tenant FROM {each.tables} "
        f"WHERE {' AND '.join(each.conditions) or '1'}".replace(_TENANT, "1")
        for each in KINDS[source.kind].read(source, asked)
    )
    union = " UNION DISTINCT ".join(parts)
    return f"SELECT tenant FROM ({union}) WHERE tenant != '' ORDER BY tenant LIMIT {{most:UInt32}}"


def _of_source(source: Source, prefix: str, asked: Asked, team: int | None, added: dict[str, Any]) -> list[str]:
    kind = KINDS[source.kind]
    readings = kind.read(source, asked)
    if kind.numbered:
        return [
            _select(each, asked, f"toInt64({each.tenant})", (f"{each.tenant} = {asked.team}",) if asked.team else ())
            for each in readings
        ]
    tenants = [tenant for tenant in source.tenants if team is None or tenant.team_id == team]
    if not tenants:
        return []
    if tenants[0].value == "":
        return [_select(each, asked, f"toInt64({tenants[0].team_id})", ()) for each in readings]
    added[f"{prefix}_tenants"] = [tenant.value for tenant in tenants]
    if team is None:
        added[f"{prefix}_teams"] = [tenant.team_id for tenant in tenants]
    parts = []
    for each in readings:
        names = f"{{{prefix}_tenants:Array({each.tenant_type})}}"
        number = (
            f"transform(toString({each.tenant}), arrayMap(t -> toString(t), {names}), "
            f"{{{prefix}_teams:Array(Int64)}}, toInt64(-1))"
            if team is None
            else f"toInt64({asked.team})"
        )
        parts.append(_select(each, asked, number, (f"{each.tenant} IN {names}",)))
    return parts


def _select(reading: Reading, asked: Asked, team: str, conditions: tuple[str, ...]) -> str:
    unless_told = {"event_counts": "toUInt8(1)", "event_unreadable": "toUInt8(0)", "event_state": "toUInt64(0)"}
    columns = {**unless_told, **reading.columns, "team_id": team}
    chosen = ", ".join(_named(columns[name], name) for name in asked.columns) or "1 AS nothing"
    where = " AND ".join((*conditions, *reading.conditions))
    statement = f"{reading.setup} SELECT {chosen} FROM {reading.tables}{f' WHERE {where}' if where else ''}"
    # A table that is joined, or looked up, has its tenants in a column of the same name.
    inner = " AND ".join(_unqualified(condition) for condition in conditions) or "1"
    return statement.replace(_TENANT, inner).lstrip()


def _unqualified(condition: str) -> str:
    """A condition on a column without the alias of its table."""
    return re.sub(r"^\w+\.", "", condition)


def _named(expression: str, name: str) -> str:
    return name if expression == name else f"{expression} AS {name}"


def _nothing(asked: Asked) -> str:
    types = {
        "uuid": "toUUID('00000000-0000-0000-0000-000000000000')",
        "team_id": "toInt64(0)",
        "timestamp": "toDateTime64(0, 6, 'UTC')",
        "event_bytes": "toUInt64(0)",
        "event_counts": "toUInt8(0)",
        "event_unreadable": "toUInt8(0)",
        "event_state": "toUInt64(0)",
    }
    empty = "''"
    chosen = ", ".join(f"{types.get(name, empty)} AS {name}" for name in asked.columns) or "1 AS nothing"
    return f"SELECT {chosen} WHERE 0"
