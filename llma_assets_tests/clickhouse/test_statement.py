"""What the server reads out of a statement before the engine sees it."""

import pytest

from llma_assets.clickhouse.server.statement import first_word, insert_head, output_format, reads_input


@pytest.mark.parametrize(
    ("text", "statement", "data_format", "data"),
    [
        (b"INSERT INTO t FORMAT Native\n\x01\x02", b"INSERT INTO t ", "Native", b"\x01\x02"),
        (b"INSERT INTO t FORMAT Native\n\n\x02", b"INSERT INTO t ", "Native", b"\n\x02"),
        (b"INSERT INTO t (a, `FORMAT`) FORMAT CSV\r\n1", b"INSERT INTO t (a, `FORMAT`) ", "CSV", b"1"),
        (b"insert into t values (1), (2)", b"insert into t ", "Values", b" (1), (2)"),
        (b"INSERT INTO db.values (a) VALUES (1)", b"INSERT INTO db.values (a) ", "Values", b" (1)"),
        (
            b"/* FORMAT */ INSERT INTO t -- VALUES\nFORMAT TSV\n1",
            b"/* FORMAT */ INSERT INTO t -- VALUES\n",
            "TSV",
            b"1",
        ),
        (b"WITH 1 AS x INSERT INTO t FORMAT CSV\n1", b"WITH 1 AS x INSERT INTO t ", "CSV", b"1"),
        (b"INSERT INTO {t:Identifier} FORMAT TSV\n1", b"INSERT INTO {t:Identifier} ", "TSV", b"1"),
        (b"INSERT INTO t (a)\n", b"INSERT INTO t (a)\n", None, b""),
    ],
)
def test_an_insert_is_split_from_its_data(text: bytes, statement: bytes, data_format: str | None, data: bytes) -> None:
    head = insert_head(text)
    assert head is not None
    assert (head.target, head.format, text[head.data_offset :]) == (statement, data_format, data)


@pytest.mark.parametrize("rest", [b"FORMAT CSV\n1", b"VALUES (1)", b""])
def test_where_the_data_is_read_from_stands_before_the_settings_of_an_insert(rest: bytes) -> None:
    head = insert_head(b"INSERT INTO settings (a) -- all\nSETTINGS x = 1 " + rest)
    assert head is not None
    assert head.from_file("/dev/fd/7", "CSV").split(b"\n") == [
        b"INSERT INTO settings (a) -- all",
        b"",
        b"FROM INFILE '/dev/fd/7' COMPRESSION 'none'",
        b"SETTINGS x = 1 ",
        b"FORMAT CSV",
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"INSERT INTO t SELECT * FROM input('a Int8') FORMAT CSV\n1", True),
        (b"INSERT INTO t SELECT * FROM (SELECT 1 FROM INPUT ( 'a Int8')) FORMAT CSV\n1", True),
        (b"INSERT INTO t SELECT input, 'input(', `input` FROM (SELECT 1) -- input(\n", False),
    ],
)
def test_the_function_input_is_found_wherever_it_stands(text: bytes, found: bool) -> None:
    assert reads_input(text) is found


@pytest.mark.parametrize(
    "text",
    [
        b"SELECT 'INSERT INTO t FORMAT CSV'",
        b"INSERT INTO t SELECT 1 FORMAT CSV",
        b"INSERT INTO t (a) WITH 1 AS x SELECT x",
        b"WITH x AS (SELECT 1) SELECT * FROM x FORMAT Native",
        b"INSERT INTO t FROM INFILE 'f' FORMAT CSV",
        b"",
    ],
)
def test_a_statement_without_data_is_left_whole(text: bytes) -> None:
    assert insert_head(text) is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"SELECT 1 FORMAT Native", "Native"),
        (b"SELECT 1\nformat JSONEachRow SETTINGS max_threads = 1;", "JSONEachRow"),
        (b"SELECT ' FORMAT CSV ', `FORMAT CSV`, $$ FORMAT CSV $$ -- FORMAT CSV\n", None),
        (b"SELECT * FROM (SELECT 1 FORMAT CSV)", None),
        (b"SELECT 'it''s \\' FORMAT CSV'", None),
    ],
)
def test_only_a_real_format_clause_counts(text: bytes, found: str | None) -> None:
    assert output_format(text) == found


def test_the_first_word_is_found_behind_comments_and_brackets() -> None:
    assert first_word(b" -- x\n/* y */ (( select 1))") == "SELECT"
