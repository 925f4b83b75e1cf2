"""The SELECT that gives the rows of a page of items, to copy: one statement with its values in it.

The app itself sends values beside its statements. Here they stand in the text as literals: whatever a value holds, it
stays a value, and what cannot be seen is written as its bytes.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from llma_assets.clickhouse import Database
from llma_assets.reports.item_page import Wanted, question
from llma_assets.reports.item_queries import ALL_FIGURES, ALL_TITLES, MEMBERS, ORDERS, Sort
from llma_assets.reports.published import PublishedClusters
from llma_assets.serialization import Day, TeamId, ThemeId
from llma_assets.team_day import TeamDay

# The keys are those of the statements of `item_page`.
ROWS = f"""
SELECT
    members.item_id AS item_id,
    members.trace_id AS trace_id,
    members.item_day AS day,
    members.timestamp AS timestamp,
    members.home AS cluster_id,
    transform(members.home, {{numbers:Array(Int32)}}, {{titles:Array(String)}}, '') AS cluster_title,
    members.distance AS distance,
    members.x AS x,
    members.y AS y,
    titles.title AS title,
    figures.cost_usd AS cost_usd,
    figures.latency_s AS latency_s,
    figures.error_count AS error_count
FROM
(
    {MEMBERS}
) AS members
LEFT JOIN
(
    {ALL_TITLES.rstrip().replace(chr(10), chr(10) + "    ")}
) AS titles USING (item_day, item_id)
LEFT JOIN
(
    {ALL_FIGURES.rstrip().replace(chr(10), chr(10) + "    ")}
) AS figures USING (item_day, item_id)
ORDER BY /* order */
LIMIT {{limit:UInt32}} OFFSET {{offset:UInt64}}
"""
_PLACE = re.compile(r"\{(\w+):((?:[^{}]|\{[^{}]*\})+)\}")
_TABLE = re.compile(r"\bFROM (cluster_members|trace_summaries|trace_texts)\b")


@dataclass(frozen=True, slots=True)
class ItemSelect:
    """The statement behind a page of items.

    Attributes:
        sql: for ClickHouse; the columns are those of the page's items.
    """

    team_id: TeamId
    day: Day
    theme_id: ThemeId
    sql: str


def item_select(
    database: Database,
    team_day: TeamDay,
    theme_id: str,
    wanted: Wanted,
    *,
    published: PublishedClusters | None = None,
) -> ItemSelect | None:
    """The statement that gives the rows of `item_page`; None without a run.

    Clusters that people merged have one number and one title in both. The numbers are those of the run that holds now:
    another run of the day needs another statement.

    Args:
        published: what is published of the day, where the caller has read it.
    """
    asked = question(database, team_day, theme_id, wanted, published=published)
    if asked is None:
        return None
    _, cluster_of, parameters = asked
    numbers = sorted(cluster_of) or [NO_CLUSTER]
    shown = [cluster_of[number] for number in numbers if number in cluster_of]
    parameters |= {"numbers": numbers, "titles": [each.title for each in shown] or [""]}
    statement = ROWS.replace("/* and */", wanted.conditions).replace("/* order */", _order(wanted.sort))
    merged = {number: each.cluster_id for number, each in cluster_of.items() if number != each.cluster_id}
    if merged:
        parameters |= {"parts": sorted(merged), "wholes": [merged[number] for number in sorted(merged)]}
        home = "transform(members.home, {parts:Array(Int32)}, {wholes:Array(Int32)}, members.home)"
        statement = statement.replace("members.home AS cluster_id", f"{home} AS cluster_id")
    sql = with_values(statement.strip(), parameters)
    name = "`" + database.name.replace("\\", "\\\\").replace("`", "\\`") + "`"
    return ItemSelect(team_day.team_id, team_day.day, theme_id, _TABLE.sub(rf"FROM {name}.\1", sql))


NO_CLUSTER = -2
"""Stands for no cluster, where a list may not be empty."""


def _order(sort: Sort) -> str:
    """The same order; a cluster that people merged keeps its own number there."""
    return ORDERS[sort].replace("cluster_id", "members.home")


def with_values(statement: str, values: Mapping[str, Any]) -> str:
    """A statement with a literal in the place of each parameter.

    >>> with_values("SELECT {n:Int64} = {name:String}", {"n": 1, "name": "it's"})
    "SELECT 1 = 'it\\\\'s'"
    """
    return _PLACE.sub(lambda found: literal(values[found[1]], found[2]), statement)


def literal(value: Any, kind: str) -> str:
    """A value as ClickHouse reads it.

    Args:
        kind: its type; that of an empty list is named, because its elements do not say it.
    """
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, UUID):
        return f"toUUID('{value}')"
    if isinstance(value, date):
        return f"toDate('{value.isoformat()}')"
    if isinstance(value, list):
        # An integer that fits into fewer bits would make another type of a tuple.
        listed = f"[{', '.join(_element(each) for each in value)}]"
        return f"CAST({listed}, '{kind}')" if not value or isinstance(value[0], tuple) else listed
    return repr(value)


def _element(value: Any) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(_element(each) for each in value)})"
    return _quoted(value) if isinstance(value, str) else repr(value)


def _quoted(text: str) -> str:
    """A text in quotes; characters that print nothing are written as their bytes.

    >>> _quoted("a'b")
    "'a\\\\'b'"
    """
    return "'" + "".join(_shown(each) for each in text) + "'"


def _shown(character: str) -> str:
    if character in "\\'":
        return f"\\{character}"
    if character.isprintable():
        return character
    return "".join(f"\\x{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))
