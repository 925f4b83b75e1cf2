"""Every statement of the ledger."""

# Key of skips: (team_id, day, stage, theme_id).
CURRENT_SKIPS = """
SELECT stage, theme_id, reason, detail
FROM skips FINAL
WHERE team_id = {team_id:Int64} AND day = {day:Date}
"""

SKIPS_OF_DAY = """
SELECT team_id, day, stage, theme_id, reason, detail
FROM skips FINAL
WHERE day = {day:Date} AND reason != ''
ORDER BY team_id, stage, theme_id
"""

# For discovery, which looks at all teams.
SKIPS_OF_STAGE = """
SELECT team_id, day, theme_id, reason, detail
FROM skips FINAL
WHERE day BETWEEN {first_day:Date} AND {last_day:Date} AND stage = {stage:String}
"""

SKIPS_OF_TEAMS_AND_DAY = """
SELECT team_id, day, stage, theme_id, reason, detail
FROM skips FINAL
WHERE team_id IN {team_ids:Array(Int64)} AND day = {day:Date} AND reason != ''
ORDER BY stage, theme_id
"""

SKIPS_OF_TEAM_AND_DAYS = """
SELECT team_id, day, stage, theme_id, reason, detail
FROM skips FINAL
WHERE team_id = {team_id:Int64} AND day BETWEEN {from:Date} AND {until:Date} AND reason != ''
ORDER BY day, stage, theme_id
"""

# Key of item_skips: (team_id, day, stage, theme_id, level, item_id).
CURRENT_ITEM_SKIPS = """
SELECT item_id, reason, detail
FROM item_skips FINAL
WHERE team_id = {team_id:Int64}
    AND day = {day:Date}
    AND stage = {stage:String}
    AND theme_id = {theme_id:String}
    AND level = {level:String}
"""

ITEM_SKIPS_OF_DAY = """
SELECT team_id, day, stage, theme_id, level, item_id, reason, detail
FROM item_skips FINAL
WHERE day = {day:Date} AND reason != ''
ORDER BY team_id, stage, theme_id, level, item_id
"""

ITEM_SKIPS_OF_TEAM_AND_DAY = """
SELECT team_id, day, stage, theme_id, level, item_id, reason, detail
FROM item_skips FINAL
WHERE team_id = {team_id:Int64} AND day = {day:Date} AND reason != ''
ORDER BY stage, theme_id, level, item_id
"""

# Key of model_usage: (team_id, day, stage, theme_id, model, call_id).
USAGE_TOTALS = """
SELECT
    count() AS calls,
    sum(u.input_tokens) AS input_tokens,
    sum(u.output_tokens) AS output_tokens,
    sum(u.cost_usd) AS cost_usd,
    countIf(u.cost_usd IS NULL AND u.error = '') AS calls_without_price,
    countIf(u.error != '') AS failed_calls
FROM model_usage AS u FINAL
WHERE u.team_id = {team_id:Int64} AND u.day = {day:Date} AND u.stage = {stage:String}
"""

# Key of model_usage: (team_id, day, stage, theme_id, model, call_id).
USAGE_OF_DAY = """
SELECT
    stage,
    theme_id,
    model,
    count() AS calls,
    countIf(error != '') AS failed_calls,
    sum(input_tokens) AS input_tokens,
    sum(output_tokens) AS output_tokens,
    sum(cached_tokens) AS cached_tokens,
    ifNull(sum(model_usage.cost_usd), 0) AS cost_usd,
    ifNull(sumIf(model_usage.at_most_usd, model_usage.cost_usd IS NULL), 0) AS unknown_cost_at_most_usd,
    countIf(model_usage.cost_usd IS NULL AND error = '') AS calls_without_price,
    sum(duration_s) AS duration_s
FROM model_usage FINAL
WHERE team_id = {team_id:Int64} AND day = {day:Date}
GROUP BY stage, theme_id, model
ORDER BY stage, theme_id, model
"""

# Key of model_usage: (team_id, day, stage, theme_id, model, call_id).
SPENT_SINCE = """
SELECT sum(ifNull(u.cost_usd, u.at_most_usd))
FROM model_usage AS u FINAL
WHERE u.team_id IN {team_ids:Array(Int64)}
    AND u.timestamp >= {since:DateTime64(6, 'UTC')}
"""

# Key of budget_holds: (team_id, day, spent_on, hold_id). theme_id '' is whatever it was set aside for. The age is told
# by one clock, the database's. What no process in particular holds is of a batch as long as one is open.
HELD = """
SELECT
    day = {day:Date} AS is_of_day,
    spent_on = {spent_on:Date} AS is_on_date,
    machine,
    pid,
    pid_started,
    held_usd,
    at_risk_usd,
    inserted_at >= now64(6) - toIntervalSecond({lease_s:UInt32}) AS is_fresh,
    machine = '' AND hold_id IN
    (
        SELECT group_id
        FROM summary_batches FINAL
        WHERE team_id = {team_id:Int64} AND state != 'closed'
    ) AS is_of_open_batch
FROM budget_holds FINAL
WHERE team_id = {team_id:Int64}
    AND (day = {day:Date} OR spent_on = {spent_on:Date})
    AND ({theme_id:String} = '' OR theme_id = {theme_id:String})
    AND held_usd > 0
"""

