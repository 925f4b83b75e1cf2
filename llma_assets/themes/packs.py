"""Theme packs: themes that others share, as a folder or as an installed Python package.

A pack is a folder with `pack.yaml` (title, version, description, source) and `themes.yaml`, which is a file of themes
as any other. It may hold alert rules, too: `alerts.yaml`, a file as `llma alerts apply` takes it, without channels. A
package offers one by the entry point group `llma_assets.theme_packs`: the name of the entry point is the name of the
pack, its value the package whose folder it is. Installing a pack is applying its themes and rules.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from llma_assets.themes.document import Document, read_document
from llma_assets.themes.errors import InvalidThemesError, Problem, ThemeError, did_you_mean
from llma_assets.themes.store import TeamThemes
from llma_assets.themes.yaml_text import MAX_BYTES, read_yaml

GROUP = "llma_assets.theme_packs"
ABOUT, THEMES, ALERTS = "pack.yaml", "themes.yaml", "alerts.yaml"
FIELDS = ("title", "version", "description", "source")


@dataclass(frozen=True, slots=True)
class Pack:
    """Themes that somebody shares.

    Attributes:
        name: what it is asked for by.
        title, version, description, source: as the pack says.
        origin: `shipped`, the package that offers it, or a folder.
        document: its themes; they are checked when they are applied.
        alerts: its file of alert rules as it is, b"" without one; reading it belongs in the room `alerts`.
    """

    name: str
    title: str
    version: str
    description: str
    source: str
    origin: str
    document: Document
    alerts: bytes = b""

    @property
    def theme_ids(self) -> tuple[str, ...]:
        """The ids of its themes, as far as they have one."""
        return tuple(str(each.get("theme_id", "")) for each in self.document.themes if isinstance(each, Mapping))

    def for_team(self, team: TeamThemes) -> Document:
        """Its themes for a team: those that it has stay on or off."""
        switched = {theme.theme_id: theme.enabled for theme in team.themes}
        themes = tuple(
            {**each, "enabled": switched[each["theme_id"]]}
            if isinstance(each, Mapping) and each.get("theme_id") in switched
            else each
            for each in self.document.themes
        )
        return Document(themes)


def packs() -> Iterator[Pack | InvalidThemesError]:
    """The packs that ship and those of installed packages, by name; the error of one that cannot be read."""
    shipped = files("llma_assets.themes").joinpath("packs")
    found: dict[str, tuple[str, Any]] = {
        each.name: ("shipped", each) for each in shipped.iterdir() if each.joinpath(ABOUT).is_file()
    }
    for entry in entry_points(group=GROUP):
        package = entry.dist.name if entry.dist else entry.value
        found.setdefault(entry.name, (package, entry))
    for name, (origin, place) in sorted(found.items()):
        try:
            yield _read(name, origin, place if origin == "shipped" else _folder_of(name, place))
        except InvalidThemesError as error:
            yield error


def pack_of(name: str) -> Pack:
    """The pack of a name, or of a folder: what has a separator in it, or is one, is a folder.

    Raises:
        ThemeError: there is none.
        InvalidThemesError: it cannot be read.
    """
    known: dict[str, Pack] = {}
    for each in packs():
        if isinstance(each, Pack):
            known[each.name] = each
        elif each.problems[0].where.startswith(f"{name}/"):
            raise each
    if name in known:
        return known[name]
    folder = Path(name)
    if folder.is_dir():
        return _read(folder.resolve().name, str(folder), folder)
    raise ThemeError(f"there is no pack {name!r}{did_you_mean(name, known)}; packs: {', '.join(known)}, or a folder")


def _folder_of(name: str, entry: Any) -> Traversable:
    try:
        return files(entry.value.partition(":")[0])
    # Another package is imported here: whatever it raises concerns its pack alone.
    except Exception as error:
        raise InvalidThemesError([Problem(f"{name}/", f"cannot be imported: {error}")]) from error


def _read(name: str, origin: str, folder: Traversable) -> Pack:
    about = _yaml(name, folder, ABOUT)
    if not isinstance(about, dict):
        raise InvalidThemesError([Problem(f"{name}/{ABOUT}", f"must be a mapping of {', '.join(FIELDS)}")])
    problems = [
        Problem(f"{name}/{ABOUT}", f"{field} must be a text of at most 2,000 characters")
        for field in FIELDS
        if not isinstance(about.get(field, ""), str) or len(about.get(field, "")) > 2_000
    ]
    problems += [
        Problem(f"{name}/{ABOUT}", f"there is no field {str(field)[:80]!r}{did_you_mean(str(field), FIELDS)}")
        for field in about
        if field not in FIELDS
    ]
    if problems:
        raise InvalidThemesError(problems)
    try:
        document = read_document(_bytes(name, folder, THEMES))
    except InvalidThemesError as error:
        told = [Problem(f"{name}/{THEMES} {each.where}".rstrip(), each.message) for each in error.problems]
        raise InvalidThemesError(told) from error
    texts = {field: str(about.get(field, "")).strip() for field in FIELDS}
    alerts = _bytes(name, folder, ALERTS) if folder.joinpath(ALERTS).is_file() else b""
    title = texts["title"] or name
    return Pack(name, title, texts["version"], texts["description"], texts["source"], origin, document, alerts)


def _yaml(name: str, folder: Traversable, file: str) -> Any:
    try:
        return read_yaml(_bytes(name, folder, file))
    except InvalidThemesError as error:
        told = [Problem(f"{name}/{file} {each.where}".rstrip(), each.message) for each in error.problems]
        raise InvalidThemesError(told) from error


def _bytes(name: str, folder: Traversable, file: str) -> bytes:
    try:
        with folder.joinpath(file).open("rb") as opened:
            return opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise InvalidThemesError([Problem(f"{name}/{file}", f"cannot be read: {error.strerror}")]) from error
