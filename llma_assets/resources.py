"""Dagster resources: the database, the chat model, the embedder, the clock.

Each gives out a plain object, so that the rooms never see Dagster. Settings are read from the environment when a run
starts: they may hold secrets, which must never be part of a run's stored configuration.
"""

import functools
from collections.abc import Callable
from datetime import UTC, datetime

import dagster as dg

from llma_assets.clickhouse import Database, connect
from llma_assets.discovery import TeamSettings
from llma_assets.models import ChatModel, Embedder, chat_model, embedder
from llma_assets.settings import Settings

Clock = Callable[[], datetime]
"""Tells the time, UTC."""


def utc_now() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


@functools.lru_cache(maxsize=4)
def _connected(settings: Settings) -> Database:
    return connect(settings)


class ClickHouseResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The database that holds all state: `CLICKHOUSE_URL`, or the embedded server of `LLMA_DATA_DIR`."""

    def database(self) -> Database:
        """The connection of this process, opened and migrated at first use."""
        return _connected(Settings.from_env())


class ChatModelResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The model that summarises and labels: `LLMA_CHAT_MODEL`."""

    def model(self) -> ChatModel:
        """The model; offline where there is neither key nor server. One for all callers of this process: what it
        learned of its server holds for each of them.
        """
        return _chat_model(Settings.from_env(), None)

    def model_for(self, name: str | None) -> ChatModel:
        """The model of that name, which a theme may have for itself, at the same server; None for `model`.

        Raises:
            ModelConfigurationError: an online model where there is neither key nor server.
        """
        return self.model() if name is None else _chat_model(Settings.from_env(), name)


class EmbedderResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The model that embeds summaries: `LLMA_EMBEDDING_MODEL`."""

    def model(self) -> Embedder:
        """The model; offline where there is neither key nor server."""
        return _embedder(Settings.from_env())


@functools.lru_cache(maxsize=16)
def _chat_model(settings: Settings, name: str | None) -> ChatModel:
    return chat_model(settings, name)


@functools.lru_cache(maxsize=2)
def _embedder(settings: Settings) -> Embedder:
    return embedder(settings)


class TeamSettingsResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Which teams take part, and how far discovery and clustering look back: `teams.toml` of the data folder."""

    def settings(self) -> TeamSettings:
        """The settings; fields that could not be used have their default, and are logged."""
        settings, problems = TeamSettings.load(Settings.from_env().data_dir)
        for problem in problems:
            dg.get_dagster_logger().warning("team settings: %s", problem)
        return settings
