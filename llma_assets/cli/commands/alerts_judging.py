"""`llma alerts preview, run, why, incidents, mute, snooze`: what rules decide. The logic is in `llma_assets.alerts`."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from llma_assets.cli.errors import WrongUse
from llma_assets.cli.options import Day, date_option, decider, json_option, opened_database, optional_date, team_option
from llma_assets.cli.render.console import SHORT_ID, emit_report, plain, say, show, show_table
from llma_assets.cli.render.teams import team_named

if TYPE_CHECKING:
    from llma_assets.alerts import Mute
    from llma_assets.clickhouse import Database


@click.command("preview")
@click.argument("rule_name", metavar="RULE")
@team_option()
@click.option("--days", type=click.IntRange(1, 365), default=30, show_default=True, help="Days up to --date.")
@optional_date
@json_option
def preview_command(rule_name: str, team_id: int, days: int, day: date | None, as_json: bool) -> None:
    """Show on which days a rule would have opened and closed an incident, and what would have been said.

    The rule may be switched off. Nothing is stored and nothing is sent.
    """
    from llma_assets.alerts import alerts_of, preview_report
    from llma_assets.team_day import TeamDay

    with opened_database() as database:
        alerts_of(database, team_id).rule(rule_name)
        until = day or _last_day(database, team_id)
        budget = _options(team_id)["budget_usd"]
        report = preview_report(database, TeamDay(team_id, until), rule_name, days, budget_usd=budget)
    if as_json:
        emit_report(report)
        return
    show(f"{report.sentence}\n{days} days up to {until}:\n")
    for each in report.days:
        show(f"{each.day}")
        for line in each.said:
            show(f"  {plain(line)}")
    if not report.days:
        say("It would have told of nothing.")


@click.command("run")
@team_option()
@date_option
@click.option("--dry-run", is_flag=True, help="Show the decisions; store nothing and send nothing.")
@click.option("--as-of", type=Day(), help="Judge as if it were the morning after this day.  [default: now]")
@json_option
def run_command(team_id: int, day: date, dry_run: bool, as_of: date | None, as_json: bool) -> None:
    """Judge a team's day by its rules, and send what is due; the schedule of Dagster does the same.

    Nobody is told of days that ended more than two days ago, unless --as-of says so.
    """
    from llma_assets.alerts import AlertRun, alerts_of, deliver, evaluate
    from llma_assets.clock import utc_now
    from llma_assets.team_day import TeamDay

    now = utc_now()
    seen_from = TeamDay(team_id, as_of).end + timedelta(hours=6) if as_of else now
    with opened_database() as database:
        team = alerts_of(database, team_id)
        if not team.enabled:
            raise WrongUse(
                f"team {team_named(team_id)} has no alert rule switched on; `llma alerts apply FILE --team {team_id}`"
            )
        found = evaluate(database, TeamDay(team_id, day), team, now=seen_from, dry_run=dry_run, **_options(team_id))
        sent = None if dry_run else deliver(database, team_id, team.channels, clock=utc_now)
    verdicts = Counter(each.verdict for each, _ in found.decisions)
    if as_json:
        emit_report(
            AlertRun(
                team_id=team_id,
                day=day,
                dry_run=dry_run,
                decisions={str(verdict): number for verdict, number in verdicts.items()},
                changes=tuple(each for each, _ in found.decisions if each.verdict in _CHANGES),
                messages=tuple({"channel": channel, **each.as_json()} for channel, each, _ in found.messages),
                nobody_told_because=found.quiet_because,
                sent=sent.sent if sent else 0,
                not_sent=sent.failed + sent.dead if sent else 0,
                waiting=sent.waiting if sent else 0,
            )
        )
        return
    for each, muted in found.decisions:
        if each.verdict in _CHANGES:
            show(f"{each.verdict} {plain(each.rule)} {plain(each.title or each.subject[:8] or each.theme_id)}"
                 f"{' (muted)' if muted else ''}")  # fmt: skip
    said = ", ".join(f"{number} {verdict.replace('_', ' ')}" for verdict, number in verdicts.most_common())
    say(f"{len(found.decisions)} decisions: {said or 'none'}; {len(found.messages)} messages.")
    if found.quiet_because:
        say(f"Nobody is told: {found.quiet_because}.")
    if sent:
        say(f"{sent.sent} sent, {sent.failed + sent.dead} not sent, {sent.waiting} waiting.")
        for channel in sent.switched_off:
            say(f"Channel {channel} was switched off; `llma alerts deliveries --team {team_id}` says why.")


@click.command("why")
@click.argument("lineage")
@team_option()
@date_option
@json_option
def why(lineage: str, team_id: int, day: date, as_json: bool) -> None:
    """Show what each rule decided about a cluster on a day, why, and by which numbers; from stored rows."""
    from llma_assets.alerts import reasons_report

    prefix = "" if lineage == "-" else lineage.strip().lower()
    if prefix and len(prefix) < 4:
        raise WrongUse(f"{lineage!r} is too short for a lineage id; at least 4 characters are needed")
    with opened_database() as database:
        report = reasons_report(database, team_id, day, prefix)
    if as_json:
        emit_report(report)
        return
    for each in report.decisions:
        what = plain(each.title or each.subject or "the theme")
        hour = f", {each.bucket}" if isinstance(each.day, datetime) else ""
        show(f"{each.rule_id}, theme {each.theme_id}, {what}{hour}: {each.verdict}{' (muted)' if each.muted else ''}")
        if each.reason:
            show(f"  {plain(each.reason)}")
        show("  " + ", ".join(f"{name} {_shown(value)}" for name, value in each.numbers.items()))
    if not report.decisions:
        say(
            f"Nothing was decided about {lineage!r} on {day}: it had no trace in the four weeks before, the day was "
            f"not judged, or no rule is on. `llma alerts run --team {team_id} --date {day}` judges a day; '-' in place "
            "of the lineage shows what was decided about whole themes."
        )


@click.command("incidents")
@team_option()
@click.option("--open", "only_open", is_flag=True, help="Only those that go on.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="Latest N.")
@json_option
def incidents_command(team_id: int, only_open: bool, limit: int, as_json: bool) -> None:
    """List what rules told of, latest first."""
    from llma_assets.alerts import incidents_report

    with opened_database() as database:
        report = incidents_report(database, team_id, only_open=only_open)
    report = replace(report, incidents=report.incidents[:limit])
    if as_json:
        emit_report(report)
        return
    found = [each.incident for each in report.incidents]
    show_table(
        ("incident", "rule", "theme", "lineage", "opened", "closed", "severity", "title"),
        [
            (
                str(each.incident_id)[:SHORT_ID],
                each.rule_id,
                each.theme_id,
                each.subject[:SHORT_ID],
                each.since,
                each.until or "open",
                f"{each.severity}{' muted' if each.muted else ''}",
                each.title,
            )
            for each in found
        ],
    )
    if not found:
        say(f"Team {team_named(team_id)} has no {'open ' * only_open}incidents.")


@click.command("mute")
@team_option()
@click.option("--rule", default="", help="Only this rule.")
@click.option("--lineage", default="", help="Only this lineage (its whole id).")
@click.option("--by", default=None, help="Name of who decides.  [default: LLMA_USER, else your login]")
@json_option
def mute_command(team_id: int, rule: str, lineage: str, by: str | None, as_json: bool) -> None:
    """Silence a rule, a lineage or both, until `unmute`. What is muted is still judged and recorded."""
    _mute(team_id, rule, lineage, by, as_json)


@click.command("snooze")
@team_option()
@click.option("--rule", default="", help="Only this rule.")
@click.option("--lineage", default="", help="Only this lineage (its whole id).")
@click.option("--days", type=click.IntRange(1, 365), help="For so many days.")
@click.option("--traces", type=click.IntRange(0), default=0, help="Until so many more traces.")
@click.option("--users", type=click.IntRange(0), default=0, help="Until so many more users, added up by day.")
@click.option("--until-release", is_flag=True, help="Until the next release (`llma releases`).")
@click.option("--by", default=None, help="Name of who decides.  [default: LLMA_USER, else your login]")
@json_option
def snooze(
    team_id: int,
    rule: str,
    lineage: str,
    days: int | None,
    traces: int,
    users: int,
    until_release: bool,
    by: str | None,
    as_json: bool,
) -> None:
    """Silence a rule, a lineage or both for some days, until more of it comes, or until the next release."""
    if not (days or traces or users or until_release):
        raise WrongUse(
            "say until when: --days N, --traces N, --users N or --until-release; `llma alerts mute` has no end"
        )
    if (traces or users) and not lineage:
        raise WrongUse("--traces and --users count a lineage; name it by --lineage")
    until = datetime.now(UTC) + timedelta(days=days) if days else None
    _mute(team_id, rule, lineage, by, as_json, until, traces, users, until_release)


@click.command("unmute")
@team_option()
@click.option("--rule", default="", help="Only mutes of this rule.")
@click.option("--lineage", default="", help="Only mutes of this lineage.")
@json_option
def unmute_command(team_id: int, rule: str, lineage: str, as_json: bool) -> None:
    """Take mutes and snoozes back."""
    from llma_assets.alerts import lift_mutes

    with opened_database() as database:
        report = lift_mutes(database, team_id, rule=rule, lineage=lineage)
    if as_json:
        emit_report(report)
    else:
        say(f"{len(report.lifted)} mutes were taken back.")


def _mute(
    team_id: int,
    rule: str,
    lineage: str,
    by: str | None,
    as_json: bool,
    until: datetime | None = None,
    traces: int = 0,
    users: int = 0,
    until_release: bool = False,
) -> None:
    from llma_assets.alerts import alerts_of, checked_subject, mute

    if not (rule or lineage):
        raise WrongUse("say what is to be silent: --rule NAME, --lineage ID or both")
    author = decider(by)
    with opened_database() as database:
        if rule:
            alerts_of(database, team_id).rule(rule)
        checked_subject(database, team_id, lineage)
        made = mute(
            database,
            team_id,
            author,
            now=datetime.now(UTC),
            rule_id=rule,
            subject=lineage,
            until=until,
            more_traces=traces,
            more_users=users,
            until_release=until_release,
        )
    if as_json:
        emit_report(made)
    else:
        say(f"{_what(made)} is silent {made.ends}, by {author}; "
            f"`llma alerts unmute --team {team_id}` takes it back.")  # fmt: skip


def _what(made: "Mute") -> str:
    return " about ".join(each for each in (made.rule_id and f"rule {made.rule_id}", made.subject) if each)


def _last_day(database: "Database", team_id: int) -> date:
    from llma_assets.clusters import clustered_days

    days = clustered_days(database, team_id)
    if not days:
        raise WrongUse(f"team {team_named(team_id)} has no clusters yet; `llma run --team {team_id}` makes them")
    return max(days)


_CHANGES = ("opened", "worse", "closed")


def _shown(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _options(team_id: int) -> dict[str, Any]:
    from llma_assets.cli.run.settings import team_settings

    team = team_settings().options_of(team_id)
    return {"budget_usd": team.daily_budget_usd, "release_property": team.release_property}
