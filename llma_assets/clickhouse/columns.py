"""What a table is made of, as the server has it: after all migrations, and whatever an operator has added."""

from dataclasses import dataclass

from llma_assets.clickhouse.database import Database

# Key of system.columns: (database, table).
COLUMNS_OF_TABLE = """
SELECT name, type, comment
FROM system.columns
WHERE database = {database:String} AND table = {table:String}
ORDER BY position
"""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        name: its name.
        type: ClickHouse's type, such as `LowCardinality(String)`.
        comment: what the schema says of it, "" for nothing.
    """

    name: str
    type: str
    comment: str


def columns_of(database: Database, table: str) -> list[Column]:
    """The columns of a table of the pipeline's own database; none where there is no such table, or it is hidden."""
    return [Column(**row) for row in database.rows(COLUMNS_OF_TABLE, database=database.name, table=table)]
