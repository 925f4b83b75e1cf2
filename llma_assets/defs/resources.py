"""Dagster resources: the database, the models, the settings of teams.

Each returns a plain object, so that the rooms never import Dagster. An empty field takes its value from the environment
when a run starts. Secrets are `EnvVar`s, so that the stored configuration of a run has only their names.
"""

import functools
import os
from collections.abc import Mapping

import dagster as dg
from pydantic import Field

from llma_assets.clickhouse import Database, connect
from llma_assets.models import ChatModel, Embedder, chat_model, embedder
from llma_assets.settings import Settings
from llma_assets.teams import TEAMS_FILE_VARIABLE, TeamSettings

URL, EVENTS, DATA = "CLICKHOUSE_URL", "LLMA_EVENTS_TABLE", "LLMA_DATA_DIR"
KEY, SERVER, CHAT, VECTORS = "OPENAI_API_KEY", "OPENAI_BASE_URL", "LLMA_CHAT_MODEL", "LLMA_EMBEDDING_MODEL"


def environment_with(**given: str) -> dict[str, str]:
    """The environment, in which the non-empty fields of a resource replace its variables."""
    return {**os.environ, **{name: value for name, value in given.items() if value}}


class ClickHouseResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The database that holds all state: a ClickHouse server, or the embedded one of a data folder."""

    url: str = Field(default="", description=f"http(s)://user:password@host:port/database; else {URL}, else embedded.")
    events_table: str = Field(default="", description=f"Table of trace events; else {EVENTS}, else events.")
    data_dir: str = Field(default="", description=f"Folder of the embedded server; else {DATA}, else .llma.")

    def database(self) -> Database:
        """The connection of this process, opened and migrated at first use."""
        given = environment_with(**{URL: self.url, EVENTS: self.events_table, DATA: self.data_dir})
        return _connected(Settings.from_env(given))


class _ModelResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """A model of an OpenAI-compatible server, or an offline one."""

    model_name: str = Field(default="", description="Name of the model; `offline` needs no key.")
    api_key: str = Field(default="", description=f"Key of the server; else {KEY}.")
    base_url: str = Field(default="", description=f"Root of the server; else {SERVER}, else OpenAI's.")

    def _settings(self, variable: str) -> Settings:
        given = {variable: self.model_name, KEY: self.api_key, SERVER: self.base_url}
        return Settings.from_env(environment_with(**given))


class ChatModelResource(_ModelResource):
    """The model that summarises and labels: `LLMA_CHAT_MODEL`."""

    @property
    def name(self) -> str:
        """The model's name in the settings; calls no server."""
        return self._settings(CHAT).chat_model

    def model(self) -> ChatModel:
        """The model; offline if there is neither key nor server. All callers of this process share one, with what it
        has learned about its server.
        """
        return _chat_model(self._settings(CHAT), None)

    def model_for(self, name: str | None) -> ChatModel:
        """The model of that name at the same server, for themes with their own model; None for `model`.

        Raises:
            ModelConfigurationError: an online model, but neither key nor server.
        """
        return self.model() if name is None else _chat_model(self._settings(CHAT), name)


class EmbedderResource(_ModelResource):
    """The model that embeds summaries: `LLMA_EMBEDDING_MODEL`."""

    def model(self) -> Embedder:
        """The model; offline if there is neither key nor server."""
        return _embedder(self._settings(VECTORS))


class TeamSettingsResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Settings of teams: which take part, and with which options."""

    teams_file: str = Field(
        default="", description=f"TOML file; else {TEAMS_FILE_VARIABLE}, else teams.toml of the data folder."
    )

    def settings(self) -> TeamSettings:
        """The settings; an invalid field is logged, and its default is used."""
        given = environment_with(**{TEAMS_FILE_VARIABLE: self.teams_file})
        settings, problems = TeamSettings.load(Settings.from_env(given).data_dir, given)
        for problem in problems:
            dg.get_dagster_logger().warning("team settings: %s", problem)
        return settings


def resources_of(environ: Mapping[str, str]) -> dict[str, object]:
    """The resources of an environment; each variable is a named `EnvVar`, which the launchpad can replace."""

    def named(variable: str) -> str:
        return dg.EnvVar(variable) if environ.get(variable, "").strip() else ""

    server = {"api_key": named(KEY), "base_url": named(SERVER)}
    return {
        "clickhouse": ClickHouseResource(url=named(URL), events_table=named(EVENTS), data_dir=named(DATA)),
        "chat": ChatModelResource(model_name=named(CHAT), **server),
        "embedder": EmbedderResource(model_name=named(VECTORS), **server),
        "team_settings": TeamSettingsResource(teams_file=named(TEAMS_FILE_VARIABLE)),
    }


@functools.lru_cache(maxsize=4)
def _connected(settings: Settings) -> Database:
    return connect(settings)


@functools.lru_cache(maxsize=16)
def _chat_model(settings: Settings, name: str | None) -> ChatModel:
    return chat_model(settings, name)


@functools.lru_cache(maxsize=2)
def _embedder(settings: Settings) -> Embedder:
    return embedder(settings)
