"""Clusters as tables and sentences: hostile titles stay text, what there is no room for is counted."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from llma_assets.markdown import escaped, shortened
from llma_assets.reports import ClusterRow, ThemeClusters, cluster_table, clusters_in_sentences, table_rows
from llma_assets.reports.cluster_table import INLINE_CHARACTERS, percent

HOSTILE = "<script>alert(1)</script> | ![x](http://evil) `code`\n| 9 | 9 | a@b.example www.evil.example"


def row(number: int, size: int, of: int, status: str = "continued", **options: Any) -> ClusterRow:
    title = options.pop("title", f"Topic {number}")
    return ClusterRow(number, "0123456789", status, size, size / of, title, ("tr-1", "tr-2"), size, **options)


def theme(theme_id: str, sizes: list[int], outliers: int = 0, **options: Any) -> ThemeClusters:
    items = sum(sizes) + outliers
    rows = [row(number, size, items) for number, size in enumerate(sizes)]
    rows += [row(-1, outliers, items, "", title="Outliers")] if outliers else []
    empty = np.zeros(0, dtype=np.int_), np.zeros((0, 2))
    return ThemeClusters(theme_id, items, tuple(rows), *empty, **options)


def test_titles_cannot_leave_their_cell_of_the_table() -> None:
    table = cluster_table(
        [
            ClusterRow(
                cluster_id=0,
                lineage_id="0123456789",
                lineage_status="grown",
                size=3,
                share=0.5,
                title=HOSTILE,
                examples=("a|b", "<i>"),
                traces=2,
            )
        ]
    )
    header, _, line = table.splitlines()
    assert line.count("|") == header.count("|")
    for forbidden in ("<", "](", "`", "://", "www.", "@b"):
        assert forbidden not in line
    assert "| 3 | 50\u00a0% | 2 | grown | 01234567 |" in line


def test_hostile_titles_stay_text_in_sentences() -> None:
    hostile = replace(theme("traces", [5]), rows=(row(0, 5, 5, title=HOSTILE),))
    said = clusters_in_sentences([hostile], {})
    assert not {"<", "`", "|"} & set(said)
    assert "](" not in said


def test_the_table_of_the_page_shows_the_biggest_of_each_theme_and_counts_the_rest() -> None:
    found = table_rows([theme("generations", [90, 50, *[10] * 18], outliers=20), theme("traces", [7, 3])])
    assert [(each["no"], each["title"], each["size"]) for each in found] == [
        ("", "generations: all", 340),
        ("0", "Topic 0", 90),
        ("1", "Topic 1", 50),
        *[(str(number), f"Topic {number}", 10) for number in range(2, 6)],
        ("…", "14 smaller clusters", 140),
        ("", "Outliers", 20),
        ("", "traces: all", 10),
        ("0", "Topic 0", 7),
        ("1", "Topic 1", 3),
    ]
    assert found[1]["share"] == "26\u00a0%"
    assert len({tuple(each) for each in found}) == 1


def test_a_single_theme_needs_no_row_for_itself() -> None:
    assert [each["no"] for each in table_rows([theme("traces", [7, 3])])] == ["0", "1"]


def test_the_sentences_say_how_many_how_much_and_what_changed() -> None:
    traces = theme("traces", [600, 200], outliers=200)
    rows = (replace(traces.rows[0], lineage_status="grown"), replace(traces.rows[1], lineage_status="new"))
    said = clusters_in_sentences(
        [replace(traces, rows=(*rows, traces.rows[2]), ended=2)], {"traces": {"sampled": 2098, "relevant": 1003}}
    )
    assert said.replace("\u00a0", " ") == (
        "**traces**: 2,098 traces in the window, 1,003 relevant, 2 clusters hold 80 %, 20 % are outliers. "
        "Since the run before 1 is new, 1 has grown, 2 have ended. Biggest: Topic 0 (600); Topic 1 (200)."
    )


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"is_first": True}, "There is no run before this one, so all clusters are new."),
        ({}, "Nothing changed since the run before."),
        ({"ended": 1}, "Since the run before 1 has ended."),
    ],
)
def test_the_sentences_say_when_there_is_nothing_to_compare(changed: dict[str, Any], said: str) -> None:
    assert said in clusters_in_sentences([replace(theme("traces", [4]), **changed)], {})


def test_a_run_without_clusters_is_told_as_one() -> None:
    assert clusters_in_sentences([theme("traces", [], outliers=25)], {}) == (
        "**traces**: no clusters: all 25 are outliers."
    )


def test_the_sentences_of_many_themes_leave_titles_out_so_that_the_page_shows_them() -> None:
    themes = [theme(f"theme_{number}", [9, 8, 7]) for number in range(12)]
    said = clusters_in_sentences(themes, {})
    assert len(said) <= INLINE_CHARACTERS
    assert "Biggest" not in said
    assert "theme&#95;11" in said


@pytest.mark.parametrize(
    ("share", "told"), [(0.0, "0 %"), (0.004, "< 1 %"), (0.335, "34 %"), (0.998, "> 99 %"), (1.0, "100 %")]
)
def test_a_share_is_never_rounded_to_nothing_or_all(share: float, told: str) -> None:
    assert percent(share).replace("\u00a0", " ") == told


def test_escaped_text_is_one_line_without_signs_of_markdown() -> None:
    assert escaped("a\n*b* [c](d)") == "a &#42;b&#42; &#91;c&#93;&#40;d&#41;"
    assert shortened("one two three", 9) == "one two…"
