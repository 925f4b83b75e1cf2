"""Terminal output cannot be steered by what a trace says."""

import json

import pytest

from llma_assets.cli.render.console import emit_json, plain, plain_block, show_table

HOSTILE = "\x1b]0;owned\x07\x1b[2Jred\r\n[bold]x[/bold] \u202egnp.exe \x9b31m \u2028 :smile: 🦊"


@pytest.mark.parametrize("steering", ["\x1b", "\x07", "\r", "\n", "\x9b", "\u202e", "\u2028", "\x7f", "\x00", "\ud800"])
def test_a_line_shows_steering_characters_as_escapes(steering: str) -> None:
    shown = plain(f"a{steering}b")
    assert shown.isprintable()
    assert shown == f"a{steering.encode('unicode_escape').decode()}b".replace("\\r", "\\x0d").replace("\\n", "\\x0a")


def test_a_block_keeps_lines_and_tabs_only() -> None:
    assert plain_block("a\r\nb\tc\x1bd") == "a\nb\tc\\x1bd"


def test_ordinary_text_is_left_alone() -> None:
    assert plain("naïve 🦊 日本語 [x]") == "naïve 🦊 日本語 [x]"


def test_a_table_neither_obeys_markup_nor_escapes(capsys: pytest.CaptureFixture[str]) -> None:
    show_table(("title",), [(HOSTILE,)])
    shown = capsys.readouterr().out
    assert "[bold]x[/bold]" in shown
    assert ":smile:" in shown
    assert all(line.isprintable() for line in shown.splitlines())
    assert len(shown.splitlines()) == 2


def test_a_table_cuts_nothing_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    show_table(("title",), [("x" * 2_000,)])
    assert "x" * 2_000 in capsys.readouterr().out


def test_json_gives_hostile_text_back_unchanged_and_shows_no_control(capsys: pytest.CaptureFixture[str]) -> None:
    emit_json({"text": HOSTILE})
    shown = capsys.readouterr().out
    assert json.loads(shown) == {"text": HOSTILE}
    assert shown.removesuffix("\n").isprintable()
