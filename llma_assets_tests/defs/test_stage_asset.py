"""What all stages share: themes one by one, where one that fails leaves the others standing."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

import dagster as dg
import pytest

from llma_assets.clickhouse import Database
from llma_assets.defs.checks import checks_of_asset
from llma_assets.defs.partitions import partition_key, team_day, teams
from llma_assets.defs.resources import ClickHouseResource
from llma_assets.defs.stage_asset import ThemesConfig
from llma_assets.findings import Check, Outcome
from llma_assets.ledger import Skip, list_skips, record_skip, stage_runs_of_day
from llma_assets.models import ModelConfigurationError
from llma_assets.settings import Settings
from llma_assets.stage import Report, StageContext, ThemesFailed, each_theme
from llma_assets.team_day import TeamDay
from llma_assets.themes import GENERATIONS, TRACES, DateRange, Theme
from llma_assets_tests.pipeline.runs import PARTITIONS, dummy_stage, resources

DAY = date(2026, 11, 7)
TEAM_DAY = TeamDay(1, DAY)
OWN = replace(TRACES, theme_id="own", model="a-model-of-its-own")
THEMES = (TRACES, GENERATIONS, OWN)


def skips(database: Database, team_id: int = 1) -> dict[str, tuple[str, str]]:
    """Reason and detail of each theme's skip."""
    return {skip.theme_id: (skip.reason, skip.detail) for skip in list_skips(database, day=DAY, team_id=team_id)}


def test_a_theme_that_fails_leaves_the_others_standing_and_is_named(database: Database) -> None:
    worked: list[str] = []

    def work(theme: Theme) -> None:
        if theme is TRACES:
            raise ValueError("a broken prompt")
        worked.append(theme.theme_id)

    with pytest.raises(ThemesFailed, match=r"1 of 3 themes failed: traces \(ValueError: a broken prompt\)"):
        each_theme(database, TEAM_DAY, "trace_summaries", THEMES, work)
    assert worked == ["generations", "own"]
    assert skips(database) == {"traces": ("failed", "ValueError: a broken prompt")}
    assert skips(database, team_id=2) == {}


def test_what_failed_is_cleared_once_it_succeeds(database: Database) -> None:
    def fail(theme: Theme) -> None:
        raise ValueError(theme.theme_id)

    with pytest.raises(ThemesFailed):
        each_theme(database, TEAM_DAY, "trace_summaries", THEMES, fail)
    done = each_theme(database, TEAM_DAY, "trace_summaries", THEMES, lambda theme: theme.level)
    assert [(theme.theme_id, result) for theme, result in done] == [
        ("traces", "trace"),
        ("generations", "generation"),
        ("own", "trace"),
    ]
    assert skips(database) == {}


def test_what_fails_for_all_themes_together_is_tried_for_each_alone(database: Database) -> None:
    tried: list[list[str]] = []

    def together(done: Sequence[tuple[Theme, list[str]]]) -> None:
        tried.append([theme.theme_id for theme, _ in done])
        for theme, result in done:
            if theme.theme_id == "generations":
                raise ValueError("a row that does not fit")
            result.append("written")

    with pytest.raises(ThemesFailed, match=r"1 of 3 themes failed: generations \(ValueError: a row"):
        each_theme(database, TEAM_DAY, "cluster_events", THEMES, lambda _: list[str](), together)
    assert tried == [["traces", "generations", "own"], ["traces"], ["generations"], ["own"]]
    assert skips(database) == {"generations": ("failed", "ValueError: a row that does not fit")}
    kept = each_theme(database, TEAM_DAY, "cluster_events", (TRACES, OWN), lambda _: list[str](), together)
    assert [(theme.theme_id, result) for theme, result in kept] == [("traces", ["written"]), ("own", ["written"])]
    assert skips(database, team_id=2) == {}


def test_a_skip_that_a_stage_has_recorded_itself_stays(database: Database) -> None:
    def too_few(theme: Theme) -> None:
        record_skip(database, Skip(1, DAY, "cluster_assignments", theme.theme_id, "too_few_items", "3 of 20"))

    each_theme(database, TEAM_DAY, "cluster_assignments", (TRACES,), too_few)
    assert skips(database) == {"traces": ("too_few_items", "3 of 20")}


