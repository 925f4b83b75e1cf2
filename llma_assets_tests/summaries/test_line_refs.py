"""References to lines: which are true, and how they are counted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llma_assets.summaries import LineNumbers, check_refs

TEXT = "\n".join(f"L{n:03d}: line {n}" for n in range(1, 121) if not 50 <= n < 60)
LINES = LineNumbers.of(TEXT)


@pytest.mark.parametrize(
    ("given_refs", "kept", "total", "valid"),
    [
        ("L012", "L012", 1, 1),
        ("L12", "L012", 1, 1),
        ("L12-18", "L012-018", 1, 1),
        ("L12-L18", "L012-018", 1, 1),
        ("[L12–18]", "L012-018", 1, 1),
        ("L12 - 18", "L012-018", 1, 1),
        ("L1, L2,L3", "L001, L002, L003", 3, 3),
        ("L1; L1", "L001", 2, 2),
        ("L12: L18: the user", "L012, L018", 4, 2),
        ("L12-12", "L012", 1, 1),
        ("", "", 0, 0),
        ("L0", "", 1, 0),
        ("L121", "", 1, 0),
        ("L55", "", 1, 0),
        ("L45-55", "", 1, 0),
        ("L45-65", "L045-065", 1, 1),
        ("L18-12", "", 1, 0),
        ("L3, somewhere", "L003", 2, 1),
        ("12", "", 1, 0),
        ("L" + "9" * 5_000, "", 1, 0),
        ("L-5", "", 1, 0),
    ],
)
def test_only_lines_that_exist_are_kept(given_refs: str, kept: str, total: int, valid: int) -> None:
    mended = check_refs(given_refs, LINES)
    assert (mended.text, mended.total, mended.valid) == (kept, total, valid)


def test_a_reference_can_be_searched_for_in_the_text() -> None:
    assert f"{check_refs('L7', LINES).text}: " in TEXT


def test_a_number_inside_a_line_is_no_line() -> None:
    assert LineNumbers.of("L1: see L2: there\n  L3: indented").numbers == {1}


def test_a_text_without_numbers_has_no_lines() -> None:
    assert check_refs("L1", LineNumbers.of("no numbers")).valid == 0


@given(st.text(max_size=200))
def test_any_string_gives_true_references_or_none(refs: str) -> None:
    mended = check_refs(refs, LINES)
    again = check_refs(mended.text, LINES)
    assert again.text == mended.text
    assert again.total == again.valid
    assert mended.valid <= mended.total
