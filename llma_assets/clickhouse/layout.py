"""How tables lie on a cluster: the one place that rewrites the statements of migrations, and deletions, for it.

Migrations are written for one server. On a cluster each table is replicated; with `sharded` a team's rows are on one
shard, and a Distributed table of the usual name stands in front of the tables `…_local`. Tables without a team are
whole on every server. chDB has no cluster: what is made here is checked by ClickHouse's parser, and was never executed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LOCAL = "_local"
WHOLE_TABLES = frozenset({"schema_migrations", "sources", "source_tenants"})
"""Tables whose key has no team."""

SHARDED_READS = {
    # A team's rows of all tables are on one shard, so that a subquery needs no other.
    "distributed_product_mode": "local",
    "optimize_skip_unused_shards": "1",
    # Acknowledged means stored, on the shard, too.
    "distributed_foreground_insert": "1",
}
SEQUENTIAL = {"insert_quorum": "auto", "insert_quorum_parallel": "0", "select_sequential_consistency": "1"}
"""Every read sees every acknowledged insert, whichever replica answers; inserts into a table wait for one another."""

_NAME = r"`?(\w+)`?"
_CREATE = re.compile(rf"\A(\s*(?:--[^\n]*\n\s*)*CREATE TABLE IF NOT EXISTS\s+){_NAME}(\s*\()", re.IGNORECASE)
_ALTER = re.compile(rf"\A(\s*(?:--[^\n]*\n\s*)*ALTER TABLE\s+){_NAME}(\s)", re.IGNORECASE)
_ENGINE = re.compile(r"^(\)\s*ENGINE\s*=\s*)(\w*MergeTree)(?:\(([^()]*)\))?", re.IGNORECASE | re.MULTILINE)
_DELETE = re.compile(rf"\A(\s*DELETE FROM\s+)(?:{_NAME}|\{{(\w+):Identifier\}})(\s)", re.IGNORECASE)
_COLUMNS = re.compile(r"\b(ADD|DROP|RENAME|MODIFY) COLUMN\b", re.IGNORECASE)
_WINDOW = re.compile(r"\bnon_replicated_deduplication_window\b")


class LayoutError(ValueError):
    """A statement of a migration has a form that cannot be rewritten for a cluster."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where tables lie.

    Attributes:
        cluster: its name in the server's `remote_servers`; "" for one server.
        sharded: whether teams are spread over its shards.
        storage_policy: of new tables, "" for the server's default.
        root: of the tables' paths in Keeper; the macros `shard` and `replica` of each server complete them.
    """

    cluster: str = ""
    sharded: bool = False
    storage_policy: str = ""
    root: str = "/clickhouse/tables"

    def statements(self, statement: str) -> list[str]:
        """What a statement of a migration becomes.

        Raises:
            LayoutError: it is neither a CREATE TABLE IF NOT EXISTS of a MergeTree nor an ALTER TABLE.
        """
        if not self.cluster and not self.storage_policy:
            return [statement]
        if match := _CREATE.match(statement):
            return self._created(statement, match)
        if not self.cluster:
            return [statement]
        if match := _ALTER.match(statement):
            return self._altered(statement, match)
        raise LayoutError(f"this statement cannot be rewritten for a cluster: {statement.strip()[:80]}")

    def created_database(self, statement: str) -> str:
        """CREATE DATABASE on every server of the cluster."""
        return f"{statement.rstrip()}{self._on_cluster()}" if self.cluster else statement

    def deletion(self, statement: str, parameters: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """A deletion, which a Distributed table does not take: on the tables behind it. Others stay as they are."""
        values = dict(parameters)
        if not self.sharded or (match := _DELETE.match(statement)) is None:
            return statement, values
        head, table, parameter, space = match.groups()
        if parameter:
            values[parameter] = self.stored(str(values[parameter]))
            table = f"{{{parameter}:Identifier}}"
        else:
            table = self.stored(table)
        return f"{head}{table}{self._on_cluster()}{space}{statement[match.end() :]}", values

    def settings(self) -> dict[str, str]:
        """Settings that every statement needs."""
        return dict(SHARDED_READS) if self.sharded else {}

    def sequential(self) -> dict[str, str]:
        """Settings of statements that must see each other on every replica."""
        return dict(SEQUENTIAL) if self.cluster else {}

    def _created(self, statement: str, match: re.Match[str]) -> list[str]:
        head, table, space = match.groups()
        stored = self.stored(table)
        body = statement[match.end() :]
        found = _ENGINE.search(body)
        if found is None:
            raise LayoutError(f"table {table} has no engine of the MergeTree family")
        before, engine, arguments = found.groups()
        if self.cluster:
            given = [f"'{self._path(table)}'", f"'{self._replica(table)}'", *([arguments] if arguments else [])]
            written = f"{before}Replicated{engine}({', '.join(given)})"
            body = _WINDOW.sub("replicated_deduplication_window", body[: found.start()] + written + body[found.end() :])
        if self.storage_policy:
            joint = ", " if re.search(r"^SETTINGS ", body, re.MULTILINE) else "\nSETTINGS "
            body = f"{body.rstrip()}{joint}storage_policy = '{self.storage_policy}'"
        made = [f"{head}{stored}{self._on_cluster()}{space}{body}"]
        if stored != table:
            made.append(
                f"CREATE TABLE IF NOT EXISTS {table}{self._on_cluster()} AS {stored}\n"
                f"ENGINE = Distributed('{self.cluster}', currentDatabase(), '{stored}', cityHash64(team_id))"
            )
        return made

    def _altered(self, statement: str, match: re.Match[str]) -> list[str]:
        head, table, space = match.groups()
        rest = _WINDOW.sub("replicated_deduplication_window", statement[match.end() :])
        stored = self.stored(table)
        made = [f"{head}{stored}{self._on_cluster()}{space}{rest}"]
        if stored != table and _COLUMNS.search(rest):
            made.append(f"{head}{table}{self._on_cluster()}{space}{rest}")
        return made

    def stored(self, table: str) -> str:
        """The table that holds the rows of a table."""
        return f"{table}{LOCAL}" if self.sharded and table not in WHOLE_TABLES else table

    def _path(self, table: str) -> str:
        shard = "{shard}" if self.sharded and table not in WHOLE_TABLES else "all"
        return f"{self.root}/{shard}/{{database}}/{self.stored(table)}"

    def _replica(self, table: str) -> str:
        # Replicas of two shards may have the same name; a table that is whole has them all in one path.
        return "{shard}-{replica}" if self.sharded and table in WHOLE_TABLES else "{replica}"

    def _on_cluster(self) -> str:
        return f" ON CLUSTER '{self.cluster}'" if self.cluster else ""
