"""Alerts: rules over a team's clusters, their decisions and incidents, and messages to channels.

Judging is in `judging`, which knows no database; delivery in `delivery`.
"""

from llma_assets.alerts.delivery import Delivery, Sent, again, channels_off, deliver, deliveries, put, switch_channel
from llma_assets.alerts.document import Document, read_document, settings_of, write_document
from llma_assets.alerts.due import due_days
from llma_assets.alerts.errors import AlertError, InvalidRulesError
from llma_assets.alerts.evaluate import Evaluation, evaluate
from llma_assets.alerts.incidents import Incident, StoredDecision, incidents, shown_bucket, stored_decisions
from llma_assets.alerts.judging import Decision
from llma_assets.alerts.messages import Message
from llma_assets.alerts.muting import Mute, mute, mutes_of, unmute
from llma_assets.alerts.packs import rules_of
from llma_assets.alerts.partition import ALERTS_VERSION, alert_team_day
from llma_assets.alerts.previewing import PreviewDay, preview
from llma_assets.alerts.rule import Channel, Rule
from llma_assets.alerts.shipped import SHIPPED
from llma_assets.alerts.store import SettingChange, TeamAlerts, alerts_of, apply, past_changes, teams_with_rules

__all__ = [
    "ALERTS_VERSION",
    "SHIPPED",
    "AlertError",
    "Channel",
    "Decision",
    "Delivery",
    "Document",
    "Evaluation",
    "Incident",
    "InvalidRulesError",
    "Message",
    "Mute",
    "PreviewDay",
    "Rule",
    "Sent",
    "SettingChange",
    "StoredDecision",
    "TeamAlerts",
    "again",
    "alert_team_day",
    "alerts_of",
    "apply",
    "channels_off",
    "deliver",
    "deliveries",
    "due_days",
    "evaluate",
    "incidents",
    "mute",
    "mutes_of",
    "past_changes",
    "preview",
    "put",
    "read_document",
    "rules_of",
    "settings_of",
    "shown_bucket",
    "stored_decisions",
    "switch_channel",
    "teams_with_rules",
    "unmute",
    "write_document",
]
