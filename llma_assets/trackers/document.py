"""The file of a team's trackers and rules. Storing is in `named_settings`.

trackers:
  - {tracker: bugs, kind: github, project: acme/app, token_env: LLMA_TRACKERS_GITHUB}
rules:
  - {rule: urgent, tracker: bugs, min_priority: 2.5, min_users: 10}
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from pydantic import TypeAdapter

from llma_assets.named_settings import Kind, NamedSettings
from llma_assets.themes import Problem, did_you_mean
from llma_assets.trackers.errors import InvalidTrackersError, TrackerError
from llma_assets.trackers.setting import OnClosed, Tracker, TrackerRule


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says, checked one by one; how rules and trackers go together is checked when it is applied."""

    trackers: tuple[Tracker, ...] = ()
    rules: tuple[TrackerRule, ...] = ()


def read_document(text: str | bytes) -> Document:
    """The document of a YAML file.

    Raises:
        InvalidTrackersError: with everything that is wrong.
    """
    return Document(**SETTINGS.read(text))


def settings_of(item: Tracker | TrackerRule) -> dict[str, Any]:
    """Plain values by field, as a file has them."""
    return TRACKER.settings_of(item) if isinstance(item, Tracker) else RULE.settings_of(item)


def write_document(document: Document) -> str:
    """The document as YAML, which `read_document` gives back."""
    return SETTINGS.write(document)


def _wrong_tracker(tracker: Tracker) -> Iterator[tuple[str, str]]:
    if ("/" in tracker.project) != (tracker.kind == "github"):
        wanted = "owner/repository" if tracker.kind == "github" else "the key of a team, such as ENG"
        yield "project", f"{tracker.project!r} is not {wanted}"
    if not tracker.token_env:
        yield "token_env", "is missing; it names the variable with the token"


def _wrong_rule(rule: TrackerRule) -> Iterator[tuple[str, str]]:
    if rule.themes and rule.about == "task":
        yield "themes", "is about clusters; a task belongs to no theme"


def _unknown_trackers(parts: Mapping[str, Mapping[str, Any]]) -> Iterator[Problem]:
    trackers = parts["trackers"]
    for rule in parts["rules"].values():
        if rule.tracker not in trackers:
            hint = did_you_mean(rule.tracker, trackers)
            yield Problem(f"rule {rule.rule}.tracker", f"there is no tracker {rule.tracker!r}{hint}")


TRACKER = Kind(
    "tracker",
    TypeAdapter(Tracker),
    tuple(each.name for each in (*fields(Tracker), *fields(OnClosed))),
    _wrong_tracker,
)
RULE = Kind("rule", TypeAdapter(TrackerRule), tuple(each.name for each in fields(TrackerRule)), _wrong_rule)
SETTINGS = NamedSettings(
    "tracker_settings", (TRACKER, RULE), 50, "trackers", TrackerError, InvalidTrackersError, _unknown_trackers
)
