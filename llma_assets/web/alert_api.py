"""Alerts over HTTP: the documents of `llma alerts … --json`; rules, incidents, mutes, and the outbox of messages."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from llma_assets.alerts import (
    SETTINGS,
    AlertDeliveries,
    AlertError,
    AlertFile,
    AlertIncidents,
    AlertMutes,
    AlertPreview,
    AlertReasons,
    AlertRules,
    LiftedMutes,
    ListedIncident,
    Mute,
    ResentMessages,
    alerts_of,
    checked_subject,
    chosen_settings,
    deliveries_report,
    file_report,
    incidents,
    incidents_report,
    lift_mutes,
    mute,
    mutes_of,
    preview_report,
    read_document,
    reasons_report,
    requeue_messages,
    rules_report,
)
from llma_assets.clusters import clustered_days
from llma_assets.named_settings import AppliedSettings, SettingsHistory
from llma_assets.serialization import json_object
from llma_assets.team_day import TeamDay
from llma_assets.web.answers import LimitQuery, OffsetQuery, answer, part_of
from llma_assets.web.problems import InvalidInput, NotFound
from llma_assets.web.setting_answers import SettingsFile, file_answer, file_applied, history_answer
from llma_assets.web.visitors import ChangerDep, SiteDep, TeamDep

router = APIRouter(tags=["alerts"])

ALERTS = "/teams/{team_id}/alerts"
Name = Annotated[str, Field(max_length=200)]


class WantedMute(BaseModel):
    """What is to be silent: a rule, a lineage or both; for some days, until more of it comes, or for good."""

    rule: Name = ""
    lineage: Name = ""
    days: int | None = Field(None, ge=1, le=365)
    traces: int = Field(0, ge=0, le=1_000_000)
    users: int = Field(0, ge=0, le=1_000_000)


class WantedUnmute(BaseModel):
    """Which mutes are taken back: of a rule, of a lineage, of both; all without."""

    rule: Name = ""
    lineage: Name = ""


class WantedResend(BaseModel):
    """Messages by their ids, or all dead letters of a channel, which is switched on again."""

    messages: list[Annotated[str, Field(min_length=1, max_length=64)]] = Field(default=[], max_length=100)
    channel: Name = ""
    dry_run: bool = False


@router.get(f"{ALERTS}/rules", response_model=AlertRules)
def rules(request: Request, site: SiteDep, team_id: TeamDep) -> Response:
    """The rules with their sentences, and the channels; secrets are in neither."""
    return answer(request, json_object(rules_report(site.database, team_id)))


@router.get(f"{ALERTS}/file", response_model=AlertFile)
def settings(
    request: Request, site: SiteDep, team_id: TeamDep, name: Annotated[list[str] | None, Query(max_length=100)] = None
) -> Response:
    """Rules and channels as a file has them, all or those of some names; its ETag is the condition of a change."""
    stored = SETTINGS.of_team(site.database, team_id)
    try:
        document = chosen_settings(alerts_of(site.database, team_id), name or ())
    except AlertError as error:
        raise NotFound(str(error)) from None
    return file_answer(request, file_report(team_id, document), stored)


@router.post(f"{ALERTS}/file", response_model=AppliedSettings)
def apply_file(request: Request, site: SiteDep, visitor: ChangerDep, team_id: TeamDep, file: SettingsFile) -> Response:
    """Store the rules and channels of a file, or say what it would change."""
    return file_applied(request, site, visitor, team_id, SETTINGS, read_document, file)


@router.get(f"{ALERTS}/history", response_model=SettingsHistory)
def history(
    request: Request,
    site: SiteDep,
    team_id: TeamDep,
    name: str = "",
    limit: LimitQuery = 1_000,
    offset: OffsetQuery = 0,
) -> Response:
    """Who changed which rule or channel, oldest first."""
    return history_answer(request, site, team_id, SETTINGS, name, limit, offset)


@router.get(ALERTS + "/rules/{rule}/preview", response_model=AlertPreview)
def preview(
    request: Request,
    site: SiteDep,
    team_id: TeamDep,
    rule: str,
    days: Annotated[int, Query(ge=1, le=90, description="Days up to `date`.")] = 30,
    until: Annotated[date | None, Query(alias="date", description="UTC; the latest with clusters without.")] = None,
) -> Response:
    """On which days a rule would have opened and closed an incident; nothing is stored or sent."""
    known = clustered_days(site.database, team_id) if until is None else []
    last = until or (known[-1] if known else site.today)
    if last < date(1970, 6, 1):
        raise InvalidInput("date: must be after 1970-06-01", field="date")
    try:
        budget = site.daily_budget_usd(team_id)
        found = preview_report(site.database, TeamDay(team_id, last), rule, days, budget_usd=budget)
    except AlertError as error:
        raise NotFound(str(error)) from None
    return answer(request, json_object(found))


@router.get(f"{ALERTS}/why", response_model=AlertReasons)
def why(
    request: Request,
    site: SiteDep,
    team_id: TeamDep,
    day: Annotated[date, Query(alias="date", description="Day, UTC.")],
    lineage: Annotated[str, Query(max_length=200, description="Beginning of its id; - is whole themes.")] = "-",
) -> Response:
    """What each rule decided on a day, and by which numbers, from stored rows."""
    return answer(request, json_object(reasons_report(site.database, team_id, day, lineage)))


@router.get(f"{ALERTS}/incidents", response_model=AlertIncidents)
def list_incidents(
    request: Request,
    site: SiteDep,
    team_id: TeamDep,
    only_open: Annotated[bool, Query(alias="open", description="Only those that go on.")] = False,
    limit: LimitQuery = 50,
    offset: OffsetQuery = 0,
) -> Response:
    """What rules told of, latest first."""
    found = incidents_report(site.database, team_id, only_open=only_open)
    shown, headers = part_of(request, found.incidents, limit, offset)
    return answer(request, json_object(AlertIncidents(team_id, shown)), headers=headers)


@router.get(ALERTS + "/incidents/{incident_id}", response_model=ListedIncident)
def incident(request: Request, site: SiteDep, team_id: TeamDep, incident_id: UUID) -> Response:
    """One incident."""
    for each in incidents(site.database, team_id):
        if each.incident_id == incident_id:
            return answer(request, json_object(ListedIncident(each, each.is_open)))
    raise NotFound(f"team {team_id} has no incident {incident_id}")


@router.get(f"{ALERTS}/mutes", response_model=AlertMutes)
def mutes(request: Request, site: SiteDep, team_id: TeamDep) -> Response:
    """What is silent by a person's decision."""
    return answer(request, json_object(AlertMutes(team_id, tuple(mutes_of(site.database, team_id)))))


