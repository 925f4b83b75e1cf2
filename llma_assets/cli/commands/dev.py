"""`llma dev`: the Dagster UI and its daemon, on the data of the other commands, behind the guard of `webserver`."""

import os
import signal

import click


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Interface to serve on.")
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True)
def dev(host: str, port: int) -> None:
    """The Dagster UI, and the daemon that runs schedules and sensors.

    As `dagster dev`, but pages of others cannot use it: Host and Origin are checked. There is no login: whoever
    reaches the port may do everything. LLMA_UI_HOSTS names the hosts by which it is opened, beside localhost.
    """
    from llma_assets.defs.dev import serve
    from llma_assets.defs.instance import prepare_home
    from llma_assets.settings import Settings

    settings = Settings.from_env()
    os.environ["DAGSTER_HOME"] = str(prepare_home(settings))
    # A shell lets what it starts in the background ignore Ctrl-C, and the processes below would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    serve(settings, host, port)
