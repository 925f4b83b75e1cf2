"""Backup and restore of an embedded database: a round trip while rows are written, kills, and broken backups."""

import json
import os
import secrets
import shutil
import signal
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from llma_assets.cli.run import backups
from llma_assets.cli.run.backups import BackupError, make_backup, restore_backup
from llma_assets.clickhouse import Database, connect, stop
from llma_assets.file_copies import copy_folder, copy_sqlite_folder, verify
from llma_assets.settings import Settings
from llma_assets_tests import copies

TABLES = (
    "CREATE TABLE members (pass UInt64, item UInt64, text String) ENGINE = ReplacingMergeTree ORDER BY (pass, item)",
    "CREATE TABLE commits (pass UInt64) ENGINE = ReplacingMergeTree ORDER BY pass",
)
# Of a pass that was sent twice, because a halt took its answer, rows are there twice until they are merged.
LACKING = """
SELECT count() FROM commits WHERE pass NOT IN (SELECT pass FROM members GROUP BY pass HAVING uniqExact(item) = 50)
"""
KILLED = """
import os, signal, sys
from pathlib import Path
from llma_assets import file_copies
from llma_assets.cli.run.backups import make_backup, restore_backup
from llma_assets.settings import Settings

copied, real = 0, file_copies.copy_file

def copy_file(source, target):
    global copied
    copied += 1
    if copied == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
    return real(source, target)

file_copies.copy_file = copy_file
settings = Settings.from_env({"LLMA_DATA_DIR": sys.argv[1]})
if sys.argv[4] == "backup":
    make_backup(settings, Path(sys.argv[2]))
else:
    restore_backup(settings, Path(sys.argv[2]), replace=True)
"""


@pytest.fixture
def place(data_dir: Path) -> Iterator[Path]:
    """A folder for data folders and backups; its servers are ended after the test."""
    path = data_dir / secrets.token_hex(4)
    path.mkdir()
    yield path
    for each in path.iterdir():
        stop(each)
    shutil.rmtree(path)


def settings_of(folder: Path) -> Settings:
    return Settings.from_env({"LLMA_DATA_DIR": str(folder)})


def write_passes(database: Database, first: int, ended: threading.Event) -> None:
    """Members, then the commit row, over and over, as every stage writes."""
    number = first
    while not ended.is_set():
        rows = [{"pass": number, "item": item, "text": f"{number}.{item}"} for item in range(50)]
        database.insert_rows("members", rows)
        database.insert_rows("commits", [{"pass": number}])
        number += 1


