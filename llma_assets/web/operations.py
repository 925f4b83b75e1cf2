"""For whoever runs the server, and for their machines: `/healthz`, `/readyz` and `/metrics`.

Probes and Prometheus ask by the address of a pod, which is no name of this server. So the guard against foreign pages
lets them through, where there is nothing that a foreign page could read: health says a word, and metrics need a token
that no page knows.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, Literal, Self, TypeVar, get_args

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import Scope

from llma_assets.alerts import outbox_counts
from llma_assets.clickhouse import DatabaseError, NoDatabase, has_data
from llma_assets.isolation import fault_of
from llma_assets.reports import operations_report
from llma_assets.request_guard import Guard
from llma_assets.web.access import AccessError
from llma_assets.web.metrics import CONTENT_TYPE, Measured, exposition
from llma_assets.web.problems import NotFound
from llma_assets.web.site import Site
from llma_assets.web.visitors import SiteDep, site_of, visitor_of

log = logging.getLogger("llma_assets.web")
router = APIRouter()

HEALTH, READY, METRICS = "/healthz", "/readyz", "/metrics"
METRICS_VARIABLE = "LLMA_METRICS"
TEAMS_VARIABLE = "LLMA_METRICS_TEAMS"
Rule = Literal["token", "open", "off"]
METRICS_S = 15.0
"""So old figures may be: of several scrapes in that time one reads the database."""
READY_S = 2.0

Value = TypeVar("Value")
DagsterCounts = Callable[[], tuple[Mapping[str, int], Mapping[str, float]]]
"""Dagster's runs by status, and the age of its daemons' heartbeats in seconds."""


class _Once(Generic[Value]):
    """A value that is read by one thread at a time, and kept for a while."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._kept: tuple[float, Value] | None = None

    def get(self, read: Callable[[], Value]) -> Value:
        with self._lock:
            if self._kept is None or time.monotonic() - self._kept[0] > self._seconds:
                self._kept = (time.monotonic(), read())
            return self._kept[1]


@dataclass(slots=True)
class Operations:
    """What the three addresses of one server share.

    Attributes:
        rule: who may read metrics: holders of a token (everybody where the server knows none), everybody, or nobody.
        by_team: whether each team has figures of its own.
        dagster: counts Dagster's runs, None where nobody does.
    """

    rule: Rule = "token"
    by_team: bool = True
    dagster: DagsterCounts | None = None
    _measured: _Once[Measured] = field(default_factory=lambda: _Once(METRICS_S), repr=False, compare=False)
    _ready: _Once[str] = field(default_factory=lambda: _Once(READY_S), repr=False, compare=False)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ, *, dagster: DagsterCounts | None = None) -> Self:
        """The settings in the environment.

        Raises:
            AccessError: a setting is invalid.
        """
        rule = environ.get(METRICS_VARIABLE, "").strip() or "token"
        known: dict[str, Rule] = {each: each for each in get_args(Rule)}
        if rule not in known:
            raise AccessError(f"{METRICS_VARIABLE} must be token, open or off, not {rule[:40]!r}")
        teams = environ.get(TEAMS_VARIABLE, "").strip() or "1"
        if teams not in ("0", "1"):
            raise AccessError(f"{TEAMS_VARIABLE} must be 1, or 0 for figures of all teams together, not {teams[:40]!r}")
        return cls(known[rule], teams == "1", dagster)

    def measured(self, site: Site) -> Measured:
        """The figures, a few seconds old at most."""
        return self._measured.get(lambda: _measure(site, self.dagster))

    def why_not_ready(self, site: Site) -> str:
        """Why pages could not be answered, "" if they can."""
        return self._ready.get(lambda: _why_not_ready(site))


class GuardBesideProbes(Guard):
    """The guard, which lets probes pass, and metrics whose reader shows a token, or that everybody may read."""

    def refusal(self, scope: Scope) -> str:
        """As the guard's."""
        path = scope.get("path")
        if path in (HEALTH, READY):
            return ""
        if path == METRICS:
            operations: Operations = scope["app"].state.operations
            if operations.rule == "open" or "authorization" in Headers(scope=scope):
                return ""
        return super().refusal(scope)


@router.get(HEALTH)
async def health() -> Response:
    """Whether this process answers."""
    return JSONResponse({"status": "ok"})


@router.get(READY)
async def ready(request: Request, site: SiteDep) -> Response:
    """Whether pages can be answered: 503 with a word why not."""
    operations: Operations = request.app.state.operations
    why = await run_in_threadpool(operations.why_not_ready, site)
    return JSONResponse({"status": "not ready", "reason": why}, 503) if why else JSONResponse({"status": "ready"})


@router.get(METRICS)
async def metrics(request: Request) -> Response:
    """The state of the pipeline for Prometheus."""
    site, operations = site_of(request), request.app.state.operations
    if operations.rule == "off":
        raise NotFound("there is no page at this address")
    teams = None if operations.rule == "open" else visitor_of(request).teams
    measured = await run_in_threadpool(operations.measured, site)
    body = exposition(measured, teams=teams, by_team=operations.by_team)
    return Response(body, media_type=None, headers={"content-type": CONTENT_TYPE})


def _measure(site: Site, dagster: DagsterCounts | None) -> Measured:
    now = site.clock()
    try:
        database = site.database
        report, outbox = operations_report(database, now), outbox_counts(database, now)
    except DatabaseError as error:
        log.error("%s: %s", METRICS, fault_of(error))
        report, outbox = None, ()
    if dagster is None:
        return Measured(report, outbox)
    try:
        runs, heartbeats = dagster()
    # Dagster's storage may be any database; the figures of ours are shown all the same.
    except Exception as error:
        log.error("%s: %s", METRICS, fault_of(error))
        return Measured(report, outbox)
    return Measured(report, outbox, runs, heartbeats)


def _why_not_ready(site: Site) -> str:
    """A server is asked; the embedded one is not, since being asked would keep it from ending when nobody needs it."""
    if site.settings.clickhouse_url is None:
        return "" if site.creates or has_data(site.settings.data_dir) else "no database"
    try:
        site.database.ping()
    except DatabaseError as error:
        return "no database" if isinstance(error, NoDatabase) else "the database does not answer"
    return ""
