"""What a run of a job, or of stages within a shard, has done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class JobRun:
    """One run of a job, or the stages of one team within the run of a shard.

    Attributes:
        run_id: Dagster's id of it.
        error: what failed, "" for success.
        seconds: wall time by stage; all checks together are `checks`.
        empty: stages and partitions without a result because every question failed, in words; the run continues.
        leaves_work: items failed or were deferred that a later run takes up again.
        texts_made_anew: texts whose source, rows or options changed since they were made.
        details: what a stage says of a partition, by the name of the asset and the key of the partition.
    """

    run_id: str
    error: str
    seconds: Mapping[str, float]
    empty: Sequence[str] = ()
    leaves_work: bool = False
    texts_made_anew: int = 0
    details: Mapping[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)