HOLD = """
SELECT
    team_id, day, spent_on, hold_id, stage, theme_id, held_usd, limit_usd, theme_limit_usd, version, machine, pid,
    pid_started
FROM budget_holds FINAL
WHERE team_id = {team_id:Int64} AND day = {day:Date} AND hold_id = {hold_id:UUID} AND held_usd > 0
"""

SPENT = """
SELECT
    sumIf(coalesce(u.cost_usd, u.at_most_usd, 0), u.day = {day:Date}) AS of_day,
    sumIf(coalesce(u.cost_usd, u.at_most_usd, 0), toDate(u.timestamp) = {spent_on:Date}) AS on_date
FROM model_usage AS u FINAL
WHERE u.team_id = {team_id:Int64}
    AND (u.day = {day:Date} OR toDate(u.timestamp) = {spent_on:Date})
    AND ({theme_id:String} = '' OR u.theme_id = {theme_id:String})
"""

# Key of model_usage: (team_id, day, stage, theme_id, model, call_id). Calls that a server worked on.
PAST_CALLS = """
SELECT
    count() AS calls,
    uniqExactIf(u.item_id, u.item_id != '') AS items,
    sum(u.input_tokens) AS input_tokens,
    sum(u.output_tokens) AS output_tokens,
    uniqExact(u.day) AS days
FROM
(
    SELECT day, item_id, input_tokens, output_tokens
    FROM model_usage FINAL
    WHERE team_id = {team_id:Int64}
        AND stage = {stage:String}
        AND theme_id = {theme_id:String}
        AND asked_model = {model:String}
        AND input_tokens > 0
    ORDER BY timestamp DESC
    LIMIT {most:UInt32}
) AS u
"""

# Key of usage_forecasts: (team_id, day, stage, theme_id, model, forecast_id).
COMPARED = """
SELECT
    f.stage AS stage,
    f.theme_id AS theme_id,
    f.model AS model,
    countIf(f.ended_at IS NOT NULL) AS runs,
    countIf(f.ended_at IS NULL) AS unfinished,
    sumIf(f.items, f.ended_at IS NOT NULL) AS items,
    sumIf(f.calls, f.ended_at IS NOT NULL) AS calls,
    sumIf(f.input_tokens, f.ended_at IS NOT NULL) AS input_tokens,
    sumIf(f.output_tokens, f.ended_at IS NOT NULL) AS output_tokens,
    sumIf(f.cost_usd, f.ended_at IS NOT NULL) AS cost_usd,
    ifNull(sum(f.actual_items), 0) AS actual_items,
    ifNull(sum(f.actual_calls), 0) AS actual_calls,
    ifNull(sum(f.actual_input_tokens), 0) AS actual_input_tokens,
    ifNull(sum(f.actual_output_tokens), 0) AS actual_output_tokens,
    sum(f.actual_cost_usd) AS actual_cost_usd
FROM usage_forecasts AS f FINAL
WHERE f.team_id = {team_id:Int64} AND f.day = {day:Date} AND (f.stage = {stage:String} OR {stage:String} = '')
GROUP BY stage, theme_id, model
ORDER BY stage, theme_id, model
"""

# Of the team ('' as theme), and of themes that set money aside for the day, in one answer: the checks of both read it.
# Key of budget_holds: (team_id, day, spent_on, hold_id). The budgets that were in force when money was set aside.
LIMITS = """
WITH holds AS
(
    SELECT theme_id, day, spent_on, limit_usd, theme_limit_usd
    FROM budget_holds FINAL
    WHERE team_id = {team_id:Int64}
        AND spent_on IN (SELECT spent_on FROM budget_holds WHERE team_id = {team_id:Int64} AND day = {day:Date})
)
SELECT limit_of, spent_on, maxIf(usd, day = {day:Date}) AS of_day, max(usd) AS on_date
FROM
(
    SELECT '' AS limit_of, spent_on, day, limit_usd AS usd
    FROM holds
    UNION ALL
    SELECT theme_id AS limit_of, spent_on, day, theme_limit_usd AS usd
    FROM holds
    WHERE theme_id != ''
)
WHERE isFinite(usd)
GROUP BY limit_of, spent_on
HAVING limit_of = '' OR countIf(day = {day:Date}) > 0
ORDER BY limit_of, spent_on
"""
