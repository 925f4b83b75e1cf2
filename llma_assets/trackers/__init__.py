"""Trackers: issues of GitHub and Linear made of tasks and clusters, with states both ways, by polling.

Each kind is a module of its own (`github.py`, `linear.py`); what both sides' states come to is in `reconcile.py`.
"""

from llma_assets.trackers.document import SETTINGS, Document, read_document, settings_of, write_document
from llma_assets.trackers.errors import InvalidTrackersError, TrackerError, TrackerFault
from llma_assets.trackers.leases import Health, healths_of
from llma_assets.trackers.linking import Done
from llma_assets.trackers.links import Link, LinkState, Note, TeamLinks, links_of
from llma_assets.trackers.opening import Opened, open_issue
from llma_assets.trackers.partition import TRACKERS_VERSION, sync_team, teams_to_sync
from llma_assets.trackers.reports import (
    OpenedIssue,
    OpenedIssueOfTeam,
    TrackersFile,
    file_report,
    opened_report,
    sync_report,
    team_report,
    tested_report,
)
from llma_assets.trackers.setting import OnClosed, Tracker, TrackerRule
from llma_assets.trackers.showing import ShownLink, ShownTracker, TrackersReport, shown_links, trackers_report
from llma_assets.trackers.store import TeamTrackers, apply, past_changes, problems_of, trackers_of
from llma_assets.trackers.subjects import Subject, Subjects
from llma_assets.trackers.sync import Synced, client_of, sync
from llma_assets.trackers.wishes import issues_to_come

__all__ = [
    "SETTINGS",
    "TRACKERS_VERSION",
    "Document",
    "Done",
    "Health",
    "InvalidTrackersError",
    "Link",
    "LinkState",
    "Note",
    "OnClosed",
    "Opened",
    "OpenedIssue",
    "OpenedIssueOfTeam",
    "ShownLink",
    "ShownTracker",
    "Subject",
    "Subjects",
    "Synced",
    "TeamLinks",
    "TeamTrackers",
    "Tracker",
    "TrackerError",
    "TrackerFault",
    "TrackerRule",
    "TrackersFile",
    "TrackersReport",
    "apply",
    "client_of",
    "file_report",
    "healths_of",
    "issues_to_come",
    "links_of",
    "open_issue",
    "opened_report",
    "past_changes",
    "problems_of",
    "read_document",
    "settings_of",
    "shown_links",
    "sync",
    "sync_report",
    "sync_team",
    "team_report",
    "teams_to_sync",
    "tested_report",
    "trackers_of",
    "trackers_report",
    "write_document",
]
