"""The names of several themes in one run of the stage: each by its theme's model, one that fails leaving the others."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest

from llma_assets.clickhouse import Database
from llma_assets.clusters.store.clustering_runs import committed_run
from llma_assets.labels.partition import store_labels
from llma_assets.labels.queries import labels_of
from llma_assets.models import ChatModel, ModelConfigurationError, OpenAIChat
from llma_assets.stage import Report, ThemesFailed, silent
from llma_assets.team_day import TeamDay
from llma_assets.testing import ChatServer
from llma_assets.themes import TRACES, Theme
from llma_assets_tests.labels.stored import (
    IMPATIENT,
    answering,
    chat_of,
    cluster_day,
    embedder_of,
    plant,
    unchanged,
)

DAY = date(2026, 11, 7)
OWN = Theme("own", "trace", "Say what broke.", model="a-better-model")


class Stage:
    """Two teams with a run of two clusters for each of two themes, and a server that names what it is asked."""

    def __init__(self, database: Database, server: ChatServer) -> None:
        self.database, self.server = database, server
        for team_id in (1, 2):
            for theme in (TRACES, OWN):
                plant(database, team_id, DAY, {"refund": 8, "password": 8}, theme=theme)
                cluster_day(database, team_id, DAY, 2, theme=theme)

    def model(self, name: str | None) -> ChatModel:
        if name == "unknown":
            raise ModelConfigurationError("there is no such model")
        return chat_of(self.server) if name is None else OpenAIChat(name, base_url=self.server.url, policy=IMPATIENT)

    def run(self, *themes: Theme) -> Report:
        return store_labels(
            self.database, TeamDay(1, DAY), self.model, embedder_of(self.server), themes=themes, progress=silent
        )

    def models(self, theme: Theme, team_id: int = 1) -> set[str]:
        """Who named the clusters of a theme."""
        run = committed_run(self.database, TeamDay(team_id, DAY), theme.theme_id)
        assert run is not None
        return {label.model for label in labels_of(self.database, run).values()}


@pytest.fixture
def stage(database: Database) -> Iterator[Stage]:
    with ChatServer(answering(unchanged)) as server:
        yield Stage(database, server)


def test_a_theme_is_named_by_its_own_model_and_the_others_by_that_of_the_installation(stage: Stage) -> None:
    report = stage.run(TRACES, OWN)
    assert report.items == 4
    assert (stage.models(TRACES), stage.models(OWN)) == ({"test-model"}, {"a-better-model"})
    assert (stage.models(TRACES, 2), stage.models(OWN, 2)) == (set(), set())
    calls = len(stage.server.requests)
    stage.run(TRACES, OWN)
    assert len(stage.server.requests) == calls


def test_only_the_themes_that_the_run_is_for_are_named(stage: Stage) -> None:
    assert stage.run(OWN).items == 2
    assert stage.models(TRACES) == set()


def test_a_theme_whose_model_does_not_exist_leaves_the_names_of_the_others(stage: Stage) -> None:
    with pytest.raises(ThemesFailed, match="own"):
        stage.run(replace(OWN, model="unknown"), TRACES)
    assert stage.models(TRACES) == {"test-model"}
    assert stage.models(OWN) == set()
