"""The users of clustered items, as hashes. How many a cluster needs is decided in `disclosure`."""

from collections.abc import Mapping
from datetime import date

from llma_assets.clickhouse import Database

# Key of trace_texts: (team_id, day, level, item_id). Texts of before hashes have 0, as if one user had sent them all.
USERS_OF_ITEMS = """
SELECT item_id, user_hash
FROM trace_texts FINAL
WHERE team_id = {team_id:Int64}
    AND day BETWEEN {from:Date} AND {until:Date}
    AND level = {level:String}
"""


def users_of_items(database: Database, team_id: int, level: str, first_day: date, last_day: date) -> Mapping[str, int]:
    """The hash of the user of each stored text of some days, by item id; 0 where it is unknown."""
    rows = database.stream(USERS_OF_ITEMS, team_id=team_id, level=level, **{"from": first_day, "until": last_day})
    return {row["item_id"]: row["user_hash"] for row in rows}