def test_a_theme_is_not_run_outside_its_dates_and_says_so(database: Database) -> None:
    later = replace(OWN, date_range=DateRange(date(2026, 11, 8)))
    done = each_theme(database, TEAM_DAY, "trace_summaries", (TRACES, later), lambda theme: theme.theme_id)
    assert [result for _, result in done] == ["traces"]
    assert skips(database) == {"own": ("outside_dates", "the theme is for 2026-11-08 to …")}


def test_a_wrong_model_of_the_installation_stops_all_themes_at_once(database: Database) -> None:
    asked: list[str] = []

    def work(theme: Theme) -> None:
        asked.append(theme.theme_id)
        raise ModelConfigurationError("the key is wrong")

    with pytest.raises(ModelConfigurationError):
        each_theme(database, TEAM_DAY, "trace_summaries", THEMES, work)
    assert asked == ["traces"]
    assert skips(database)["traces"][0] == "failed"


def test_a_wrong_model_of_one_theme_concerns_this_theme_alone(database: Database) -> None:
    def work(theme: Theme) -> str:
        if theme.model is not None:
            raise ModelConfigurationError("the server does not know the model")
        return theme.theme_id

    with pytest.raises(ThemesFailed) as raised:
        each_theme(database, TEAM_DAY, "trace_summaries", (OWN, TRACES), work)
    why = "the server does not know the model (this theme asks for the model 'a-model-of-its-own')"
    assert raised.value.why == {"own": f"ModelConfigurationError: {why}"}


def test_an_interrupt_is_no_failure_of_a_theme(database: Database) -> None:
    def work(theme: Theme) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        each_theme(database, TEAM_DAY, "trace_summaries", THEMES, work)
    assert skips(database) == {}


