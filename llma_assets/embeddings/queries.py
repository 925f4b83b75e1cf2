"""Every statement of the embeddings room."""

PRODUCT = "llm-analytics"

# Key of trace_summaries: (team_id, day, theme_id, item_id).
SUMMARIES_OF_DAY = """
SELECT item_id, trace_id, generation_id, title, flow_diagram, bullets, interesting_notes, trace_timestamp
FROM trace_summaries FINAL
WHERE team_id = {team_id:Int64} AND day = {day:Date} AND theme_id = {theme_id:String} AND status = 'generated'
ORDER BY item_id
"""

# Key of document_embeddings:
# (team_id, toDate(timestamp), product, document_type, model_name, rendering, document_id).
EMBEDDED_OF_DAY = """
SELECT document_id, JSONExtractString(metadata, 'content_hash') AS content_hash
FROM document_embeddings FINAL
WHERE team_id = {team_id:Int64}
    AND toDate(timestamp) = {day:Date}
    AND product = {product:String}
    AND document_type = {document_type:String}
    AND model_name = {model_name:String}
    AND rendering = {rendering:String}
"""

# One row a space: what is wrong with its vectors, if anything.
EMBEDDING_HEALTH = """
SELECT
    rendering,
    model_name,
    count() AS embeddings,
    groupUniqArray(4)(length(embedding)) AS dimensions,
    countIf(arrayExists(x -> NOT isFinite(x), embedding)) AS not_finite,
    countIf(NOT arrayExists(x -> x != 0, embedding)) AS zero
FROM document_embeddings FINAL
WHERE team_id = {team_id:Int64} AND toDate(timestamp) = {day:Date} AND product = {product:String}
GROUP BY rendering, model_name
ORDER BY rendering, model_name
"""
