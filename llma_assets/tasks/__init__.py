"""Turns segments of session replays into prioritised tasks: a recurring problem becomes one task that grows.

Clusters of traces belong in `clusters`.
"""

from llma_assets.tasks.batches import BatchCounts, BatchOptions, OtherSpaceError, cluster_new_segments
from llma_assets.tasks.board import (
    Task,
    UnknownTaskError,
    find_task,
    list_tasks,
    task_days,
    task_history,
    task_segments,
    tasks_by_day,
)
from llma_assets.tasks.changes import TaskOptions
from llma_assets.tasks.checks import CHECKS
from llma_assets.tasks.cluster_tasks import (
    Closed,
    ClusterSource,
    ask_closings_together,
    closings_of,
    find_cluster_task,
    make_cluster_task,
)
from llma_assets.tasks.editing import (
    EditError,
    close_task,
    ignore_task,
    merge_tasks,
    prioritise_task,
    rename_task,
    reopen_task,
    take_back,
    unmerge_task,
)
from llma_assets.tasks.grouping import GROUPING_VERSION
from llma_assets.tasks.impact import Flags, flags_of, is_problem, priority
from llma_assets.tasks.ingesting import SegmentReport, ingest_segments, segment_row
from llma_assets.tasks.labelling import PROMPT_VERSION, model_opinion
from llma_assets.tasks.matching import match_tasks
from llma_assets.tasks.regressions import Regressed, ask_regressions_together, regressed_tasks
from llma_assets.tasks.schedule import teams_with_new_segments
from llma_assets.tasks.segments import Segment, SegmentError
from llma_assets.tasks.several import BULK_ACTIONS, MOST_TASKS, Action, SeenTask, TaskDecisions, decide_about_tasks
from llma_assets.tasks.stages import store_segment_clusters, store_tasks
from llma_assets.tasks.updates import TaskCounts, update_tasks
from llma_assets.tasks.vectors import other_spaces, refused_segments, segment_counts

__all__ = [
    "BULK_ACTIONS",
    "CHECKS",
    "GROUPING_VERSION",
    "MOST_TASKS",
    "PROMPT_VERSION",
    "Action",
    "BatchCounts",
    "BatchOptions",
    "Closed",
    "ClusterSource",
    "EditError",
    "Flags",
    "OtherSpaceError",
    "Regressed",
    "SeenTask",
    "Segment",
    "SegmentError",
    "SegmentReport",
    "Task",
    "TaskCounts",
    "TaskDecisions",
    "TaskOptions",
    "UnknownTaskError",
    "ask_closings_together",
    "ask_regressions_together",
    "close_task",
    "closings_of",
    "cluster_new_segments",
    "decide_about_tasks",
    "find_cluster_task",
    "find_task",
    "flags_of",
    "ignore_task",
    "ingest_segments",
    "is_problem",
    "list_tasks",
    "make_cluster_task",
    "match_tasks",
    "merge_tasks",
    "model_opinion",
    "other_spaces",
    "prioritise_task",
    "priority",
    "refused_segments",
    "regressed_tasks",
    "rename_task",
    "reopen_task",
    "segment_counts",
    "segment_row",
    "store_segment_clusters",
    "store_tasks",
    "take_back",
    "task_days",
    "task_history",
    "task_segments",
    "tasks_by_day",
    "teams_with_new_segments",
    "unmerge_task",
    "update_tasks",
]
