"""Every statement of the labels room."""

# Key of cluster_labels: (team_id, day, theme_id, attempt_id, cluster_id).
LABELS_OF_RUN = """
SELECT cluster_id, title, description, status, error, model
FROM cluster_labels FINAL
WHERE team_id = {team_id:Int64}
    AND day = {day:Date}
    AND theme_id = {theme_id:String}
    AND attempt_id = {attempt_id:UUID}
ORDER BY cluster_id = -1, cluster_id
"""
