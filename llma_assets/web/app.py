"""Assembles the server: the guard, headers of safety, problems, the API, the pages and their files."""

import logging
from collections.abc import Collection
from contextlib import asynccontextmanager
from importlib import resources
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.staticfiles import StaticFiles
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from llma_assets.clickhouse import DatabaseError
from llma_assets.ingest import Inbox
from llma_assets.isolation import fault_of
from llma_assets.web import (
    alert_api,
    alert_pages,
    api,
    cluster_api,
    cluster_pages,
    health_api,
    health_pages,
    insight_pages,
    item_pages,
    map_api,
    map_pages,
    operations,
    pages,
    receiver,
    run_api,
    sign_in_pages,
    task_api,
    task_pages,
    theme_api,
    theme_change_api,
    theme_file_pages,
    theme_pages,
    trace_pages,
    tracker_api,
    tracker_pages,
    trend_pages,
)
from llma_assets.web.operations import GuardBesideProbes, Operations
from llma_assets.web.problems import DESCRIBED, WebProblem, as_json, problem_of, to_sign_in, wants_json
from llma_assets.web.site import Site
from llma_assets.web.templates_of import problem_page

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

log = logging.getLogger("llma_assets.web")

MAX_BODY_BYTES = 1 << 20

POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


NOT_COMPRESSED = (*DEFAULT_EXCLUDED_CONTENT_TYPES, map_api.BUFFER)
"""Numbers of a map hardly shrink."""


class SafeHeaders:
    """Adds the headers of safety to each answer; what a person sees is kept by no cache between."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "private, no-cache")
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)


class BodyLimit:
    """Refuses requests that are larger than any form or file of themes; the receiver has limits of its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] != "http" or scope["path"] == receiver.TRACES_PATH:
            await self._app(scope, receive, send)
            return
        length = Headers(scope=scope).get("content-length", "")
        if length.isdigit() and int(length) > MAX_BODY_BYTES:
            problem = WebProblem(f"a request may have {MAX_BODY_BYTES >> 10:,} KiB at most")
            problem.status = 413
            await as_json(problem)(scope, receive, send)
            return
        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > MAX_BODY_BYTES:
                raise HTTPException(413, f"a request may have {MAX_BODY_BYTES >> 10:,} KiB at most")
            return message

        await self._app(scope, counted, send)


def create_app(site: Site, *, hosts: Collection[str] = (), metrics: Operations | None = None) -> FastAPI:
    """The server's application.

    Args:
        site: what its requests share.
        hosts: names of this server beside those of the loopback interface.
        metrics: who may read metrics, and which; None for holders of a token.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> "AsyncIterator[None]":
        yield
        app.state.inbox.close()
        site.close()

    app = FastAPI(
        title="LLMA Assets",
        description="What users of LLM applications do, where it hurts, and whether it got better.",
        version="1",
        openapi_url="/api/v1/openapi.json",
        # FastAPI's own pages load their scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        middleware=[
            Middleware(SafeHeaders),
            Middleware(GuardBesideProbes, hosts=hosts),
            Middleware(BodyLimit),
            Middleware(GZipMiddleware, minimum_size=1_000, compresslevel=5, exclude_content_types=NOT_COMPRESSED),
        ],
    )
    app.state.site = site
    app.state.operations = metrics or Operations()
    app.state.inbox = Inbox(lambda: site.database)
    of_results_api = (api, cluster_api, map_api, run_api, health_api)
    of_work_api = (alert_api, task_api, theme_api, theme_change_api, tracker_api)
    of_pages = (insight_pages.documents, tracker_pages.documents)
    for documents in (*(module.router for module in (*of_results_api, *of_work_api)), *of_pages):
        app.include_router(documents, prefix="/api/v1", responses=DESCRIBED)
    of_results = (pages, trace_pages, item_pages, map_pages, trend_pages, insight_pages, cluster_pages)
    of_work = (task_pages, alert_pages, tracker_pages, theme_pages, theme_file_pages, health_pages)
    for module in (operations, receiver, sign_in_pages, *of_results, *of_work):
        app.include_router(module.router, include_in_schema=False)
    static = resources.files("llma_assets.web") / "static"
    app.mount("/static", StaticFiles(directory=str(static)), name="static")
    for kind in (Exception, WebProblem, DatabaseError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, _explained)
    return app


def _explained(request: Request, error: Exception) -> Response:
    problem = problem_of(error)
    if problem.status == 500:
        # Type and place alone: a message may quote a trace.
        log.error("%s %s: %s", request.method, request.url.path, fault_of(error))
    if wants_json(request):
        return as_json(problem)
    if problem.status == 401 and request.method == "GET":
        return to_sign_in(request)
    return problem_page(request, problem)
