"""What every per-partition asset has in common: walk partitions and themes, isolate failures, report what was done.

What a stage does with one partition belongs in its room's `assets.py`.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import dagster as dg
from pydantic import Field

from llma_assets.clickhouse import Database
from llma_assets.discovery import ON_SKIP_LIST, TeamLeftOut, TeamOptions, resolve
from llma_assets.findings import Check, Finding
from llma_assets.ledger import Skip, clear_skip, record_skip
from llma_assets.models import ModelConfigurationError, NothingUsable, PriceUnknown
from llma_assets.partitions import team_day, team_days
from llma_assets.resources import ClickHouseResource, TeamSettingsResource
from llma_assets.team_day import TeamDay
from llma_assets.themes import Theme

SHOWN_FINDINGS = 20
FAILED, OUTSIDE_DATES = "failed", "outside_dates"
"""Reasons of skips that are a theme's own."""

SHOWN_ERROR = 500
"""Characters of an error that a skip keeps."""

Work = Callable[[TeamDay, TeamOptions], "Report"]
"""What a stage does for a team's day, given how the team wants to be worked on."""

Result = TypeVar("Result")


class ThemesConfig(dg.Config):
    """Options of every stage that works theme by theme."""

    themes: list[str] = Field(default_factory=list)
    """Only these themes, by their ids; without any, all that the team has switched on."""


class ThemesFailed(RuntimeError):
    """Some themes of a stage failed; what the others made is stored.

    Attributes:
        why: what failed, by theme.
    """

    def __init__(self, why: Mapping[str, str], *, of: int) -> None:
        told = "; ".join(f"{theme_id} ({reason})" for theme_id, reason in why.items())
        super().__init__(f"{len(why)} of {of} themes failed: {told}")
        self.why = dict(why)


@dataclass(frozen=True, slots=True)
class Report:
    """What a stage did for one partition.

    Attributes:
        items: results that the partition now holds.
        reason: why there are none, "" where there are.
        metadata: what people look at in the UI, by name.
        failed: items that failed; where they are all that there is, the status is `failed`.
        undone_for_budget: items that wait for money; with any the partition's status is `budget`, which is no failure.
        waiting: items that wait for an answer which a later run takes; with any the status is `waiting`.
    """

    items: int
    reason: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    undone_for_budget: int = 0
    waiting: int = 0
    failed: int = 0

    def as_metadata(self, duration_s: float) -> dict[str, Any]:
        """The report as Dagster metadata."""
        return {
            "items": self.items,
            "status": self._status,
            **({"reason": self.reason} if self.reason else {}),
            **({"undone_for_budget": self.undone_for_budget} if self.undone_for_budget else {}),
            **self.metadata,
            "duration_s": round(duration_s, 3),
        }

    @property
    def _status(self) -> str:
        if self.undone_for_budget:
            return "budget"
        if self.waiting:
            return "waiting"
        if self.failed and not self.items:
            return "failed"
        return "done" if self.items else "skipped"


class Progress(Protocol):
    """Told how far a stage is; must be quick and safe to call often."""

    def __call__(self, stage: str, team_day: TeamDay, done: int, total: int) -> None: ...


def silent(stage: str, team_day: TeamDay, done: int, total: int) -> None:
    """A `Progress` that shows nothing."""


def unfailing(progress: Progress) -> Progress:
    """A `Progress` that never fails what it tells of: with a first error of its own it falls silent."""
    is_silent = False

    def told(stage: str, team_day: TeamDay, done: int, total: int) -> None:
        nonlocal is_silent
        if is_silent:
            return
        try:
            progress(stage, team_day, done, total)
        # A closed pipe, a terminal that is gone, a mistake in drawing: nothing of the run depends on it.
        except Exception:
            is_silent = True
            logging.getLogger(__name__).debug("no more progress is shown", exc_info=True)

    return told


