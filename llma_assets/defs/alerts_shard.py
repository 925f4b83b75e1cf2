"""Days of many teams judged in one run: its job, and the schedule that asks for it."""

import hashlib
import time
from collections.abc import Iterator
from datetime import date
from itertools import groupby

import dagster as dg
from pydantic import Field

from llma_assets.alerts import ALERTS_VERSION, AlertedTeam, alert_teams, due_days, teams_with_rules
from llma_assets.clock import Clock
from llma_assets.defs.alerts import alerts
from llma_assets.defs.described import described
from llma_assets.defs.metadata import as_metadata
from llma_assets.defs.partitions import partition_key, team_day, teams
from llma_assets.defs.resources import ClickHouseResource, TeamSettingsResource
from llma_assets.defs.shard_requests import SHARD_TAG
from llma_assets.team_day import TeamDay
from llma_assets.teams import TeamSettingsError, why_left_out

ALERTS_SHARD = "alerts_shard"
"""Name of the op."""

TEAMS_A_RUN = 500
"""Teams that one run judges, at most."""


class AlertsShardConfig(dg.Config):
    """What a run judges."""

    partitions: list[str] = Field(default_factory=list)
    """Keys of partitions, `2026-11-07|1`, of any teams."""


def alerts_shard_op(
    context: dg.OpExecutionContext,
    config: AlertsShardConfig,
    clickhouse: ClickHouseResource,
    team_settings: TeamSettingsResource,
    clock: dg.ResourceParam[Clock],
) -> Iterator[dg.AssetMaterialization]:
    """Judges days of several teams, a day at a time; one that fails leaves the others standing."""
    database = clickhouse.database().tagged(run=context.run.run_id, asset=alerts.name)
    settings = team_settings.settings()
    rules = teams_with_rules(database)
    failures: dict[str, str] = {}
    days = sorted({team_day(key) for key in config.partitions}, key=lambda each: (each.day, each.team_id))
    for day, of_day in groupby(days, key=lambda each: each.day):
        wanted = []
        for each in of_day:
            if each.team_id not in rules or why_left_out(settings, each.team_id) is not None:
                continue
            try:
                team = settings.options_of(each.team_id)
            except TeamSettingsError as error:
                failures[partition_key(each)] = str(error)
                continue
            wanted.append(AlertedTeam(rules[each.team_id], team.daily_budget_usd, team.release_property))
        started = time.perf_counter()
        for team_id, report in alert_teams(database, day, wanted, clock=clock):
            key = partition_key(TeamDay(team_id, day))
            seconds, started = time.perf_counter() - started, time.perf_counter()
            if isinstance(report, Exception):
                context.log.error(f"{key} failed", exc_info=report)
                failures[key] = f"{type(report).__name__}: {report}"
                continue
            yield dg.AssetMaterialization(
                dg.AssetKey(alerts.name),
                partition=key,
                metadata=as_metadata(report, seconds),
                tags={"dagster/code_version": ALERTS_VERSION},
            )
    if failures:
        told = "; ".join(f"{key} ({why})" for key, why in failures.items())
        raise dg.Failure(f"{len(failures)} team days failed: {told}", metadata={"failed": sorted(failures)})


@dg.job(
    name="alerts_shard_job",
    description="Judges days of several teams by their alert rules in one run, and sends what is due.",
)
def alerts_shard_job() -> None:
    """The only op of the job."""
    dg.op(name=ALERTS_SHARD, out={}, pool="clickhouse")(alerts_shard_op)()


@described(
    dg.schedule,
    job=alerts_shard_job,
    cron_schedule="*/10 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.STOPPED,
)
def alerts_every_10_minutes(
    context: dg.ScheduleEvaluationContext, clickhouse: ClickHouseResource, team_settings: TeamSettingsResource
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Every ten minutes: judges days whose clusters are new or failed, and sends messages that are due.

    Only for teams with an alert rule that is switched on; for all others it costs nothing.
    """
    now = context.scheduled_execution_time
    settings = team_settings.settings()
    known = set(context.instance.get_dynamic_partitions(str(teams.name)))
    due: dict[date, list[tuple[str, str]]] = {}
    for each, why in due_days(clickhouse.database().tagged(schedule="alerts_every_10_minutes"), now):
        if str(each.team_id) in known and why_left_out(settings, each.team_id) is None:
            due.setdefault(each.day, []).append((str(partition_key(each)), why))
    for of_day in due.values():
        for start in range(0, len(of_day), TEAMS_A_RUN):
            chosen = of_day[start : start + TEAMS_A_RUN]
            keys = list(dict.fromkeys(key for key, _ in chosen))
            run_key = "\n".join(f"{key}|{why}" for key, why in chosen)
            yield dg.RunRequest(
                run_key=run_key if len(chosen) == 1 else hashlib.sha256(run_key.encode()).hexdigest()[:32],
                run_config={"ops": {ALERTS_SHARD: {"config": {"partitions": keys}}}},
                tags={SHARD_TAG: f"alerts {keys[0]}"},
            )
    if not due:
        yield dg.SkipReason("no team has an alert rule on and something to judge or to send")
