"""Opens a database, creates it if it is missing, and brings its schema up to date."""

from llma_assets.clickhouse import lifecycle
from llma_assets.clickhouse.client import SharedClient, database_name
from llma_assets.clickhouse.database import Database
from llma_assets.clickhouse.errors import NoDatabase
from llma_assets.clickhouse.migrate import migrate
from llma_assets.clickhouse.queries import CREATE_DATABASE, DATABASE_EXISTS
from llma_assets.clickhouse.retention import keep_for
from llma_assets.settings import Settings


def connect(settings: Settings, *, create: bool = True) -> Database:
    """Open the database of these settings with its schema up to date.

    Starts the embedded server of the data folder if there is no CLICKHOUSE_URL; applies migrations.

    Args:
        create: create the database if it is missing; otherwise nothing is created, not even a folder.

    Raises:
        NoDatabase: the database does not exist, and `create` is False.
        DatabaseUnavailable: no server answers, or the embedded server does not start.
        MigrationError: the schema cannot be brought up to date.
        DatabaseError: the server reported an error.
    """
    name = database_name(settings)
    if not create and settings.clickhouse_url is None and not lifecycle.has_data(settings.data_dir):
        raise _missing(settings, name)
    link = SharedClient(settings)
    if not create and not Database(link, "default", settings.events_table).value(DATABASE_EXISTS, name=name):
        link.close()
        raise _missing(settings, name)
    database = open_database(link, name, settings.events_table)
    migrate(database)
    keep_for(database, dict(settings.retention_days))
    return database


def open_database(link: SharedClient, name: str, events_table: str = "events") -> Database:
    """Open a database without migrating it; create it if it is missing."""
    server = Database(link, "default", events_table)
    if not server.value(DATABASE_EXISTS, name=name):
        server.execute(link.layout.created_database(CREATE_DATABASE), name=name)
    return Database(link, name, events_table)


def _missing(settings: Settings, name: str) -> NoDatabase:
    """The error that says where the database was searched for, and which command creates it."""
    if settings.clickhouse_url is None:
        return NoDatabase(
            f"there is no database in {settings.data_dir} yet: `llma ingest FILE` or `llma demo` makes one, "
            "LLMA_DATA_DIR names another folder"
        )
    return NoDatabase(
        f"the server of CLICKHOUSE_URL has no database {name!r} yet: `llma ingest FILE` or `llma db upgrade` makes it"
    )
