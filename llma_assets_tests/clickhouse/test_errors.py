"""Errors say what happened and keep secrets to themselves."""

import pytest

from llma_assets.clickhouse import DatabaseError, DatabaseUnavailable, MigrationError


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


def test_servers_come_back_and_migrations_do_not_mend_themselves() -> None:
    assert DatabaseUnavailable("x").retryable
    assert not MigrationError("x", 241).retryable
