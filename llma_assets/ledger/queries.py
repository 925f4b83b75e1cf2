"""Every statement of the ledger."""

# Key of skips: (team_id, day, stage, theme_id).
CURRENT_SKIP = """
SELECT reason, detail
FROM skips FINAL
WHERE team_id = {team_id:Int64} AND day = {day:Date} AND stage = {stage:String} AND theme_id = {theme_id:String}
"""

SKIPS_OF_DAY = """
SELECT team_id, day, stage, theme_id, reason, detail
FROM skips FINAL
WHERE day = {day:Date} AND reason != ''
ORDER BY team_id, stage, theme_id
"""

SKIPS_OF_TEAM_AND_DAY = """
SELECT team_id, day, stage, theme_id, reason, detail
FROM skips FINAL
WHERE team_id = {team_id:Int64} AND day = {day:Date} AND reason != ''
ORDER BY stage, theme_id
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

# Key of budget_holds: (team_id, day, spent_on, hold_id).
HELD = """
SELECT
    sumIf(held_usd, day = {day:Date}) AS of_day,
    sumIf(held_usd, spent_on = {spent_on:Date}) AS on_date
FROM budget_holds FINAL
WHERE team_id = {team_id:Int64} AND (day = {day:Date} OR spent_on = {spent_on:Date})
"""

HOLD = """
SELECT team_id, day, spent_on, hold_id, stage, held_usd, limit_usd, version
FROM budget_holds FINAL
WHERE team_id = {team_id:Int64} AND day = {day:Date} AND hold_id = {hold_id:UUID} AND held_usd > 0
"""

SPENT = """
SELECT
    sumIf(coalesce(u.cost_usd, u.at_most_usd, 0), u.day = {day:Date}) AS of_day,
    sumIf(coalesce(u.cost_usd, u.at_most_usd, 0), toDate(u.timestamp) = {spent_on:Date}) AS on_date
FROM model_usage AS u FINAL
WHERE u.team_id = {team_id:Int64} AND (u.day = {day:Date} OR toDate(u.timestamp) = {spent_on:Date})
"""
