"""Lineages that runs merged or split: which one each is part of now, and what was split off each."""

import json
from collections.abc import Mapping
from datetime import date, timedelta

from llma_assets.clickhouse import Database
from llma_assets.clusters import Lineage
from llma_assets.trackers.queries import ENDED, SPLIT_OFF

REACH = timedelta(days=90)


def ended_lineages(database: Database, team_id: int, until: date, lineages: Mapping[str, Lineage]) -> dict[str, str]:
    """By a lineage that ended within another, that one; of several the first, which holds most of it.

    One that a later run has again did not end.
    """
    found: dict[str, str] = {}
    for row in database.rows(ENDED, team_id=team_id, until=until, **{"from": until - REACH}):
        for each in json.loads(row["lineage"]).get("ended", ()):
            lineage = lineages.get(each["lineage_id"])
            if each.get("into") and (lineage is None or lineage.last_day < row["day"]):
                found[each["lineage_id"]] = each["into"][0]
    return found


def split_off(database: Database, team_id: int, until: date) -> dict[str, dict[str, date]]:
    """By a lineage, those that runs split off it, each with the day; it kept its id, for the larger part."""
    found: dict[str, dict[str, date]] = {}
    for row in database.rows(SPLIT_OFF, team_id=team_id, until=until, **{"from": until - REACH}):
        found.setdefault(row["parent"], {})[row["lineage_id"]] = row["first_day"]
    return found
