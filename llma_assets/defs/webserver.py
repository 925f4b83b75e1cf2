"""Dagster's web server behind a check of each request: `python -m llma_assets.webserver`, with the options of
`dagster-webserver`. `llma dev` starts it, and so should any deployment.

Dagster's own server accepts any Host and Origin, and runs GraphQL mutations from the URL of a GET request. So any web
page that is open in the same browser could start runs, or read their output. There are no users either: whoever can
open the UI can do everything in it, unless it runs with `--read-only`.
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
"""Host names of the UI beside those of the loopback interface, separated by commas."""

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
DEFAULT_PORTS = {"http": 80, "https": 443}
OTHER_ORIGIN = "the request comes from a page of another origin"
GRAPHQL_TYPES = ("application/json", "application/graphql")
"""Content types that an HTML form of a foreign page cannot send."""


class Guard:
    """ASGI middleware that answers 403 to requests of foreign web pages."""

    def __init__(self, guarded: ASGIApp, hosts: Collection[str] = ()) -> None:
        """
        Args:
            hosts: host names of the UI beside those of the loopback interface.
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
        """Why a request is foreign; "" if it is not."""
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        host = _address(f"//{hosts[0]}") if len(hosts) == 1 else None
        # A foreign host name that resolves to this machine (DNS rebinding) would make a foreign page same-origin.
        if host is None or host[0] not in LOOPBACK | self._named:
            return f"the host name is not one of this server; add it to {HOSTS_VARIABLE}"
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
    """Why a GraphQL request is refused whoever sends it; "" if it is not."""
    if scope["type"] != "http" or not scope["path"].rstrip("/").endswith("/graphql"):
        return ""
    headers = Headers(scope=scope)
    if scope["method"] == "POST":
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        return "" if kind in GRAPHQL_TYPES else "send GraphQL queries as application/json"
    is_page = "text/html" in headers.get("accept", "")
    return "" if is_page or not scope["query_string"] else "send GraphQL queries by POST"


def _address(url: str) -> tuple[str, int | None] | None:
    """Host and port of a URL or of `//host`, without a default port; None for an invalid address."""
    try:
        parts = urlsplit(url)
        name, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not name or parts.username is not None:
        return None
    default = (DEFAULT_PORTS.get(parts.scheme),) if parts.scheme else tuple(DEFAULT_PORTS.values())
    return name.rstrip(".").lower(), None if port in default else port


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
