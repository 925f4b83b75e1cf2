"""Every statement of the embeddings room."""

from collections.abc import Sequence
from typing import Any

from llma_assets.themes import Theme

PRODUCT = "llm-analytics"

# The relevant summaries of the items that a theme selects. Days from before selections were stored have no rows in
# theme_items; all their summaries count. Keys: (team_id, day, theme_id, item_id) of both tables.
SUMMARIES_OF_DAY = """
SELECT item_id, trace_id, generation_id, title, flow_diagram, bullets, interesting_notes, trace_timestamp, theme_version
FROM trace_summaries FINAL
WHERE team_id = {team_id:Int64}
    AND day = {day:Date}
    AND theme_id = {theme_id:String}
    AND status = 'generated'
    AND relevant
    AND (theme_version IN {versions:Array(String)} OR {any_version:Bool})
    AND item_id NOT IN
    (
        SELECT item_id
        FROM theme_items FINAL
        WHERE team_id = {team_id:Int64}
            AND day = {day:Date}
            AND theme_id = {theme_id:String}
            AND NOT (taken AND screened)
    )
ORDER BY item_id
"""

# Key of document_embeddings:
# (team_id, toDate(timestamp), product, document_type, model_name, rendering, document_id).
EMBEDDED_OF_DAY = """
SELECT
    document_id,
    JSONExtractString(metadata, 'content_hash') AS content_hash,
    JSONExtractString(metadata, 'theme_version') AS theme_version
FROM document_embeddings FINAL
WHERE team_id = {team_id:Int64}
    AND toDate(timestamp) = {day:Date}
    AND product = {product:String}
    AND document_type = {document_type:String}
    AND model_name = {model_name:String}
    AND rendering = {rendering:String}
"""

# Of every theme: vectors of equal texts are shared.
KNOWN_VECTORS = """
SELECT JSONExtractString(metadata, 'content_hash') AS content_hash, embedding
FROM document_embeddings FINAL
WHERE team_id = {team_id:Int64}
    AND toDate(timestamp) BETWEEN {from:Date} AND {until:Date}
    AND product = {product:String}
    AND model_name = {model_name:String}
    AND content_hash IN {content_hashes:Array(String)}
ORDER BY timestamp, document_id
LIMIT 1 BY content_hash
"""

# An item has one day. One that is here and under a later day was moved here by an event that came late.
MOVED_HERE = """
SELECT rendering, document_id
FROM document_embeddings FINAL
WHERE team_id = {team_id:Int64}
    AND toDate(timestamp) >= {day:Date}
    AND toDate(timestamp) <= {last_day:Date}
    AND product = {product:String}
    AND (document_type, rendering) IN {spaces:Array(Tuple(String, String))}
GROUP BY document_type, rendering, document_id
HAVING min(toDate(timestamp)) = {day:Date} AND max(toDate(timestamp)) > {day:Date}
"""

DELETE_EMBEDDINGS_OF_LATER_DAYS = """
DELETE FROM document_embeddings
WHERE team_id = {team_id:Int64}
    AND toDate(timestamp) > {day:Date}
    AND toDate(timestamp) <= {last_day:Date}
    AND product = {product:String}
    AND document_type = {document_type:String}
    AND rendering = {rendering:String}
    AND document_id IN {document_ids:Array(String)}
"""

# Whatever model made the vectors. Keys: as above, and (team_id, day, theme_id, item_id) of the other tables.
LEFT_ITEMS = """
SELECT DISTINCT rendering, document_id
FROM document_embeddings FINAL
WHERE team_id = {team_id:Int64}
    AND toDate(timestamp) = {day:Date}
    AND product = {product:String}
    AND (document_type, rendering) IN {spaces:Array(Tuple(String, String))}
    AND (rendering, document_id) IN
    (
        SELECT concat('llm_traces_summary_', theme_id), item_id
        FROM trace_summaries FINAL
        WHERE team_id = {team_id:Int64} AND day = {day:Date} AND theme_id IN {theme_ids:Array(String)} AND NOT relevant
        UNION ALL
        SELECT concat('llm_traces_summary_', theme_id), item_id
        FROM theme_items FINAL
        WHERE team_id = {team_id:Int64}
            AND day = {day:Date}
            AND theme_id IN {theme_ids:Array(String)}
            AND NOT (taken AND screened)
    )
"""

DELETE_EMBEDDINGS = """
DELETE FROM document_embeddings
WHERE team_id = {team_id:Int64}
    AND toDate(timestamp) = {day:Date}
    AND product = {product:String}
    AND document_type = {document_type:String}
    AND rendering = {rendering:String}
    AND document_id IN {document_ids:Array(String)}
"""

