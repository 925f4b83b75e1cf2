"""The state of all rows that a run of a team's themes reads and writes, as digests, by one query.

Equal digests mean equal rows, so that a run that found nothing to do, or did it all, need not look again. A digest is
of the keys of rows and of the times at which they were written; of events it is of their number and states, like
the decision to make texts anew (`texts_made`). Rows that a merge removes do not count, so that it changes nothing.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from llma_assets.clickhouse import Database
from llma_assets.clusters import LINK_DAYS
from llma_assets.embeddings import PRODUCT, space_of
from llma_assets.events import event_uuid
from llma_assets.rendering import REACH
from llma_assets.team_day import TeamDay, midnight
from llma_assets.themes import Theme
from llma_assets.trace_events import TRIGGER_EVENTS

# Keys: events (team_id, toDate(timestamp), event, uuid); document_embeddings (team_id, toDate(timestamp), product,
# ...); cluster_edits (team_id, theme_id, ...); all others (team_id, day, ...).
_TEXTS = """
    SELECT team_id, 'events' AS part, cityHash64(toDate(timestamp) AS day, uniqExact(uuid),
            if(min(event_state) = 0, 0, sumDistinct(cityHash64(uuid, event_state)))) AS digest,
        CAST(NULL, 'Nullable(DateTime64(6, \\'UTC\\'))') AS waits_until
    FROM {events_database:Identifier}.{events_table:Identifier}
    WHERE team_id IN {team_ids:Array(Int64)}
        AND timestamp >= {start:DateTime64(6, 'UTC')}
        AND timestamp < {end:DateTime64(6, 'UTC')}
        AND event IN {trigger_events:Array(String)}
    GROUP BY team_id, day
    UNION ALL
    SELECT team_id, 'texts', cityHash64('texts_made', day, events, events_digest), waits_until
    FROM texts_made FINAL
    WHERE team_id IN {team_ids:Array(Int64)} AND day BETWEEN {from:Date} AND {until:Date}
    UNION ALL
    SELECT team_id, 'texts', cityHash64('trace_texts', day, level, item_id, inserted_at), NULL
    FROM trace_texts FINAL
    WHERE team_id IN {team_ids:Array(Int64)} AND day BETWEEN {from:Date} AND {until:Date}
    UNION ALL
    SELECT team_id, 'texts', cityHash64('theme_items', day, theme_id, item_id, inserted_at), NULL
    FROM theme_items FINAL
    WHERE team_id IN {team_ids:Array(Int64)} AND day BETWEEN {from:Date} AND {until:Date}
        AND theme_id IN {theme_ids:Array(String)}
    UNION ALL
    SELECT team_id, 'texts', cityHash64('trace_summaries', day, theme_id, item_id, inserted_at), NULL
    FROM trace_summaries FINAL
    WHERE team_id IN {team_ids:Array(Int64)} AND day BETWEEN {from:Date} AND {until:Date}
        AND theme_id IN {theme_ids:Array(String)}
    UNION ALL
    SELECT team_id, 'texts', cityHash64('summary_failures', day, theme_id, item_id, content_hash, run_id), NULL
    FROM summary_failures FINAL
    WHERE team_id IN {team_ids:Array(Int64)} AND day BETWEEN {from:Date} AND {until:Date}
        AND theme_id IN {theme_ids:Array(String)}
    UNION ALL
    SELECT team_id, 'texts', cityHash64('summary_batches', day, theme_id, batch_key, state), NULL
    FROM summary_batches FINAL
    WHERE team_id IN {team_ids:Array(Int64)} AND day BETWEEN {from:Date} AND {until:Date}
        AND theme_id IN {theme_ids:Array(String)}
    UNION ALL
    SELECT team_id, 'texts',
        cityHash64('document_embeddings', timestamp, model_name, rendering, document_id, inserted_at), NULL
    FROM document_embeddings FINAL
    WHERE team_id IN {team_ids:Array(Int64)}
        AND timestamp >= {start:DateTime64(6, 'UTC')}
        AND timestamp < {end:DateTime64(6, 'UTC')}
        AND product = {product:String}
        AND rendering IN {renderings:Array(String)}
