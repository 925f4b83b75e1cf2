"""What sets the clusters of a run apart, from the events of its traces: models, tools, errors, releases, countries, …

Which values count as different belongs in `comparing`; here they are read, cleaned and stored. Each property that is a
short text, a number of few values or a yes-or-no takes part; ids, contents and measures do not. Values in which the
team's redaction finds something private are left out.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import orjson

from llma_assets.clickhouse import Database
from llma_assets.clusters import FULL, NOISE_LABEL, Run, ask_of_runs, clusters_of, rows_of_run, taken_out_pairs
from llma_assets.insights import queries
from llma_assets.insights.comparing import LEAST_TRACES, Counts, Distinction, distinctions
from llma_assets.privacy import redactor_of
from llma_assets.rendering import REACH
from llma_assets.trace_events import TRIGGER_EVENTS

VERSION = "attributes-v2"
MOST_BYTES = 120
"""Longer values are content."""
MOST_VALUES = 5_000
"""Of more values, those in most traces are compared."""
MOST_NUMBERS = 12
"""A property with more different numbers than this is a measure, not an attribute."""
SHOWN = 8
"""Of a cluster, at most so many values are kept."""
MODEL = "$ai_model"
MOST_COUNTED = 50
"""Of models and of releases, those in most traces are counted by cluster."""

IGNORED = (
    "$ai_trace_id", "$ai_span_id", "$ai_parent_id", "$ai_generation_id", "$ai_session_id", "$ai_event_uuid",
    "$session_id", "$device_id", "$insert_id", "$user_id", "distinct_id", "token", "uuid", "$time", "$sent_at",
    "$ai_input", "$ai_input_state", "$ai_output", "$ai_output_choices", "$ai_output_state", "$ai_error", "$ai_tools",
    "$ai_latency", "$ai_time_to_first_token", "$ai_input_tokens", "$ai_output_tokens", "$ai_total_tokens",
    "$ai_reasoning_tokens", "$ai_cache_read_input_tokens", "$ai_cache_creation_input_tokens",
    "$ai_input_cost_usd", "$ai_output_cost_usd", "$ai_total_cost_usd", "$ai_request_cost_usd",
)  # fmt: skip
"""Properties that say which one it was, what was said, or how much: none of them is shared by traces of a kind."""

_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")


@dataclass(frozen=True, slots=True)
class RunAttributes:
    """What was found for a run.

    Attributes:
        traces: different traces that were compared, outliers among them.
        compared: how many values.
        found: what sets clusters apart, by cluster, the most certain first.
        counts: the traces of each cluster by model and by release; None of a run from before they were kept.
    """

    traces: int
    compared: int
    found: tuple[Distinction, ...]
    counts: "ValueCounts | None" = None

    def of(self, cluster_id: int) -> tuple[Distinction, ...]:
        """What sets one cluster apart."""
        return tuple(each for each in self.found if each.cluster_id == cluster_id)


@dataclass(frozen=True, slots=True)
class ValueCounts:
    """How many traces of each cluster have each value of some properties.

    Attributes:
        sizes: different traces by cluster, outliers among them.
        values: of the properties, the most frequent first; a trace with two of them counts in both.
    """

    sizes: Mapping[int, int]
    values: tuple[Counts, ...]


def find_attributes(
    database: Database,
    run: Run,
    *,
    redact: bool = True,
    extra_patterns: Sequence[str] = (),
    least_users: int = 1,
    release_property: str = "",
) -> RunAttributes:
    """Compare the clusters of a run by what their traces' events say, and store it.

    A run that is stored is not read again, unless what the team hides, or people took out, has changed since.

    Args:
        redact, extra_patterns, least_users, release_property: as of `compare`.
    """
    kept, rows = compare(
        database,
        run,
        redact=redact,
        extra_patterns=extra_patterns,
        least_users=least_users,
        release_property=release_property,
    )
    store(database, rows)
    return kept


def ask_attributes_of(database: Database, runs: Sequence[Run], *, least_users: int) -> None:
    """Ask what `compare` reads of several runs at once, where answers are remembered."""
    if any(database.may_hold("run_attributes", run.team_id, run.day, run.day, part=run.theme_id) for run in runs):
        ask_of_runs(database, runs, queries.ATTRIBUTES_OF_RUN)
    new = [run for run in runs if _stored(database, run) is None]
    # What people took out differs by run, so that each is asked alone.
    if len({(run.window_start, run.window_end) for run in new}) == 1 and not any(
        taken_out_pairs(database, run) for run in new
    ):
        ask_of_runs(database, new, queries.TRACES_BY_CLUSTER, taken_out=[])
        ask_of_runs(database, new, queries.VALUES_BY_CLUSTER, **_asked(new[0], least_users, []))


def store(database: Database, rows: Sequence[Mapping[str, Any]]) -> None:
    """Store what `compare` found."""
    database.insert_rows("run_attributes", rows)


def compare(
    database: Database,
    run: Run,
    *,
    redact: bool = True,
    extra_patterns: Sequence[str] = (),
    least_users: int = 1,
    release_property: str = "",
) -> tuple[RunAttributes, list[dict[str, Any]]]:
    """Compare the clusters of a run by what their traces' events say.

    Returns:
        what was found, and the rows to store, none where it is stored.

    Args:
        redact: whether values with something private in them are left out.
        extra_patterns: the team's own patterns of what is private.
        least_users: a value of fewer different users is left out.
        release_property: of events, names the release of the application; "" for none.
    """
    taken_out = sorted(taken_out_pairs(database, run))
    options = [redact, list(extra_patterns), least_users, release_property, *([taken_out] if taken_out else [])]
    hidden = orjson.dumps(options)
    method = f"{VERSION}/{hashlib.sha256(hidden).hexdigest()[:12]}"
    stored = _stored(database, run)
    if stored is not None and stored[0] == method:
        return stored[1], []
    counted = rows_of_run(database, queries.TRACES_BY_CLUSTER, run, taken_out=taken_out)
    sizes = {row["home"]: row["traces"] for row in counted}
    rows = rows_of_run(database, queries.VALUES_BY_CLUSTER, run, **_asked(run, least_users, taken_out))
    read = [Counts(row["name"], _plain(row["value"]), dict(zip(*row["by_cluster"], strict=True))) for row in rows]
    counts = without_private(without_measures(read), redact=redact, extra_patterns=extra_patterns)
    shown = [
        row for row in clusters_of(database, run) if row["disclosure"] == FULL and row["cluster_id"] != NOISE_LABEL
    ]
    may_be_told = {row["cluster_id"] for row in shown}
    found = [each for each in distinctions(counts, sizes, _nearest(shown)) if each.cluster_id in may_be_told]
    by_value = _kept_counts(counts, (MODEL, release_property))
    kept = RunAttributes(
        sum(sizes.values()), len(counts), tuple(_first_of_each(found, SHOWN)), ValueCounts(sizes, by_value)
    )
    row = {
        **run.attempt,
        "method": method,
        "traces": kept.traces,
        "compared": kept.compared,
        "found": orjson.dumps([asdict(each) for each in kept.found]).decode(),
        "counts": _written(ValueCounts(sizes, by_value)),
    }
    return kept, [row]


def _asked(run: Run, least_users: int, taken_out: Sequence[tuple[int, str]]) -> dict[str, Any]:
    """The parameters of `VALUES_BY_CLUSTER` beside the run."""
    return {
        "team_id": run.team_id,
        "from": run.window_start - REACH,
        "until": run.window_end + REACH,
        "trigger_events": list(TRIGGER_EVENTS),
        "ignored": list(IGNORED),
        "most_bytes": MOST_BYTES,
        "most_values": MOST_VALUES,
        "least_traces": LEAST_TRACES,
        "least_users": least_users,
        "taken_out": list(taken_out),
    }


def stored_attributes(database: Database, run: Run) -> RunAttributes | None:
    """What was found for a run, None if it has not been looked at."""
    stored = _stored(database, run)
    if stored is None:
        return None
    told = {row["cluster_id"] for row in clusters_of(database, run) if row["disclosure"] == FULL}
    return replace(stored[1], found=tuple(each for each in stored[1].found if each.cluster_id in told))


def without_measures(counts: Iterable[Counts]) -> list[Counts]:
    """Leave out properties with more than a few different numbers: these measure, and do not name a kind."""
    counts = list(counts)
    numbers = Counter(each.name for each in counts if _NUMBER.fullmatch(each.value))
    return [each for each in counts if numbers[each.name] <= MOST_NUMBERS]


def without_private(counts: Iterable[Counts], *, redact: bool, extra_patterns: Sequence[str]) -> list[Counts]:
    """Leave out values in which redaction finds something."""
    kept = []
    for each in counts:
        redactor = redactor_of(redact=redact, extra_patterns=extra_patterns)
        if redactor is None or redactor.redact(each.value) == each.value:
            kept.append(each)
    return kept


def _stored(database: Database, run: Run) -> tuple[str, RunAttributes] | None:
    may_be = database.may_hold("run_attributes", run.team_id, run.day, run.day, part=run.theme_id)
    rows = rows_of_run(database, queries.ATTRIBUTES_OF_RUN, run) if may_be else []
    if not rows:
        return None
    found = tuple(Distinction(**each) for each in orjson.loads(rows[0]["found"]))
    counts = _read(rows[0]["counts"]) if rows[0]["counts"] else None
    return rows[0]["method"], RunAttributes(rows[0]["traces"], rows[0]["compared"], found, counts)


def _kept_counts(counts: Iterable[Counts], names: Collection[str]) -> tuple[Counts, ...]:
    """The counts of some properties, of each the values in most traces first."""
    found: dict[str, list[Counts]] = {name: [] for name in names if name}
    for each in counts:
        if each.name in found:
            found[each.name].append(each)
    return tuple(
        each
        for own in found.values()
        for each in sorted(own, key=lambda one: (-sum(one.traces.values()), one.value))[:MOST_COUNTED]
    )


def _written(counts: ValueCounts) -> str:
    document = {
        "sizes": list(counts.sizes.items()),
        "values": [[each.name, each.value, list(each.traces.items())] for each in counts.values],
    }
    return orjson.dumps(document).decode()


def _read(text: str) -> ValueCounts:
    document = orjson.loads(text)
    values = tuple(Counts(name, value, dict(traces)) for name, value, traces in document["values"])
    return ValueCounts(dict(document["sizes"]), values)


def _plain(raw: str) -> str:
    """A value as it is read, from its JSON; a text that is none already stays."""
    if not raw.startswith('"'):
        return raw
    try:
        return str(orjson.loads(raw))
    except orjson.JSONDecodeError:
        return raw


def _nearest(clusters: Sequence[Mapping[str, object]]) -> dict[int, int]:
    """The cluster with the most similar centroid of each."""
    if len(clusters) < 2:
        return {}
    centroids = np.array([row["centroid"] for row in clusters], dtype=np.float64)
    centroids /= np.maximum(np.linalg.norm(centroids, axis=1, keepdims=True), 1e-12)
    similarity = centroids @ centroids.T
    np.fill_diagonal(similarity, -np.inf)
    ids = [int(str(row["cluster_id"])) for row in clusters]
    return {ids[place]: ids[other] for place, other in enumerate(similarity.argmax(axis=1).tolist())}


def _first_of_each(found: Sequence[Distinction], most: int) -> Iterable[Distinction]:
    seen: Counter[int] = Counter()
    for each in found:
        seen[each.cluster_id] += 1
        if seen[each.cluster_id] <= most:
            yield each
