"""Formats: each file of `formats/` becomes the events beside it, `NAME.events.json`.

`python -m llma_assets_tests.ingest.test_formats` writes those that are missing or other; read them before you commit.
"""

import gzip
import json
from collections.abc import Iterator
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import orjson
import pytest

from llma_assets.ingest import FORMAT_NAMES
from llma_assets.ingest.converting import Converter, Rejected, converter_for
from llma_assets.ingest.formats import FORMATS
from llma_assets.ingest.items import read_items
from llma_assets.ingest.lines import ReadPosition
from llma_assets.ingest.moments import EPOCH, MICROSECOND
from llma_assets.ingest.parsing import Event
from llma_assets.ingest.pieces import PieceStore
from llma_assets.rendering import render_trace
from llma_assets_tests.ingest.events import NOW

FOLDER = Path(__file__).parent / "formats"
FILES = sorted(path for path in FOLDER.iterdir() if ".events." not in path.name)
SHARED = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "framework_traces"
REAL = sorted(SHARED.glob("*.trace.json"))


def converted(
    source: Path | BytesIO, name: str | None = None, team: int | None = 5, latest: datetime = NOW
) -> tuple[Converter, list[Any]]:
    """The converter that was chosen, and events and rejected records in order."""
    converter, items = converter_for(read_items(source, 10 << 20, ReadPosition()), name, team)
    converter.pieces = PieceStore()
    outcomes: list[Any] = [outcome for item in items for outcome in converter.read(item, latest)]
    return converter, [*outcomes, *converter.rest(latest)]


def shown(path: Path) -> dict[str, Any]:
    """What is compared."""
    converter, outcomes = converted(path)
    return {
        "format": converter.name,
        "events": [
            {
                "event": event.event,
                "uuid": event.uuid,
                "user": event.distinct_id,
                "timestamp": (EPOCH + event.timestamp_us * MICROSECOND).isoformat(),
                "properties": orjson.loads(event.properties),
            }
            for event in outcomes
            if isinstance(event, Event)
        ],
        "rejected": [
            {"record": each.line.number, "reason": each.error.reason, "detail": each.error.detail}
            for each in outcomes
            if isinstance(each, Rejected)
        ],
    }


def expected_of(path: Path) -> Path:
    """The file that holds the expected events."""
    return path.with_name(f"{path.name.partition('.')[0]}.events.json")


def events_of(path: Path) -> list[Event]:
    """The events of a file."""
    return [each for each in converted(path)[1] if isinstance(each, Event)]


def texts_of(events: list[Event]) -> str:
    """The texts of all traces of some events."""
    traces: dict[str, list[dict[str, Any]]] = {}
    for event in events:
        properties = orjson.loads(event.properties)
        row = {
            "event": event.event,
            "uuid": event.uuid,
            "timestamp": (EPOCH + event.timestamp_us * MICROSECOND).isoformat(),
            "properties": properties,
        }
        traces.setdefault(str(properties.get("$ai_trace_id")), []).append(row)
    return "\n".join(render_trace(rows).text for rows in traces.values())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_becomes_the_expected_events(path: Path) -> None:
    assert shown(path) == json.loads(expected_of(path).read_text())


def test_every_format_has_a_pair_of_fixtures() -> None:
    found = {json.loads(expected_of(path).read_text())["format"] for path in FILES}
    assert found >= {each.name for each in FORMATS} - {"otlp-protobuf"}  # which test_otlp_protobuf makes


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_the_user_asked_and_the_model_called_or_said_is_in_the_text(path: Path) -> None:
    text = texts_of(events_of(path))
    assert "Please refund order 1042." in text
    assert "refund(order=1042)" in text or "I refunded order 1042." in text


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_keeps_the_contract_of_events(path: Path) -> None:
    events = events_of(path)
    calls = [orjson.loads(event.properties) for event in events if event.event == "$ai_generation"]
    assert calls
    assert len({event.uuid for event in events}) == len(events)
    for event in events:
        properties = orjson.loads(event.properties)
        assert event.team_id == 5
        assert event.event.startswith("$ai_") or event.event == "$pageview"
        if event.event.startswith("$ai_"):
            assert properties["$ai_trace_id"]
            assert event.distinct_id
    first = calls[0]
    assert first["$ai_model"].startswith("gpt-4o")
    assert float(first["$ai_input_tokens"]) > 0
    assert float(first["$ai_latency"]) > 0
    assert first["$ai_input"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_same_file_again_has_the_same_uuids(path: Path) -> None:
    assert [each.uuid for each in events_of(path)] == [each.uuid for each in events_of(path)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_is_recognised_under_gzip_and_by_its_name_given(path: Path) -> None:
    plain = shown(path)
    converter, outcomes = converted(BytesIO(gzip.compress(path.read_bytes())), plain["format"])
    assert (converter.name, len(outcomes)) == (plain["format"], len(plain["events"]) + len(plain["rejected"]))


def test_names_of_formats_are_those_of_the_option() -> None:
    assert FORMAT_NAMES[0] == "events"
    assert len(set(FORMAT_NAMES)) == len(FORMATS) + 1


@pytest.mark.skipif(not REAL, reason="the shared framework traces are not here")
@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name.partition(".")[0])
def test_the_export_of_a_real_trace_keeps_its_observations(path: Path) -> None:
    page = json.loads(path.read_text())
    events = events_of(path)
    by_id = {orjson.loads(event.properties)["$ai_span_id"]: event for event in events}
    assert set(by_id) >= {each["id"] for each in page["observations"]} | {page["trace"]["id"]}
    for observation in page["observations"]:
        event = by_id[observation["id"]]
        assert (event.event == "$ai_generation") == (observation["type"] == "GENERATION")
        properties = orjson.loads(event.properties)
        said = properties.get("$ai_input", properties.get("$ai_input_state"))
        assert said == (observation["input"] or None) or json.loads(observation["input"]) == said
        if observation["latency"]:
            assert properties["$ai_latency"] == pytest.approx(observation["latency"])


def _write() -> Iterator[Path]:
    for path in FILES:
        text = json.dumps(shown(path), indent=1, ensure_ascii=False) + "\n"
        expected = expected_of(path)
        if not expected.is_file() or expected.read_text() != text:
            expected.write_text(text)
            yield expected


if __name__ == "__main__":
    for written in _write():
        print(written.name)
