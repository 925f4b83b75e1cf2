"""The `dagster.yaml` of an instance: it follows the shipped file until somebody edits it.

A copy of the shipped file is stored beside it. So an unedited file can be updated, and for an edited one it is known
which shipped settings have changed since.
"""

from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from llma_assets.private_files import write_private

CONFIG, SHIPPED = "dagster.yaml", "dagster.yaml.shipped"


def shipped_config() -> str:
    """The text of the `dagster.yaml` that ships; the root of the repository has a link to it."""
    return (resources.files("llma_assets") / CONFIG).read_text("utf-8")


def follow_shipped(home: Path) -> None:
    """Write the shipped file to a home that has none, or an unedited one; safe from several processes at once."""
    now, mine, before = shipped_config(), _read(home / CONFIG), _read(home / SHIPPED)
    if mine in (None, before) and mine != now:
        write_private(home / CONFIG, now)
        mine = now
    if mine == now != before:
        write_private(home / SHIPPED, now)


def changed_since(home: Path) -> list[str]:
    """Shipped settings that changed after somebody edited the home's file, and that differ from it.

    If the copy of the earlier shipped file is missing, all settings that differ.

    Returns:
        their names, such as `concurrency.runs.max_concurrent_runs`.
    """
    import yaml

    mine, before = _read(home / CONFIG), _read(home / SHIPPED)
    if mine is None:
        return []
    own, then = (dict(_leaves(yaml.safe_load(text or "{}") or {})) for text in (mine, before))
    nothing = object()
    return [
        name
        for name, value in _leaves(yaml.safe_load(shipped_config()))
        if value != then.get(name, nothing) and value != own.get(name, nothing)
    ]


def _read(path: Path) -> str | None:
    return path.read_text("utf-8") if path.exists() else None


def _leaves(settings: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value
