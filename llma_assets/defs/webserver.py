"""Dagster's web server behind a check of who asks: `python -m llma_assets.defs.webserver`, with the options of
`dagster-webserver`. `llma dev` starts it, and so should any deployment.

Dagster's own server takes any request that reaches its port, with whatever Host and Origin, and runs GraphQL mutations
that stand in a GET's URL: each page that somebody has open beside the UI could start runs, or read what they say. It
knows no users either; whoever may open the UI may do everything in it, unless it runs with `--read-only`.
"""

import os
from collections.abc import Collection
from urllib.parse import urlsplit

from dagster_webserver import app
from dagster_webserver.cli import cli as dagster_webserver
from dagster_webserver.webserver import DagsterWebserver
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

HOSTS_VARIABLE = "LLMA_UI_HOSTS"
"""Names, separated by commas, by which the UI is opened beside those of this machine itself."""

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
DEFAULT_PORTS = {"http": 80, "https": 443}
OTHER_ORIGIN = "the request comes from a page of another origin"
GRAPHQL_TYPES = ("application/json", "application/graphql")
"""Content types that no form of a foreign page can send."""


class Guard:
    """ASGI middleware that answers 403 to what no page of the UI, and no script of its operator, would send."""

    def __init__(self, guarded: ASGIApp, hosts: Collection[str] = ()) -> None:
        """
        Args:
            hosts: names by which the UI is opened, beside those of the loopback interface.
        """
        self._app = guarded
        self._named = frozenset(name.lower() for name in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] not in ("http", "websocket") or not (refusal := self._foreign(scope) or _unsafe(scope)):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": refusal})
        else:
            await PlainTextResponse(f"{refusal}\n", status_code=403)(scope, receive, send)

    def _foreign(self, scope: Scope) -> str:
        """Why a request comes from somewhere else, "" where it does not."""
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        host = _address(f"//{hosts[0]}") if len(hosts) == 1 else None
        # A foreign name that leads to this machine (DNS rebinding) would make a foreign page one of ours.
        if host is None or host[0] not in LOOPBACK | self._named:
            return f"this is not one of the names of this server; {HOSTS_VARIABLE} adds names"
        for origin in headers.getlist("origin"):
            address = _address(origin)
            # A proxy in front may ask by another name than the browser did.
            if address is None or (address != host and address[0] not in self._named):
                return OTHER_ORIGIN
        # Browsers send no Origin for images, scripts, frames and links. A link may lead to a page of the UI.
        is_ours = headers.get("sec-fetch-site", "none") in ("none", "same-origin")
        is_link = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
        return "" if is_ours or (is_link and scope.get("method") == "GET") else OTHER_ORIGIN


def _unsafe(scope: Scope) -> str:
    """Why a request to GraphQL is refused whoever sends it, "" where it is not."""
    if scope["type"] != "http" or not scope["path"].rstrip("/").endswith("/graphql"):
        return ""
    headers = Headers(scope=scope)
    if scope["method"] == "POST":
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        return "" if kind in GRAPHQL_TYPES else "questions are taken as application/json"
    is_page = "text/html" in headers.get("accept", "")
    return "" if is_page or not scope["query_string"] else "questions are taken by POST"


def _address(url: str) -> tuple[str, int | None] | None:
    """Name and port of a URL or of `//host`; no port where it is the usual one. None for what is no address."""
    try:
        parts = urlsplit(url)
        name, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not name or parts.username is not None:
        return None
    usual = (DEFAULT_PORTS.get(parts.scheme),) if parts.scheme else tuple(DEFAULT_PORTS.values())
    return name.rstrip(".").lower(), None if port in usual else port


class GuardedWebserver(DagsterWebserver):  # type: ignore[type-arg]
    """Dagster's web server with the guard as the first of its middlewares."""

    def build_middleware(self) -> list[Middleware]:
        """The guard, then Dagster's own."""
        hosts = [name.strip() for name in os.environ.get(HOSTS_VARIABLE, "").split(",") if name.strip()]
        return [Middleware(Guard, hosts=hosts), *super().build_middleware()]


def main() -> None:
    """Run `dagster-webserver` with its own options and the guard."""
    # Dagster has no setting for middleware.
    app.DagsterWebserver = GuardedWebserver  # type: ignore[attr-defined]
    dagster_webserver(auto_envvar_prefix="DAGSTER_WEBSERVER")