def test_what_several_days_fail_by_is_said_once(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMA_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("CLICKHOUSE_URL", str(settings.clickhouse_url))

    def stage(ctx: StageContext) -> Report:
        if ctx.partition.day == DAY:
            return Report(items=1)
        raise ValueError("the model is away" if ctx.partition.day.day < 6 else "another reason")

    days = [TeamDay(1, date(2026, 11, day)) for day in (4, 5, 6, 7)]
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(str(teams.name), ["1"])
        tags = {
            "dagster/asset_partition_range_start": partition_key(days[0]),
            "dagster/asset_partition_range_end": partition_key(days[-1]),
        }
        result = dg.materialize(
            [dummy_stage(stage)], instance=instance, tags=tags, resources=resources(), raise_on_error=False
        )
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert failure.step_failure_data.user_failure_data is not None
    assert failure.step_failure_data.user_failure_data.description == (
        "3 of 4 partitions failed: 2026-11-04|1, 2026-11-05|1 (ValueError: the model is away); "
        "2026-11-06|1 (ValueError: another reason)"
    )


def test_each_partition_says_which_run_worked_on_it_also_where_it_failed(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMA_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("CLICKHOUSE_URL", str(settings.clickhouse_url))
    monkeypatch.setattr("llma_assets.defs.stage_work.days_with_anything", lambda _, days: dict.fromkeys(days, ()))

    def stage(ctx: StageContext) -> Report:
        if ctx.partition.team_id == 2:
            raise ModelConfigurationError("the key is wrong")
        return Report(items=1)

    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(str(teams.name), ["1", "2"])
        done = {
            team_id: dg.materialize(
                [dummy_stage(stage, nothing_reason="nothing")],
                instance=instance,
                partition_key=partition_key(TeamDay(team_id, DAY)),
                resources=resources(),
                raise_on_error=False,
            )
            for team_id in (1, 2)
        }
    found = {team_id: stage_runs_of_day(database, TeamDay(team_id, DAY)) for team_id in (1, 2)}
    assert {team_id: [(each.stage, each.run_id, each.status, each.error) for each in runs] for team_id, runs in
            found.items()} == {
        1: [("stage", done[1].run_id, "done", "")],
        2: [("stage", done[2].run_id, "failed", "ModelConfigurationError: the key is wrong")],
    }  # fmt: skip


def test_a_stage_stands_where_the_run_cannot_be_noted(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMA_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("CLICKHOUSE_URL", str(settings.clickhouse_url))
    database.execute("DROP TABLE stage_runs")

    def stage(_: StageContext) -> Report:
        return Report(items=1)

    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(str(teams.name), ["1"])
        key = partition_key(TEAM_DAY)
        done = dg.materialize([dummy_stage(stage)], instance=instance, partition_key=key, resources=resources())
    assert done.success


@pytest.mark.heavy
def test_without_a_name_in_the_config_all_themes_are_meant() -> None:
    @dg.asset
    def stage(config: ThemesConfig) -> list[str]:
        return config.themes

    assert dg.materialize([stage]).output_for_node("stage") == []
    config = {"ops": {"stage": {"config": {"themes": ["traces"]}}}}
    assert dg.materialize([stage], run_config=config).output_for_node("stage") == ["traces"]


def test_a_run_is_judged_by_its_own_themes(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLICKHOUSE_URL", str(settings.clickhouse_url))

    @dg.asset(partitions_def=PARTITIONS.team_days)
    def stage(config: ThemesConfig) -> None: ...

    def own_theme_is_well(_: Database, __: TeamDay) -> Iterator[Outcome]:
        """The theme `own` is broken, all others are well."""
        for theme in THEMES:
            yield Outcome(theme is not OWN, "well", "broken", "SELECT 1", theme.theme_id)

    check = Check("stage", own_theme_is_well, blocking=True)

    def passes(*themes: str) -> bool:
        with dg.DagsterInstance.ephemeral() as instance:
            instance.add_dynamic_partitions(str(teams.name), ["1"])
            result = dg.materialize(
                [stage, checks_of_asset([check], PARTITIONS.team_days, lambda _, key: [team_day(key)])],
                instance=instance,
                partition_key=partition_key(TEAM_DAY),
                resources={"clickhouse": ClickHouseResource()},
                run_config={"ops": {"stage": {"config": {"themes": list(themes)}}}},
                raise_on_error=False,
            )
        (evaluation,) = result.get_asset_check_evaluations()
        return evaluation.passed

    assert passes("traces")
    assert not passes("traces", "own")
    assert not passes(), "without a name all themes are meant"


def test_a_check_that_cannot_be_evaluated_leaves_the_others_standing(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLICKHOUSE_URL", str(settings.clickhouse_url))

    @dg.asset(partitions_def=PARTITIONS.team_days)
    def stage(config: ThemesConfig) -> None: ...

    def breaks(_: Database, __: TeamDay) -> Iterator[Outcome]:
        """Never comes to an answer."""
        yield Outcome(True, "well", "well", "SELECT 1")
        raise ValueError("no such table")

    def all_is_well(_: Database, team_day: TeamDay) -> Iterator[Outcome]:
        """All is well."""
        yield Outcome(team_day == TEAM_DAY, "well", str(team_day), "SELECT 1")

    checks = [Check("stage", breaks), Check("stage", all_is_well, blocking=True)]
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(str(teams.name), ["1"])
        result = dg.materialize(
            [stage, checks_of_asset(checks, PARTITIONS.team_days, lambda _, key: [team_day(key)])],
            instance=instance,
            partition_key=partition_key(TEAM_DAY),
            resources={"clickhouse": ClickHouseResource()},
            raise_on_error=False,
        )
    (evaluation,) = result.get_asset_check_evaluations()
    assert (evaluation.check_name, evaluation.passed, evaluation.partition) == (
        "all_is_well",
        True,
        partition_key(TEAM_DAY),
    )
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert failure.step_failure_data.user_failure_data is not None
    assert failure.step_failure_data.user_failure_data.description == (
        "1 of 2 checks cannot be evaluated: breaks (ValueError: no such table)"
    )
