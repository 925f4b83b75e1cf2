"""A source: a table of somebody's trace store that the pipeline reads in place, and how its names become SQL.

What is read of a table belongs in the modules of `kinds`. Everything that a person names here (tables, columns, keys
of a map) is checked and quoted, because names cannot be parameters of a statement.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from llma_assets.sources.errors import SourceError

MAPPING_VERSION: Final = "2"
"""Raised when equal rows of a source become other events, so that their texts are made anew."""

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}", re.ASCII)
_TABLE = re.compile(r"(?:[A-Za-z_][\w-]{0,99}\.)?[A-Za-z_][\w-]{0,99}", re.ASCII)
_COLUMN = re.compile(r"[A-Za-z_][\w.$]{0,99}", re.ASCII)
_OF_MAP = re.compile(r"([A-Za-z_][\w.$]{0,99})\['([\w.:/ -]{1,100})'\]", re.ASCII)


@dataclass(frozen=True, slots=True)
class Tenant:
    """A part of a source that is one team.

    Attributes:
        value: what the source calls it: a name, an id; "" where the whole source is one team.
        team_id: the team's number.
    """

    value: str
    team_id: int


@dataclass(frozen=True, slots=True)
class Source:
    """A table of traces.

    Attributes:
        name: what people call the source.
        kind: which tool wrote the table: a key of `KINDS`.
        table: `table` or `database.table`.
        tenant: the column, or key of a map column (`ResourceAttributes['team']`), that says whose a row is; "" for the
            usual one of the kind.
        user: the column that says who used the application; "" for the usual one.
        others: further tables by what they are for, such as `logs`.
        tenants: the known tenants.
    """

    name: str
    kind: str
    table: str
    tenant: str = ""
    user: str = ""
    others: Mapping[str, str] = field(default_factory=dict)
    tenants: tuple[Tenant, ...] = ()

    def __post_init__(self) -> None:
        """Check the names.

        Raises:
            SourceError: one of them cannot be a name.
        """
        if not _NAME.fullmatch(self.name):
            raise SourceError(f"a source's name must be letters, digits, - or _, like my-otel, not {self.name[:60]!r}")
        for table in (self.table, *self.others.values()):
            table_sql(table)
        for column in (self.tenant, self.user):
            if column:
                column_sql(column)

    @property
    def fingerprint(self) -> str:
        """Equal for sources whose rows become equal events."""
        others = sorted(self.others.items())
        described = repr((MAPPING_VERSION, self.kind, self.table, self.tenant, self.user, others))
        return hashlib.sha256(described.encode()).hexdigest()[:8]


def table_sql(name: str) -> str:
    """A table's name, quoted.

    >>> table_sql("otel.otel_traces")
    '`otel`.`otel_traces`'
    """
    if not _TABLE.fullmatch(name):
        raise SourceError(f"{name[:80]!r} is not a table; write it as table or database.table")
    return ".".join(f"`{part}`" for part in name.split("."))


def column_sql(name: str) -> str:
    """A column, or a key of a map column, quoted.

    >>> column_sql("ServiceName"), column_sql("ResourceAttributes['team.name']")
    ('`ServiceName`', "`ResourceAttributes`['team.name']")
    """
    if _COLUMN.fullmatch(name):
        return f"`{name}`"
    if (found := _OF_MAP.fullmatch(name)) is not None:
        return f"`{found[1]}`['{found[2]}']"
    raise SourceError(f"{name[:80]!r} is not a column; write it as ServiceName or ResourceAttributes['team']")


def text_sql(text: str) -> str:
    """A fixed text of this package as a literal; never for what others wrote."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
