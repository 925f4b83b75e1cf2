"""Every statement that reads series: runs, items by day and lineage, centroids, events."""

from llma_assets.clusters import ITEMS_OF_FIRST_RUNS

# Key of clustering_runs: (team_id, day, theme_id). Runs from before lineages have none to count.
RUNS = """
SELECT day, theme_id, level, items, noise_items, lineage, attempt_id, committed_at
FROM clustering_runs FINAL
WHERE team_id = {team_id:Int64} AND day BETWEEN {from:Date} AND {until:Date} AND lineage != '{}'
ORDER BY theme_id, day
"""

# Keys: trace_texts (team_id, day, level, item_id); theme_items (team_id, day, theme_id, item_id). An item stands for
# 1 / its chance to be in the sample.
_ITEMS = (
    "WITH"
    + ITEMS_OF_FIRST_RUNS
    + """,
    texts AS
    (
        SELECT day AS item_day, item_id, cost_usd, error_count, user_hash, true AS is_known
        FROM trace_texts FINAL
        WHERE team_id = {team_id:Int64} AND day BETWEEN {from:Date} AND {until:Date} AND level = {level:String}
    ),
    samples AS
    (
        SELECT day AS item_day, item_id, least(1, inclusion_probability) AS p
        FROM theme_items FINAL
        WHERE team_id = {team_id:Int64}
            AND day BETWEEN {from:Date} AND {until:Date}
            AND theme_id = {theme_id:String}
            AND inclusion_probability > 0
    ),
    items AS
    (
        SELECT
            item_day,
            members.timestamp AS timestamp,
            -- What people took out of a cluster counts among the outliers.
            if(
                has({taken_out:Array(Tuple(String, String))}, (homes.lineage_id, members.item_id)), '', homes.lineage_id
            ) AS home,
            if(samples.p > 0, samples.p, 1) AS chance,
            texts.is_known AS is_known,
            texts.error_count AS error_count,
            texts.cost_usd AS cost_usd,
            texts.user_hash AS user_hash
        FROM members
        INNER JOIN homes USING (day, attempt_id, cluster_id)
        LEFT JOIN texts USING (item_day, item_id)
        LEFT JOIN samples USING (item_day, item_id)
    )
"""
)

# A row a day and lineage; and with is_week one a day and lineage about the seven days that end with it, for the last
# days: their different users are no sum.
COUNTS = (
    _ITEMS
    + """
SELECT
    counted.1 AS day,
    counted.2 AS is_week,
    home AS lineage_id,
    sum(1 / chance) AS traces,
    sum((1 - chance) / (chance * chance)) AS variance,
    uniqExact(user_hash) AS users,
    countIf(is_known) AS known,
    countIf(error_count > 0) AS errors,
    sum(cost_usd / chance) AS cost
FROM items
ARRAY JOIN arrayConcat(
    [(item_day, false)],
    arrayFilter(
        of_week -> of_week.1 BETWEEN {weeks_from:Date} AND {until:Date},
        arrayMap(n -> (item_day + n, true), range(7))
    )
) AS counted
GROUP BY day, is_week, home
"""
)

# The same by the hours in which traces began.
COUNTS_BY_HOUR = (
    _ITEMS
    + """
SELECT
    toStartOfHour(timestamp) AS hour,
    home AS lineage_id,
    sum(1 / chance) AS traces,
    sum((1 - chance) / (chance * chance)) AS variance,
    uniqExact(user_hash) AS users,
    sum(cost_usd / chance) AS cost
FROM items
GROUP BY hour, home
"""
)

# Keys: clustering_runs (team_id, day, theme_id); clusters (…, attempt_id, cluster_id).
CENTROIDS = """
SELECT lineage_id, argMax(centroid, day) AS latest
FROM clusters FINAL
WHERE team_id = {team_id:Int64}
    AND day BETWEEN {from:Date} AND {until:Date}
    AND theme_id = {theme_id:String}
    AND lineage_id != ''
    AND (day, attempt_id) IN
    (
        SELECT day, attempt_id
        FROM clustering_runs FINAL
        WHERE team_id = {team_id:Int64} AND day BETWEEN {from:Date} AND {until:Date} AND theme_id = {theme_id:String}
    )
GROUP BY lineage_id
"""

