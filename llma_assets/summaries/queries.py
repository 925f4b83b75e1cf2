"""The statements of the summaries room, but for those of selections (`selection_queries`)."""

# Key of trace_texts: (team_id, day, level, item_id). Light columns: the text itself is read for chosen ids only.
ITEMS_OF_DAY = """
SELECT item_id, trace_id, generation_id, text_hash, text_length, event_count, trace_timestamp,
    cost_usd, latency_s, tokens, error_count, has_content, drawn, inclusion_probability
FROM trace_texts FINAL
WHERE team_id = {team_id:Int64} AND day = {day:Date} AND level = {level:String}
ORDER BY item_id
"""

TEXTS_AT_ONCE = 100
"""Of a forecast and of the calls after it, in the same order: who remembers answers reads them once."""

TEXTS = """
SELECT item_id, text
FROM trace_texts FINAL
WHERE team_id = {team_id:Int64} AND day = {day:Date} AND level = {level:String} AND item_id IN {item_ids:Array(String)}
ORDER BY item_id
"""

# Key of trace_summaries: (team_id, day, theme_id, item_id).
SUMMARISED = """
SELECT item_id, content_hash, theme_version, relevant
FROM trace_summaries FINAL
WHERE team_id = {team_id:Int64} AND day = {day:Date} AND theme_id = {theme_id:String} AND status = 'generated'
"""

# The same summaries under another version of their theme; they replace the rows they were read from.
SET_THEME_VERSION = """
INSERT INTO trace_summaries
    (team_id, day, theme_id, level, item_id, trace_id, generation_id, content_hash, question_hash, text_hash, status,
    error, model, mode, title, flow_diagram, bullets, interesting_notes, refs_total, refs_valid, relevant,
    theme_version, text_length, event_count, trace_timestamp, batch_run_id)
SELECT team_id, day, theme_id, level, item_id, trace_id, generation_id, content_hash, question_hash, text_hash, status,
    error, model, mode, title, flow_diagram, bullets, interesting_notes, refs_total, refs_valid, relevant,
    {theme_version:String}, text_length, event_count, trace_timestamp, batch_run_id
FROM trace_summaries FINAL
WHERE team_id = {team_id:Int64}
    AND day = {day:Date}
    AND theme_id = {theme_id:String}
    AND item_id IN {item_ids:Array(String)}
"""

# Key of trace_summaries: (team_id, day, theme_id, item_id). Answers for any theme count.
KNOWN_ANSWERS = """
SELECT question_hash, model, mode, title, flow_diagram, bullets, interesting_notes, refs_total, refs_valid,
    relevant
FROM trace_summaries FINAL
WHERE team_id = {team_id:Int64}
    AND day BETWEEN {from:Date} AND {until:Date}
    AND status = 'generated'
    AND question_hash IN {question_hashes:Array(String)}
ORDER BY day, theme_id, item_id
LIMIT 1 BY question_hash
"""

# An item has one day. One that is here and under a later day was moved here by an event that came late.
MOVED_HERE = """
SELECT item_id
FROM trace_summaries FINAL
WHERE team_id = {team_id:Int64} AND day >= {day:Date} AND day <= {last_day:Date} AND theme_id = {theme_id:String}
GROUP BY item_id
HAVING min(day) = {day:Date} AND max(day) > {day:Date}
"""

DELETE_SUMMARIES_OF_LATER_DAYS = """
DELETE FROM trace_summaries
WHERE team_id = {team_id:Int64}
    AND day > {day:Date}
    AND day <= {last_day:Date}
    AND theme_id = {theme_id:String}
    AND item_id IN {item_ids:Array(String)}
"""

SUMMARY_COUNTS = """
SELECT
    theme_id,
    countIf(status = 'generated') AS generated,
    countIf(status = 'generated' AND relevant) AS relevant,
    countIf(status = 'failed') AS failed,
    sumIf(refs_total, status = 'generated') AS refs_given,
    sumIf(refs_valid, status = 'generated') AS refs_kept
FROM trace_summaries FINAL
WHERE team_id = {team_id:Int64} AND day = {day:Date}
GROUP BY theme_id
ORDER BY theme_id
"""

