"""What the asset catalog says is true, and one code location serves several databases."""

import json
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import dagster as dg
import pytest
from dagster._core.execution.asset_backfill import AssetBackfillData

from llma_assets.clickhouse import Database, columns_of, connect
from llma_assets.definitions import build_definitions
from llma_assets.defs.partitions import teams
from llma_assets.settings import Settings, SettingsError
from llma_assets.testing import day_of_traces, write_events
from llma_assets_tests.instances import stored_instance

DAY = date(2026, 11, 7)
SERVER = {"OPENAI_BASE_URL": "http://127.0.0.1:1/v1"}

READS_AT_IMPORT = """
import json, os, pkgutil, sys
found = []
real = os._Environ.__getitem__
PLUMBING = ("os", "_collections_abc", "collections.abc")
def recorded(self, name):
    frame = sys._getframe(1)
    while frame.f_globals.get("__name__") in PLUMBING:
        frame = frame.f_back
    if frame.f_globals.get("__name__", "").startswith("llma_assets"):
        found.append([frame.f_globals["__name__"], str(name)])
    return real(self, name)
os._Environ.__getitem__ = recorded
os._Environ.__iter__ = (lambda iterate: lambda self: (recorded(self, "HOME"), iterate(self))[1])(os._Environ.__iter__)
import llma_assets
names = [each.name for each in pkgutil.walk_packages(llma_assets.__path__, "llma_assets.")]
for name in names:
    if not name.endswith("__main__"):
        __import__(name)
loaded = len(names)
before = list(found)
os.environ["LLMA_OWNERS"] = ""
from llma_assets.definitions import build_definitions
build_definitions()
print(json.dumps({"modules": loaded, "at_import": before, "at_load": sorted({name for _, name in found})}))
"""


def catalog(**environ: str) -> dict[str, dg.AssetSpec]:
    """What is said of each asset in an environment."""
    repository = build_definitions(environ=environ).get_repository_def()
    specs = [spec for asset in repository.assets_defs_by_key.values() for spec in asset.specs]
    return {spec.key.to_user_string(): spec for spec in specs}


def test_kinds_say_which_models_are_online() -> None:
    offline, online = catalog(), catalog(**SERVER)
    half = catalog(**SERVER, LLMA_EMBEDDING_MODEL="offline")
    asking = {"trace_summaries", "summary_embeddings", "cluster_labels", "cluster_causes", "tasks"}
    assert {name for name, spec in offline.items() if "offline" in spec.kinds} == asking
    assert {name for name, spec in online.items() if "openai" in spec.kinds} == asking
    assert not any("openai" in spec.kinds for spec in offline.values())
    assert not any("offline" in spec.kinds for spec in online.values())
    assert half["trace_summaries"].kinds == {"clickhouse", "openai"}
    assert half["summary_embeddings"].kinds == {"clickhouse", "offline"}
    assert half["cluster_labels"].kinds == {"clickhouse", "openai", "offline"}
    assert half["cluster_labels"].tags["llma/chat-model"] == "openai"
    assert half["cluster_labels"].tags["llma/embedding-model"] == "offline"


def test_tables_have_their_full_names() -> None:
    def names(**environ: str) -> dict[str, str]:
        return {name: spec.metadata["dagster/table_name"] for name, spec in catalog(**environ).items()}

    assert names()["trace_texts"] == "llma.trace_texts"
    other = names(CLICKHOUSE_URL="http://u:p@127.0.0.1:1/traces", LLMA_EVENTS_TABLE="posthog.events")
    assert (other["cluster_assignments"], other["events"]) == ("traces.cluster_members", "posthog.events")
    assert other["cluster_events"] == "traces.events"
    assert names(CLICKHOUSE_URL="nonsense")["trace_texts"] == "trace_texts"


def test_owners_are_those_of_the_setting() -> None:
    assert {tuple(spec.owners) for spec in catalog().values()} == {()}
    owned = catalog(LLMA_OWNERS="ada@example.com, team:data")
    assert {tuple(spec.owners) for spec in owned.values()} == {("ada@example.com", "team:data")}
    with pytest.raises(
        SettingsError, match="LLMA_OWNERS must be e-mail addresses or team:name, separated by commas; 'ada' is neither"
    ):
        catalog(LLMA_OWNERS="ada")


