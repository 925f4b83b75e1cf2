"""Two clusterings of one day at once, and one after a killed one: rows of two attempts never mix."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import numpy as np
import orjson
import pytest
from numpy.typing import NDArray

from llma_assets.clickhouse import Database
from llma_assets.clusters import cluster
from llma_assets.clusters.checks import CHECKS
from llma_assets.clusters.store.attempts import invariants_of
from llma_assets.clusters.store.cluster_members import members_of
from llma_assets.clusters.store.clustering_runs import NEXT_DAYS
from llma_assets.embeddings.queries import PRODUCT
from llma_assets.team_day import TeamDay, midnight
from llma_assets.themes import TRACES
from llma_assets_tests.clusters.engine.test_loyalty import CONFIG, nested
from llma_assets_tests.clusters.planted import MODEL, run_day, stored_run

DAY = date(2026, 11, 7)


@pytest.fixture(scope="module")
def points() -> NDArray[np.float32]:
    """Items that can be cut finely or coarsely; how it is done follows from the run before."""
    return nested(0.7)


@pytest.fixture(scope="module")
def fine_and_coarse(points: NDArray[np.float32]) -> tuple[float, float]:
    """Two resolutions, each of which is kept where the run before had it."""
    curve = cluster(points, CONFIG).quality.resolution_curve
    top = max(point.score for point in curve)
    good = sorted(point.resolution for point in curve if 0.92 * top < point.score)
    return good[-1], good[0]


@pytest.fixture
def planted(database: Database, points: NDArray[np.float32]) -> Database:
    for team_id in (1, 2):
        rows = [
            {
                "team_id": team_id,
                "product": PRODUCT,
                "document_type": TRACES.document_type,
                "model_name": MODEL,
                "rendering": TRACES.rendering,
                "document_id": f"i{number:04}",
                "timestamp": midnight(DAY) + timedelta(minutes=number),
                "content": "x",
                "metadata": orjson.dumps({"trace_id": f"i{number:04}"}).decode(),
                "embedding": vector.tolist(),
            }
            for number, vector in enumerate(points)
        ]
        database.insert_rows("document_embeddings", rows)
    return database


def run_before(database: Database, resolution: float) -> None:
    """The day before was clustered so finely."""
    row = {
        "team_id": 1,
        "day": DAY - timedelta(days=1),
        "theme_id": TRACES.theme_id,
        "level": TRACES.level,
        "attempt_id": uuid4(),
        "method": "graph",
        "params": orjson.dumps({"theme_version": TRACES.version}).decode(),
        "items": 1,
        "quality": orjson.dumps({"resolution": resolution}).decode(),
        "embedding_model": MODEL,
    }
    database.insert_rows("clustering_runs", [row])


def run(database: Database) -> None:
    run_day(database, 1, DAY, 2, method="graph")


def assert_sound(database: Database) -> None:
    run = stored_run(database, 1, DAY)
    assert invariants_of(database, run)["total_size"] == run.items == len(members_of(database, run))
    failed = [each for check in CHECKS for each in check.findings(database, TeamDay(1, DAY)) if not each.passed]
    assert not [each.sentence for each in failed if each.check in ("sizes_add_up", "members_in_one_cluster")]
    assert database.value("SELECT count() FROM clusters WHERE team_id = 2") == 0


def test_the_slower_of_two_equal_clusterings_replaces_no_row_of_the_other(
    planted: Database, fine_and_coarse: tuple[float, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    insert, entered = Database.insert_rows, list[str]()

    def other_is_faster(self: Database, table: str, rows: Any, **options: Any) -> None:
        if table == "cluster_members" and not entered:
            entered.append(table)
            run_before(self, fine_and_coarse[0])
            run(self)
            entered.append(str(stored_run(self, 1, DAY).clusters))
        insert(self, table, rows, **options)

    run_before(planted, fine_and_coarse[1])
    monkeypatch.setattr(Database, "insert_rows", other_is_faster)
    run(planted)
    monkeypatch.undo()
    assert entered[1:] != [str(stored_run(planted, 1, DAY).clusters)], "the two should be cut differently"
    assert_sound(planted)


def test_what_a_killed_clustering_wrote_is_no_part_of_the_next_one(
    planted: Database, fine_and_coarse: tuple[float, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    insert = Database.insert_rows

    def dies(self: Database, table: str, rows: Any, **options: Any) -> None:
        if table == "clustering_runs":
            raise KeyboardInterrupt
        insert(self, table, rows, **options)

    run_before(planted, fine_and_coarse[0])
    monkeypatch.setattr(Database, "insert_rows", dies)
    with pytest.raises(KeyboardInterrupt):
        run(planted)
    monkeypatch.undo()
    run_before(planted, fine_and_coarse[1])
    run(planted)
    assert_sound(planted)


def test_of_two_equal_clusterings_the_slower_one_leaves_what_is_published(
    planted: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that names which were paid for are not thrown away."""
    rows, entered = Database.rows, list[str]()

    def other_is_faster(self: Database, sql: str, /, **parameters: Any) -> list[dict[str, Any]]:
        if sql == NEXT_DAYS and not entered:
            entered.append(sql)
            run(self)
            entered.append(str(stored_run(self, 1, DAY).attempt_id))
        return rows(self, sql, **parameters)

    monkeypatch.setattr(Database, "rows", other_is_faster)
    run(planted)
    monkeypatch.undo()
    assert entered[1:] == [str(stored_run(planted, 1, DAY).attempt_id)]
