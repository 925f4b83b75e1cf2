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
    logging.getLogger("dagster").addFilter(_is_true_here)
    # Dagster has no setting for it.
    dagster_dev.open_ipc_subprocess = _guarding(dagster_dev.open_ipc_subprocess)  # type: ignore[attr-defined]
    with resources.as_file(resources.files("llma_assets") / "workspace.yaml") as workspace:
        arguments = ["--workspace", str(workspace), "--host", host, "--port", str(port)]
        dagster_dev.dev_command.main(arguments, prog_name="llma dev", standalone_mode=False)


def _retry_from_now_on(instance: "Instance") -> None:
    """In a new instance let the daemon retry the runs that fail from now on; it would say a warning and do the same."""
    from dagster import DagsterEventType

    storage = instance.daemon_cursor_storage
    names = {
        f"EVENT_LOG_CONSUMER_CURSOR-{event.value}"
        for event in (DagsterEventType.RUN_FAILURE, DagsterEventType.RUN_SUCCESS)
    }
    if missing := names - storage.get_cursor_values(names).keys():
        storage.set_cursor_values(dict.fromkeys(missing, str(instance.event_log_storage.get_maximum_record_id() or 0)))


def _is_true_here(record: logging.LogRecord) -> bool:
    """All that Dagster says, without its warning of a dagster.yaml in the folder that `llma dev` was called in.

    That of this repository is used: the one of DAGSTER_HOME follows it (`home_config`).
    """
    return not record.getMessage().startswith("Found a dagster instance configuration value")


def _guarding(start: Any) -> Any:
    """How Dagster starts its services, with our web server in the place of its own."""

    def start_ours(parts: Sequence[str], **options: Any) -> Any:
        module = parts[parts.index("-m") + 1]
        if module not in ("dagster_webserver", "dagster._daemon"):
            raise RuntimeError(f"this version of Dagster starts {module}, of which nobody knows who may use it")
        ours = "llma_assets.webserver" if module == "dagster_webserver" else module
        return start([sys.executable, "-m", ours, *parts[parts.index("-m") + 2 :]], **options)

    return start_ours
