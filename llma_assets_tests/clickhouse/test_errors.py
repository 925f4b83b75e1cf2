"""Errors say what happened and keep secrets to themselves."""

import traceback

import pytest

from llma_assets.clickhouse import Database, DatabaseError, DatabaseUnavailable, MigrationError
from llma_assets.clickhouse.errors import error_summary


@pytest.mark.parametrize(
    "text",
    [
        "cannot reach http://default:s3cret@host:8123/llma",
        "SELECT * FROM url('x') SETTINGS password = 's3cret'",
        "password=s3cret",
        "SECRET_ACCESS_KEY: s3cret",
    ],
)
def test_no_password_is_shown(text: str) -> None:
    assert "s3cret" not in str(DatabaseError(text))
    assert "s3cret" not in repr(DatabaseUnavailable(text))


@pytest.mark.parametrize(("code", "retryable"), [(241, True), (202, True), (62, False), (164, False), (0, False)])
def test_listed_codes_are_retryable(code: int, retryable: bool) -> None:
    assert DatabaseError("x", code).retryable is retryable


def test_servers_come_back_and_migrations_do_not_repair_themselves() -> None:
    assert DatabaseUnavailable("x").retryable
    assert not MigrationError("x", 241).retryable


def test_an_error_of_the_database_is_one_short_line_without_the_statement(database: Database) -> None:
    condition = " AND ".join(f"\nteam_id = {number}" for number in range(2, 1000))
    for sql in (
        f"SELECT nothing FROM events WHERE {condition}",
        f"SELECT * FROM nowhere WHERE {condition}",
        f"INSERT INTO skips SELECT throwIf({condition} OR 1) FROM numbers(1)",
        f"SELECT {condition}",
    ):
        with pytest.raises(DatabaseError, match=r"\ACode: \d+\. DB::Exception: .*\. \([A-Z_]+\)\Z") as caught:
            database.rows(sql)
        assert len(str(caught.value)) < 400
        shown = "".join(traceback.format_exception(caught.value))  # as Dagster's UI shows it, and the logs
        assert "team_id = 7" not in shown.replace(sql, "")


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (
            "Code: 47. DB::Exception: Unknown `x`. In scope SELECT x. (UNKNOWN_IDENTIFIER)",
            "Code: 47. DB::Exception: Unknown `x`. (UNKNOWN_IDENTIFIER)",
        ),
        (
            "Code: 6. DB::Exception: Cannot\nparse: (in query: SELECT 1): While processing 1. (CANNOT_PARSE_TEXT)",
            "Code: 6. DB::Exception: Cannot parse. (CANNOT_PARSE_TEXT)",
        ),
        ("x" * 1000 + ". (TOO_DEEP_RECURSION)", "x" * 300 + " …. (TOO_DEEP_RECURSION)"),
        (
            "Code: 243. DB::Exception: Cannot reserve 1.00 MiB, not enough space. (NOT_ENOUGH_SPACE)",
            "the disk of the database is full; free some space and run it again: "
            "Code: 243. DB::Exception: Cannot reserve 1.00 MiB, not enough space. (NOT_ENOUGH_SPACE)",
        ),
        (
            'std::exception. Code: 1001, e.what() = filesystem error: No space left on device ["a"]',
            "the disk of the database is full; free some space and run it again: "
            'std::exception. Code: 1001, e.what() = filesystem error: No space left on device ["a"]',
        ),
    ],
)
def test_what_a_server_says_is_cut_to_what_is_wrong(said: str, shown: str) -> None:
    assert error_summary(said) == shown
