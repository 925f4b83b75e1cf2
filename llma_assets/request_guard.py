"""ASGI middleware that refuses requests of foreign web pages, for each web server of this project.

Any page that is open in the same browser can send requests to a port of this machine, and a name that resolves to
127.0.0.1 (DNS rebinding) would even let it read the answers.
"""

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

HOSTS_VARIABLE = "LLMA_UI_HOSTS"
"""Host names of the web servers beside those of the loopback interface, separated by commas."""

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
DEFAULT_PORTS = {"http": 80, "https": 443}
OTHER_ORIGIN = "the request comes from a page of another origin"


def named_hosts(variable: str) -> list[str]:
    """The host names in the value of `HOSTS_VARIABLE`.

    >>> named_hosts("ui.example.com, traces.example.com,")
    ['ui.example.com', 'traces.example.com']
    """
    return [name.strip() for name in variable.split(",") if name.strip()]


class Guard:
    """Answers 403 to requests of foreign web pages."""

    def __init__(self, guarded: ASGIApp, hosts: Collection[str] = ()) -> None:
        """
        Args:
            hosts: host names of the UI beside those of the loopback interface.
        """
        self._app = guarded
        self._named = frozenset(name.lower() for name in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] not in ("http", "websocket") or not (refusal := self.refusal(scope)):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": refusal})
        else:
            await PlainTextResponse(f"{refusal}\n", status_code=403)(scope, receive, send)

    def refusal(self, scope: Scope) -> str:
        """Why a request is refused; "" if it is not. A server adds its own reasons in a subclass."""
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
