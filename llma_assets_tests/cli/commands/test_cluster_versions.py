"""`llma clusters` after a theme was changed."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

from llma_assets.clickhouse import Database
from llma_assets.themes import Theme
from llma_assets.themes.changes import apply
from llma_assets.themes.document import document_of
from llma_assets_tests.cli.conftest import Answer, Llma
from llma_assets_tests.clusters.planted import plant, run_day

DAY = date(2026, 11, 7)
OWN = Theme("own", "trace", "What went wrong?")


def test_clusters_of_an_earlier_version_of_a_theme_say_so(
    database: Database, llma: Llma, llma_json: Callable[..., Answer]
) -> None:
    for team_id in (1, 2):
        apply(database, team_id, document_of([OWN]), "ann")
        plant(database, team_id, DAY, {"A": 12, "B": 9}, theme=OWN, version=OWN.version)
        run_day(database, team_id, DAY, 2, theme=OWN)
    apply(database, 1, document_of([replace(OWN, prompt="What went well?")]), "ann")
    found = {}
    for team_id in (1, 2):
        (run,) = llma_json("clusters", "--team", str(team_id), "--date", str(DAY), "--theme", "own").document["runs"]
        found[team_id] = (run["theme_version"], run["earlier_version"], run["items"])
    assert found == {1: (OWN.version, True, 21), 2: (OWN.version, False, 21)}
    said = f"Of an earlier version of the theme, {OWN.version}"
    assert said in llma("clusters", "--team", "1", "--date", str(DAY)).stdout
    assert said not in llma("clusters", "--team", "2", "--date", str(DAY)).stdout
