"""How the API answers: JSON documents with an ETag, and pages of long lists."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeVar

import orjson
from fastapi import Query, Request
from starlette.responses import Response

T = TypeVar("T")

LimitQuery = Annotated[int, Query(ge=1, le=1_000, description="Rows of a page.")]
OffsetQuery = Annotated[int, Query(ge=0, le=10_000_000, description="Rows before the page.")]


def answer(
    request: Request, document: Any, *, revision: str = "", headers: Mapping[str, str] | None = None, status: int = 200
) -> Response:
    """A JSON document with an ETag; 304 if the caller has it already.

    Args:
        revision: of what can be changed; `If-Match` compares this part of the ETag alone.
        headers: further ones.
    """
    body = orjson.dumps(document)
    digest = hashlib.sha256(body).hexdigest()[:32]
    sent = {"ETag": f'"{revision}.{digest}"' if revision else f'"{digest}"', **(headers or {})}
    if request.method in ("GET", "HEAD") and sent["ETag"] in tags_of(request, "if-none-match"):
        return Response(status_code=304, headers=sent)
    return Response(body, status, sent, "application/json")


def tags_of(request: Request, header: str) -> list[str]:
    """The ETags that a header of the request lists."""
    return [each.strip().removeprefix("W/") for each in request.headers.get(header, "").split(",") if each.strip()]


def part_of(request: Request, rows: Sequence[T], limit: int, offset: int) -> tuple[tuple[T, ...], dict[str, str]]:
    """A page of a list, and the headers that say how many rows there are and where the pages beside it are."""
    links = {"next": offset + limit, "prev": max(0, offset - limit)}
    wanted = {"next": offset + limit < len(rows), "prev": offset > 0}
    # Without the host: whoever asks knows under which name it reached this server.
    shown = [
        f'<{request.url.path}?{request.url.include_query_params(limit=limit, offset=start).query}>; rel="{name}"'
        for name, start in links.items()
        if wanted[name]
    ]
    headers = {"X-Total-Count": str(len(rows))} | ({"Link": ", ".join(shown)} if shown else {})
    return tuple(rows[offset : offset + limit]), headers
