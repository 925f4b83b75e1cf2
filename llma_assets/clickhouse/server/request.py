"""Parses an HTTP request like ClickHouse: statement, parameters, settings, external tables, data.

URL, headers, form fields and multipart files become one `QueryRequest`. Running it belongs in `execution`.
"""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from llma_assets.clickhouse.server.errors import QueryError
from llma_assets.clickhouse.server.multipart import Part, read_parts

# Parameters of the HTTP interface; any other parameter of the URL is a setting of the engine.
_TRANSPORT = frozenset(
    (
        "query",
        "database",
        "user",
        "password",
        "query_id",
        "session_id",
        "session_timeout",
        "session_check",
        "close_session",
        "default_format",
        "wait_end_of_query",
        "buffer_size",
        "compress",
        "decompress",
        "client_protocol_version",
        "quota_key",
        "role",
        "stacktrace",
        "enable_http_compression",
        "add_http_cors_header",
        "send_progress_in_http_headers",
        "http_headers_progress_interval_ms",
        "cancel_http_readonly_queries_on_client_close",
        "database_replicated_enforce_synchronous_settings",
    )
)
_EXTERNAL_SUFFIXES = ("_format", "_types", "_structure")
HEAD_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class ExternalTable:
    """A table that is sent with a query and visible only to it."""

    name: str
    structure: str
    format: str
    data: bytes


@dataclass(frozen=True, slots=True)
class QueryRequest:
    """A parsed request.

    Attributes:
        head: the statement, and for an INSERT possibly the first bytes of its data.
        rest: the data that follows `head`, in pieces.
        parameters: values of `{name:Type}`, in ClickHouse's escaped text form.
        settings: engine settings of this query.
    """

    head: bytes
    rest: Iterator[bytes]
    parameters: Mapping[str, str]
    settings: Mapping[str, str]
    transport: Mapping[str, str]
    query_id: str
    external: tuple[ExternalTable, ...] = ()
    read_only: bool = False

    def flag(self, name: str) -> bool:
        """A flag of the HTTP interface, like `wait_end_of_query=1`."""
        return self.transport.get(name, "0") not in ("", "0", "false")


def read_request(url_query: str, headers: Mapping[str, str], body: Iterator[bytes], *, read_only: bool) -> QueryRequest:
    """Parse one request; the body is read only as far as the statement needs.

    Args:
        url_query: the part of the URL after `?`.
        headers: request headers, names in lower case.
        body: the decompressed body.
        read_only: whether the method is GET, which must not change anything.
    """
    fields = dict(parse_qsl(url_query, keep_blank_values=True))
    parts: list[Part] = []
    content_type = headers.get("content-type", "")
    if content_type.startswith("multipart/form-data"):
        parts = read_parts(content_type, b"".join(body))
        fields |= {part.name: part.data.decode() for part in parts if not part.is_file}
        body = iter(())
    elif content_type.startswith("application/x-www-form-urlencoded") and "query" not in fields:
        raw = b"".join(body)
        form = dict(parse_qsl(raw.decode(), keep_blank_values=True)) if raw.startswith((b"query=", b"param_")) else {}
        fields |= form
        body = iter(()) if form else iter((raw,))
    head, rest = _statement(fields.get("query", ""), body)
    files = [part for part in parts if part.is_file]
    external = tuple(_external(part, fields) for part in files)
    described = {part.name + suffix for part in files for suffix in _EXTERNAL_SUFFIXES}
    parameters = {name[6:]: value for name, value in fields.items() if name.startswith("param_")}
    transport = {name: value for name, value in fields.items() if name in _TRANSPORT}
    settings = {
        name: value
        for name, value in fields.items()
        if name not in _TRANSPORT and name not in described and not name.startswith("param_")
    }
    database = fields.get("database") or headers.get("x-clickhouse-database")
    if database:
        settings["database"] = database
    if default_format := headers.get("x-clickhouse-format"):
        transport.setdefault("default_format", default_format)
    return QueryRequest(
        head=head,
        rest=rest,
        parameters=parameters,
        settings=settings,
        transport=transport,
        query_id=fields.get("query_id") or str(uuid.uuid4()),
        external=external,
        read_only=read_only,
    )


def _statement(url_statement: str, body: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """At most the first MiB of statement and data; data after a statement in the URL begins on a new line."""
    if url_statement:
        return url_statement.encode("utf-8", "surrogateescape") + b"\n", body
    head = b""
    for piece in body:
        head += piece
        if len(head) >= HEAD_BYTES:
            break
    return head, body


def _external(part: Part, fields: Mapping[str, str]) -> ExternalTable:
    structure = fields.get(f"{part.name}_structure")
    if structure is None and (types := fields.get(f"{part.name}_types")):
        structure = ", ".join(f"_{number} {kind}" for number, kind in enumerate(types.split(","), 1))
    if not structure:
        raise QueryError.of(36, "BAD_ARGUMENTS", f"External table {part.name!r} came without a structure")
    return ExternalTable(part.name, structure, fields.get(f"{part.name}_format", "TabSeparated"), part.data)
