"""Alerts: rules over a team's clusters, their decisions and incidents, and messages to channels.

Judging is in `judging`, which knows no database; delivery in `delivery`.
"""

from llma_assets.alerts.delivery import (
    Delivery,
    DeliveryError,
    OutboxCount,
    Sent,
    again,
    channels_off,
    checked_address,
    deliver,
    deliveries,
    inert,
    outbox_counts,
    put,
    secret_of,
    switch_channel,
)
from llma_assets.alerts.document import SETTINGS, Document, read_document, settings_of, write_document
from llma_assets.alerts.due import due_days
from llma_assets.alerts.errors import AlertError, InvalidRulesError
from llma_assets.alerts.evaluate import Evaluation, evaluate
from llma_assets.alerts.expected_trends import ExpectedDay, ExpectedSeries, ExpectedTrends, expected_trends
from llma_assets.alerts.incidents import Incident, StoredDecision, incidents, shown_bucket, stored_decisions
from llma_assets.alerts.judging import Decision
from llma_assets.alerts.messages import PAGES_VARIABLE, Message
from llma_assets.alerts.muting import Mute, mute, mutes_of, unmute
from llma_assets.alerts.packs import rules_of
from llma_assets.alerts.partition import ALERTS_VERSION, AlertedTeam, alert_team_day, alert_teams
from llma_assets.alerts.previewing import PreviewDay, preview
from llma_assets.alerts.reports import (
    AlertDeliveries,
    AlertDelivery,
    AlertFile,
    AlertIncidents,
    AlertMutes,
    AlertPreview,
    AlertReasons,
    AlertRules,
    AlertRun,
    LiftedMutes,
    ListedIncident,
    ResentMessages,
    chosen_settings,
    deliveries_report,
    file_report,
    incidents_report,
    lift_mutes,
    preview_report,
    reasons_report,
    requeue_messages,
    rules_report,
)
from llma_assets.alerts.rule import Channel, Rule
from llma_assets.alerts.shipped import SHIPPED
from llma_assets.alerts.store import TeamAlerts, alerts_of, apply, past_changes, teams_with_rules

__all__ = [
    "ALERTS_VERSION",
    "PAGES_VARIABLE",
    "SETTINGS",
    "SHIPPED",
    "AlertDeliveries",
    "AlertDelivery",
    "AlertError",
    "AlertFile",
    "AlertIncidents",
    "AlertMutes",
    "AlertPreview",
    "AlertReasons",
    "AlertRules",
    "AlertRun",
    "AlertedTeam",
    "Channel",
    "Decision",
    "Delivery",
    "DeliveryError",
    "Document",
    "Evaluation",
    "ExpectedDay",
    "ExpectedSeries",
    "ExpectedTrends",
    "Incident",
    "InvalidRulesError",
    "LiftedMutes",
    "ListedIncident",
    "Message",
    "Mute",
    "OutboxCount",
    "PreviewDay",
    "ResentMessages",
    "Rule",
    "Sent",
    "StoredDecision",
    "TeamAlerts",
    "again",
    "alert_team_day",
    "alert_teams",
    "alerts_of",
    "apply",
    "channels_off",
    "checked_address",
    "chosen_settings",
    "deliver",
    "deliveries",
    "deliveries_report",
    "due_days",
    "evaluate",
    "expected_trends",
    "file_report",
    "incidents",
    "incidents_report",
    "inert",
    "lift_mutes",
    "mute",
    "mutes_of",
    "outbox_counts",
    "past_changes",
    "preview",
    "preview_report",
    "put",
    "read_document",
    "reasons_report",
    "requeue_messages",
    "rules_of",
    "rules_report",
    "secret_of",
    "settings_of",
    "shown_bucket",
    "stored_decisions",
    "switch_channel",
    "teams_with_rules",
    "unmute",
    "write_document",
]
