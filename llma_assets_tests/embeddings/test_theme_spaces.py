"""The space of a theme holds what it takes and finds relevant, under its version, whatever was there before."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from llma_assets.clickhouse import Database
from llma_assets.embeddings.checks import CHECKS
from llma_assets.embeddings.partition import store_embeddings
from llma_assets.models import MultilingualEmbedder, OfflineEmbedder, OpenAIEmbedder
from llma_assets.stage import Report, silent
from llma_assets.team_day import TeamDay
from llma_assets.testing import ChatServer
from llma_assets.themes import TRACES, Filter, Theme

DAY = date(2026, 11, 7)
OWN = Theme("own", "trace", "Say what broke.")
CHANGED = replace(OWN, theme_filters=(Filter("$ai_is_error", "exact", "true"),))

VECTORS = """
SELECT team_id, document_id, JSONExtractString(metadata, 'theme_version') AS version
FROM document_embeddings FINAL
WHERE rendering = {rendering:String}
ORDER BY team_id, document_id
"""


class Space:
    """A theme's summaries and items as the stages before store them, and a server that counts what it embeds."""

    def __init__(self, database: Database, server: ChatServer) -> None:
        self.database, self.server = database, server
        self.embedder = OpenAIEmbedder("test-embedder", base_url=server.url)

    def summaries(self, theme: Theme, relevant: dict[str, bool], *, team_id: int = 1, **changed: Any) -> None:
        """Store the summaries of items; what is said is the item's id."""
        rows = [
            {
                "team_id": team_id,
                "day": DAY,
                "theme_id": theme.theme_id,
                "level": "trace",
                "item_id": item_id,
                "trace_id": item_id,
                "generation_id": "",
                "content_hash": "",
                "status": "generated",
                "error": "",
                "model": "m",
                "mode": "detailed",
                "title": f"About {item_id}",
                "flow_diagram": "",
                "bullets": "[]",
                "interesting_notes": "[]",
                "relevant": is_relevant,
                "theme_version": theme.version,
                "text_length": 1,
                "event_count": 1,
                "trace_timestamp": datetime.combine(DAY, time(8), tzinfo=UTC),
                "batch_run_id": "",
                **changed,
            }
            for item_id, is_relevant in relevant.items()
        ]
        self.database.insert_rows("trace_summaries", rows)

    def items(self, theme: Theme, *, taken: Sequence[str] = (), left: Sequence[str] = (), team_id: int = 1) -> None:
        """Store which items the theme takes, and which it leaves out before a model is asked."""
        rows = [
            {
                "team_id": team_id,
                "day": DAY,
                "theme_id": theme.theme_id,
                "item_id": item_id,
                "version": theme.version,
                "inclusion_probability": 1.0,
                "taken": item_id in taken,
                "screened": item_id in taken,
            }
            for item_id in (*taken, *left)
        ]
        self.database.insert_rows("theme_items", rows)

    def run(self, *themes: Theme, team_id: int = 1) -> Report:
        return store_embeddings(self.database, TeamDay(team_id, DAY), self.embedder, themes=themes, progress=silent)

    def stored(self, theme: Theme = OWN) -> list[tuple[int, str, str]]:
        return [tuple(row.values()) for row in self.database.rows(VECTORS, rendering=theme.rendering)]

    @property
    def embedded(self) -> int:
        """Texts that reached the server."""
        return sum(len(request.body["input"]) for request in self.server.requests)


@pytest.fixture
def space(database: Database) -> Iterator[Space]:
    with ChatServer(lambda _: "") as server:
        yield Space(database, server)


def test_only_relevant_items_that_the_theme_selects_are_embedded(space: Space) -> None:
    for team_id, relevant in ((1, {"a": True, "b": False, "c": True, "d": True}), (2, {"b": True, "c": True})):
        space.summaries(OWN, relevant, team_id=team_id)
        space.run(OWN, team_id=team_id)
    space.items(OWN, taken=["a", "d"], left=["c"])
    report = space.run(OWN)
    assert space.stored() == [(1, "a", OWN.version), (1, "d", OWN.version)] + [
        (2, item, OWN.version) for item in ("b", "c")
    ]
    assert report.details["own_left_the_theme"] == 1


