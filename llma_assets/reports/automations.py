"""Schedules and sensors, as `llma automation` reports them. Dagster is not known here."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from llma_assets.serialization import UtcMoment


@dataclass(frozen=True, slots=True)
class Daemon:
    """Whether a daemon evaluates anything, and when it was last seen."""

    running: bool
    seen_at: UtcMoment | None


@dataclass(frozen=True, slots=True)
class AutomationTick:
    """One evaluation of a schedule or sensor; `status` is `started`, `skipped`, `success` or `failure`."""

    at: UtcMoment
    status: str
    runs: int
    detail: str


@dataclass(frozen=True, slots=True)
class AutomationRow:
    """A schedule or a sensor: what it does, whether it is on, its last and next evaluation."""

    name: str
    kind: str
    is_on: Annotated[bool, Field(serialization_alias="on")]
    when: str
    description: str
    last_tick: AutomationTick | None
    next_tick_at: UtcMoment | None


@dataclass(frozen=True, slots=True)
class AutomationsReport:
    """All of them, or those that were asked for; `changed` is no key where nothing was to be switched."""

    daemon: Daemon
    changed: tuple[str, ...] | None
    automations: tuple[AutomationRow, ...]

    @model_serializer(mode="wrap")
    def _without_changes(self, handler: SerializerFunctionWrapHandler) -> dict[str, object]:
        document: dict[str, object] = handler(self)
        if self.changed is None:
            del document["changed"]
        return document
