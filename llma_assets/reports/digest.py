"""What a team should know of a week, or a day: what is new, what grew, what faded, how good the clusters are, the cost.

Each sentence carries the numbers that it rests on, and is made from these alone, so that it can be checked against what
is stored at the moment when somebody is told (`outdated`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

import orjson

from llma_assets.clickhouse import Database
from llma_assets.clusters import NOISE_LABEL, clusters_of, committed_run, last_runs
from llma_assets.ledger import usage_of_day
from llma_assets.reports.clusters import published_clusters
from llma_assets.reports.not_seen import not_seen
from llma_assets.reports.trend_queries import latest_day, trends_of
from llma_assets.reports.trends import Change, Trend
from llma_assets.serialization import FirstDay, TeamId, ThemeId
from llma_assets.stats import Share
from llma_assets.team_day import TeamDay
from llma_assets.themes import TRACES

Topic = Literal["new", "grown", "faded", "quality", "spend"]
WEEK = 7
NAMED = 3
"""Clusters that a sentence names; it counts the others."""


# Key of clustering_runs: (team_id, day, theme_id). Lineages that ended within another.
MERGED = """
SELECT count() AS merged
FROM
(
    SELECT arrayJoin(JSONExtractArrayRaw(lineage, 'ended')) AS gone
    FROM clustering_runs FINAL
    WHERE team_id = {team_id:Int64} AND day BETWEEN {from:Date} AND {until:Date} AND theme_id = {theme_id:String}
)
WHERE JSONLength(gone, 'into') > 0
"""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One thing to know.

    Attributes:
        topic: what it is about.
        text: for people.
        numbers: what it rests on, by name.
        lineage_ids: the clusters that it names.
    """

    topic: Topic
    text: str
    numbers: Mapping[str, float | int]
    lineage_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Digest:
    """A week of a theme, or a day; five sentences, one a topic.

    A week is told against the week before, a day against the seven days before.
    """

    team_id: TeamId
    theme_id: ThemeId
    first_day: FirstDay
    until: date
    sentences: tuple[Sentence, ...]


class NothingToTell(ValueError):
    """The team has no clusters in the week."""


def digest_of(
    database: Database,
    team_id: int,
    *,
    until: date | None = None,
    theme_id: str | None = None,
    days: Literal[1, 7] = 7,
) -> Digest:
    """The digest of a week, or of a day.

    Args:
        until: its last day; that of the latest run where none is given.
        theme_id: by default the general theme of traces, else the one that looked at most.
        days: 7 for a week, 1 for a day.

    Raises:
        NothingToTell: there are no clusters in the week.
    """
    until = until or latest_day(database, team_id)
    if until is None:
        raise NothingToTell(f"team {team_id} has no clusters yet")
    found = trends_of(database, team_id, until=until, first_day=until - timedelta(days=13))
    theme_id = theme_id or _main_theme(database, team_id, tuple(found))
    first_day = until - timedelta(days=days - 1)
    since, before = ("this week", "the week before") if days == WEEK else (f"on {until}", "the seven days before")
    if theme_id not in found:
        raise NothingToTell(f"team {team_id} has no clusters of theme {theme_id!r} from {first_day} to {until}")
    trends = [trend for trend in found[theme_id] if trend.lineage_id]
    if days == 1:
        trends = [_of_day(trend, until) for trend in trends]
    period = {"team_id": team_id, "theme_id": theme_id, "from": first_day, "until": until}
    merged = int(database.value(MERGED, **period) or 0)
    sentences = (
        _new(trends, first_day, since),
        _changed(trends, "grown", "more", before),
        _with_merged(_changed(trends, "faded", "less", before), merged),
        _quality(database, TeamDay(team_id, until), theme_id),
        _spend(database, team_id, first_day, until),
    )
    return Digest(team_id, theme_id, first_day, until, sentences)


def outdated(database: Database, digest: Digest) -> list[str]:
    """What a digest says that is stored otherwise by now, one text a sentence; nothing where all of it holds."""
    days: Literal[1, 7] = 1 if digest.first_day == digest.until else 7
    now = digest_of(database, digest.team_id, until=digest.until, theme_id=digest.theme_id, days=days)
    return [
        f"{told.topic}: it says {dict(told.numbers)}, stored is {dict(stored.numbers)}"
        for told, stored in zip(digest.sentences, now.sentences, strict=True)
        if told != stored
    ]


def _main_theme(database: Database, team_id: int, theme_ids: Sequence[str]) -> str:
    if TRACES.theme_id in theme_ids or not theme_ids:
        return TRACES.theme_id
    sizes = last_runs(database, team_id)
    return max(theme_ids, key=lambda each: sizes.get(each, {}).get("clustered_items", 0))


def _of_day(trend: Trend, day: date) -> Trend:
    """The trend with the share of one day against that of the seven days before."""
    today = [each.share for each in trend.points if each.day == day]
    week = [each.share for each in trend.points if day - timedelta(days=WEEK) <= each.day < day]
    now, before = (
        Share.of(sum(each.part for each in shares), sum(each.whole for each in shares)) for shares in (today, week)
    )
    return replace(trend, share=Change.between(before, now))


