"""The `dagster.yaml` of an instance: that which ships, until a person edits it, and what that person's lacks since.

Beside it lies a copy of what shipped when it was written. So a file that nobody edited follows what ships, and of one
that somebody did it is known what has changed since.
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
    """Write what ships to a home that has no file, or one that nobody edited; safe from several processes at once."""
    now, mine, before = shipped_config(), _read(home / CONFIG), _read(home / SHIPPED)
    if mine in (None, before) and mine != now:
        write_private(home / CONFIG, now)
        mine = now
    if mine == now != before:
        write_private(home / SHIPPED, now)


def changed_since(home: Path) -> list[str]:
    """Settings that ship otherwise than when a person edited the home's file, and that this one does not have so.

    Where it is not known what shipped then, all that differ.

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