# Key of events: (team_id, toDate(timestamp), event, uuid).
ARRIVED = """
SELECT toDate(timestamp) AS day, count() AS events
FROM {events_database:Identifier}.{events_table:Identifier}
WHERE team_id = {team_id:Int64}
    AND timestamp >= {start:DateTime64(6, 'UTC')}
    AND timestamp < {end:DateTime64(6, 'UTC')}
    AND event IN {trigger_events:Array(String)}
GROUP BY day
"""

# Key of skips: (team_id, day, stage, theme_id).
FAILURES = """
SELECT day, theme_id, stage, detail
FROM skips FINAL
WHERE team_id = {team_id:Int64} AND day BETWEEN {from:Date} AND {until:Date} AND reason = 'failed'
ORDER BY day, stage
"""

# Keys: clustering_runs (team_id, day, theme_id); clusters (…, attempt_id, cluster_id).
SPLITS = """
SELECT lineage_id, lineage_parents, min(day) AS first_day
FROM clusters FINAL
WHERE team_id = {team_id:Int64}
    AND day BETWEEN {from:Date} AND {until:Date}
    AND theme_id = {theme_id:String}
    AND lineage_status = 'split'
    AND (day, attempt_id) IN
    (
        SELECT day, attempt_id
        FROM clustering_runs FINAL
        WHERE team_id = {team_id:Int64} AND day BETWEEN {from:Date} AND {until:Date} AND theme_id = {theme_id:String}
    )
GROUP BY lineage_id, lineage_parents
"""

# Keys: theme_items (team_id, day, theme_id, item_id); trace_summaries (team_id, day, theme_id, item_id);
# clustering_runs (team_id, day, theme_id); cluster_members (…, attempt_id, item_id). Of the items that a theme was to
# look at on a day, without those that do not concern it, how many are in the run of that day.
COVERED = """
SELECT day, count() AS wanted, countIf(item_id IN
    (
        SELECT item_id
        FROM cluster_members FINAL
        WHERE team_id = {team_id:Int64}
            AND day BETWEEN {from:Date} AND {until:Date}
            AND theme_id = {theme_id:String}
            AND item_day = day
            AND (day, attempt_id) IN
            (
                SELECT day, attempt_id
                FROM clustering_runs FINAL
                WHERE team_id = {team_id:Int64}
                    AND day BETWEEN {from:Date} AND {until:Date}
                    AND theme_id = {theme_id:String}
            )
    )) AS covered
FROM theme_items FINAL
WHERE team_id = {team_id:Int64}
    AND day BETWEEN {from:Date} AND {until:Date}
    AND theme_id = {theme_id:String}
    AND taken
    AND screened
    AND (day, item_id) NOT IN
    (
        SELECT day, item_id
        FROM trace_summaries FINAL
        WHERE team_id = {team_id:Int64}
            AND day BETWEEN {from:Date} AND {until:Date}
            AND theme_id = {theme_id:String}
            AND status = 'generated'
            AND NOT relevant
    )
GROUP BY day
"""

# Key of model_usage: (team_id, day, stage, theme_id, model, call_id). For the traces of a day, and on a day.
SPENT = """
SELECT spent_day AS day, max(cost) AS usd
FROM
(
    SELECT day AS spent_day, sum(coalesce(cost_usd, at_most_usd, 0)) AS cost
    FROM model_usage FINAL
    WHERE team_id = {team_id:Int64} AND day BETWEEN {from:Date} AND {until:Date}
    GROUP BY spent_day
    UNION ALL
    SELECT toDate(timestamp) AS spent_day, sum(coalesce(cost_usd, at_most_usd, 0)) AS cost
    FROM model_usage FINAL
    WHERE team_id = {team_id:Int64} AND toDate(timestamp) BETWEEN {from:Date} AND {until:Date}
    GROUP BY spent_day
)
GROUP BY spent_day
"""