def test_everything_that_is_made_says_by_which_code_and_for_what() -> None:
    for name, spec in catalog().items():
        assert spec.description, name
        assert spec.group_name, name
        if name not in ("events", "video_segments"):
            assert spec.code_version, name


@pytest.fixture
def other_database(settings: Settings, default_database: Database) -> Iterator[Settings]:
    """A second database on the same server."""
    assert settings.clickhouse_url
    name = f"test_{secrets.token_hex(6)}"
    yield replace(settings, clickhouse_url=f"{settings.clickhouse_url.rpartition('/')[0]}/{name}")
    default_database.execute("DROP DATABASE IF EXISTS {name:Identifier}", name=name)


def test_a_run_is_pointed_at_another_database_in_the_launchpad(
    settings: Settings, database: Database, other_database: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert settings.clickhouse_url
    assert other_database.clickhouse_url
    monkeypatch.setenv("CLICKHOUSE_URL", settings.clickhouse_url)
    monkeypatch.setenv("LLMA_DATA_DIR", str(settings.data_dir))
    write_events(database, day_of_traces(1, DAY, 25))
    job = build_definitions().resolve_job_def("discovery_job")
    with connect(other_database) as other, stored_instance() as instance:
        write_events(other, day_of_traces(2, DAY, 25))
        config = {"resources": {"clickhouse": {"config": {"url": other_database.clickhouse_url}}}}
        given = {"partition_key": DAY.isoformat(), "instance": instance}
        assert job.execute_in_process(run_config=config, **given).success
        assert database.value("SELECT count() FROM eligible_teams") == 0
        assert other.value("SELECT groupUniqArray(team_id) FROM eligible_teams") == [2]
        result = job.execute_in_process(**given)
        assert database.value("SELECT groupUniqArray(team_id) FROM eligible_teams") == [1]
        assert other.value("SELECT groupUniqArray(team_id) FROM eligible_teams") == [2]
    (materialized,) = [event for event in result.all_events if event.is_step_materialization]
    metadata = materialized.step_materialization_data.materialization.metadata
    schema = metadata["dagster/column_schema"].value
    stored = [(each.name, each.type) for each in columns_of(database, "eligible_teams")]
    assert [(each.name, each.type) for each in schema.columns] == stored
    assert ("team_id", "Int64") in stored
    assert metadata["dagster/row_count"].value == 1


@pytest.mark.slow
def test_no_module_reads_the_environment_when_it_is_imported() -> None:
    done = subprocess.run([sys.executable, "-c", READS_AT_IMPORT], capture_output=True, text=True, check=True)
    document = json.loads(done.stdout.splitlines()[-1])
    assert document["modules"] > 300
    assert document["at_import"] == []
    assert "LLMA_OWNERS" in document["at_load"], "reading is seen at all"


@pytest.mark.parametrize(("ends_today", "with_tasks"), [(True, True), (False, False)])
def test_days_can_be_chosen_for_the_whole_lineage(*, ends_today: bool, with_tasks: bool) -> None:
    """What the UI does for "select all, Materialize": the days of the one root, and what follows from them.

    Roots of different partitions would leave it no choice but the whole history of all teams.
    """
    graph = build_definitions().get_repository_def().asset_graph
    everything = list(graph.materializable_asset_keys)
    (root,) = dg.AssetSelection.assets(*everything).roots().resolve(graph)
    days = graph.get(root).partitions_def.get_partition_keys()
    chosen = days[-2:] if ends_today else days[-9:-7]
    with stored_instance() as instance:
        instance.add_dynamic_partitions(str(teams.name), ["1", "2"])
        made = AssetBackfillData.from_asset_partitions(graph, chosen, everything, instance, time.time(), False)
        subsets = made.target_subset.partitions_subsets_by_asset_key
        keys = {key.to_user_string(): set(subset.get_partition_keys()) for key, subset in subsets.items()}
    assert keys["eligible_teams"] == set(chosen)
    assert keys["trace_texts"] == {f"{day}|{team_id}" for day in chosen for team_id in (1, 2)}
    assert keys["cluster_events"] == keys["trace_texts"]
    assert keys.get("segment_clusters", set()) == keys.get("tasks", set()) == ({"1", "2"} if with_tasks else set())