def _with_merged(faded: Sentence, merged: int) -> Sentence:
    if not merged:
        return faded
    text = f"{faded.text} {_count(merged, 'cluster')} became part of others."
    return replace(faded, text=text, numbers={**faded.numbers, "merged": merged})


def _new(trends: Sequence[Trend], first_day: date, since: str) -> Sentence:
    # In a team's first run nothing is new: `state` says which began after it.
    found = [trend for trend in trends if trend.state == "new" and trend.first_day and trend.first_day >= first_day]
    found.sort(key=lambda trend: (-trend.share.now.part, trend.lineage_id))
    items = sum(trend.share.now.part for trend in found)
    whole = max((trend.share.now.whole for trend in trends), default=0)
    numbers = {"clusters": len(found), "items": items, "of_items": whole}
    if not found:
        return Sentence("new", f"No new cluster began {since}.", numbers)
    text = (
        f"{_count(len(found), 'new cluster')} began {since}, with {items:,} of {whole:,} items: "
        f"{_named(found, lambda trend: f'{trend.share.now.part:,}')}."
    )
    return Sentence("new", text, numbers, tuple(trend.lineage_id for trend in found[:NAMED]))


def _changed(trends: Sequence[Trend], topic: Literal["grown", "faded"], verdict: str, before_words: str) -> Sentence:
    found = [trend for trend in trends if trend.share.verdict == verdict and trend.share.before.part]
    found.sort(key=lambda trend: (-abs(_difference(trend)), trend.lineage_id))
    numbers: dict[str, float | int] = {"clusters": len(found)}
    for place, trend in enumerate(found[:NAMED], 1):
        now, before = trend.share.now, trend.share.before
        numbers |= {f"items_{place}": now.part, f"of_items_{place}": now.whole}
        numbers |= {f"items_before_{place}": before.part, f"of_items_before_{place}": before.whole}
    if not found:
        return Sentence(
            topic, f"No cluster's share {'grew' if topic == 'grown' else 'fell'} by more than chance.", numbers
        )
    verb = "grew" if topic == "grown" else "fell"
    shares = _named(found, lambda trend: f"{trend.share.before.value or 0:.1%} to {trend.share.now.value or 0:.1%}")
    text = f"The share of {_count(len(found), 'cluster')} {verb} by more than chance against {before_words}: {shares}."
    return Sentence(topic, text, numbers, tuple(trend.lineage_id for trend in found[:NAMED]))


def _quality(database: Database, team_day: TeamDay, theme_id: str) -> Sentence:
    run = committed_run(database, team_day, theme_id)
    if run is None or not run.items:
        reasons = published_clusters(database, team_day, theme_id=theme_id).runs
        why = next((each.skipped_reason for each in reasons if each.skipped_reason), None) or "it was not run"
        return Sentence("quality", f"{team_day.day} has no clusters: {why.replace('_', ' ')}.", {"items": 0})
    stability = orjson.loads(run.quality).get("stability")
    numbers: dict[str, float | int] = {"clusters": run.clusters, "items": run.items, "outliers": run.noise_items}
    text = f"{_count(run.clusters, 'cluster')} hold {run.items - run.noise_items:,} of {run.items:,} items"
    if isinstance(stability, int | float):
        numbers["stability"] = round(stability, 3)
        text += f"; a second clustering of a sample agrees with them at {stability:.2f} of 1"
    sizes = [row["size"] for row in clusters_of(database, run) if row["cluster_id"] != NOISE_LABEL]
    if estimate := not_seen(database, team_day.team_id, theme_id, sizes, run.noise_items):
        numbers |= {"unseen": round(estimate.share, 4)}
        numbers |= {"unseen_low": round(estimate.low, 4), "unseen_high": round(estimate.high, 4)}
        text += (
            f"; at most {estimate.share:.1%} ({estimate.low:.1%} to {estimate.high:.1%}) of what it found is of kinds "
            "not seen yet"
        )
    return Sentence("quality", f"{text}.", numbers)


def _spend(database: Database, team_id: int, first_day: date, until: date) -> Sentence:
    rows = [
        row
        for back in range((until - first_day).days + 1)
        for row in usage_of_day(database, TeamDay(team_id, first_day + timedelta(days=back)))
    ]
    cost, calls = round(sum(row.cost_usd for row in rows), 6), sum(row.calls for row in rows)
    failed = sum(row.failed_calls for row in rows)
    numbers = {"calls": calls, "failed_calls": failed, "cost_usd": cost}
    if not calls:
        return Sentence("spend", "No model was asked.", numbers)
    text = f"Models were asked {calls:,} times, for {cost:.2f} USD"
    return Sentence("spend", f"{text}; {failed:,} calls failed." if failed else f"{text}.", numbers)


def _named(trends: Sequence[Trend], figure: Callable[[Trend], str]) -> str:
    named = "; ".join(f"“{trend.title}” ({figure(trend)})" for trend in trends[:NAMED])
    more = len(trends) - NAMED
    return f"{named}; and {_count(more, 'other')}" if more > 0 else named


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _difference(trend: Trend) -> float:
    return (trend.share.now.value or 0.0) - (trend.share.before.value or 0.0)
