"""What is stored follows the team's options: what it wants hidden is hidden, also in what was stored before."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
import pytest

from llma_assets.clickhouse import Database
from llma_assets.privacy import PatternError
from llma_assets.rendering import RenderOptions
from llma_assets.rendering.partition import _losses
from llma_assets.rendering.store import Sampling, delete_under_redacted_texts, store_texts
from llma_assets.rendering.truncation_report import summarise_losses
from llma_assets.team_day import TeamDay
from llma_assets.teams import TeamSettings
from llma_assets.testing import trace, write_events

WHEN = datetime(2026, 11, 7, 8, tzinfo=UTC)
NOW = datetime(2026, 11, 9, tzinfo=UTC)
SECRET = "jane.roe@example.org"


@dataclass(frozen=True)
class Made:
    """What a run did: the numbers that the asset reports."""

    items: int
    details: dict[str, Any]


def run(database: Database, options: RenderOptions = RenderOptions(), team_id: int = 1) -> Made:
    day = TeamDay(team_id, date(2026, 11, 7))
    sampling = Sampling(now=NOW, quiet=timedelta(minutes=30), per_hour={"trace": 100, "generation": 100})
    made = store_texts(database, day, options, sampling, progress=lambda _done, _total: None)
    deleted = delete_under_redacted_texts(database, day, options)
    rendered = made["trace"].counts["rendered"]
    losses, worst = _losses(database, day)
    details = {"traces_rendered": rendered, "texts_deleted": deleted, **losses, "loss_worst": worst}
    return Made(made["trace"].sampled, details)


def texts(database: Database, team_id: int = 1) -> list[str]:
    """Every version that lies in the table, also those that newer ones hide."""
    sql = "SELECT text FROM trace_texts WHERE team_id = {team_id:Int64}"
    return [row["text"] for row in database.rows(sql, team_id=team_id)]


def test_a_second_run_with_equal_options_renders_nothing(database: Database) -> None:
    write_events(database, trace(1, "t", WHEN, request=f"I am {SECRET}"))
    assert run(database).details["traces_rendered"] == 1
    again = run(database)
    assert (again.details["traces_rendered"], again.details["texts_deleted"], again.items) == (0, 0, 1)


def test_a_team_that_switches_redaction_on_keeps_no_text_without_it(database: Database) -> None:
    write_events(database, trace(1, "t", WHEN, request=f"I am {SECRET}"))
    run(database, RenderOptions(redact=False))
    assert any(SECRET in text for text in texts(database))
    report = run(database)
    assert report.details["texts_deleted"] == 2
    assert len(texts(database)) == 2
    assert not any(SECRET in text for text in texts(database))


def test_a_team_that_adds_a_pattern_keeps_no_text_without_it(database: Database) -> None:
    write_events(database, trace(1, "t", WHEN, request="Case ZEUS-1234"))
    run(database)
    run(database, RenderOptions(extra_patterns=(r"ZEUS-\d+",)))
    assert texts(database)
    assert all("[CUSTOM_1]" in text and "ZEUS" not in text for text in texts(database))


def test_a_text_that_is_no_longer_sampled_goes_when_it_shows_what_is_hidden_now(database: Database) -> None:
    write_events(database, trace(1, "t", WHEN, request=f"I am {SECRET}"))
    run(database, RenderOptions(redact=False))
    database.execute("DELETE FROM events WHERE team_id = 1")
    run(database)
    assert texts(database) == []


def test_a_change_of_length_alone_deletes_nothing_and_renders_anew(database: Database) -> None:
    write_events(database, trace(1, "t", WHEN, request="word " * 800))
    run(database)
    report = run(database, RenderOptions(max_tokens=300))
    assert (report.details["traces_rendered"], report.details["texts_deleted"]) == (1, 0)


def test_the_texts_of_another_team_stay(database: Database) -> None:
    for team_id in (1, 2):
        write_events(database, trace(team_id, "t", WHEN, request=f"I am {SECRET}"))
        run(database, RenderOptions(redact=False), team_id)
    run(database)
    assert any(SECRET in text for text in texts(database, 2))


def test_what_was_lost_is_in_the_metadata_of_every_run(database: Database) -> None:
    write_events(database, trace(1, "long", WHEN, request="word " * 4_000))
    write_events(database, trace(1, "short", WHEN, request=f"I am {SECRET}"))
    for _ in range(2):
        metadata = run(database).details
        assert metadata["loss"]["texts"] == 4
        assert metadata["loss"]["values_shortened"] == 2
        assert metadata["loss_rules"] == {"long_values": 2}
        assert metadata["redactions"] == {"email": 2}
        assert {row["item_id"] for row in metadata["loss_worst"]} >= {"long"}
        assert all(row["kept_percent"] < 30 for row in metadata["loss_worst"])


def test_the_loss_that_is_stored_is_the_one_of_the_text(database: Database) -> None:
    write_events(database, trace(1, "t", WHEN, request="word " * 4_000))
    run(database)
    row = database.rows("SELECT text, loss FROM trace_texts FINAL WHERE level = 'trace'")[0]
    loss = orjson.loads(row["loss"])
    assert loss["characters_after"] == len(row["text"])
    assert loss["rules"] == ["long_values"]


def test_the_worst_are_those_that_lost_the_largest_share() -> None:
    def loss(before: int, after: int) -> dict[str, Any]:
        return {"characters_before": before, "characters_after": after, "rules": ["sampling"]}

    summed = summarise_losses(
        [("trace", f"t{n}", loss(1_000, 1_000 - n)) for n in range(30)] + [("trace", "whole", {"rules": []})], shown=3
    )
    assert [row["item_id"] for row in summed.worst] == ["t29", "t28", "t27"]
    assert (summed.texts, summed.rules) == (31, {"sampling": 30})


def test_the_options_of_a_team_are_those_of_its_texts() -> None:
    values = {
        "redact": False,
        "teams": {
            "7": {
                "redact": True,
                "redaction_patterns": ["X-[0-9]+"],
                "max_text_tokens": 900,
                "injected_tags": ["note"],
                "input_transformations": [{"pattern": "a", "text": "b"}],
            }
        },
    }
    settings, problems = TeamSettings.from_mapping(values)
    assert problems == []
    own = RenderOptions.of_team(settings.options_of(7), "gpt-4.1-nano")
    assert (own.redact, own.extra_patterns, own.max_tokens) == (True, ("X-[0-9]+",), 900)
    assert (own.transformations, own.injected_tags) == ((("a", "b"),), ("note",))
    assert RenderOptions.of_team(settings.options_of(8), "").redact is False


def test_the_name_of_a_renderer_differs_where_texts_may_and_shows_no_pattern() -> None:
    names = {
        RenderOptions(**options).fingerprint
        for options in (
            {}, {"redact": False}, {"extra_patterns": ("SECRET-1",)}, {"max_tokens": 5}, {"max_chars": 7},
            {"model": "gpt-4o"}, {"transformations": (("SECRET", "x"),)}, {"injected_tags": ("note",)},
        )
    }  # fmt: skip
    assert len(names) == 8
    assert not any("SECRET" in name for name in names)
    assert RenderOptions(model="gpt-4o").fingerprint == RenderOptions(model="gpt-4.1-nano").fingerprint


def test_a_pattern_that_cannot_be_used_stops_before_anything_is_read() -> None:
    settings, _ = TeamSettings.from_mapping({})

    class Broken:
        redact = True
        redaction_patterns = ("(",)
        input_transformations = ()
        injected_tags = ()
        max_text_tokens = settings.options.max_text_tokens

    with pytest.raises(PatternError):
        RenderOptions.of_team(Broken(), "")
