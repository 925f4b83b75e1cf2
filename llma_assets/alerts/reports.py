"""The documents about alerts: what `llma alerts … --json` prints and the API sends."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import SerializerFunctionWrapHandler, model_serializer

from llma_assets.alerts.delivery import Delivery, again, channels_off, deliveries, switch_channel
from llma_assets.alerts.document import SETTINGS, Document, settings_of
from llma_assets.alerts.errors import AlertError
from llma_assets.alerts.incidents import Incident, StoredDecision, incidents, stored_decisions
from llma_assets.alerts.judging import Decision
from llma_assets.alerts.muting import Mute, mutes_of, unmute
from llma_assets.alerts.previewing import preview
from llma_assets.alerts.store import TeamAlerts, alerts_of, problems_of
from llma_assets.clickhouse import Database
from llma_assets.named_settings import Settings
from llma_assets.serialization import Day, Moment, TeamId
from llma_assets.team_day import TeamDay


@dataclass(frozen=True, slots=True)
class AlertRules:
    """The rules, each with its `sentence`, and the channels, each with `switched_off_because`."""

    team_id: TeamId
    rules: tuple[Settings, ...]
    channels: tuple[Settings, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AlertFile:
    """Rules and channels as a file has them."""

    team_id: TeamId
    channels: tuple[Settings, ...]
    rules: tuple[Settings, ...]


@dataclass(frozen=True, slots=True)
class PreviewedDay:
    """What a rule would have done on a day."""

    day: Day
    changes: tuple[Decision, ...]
    said: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AlertPreview:
    """What a rule would have done on some days; those without a change are left out."""

    team_id: TeamId
    rule: str
    sentence: str
    days: tuple[PreviewedDay, ...]


@dataclass(frozen=True, slots=True)
class AlertRun:
    """What `llma alerts run` decided and sent.

    Attributes:
        decisions: how many, by verdict.
        changes: of incidents: opened, worse, closed.
        messages: as they are said, each with its `channel`.
        nobody_told_because: why no message was made, "" for none.
        sent, not_sent, waiting: messages of the outbox that were due.
    """

    team_id: TeamId
    day: Day
    dry_run: bool
    decisions: dict[str, int]
    changes: tuple[Decision, ...]
    messages: tuple[dict[str, Any], ...]
    nobody_told_because: str
    sent: int
    not_sent: int
    waiting: int


@dataclass(frozen=True, slots=True)
class AlertReasons:
    """What was decided about a lineage, or about whole themes, on a day, and by which numbers."""

    team_id: TeamId
    day: Day
    decisions: tuple[StoredDecision, ...]


@dataclass(frozen=True, slots=True)
class ListedIncident:
    """An incident, whose keys stand beside `open`."""

    incident: Incident
    open: bool

    @model_serializer(mode="wrap")
    def _document(self, serialized: SerializerFunctionWrapHandler) -> dict[str, Any]:
        document = serialized(self)
        return {**document["incident"], "open": document["open"]}


@dataclass(frozen=True, slots=True)
class AlertIncidents:
    """What rules told of, latest first."""

    team_id: TeamId
    incidents: tuple[ListedIncident, ...]


@dataclass(frozen=True, slots=True)
class AlertMutes:
    """What is silent, or was until now (`lifted`)."""

    team_id: TeamId
    mutes: tuple[Mute, ...]


@dataclass(frozen=True, slots=True)
class LiftedMutes:
    """Mutes that were taken back."""

    team_id: TeamId
    lifted: tuple[Mute, ...]


@dataclass(frozen=True, slots=True)
class AlertDelivery:
    """A message to a channel and what became of it."""

    message: UUID
    channel: str
    event: str
    headline: str
    created_at: Moment
    state: str
    attempts: int
    due_at: Moment | None
    reply: str
    error: str


@dataclass(frozen=True, slots=True)
class AlertDeliveries:
    """Messages of the last sixty days, latest first; `channels_off` says why a channel is switched off."""

    team_id: TeamId
    channels_off: dict[str, str]
    deliveries: tuple[AlertDelivery, ...]


@dataclass(frozen=True, slots=True)
class ResentMessages:
    """Messages that are sent again, and what became of what was due."""

    team_id: TeamId
    dry_run: bool
    chosen: tuple[UUID, ...]
    sent: int
    not_sent: int
    waiting: int


def rules_report(database: Database, team_id: int) -> AlertRules:
    """The rules and channels of a team."""
    team, off = alerts_of(database, team_id), channels_off(database, team_id)
    return AlertRules(
        team_id,
        tuple({**settings_of(each), "sentence": each.sentence} for each in team.rules.values()),
        tuple({**settings_of(each), "switched_off_because": off.get(each.channel)} for each in team.channels.values()),
        tuple(str(each) for each in problems_of(database, team)),
    )


def chosen_settings(team: TeamAlerts, names: Sequence[str] = ()) -> Document:
    """The rules and channels of these names, all without.

    Raises:
        AlertError: there is no rule or channel of a name.
    """
    for name in names:
        if name not in team.channels:
            team.rule(name)
    return Document(
        tuple(each for name, each in team.channels.items() if not names or name in names),
        tuple(each for name, each in team.rules.items() if not names or name in names),
    )


def file_report(team_id: int, document: Document) -> AlertFile:
    """A document as its values."""
    return AlertFile(team_id, **SETTINGS.values(document))


def preview_report(
    database: Database, until: TeamDay, rule_name: str, days: int, *, budget_usd: float | None
) -> AlertPreview:
    """What a rule would have done on the days up to one; nothing is stored.

    Args:
        budget_usd: the team's for a day, for rules about spend.

    Raises:
        AlertError: there is no such rule.
    """
    team = alerts_of(database, until.team_id)
    rule = team.rule(rule_name)
    found = preview(database, until, rule, days, budget_usd=budget_usd, beside=team.enabled)
    return AlertPreview(
        until.team_id,
        rule.rule,
        rule.sentence,
        tuple(PreviewedDay(each.day, each.decisions, each.said) for each in found),
    )


def reasons_report(database: Database, team_id: int, day: date, lineage: str) -> AlertReasons:
    """What each rule decided on a day.

    Args:
        lineage: the beginning of its id; "-" or "" is whole themes.
    """
    prefix = "" if lineage.strip() in ("", "-") else lineage.strip().lower()
    found = stored_decisions(database, team_id, day, day, prefix or "*")
    chosen = (each for each in found if prefix or not each.subject or each.verdict == "no_data")
    return AlertReasons(team_id, day, tuple(chosen))


def incidents_report(database: Database, team_id: int, *, only_open: bool = False) -> AlertIncidents:
    """What rules told of, latest first."""
    found = (each for each in incidents(database, team_id) if each.is_open or not only_open)
    return AlertIncidents(team_id, tuple(ListedIncident(each, each.is_open) for each in found))


def lift_mutes(database: Database, team_id: int, *, rule: str = "", lineage: str = "") -> LiftedMutes:
    """Take back the mutes of a rule, of a lineage, or all."""
    lifted = tuple(
        each
        for each in mutes_of(database, team_id)
        if (not rule or each.rule_id == rule) and (not lineage or each.subject == lineage)
    )
    unmute(database, team_id, lifted)
    return LiftedMutes(team_id, lifted)


def deliveries_report(
    database: Database, team_id: int, now: datetime, *, state: Literal["dead"] | None = None
) -> AlertDeliveries:
    """Messages and what became of them, latest first; only dead letters if asked for."""
    found = [each for each in deliveries(database, team_id, now) if state in (None, each.state)]
    return AlertDeliveries(
        team_id,
        channels_off(database, team_id),
        tuple(
            AlertDelivery(
                message=each.message_id,
                channel=each.channel,
                event=each.event,
                headline=each.message.headline,
                created_at=each.created_at,
                state=each.state,
                attempts=each.attempts,
                due_at=each.due_at,
                reply=each.reply,
                error=each.error,
            )
            for each in reversed(found)
        ),
    )


def requeue_messages(
    database: Database, team: TeamAlerts, messages: Sequence[str], channel: str, now: datetime, *, dry_run: bool
) -> list[Delivery]:
    """Put messages into the outbox again under their ids; nothing is sent here.

    Args:
        messages: ids or unique beginnings of them.
        channel: whose dead letters are chosen, too, and which is switched on again; "" for none.

    Raises:
        AlertError: there is no such channel, or not exactly one message of a beginning.
    """
    if channel and channel not in team.channels:
        raise AlertError(
            f"team {team.team_id} has no channel {channel!r}; `llma alerts list --team {team.team_id}` shows them"
        )
    found = deliveries(database, team.team_id, now)
    chosen = {each.message_id: each for each in found if channel and each.channel == channel and each.state == "dead"}
    for prefix in messages:
        alike = [each for each in found if prefix and str(each.message_id).startswith(prefix.lower())]
        if len(alike) != 1:
            raise AlertError(f"{len(alike)} messages begin with {prefix!r}; `llma alerts deliveries` shows them")
        chosen[alike[0].message_id] = alike[0]
    if not dry_run:
        if channel:
            switch_channel(database, team.team_id, channel, off=False)
        again(database, team.team_id, list(chosen.values()), now)
    return list(chosen.values())