@pytest.mark.slow(seconds=40)
def test_a_backup_that_is_made_while_rows_are_written_is_whole_and_kills_do_no_harm(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    source, target = place / "data", place / "restored"
    (source / "dagster" / "history").mkdir(parents=True)
    with closing(sqlite3.connect(source / "dagster" / "history" / "runs.db")) as history:
        history.execute("CREATE TABLE runs (id)")
        history.commit()
    (source / "teams.toml").write_text("skip_team_ids = [13]\n")
    with connect(settings_of(source)) as database:
        for statement in TABLES:
            database.execute(statement)
        ended = threading.Event()
        writer = threading.Thread(target=write_passes, args=(database, 0, ended))
        writer.start()
        try:
            killed = copies.run(KILLED, str(source), str(place / "backup"), "40", "backup")
            assert killed.returncode == -signal.SIGKILL
            with pytest.raises(BackupError, match="no whole backup"):
                restore_backup(settings_of(target), place / "backup", replace=False)
            made = make_backup(settings_of(source), place / "backup")
        finally:
            ended.set()
            writer.join()
        written = database.value("SELECT count() FROM commits FINAL")
        assert database.value(LACKING) == 0  # the writer went on through two halts
    assert made.files > 100
    assert not list(place.glob("*.incomplete"))
    assert not (source / "clickhouse" / "snapshot").exists()

    # A restore into a folder that has another database; killed once, it changes nothing.
    with connect(settings_of(target)) as database:
        database.execute("CREATE TABLE others (n UInt8) ENGINE = MergeTree ORDER BY n")
    monkeypatch.setattr(backups, "end_interrupted_runs", lambda _: 0)  # needs a real home: its own test
    killed = copies.run(KILLED, str(target), str(place / "backup"), "60", "restore")
    assert killed.returncode == -signal.SIGKILL
    with connect(settings_of(target)) as database:
        assert database.value("EXISTS TABLE others") == 1
    with pytest.raises(BackupError, match="--replace"):
        restore_backup(settings_of(target), place / "backup", replace=False)
    done = restore_backup(settings_of(target), place / "backup", replace=True)
    with connect(settings_of(target)) as database:
        assert database.value("EXISTS TABLE others") == 0
        assert 0 < database.value("SELECT count() FROM commits FINAL") <= written
        assert database.value(LACKING) == 0
    assert (target / "teams.toml").read_text() == "skip_team_ids = [13]\n"
    assert [each.parent.name for each in done.kept] == ["clickhouse"]

    broken = next(each for each in (place / "backup" / "database").rglob("*.bin"))
    broken.write_bytes(broken.read_bytes()[:-1] + b"!")
    with pytest.raises(BackupError, match="not what was written"):
        restore_backup(settings_of(target), place / "backup", replace=True)
    with connect(settings_of(target)) as database:
        assert database.value(LACKING) == 0


def test_a_backup_of_a_newer_version_or_of_none_is_refused(tmp_path: Path) -> None:
    settings = settings_of(tmp_path / "data")
    with pytest.raises(BackupError, match="no whole backup"):
        restore_backup(settings, tmp_path, replace=False)
    manifest = {"format": 1, "made_at": "", "version": "9.0.0", "migration": 9999, "digests": {}}
    (tmp_path / "backup.json").write_text(json.dumps(manifest))
    with pytest.raises(BackupError, match=r"version 9\.0\.0 with migration 9999"):
        restore_backup(settings, tmp_path, replace=False)
    for text in ("{", '{"format": 1}', "[]"):
        (tmp_path / "backup.json").write_text(text)
        with pytest.raises(BackupError, match="cannot be read"):
            restore_backup(settings, tmp_path, replace=False)


def test_a_folder_with_something_in_it_or_in_the_data_folder_is_refused(tmp_path: Path) -> None:
    settings = replace(settings_of(tmp_path / "data"))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").touch()
    with pytest.raises(BackupError, match="not empty"):
        make_backup(settings, tmp_path / "full")
    with pytest.raises(BackupError, match="in the data folder"):
        make_backup(settings, tmp_path / "data" / "backup")


def test_sqlite_databases_are_copied_as_of_one_moment(tmp_path: Path) -> None:
    source = tmp_path / "home"
    source.mkdir()
    (source / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    with closing(sqlite3.connect(source / "runs.db")) as written:
        written.execute("PRAGMA journal_mode = WAL")
        written.execute("CREATE TABLE runs (id)")
        written.execute("INSERT INTO runs VALUES (1)")
        written.commit()
        written.execute("INSERT INTO runs VALUES (2)")  # of a transaction that is open
        digests = copy_sqlite_folder(source, tmp_path / "copy")
    assert sorted(digests) == ["dagster.yaml", "runs.db"]
    with closing(sqlite3.connect(tmp_path / "copy" / "runs.db")) as read:
        assert read.execute("SELECT id FROM runs").fetchall() == [(1,)]
    assert (tmp_path / "copy" / "runs.db").stat().st_mode & 0o077 == 0


def test_a_copy_tells_what_is_missing_changed_or_new(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "inner").mkdir(parents=True)
    (source / "inner" / "a").write_text("a")
    (source / "link").symlink_to("inner/a")
    digests = copy_folder(source, tmp_path / "copy")
    verify(tmp_path / "copy", digests)
    assert os.readlink(tmp_path / "copy" / "link") == "inner/a"
    for change, complaint in (
        ((tmp_path / "copy" / "new").touch, "was not part"),
        ((tmp_path / "copy" / "new").unlink, None),
        (lambda: (tmp_path / "copy" / "inner" / "a").write_text("b"), "not what was written"),
        ((tmp_path / "copy" / "inner" / "a").unlink, "is missing"),
    ):
        change()
        if complaint is not None:
            with pytest.raises(ValueError, match=complaint):
                verify(tmp_path / "copy", digests)
