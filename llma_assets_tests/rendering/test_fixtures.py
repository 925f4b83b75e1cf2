"""Pairs of files, input and text: `fixtures/provider_formats` for messages in, `fixtures/traces` for events in.

To add a case, write `name.json`, run `python -m llma_assets_tests.rendering.test_fixtures`, and read the `name.txt`
that it writes: if the text is what a person would want to see, commit both.
"""

import json
from pathlib import Path

import pytest

from llma_assets.rendering import RenderOptions, render_generation, render_trace

FIXTURES = Path(__file__).parent / "fixtures"
CASES = sorted(FIXTURES.glob("*/*.json"))


def _text(case: Path) -> str:
    value = json.loads(case.read_text())
    if case.parent.name == "traces":
        return render_trace(value).text + "\n"
    event = {"event": "$ai_generation", "properties": {"$ai_input": value}}
    return render_generation(event, RenderOptions(line_numbers=False)).text + "\n"


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.stem}")
def test_the_input_gives_the_text_beside_it(case: Path) -> None:
    assert _text(case) == case.with_suffix(".txt").read_text()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.stem}")
def test_no_base64_of_the_input_enters_the_text(case: Path) -> None:
    assert "iVBORw0KGgo" not in _text(case)


if __name__ == "__main__":
    for missing in CASES:
        if not missing.with_suffix(".txt").exists():
            missing.with_suffix(".txt").write_text(_text(missing))