# Whether each stored line reference points at a line of the text that the model saw. A text that was rendered anew
# since, or has expired, cannot tell. One row a theme. Keys: (team_id, day, theme_id, item_id) of trace_summaries,
# (team_id, day, level, item_id) of trace_texts.
LINE_REFERENCES = """
SELECT
    theme_id,
    count() AS summaries,
    countIf(has_text) AS with_text,
    countIf(has_text AND is_broken) AS broken,
    groupArrayIf(5)(item_id, has_text AND is_broken) AS examples
FROM
(
    SELECT
        theme_id,
        item_id,
        texts.item_id != '' AS has_text,
        arrayFlatten(arrayMap(
            point -> splitByString(', ', JSONExtractString(point, 'line_refs')),
            arrayConcat(JSONExtractArrayRaw(bullets), JSONExtractArrayRaw(interesting_notes))
        )) AS refs,
        arrayExists(
            ref -> ref != '' AND
            (
                NOT match(ref, '^L[0-9]+(-[0-9]+)?$')
                OR NOT hasAll(texts.lines, arrayMap(n -> toUInt64OrZero(n), extractAll(ref, '[0-9]+')))
            ),
            refs
        ) AS is_broken
    FROM
    (
        SELECT theme_id, level, item_id, text_hash, bullets, interesting_notes
        FROM trace_summaries FINAL
        WHERE team_id = {team_id:Int64} AND day = {day:Date} AND status = 'generated'
    ) AS summaries
    LEFT JOIN
    (
        SELECT
            level,
            item_id,
            text_hash,
            arrayMap(n -> toUInt64OrZero(n), extractAll(text, '(?m)^L([0-9]+):')) AS lines
        FROM trace_texts FINAL
        WHERE team_id = {team_id:Int64} AND day = {day:Date}
    ) AS texts
    ON summaries.level = texts.level AND summaries.item_id = texts.item_id AND summaries.text_hash = texts.text_hash
)
GROUP BY theme_id
ORDER BY theme_id
"""

# What the items of a theme's sample whose relevance is known stand for: each for 1 / its chance to be there. What the
# rule left out is not relevant. Keys: (team_id, day, theme_id, item_id) of both tables.
STANDS_FOR = """
SELECT
    count() AS decided,
    ifNull(sum(1 / chance), 0) AS stands_for,
    ifNull(sum((1 - chance) / (chance * chance)), 0) AS spread,
    ifNull(sumIf(1 / chance, items.screened), 0) AS screened_for,
    ifNull(sumIf(1 / chance, items.screened AND answers.relevant), 0) AS relevant_for
FROM
(
    SELECT day, item_id, screened, least(1, inclusion_probability) AS chance
    FROM theme_items FINAL
    WHERE team_id = {team_id:Int64}
        AND day BETWEEN {from:Date} AND {until:Date}
        AND theme_id = {theme_id:String}
        AND version = {version:String}
        AND taken
        AND inclusion_probability > 0
) AS items
LEFT JOIN
(
    SELECT day, item_id, relevant, true AS is_there
    FROM trace_summaries FINAL
    WHERE team_id = {team_id:Int64}
        AND day BETWEEN {from:Date} AND {until:Date}
        AND theme_id = {theme_id:String}
        AND status = 'generated'
        AND theme_version IN {versions:Array(String)}
) AS answers
ON items.day = answers.day AND items.item_id = answers.item_id
WHERE answers.is_there OR NOT items.screened
"""

# How much of a theme's last answers concern it. What a rule answered says nothing of what a model would.
RELEVANCE_OF_LAST = """
SELECT count() AS asked, countIf(relevant) AS relevant
FROM
(
    SELECT relevant
    FROM trace_summaries FINAL
    WHERE team_id = {team_id:Int64}
        AND day BETWEEN {from:Date} AND {until:Date}
        AND theme_id = {theme_id:String}
        AND theme_version = {version:String}
        AND status = 'generated'
        AND startsWith(model, 'offline/') = {offline:Bool}
    ORDER BY day DESC, cityHash64(item_id)
    LIMIT {most:UInt32}
)
"""

# Key of summary_failures: (team_id, day, theme_id, item_id, content_hash, run_id). One row a run, so rows are runs.
DEAD_ITEMS = """
SELECT item_id, content_hash
FROM summary_failures FINAL
WHERE team_id = {team_id:Int64} AND day = {day:Date} AND theme_id = {theme_id:String} AND NOT retried
GROUP BY item_id, content_hash
HAVING count() >= {most_failures:UInt32}
"""

