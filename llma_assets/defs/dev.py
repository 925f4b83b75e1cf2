"""Dagster's own services, the UI and the daemon, started behind the guard of `webserver`."""

import logging
import sys
from collections.abc import Sequence
from importlib import resources
from typing import TYPE_CHECKING, Any

from llma_assets.defs.instance import opened_instance
from llma_assets.settings import Settings

if TYPE_CHECKING:
    from llma_assets.defs.instance import Instance


def serve(settings: Settings, host: str, port: int) -> None:
    """Run the UI and the daemon until they are interrupted, on the instance of DAGSTER_HOME."""
    import dagster._cli.dev as dagster_dev

    with opened_instance(settings) as instance:
        _retry_from_now_on(instance)
    logging.getLogger("dagster").addFilter(_is_relevant)
    # Dagster has no setting for it.
    dagster_dev.open_ipc_subprocess = _with_guard(dagster_dev.open_ipc_subprocess)  # type: ignore[attr-defined]
    with resources.as_file(resources.files("llma_assets") / "workspace.yaml") as workspace:
        arguments = ["--workspace", str(workspace), "--host", host, "--port", str(port)]
        dagster_dev.dev_command.main(arguments, prog_name="llma dev", standalone_mode=False)


def _retry_from_now_on(instance: "Instance") -> None:
    """Let the daemon of a new instance retry runs that fail from now on; it does so anyway, but with a warning."""
    from dagster import DagsterEventType

    storage = instance.daemon_cursor_storage
    names = {
        f"EVENT_LOG_CONSUMER_CURSOR-{event.value}"
        for event in (DagsterEventType.RUN_FAILURE, DagsterEventType.RUN_SUCCESS)
    }
    if missing := names - storage.get_cursor_values(names).keys():
        storage.set_cursor_values(dict.fromkeys(missing, str(instance.event_log_storage.get_maximum_record_id() or 0)))


def _is_relevant(record: logging.LogRecord) -> bool:
    """False for Dagster's warning about a dagster.yaml in the working folder: it claims that the file is not used.

    The file of this repository is used, because the one of DAGSTER_HOME follows it (`home_config`).
    """
    return not record.getMessage().startswith("Found a dagster instance configuration value")


def _with_guard(start: Any) -> Any:
    """Wrap the function that starts Dagster's services: it starts our web server instead of Dagster's."""

    def start_ours(parts: Sequence[str], **options: Any) -> Any:
        module = parts[parts.index("-m") + 1]
        if module not in ("dagster_webserver", "dagster._daemon"):
            raise RuntimeError(
                f"this version of Dagster starts {module}, whose access control is unknown; install the pinned version"
            )
        ours = "llma_assets.webserver" if module == "dagster_webserver" else module
        return start([sys.executable, "-m", ours, *parts[parts.index("-m") + 2 :]], **options)

    return start_ours
