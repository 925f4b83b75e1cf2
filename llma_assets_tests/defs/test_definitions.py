"""What Dagster loads: the names that people's runs and backfills depend on, and what loading must not cost."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.process

LOAD = """
import sys
from llma_assets.definitions import build_definitions
repository = build_definitions().get_repository_def()
print(sorted(key.to_user_string() for key in repository.asset_graph.get_all_asset_keys()))
print(sorted(key.name for key in repository.asset_graph.asset_check_keys))
print(sorted(job.name for job in repository.get_all_jobs() if not job.name.startswith("__")))
print(sorted(schedule.name for schedule in repository.schedule_defs))
print(sorted(sensor.name for sensor in repository.sensor_defs))
heavy = {"sklearn", "scipy", "chdb", "openai", "pandas", "pyarrow", "onnx", "onnxruntime", "matplotlib", "tokenizers"}
print(sorted(heavy & set(sys.modules)))
"""


@pytest.fixture(scope="module")
def loaded() -> list[str]:
    """Lines that a fresh interpreter prints after loading the definitions."""
    done = subprocess.run([sys.executable, "-c", LOAD], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_the_names_of_assets_checks_and_automation_are_pinned(loaded: list[str]) -> None:
    assert loaded[:5] == [
        "['alerts', 'cluster_assignments', 'cluster_attributes', 'cluster_causes', 'cluster_events', 'cluster_labels', "
        "'eligible_teams', 'events', 'segment_clusters', 'summary_embeddings', 'tasks', 'trace_summaries', "
        "'trace_texts', 'trackers', 'video_segments']",
        "['clusters_have_names', 'confirmed_by_resamples', 'event_titles_match_labels', 'events_match_runs', "
        "'few_embedding_failures', 'few_failures', 'few_false_references', 'few_items_not_rendered', "
        "'finite_values', 'items_counted_once', 'labels_distinct', 'line_references_exist', 'little_noise', "
        "'members_in_one_cluster', 'members_match_vectors', 'model_knows_the_languages', 'names_fit', "
        "'names_say_what_is_there', 'no_dead_letters', 'no_dominant_cluster', 'no_empty_events', "
        "'no_empty_runs', 'no_giant_cluster', 'one_dimension', 'one_model', "
        "'only_what_the_theme_takes', 'own_events_do_not_count', 'published_once', 'ranks_follow_distances', "
        "'segments_in_tasks', 'sizes_add_up', 'sizes_match_members', 'sound_vectors', 'spending_within_budget', "
        "'spending_within_budget', 'spending_within_budget', 'summaries_are_embedded', 'tasks_add_up', "
        "'theme_spending_within_budget', 'theme_spending_within_budget', 'theme_spending_within_budget', "
        "'themes_find_something']",
        "['alerts_job', 'alerts_shard_job', 'clusters_job', 'discovery_job', 'shard_job', 'tasks_job', 'team_day_job', "
        "'texts_job', 'theme_job', 'trackers_job']",
        "['alerts_every_10_minutes', 'clusters_daily', 'discovery_hourly', 'tasks_half_hourly', 'texts_hourly', "
        "'trackers_every_10_minutes']",
        "['late_events', 'open_batches', 'stale_clusters', 'theme_schedules']",
    ]


def test_no_heavy_library_is_imported_by_loading(loaded: list[str]) -> None:
    assert loaded[5] == "[]"


def test_an_unknown_resource_is_refused_by_name() -> None:
    from llma_assets.definitions import build_definitions

    with pytest.raises(ValueError, match="unknown resources \\['clok'\\]"):
        build_definitions(clok=None)
