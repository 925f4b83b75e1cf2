"""Selects the items of a day that are rendered: the statement that draws the sample of each hour, and its result.

`docs/sampling.md` derives the probabilities. Reading the payloads of the selected items belongs in `queries`. Items
that match the filters of a theme are rendered in addition to the sample.

The sampling frame of an hour is every known item that began in it, quiet or not. A hash orders the items of each user.
Rounds order the frame: the first item of every user, then the second, and so on; another hash orders the users within a
round. The first `per_hour` items are the sample. A new item in the frame moves others back and none
forward. So an item that was left out is never drawn later, a stored item stays in the sample, and its inclusion
probability is that of the frame in which it was first quiet.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from operator import itemgetter
from typing import Any

from more_itertools import chunked

from llma_assets.clickhouse import Database
from llma_assets.rendering.queries import Candidate, StoredText
from llma_assets.team_day import TeamDay
from llma_assets.themes import Level
from llma_assets.trace_events import TRIGGER_EVENTS

SAMPLE_SEED = 42

REACH = timedelta(days=1)
"""Events of a trace are searched for so far before and after its day."""

HOME_DAYS = 31
"""A stored item is recognised if its day is at most so many days away."""

_IDS_AT_ONCE = 1_000

# A trace belongs to the day of its first event, so that a trace across midnight is read once and whole.
# Key of events: (team_id, toDate(timestamp), event, uuid).
_TRACE_EVENTS = """
SELECT
    JSONExtractString(properties, '$ai_trace_id') AS item_id,
    item_id AS trace_id,
    cityHash64(argMin(distinct_id, (timestamp, uuid))) AS user_hash,
    min(timestamp) AS first_at,
    max(timestamp) AS last_at,
    maxIf(timestamp, timestamp < {end:DateTime64(6, 'UTC')}) AS last_of_day,
    uniqExact(uuid) AS events,
    if(min(event_state) = 0, 0, sumDistinct(cityHash64(uuid, event_state))) AS digest,
    sum(length(properties)) AS bytes
FROM {events_database:Identifier}.{events_table:Identifier}
WHERE team_id = {team_id:Int64}
    AND timestamp >= {from:DateTime64(6, 'UTC')}
    AND timestamp < {until:DateTime64(6, 'UTC')}
    AND event IN {trigger_events:Array(String)}
"""
_BY_TRACE = """
GROUP BY item_id
HAVING item_id != '' AND first_at < {end:DateTime64(6, 'UTC')} AND last_at >= {start:DateTime64(6, 'UTC')}
"""

# A generation is one event, complete when it arrives: its day and its quiet time are its own, not those of its trace.
_GENERATION_EVENTS = """
SELECT
    toString(uuid) AS item_id,
    any(JSONExtractString(properties, '$ai_trace_id')) AS trace_id,
    cityHash64(any(distinct_id)) AS user_hash,
    min(timestamp) AS first_at,
    first_at AS last_at,
    first_at AS last_of_day,
    1 AS events,
    if(min(event_state) = 0, 0, sumDistinct(cityHash64(uuid, event_state))) AS digest,
    any(length(properties)) AS bytes
FROM {events_database:Identifier}.{events_table:Identifier}
WHERE team_id = {team_id:Int64}
    AND timestamp >= {start:DateTime64(6, 'UTC')}
    AND timestamp < {end:DateTime64(6, 'UTC')}
    AND event = '$ai_generation'
"""
_BY_GENERATION = """
GROUP BY uuid
HAVING trace_id != ''
"""

# The stored texts of the items, under any day. Key of trace_texts: (team_id, day, level, item_id).
_STORED = """
SELECT
    item_id,
    min(day) AS home,
    max(day) AS last_home,
    argMin(event_count, day) AS stored_events,
    argMin(events_digest, day) AS stored_digest,
    argMin(last_event_at, day) AS stored_last_at,
    argMin(renderer, day) AS stored_renderer,
    argMin(inclusion_probability, day) AS stored_probability,
    max(drawn) AS stored_drawn
FROM trace_texts FINAL
WHERE team_id = {team_id:Int64}
    AND day BETWEEN {first_home:Date} AND {last_home:Date}
    AND level = {level:String}
GROUP BY item_id
"""

# `position` counts from 0; the item at position `per_hour` is the first that is left out. Its round is selected in
# part, all rounds before it in full. The first item of each hour is always in the result, with the counts of the day.
_DRAW = """
SELECT
    item_id, trace_id, user_hash, first_at, last_at, last_of_day, events, digest, bytes,
    home, last_home, stored_events, stored_digest, stored_last_at, stored_renderer, stored_probability, stored_drawn,
    stored.item_id != '' AS is_stored,
    position < {per_hour:UInt32} AS is_drawn,
    multiIf(
        hour_items <= {per_hour:UInt32}, 1,
        user_items <= whole_rounds, 1,
        (whole_rounds + share_of_next) / user_items
    ) AS probability,
    found,
    not_quiet