def test_a_general_theme_loses_nothing_that_was_there_before_themes_took_items(space: Space) -> None:
    space.summaries(TRACES, {"old": True}, theme_version="")
    space.run(TRACES)
    space.items(TRACES, taken=["new"], left=["never"])
    space.summaries(TRACES, {"new": True})
    space.run(TRACES)
    assert space.stored(TRACES) == [(1, "new", TRACES.version), (1, "old", "")]


def test_vectors_of_items_that_left_the_theme_are_deleted_in_this_theme_alone(space: Space) -> None:
    other = replace(OWN, theme_id="other")
    for team_id in (1, 2):
        for theme in (OWN, other):
            space.summaries(theme, {"a": True, "b": True, "c": True}, team_id=team_id)
            space.run(theme, team_id=team_id)
    space.items(OWN, taken=["a", "b"], left=["c"])
    space.summaries(OWN, {"b": False})
    space.run(OWN, other)
    assert space.stored() == [(1, "a", OWN.version)] + [(2, item, OWN.version) for item in "abc"]
    assert [item for _, item, _ in space.stored(other)] == ["a", "b", "c", "a", "b", "c"]


def test_a_second_run_writes_nothing_and_embeds_nothing(space: Space) -> None:
    space.summaries(OWN, {"a": True, "b": False, "c": True})
    space.items(OWN, taken=["a", "b"], left=["c"])
    space.run(OWN)
    rows, embedded = space.database.value("SELECT count() FROM document_embeddings"), space.embedded
    again = space.run(OWN)
    assert (space.database.value("SELECT count() FROM document_embeddings"), space.embedded) == (rows, embedded)
    assert (again.items, again.details["own_left_the_theme"]) == (1, 0)


def test_another_version_of_the_theme_over_the_same_words_is_stored_and_not_embedded_again(space: Space) -> None:
    space.summaries(OWN, {"a": True, "b": True})
    space.run(OWN)
    space.summaries(CHANGED, {"a": True})
    report = space.run(CHANGED)
    assert space.embedded == 2
    assert space.stored() == [(1, "a", CHANGED.version), (1, "b", OWN.version)]
    assert report.details["own_reused"] == 1


def test_a_summary_of_an_earlier_version_waits_until_it_is_renewed_unless_versions_are_mixed(space: Space) -> None:
    space.summaries(OWN, {"a": True})
    assert space.run(CHANGED).items == 0
    assert space.embedded == 0
    space.run(replace(CHANGED, clustering=replace(CHANGED.clustering, mix_versions=True)))
    assert space.stored() == [(1, "a", OWN.version)]


