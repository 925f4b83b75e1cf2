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
    sum(input_tokens) AS input_tokens,
    sum(output_tokens) AS output_tokens,
    sum(cost_usd) AS cost_usd,
    countIf(cost_usd IS NULL AND error = '') AS calls_without_price,
    countIf(error != '') AS failed_calls
FROM model_usage FINAL
WHERE team_id = {team_id:Int64} AND day = {day:Date} AND stage = {stage:String}
"""
