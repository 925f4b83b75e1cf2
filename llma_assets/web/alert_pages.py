"""Alerts: incidents, rules, what was sent; mutes, rules on and off, and the file of rules. Judging is in `alerts`."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from llma_assets.alerts import (
    SETTINGS,
    AlertError,
    Incident,
    Mute,
    alerts_of,
    channels_off,
    deliveries,
    incidents,
    mute,
    mutes_of,
    problems_of,
    read_document,
    stored_decisions,
    unmute,
)
from llma_assets.named_settings import SettingChange
from llma_assets.web.access import Visitor
from llma_assets.web.incident_chart import incident_chart
from llma_assets.web.problems import InvalidInput, NotFound
from llma_assets.web.setting_forms import change_by_form, setting_file
from llma_assets.web.site import Site
from llma_assets.web.templates_of import address, page
from llma_assets.web.visitors import FormDep, SiteDep, TeamDep, VisitorDep

router = APIRouter()

ALERTS = "/teams/{team_id}/alerts"
SHOWN_INCIDENTS = 50
SHOWN_DELIVERIES = 30
SNOOZE_DAYS = 7
SHOWN_BEFORE = 28
"""Days before an incident that its page shows."""
MOST_MORE = 1_000_000_000


@router.get(ALERTS)
def alerts_page(request: Request, site: SiteDep, visitor: VisitorDep, team_id: TeamDep, problem: str = "") -> Response:
    """What rules told of, the rules, and what became of the messages."""
    return _alerts(request, site, visitor, team_id, problem=problem[:300])


@router.get(ALERTS + "/{incident_id}")
def incident_page(
    request: Request, site: SiteDep, visitor: VisitorDep, team_id: TeamDep, incident_id: UUID
) -> Response:
    """One incident: what each day's numbers were, and how to silence it. Messages link here."""
    database = site.database
    incident = _incident(site, team_id, incident_id)
    before, after = (2, 4) if incident.of_hours else (SHOWN_BEFORE, 14)
    until = max(incident.opened_date + timedelta(days=after), incident.closed_date)
    since = incident.opened_date - timedelta(days=before)
    days = stored_decisions(database, team_id, since, until, subject=incident.subject)
    shown = [
        each
        for each in days
        if (each.rule_id, each.theme_id, each.subject) == (incident.rule_id, incident.theme_id, incident.subject)
        and isinstance(each.day, datetime) == incident.of_hours
    ]
    rule = alerts_of(database, team_id).rules.get(incident.rule_id)
    mutes = [each for each in mutes_of(database, team_id) if _concerns(each, incident)]
    return page(
        request,
        "incident.html",
        tab="alerts",
        team_id=team_id,
        incident=incident,
        rule=rule,
        days=shown,
        chart=incident_chart(incident, shown),
        mutes=mutes,
        may_change=visitor.may_change,
        snooze_days=SNOOZE_DAYS,
    )


@router.post(ALERTS + "/{incident_id}")
def change_incident(
    site: SiteDep, visitor: VisitorDep, team_id: TeamDep, incident_id: UUID, fields: FormDep
) -> Response:
    """Silence the incident's cluster for this rule: for some days, until a release or more of it, for good; or not."""
    database, incident = site.database, _incident(site, team_id, incident_id)
    if fields.get("action") == "unmute":
        unmute(database, team_id, [each for each in mutes_of(database, team_id) if _concerns(each, incident)])
    else:
        now, action = site.clock(), fields.get("action")
        until = now + timedelta(days=SNOOZE_DAYS) if action == "snooze" else None
        more = {"traces": 0, "users": 0}
        if action in more:
            more[action] = _count(fields.get("count", ""), action)
        mute(
            database,
            team_id,
            visitor.name,
            now=now,
            rule_id=incident.rule_id,
            subject=incident.subject,
            until=until,
            more_traces=more["traces"],
            more_users=more["users"],
            until_release=action == "release",
        )
    return RedirectResponse(address(f"/teams/{team_id}/alerts/{incident_id}"), 303)


@router.post(ALERTS)
def change_rules(request: Request, site: SiteDep, visitor: VisitorDep, team_id: TeamDep, fields: FormDep) -> Response:
    """Check and store the file of rules and channels, switch one on or off, or take a change back."""
    try:
        changes = change_by_form(site, visitor, team_id, SETTINGS, read_document, fields)
    except AlertError as error:
        return _alerts(
            request, site, visitor, team_id, problem=str(error), text=fields.get("file"), seen=fields.get("seen")
        )
    if changes is None:
        return RedirectResponse(address(f"/teams/{team_id}/alerts"), 303)
    return _alerts(request, site, visitor, team_id, text=fields.get("file"), changes=changes, seen=fields.get("seen"))


def _alerts(
    request: Request,
    site: Site,
    visitor: Visitor,
    team_id: int,
    *,
    problem: str = "",
    text: str | None = None,
    changes: list[SettingChange] | None = None,
    seen: str | None = None,
) -> Response:
    database = site.database
    team = alerts_of(database, team_id)
    found = incidents(database, team_id)
    sent = deliveries(database, team_id, site.clock())
    more: Mapping[str, Any] = {
        "rules": tuple(team.rules.values()),
        "channels": tuple(team.channels.values()),
        "switched_off": channels_off(database, team_id),
        "problems": problems_of(database, team),
        "incidents": found[:SHOWN_INCIDENTS],
        "open_incidents": sum(each.is_open for each in found),
        "deliveries": sent[::-1][:SHOWN_DELIVERIES],
        "mutes": mutes_of(database, team_id),
        "setting": setting_file(site, team_id, SETTINGS, text, changes, seen),
        "problem": problem,
        "may_change": visitor.may_change,
    }
    return page(request, "alerts.html", tab="alerts", team_id=team_id, **more)


def _incident(site: Site, team_id: int, incident_id: UUID) -> Incident:
    for each in incidents(site.database, team_id):
        if each.incident_id == incident_id:
            return each
    near = [("All alerts", address(f"/teams/{team_id}/alerts"))]
    raise NotFound(f"team {team_id} has no incident {incident_id}", near=near)


def _count(text: str, of: str) -> int:
    """The number of a form, at least 1.

    Raises:
        InvalidInput: it is none.
    """
    if text.isascii() and text.isdigit() and 0 < int(text[:10]) <= MOST_MORE:
        return int(text)
    raise InvalidInput(f"the number of {of} must be an integer from 1 to {MOST_MORE:,}, not {text[:20]!r}")


def _concerns(each: Mute, incident: Incident) -> bool:
    return each.rule_id in ("", incident.rule_id) and each.subject in ("", incident.subject)
