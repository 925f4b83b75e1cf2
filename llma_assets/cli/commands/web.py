"""`llma web`: the pages and the HTTP API. What they show belongs in `llma_assets.web`."""

import errno
import ipaddress
import os
import socket
import threading
import webbrowser
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from llma_assets.cli.errors import WrongUse
from llma_assets.cli.options import decider, require_named_files
from llma_assets.cli.render.console import say, show

if TYPE_CHECKING:
    import uvicorn

    from llma_assets.defs.run_counts import RunCounts
    from llma_assets.web import Access, Operations, Site

DAGSTER_VARIABLE = "LLMA_METRICS_DAGSTER"


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Interface to serve on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8321, show_default=True, help="0 takes a free one.")
@click.option("--open", "open_browser", is_flag=True, help="Open the pages in the browser.")
@click.option("--dagster-url", envvar="LLMA_DAGSTER_URL", default="", help="Address of Dagster's pages, for links.")
@click.option("--new-token", metavar="NAME", help="Print a new token for somebody and its entry for the file.")
def web(host: str, port: int, open_browser: bool, dagster_url: str, new_token: str | None) -> None:
    """Start the pages and the API.

    On the loopback interface everybody who can log in to this machine is let in. Elsewhere it needs tokens:
    LLMA_WEB_TOKENS_FILE names a file of them, LLMA_WEB_TOKENS holds them. LLMA_UI_HOSTS adds host names beside
    localhost. Ctrl-C ends it.
    """
    if new_token is not None:
        _show_new_token(new_token)
        return
    server, socket, address = pages_server(host, port, dagster_url)
    with socket:
        say(f"The pages are at {address}, the API at {address}/api/v1/openapi.json. Ctrl-C ends them.")
        if open_browser:
            webbrowser.open(address)
        server.run(sockets=[socket])


def pages_server(
    host: str, port: int, dagster_url: str, *, option: str = "--port"
) -> "tuple[uvicorn.Server, socket.socket, str]":
    """The server of the pages, the socket that it is to run on, which listens already, and its address.

    Args:
        option: that names its port.

    Raises:
        WrongUse: it may not serve there, or the port is taken.
    """
    from llma_assets.cli.run.timetable import read_timetable
    from llma_assets.settings import Settings
    from llma_assets.web import Site, Timetables

    if dagster_url and not dagster_url.startswith(("http://", "https://")):
        raise WrongUse("--dagster-url must begin with http:// or https://")
    require_named_files()
    access, hosts = access_for(host)
    site = Site(Settings.from_env(), access, dagster_url.rstrip("/"), timetables=Timetables(read_timetable))
    return server_of(site, host, port, hosts, option)


def access_for(host: str) -> "tuple[Access, Collection[str]]":
    """Who may ask a server on an interface, and its names; fails where strangers could reach one without tokens."""
    from llma_assets.request_guard import HOSTS_VARIABLE, named_hosts
    from llma_assets.web import Access, AccessError

    try:
        access = Access.from_env(os.environ, owner=decider(None))
    except AccessError as error:
        raise WrongUse(str(error)) from error
    hosts = named_hosts(os.environ.get(HOSTS_VARIABLE, ""))
    _require_tokens_outside(host, access, hosts)
    return access, hosts


def server_of(
    site: "Site", host: str, port: int, hosts: Collection[str], option: str = "--port"
) -> "tuple[uvicorn.Server, socket.socket, str]":
    """The server of a site, the socket that it is to run on, which listens already, and its address.

    Raises:
        WrongUse: the port is taken.
    """
    import uvicorn

    from llma_assets.web import create_app

    listening = listen(host, port, option)
    app = create_app(site, hosts=hosts, metrics=_operations(site))
    config = uvicorn.Config(app, host=host, port=port, log_level="warning", server_header=False, access_log=False)
    return uvicorn.Server(config), listening, address_of(host, listening.getsockname()[1])


def _operations(site: "Site") -> "Operations":
    """Who may read which metrics; Dagster's own are read where the settings ask for it, since it takes memory.

    Dagster is loaded meanwhile, which takes a hundred times as long as to count: the first scrape is to find it there.
    """
    from llma_assets.web import AccessError, Operations

    def dagster() -> "tuple[Mapping[str, int], Mapping[str, float]]":
        from llma_assets.defs.run_counts import RunCounts

        with lock:
            if not counts:
                counts.append(RunCounts(site.settings))
        return counts[0]()

    def load() -> None:
        with suppress(Exception):  # the scrape tells why
            dagster()

    counts: list[RunCounts] = []
    lock = threading.Lock()
    asked = os.environ.get(DAGSTER_VARIABLE, "").strip() not in ("", "0")
    try:
        operations = Operations.from_env(os.environ, dagster=dagster if asked else None)
    except AccessError as error:
        raise WrongUse(str(error)) from error
    if asked and operations.rule != "off":
        threading.Thread(target=load, name="dagster", daemon=True).start()
    return operations


def listen(host: str, port: int, option: str = "--port") -> socket.socket:
    """A socket that listens, so that whoever reads the address may ask at once.

    Args:
        option: that names the port.

    Raises:
        WrongUse: the port is taken, or the interface is not of this machine.
    """
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
        made.listen()
    except OSError as error:
        made.close()
        if error.errno == errno.EADDRINUSE:
            raise WrongUse(
                f"port {port} of {host} is taken, perhaps by another `llma`; name a free one by {option}"
            ) from None
        raise WrongUse(f"{host}, port {port}, cannot be served on: {error.strerror}") from None
    return made


def address_of(host: str, port: int) -> str:
    """The address of a server in a browser.

    >>> address_of("127.0.0.1", 3000), address_of("::1", 3000), address_of("0.0.0.0", 80)
    ('http://127.0.0.1:3000', 'http://[::1]:3000', 'http://127.0.0.1:80')
    """
    shown = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://{f'[{shown}]' if ':' in shown else shown}:{port}"


def _require_tokens_outside(host: str, access: "Access", hosts: Collection[str]) -> None:
    from llma_assets.web import TOKENS_FILE_VARIABLE

    try:
        is_loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if access.is_open and (not is_loopback or hosts):
        raise WrongUse(
            f"other machines could reach {host if not is_loopback else ', '.join(hosts)}, and there are no tokens: "
            f"`llma web --new-token NAME` makes one, {TOKENS_FILE_VARIABLE} names the file of them"
        )


def _show_new_token(name: str) -> None:
    import json

    from llma_assets.web import new_token, token_hash

    token = new_token()
    say("Give the token to its owner; it is not stored. Its entry belongs in the file of LLMA_WEB_TOKENS_FILE.")
    show(f"token: {token}\n")
    show(
        f'[[visitors]]\nname = {json.dumps(name)}\nsha256 = "{token_hash(token)}"\n'
        'teams = "all"  # or team numbers, [1, 2]\nrights = "read"  # or "change"'
    )