# One row a space and model: what a clustering would read together, and what is wrong with its vectors, if anything. An
# item that a newer model has embedded, too, does not count as the older one's. A sum is finite where all its parts are.
SPACES_OF_WINDOW = """
SELECT
    rendering,
    model_name,
    groupUniqArrayArray(4)(dimensions) AS lengths,
    sum(newest_of_item) AS items,
    max(newest) AS newest_vector,
    sum(vectors) AS embeddings,
    sum(vectors_not_finite) AS not_finite,
    sum(vectors_zero) AS zero,
    arraySort(groupUniqArrayArray(days_unsound)) AS unsound_days
FROM
(
    SELECT
        rendering,
        model_name,
        document_id,
        groupUniqArray(2)(dimension) AS dimensions,
        max(inserted_at) AS newest,
        max(newest) OVER (PARTITION BY rendering, document_id) = newest AS newest_of_item,
        count() AS vectors,
        countIf(NOT is_finite) AS vectors_not_finite,
        countIf(is_zero) AS vectors_zero,
        groupUniqArrayIf(toString(toDate(timestamp)), NOT is_finite OR is_zero) AS days_unsound
    FROM
    (
        SELECT
            rendering,
            model_name,
            document_id,
            timestamp,
            inserted_at,
            length(embedding) AS dimension,
            isFinite(arraySum(embedding)) AS is_finite,
            is_finite AND LinfNorm(embedding) = 0 AS is_zero
        FROM document_embeddings FINAL
        WHERE team_id = {team_id:Int64}
            AND toDate(timestamp) BETWEEN {from:Date} AND {until:Date}
            AND product = {product:String}
    )
    GROUP BY rendering, model_name, document_id
)
GROUP BY rendering, model_name
ORDER BY rendering, newest_vector DESC, model_name
"""

# One row a theme: how many of the summaries that belong into its space have a vector, by whatever model. Keys: as
# above, and (team_id, day, theme_id, item_id) of the other tables.
EMBEDDED_SUMMARIES = """
SELECT theme_id, count() AS summaries, countIf(vectors.document_id != '') AS embedded
FROM
(
    SELECT theme_id, item_id
    FROM trace_summaries FINAL
    WHERE team_id = {team_id:Int64}
        AND day = {day:Date}
        AND status = 'generated'
        AND relevant
        AND (theme_id, item_id) NOT IN
        (
            SELECT theme_id, item_id
            FROM theme_items FINAL
            WHERE team_id = {team_id:Int64} AND day = {day:Date} AND NOT (taken AND screened)
        )
) AS summaries
LEFT JOIN
(
    SELECT DISTINCT rendering, document_id
    FROM document_embeddings
    WHERE team_id = {team_id:Int64} AND toDate(timestamp) = {day:Date} AND product = {product:String}
) AS vectors
ON concat('llm_traces_summary_', summaries.theme_id) = vectors.rendering AND summaries.item_id = vectors.document_id
GROUP BY theme_id
ORDER BY theme_id
"""

# Some of the day's texts of each theme that certain models embedded, the same ones each time.
CONTENTS_OF_MODELS = """
SELECT rendering, model_name, content
FROM document_embeddings FINAL
WHERE team_id = {team_id:Int64}
    AND toDate(timestamp) = {day:Date}
    AND product = {product:String}
    AND model_name IN {model_names:Array(String)}
ORDER BY rendering, model_name, cityHash64(document_id), document_id
LIMIT {most:UInt32} BY rendering, model_name
"""

# How long a theme's texts are. Key of document_embeddings:
# (team_id, toDate(timestamp), product, document_type, model_name, rendering, document_id).
LAST_CONTENTS = """
SELECT content
FROM document_embeddings
WHERE team_id = {team_id:Int64}
    AND toDate(timestamp) BETWEEN {from:Date} AND {until:Date}
    AND product = {product:String}
    AND rendering = {rendering:String}
ORDER BY toDate(timestamp) DESC, cityHash64(document_id)
LIMIT {most:UInt32}
"""


def spaces_of(themes: Sequence[Theme]) -> dict[str, Any]:
    """The parameters that single out the vectors of themes by whatever model, as statements about several name them."""
    return {"product": PRODUCT, "spaces": [(theme.document_type, theme.rendering) for theme in themes]}


def space_of(theme: Theme, model_name: str) -> dict[str, Any]:
    """The parameters that single out a theme's vectors by one model, as all statements name them."""
    return {
        "product": PRODUCT,
        "document_type": theme.document_type,
        "model_name": model_name,
        "rendering": theme.rendering,
    }
