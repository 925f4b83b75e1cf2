"""What is published for several teams, read together."""

from typing import Any
from unittest.mock import patch

from llma_assets.clickhouse import Database
from llma_assets.clusters.store.cluster_members import MEMBERS_OF_RUN
from llma_assets.reports import published_clusters, published_of_teams
from llma_assets.team_day import TeamDay
from llma_assets_tests.reports.stored_runs import DAY, ids, store_run


def test_teams_that_are_read_together_are_told_as_each_alone(database: Database) -> None:
    for team_id in (1, 2, 3):
        store_run(database, "traces", {0: ids(0, 5 * team_id), -1: ids(30, 32)}, team_id=team_id)
    store_run(database, "own", {0: ids(0, 3)}, team_id=2)
    alone = {team_id: published_clusters(database, TeamDay(team_id, DAY)) for team_id in (1, 2, 4)}
    asked, ask = [], Database.rows

    def rows(self: Database, sql: str, /, **parameters: Any) -> list[dict[str, Any]]:
        asked.append(sql)
        return ask(self, sql, **parameters)

    with patch.object(Database, "rows", rows):
        together = published_of_teams(database.between_writes(), [1, 2, 4], DAY)
    assert together == alone
    assert [len(together[team_id].runs) for team_id in (1, 2, 4)] == [1, 2, 0]
    for table in ("clustering_runs", "clusters", "cluster_labels", "cluster_edits"):
        assert sum(f"FROM {table} FINAL" in sql for sql in asked) == 1, table
    assert sum(sql.startswith(MEMBERS_OF_RUN.rstrip()) for sql in asked) == 1
