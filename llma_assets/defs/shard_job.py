"""The job of a shard of teams: one run, one step, one team after another. Schedules and sensors request it.

What a shard makes of a team belongs in `shard.py`, which teams form a shard in `shard_requests.py`.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import groupby

import dagster as dg
from pydantic import Field

from llma_assets.clock import Clock
from llma_assets.defs.due_days import general_themes
from llma_assets.defs.due_texts import record_texts_finished
from llma_assets.defs.jobs import ALL_STAGES, TEXTS_STAGES, run_config
from llma_assets.defs.partitions import team_day
from llma_assets.defs.resources import ChatModelResource, ClickHouseResource, EmbedderResource, TeamSettingsResource
from llma_assets.defs.shard import Event, Shard
from llma_assets.defs.stage_work import Given
from llma_assets.models import verdicts_kept
from llma_assets.stage import Progress
from llma_assets.team_day import TeamDay
from llma_assets.themes import TeamThemes

SHARD = "shard"
"""Name of the op."""


class ShardConfig(dg.Config):
    """What a shard makes."""

    partitions: list[str] = Field(default_factory=list)
    """Keys of partitions, `2026-11-07|1`, of any teams."""

    stages: list[str] = Field(default_factory=lambda: list(ALL_STAGES))
    """The assets to make, in order."""

    themes: list[str] = Field(default_factory=list)
    """Only these of the general themes; if empty, all that a team has on."""


ShardWork = Callable[[Shard, ShardConfig], Iterator[None]]
"""Works on the teams of a shard; yields after each, so that Dagster records what was made."""


def requested_partitions(shard: Shard, config: ShardConfig) -> Iterator[None]:
    """Make the requested partitions with the general themes that each team has on by then."""
    if unknown := set(config.stages) - set(ALL_STAGES):
        raise ValueError(f"unknown stages {sorted(unknown)}; there are {', '.join(ALL_STAGES)}")
    shard.details = len({team_day(key).team_id for key in config.partitions}) == 1
    days = sorted({team_day(key) for key in config.partitions}, key=lambda each: (each.team_id, each.day))
    known = shard.days_with_anything(days)
    database = shard.given.database.tagged(run=shard.run_id)
    themes = shard.themes
    finished: list[TeamDay] = []
    for team_id, of_team in groupby(days, key=lambda each: each.team_id):
        team_days = list(of_team)

        def work(team_id: int = team_id, team_days: list[TeamDay] = team_days) -> str:
            stages, options = _work_of(themes, team_id, config)
            done = shard.make(stages, team_days, options, known=known)
            error = done.error or "; ".join(done.empty)
            if not (error or done.leaves_work):
                finished.extend(team_days)
            return error

        shard.isolated(team_id, work)
        yield
    if set(TEXTS_STAGES) <= set(config.stages) and not config.themes:
        record_texts_finished(database, shard.given.team_settings.settings(), finished)


def _work_of(
    themes: Mapping[int, TeamThemes], team_id: int, config: ShardConfig
) -> tuple[list[str], dict[str, dict[str, object]]]:
    """The stages of a team and their options: without a general theme only the texts, for the other themes."""
    general = [each for each in general_themes(themes, team_id) if not config.themes or each in config.themes]
    chosen = config.stages if general else [stage for stage in config.stages if stage in TEXTS_STAGES[:1]]
    ops = run_config(chosen, general)["ops"]
    return chosen, {stage: op["config"] for stage, op in ops.items()}


def shard_op(
    context: dg.OpExecutionContext,
    config: ShardConfig,
    clickhouse: ClickHouseResource,
    chat: ChatModelResource,
    embedder: EmbedderResource,
    team_settings: TeamSettingsResource,
    clock: dg.ResourceParam[Clock],
    progress: dg.ResourceParam[Progress],
    shard_work: dg.ResourceParam[ShardWork],
) -> Iterator[Event]:
    """Makes the stages of several teams, one after another; one that fails leaves the others standing.

    Records a materialization of each partition that was made, and one result of each check over all teams.
    """
    from llma_assets.defs.assets import STAGES

    database = clickhouse.database()
    given = Given(context.run, database, database, chat, embedder, team_settings, clock, progress)
    shard = Shard(given, context.log, {stage.name: stage for stage in STAGES})
    try:
        # A wrong key fails each team with the words that the first was told, not with a call each.
        with verdicts_kept():
            for _ in shard_work(shard, config):
                yield from shard.take_events()
    finally:
        shard.store_runs()
    yield from shard.check_results()
    if shard.failures:
        told = "; ".join(f"team {team_id}: {why}" for team_id, why in shard.failures.items())
        raise dg.Failure(f"{len(shard.failures)} teams failed: {told}", metadata={"teams": sorted(shard.failures)})


@dg.job(
    name="shard_job",
    description="Several teams in one run, one after another: texts or clusters of the general themes.",
)
def shard_job() -> None:
    """The only op of the job."""
    dg.op(name=SHARD, out={}, pool="models")(shard_op)()