def walk_partitions(
    context: dg.AssetExecutionContext,
    database: Database,
    team_settings: TeamSettingsResource,
    work: Work,
    *,
    read_key: Callable[[str], TeamDay] = team_day,
) -> None:
    """Do `work` for each partition of the run, one by one; one that fails leaves the others standing.

    This is where every stage meets the gate (`discovery.resolve`): what is left out is skipped before `work` hears of
    it. The settings are read anew for each partition, so that a run under way heeds them, too.

    Args:
        read_key: from Dagster's partition key to the team and its day.

    Raises:
        dagster.Failure: names the partitions that failed; the healthy ones are logged as materialized first.
        ModelConfigurationError: at once; no further partition could succeed.
    """
    stage = context.asset_key.to_user_string()
    failures: dict[str, str] = {}
    done: dict[str, dict[str, Any]] = {}
    for key in context.partition_keys:
        started = time.perf_counter()
        try:
            report = _if_let_in(database, team_settings, stage, read_key(key), work)
        except ModelConfigurationError:
            _keep_finished(context, done)
            raise
        # Whatever went wrong concerns this partition; it is raised again below, with the others' results kept.
        except Exception as error:
            context.log.exception(f"{key} failed")
            failures[key] = f"{type(error).__name__}: {error}"
            continue
        done[key] = report.as_metadata(time.perf_counter() - started)
        context.log.info(f"{key}: {report.items} items {report.reason}".rstrip())
    if failures:
        _keep_finished(context, done)
        raise dg.Failure(
            f"{len(failures)} of {len(failures) + len(done)} partitions failed: {_in_words(failures)}",
            metadata={"failed": sorted(failures), "finished": sorted(done)},
        )
    for key, metadata in done.items():
        context.add_asset_metadata(metadata, partition_key=key)


def _if_let_in(
    database: Database, team_settings: TeamSettingsResource, stage: str, team_day: TeamDay, work: Work
) -> Report:
    """Do `work` for a team, or note down why nothing is done."""
    try:
        options = resolve(team_settings.settings(), team_day.team_id)
    except TeamLeftOut as left_out:
        reason, detail = left_out.reason, left_out.detail
        record_skip(database, Skip(team_day.team_id, team_day.day, stage, "", reason, detail))
        return Report(items=0, reason=reason)
    clear_skip(database, team_id=team_day.team_id, day=team_day.day, stage=stage, only=(ON_SKIP_LIST,))
    return work(team_day, options)


def _in_words(failures: Mapping[str, str]) -> str:
    """Which partitions failed and why, each reason once."""
    keys_of: dict[str, list[str]] = {}
    for key, why in failures.items():
        keys_of.setdefault(why, []).append(key)
    return "; ".join(f"{', '.join(keys)} ({why})" for why, keys in keys_of.items())


def _keep_finished(context: dg.AssetExecutionContext, done: dict[str, dict[str, Any]]) -> None:
    """Log the finished partitions as materialized, because the step itself is about to fail."""
    for key, metadata in done.items():
        context.log_event(dg.AssetMaterialization(context.asset_key, partition=key, metadata=metadata))


def each_theme(
    database: Database, team_day: TeamDay, stage: str, themes: Sequence[Theme], work: Callable[[Theme], Result]
) -> list[tuple[Theme, Result]]:
    """Do `work` for each theme that is to be run on the day, one by one; one that fails leaves the others standing.

    Why a theme has nothing here is stored as a skip (`failed`, `outside_dates`, or the `skip_reason` of an error that
    has one), and cleared once it has.

    Returns:
        each theme that was worked on, with what `work` gave for it.

    Raises:
        ThemesFailed: names the themes that failed, after all others were worked on.
        ModelConfigurationError: at once, where the installation's model is meant: no other theme could succeed. That
            of a theme which has a chat model of its own, or a budget that cannot be kept, concerns this theme alone.
    """
    log = dg.get_dagster_logger("themes")
    done: list[tuple[Theme, Result]] = []
    failures: dict[str, str] = {}
    for theme in themes:

        def skip(reason: str, detail: str, theme_id: str = theme.theme_id) -> None:
            log.warning(f"{team_day}, {stage}: theme {theme_id} {reason.replace('_', ' ')}: {detail}")
            record_skip(database, Skip(team_day.team_id, team_day.day, stage, theme_id, reason, detail))

        if not theme.covers(team_day.day):
            skip(OUTSIDE_DATES, f"the theme is for {theme.first_day or '…'} to {theme.last_day or '…'}")
            continue
        try:
            result = work(theme)
        # Whatever went wrong concerns this theme; it is raised again, here or below.
        except Exception as error:
            failures[theme.theme_id] = f"{type(error).__name__}: {error}{_whose_model(error, theme)}"
            log.exception(f"{team_day}, {stage}: theme {theme.theme_id} failed")
            reason = getattr(error, "skip_reason", FAILED)
            detail = failures[theme.theme_id] if reason == FAILED else str(error)
            skip(reason, detail[:SHOWN_ERROR])
            if isinstance(error, ModelConfigurationError) and not _is_its_own(error, theme):
                raise
            continue
        done.append((theme, result))
        clear_skip(
            database,
            team_id=team_day.team_id,
            day=team_day.day,
            stage=stage,
            theme_id=theme.theme_id,
            only=(FAILED, OUTSIDE_DATES),
        )
    if failures:
        raise ThemesFailed(failures, of=len(failures) + len(done))
    return done


