"""The statement that finds published clusters whose items have changed since; who clusters them anew decides that."""

# For the sensor, of all teams: one row a team, day and theme. Vectors are summed up by day first, so that the join is small.
# Keys: (team_id, day, theme_id) of clustering_runs;
# (team_id, toDate(timestamp), product, document_type, model_name, rendering, document_id) of document_embeddings.
STALE_RUNS = """
SELECT runs.team_id AS team_id, runs.day AS day, runs.theme_id AS theme_id, max(vectors.newest) AS newest
FROM
(
    SELECT team_id, day, theme_id, embedding_model, window_start, window_end, committed_at
    FROM clustering_runs FINAL
    WHERE day >= {since:Date} AND day < {today:Date}
) AS runs
INNER JOIN
(
    SELECT team_id, toDate(timestamp) AS vector_day, rendering, model_name, max(inserted_at) AS newest
    FROM document_embeddings
    WHERE timestamp >= {oldest:DateTime64(6, 'UTC')} AND product = {product:String}
    GROUP BY team_id, vector_day, rendering, model_name
) AS vectors
ON vectors.team_id = runs.team_id
    AND vectors.rendering = concat({rendering_prefix:String}, runs.theme_id)
    AND vectors.model_name = runs.embedding_model
WHERE vectors.vector_day >= toDate(runs.window_start) AND vectors.vector_day < toDate(runs.window_end)
GROUP BY team_id, day, theme_id, runs.committed_at
HAVING newest > runs.committed_at
ORDER BY day DESC, team_id, theme_id
"""
