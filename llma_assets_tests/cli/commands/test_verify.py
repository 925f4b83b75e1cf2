"""`llma verify` and `llma releases`: a planted fix is seen, of the right team, and wrong use is explained."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from llma_assets.clickhouse import Database
from llma_assets.settings import Settings
from llma_assets_tests.cli.conftest import Answer, Llma
from llma_assets_tests.reports.stored_runs import DAY, store_run

LINEAGE = "traces-0"
FIXED = DAY - timedelta(days=10)


def plant(database: Database) -> None:
    """Thirty days of traffic in one run of each team: the problem of team 1 becomes rare, that of team 2 stays."""
    for team_id in (1, 2):
        store_run(database, "traces", {0: [], 1: []}, team_id=team_id)
        (attempt,) = database.rows("SELECT attempt_id FROM clustering_runs FINAL WHERE team_id = {t:Int64}", t=team_id)
        key = {"team_id": team_id, "theme_id": "traces", "day": DAY}
        database.execute(
            "ALTER TABLE clustering_runs UPDATE lineage = '{\"x\": 1}' WHERE team_id = {t:Int64} "
            "SETTINGS mutations_sync = 2",
            t=team_id,
        )
        members, texts = [], []
        for back in range(30):
            day = DAY - timedelta(days=back)
            problems = 2 if team_id == 1 and day >= FIXED else 12
            for number in range(40):
                item = f"{day}-{number}"
                when = datetime(day.year, day.month, day.day, 8, tzinfo=UTC)
                members.append(
                    {
                        **key,
                        **attempt,
                        "item_id": item,
                        "trace_id": item,
                        "generation_id": "",
                        "item_day": day,
                        "cluster_id": int(number >= problems),
                        "timestamp": when,
                        **dict.fromkeys(("distance", "strength", "x", "y"), 0.0),
                        "rank": number,
                    }
                )
                texts.append(
                    {"team_id": team_id, "day": day, "level": "trace", "item_id": item, "user_hash": number % 20 + 1}
                )
        database.insert_rows("cluster_members", members)
        database.insert_rows("trace_texts", texts)


def test_a_fix_is_seen_by_day_and_by_release(database: Database, llma: Llma, llma_json: Callable[..., Answer]) -> None:
    plant(database)
    of = ("verify", "--team", "1", "--lineage", LINEAGE)
    found = llma_json(*of, "--date", FIXED.isoformat()).document
    assert found["traces"]["verdict"] == "less"
    assert (found["traces"]["before_whole"], found["traces"]["after_whole"]) == (19 * 40, 11 * 40)
    assert found["traces"]["after"] == 2 / 40
    assert found["users"]["after"] == 2 / 20
    added = llma("releases", "add", "2.1", "--team", "1", "--at", f"{FIXED}T12:00", "--by", "ann")
    assert added.exit_code == 0
    shown = llma(*of, "--release", "2.1").output
    assert "before and after the release 2.1" in shown
    assert "It became rarer" in shown
    assert f"{10 * 40}" in shown, "the day of the release is on neither side"
    other = llma_json("verify", "--team", "2", "--lineage", LINEAGE, "--date", FIXED.isoformat()).document
    assert other["traces"]["verdict"] == "no_clear_change"


def test_releases_are_added_moved_removed_and_read_from_events(
    database: Database, llma: Llma, llma_json: Callable[..., Answer], settings: Settings
) -> None:
    settings.data_dir.mkdir(parents=True)
    (settings.data_dir / "teams.toml").write_text('release_property = "$app_version"\n')
    when = datetime.now(UTC) - timedelta(days=2)
    for team_id, version in ((1, "3.0"), (2, "9.9")):
        properties = json.dumps({"$ai_trace_id": "a", "$app_version": version})
        row = {"uuid": uuid4(), "event": "$ai_generation", "team_id": team_id, "distinct_id": "u"}
        database.insert_rows("events", [{**row, "timestamp": when, "properties": properties}])
    llma("releases", "add", "2.9", "--team", "1", "--at", "2026-01-01", "--by", "ann")
    llma("releases", "add", "2.9", "--team", "1", "--at", "2026-01-02", "--by", "bo")
    listed = llma_json("releases", "list", "--team", "1").document["releases"]
    assert [(each["name"], each["origin"], each["added_by"]) for each in listed] == [
        ("2.9", "person", "bo"),
        ("3.0", "events", ""),
    ]
    llma("releases", "remove", "2.9", "--team", "1", "--by", "ann")
    assert [each["name"] for each in llma_json("releases", "list", "--team", "1").document["releases"]] == ["3.0"]
    again = llma("releases", "remove", "2.9", "--team", "1", "--by", "ann")
    assert (again.exit_code, "no release '2.9'" in again.output) == (2, True)


def test_wrong_use_names_the_way_out(database: Database, llma: Llma) -> None:
    for arguments, told in (
        (("--date", "2026-11-01"), "--lineage ID, or --task ID"),
        (("--lineage", "abcd"), "`llma releases list` shows"),
        (("--lineage", "abcd", "--release", "x"), "there is no release 'x'"),
        (("--lineage", "abcd", "--date", "2026-11-01"), "has no lineage 'abcd'"),
        (("--task", "abcd"), "`llma tasks` lists them"),
    ):
        result = llma("verify", "--team", "1", *arguments)
        assert result.exit_code != 0
        assert told in result.output
