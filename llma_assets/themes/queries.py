"""Every statement of the store: the changes of a team's themes, of which the newest of each theme counts."""

# Key of themes: (team_id, theme_id, changed_at, change_id).
NEWEST_CHANGES = """
SELECT theme_id, changed_at, change_id, action, author, settings, version
FROM themes FINAL
WHERE team_id = {team_id:Int64}
ORDER BY theme_id, changed_at DESC, change_id DESC
LIMIT 1 BY theme_id
"""

# Of all teams, for schedules: only teams that changed something have rows.
NEWEST_CHANGES_OF_TEAMS = """
SELECT team_id, theme_id, change_id, action, settings
FROM themes FINAL
ORDER BY team_id, theme_id, changed_at DESC, change_id DESC
LIMIT 1 BY team_id, theme_id
"""

# Key of themes: (team_id, theme_id, changed_at, change_id).
ALL_CHANGES = """
SELECT theme_id, changed_at, change_id, action, author, settings, version
FROM themes FINAL
WHERE team_id = {team_id:Int64} AND ({theme_id:String} = '' OR theme_id = {theme_id:String})
ORDER BY changed_at, theme_id, change_id
"""
