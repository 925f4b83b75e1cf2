"""`POST /v1/traces`: OTLP over HTTP, protobuf or JSON, as exporters and collectors of OpenTelemetry send it.

https://opentelemetry.io/docs/specs/otlp/#otlphttp tells the statuses and bodies. 200 means stored. What a span becomes
belongs in `llma_assets.ingest`.
"""

import asyncio
import logging
from typing import Final

import orjson
from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from llma_assets.clickhouse import DatabaseError
from llma_assets.ingest import (
    MAX_BODY_BYTES,
    MAX_TEAM_ID,
    BadRequest,
    Busy,
    Hold,
    Inbox,
    Received,
    TooLarge,
    gunzipped,
    read_request,
)
from llma_assets.isolation import fault_of
from llma_assets.web.access import Visitor
from llma_assets.web.problems import SignInNeeded
from llma_assets.web.site import Site
from llma_assets.web.visitors import site_of, visitor_of

log = logging.getLogger("llma_assets.web")
router = APIRouter()

TRACES_PATH: Final = "/v1/traces"
TEAM_HEADER: Final = "x-llma-team"
PROTOBUF, JSON = "application/x-protobuf", "application/json"
RETRY_AFTER_S: Final = 2


class Refused(Exception):
    """A request that is answered with an error.

    Attributes:
        status: of HTTP; an exporter sends again after 429 and 503 alone.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@router.post(TRACES_PATH)
async def traces(request: Request) -> Response:
    """Store the spans of a request."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    answers_json = kind == JSON
    try:
        if kind not in (PROTOBUF, JSON):
            raise Refused(415, f"send {PROTOBUF} or {JSON}")
        received = await _stored(request, is_json=answers_json)
    except Refused as refused:
        return _error(refused.status, str(refused), answers_json)
    except Exception as error:
        log.error("%s: %s", TRACES_PATH, fault_of(error))
        return _error(500, "the server's log says what went wrong", answers_json)
    return _success(received, answers_json)


async def _stored(request: Request, *, is_json: bool) -> Received:
    """Read, check and store a request."""
    site, inbox = site_of(request), inbox_of(request)
    team_id = _team(request, site)
    try:
        with inbox.hold() as held:
            body = await _body(request, held)
            received = await run_in_threadpool(_read, body, request, site, team_id, is_json, held)
            if received.events:
                await asyncio.wrap_future(inbox.put(received.events))
            return received
    except TooLarge as error:
        raise Refused(413, str(error)) from None
    except BadRequest as error:
        raise Refused(400, str(error)) from None
    except Busy as error:
        raise Refused(429, str(error)) from None
    except DatabaseError as error:
        log.error("%s: %s", TRACES_PATH, fault_of(error))
        raise Refused(503, "the database did not store the spans; send them again") from None


def inbox_of(request: Request) -> Inbox:
    """What stores for all requests of this server."""
    found: Inbox = request.app.state.inbox
    return found


def _team(request: Request, site: Site) -> int:
    """The team that the header names, else the only one of the token, else that of the server."""
    try:
        visitor: Visitor = visitor_of(request)
    except SignInNeeded as error:
        raise Refused(401, error.detail) from None
    if not visitor.may_change:
        raise Refused(403, 'this token may read, not send; its entry needs rights = "change"')
    named = request.headers.get(TEAM_HEADER, "").strip()
    if named:
        if not (named.isascii() and named.isdigit() and int(named[:20]) <= MAX_TEAM_ID):
            raise Refused(400, f"{TEAM_HEADER} must be the number of a team")
        team_id = int(named)
    elif visitor.teams is not None and len(visitor.teams) == 1:
        (team_id,) = visitor.teams
    elif site.default_team is not None:
        team_id = site.default_team
    else:
        raise Refused(
            400, f"say whose spans these are: OTEL_EXPORTER_OTLP_HEADERS={TEAM_HEADER}=1, or a token of one team"
        )
    if not visitor.sees(team_id):
        raise Refused(403, f"there is no team {team_id}")
    return team_id


async def _body(request: Request, held: Hold) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BODY_BYTES:
            raise TooLarge(f"the body has more than {MAX_BODY_BYTES >> 20} MiB; send smaller batches")
        held.add(len(part))
        parts.append(part)
    return b"".join(parts)


def _read(body: bytes, request: Request, site: Site, team_id: int, is_json: bool, held: Hold) -> Received:
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding == "gzip":
        body = gunzipped(body, held.add)
    elif encoding not in ("identity", ""):
        raise Refused(415, "Content-Encoding may be gzip")
    return read_request(body, is_json=is_json, now=site.clock(), team_id=team_id)


def _success(received: Received, answers_json: bool) -> Response:
    """All or part of the spans are stored; a part that is refused is told, and not sent again."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
        ExportTracePartialSuccess,
        ExportTraceServiceResponse,
    )

    if answers_json:
        said = {"rejectedSpans": str(received.rejected), "errorMessage": received.first}
        return Response(orjson.dumps({"partialSuccess": said} if received.rejected else {}), media_type=JSON)
    answer = ExportTraceServiceResponse()
    if received.rejected:
        answer.partial_success.CopyFrom(
            ExportTracePartialSuccess(rejected_spans=received.rejected, error_message=received.first)
        )
    return Response(answer.SerializeToString(), media_type=PROTOBUF)


def _error(status: int, message: str, answers_json: bool) -> Response:
    """A `google.rpc.Status` with the message alone, as the protocol allows."""
    headers = {"Retry-After": str(RETRY_AFTER_S)} if status in (429, 503) else {}
    headers |= {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    if answers_json:
        return Response(orjson.dumps({"message": message}), status, headers, JSON)
    from opentelemetry.proto.trace.v1.trace_pb2 import Status

    # The message of this Status and of google.rpc.Status is the same field, 2.
    return Response(Status(message=message).SerializeToString(), status, headers, PROTOBUF)
