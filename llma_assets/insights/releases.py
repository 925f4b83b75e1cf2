"""Releases of the application: those that people named, and those that a property of its events names."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from llma_assets.clickhouse import Database
from llma_assets.insights.queries import RELEASES, RELEASES_OF_EVENTS
from llma_assets.serialization import Moment
from llma_assets.trace_events import TRIGGER_EVENTS

LONGEST_NAME = 200
EVENTS_REACH = timedelta(days=90)
"""Events of so long are looked through for releases."""


class ReleaseError(ValueError):
    """A release cannot be added or found; the message says why, and which there are."""


@dataclass(frozen=True, slots=True)
class Release:
    """When a release began.

    Attributes:
        name: as people or events name it.
        released_at: UTC.
        origin: `person`, or `events` for the first event that names it.
        added_by: who added it, "" for events.
    """

    name: str
    released_at: Moment
    origin: Literal["person", "events"]
    added_by: str = ""


def add_release(database: Database, team_id: int, name: str, released_at: datetime, *, by: str) -> Release:
    """Add a release, or move one that is there.

    Raises:
        ReleaseError: the name is empty or too long.
    """
    name = name.strip()
    if not 0 < len(name) <= LONGEST_NAME:
        raise ReleaseError(f"the name of a release must have 1 to {LONGEST_NAME} characters, not {len(name)}")
    database.insert_rows(
        "releases", [{"team_id": team_id, "name": name, "released_at": released_at, "removed": False, "changed_by": by}]
    )
    return Release(name, released_at, "person", by)


def remove_release(database: Database, team_id: int, name: str, *, by: str) -> Release:
    """Take back a release that a person added.

    Raises:
        ReleaseError: nobody added it.
    """
    release = find_release(_added(database, team_id), name)
    database.insert_rows(
        "releases",
        [
            {
                "team_id": team_id,
                "name": release.name,
                "released_at": release.released_at,
                "removed": True,
                "changed_by": by,
            }
        ],
    )
    return release


def releases_of(database: Database, team_id: int, *, now: datetime, named_by: str = "") -> list[Release]:
    """The releases of a team, oldest first; where a person and events name one, the person's moment holds.

    Args:
        named_by: the property of events that names the release, "" for none.
    """
    added = _added(database, team_id)
    names = {each.name for each in added}
    seen = []
    if named_by:
        rows = database.rows(
            RELEASES_OF_EVENTS,
            team_id=team_id,
            property=named_by,
            trigger_events=list(TRIGGER_EVENTS),
            **{"from": now - EVENTS_REACH, "until": now},
        )
        seen = [Release(row["name"], row["released_at"], "events") for row in rows if row["name"] not in names]
    return sorted([*added, *seen], key=lambda each: (each.released_at, each.name))


def find_release(releases: list[Release], name: str) -> Release:
    """The release of a name.

    Raises:
        ReleaseError: there is none; the message names the latest ones.
    """
    for each in releases:
        if each.name == name.strip():
            return each
    latest = ", ".join(each.name for each in releases[-5:])
    known = f"the latest are {latest}" if latest else "none is known: `llma releases add NAME --team N` adds one"
    raise ReleaseError(f"there is no release {name!r}; {known}")


def _added(database: Database, team_id: int) -> list[Release]:
    rows = database.rows(RELEASES, team_id=team_id)
    return [Release(row["name"], row["released_at"], "person", row["changed_by"]) for row in rows]
