"""The digest: each sentence says what is stored, and is told from what is not any more."""

from datetime import timedelta

import pytest

from llma_assets.clickhouse import Database
from llma_assets.reports import NothingToTell, digest_of, outdated
from llma_assets_tests.cli.commands.test_verify import plant
from llma_assets_tests.reports.stored_runs import DAY


def test_five_sentences_with_the_numbers_that_they_rest_on(database: Database) -> None:
    plant(database)
    digest = digest_of(database, 1)
    assert (digest.theme_id, digest.first_day, digest.until) == ("traces", DAY - timedelta(days=6), DAY)
    said = {each.topic: each for each in digest.sentences}
    assert list(said) == ["new", "grown", "faded", "quality", "spend"]
    assert said["faded"].lineage_ids == ("traces-0",)
    numbers = said["faded"].numbers
    assert (numbers["items_1"], numbers["of_items_1"]) == (7 * 2, 7 * 40)
    assert (numbers["items_before_1"], numbers["of_items_before_1"]) == (4 * 2 + 3 * 12, 7 * 40)
    assert "15.7% to 5.0%" in said["faded"].text
    assert said["grown"].lineage_ids == ("traces-1",)
    assert said["spend"].text == "No model was asked."
    other = {each.topic: each for each in digest_of(database, 2).sentences}
    assert other["faded"].numbers == {"clusters": 0}


def test_what_is_stored_otherwise_since_is_named(database: Database) -> None:
    plant(database)
    digest = digest_of(database, 1)
    assert outdated(database, digest) == []
    database.execute(
        "ALTER TABLE cluster_members DELETE WHERE team_id = 1 AND item_day = {day:Date} AND cluster_id = 0 "
        "SETTINGS mutations_sync = 2",
        day=DAY,
    )
    assert [each.split(":")[0] for each in outdated(database, digest)] == ["new", "grown", "faded"]


def test_a_team_without_clusters_has_nothing_to_tell(database: Database) -> None:
    with pytest.raises(NothingToTell, match="no clusters yet"):
        digest_of(database, 1)
    plant(database)
    with pytest.raises(NothingToTell, match="no clusters of theme 'errors'"):
        digest_of(database, 1, theme_id="errors")
