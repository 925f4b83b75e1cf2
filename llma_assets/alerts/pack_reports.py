"""Theme packs, and what a team has of their themes and alert rules."""

from contextlib import suppress
from dataclasses import dataclass

from llma_assets.alerts.errors import InvalidRulesError
from llma_assets.alerts.packs import rules_of
from llma_assets.alerts.store import alerts_of
from llma_assets.clickhouse import Database
from llma_assets.serialization import OptionalTeamId
from llma_assets.themes import InvalidThemesError, Pack, apply, packs, themes_of


@dataclass(frozen=True, slots=True)
class PackOfTeam:
    """What a team has of a pack.

    Attributes:
        installed: ids of its themes that the team has.
        differing: of these, those whose settings are others: another version of the pack, or changed by the team.
        rules, differing_rules: the same of its alert rules, by name. Whether one is on, and whom it tells, is the
            team's own.
    """

    installed: tuple[str, ...]
    differing: tuple[str, ...]
    rules: tuple[str, ...]
    differing_rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PackReport:
    """A pack, with the ids of its themes and the names of its alert rules; `team` is None where none is asked about."""

    name: str
    title: str
    version: str
    description: str
    source: str
    origin: str
    themes: tuple[str, ...]
    rules: tuple[str, ...]
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
        try:
            team = None if database is None or team_id is None else _of_team(database, team_id, each)
            found.append(pack_report(each, team))
        except InvalidRulesError as error:
            problems += map(str, error.problems)
    return PacksReport(team_id, tuple(found), tuple(problems))


def pack_report(pack: Pack, team: PackOfTeam | None = None) -> PackReport:
    """A pack as it is shown.

    Raises:
        InvalidRulesError: its alert rules are not valid.
    """
    rules = tuple(each.rule for each in rules_of(pack).rules)
    return PackReport(
        pack.name, pack.title, pack.version, pack.description, pack.source, pack.origin, pack.theme_ids, rules, team
    )


def _of_team(database: Database, team_id: int, pack: Pack) -> PackOfTeam:
    team, alerts = themes_of(database, team_id), alerts_of(database, team_id)
    has = {theme.theme_id for theme in team.themes}
    installed = tuple(each for each in pack.theme_ids if each in has)
    changed = set(installed)
    if installed:
        with suppress(InvalidThemesError):
            planned = apply(database, team_id, pack.for_team(team), "", dry_run=True)
            changed = {each.theme_id for each in planned.changes}
    rules = [each for each in rules_of(pack, alerts).rules if each.rule in alerts.rules]
    return PackOfTeam(
        installed,
        tuple(each for each in installed if each in changed),
        tuple(each.rule for each in rules),
        tuple(each.rule for each in rules if each != alerts.rules[each.rule]),
    )