def _is_its_own(error: ModelConfigurationError, theme: Theme) -> bool:
    """Whether what is wrong with a model may be right for another theme."""
    if isinstance(error, NothingUsable) and error.is_one_themes:
        return True
    return theme.model is not None or (isinstance(error, PriceUnknown) and theme.daily_budget_usd is not None)


def _whose_model(error: Exception, theme: Theme) -> str:
    """The model that a theme asks for by itself, where that is what is wrong, unless the error names it."""
    if not isinstance(error, ModelConfigurationError) or theme.model is None or theme.model in str(error):
        return ""
    return f" (this theme asks for the model {theme.model!r})"


def run_tags(context: dg.AssetExecutionContext) -> dict[str, str]:
    """What each query of a run carries in ClickHouse's `log_comment`."""
    return {"run": context.run.run_id, "asset": context.asset_key.to_user_string()}


def asset_check(
    check: Check,
    *,
    partitions_def: dg.PartitionsDefinition = team_days,
    targets: Callable[[Database, str], Sequence[TeamDay]] | None = None,
) -> dg.AssetChecksDefinition:
    """A check as Dagster runs it, for every partition of the run, and for the themes that the run is for.

    Args:
        check: the rule.
        partitions_def: the partitions of the asset.
        targets: the team's days that a partition key stands for; the key's own by default.
    """

    def run_check(context: dg.AssetCheckExecutionContext, clickhouse: ClickHouseResource) -> dg.AssetCheckResult:
        database = clickhouse.database().tagged(run=context.run.run_id, check=check.name)
        days = [
            day for key in context.partition_keys for day in (targets(database, key) if targets else [team_day(key)])
        ]
        findings = [finding for day in days for finding in check.findings(database, day)]
        return check_result(_of_this_run(context.run, check, findings), warns=check.warns)

    return dg.asset_check(
        asset=check.asset,
        name=check.name,
        description=check.description,
        blocking=check.blocking,
        partitions_def=partitions_def,
    )(run_check)


def _of_this_run(run: dg.DagsterRun, check: Check, findings: Sequence[Finding]) -> list[Finding]:
    """Without those about themes that the run is not for: another theme's fault must not stop it."""
    given: Any = run.run_config
    config = given.get("ops", {}).get(check.asset, {}).get("config", {})
    themes = {"", *config.get("themes", ())}
    return [finding for finding in findings if len(themes) == 1 or finding.outcome.theme_id in themes]


def check_result(findings: Sequence[Finding], *, warns: bool = False) -> dg.AssetCheckResult:
    """The findings of one check over all partitions of a run, as Dagster shows them."""
    failed = [finding for finding in findings if not finding.passed]
    metadata: dict[str, Any] = {"checked": len(findings), "failed": len(failed)}
    for finding in (failed or findings)[:SHOWN_FINDINGS]:
        metadata[finding.subject] = dg.MetadataValue.json(
            {
                "expected": finding.outcome.expected,
                "found": finding.outcome.found,
                "query": " ".join(finding.outcome.query.split()),
            }
        )
    return dg.AssetCheckResult(
        passed=not failed,
        severity=dg.AssetCheckSeverity.WARN if warns else dg.AssetCheckSeverity.ERROR,
        description="; ".join(finding.sentence for finding in failed[:SHOWN_FINDINGS]) or None,
        metadata=metadata,
    )