FROM
(
    SELECT
        *,
        countIf(first_at >= {start:DateTime64(6, 'UTC')}) OVER () AS found,
        countIf(first_at >= {start:DateTime64(6, 'UTC')} AND last_at > {quiet_before:DateTime64(6, 'UTC')}) OVER ()
            AS not_quiet,
        max(if(position = {per_hour:UInt32}, round, 0)) OVER (PARTITION BY hour) AS whole_rounds,
        max(if(position = {per_hour:UInt32}, ({per_hour:UInt32} - round_begins) / round_items, 0))
            OVER (PARTITION BY hour) AS share_of_next
    FROM
    (
        SELECT
            *,
            min(position) OVER (PARTITION BY hour, round) AS round_begins,
            count() OVER (PARTITION BY hour, round) AS round_items,
            count() OVER (PARTITION BY hour) AS hour_items
        FROM
        (
            SELECT
                *,
                row_number() OVER
                (
                    PARTITION BY hour
                    ORDER BY round, cityHash64({seed:UInt64}, hour, round, user_hash), user_hash
                ) - 1 AS position
            FROM
            (
                SELECT
                    *,
                    toStartOfHour(first_at) AS hour,
                    count() OVER (PARTITION BY hour, user_hash) AS user_items,
                    row_number() OVER
                    (
                        PARTITION BY hour, user_hash
                        ORDER BY cityHash64({seed:UInt64}, item_id), item_id
                    ) - 1 AS round
                FROM items
            )
        )
    )
) AS drawn
LEFT JOIN stored ON stored.item_id = drawn.item_id
WHERE if(
    first_at >= {start:DateTime64(6, 'UTC')},
    is_drawn OR is_stored OR position = 0,
    is_stored AND last_of_day > stored_last_at
)
ORDER BY first_at, item_id
"""

# To draw costs three times as much as to list, and of few items all are drawn.
_LISTED: dict[Level, str] = {
    "trace": f"{_TRACE_EVENTS}{_BY_TRACE}",
    "generation": f"{_GENERATION_EVENTS}{_BY_GENERATION}",
}
FEW_EVENTS = 5_000

TRACES_OF_DAY = f"WITH items AS ({_TRACE_EVENTS}{_BY_TRACE}), stored AS ({_STORED}){_DRAW}"
GENERATIONS_OF_DAY = f"WITH items AS ({_GENERATION_EVENTS}{_BY_GENERATION}), stored AS ({_STORED}){_DRAW}"
_ITEMS_OF_DAY: dict[Level, str] = {"trace": TRACES_OF_DAY, "generation": GENERATIONS_OF_DAY}

# The same columns for items that are neither drawn nor stored.
TRACES_BY_ID = f"{_TRACE_EVENTS}    AND item_id IN {{item_ids:Array(String)}}{_BY_TRACE}ORDER BY first_at, item_id"
GENERATIONS_BY_ID = (
    f"{_GENERATION_EVENTS}    AND uuid IN {{item_ids:Array(UUID)}}{_BY_GENERATION}ORDER BY first_at, item_id"
)
_ITEMS_BY_ID: dict[Level, str] = {"trace": TRACES_BY_ID, "generation": GENERATIONS_BY_ID}


@dataclass(frozen=True, slots=True)
class SamplingFrame:
    """The sampling frame of a day and a level.

    Attributes:
        found: number of items that began on the day.
        not_quiet: number of these that are not quiet yet.
        candidates: the quiet items that are sampled, stored or wanted.
        waits_until: when the next of the other such items will be quiet, None if all are.
        continued: items of the day before with events after they were stored, each with the time of its last event.
    """

    found: int
    not_quiet: int
    candidates: Sequence[Candidate]
    waits_until: datetime | None
    continued: dict[str, datetime]


def items_of_day(
    database: Database,
    team_day: TeamDay,
    level: Level,
    *,
    now: datetime,
    quiet: timedelta,
    per_hour: int,
    wanted: Collection[str] = (),
    seed: int = SAMPLE_SEED,
    is_small: bool = False,
) -> SamplingFrame:
    """Draw the sample of a day's items, and add the wanted items.

    An item that is stored under an earlier day belongs to that day, so that a trace of many days is not selected twice.

    Args:
        per_hour: most items of an hour in the sample; with 0 the sample stays as it is stored.
        wanted: ids of items that are selected whether drawn or not.
        is_small: whether the day has few events, so that probably all its items are drawn.
    """
    quiet_before = now - quiet
    of_team: dict[str, Any] = {"team_id": team_day.team_id, "start": team_day.start, "end": team_day.end}
    if level == "trace":
        of_team |= {
            "from": team_day.start - REACH,
            "until": team_day.end + REACH,
            "trigger_events": list(TRIGGER_EVENTS),
        }
    homes = {"first_home": team_day.back(HOME_DAYS).day, "last_home": team_day.back(-HOME_DAYS).day}
    rows = _all_items(database, team_day, level, of_team, homes, quiet_before, per_hour) if is_small else None
    if rows is None:
        rows = database.rows(
            _ITEMS_OF_DAY[level],
            **of_team,
            **homes,
            level=level,
            quiet_before=quiet_before,
            per_hour=per_hour,
            seed=seed,
        )
    of_day = [row for row in rows if row["first_at"] >= team_day.start]
    known = [row for row in of_day if row["is_drawn"] or row["is_stored"]]
    ours = [row for row in known if not row["is_stored"] or row["home"] >= team_day.day]
    # Items in `known` but not in `ours` are stored under an earlier day.
    missing = sorted(set(wanted) - {row["item_id"] for row in known})
    ours += [
        {**row, "is_stored": False, "is_drawn": False, "probability": 0.0}
        for item_ids in chunked(missing, _IDS_AT_ONCE)
        for row in database.rows(_ITEMS_BY_ID[level], **of_team, item_ids=item_ids)
        if row["first_at"] >= team_day.start
    ]
    waiting = [row["last_at"] + quiet for row in ours if row["last_at"] > quiet_before]
    yesterday = team_day.back(1).day
    return SamplingFrame(
        found=of_day[0]["found"] if of_day else 0,
        not_quiet=of_day[0]["not_quiet"] if of_day else 0,
        candidates=[_candidate(row) for row in ours if row["last_at"] <= quiet_before],
        waits_until=min(waiting, default=None),
        continued={
            row["item_id"]: row["last_of_day"]
            for row in rows
            if row["first_at"] < team_day.start and row["home"] == yesterday
        },
    )


def _all_items(
    database: Database,
    team_day: TeamDay,
    level: Level,
    of_team: dict[str, Any],
    homes: dict[str, date],
    quiet_before: datetime,
    per_hour: int,
) -> list[dict[str, Any]] | None:
    """The rows of `_ITEMS_OF_DAY` where no hour has more items than are drawn; None where one has."""
    listed = database.rows(_LISTED[level], **of_team)
    of_hours = Counter(row["first_at"].replace(minute=0, second=0, microsecond=0) for row in listed)
    if per_hour and any(items > per_hour for items in of_hours.values()):
        return None
    may_be = database.may_hold("trace_texts", team_day.team_id, homes["first_home"], homes["last_home"], part=level)
    texts = database.rows(_STORED, team_id=team_day.team_id, level=level, **homes) if listed and may_be else []
    stored = {row["item_id"]: row for row in texts}
    counts = {
        "found": sum(row["first_at"] >= team_day.start for row in listed),
        "not_quiet": sum(row["first_at"] >= team_day.start and row["last_at"] > quiet_before for row in listed),
    }
    rows = [
        {
            **row,
            **stored.get(row["item_id"], {}),
            "is_stored": row["item_id"] in stored,
            "is_drawn": per_hour > 0,
            "probability": 1.0 if per_hour else 0.0,
            **counts,
        }
        for row in sorted(listed, key=itemgetter("first_at", "item_id"))
    ]
    return [
        row
        for row in rows
        if row["first_at"] >= team_day.start or (row["is_stored"] and row["last_of_day"] > row["stored_last_at"])
    ]


def _candidate(row: dict[str, Any]) -> Candidate:
    stored = None
    is_drawn = bool(row["is_drawn"])
    probability = row["probability"] if is_drawn else 0.0
    if row["is_stored"]:
        stored = StoredText(
            day=row["home"],
            last_day=row["last_home"],
            events=row["stored_events"],
            renderer=row["stored_renderer"],
            probability=row["stored_probability"],
            drawn=row["stored_drawn"],
            digest=row["stored_digest"],
        )
        if stored.drawn:
            # Of two draws by the same hashes, the one with the higher probability contains the other.
            is_drawn, probability = True, max(row["probability"], stored.probability)
    return Candidate(
        item_id=row["item_id"],
        trace_id=row["trace_id"],
        first_at=row["first_at"],
        last_at=row["last_at"],
        events=row["events"],
        size_bytes=row["bytes"],
        user_hash=row["user_hash"],
        probability=probability,
        drawn=is_drawn,
        stored=stored,
        digest=row["digest"],
    )
