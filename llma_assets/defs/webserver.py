"""Dagster's web server behind a check of each request: `python -m llma_assets.webserver`, with the options of
`dagster-webserver`. `llma dev` starts it, and so should any deployment.

Dagster's own server accepts any Host and Origin, and runs GraphQL mutations from the URL of a GET request. So any web
page that is open in the same browser could start runs, or read their output. There are no users either: whoever can
open the UI can do everything in it, unless it runs with `--read-only`.
"""

import os

from dagster_webserver import app
from dagster_webserver.cli import cli as dagster_webserver
from dagster_webserver.webserver import DagsterWebserver
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.types import Scope

from llma_assets.request_guard import HOSTS_VARIABLE, Guard, named_hosts

GRAPHQL_TYPES = ("application/json", "application/graphql")
"""Content types that an HTML form of a foreign page cannot send."""


class DagsterGuard(Guard):
    """The guard, which also refuses GraphQL requests that a foreign page could send."""

    def refusal(self, scope: Scope) -> str:
        """Why a request is refused; "" if it is not."""
        return super().refusal(scope) or _unsafe(scope)


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


class GuardedWebserver(DagsterWebserver):  # type: ignore[type-arg]
    """Dagster's web server with the guard as the first of its middlewares."""

    def build_middleware(self) -> list[Middleware]:
        """The guard, then Dagster's own."""
        hosts = named_hosts(os.environ.get(HOSTS_VARIABLE, ""))
        return [Middleware(DagsterGuard, hosts=hosts), *super().build_middleware()]


def main() -> None:
    """Run `dagster-webserver` with its own options and the guard."""
    # Dagster has no setting for middleware.
    app.DagsterWebserver = GuardedWebserver  # type: ignore[attr-defined]
    dagster_webserver(auto_envvar_prefix="DAGSTER_WEBSERVER")
