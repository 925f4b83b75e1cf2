"""No command that prints clusters shows anything of one that few users have, also where people named it before."""

import pytest

from llma_assets.clickhouse import Database
from llma_assets.clusters import Withheld
from llma_assets_tests.cli.conftest import Llma
from llma_assets_tests.clusters.few_users import NEXT, OTHER_THEME, lineage_of_one_user, shown, told, withheld
from llma_assets_tests.clusters.test_disclosure import DAY, leaks
from llma_assets_tests.databases import PlantedOnce

ON = ("--date", DAY.isoformat())
CROSS = ("themes", "cross", *ON, "--themes", "traces", OTHER_THEME.theme_id, "--all")


def commands(lineage_id: str) -> list[tuple[str, ...]]:
    """Every command that prints clusters, without the team; those of one cluster are asked about the withheld one."""
    return [
        ("clusters", *ON, "--limit-examples", "20", "--describe", "--all"),
        ("clusters", *ON, "--json"),
        ("clusters", *ON, "--audit"),
        ("clusters", *ON, "--audit", "--json"),
        ("clusters", "apart", *ON, "--json"),
        ("clusters", "assign", "--date", NEXT.isoformat()),
        ("clusters", "assign", "--date", NEXT.isoformat(), "--json"),
        ("clusters", "history"),
        ("clusters", "history", "--json"),
        ("trends", *ON),
        ("trends", *ON, "--json"),
        ("digest", *ON),
        CROSS,
        (*CROSS, "--among", "in-both", "--json"),
        ("check", *ON),
        ("verify", "--lineage", lineage_id[:8], *ON, "--json"),
        ("alerts", "preview", "much", *ON, "--days", "3"),
        ("alerts", "run", *ON, "--as-of", DAY.isoformat(), "--dry-run", "--json"),
        ("alerts", "why", lineage_id[:8], *ON),
        ("alerts", "incidents", "--json"),
        ("alerts", "deliveries", "--json"),
        ("report", "-o", "-"),
        ("clusters", "relink", "--from", DAY.isoformat(), "--to", DAY.isoformat()),
    ]


def printed(llma: Llma, lineage_id: str) -> dict[str, str]:
    """What each command prints, by its words; a refusal is an answer, a crash is none."""
    found = {}
    for words in commands(lineage_id):
        result = llma(*words, "--team", "1")
        assert isinstance(result.exception, SystemExit | None), (words, result.output)
        assert "Usage" not in result.output, (words, result.output)
        found[" ".join(words)] = result.output
    return found


@pytest.mark.slow
@pytest.mark.parametrize("below", ["without_examples", "held_back"])
def test_no_command_shows_anything_of_a_cluster_of_few_users(
    database: Database, planted_once: PlantedOnce, llma: Llma, below: Withheld
) -> None:
    planted_once(withheld, below)
    assert leaks(printed(llma, lineage_of_one_user(database)) | {"told": told(database)}) == {}


@pytest.mark.slow
def test_without_a_minimum_the_same_commands_show_it(database: Database, planted_once: PlantedOnce, llma: Llma) -> None:
    planted_once(shown)
    found = printed(llma, lineage_of_one_user(database)) | {"told": told(database)}
    assert {words.split()[0] for words in found.keys() - leaks(found).keys()} == {"check", "clusters", "digest"}
