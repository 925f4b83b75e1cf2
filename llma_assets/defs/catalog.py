"""What Dagster's catalog shows of assets: technologies, tables and owners.

It follows from the settings of the installation when the code location is loaded.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

import dagster as dg

from llma_assets.clickhouse import Column, DatabaseError, database_name
from llma_assets.settings import Settings

Model = Literal["chat", "embedding"]
CHAT: Model = "chat"
EMBEDDER: Model = "embedding"

ONLINE, OFFLINE = "openai", "offline"
"""Kinds: a server that speaks OpenAI's API, whoever runs it, or a model that is installed here."""


@dataclass(frozen=True, slots=True)
class Catalog:
    """Facts about an installation that all assets share.

    Attributes:
        database: name of the database that holds the tables, "" if it is unknown.
        events_table: the table of trace events in the settings.
        models: names of the chat model and the embedding model.
        owners: owners of the assets: e-mail addresses, or `team:name`.
    """

    database: str = ""
    events_table: str = "events"
    models: Mapping[Model, str] = field(default_factory=dict)
    owners: tuple[str, ...] = ()

    @classmethod
    def of(cls, settings: Settings) -> "Catalog":
        """The catalog of an installation; calls no server."""
        try:
            database = database_name(settings)
        except DatabaseError:  # the UI starts all the same; each run and `llma doctor` say what is wrong
            database = ""
        models: dict[Model, str] = {CHAT: settings.chat_model, EMBEDDER: settings.embedding_model}
        return cls(database, settings.events_table, models, settings.owners)

    def table(self, name: str) -> str:
        """The full name of a table, `database.table` where the database is known."""
        return name if "." in name or not self.database else f"{self.database}.{name}"

    def kinds(self, models: Collection[Model]) -> set[str]:
        """The kinds of models that are asked: by which server, or offline."""
        return {OFFLINE if self.models[each].startswith("offline") else ONLINE for each in models}

    def tags(self, models: Collection[Model]) -> dict[str, str]:
        """Tags by which assets are found that ask a model: `tag:"llma/chat-model"="openai"`."""
        return {f"llma/{each}-model": next(iter(self.kinds([each]))) for each in sorted(models)}


def column_schema(columns: Collection[Column]) -> dg.TableSchema:
    """The columns of a table as Dagster shows them."""
    return dg.TableSchema(
        columns=[dg.TableColumn(each.name, type=each.type, description=each.comment or None) for each in columns]
    )
