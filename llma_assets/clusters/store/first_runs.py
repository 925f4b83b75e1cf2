"""The items of days, each day in the first run that has it: a part of every statement that counts items by day."""

# Keys: cluster_members (team_id, day, theme_id, attempt_id, item_id); clusters (…, attempt_id, cluster_id).
# Windows overlap: each day's items are counted once, in the first of the runs `attempt_ids` that has that day. Gives
# `members`, and `homes` with the lineage of each of their clusters; what is held back counts among the outliers.
ITEMS_OF_FIRST_RUNS = """
    firsts AS
    (
        SELECT item_day, argMin((day, attempt_id), day) AS first_run
        FROM cluster_members
        WHERE team_id = {team_id:Int64}
            AND day BETWEEN {from:Date} AND {until:Date}
            AND theme_id = {theme_id:String}
            AND item_day >= {from:Date}
            AND attempt_id IN {attempt_ids:Array(UUID)}
        GROUP BY item_day
    ),
    members AS
    (
        -- All rows of a key have the same day of the item: those of later runs are left out before FINAL merges any.
        SELECT day, attempt_id, item_id, trace_id, item_day, cluster_id, timestamp
        FROM cluster_members FINAL
        PREWHERE (item_day, day, attempt_id) IN (SELECT item_day, first_run.1, first_run.2 FROM firsts)
        WHERE team_id = {team_id:Int64}
            AND day BETWEEN {from:Date} AND {until:Date}
            AND theme_id = {theme_id:String}
    ),
    homes AS
    (
        SELECT day, attempt_id, cluster_id, if(disclosure = 'held_back', '', lineage_id) AS lineage_id
        FROM clusters FINAL
        WHERE team_id = {team_id:Int64}
            AND day BETWEEN {from:Date} AND {until:Date}
            AND theme_id = {theme_id:String}
            AND attempt_id IN {attempt_ids:Array(UUID)}
    )"""