def test_a_run_killed_before_it_deletes_is_finished_by_the_next(space: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    space.summaries(OWN, {"a": True, "b": True})
    space.run(OWN)
    space.summaries(OWN, {"a": False, "c": True})

    def killed(self: Database, sql: str, /, **parameters: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Database, "execute", killed)
        with pytest.raises(KeyboardInterrupt):
            space.run(OWN)
    assert [item for _, item, _ in space.stored()] == ["a", "b", "c"]
    space.run(OWN)
    assert [item for _, item, _ in space.stored()] == ["b", "c"]


def test_a_summary_that_cannot_be_read_leaves_the_vectors_of_the_others(space: Space) -> None:
    broken = replace(OWN, theme_id="broken")
    space.summaries(broken, {"a": True}, bullets="no json")
    space.summaries(OWN, {"a": True})
    space.run(broken, OWN)
    assert space.stored() == [(1, "a", OWN.version)]
    assert space.stored(broken) == []


def vector(item_id: str, length: int, *, model: str = "m", days_ago: int = 0, team_id: int = 1) -> dict[str, Any]:
    """A vector of ones, stored as many minutes ago as its day is days."""
    return {
        "team_id": team_id,
        "product": "llm-analytics",
        "document_type": OWN.document_type,
        "model_name": model,
        "rendering": OWN.rendering,
        "document_id": item_id,
        "timestamp": datetime.combine(DAY - timedelta(days=days_ago), time(8), tzinfo=UTC),
        "inserted_at": datetime(2026, 11, 20, 12, tzinfo=UTC) - timedelta(minutes=days_ago),
        "content": "",
        "metadata": "{}",
        "embedding": [1.0] * length,
    }


def found(database: Database, name: str, team_id: int = 1) -> list[tuple[bool, Any]]:
    (check,) = [check for check in CHECKS if check.name == name]
    return [(each.passed, each.outcome.found) for each in check.findings(database, TeamDay(team_id, DAY))]


def test_vectors_of_one_model_with_two_dimensions_in_a_window_are_found(database: Database) -> None:
    database.insert_rows("document_embeddings", [vector("a", 2), vector("b", 3, days_ago=6)])
    database.insert_rows("document_embeddings", [vector("a", 2, team_id=2), vector("b", 3, days_ago=7, team_id=2)])
    assert found(database, "one_dimension") == [(False, "dimensions [2, 3] by m")]
    assert found(database, "one_dimension", team_id=2) == [(True, "dimensions [2] by m")]


def test_items_that_only_an_earlier_model_has_embedded_are_found(database: Database) -> None:
    rows = [
        vector("a", 2),
        vector("a", 3, model="before", days_ago=1),
        vector("b", 3, model="before", days_ago=1),
        vector("a", 2, team_id=2),
        vector("a", 3, model="before", days_ago=1, team_id=2),
    ]
    database.insert_rows("document_embeddings", rows)
    assert found(database, "one_model") == [(False, "1 by before alone")]
    assert found(database, "one_model", team_id=2) == [(True, "all")]
    assert [passed for passed, _ in found(database, "one_dimension")] == [True, True]


def test_a_model_that_knows_english_alone_is_found_wrong_where_a_fifth_of_the_texts_is_in_other_languages(
    database: Database,
) -> None:
    english = OfflineEmbedder().name
    said = ["Ich möchte mein Geld zurück", "返金してください", *["I want a refund for the kettle"] * 8]
    rows = [
        vector(str(number), 2, model=model, team_id=team_id) | {"content": text}
        for team_id, model, texts in (
            (1, english, [*said, "Wo ist denn mein Paket?"]),
            (2, english, said),
            (3, MultilingualEmbedder().name, said[:2]),
        )
        for number, text in enumerate(texts)
    ]
    database.insert_rows("document_embeddings", rows)
    ((passed, what),) = found(database, "model_knows_the_languages")
    assert not passed
    assert what.startswith("3 of 11 in other languages")
    assert "LLMA_EMBEDDING_MODEL=offline-multilingual" in what
    assert found(database, "model_knows_the_languages", team_id=2) == [(True, "2 of 10 in other languages")]
    assert found(database, "model_knows_the_languages", team_id=3) == []


def test_another_offline_model_makes_vectors_of_its_own_and_what_the_earlier_one_alone_has_is_told(
    space: Space,
) -> None:
    database = space.database
    space.summaries(OWN, {"a": True, "b": True})
    made = {}
    for embedder in (OfflineEmbedder(), MultilingualEmbedder()):
        store_embeddings(database, TeamDay(1, DAY), embedder, themes=[OWN], progress=silent)
        rows = database.rows(
            "SELECT document_id, length(embedding) AS length FROM document_embeddings FINAL "
            "WHERE team_id = 1 AND model_name = {name:String} ORDER BY document_id",
            name=embedder.name,
        )
        made[embedder.name] = [(row["document_id"], row["length"]) for row in rows]
    assert list(made.values()) == [[("a", 384), ("b", 384)], [("a", 512), ("b", 512)]]
    assert found(database, "one_model") == [(True, "all")]
    assert [passed for passed, _ in found(database, "one_dimension")] == [True, True]
