"""Every statement that reads series: runs, items by day and lineage, centroids, events.

Those with `team_ids` are asked of one team, or of several at once (`reading_together.py`).
"""

# Key of clustering_runs: (team_id, day, theme_id). Runs from before lineages have none to count.
RUNS = """
SELECT team_id, day, theme_id, level, items, noise_items, lineage, attempt_id, committed_at
FROM clustering_runs FINAL
WHERE team_id IN {team_ids:Array(Int64)} AND day BETWEEN {from:Date} AND {until:Date} AND lineage != '{}'
ORDER BY team_id, theme_id, day
"""

# Each item counts in the run that was the first to have its day. An item stands for 1 / its chance to be in the sample.
# Keys: cluster_members and clusters (team_id, day, theme_id, attempt_id, item_id or cluster_id);
# trace_texts (team_id, day, level, item_id); theme_items (team_id, day, theme_id, item_id).
_ITEMS = """
WITH
    runs AS
    (
        SELECT team_id, theme_id, day, attempt_id, level
        FROM clustering_runs FINAL
        WHERE team_id IN {team_ids:Array(Int64)}
            AND day BETWEEN {from:Date} AND {until:Date}
            AND lineage != '{}'
            AND (empty({theme_ids:Array(String)}) OR has({theme_ids:Array(String)}, theme_id))
    ),
    firsts AS
    (
        SELECT team_id, theme_id, item_day, argMin((day, attempt_id), day) AS first_run
        FROM cluster_members
        WHERE team_id IN {team_ids:Array(Int64)}
            AND day BETWEEN {from:Date} AND {until:Date}
            AND item_day >= {from:Date}
            AND (team_id, theme_id, day, attempt_id) IN (SELECT team_id, theme_id, day, attempt_id FROM runs)
        GROUP BY team_id, theme_id, item_day
    ),
    members AS
    (
        -- All rows of a key have the same day of the item: those of later runs are left out before FINAL merges any.
        SELECT team_id, theme_id, day, attempt_id, item_id, trace_id, item_day, cluster_id, timestamp
        FROM cluster_members FINAL
        PREWHERE (team_id, theme_id, item_day, day, attempt_id)
            IN (SELECT team_id, theme_id, item_day, first_run.1, first_run.2 FROM firsts)
        WHERE team_id IN {team_ids:Array(Int64)} AND day BETWEEN {from:Date} AND {until:Date}
    ),
    homes AS
    (
        SELECT
            team_id, theme_id, day, attempt_id, cluster_id, level,
            if(disclosure = 'held_back', '', lineage_id) AS lineage_id
        FROM clusters FINAL
        INNER JOIN runs USING (team_id, theme_id, day, attempt_id)
        WHERE team_id IN {team_ids:Array(Int64)} AND day BETWEEN {from:Date} AND {until:Date}
    ),
    texts AS
    (
        SELECT
            team_id, level, day AS item_day, item_id, cost_usd, error_count, user_hash, true AS is_known
        FROM trace_texts FINAL
        WHERE team_id IN {team_ids:Array(Int64)} AND day BETWEEN {from:Date} AND {until:Date}
    ),
    samples AS
    (
        SELECT team_id, theme_id, day AS item_day, item_id, least(1, inclusion_probability) AS p
        FROM theme_items FINAL
        WHERE team_id IN {team_ids:Array(Int64)}
            AND day BETWEEN {from:Date} AND {until:Date}
            AND (empty({theme_ids:Array(String)}) OR has({theme_ids:Array(String)}, theme_id))
            AND inclusion_probability > 0
    ),
    items AS
    (
        SELECT
            team_id,
            theme_id,
            item_day,
            members.timestamp AS timestamp,
            -- What people took out of a cluster counts among the outliers.
            if(
                has({taken_out:Array(Tuple(Int64, String, String))}, (team_id, homes.lineage_id, members.item_id)),
                '',
                homes.lineage_id
            ) AS home,
            if(samples.p > 0, samples.p, 1) AS chance,
            texts.is_known AS is_known,
            texts.error_count AS error_count,
            texts.cost_usd AS cost_usd,
            texts.user_hash AS user_hash
        FROM members
        INNER JOIN homes USING (team_id, theme_id, day, attempt_id, cluster_id)
        LEFT JOIN texts USING (team_id, level, item_day, item_id)
        LEFT JOIN samples USING (team_id, theme_id, item_day, item_id)
    )
"""

# A row a day and lineage; and with is_week one a day and lineage about the seven days that end with it, for the last
# days: their different users are no sum.
COUNTS = (
    _ITEMS
    + """
SELECT
    team_id,
    theme_id,
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
GROUP BY team_id, theme_id, day, is_week, home
"""
)

# The same by the hours in which traces began.
COUNTS_BY_HOUR = (
    _ITEMS
    + """
SELECT
    team_id,
    toStartOfHour(timestamp) AS hour,
    home AS lineage_id,
    sum(1 / chance) AS traces,
    sum((1 - chance) / (chance * chance)) AS variance,
    uniqExact(user_hash) AS users,
    countIf(is_known) AS known,
    countIf(error_count > 0) AS errors,
    sum(cost_usd / chance) AS cost
FROM items
GROUP BY team_id, hour, home
"""
)

# Of the hours of the last days the different users of the 168 hours that end with each.
USERS_OF_WEEK_BY_HOUR = (
    _ITEMS
    + """
SELECT team_id, hour, home AS lineage_id, uniqExact(user_hash) AS users
FROM items
ARRAY JOIN arrayFilter(
    each -> toDate(each) BETWEEN {weeks_from:Date} AND {until:Date},
    arrayMap(n -> toStartOfHour(timestamp) + toIntervalHour(n), range(168))
) AS hour
GROUP BY team_id, hour, home
"""
)

# Keys: clustering_runs (team_id, day, theme_id); clusters (…, attempt_id, cluster_id).
CENTROIDS = """
SELECT team_id, theme_id, lineage_id, argMax(centroid, day) AS latest
FROM clusters FINAL
WHERE team_id IN {team_ids:Array(Int64)}
    AND day BETWEEN {from:Date} AND {until:Date}
    AND lineage_id != ''
    AND (team_id, theme_id, day, attempt_id) IN
    (
        SELECT team_id, theme_id, day, attempt_id
        FROM clustering_runs FINAL
        WHERE team_id IN {team_ids:Array(Int64)} AND day BETWEEN {from:Date} AND {until:Date}
    )
GROUP BY team_id, theme_id, lineage_id
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
SELECT team_id, day, theme_id, stage, detail
FROM skips FINAL
WHERE team_id IN {team_ids:Array(Int64)} AND day BETWEEN {from:Date} AND {until:Date} AND reason = 'failed'
ORDER BY team_id, day, stage
"""

# Keys: clustering_runs (team_id, day, theme_id); clusters (…, attempt_id, cluster_id).
SPLITS = """
SELECT team_id, theme_id, lineage_id, lineage_parents, min(day) AS first_day
FROM clusters FINAL
WHERE team_id IN {team_ids:Array(Int64)}
    AND day BETWEEN {from:Date} AND {until:Date}
    AND lineage_status = 'split'
    AND (team_id, theme_id, day, attempt_id) IN
    (
        SELECT team_id, theme_id, day, attempt_id
        FROM clustering_runs FINAL
        WHERE team_id IN {team_ids:Array(Int64)} AND day BETWEEN {from:Date} AND {until:Date}
    )
GROUP BY team_id, theme_id, lineage_id, lineage_parents
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
