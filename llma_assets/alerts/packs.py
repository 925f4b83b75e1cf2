"""Alert rules of theme packs: read as any file, and installed switched off."""

from dataclasses import replace

from llma_assets.alerts.document import Document, read_document
from llma_assets.alerts.errors import InvalidRulesError
from llma_assets.alerts.store import TeamAlerts
from llma_assets.themes import Pack, Problem


def rules_of(pack: Pack, team: TeamAlerts | None = None) -> Document:
    """The alert rules of a pack, switched off and telling nobody; those that a team has stay as they are switched.

    Args:
        team: the team that it is installed for.

    Raises:
        InvalidRulesError: the file is not valid, or names channels, which are the team's own.
    """
    if not pack.alerts:
        return Document()
    try:
        document = read_document(pack.alerts)
    except InvalidRulesError as error:
        told = [Problem(f"{pack.name}/alerts.yaml {each.where}".rstrip(), each.message) for each in error.problems]
        raise InvalidRulesError(told) from error
    if document.channels or any(rule.channels for rule in document.rules):
        raise InvalidRulesError([Problem(f"{pack.name}/alerts.yaml channels", "belong to a team, not into a pack")])
    known = team.rules if team else {}
    rules = []
    for rule in document.rules:
        own = known.get(rule.rule)
        rules.append(replace(rule, enabled=own.enabled, channels=own.channels) if own else replace(rule, enabled=False))
    return Document(rules=tuple(rules))