# Key: as above. Of the teams of a shard: their days with any failure.
DAYS_WITH_FAILURES = """
SELECT DISTINCT team_id, day
FROM summary_failures
WHERE team_id IN {team_ids:Array(Int64)} AND day BETWEEN {from:Date} AND {until:Date}
"""

# What an item's last run left behind says whether its failures still matter: a summary by now, or another text, and
# they do not. Keys: as above, and (team_id, day, theme_id, item_id) of trace_summaries.
DEAD_LETTERS = """
SELECT day, theme_id, item_id, content_hash, count() AS failures, argMax(reason, failed_at) AS reason,
    max(failed_at) AS last_failed_at
FROM summary_failures FINAL
WHERE team_id = {team_id:Int64}
    AND day BETWEEN {from:Date} AND {until:Date}
    AND NOT retried
    AND (day, theme_id, item_id, content_hash) IN
    (
        SELECT day, theme_id, item_id, content_hash
        FROM trace_summaries FINAL
        WHERE team_id = {team_id:Int64} AND day BETWEEN {from:Date} AND {until:Date} AND status = 'failed'
    )
GROUP BY day, theme_id, item_id, content_hash
HAVING count() >= {most_failures:UInt32}
ORDER BY day, theme_id, item_id
"""

# The same rows again with `retried` set: they replace what they were read from.
REQUEUE = """
INSERT INTO summary_failures
    (team_id, day, theme_id, item_id, content_hash, run_id, reason, retried, failed_at)
SELECT team_id, day, theme_id, item_id, content_hash, run_id, reason, true, failed_at
FROM summary_failures FINAL
WHERE team_id = {team_id:Int64}
    AND day = {day:Date}
    AND theme_id = {theme_id:String}
    AND item_id IN {item_ids:Array(String)}
    AND NOT retried
"""

# Key of summary_batches: (team_id, day, theme_id, batch_key).
OPEN_BATCHES = """
SELECT batch_key, group_id, batch_id, model, questions, intended_at
FROM summary_batches FINAL
WHERE team_id = {team_id:Int64}
    AND day = {day:Date}
    AND theme_id = {theme_id:String}
    AND state != 'closed'
    AND server = {server:String}
ORDER BY intended_at, batch_key
"""

DAYS_WITH_OPEN_BATCHES = """
SELECT DISTINCT day
FROM summary_batches FINAL
WHERE team_id = {team_id:Int64}
    AND day BETWEEN {from:Date} AND {until:Date}
    AND theme_id IN {theme_ids:Array(String)}
    AND state != 'closed'
ORDER BY day
"""

THEMES_WITH_OPEN_BATCHES = """
SELECT DISTINCT team_id, day, theme_id
FROM summary_batches FINAL
WHERE state != 'closed'
ORDER BY team_id, day, theme_id
"""

# Key of trace_texts: (team_id, day, level, item_id). Only what was drawn fairly: themes render further items by what
# is in them. Aliases differ from the columns, which ClickHouse would otherwise replace in the conditions.
NORMS = """
SELECT
    countIf(cost_usd > 0) AS cost_usd_items,
    quantileExactIf(0.5)(cost_usd, cost_usd > 0) AS cost_usd_median,
    quantileExactIf(0.95)(cost_usd, cost_usd > 0) AS cost_usd_p95,
    countIf(latency_s > 0) AS latency_s_items,
    quantileExactIf(0.5)(latency_s, latency_s > 0) AS latency_s_median,
    quantileExactIf(0.95)(latency_s, latency_s > 0) AS latency_s_p95,
    countIf(tokens > 0) AS tokens_items,
    quantileExactIf(0.5)(tokens, tokens > 0) AS tokens_median,
    quantileExactIf(0.95)(tokens, tokens > 0) AS tokens_p95,
    countIf(event_count > 0) AS event_count_items,
    quantileExactIf(0.5)(event_count, event_count > 0) AS event_count_median,
    quantileExactIf(0.95)(event_count, event_count > 0) AS event_count_p95
FROM trace_texts FINAL
WHERE team_id = {team_id:Int64} AND day BETWEEN {from:Date} AND {until:Date} AND level = {level:String} AND drawn
"""
