"""`llma dev`: the Dagster UI and daemon behind the request checks of `webserver`, and the pages beside them."""

import os
import signal
import threading

import click

from llma_assets.cli.commands.web import address_of, listen, pages_server
from llma_assets.cli.errors import WrongUse
from llma_assets.cli.render.console import say

PAGES_URL = "LLMA_WEB_URL"


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Interface to serve on.")
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True, help="Of the Dagster UI.")
@click.option(
    "--web-port", type=click.IntRange(0, 65535), default=8321, show_default=True, help="Of the pages; 0: a free one."
)
def dev(host: str, port: int, web_port: int) -> None:
    """Start the Dagster UI and daemon, and the pages of `llma web`.

    The daemon runs schedules and sensors. Like `dagster dev`, but it checks Host and Origin, so that foreign web pages
    cannot send requests. The UI has no login: whoever reaches its port can do everything. LLMA_UI_HOSTS adds host names
    beside localhost; the pages then need tokens, and are left out without.
    """
    from llma_assets.defs.dev import serve
    from llma_assets.defs.instance import prepare_home
    from llma_assets.settings import Settings

    settings = Settings.from_env()
    listen(host, port).close()  # a port that is taken is said before anything starts
    os.environ["DAGSTER_HOME"] = str(prepare_home(settings))
    # A shell starts background commands with SIGINT ignored, and the child processes would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _start_pages(host, web_port, os.environ.get("LLMA_DAGSTER_URL", "").strip() or address_of(host, port))
    serve(settings, host, port)


def _start_pages(host: str, port: int, dagster_url: str) -> None:
    """Serve the pages from a thread, so that they end however this process does."""
    try:
        server, socket, address = pages_server(host, port, dagster_url, option="--web-port")
    except WrongUse as error:
        if "tokens" not in str(error):
            raise
        say(f"The pages are not started: {error}")
        return
    # Dagster's processes write it into what they store, as a link to the page of what they made.
    os.environ.setdefault(PAGES_URL, address)
    say(f"The pages are at {address}, the Dagster UI at {dagster_url}. Ctrl-C ends both.")
    threading.Thread(target=server.run, kwargs={"sockets": [socket]}, daemon=True, name="pages").start()
