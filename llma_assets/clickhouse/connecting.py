"""Opens a database with its schema up to date, and makes it where it is missing."""

from llma_assets.clickhouse import lifecycle
from llma_assets.clickhouse.client import Link, database_name
from llma_assets.clickhouse.database import Database
from llma_assets.clickhouse.errors import NoDatabase
from llma_assets.clickhouse.migrate import migrate
from llma_assets.clickhouse.queries import CREATE_DATABASE, DATABASE_EXISTS
from llma_assets.settings import Settings


def connect(settings: Settings, *, create: bool = True) -> Database:
    """Open the database of these settings with its schema up to date.

    Starts the embedded server of the data folder if there is no CLICKHOUSE_URL; applies migrations.

    Args:
        create: make the database if it is missing; without, not so much as a folder is made.

    Raises:
        NoDatabase: there is none, and none was to be made.
        DatabaseUnavailable: no server answers, or the embedded one does not start.
        MigrationError: the schema cannot be brought up to date.
        DatabaseError: the server refused.
    """
    name = database_name(settings)
    if not create and settings.clickhouse_url is None and not lifecycle.has_data(settings.data_dir):
        raise _missing(settings, name)
    link = Link(settings)
    if not create and not Database(link, "default", settings.events_table).value(DATABASE_EXISTS, name=name):
        link.close()
        raise _missing(settings, name)
    database = open_database(link, name, settings.events_table)
    migrate(database)
    return database


def open_database(link: Link, name: str, events_table: str = "events") -> Database:
    """Make a database if it is missing, without a schema."""
    server = Database(link, "default", events_table)
    if not server.value(DATABASE_EXISTS, name=name):
        server.execute(CREATE_DATABASE, name=name)
    return Database(link, name, events_table)


def _missing(settings: Settings, name: str) -> NoDatabase:
    """Where it was looked for, and what makes one."""
    if settings.clickhouse_url is None:
        return NoDatabase(
            f"there is no database in {settings.data_dir} yet: `llma ingest FILE` or `llma demo` makes one, "
            "LLMA_DATA_DIR names another folder"
        )
    return NoDatabase(
        f"the server of CLICKHOUSE_URL has no database {name!r} yet: `llma ingest FILE` or `llma db upgrade` makes it"
    )
