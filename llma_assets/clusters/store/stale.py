"""The statement that finds published clusters whose items have changed since; who clusters them anew decides that."""

# For the sensor, of all teams: one row a team, day and theme. What has changed is a vector that was stored, or an item
# that the theme takes no longer or no longer finds relevant, whose vector is gone. Changes are summed up by day first,
# so that the join is small.
# Keys: (team_id, day, theme_id) of clustering_runs; (team_id, day, theme_id, item_id) of trace_summaries, theme_items;
# (team_id, toDate(timestamp), product, document_type, model_name, rendering, document_id) of document_embeddings.
STALE_RUNS = """
SELECT
    runs.team_id AS team_id,
    runs.day AS day,
    runs.theme_id AS theme_id,
    runs.theme_version AS theme_version,
    max(changes.newest) AS newest
FROM
(
    SELECT
        team_id,
        day,
        theme_id,
        JSONExtractString(params, 'theme_version') AS theme_version,
        embedding_model,
        window_start,
        window_end,
        committed_at
    FROM clustering_runs FINAL
    WHERE day >= {since:Date} AND day < {today:Date}
) AS runs
INNER JOIN
(
    SELECT
        team_id,
        toDate(timestamp) AS item_day,
        substring(rendering, length({rendering_prefix:String}) + 1) AS theme_id,
        toString(model_name) AS model,
        max(inserted_at) AS newest
    FROM document_embeddings
    WHERE timestamp >= {oldest:DateTime64(6, 'UTC')}
        AND product = {product:String}
        AND startsWith(rendering, {rendering_prefix:String})
    GROUP BY team_id, item_day, rendering, model_name
    UNION ALL
    SELECT team_id, day AS item_day, toString(theme_id), '' AS model, max(inserted_at) AS newest
    FROM trace_summaries
    WHERE day >= toDate({oldest:DateTime64(6, 'UTC')}) AND NOT relevant
    GROUP BY team_id, day, theme_id
    UNION ALL
    SELECT team_id, day AS item_day, toString(theme_id), '' AS model, max(inserted_at) AS newest
    FROM theme_items
    WHERE day >= toDate({oldest:DateTime64(6, 'UTC')}) AND NOT (taken AND screened)
    GROUP BY team_id, day, theme_id
) AS changes
ON changes.team_id = runs.team_id AND changes.theme_id = runs.theme_id
WHERE changes.model IN ('', runs.embedding_model)
    AND changes.item_day >= toDate(runs.window_start)
    AND changes.item_day < toDate(runs.window_end)
GROUP BY team_id, day, theme_id, theme_version, runs.committed_at
HAVING newest > runs.committed_at
ORDER BY day DESC, team_id, theme_id
"""
