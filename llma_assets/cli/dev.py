"""`llma dev`: the Dagster UI and its daemon, on the data of the other commands, behind the guard of `webserver`."""

import os
import signal
import sys
from collections.abc import Sequence
from importlib import resources
from typing import Any

import click


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Interface to serve on.")
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True)
def dev(host: str, port: int) -> None:
    """The Dagster UI, and the daemon that runs schedules and sensors.

    As `dagster dev`, but pages of others cannot use it: Host and Origin are checked. There is no login: whoever
    reaches the port may do everything. LLMA_UI_HOSTS names the hosts by which it is opened, beside localhost.
    """
    from llma_assets.cli.instance import prepare_home
    from llma_assets.settings import Settings

    os.environ["DAGSTER_HOME"] = str(prepare_home(Settings.from_env()))
    # A shell lets what it starts in the background ignore Ctrl-C, and the processes below would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    import dagster._cli.dev as dagster_dev

    # Dagster has no setting for it.
    dagster_dev.open_ipc_subprocess = _guarding(dagster_dev.open_ipc_subprocess)  # type: ignore[attr-defined]
    with resources.as_file(resources.files("llma_assets") / "workspace.yaml") as workspace:
        arguments = ["--workspace", str(workspace), "--host", host, "--port", str(port)]
        dagster_dev.dev_command.main(arguments, prog_name="llma dev", standalone_mode=False)


def _guarding(start: Any) -> Any:
    """How Dagster starts its services, with our web server in the place of its own."""

    def start_ours(parts: Sequence[str], **options: Any) -> Any:
        module = parts[parts.index("-m") + 1]
        if module not in ("dagster_webserver", "dagster._daemon"):
            raise RuntimeError(f"this version of Dagster starts {module}, of which nobody knows who may use it")
        ours = "llma_assets.webserver" if module == "dagster_webserver" else module
        return start([sys.executable, "-m", ours, *parts[parts.index("-m") + 2 :]], **options)

    return start_ours