@router.post(f"{ALERTS}/mutes", response_model=Mute, status_code=201)
def silence(request: Request, site: SiteDep, visitor: ChangerDep, team_id: TeamDep, wanted: WantedMute) -> Response:
    """Silence a rule, a lineage or both; what is silent is still judged and recorded."""
    if not (wanted.rule or wanted.lineage):
        raise InvalidInput("rule: say what is to be silent, a rule, a lineage or both", field="rule")
    if (wanted.traces or wanted.users) and not wanted.lineage:
        raise InvalidInput("lineage: traces and users count a lineage; name it", field="lineage")
    if wanted.rule:
        try:
            alerts_of(site.database, team_id).rule(wanted.rule)
        except AlertError as error:
            raise InvalidInput(str(error), field="rule") from None
    try:
        checked_subject(site.database, team_id, wanted.lineage)
    except AlertError as error:
        raise InvalidInput(str(error), field="lineage") from None
    now = site.clock()
    made = mute(
        site.database,
        team_id,
        visitor.name,
        now=now,
        rule_id=wanted.rule,
        subject=wanted.lineage,
        until=now + timedelta(days=wanted.days) if wanted.days else None,
        more_traces=wanted.traces,
        more_users=wanted.users,
    )
    return answer(request, json_object(made), status=201)


@router.post(f"{ALERTS}/mutes/lift", response_model=LiftedMutes)
def lift(
    request: Request,
    site: SiteDep,
    visitor: ChangerDep,  # noqa: ARG001  # it changes
    team_id: TeamDep,
    wanted: WantedUnmute,
) -> Response:
    """Take mutes back."""
    return answer(request, json_object(lift_mutes(site.database, team_id, rule=wanted.rule, lineage=wanted.lineage)))


@router.get(f"{ALERTS}/deliveries", response_model=AlertDeliveries)
def deliveries(
    request: Request,
    site: SiteDep,
    team_id: TeamDep,
    dead: Annotated[bool, Query(description="Only dead letters.")] = False,
    limit: LimitQuery = 50,
    offset: OffsetQuery = 0,
) -> Response:
    """Messages of the last sixty days and what became of them, latest first."""
    found = deliveries_report(site.database, team_id, site.clock(), state="dead" if dead else None)
    shown, headers = part_of(request, found.deliveries, limit, offset)
    return answer(request, json_object(replace(found, deliveries=shown)), headers=headers)


@router.post(f"{ALERTS}/deliveries/resend", response_model=ResentMessages)
def resend(
    request: Request,
    site: SiteDep,
    visitor: ChangerDep,  # noqa: ARG001  # it changes
    team_id: TeamDep,
    wanted: WantedResend,
) -> Response:
    """Put messages into the outbox again, under their old ids; the schedule `alerts_every_10_minutes` sends them."""
    if not wanted.messages and not wanted.channel:
        raise InvalidInput("messages: name messages, or a channel", field="messages")
    try:
        chosen = requeue_messages(
            site.database,
            alerts_of(site.database, team_id),
            wanted.messages,
            wanted.channel,
            site.clock(),
            dry_run=wanted.dry_run,
        )
    except AlertError as error:
        raise NotFound(str(error)) from None
    ids, waiting = tuple(each.message_id for each in chosen), 0 if wanted.dry_run else len(chosen)
    return answer(request, json_object(ResentMessages(team_id, wanted.dry_run, ids, 0, 0, waiting)))
