"""The goals of lineage on streams whose story is known, with and without what is carried over. `lineage` prints them.

- ids kept: of the topics that both of two neighbouring days hold, those whose main cluster keeps its id; well-found:
  those that are the majority of their main cluster on both days; after nine days: steady and well-found on both.
- false a day: endings, merges and splits that were said, and that the story does not have.
- births and deaths: said within two days, of a death after the window has lost its last item; at once: within two days
  of the first day without an item. A birth can be found if its topic is the majority of a cluster of its own once the
  window is full of it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.lineage_chain import Day, Faces, Said, chain, engine_days, faces, kept_days, what_was_said
from benchmarks.lineage_story import WINDOW, Happening
from benchmarks.lineage_streams import EVENTFUL, QUIET, Plot, Stream, hwu64_stream, planted_stream
from llma_assets.clusters import ClusteringConfig
from llma_assets.clusters.engine.agreement import adjusted_rand
from llma_assets.clusters.lineage.links import Links, link

NINE_DAYS = 9
WITHIN = 2
SETTLES = WINDOW - 1 + WITHIN
"""Days after which the window holds nothing of what was before, and some more."""


@dataclass(frozen=True, slots=True)
class Goals:
    """The figures of one stream; pairs are (reached, of so many).

    Attributes:
        kept, well_found, nine_days: ids that are the same.
        false_ends, false_merges, false_splits: said and not in the story.
        splits, merges: of the story, those that were said.
        said: splits and merges that are right, of those that were said.
        births, findable_births, deaths, deaths_at_once: seen in time.
        ari: mean over the days with a full window, noise as one class.
        days: on which events are counted.
    """

    kept: tuple[int, int]
    well_found: tuple[int, int]
    nine_days: tuple[int, int]
    false_ends: int
    false_merges: int
    false_splits: int
    splits: tuple[int, int]
    merges: tuple[int, int]
    said: tuple[int, int]
    births: tuple[int, int]
    findable_births: tuple[int, int]
    deaths: tuple[int, int]
    deaths_at_once: tuple[int, int]
    ari: float
    days: int


def goals(stream: Stream, *, prior: bool, kept: Path | None = None) -> Goals:
    """Cluster and link all days of a stream, and hold what was said against its story.

    Args:
        kept: file of the clusters of its days, as in `kept_days`.
    """
    config = ClusteringConfig(with_map=False)
    days = kept_days(kept, lambda: engine_days(stream, stream.vectors, stream.length, config, prior=prior))
    links = chain(stream, days, link)
    seen = [faces(stream, day) for day in days]
    said = [each for each in what_was_said(stream, days, links) if each.day >= WINDOW]
    births = [each for each in stream.happenings if each.kind == "start"]
    deaths = [each for each in stream.happenings if each.kind == "end"]
    findable = [each for each in births if each.after[0] in seen[min(each.day + WINDOW - 1, len(days) - 1)].own]
    families = [each for each in stream.happenings if each.kind in ("split", "merge")]
    told = [each for each in said if each.kind in ("split", "merge")]
    right = [each for each in told if any(_is_of(each, family) for family in families)]
    wrong = [each.kind for each in told if each not in right]
    stopped = {name: each.day for each in stream.happenings for name in each.before}
    false_ends = [e for e in said if e.kind == "end" and not 0 <= e.day - stopped.get(e.intent, 99) <= SETTLES + 1]
    kept, well_found = _kept(seen, links)
    return Goals(
        kept,
        well_found,
        _after_nine_days(stream, seen, links),
        len(false_ends),
        wrong.count("merge"),
        wrong.count("split"),
        _seen_families(families, told, "split"),
        _seen_families(families, told, "merge"),
        (len(right), len(told)),
        _count(any(_is(each, "start", b.after[0], b.day, WITHIN) for each in said) for b in births),
        _count(any(_is(each, "start", b.after[0], b.day, WITHIN) for each in said) for b in findable),
        *(
            _count(any(_is(each, "end", d.before[0], d.day, late) for each in said) for d in deaths)
            for late in (SETTLES, WITHIN)
        ),
        float(np.mean([_agreement(stream, day) for day in days[WINDOW - 1 :]])),
        stream.length - WINDOW,
    )


def _agreement(stream: Stream, day: Day) -> float:
    _, truth = np.unique(stream.intents[day.items], return_inverse=True)
    _, found = np.unique(day.labels, return_inverse=True)
    return float(adjusted_rand(truth.astype(np.int32), found.astype(np.int32)))


def _kept(seen: Sequence[Faces], links: Sequence[Links]) -> tuple[tuple[int, int], tuple[int, int]]:
    kept, well_found = [], []
    for d in range(WINDOW, len(seen)):
        before, after = seen[d - 1], seen[d]
        for name in sorted(before.main.keys() & after.main.keys()):
            if before.main[name] < 0 or after.main[name] < 0:
                continue
            kept.append(_id(links[d - 1], before.main[name]) == _id(links[d], after.main[name]))
            if name in before.own and name in after.own:
                well_found.append(kept[-1])
    return _count(kept), _count(well_found)


def _after_nine_days(stream: Stream, seen: Sequence[Faces], links: Sequence[Links]) -> tuple[int, int]:
    return _count(
        _id(links[first], seen[first].main[name]) == _id(links[last], seen[last].main[name])
        for first in range(WINDOW - 1, len(seen) - NINE_DAYS)
        for last in (first + NINE_DAYS,)
        for name in stream.steady
        if name in seen[first].own and name in seen[last].own
    )


def _id(links: Links, cluster: int) -> str:
    return links.clusters[cluster].lineage_id


def _is(event: Said, kind: str, intent: str, since: int, late: int) -> bool:
    return (event.kind, event.intent) == (kind, intent) and 0 <= event.day - since <= late


def _is_of(event: Said, family: Happening) -> bool:
    names = {*family.before, *family.after}
    in_time = 0 <= event.day - family.day <= SETTLES
    return event.kind == family.kind and in_time and event.intent in names and bool(names & {*event.parents})


def _seen_families(families: Sequence[Happening], told: Sequence[Said], kind: str) -> tuple[int, int]:
    return _count(any(_is_of(each, family) for each in told) for family in families if family.kind == kind)


def _count(values: "Iterator[bool] | Sequence[bool]") -> tuple[int, int]:
    listed = [bool(each) for each in values]
    return sum(listed), len(listed)


def streams(embeddings: NDArray[np.float32], seeds: int) -> Iterator[tuple[str, Stream]]:
    """All streams by name; several of a name are put together in the table."""
    plots: tuple[tuple[str, Plot], ...] = (("quiet", QUIET), ("eventful", EVENTFUL))
    for mood, plot in plots:
        for seed in range(seeds):
            yield f"HWU64, {mood}", hwu64_stream(embeddings, plot, seed)
            yield f"planted, {mood}", planted_stream(plot, seed, width=1.0 + 0.2 * (seed % 3))


HEADER = (
    "stream",
    "ids kept",
    "well-found",
    "after nine days",
    "false a day: end + merge + split",
    "splits, merges seen",
    "said rightly",
    "births",
    "of findable",
    "deaths",
    "at once",
    "ARI",
)


def report(
    embeddings: NDArray[np.float32],
    seeds: int,
    *,
    with_prior: Sequence[bool] = (False, True),
    kept: Path | None = None,
) -> str:
    """The goals as a table; sums and means over the streams of a name, and then each stream.

    Args:
        kept: folder of what `kept_days` keeps.
    """
    found: dict[tuple[str, bool], list[Goals]] = {}
    for name, stream in streams(embeddings, seeds):
        for prior in with_prior:
            those = found.setdefault((name, prior), [])
            file = kept / f"{name.replace(', ', '_')}_{len(those)}_{'held' if prior else 'anew'}.npz" if kept else None
            those.append(goals(stream, prior=prior, kept=file))
    lines = [f"| {' | '.join(HEADER)} |", f"|---|{'--:|' * (len(HEADER) - 1)}"]
    for (name, prior), each in sorted(found.items()):
        lines.append(f"| {name}, {'carried over' if prior else 'cut anew'} | {' | '.join(_cells(each))} |")
    for (name, prior), each in sorted(found.items()):
        if prior and len(each) > 1:
            lines += [
                f"| {name}, stream {n}, carried over | {' | '.join(_cells([one]))} |" for n, one in enumerate(each)
            ]
    return "\n".join(lines)


def _cells(found: Sequence[Goals]) -> Iterator[str]:
    for field in ("kept", "well_found", "nine_days"):
        yield _share(found, field)
    days = sum(each.days for each in found)
    parts = [sum(getattr(each, f"false_{kind}") for each in found) / days for kind in ("ends", "merges", "splits")]
    yield f"{' + '.join(f'{part:.2f}' for part in parts)} = {sum(parts):.2f}"
    yield f"{_of(found, 'splits')}, {_of(found, 'merges')}"
    for field in ("said", "births", "findable_births", "deaths", "deaths_at_once"):
        yield _of(found, field)
    yield f"{np.mean([each.ari for each in found]):.3f}"


def _pair(found: Sequence[Goals], field: str) -> tuple[int, int]:
    pairs = [getattr(each, field) for each in found]
    return sum(part for part, _ in pairs), sum(whole for _, whole in pairs)


def _share(found: Sequence[Goals], field: str) -> str:
    part, whole = _pair(found, field)
    return f"{part / whole:.3f}" if whole else ""


def _of(found: Sequence[Goals], field: str) -> str:
    part, whole = _pair(found, field)
    return f"{part} of {whole}" if whole else ""