"""
_CLUSTERS = """
    UNION ALL
    SELECT team_id, 'clusters', cityHash64('clustering_runs', day, theme_id, attempt_id), NULL
    FROM clustering_runs FINAL
    WHERE team_id IN {team_ids:Array(Int64)} AND day BETWEEN {linked_from:Date} AND {linked_until:Date}
        AND theme_id IN {theme_ids:Array(String)}
    UNION ALL
    SELECT team_id, 'clusters', cityHash64('cluster_labels', day, theme_id, attempt_id, cluster_id, inserted_at), NULL
    FROM cluster_labels FINAL
    WHERE team_id IN {team_ids:Array(Int64)} AND day BETWEEN {linked_from:Date} AND {linked_until:Date}
        AND theme_id IN {theme_ids:Array(String)}
    UNION ALL
    SELECT team_id, 'clusters', cityHash64('clusters', theme_id, attempt_id, cluster_id, inserted_at), NULL
    FROM clusters FINAL
    WHERE team_id IN {team_ids:Array(Int64)} AND day = {day:Date} AND theme_id IN {theme_ids:Array(String)}
    UNION ALL
    SELECT team_id, 'clusters', cityHash64('cluster_members', theme_id, attempt_id, item_id, inserted_at), NULL
    FROM cluster_members FINAL
    WHERE team_id IN {team_ids:Array(Int64)} AND day = {day:Date} AND theme_id IN {theme_ids:Array(String)}
    UNION ALL
    SELECT team_id, 'clusters', cityHash64('cluster_name_tests', theme_id, attempt_id, cluster_id, inserted_at), NULL
    FROM cluster_name_tests FINAL
    WHERE team_id IN {team_ids:Array(Int64)} AND day = {day:Date} AND theme_id IN {theme_ids:Array(String)}
    UNION ALL
    SELECT team_id, 'clusters', cityHash64('cluster_group_labels', theme_id, attempt_id, group_id, inserted_at), NULL
    FROM cluster_group_labels FINAL
    WHERE team_id IN {team_ids:Array(Int64)} AND day = {day:Date} AND theme_id IN {theme_ids:Array(String)}
    UNION ALL
    SELECT team_id, 'clusters', cityHash64('cluster_edits', theme_id, lineage_id, edited_at, edit_id), NULL
    FROM cluster_edits
    WHERE team_id IN {team_ids:Array(Int64)} AND theme_id IN {theme_ids:Array(String)}
    UNION ALL
    SELECT team_id, 'clusters', cityHash64('events', event, uuid, inserted_at), NULL
    FROM events FINAL
    WHERE team_id IN {team_ids:Array(Int64)}
        AND toDate(timestamp) BETWEEN {day:Date} AND {linked_until:Date}
        AND event IN {published_events:Array(String)}
        AND uuid IN {uuids:Array(UUID)}
"""
_DIGESTS = """
SELECT team_id, part, toString(groupBitXor(digest)) AS digest, min(waits_until) AS waits_until
FROM ({parts})
GROUP BY team_id, part
"""
TEXTS_STATE = _DIGESTS.replace("{parts}", _TEXTS)
RUN_STATE = _DIGESTS.replace("{parts}", _TEXTS + _CLUSTERS)


@dataclass(frozen=True, slots=True)
class RunState:
    """What a run of some themes reads and writes, at one moment.

    Attributes:
        events: digest of the number of trace events by day.
        texts: digest of texts, selections, summaries and embeddings.
        clusters: digest of clusters, labels, edits and published events.
        waits_until: when a trace that was not quiet can be rendered first; None if none waits.
    """

    events: str
    texts: str
    clusters: str
    waits_until: datetime | None

    def digest(self, made_with: str) -> str:
        """The whole state, with all that else decides what a run does."""
        about = "|".join((self.events, self.texts, self.clusters, str(self.waits_until), made_with))
        return hashlib.sha256(about.encode()).hexdigest()

    def is_due(self, now: datetime) -> bool:
        """Whether time alone gives a run something to do."""
        return self.waits_until is not None and self.waits_until <= now


def run_state(
    database: Database,
    team_day: TeamDay,
    first_day: date,
    *,
    themes: Sequence[Theme],
    clusters: bool = True,
) -> RunState:
    """The state of the rows of a run.

    Args:
        clusters: False leaves their digest out, which costs half.
        team_day: the team and the day that is clustered.
        first_day: of the window whose texts are summarised.
        themes: of the run, and those that they depend on.
    """
    return run_states(database, [team_day], first_day, themes=themes, clusters=clusters)[team_day.team_id]


def run_states(
    database: Database,
    team_days: Sequence[TeamDay],
    first_day: date,
    *,
    themes: Sequence[Theme],
    clusters: bool = True,
) -> dict[int, RunState]:
    """The state of the rows of runs of several teams for the same day and themes, by team id; see `run_state`.

    Args:
        team_days: of different teams, for one day.
    """
    link, day = timedelta(days=LINK_DAYS), team_days[0].day
    linked = [each.back(-days) for each in team_days for days in range(LINK_DAYS + 1)]
    rows = database.rows(
        RUN_STATE if clusters else TEXTS_STATE,
        team_ids=[each.team_id for each in team_days],
        day=day,
        start=midnight(first_day) - REACH,
        end=midnight(day + timedelta(days=1)) + REACH,
        trigger_events=list(TRIGGER_EVENTS),
        published_events=sorted({theme.event for theme in themes}),
        uuids=[event_uuid(each, theme) for each in linked for theme in themes],
        product=PRODUCT,
        renderings=[space_of(theme, "")["rendering"] for theme in themes],
        theme_ids=[theme.theme_id for theme in themes],
        linked_from=day - link,
        linked_until=day + link,
        **{"from": first_day, "until": day},
    )
    states = {}
    for team_day in team_days:
        own = [row for row in rows if row["team_id"] == team_day.team_id]
        found = {row["part"]: row["digest"] for row in own}
        waits = min((row["waits_until"] for row in own if row["waits_until"] is not None), default=None)
        texts, made = found.get("texts", ""), found.get("clusters", "")
        states[team_day.team_id] = RunState(found.get("events", ""), texts, made, waits)
    return states
