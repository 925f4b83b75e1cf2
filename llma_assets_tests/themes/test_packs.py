"""Theme packs: those that ship are sound, folders and packages are read, and what is broken is named."""

from pathlib import Path

import pytest

from llma_assets.clickhouse import Database
from llma_assets.themes import InvalidThemesError, Pack, ThemeError, apply, pack_of, packs, set_enabled, themes_of

NAMES = ("agent_failures", "retrieval_answers")


def folder(tmp_path: Path, about: str = "title: Ours\n", themes: str = "themes: []\n") -> Path:
    pack = tmp_path / "ours"
    pack.mkdir()
    (pack / "pack.yaml").write_text(about)
    (pack / "themes.yaml").write_text(themes)
    return pack


def test_two_packs_ship_with_their_source_and_are_off(database: Database) -> None:
    found = [each for each in packs() if isinstance(each, Pack) and each.origin == "shipped"]
    assert tuple(each.name for each in found) == NAMES
    for pack in found:
        assert pack.version
        assert pack.source
        assert len(pack.theme_ids) == 3
        apply(database, 1, pack.document, "ann")
    team = themes_of(database, 1)
    assert not [
        theme.theme_id for pack in found for theme in team.themes if theme.theme_id in pack.theme_ids and theme.enabled
    ]
    assert not {each for pack in found for each in pack.theme_ids} & {
        each.theme_id for each in themes_of(database, 2).themes
    }


def test_installing_again_changes_nothing_and_leaves_what_is_on(database: Database) -> None:
    pack = pack_of(NAMES[0])
    apply(database, 1, pack.for_team(themes_of(database, 1)), "ann")
    set_enabled(database, 1, pack.theme_ids[0], True, "ann")
    again = apply(database, 1, pack.for_team(themes_of(database, 1)), "ann")
    assert not again.changes
    assert themes_of(database, 1).get(pack.theme_ids[0]).enabled


def test_a_folder_is_a_pack(tmp_path: Path) -> None:
    themes = "themes:\n  - {theme_id: mine, prompt: Say what it is about.}\n"
    pack = pack_of(str(folder(tmp_path, "title: Ours\nversion: '2'\n", themes)))
    assert (pack.name, pack.title, pack.version, pack.theme_ids) == ("ours", "Ours", "2", ("mine",))


@pytest.mark.parametrize(
    ("about", "themes", "told"),
    [
        ("[]\n", "themes: []\n", "ours/pack.yaml: must be a mapping"),
        ("titel: x\n", "themes: []\n", "there is no field 'titel'; did you mean 'title'?"),
        ("version: 1\n", "themes: []\n", "version must be a text"),
        ("title: x\n", "theme: []\n", "ours/themes.yaml theme: there is no such field"),
        ("title: [\n", "themes: []\n", "ours/pack.yaml"),
    ],
)
def test_what_is_wrong_with_a_pack_is_named(tmp_path: Path, about: str, themes: str, told: str) -> None:
    with pytest.raises(InvalidThemesError) as raised:
        pack_of(str(folder(tmp_path, about, themes)))
    assert told in str(raised.value)


def test_a_folder_without_its_files_and_an_unknown_name_say_so(tmp_path: Path) -> None:
    with pytest.raises(InvalidThemesError, match=r"pack\.yaml: cannot be read"):
        pack_of(str(tmp_path))
    with pytest.raises(ThemeError, match="did you mean 'agent_failures'"):
        pack_of("agent_failure")


def test_packages_offer_packs_and_a_broken_one_concerns_itself_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    for name, content in (("good_pack", ""), ("bad_pack", "raise RuntimeError('no')")):
        package = tmp_path / name
        package.mkdir()
        (package / "__init__.py").write_text(content)
        (package / "pack.yaml").write_text("title: Good\n")
        (package / "themes.yaml").write_text("themes: []\n")
        metadata = tmp_path / f"{name}-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (metadata / "entry_points.txt").write_text(f"[llma_assets.theme_packs]\n{name} = {name}\n")
    found = list(packs())
    good = [(each.name, each.title, each.origin) for each in found if isinstance(each, Pack)]
    assert ("good_pack", "Good", "good_pack") in good
    (bad,) = [each for each in found if isinstance(each, InvalidThemesError)]
    assert "bad_pack/: cannot be imported: no" in str(bad)
    assert pack_of("good_pack").origin == "good_pack"
    with pytest.raises(InvalidThemesError, match="cannot be imported"):
        pack_of("bad_pack")
