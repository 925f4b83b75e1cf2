"""`llma dev`: starts the Dagster UI and daemon behind the request checks of `webserver`."""

import os
import signal

import click


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Interface to serve on.")
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True)
def dev(host: str, port: int) -> None:
    """Start the Dagster UI and daemon.

    The daemon runs schedules and sensors. Like `dagster dev`, but it checks Host and Origin, so that foreign web pages
    cannot send requests. There is no login: whoever reaches the port can do everything. LLMA_UI_HOSTS adds host names
    beside localhost.
    """
    from llma_assets.defs.dev import serve
    from llma_assets.defs.instance import prepare_home
    from llma_assets.settings import Settings

    settings = Settings.from_env()
    os.environ["DAGSTER_HOME"] = str(prepare_home(settings))
    # A shell starts background commands with SIGINT ignored, and the child processes would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    serve(settings, host, port)
