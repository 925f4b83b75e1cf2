"""Theme packs, and what a team has of them."""

from dataclasses import dataclass

from llma_assets.clickhouse import Database
from llma_assets.serialization import OptionalTeamId
from llma_assets.themes import InvalidThemesError, Pack, apply, packs, themes_of


@dataclass(frozen=True, slots=True)
class PackOfTeam:
    """What a team has of a pack.

    Attributes:
        installed: ids of its themes that the team has.
        differing: of these, those whose settings are others: another version of the pack, or changed by the team.
    """

    installed: tuple[str, ...]
    differing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PackReport:
    """A pack; `team` is None where no team is asked about."""

    name: str
    title: str
    version: str
    description: str
    source: str
    origin: str
    themes: tuple[str, ...]
    team: PackOfTeam | None = None


@dataclass(frozen=True, slots=True)
class PacksReport:
    """The packs that can be installed, and what is wrong with those that cannot be read."""

    team_id: OptionalTeamId
    packs: tuple[PackReport, ...]
    problems: tuple[str, ...]


def packs_report(database: Database | None, team_id: int | None) -> PacksReport:
    """The packs; with a team, what it has of each."""
    found, problems = list[PackReport](), list[str]()
    for each in packs():
        if isinstance(each, InvalidThemesError):
            problems += map(str, each.problems)
            continue
        team = None if database is None or team_id is None else _of_team(database, team_id, each)
        found.append(pack_report(each, team))
    return PacksReport(team_id, tuple(found), tuple(problems))


def pack_report(pack: Pack, team: PackOfTeam | None = None) -> PackReport:
    """A pack as it is shown."""
    return PackReport(
        pack.name, pack.title, pack.version, pack.description, pack.source, pack.origin, pack.theme_ids, team
    )


def _of_team(database: Database, team_id: int, pack: Pack) -> PackOfTeam:
    team = themes_of(database, team_id)
    has = {theme.theme_id for theme in team.themes}
    installed = tuple(each for each in pack.theme_ids if each in has)
    if not installed:
        return PackOfTeam((), ())
    try:
        planned = apply(database, team_id, pack.for_team(team), "", dry_run=True)
    except InvalidThemesError:
        return PackOfTeam(installed, installed)
    changed = {each.theme_id for each in planned.changes}
    return PackOfTeam(installed, tuple(each for each in installed if each in changed))
